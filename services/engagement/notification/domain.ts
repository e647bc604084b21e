import { problem } from "#kernel/errors";
import { isZone, type QuietHours } from "./domain-quiet.ts";

/** What people are told of, as preferences name it. */
export const KINDS = ["reminder", "recording"] as const;
export type Kind = (typeof KINDS)[number];

/** Which words a message has; its first part is its kind. */
export const TEMPLATES = ["reminder.starts", "reminder.moved", "reminder.cancelled", "recording.ready"] as const;
export type Template = (typeof TEMPLATES)[number];
export const kindOf = (template: Template): Kind => template.slice(0, template.indexOf(".")) as Kind;

export type Channel = "email" | "push";

/** Something to tell a profile. The same `source` is told once, however often it comes. */
export interface News {
  readonly source: string;
  readonly userId: string;
  readonly profileId: string;
  readonly template: Template;
  readonly about: About;
  /** Where it leads, a path of the web client. */
  readonly path: string;
  /** From then on nobody wants to be told any more. */
  readonly expiresAtMs: number;
}

/** What the words are about. */
export interface About {
  /** By language (BCP 47). */
  readonly titles: Readonly<Record<string, string>>;
  readonly channelName: string;
  readonly startMs: number;
}

export interface Choice {
  readonly kind: Kind;
  readonly inApp: boolean;
  readonly email: boolean;
  readonly push: boolean;
}

export interface Preferences {
  /** One for each kind. */
  readonly choices: readonly Choice[];
  /** IANA. */
  readonly zone: string;
  readonly quiet: QuietHours | undefined;
}

const CHOICE_DEFAULT = { inApp: true, email: false, push: true } as const;
/** What holds for a profile that said nothing: in the product, and on devices that asked for it. */
export const PREFERENCES_DEFAULT: Preferences = {
  choices: KINDS.map((kind) => ({ kind, ...CHOICE_DEFAULT })),
  zone: "UTC",
  quiet: undefined,
};

export const choiceOf = ({ choices }: Preferences, kind: Kind): Choice =>
  choices.find((choice) => choice.kind === kind) ?? { kind, ...CHOICE_DEFAULT };

const DAY_MINUTES = 1_440;

/** Preferences as they are kept: every kind once, a zone that exists, quiet hours within a day. */
export function checkPreferences(given: {
  readonly choices: readonly (Omit<Choice, "kind"> & { readonly kind: string })[];
  readonly zone: string;
  readonly quiet?: QuietHours | undefined;
}): Preferences {
  const unknown = given.choices.find(({ kind }) => !KINDS.some((known) => known === kind));
  if (unknown)
    throw problem.invalid(`kind '${unknown.kind.slice(0, 40)}' does not exist; there are: ${KINDS.join(", ")}`);
  const zone = given.zone === "" ? PREFERENCES_DEFAULT.zone : given.zone;
  if (!isZone(zone))
    throw problem.invalid(`zone '${zone.slice(0, 60)}' is no time zone: write for example Europe/Berlin`);
  const { quiet } = given;
  for (const minute of quiet ? [quiet.fromMinute, quiet.untilMinute] : [])
    if (!Number.isInteger(minute) || minute < 0 || minute >= DAY_MINUTES)
      throw problem.invalid(`minute ${minute} is not one of a day: it is 0 to ${DAY_MINUTES - 1}`);
  const choices = KINDS.map((kind) => {
    const { inApp, email, push } = given.choices.find((choice) => choice.kind === kind) ?? CHOICE_DEFAULT;
    return { kind, inApp, email, push };
  });
  // Hours that end when they begin are none.
  return { choices, zone, quiet: quiet && quiet.fromMinute !== quiet.untilMinute ? quiet : undefined };
}

/** How often a profile may be told by a channel within a window. */
export const RATES: Readonly<Record<Channel, { readonly max: number; readonly windowMs: number }>> = {
  push: { max: 12, windowMs: 3_600_000 },
  email: { max: 8, windowMs: 21_600_000 },
};

const RETRY_AFTER_MS = [10_000, 60_000, 300_000, 1_800_000] as const;
const RETRY_AFTER_MS_MAX = 3_600_000;

/** When a try that failed is made again; undefined when it was the last. `attempts` counts it too. */
export function retryAtMs(attempts: number, nowMs: number, askedForMs = 0): number | undefined {
  const afterMs = RETRY_AFTER_MS[attempts - 1];
  return afterMs === undefined ? undefined : nowMs + Math.min(Math.max(afterMs, askedForMs), RETRY_AFTER_MS_MAX);
}

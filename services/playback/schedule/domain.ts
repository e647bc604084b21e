import { problem } from "#kernel/errors";

/** What the guide says of a programme, as far as a reminder needs it. */
export interface Airing {
  /** By language (BCP 47). */
  readonly titles: Readonly<Record<string, string>>;
  readonly startMs: number;
  readonly stopMs: number;
}

/** Waiting for its time; told; or found so late that nobody wants to be told any more. */
export type State = "waiting" | "triggered" | "late";

export interface Reminder extends Airing {
  readonly id: string;
  readonly userId: string;
  readonly profileId: string;
  readonly channelId: string;
  readonly channelName: string;
  readonly programmeId: string;
  readonly leadS: number;
  readonly state: State;
}

export const LEAD_S_MAX = 86_400;
/** So long after its start a programme is still worth coming to. */
export const LATE_MS_MAX = 15 * 60_000;
/** Somebody who comes in time for the old start has missed this much at most: that is no news. */
export const SHIFT_MS_MIN = 5 * 60_000;

export const dueAtMs = ({ startMs, leadS }: Pick<Reminder, "startMs" | "leadS">): number => startMs - leadS * 1_000;

export function checkLead(leadS: number): number {
  if (leadS > LEAD_S_MAX) throw problem.invalid(`a lead of ${leadS} s is longer than a day (${LEAD_S_MAX} s)`);
  return leadS;
}

/** What is done with a reminder whose time has come: it is told, also a little late, or it is given up. */
export const fateOf = ({ startMs, stopMs }: Airing, nowMs: number): "triggered" | "late" =>
  nowMs <= Math.min(startMs + LATE_MS_MAX, stopMs) ? "triggered" : "late";

export type Change =
  | { readonly kind: "none" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "kept" | "moved"; readonly next: Reminder };

/**
 * What a change of the guide does to a reminder. One that was told waits again when its programme moves to where it can be told anew; what
 * is over stays as it is.
 */
export function follow(reminder: Reminder, airing: Airing | undefined, nowMs: number): Change {
  if (reminder.stopMs <= nowMs) return { kind: "none" };
  if (!airing) return { kind: "cancelled" };
  const next = { ...reminder, ...airing };
  const shiftMs = airing.startMs - reminder.startMs;
  const isSame = shiftMs === 0 && airing.stopMs === reminder.stopMs && sameTitles(airing.titles, reminder.titles);
  if (isSame) return { kind: "none" };
  if (Math.abs(shiftMs) < SHIFT_MS_MIN) return { kind: "kept", next };
  // Into the past: there is nothing left to remind of, and the end of the programme will sweep it away.
  if (airing.startMs + LATE_MS_MAX < nowMs) return { kind: "kept", next: { ...next, state: "late" } };
  return { kind: "moved", next: { ...next, state: "waiting" } };
}

function sameTitles(a: Airing["titles"], b: Airing["titles"]): boolean {
  const entries = Object.entries(a);
  return entries.length === Object.keys(b).length && entries.every(([language, title]) => b[language] === title);
}

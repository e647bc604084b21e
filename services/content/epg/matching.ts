import { keyOf } from "./identity.ts";

// Which channel of ours a channel of a source is: by id, by name, by number, in this order; what a person said comes before all of them.
// Whatever is decided is explained, because a wrong match is the one fault of a guide that nobody sees in the guide.

export interface OwnChannel {
  readonly id: string;
  readonly number: number;
  readonly name: string;
}

export interface ForeignChannel {
  readonly externalId: string;
  readonly names: readonly string[];
}

export type FoundBy = "id" | "name" | "number" | "own" | "manual" | "none";
export interface Match {
  readonly channelId: string;
  readonly foundBy: FoundBy;
  readonly explanation: string;
}

/** Words that say how a channel is sent, and not which one it is. */
const QUALITY = /\b(uhd|fhd|hd|sd|4k|8k|plus 1080|1080[ip]?|720p)\b/g;
const plainKey = (name: string): string => keyOf(name).replace(QUALITY, "").replace(/\s+/g, " ").trim();

/** The number among a channel's names, such as `201`; 0 where there is none. */
export const numberIn = (names: readonly string[]): number =>
  Number(names.find((name) => /^\d{1,5}$/.test(name.trim())) ?? 0);

/** A name that is none but a number is no name to show. */
export const nameIn = (names: readonly string[], externalId: string): string =>
  names.find((name) => !/^[\d .-]+$/.test(name)) ?? names[0] ?? externalId;

type Rule = (foreign: ForeignChannel) => {
  readonly found: readonly OwnChannel[];
  readonly foundBy: FoundBy;
  readonly why: string;
};

/**
 * Matches channels of one source. A channel of ours is given once: the stronger rule has it, then who stands first in the document.
 * `taken` are channels that persons gave.
 */
export function matchAll(
  foreign: readonly ForeignChannel[],
  own: readonly OwnChannel[],
  taken: ReadonlySet<string>,
): Map<string, Match> {
  const matches = new Map<string, Match>();
  const given = new Map<string, string>([...taken].map((id) => [id, "by hand"]));
  const notes = new Map<string, string>();
  for (const rule of rulesFor(own)) {
    for (const channel of foreign) {
      if (matches.has(channel.externalId)) continue;
      const { found, foundBy, why } = rule(channel);
      const free = found.filter(({ id }) => !given.has(id));
      const [only, ...others] = free;
      if (only && others.length === 0) {
        given.set(only.id, channel.externalId);
        matches.set(channel.externalId, { channelId: only.id, foundBy, explanation: why });
      } else if (only) {
        notes.set(
          channel.externalId,
          `${why}, but ${free.length} channels have it: ${free
            .map(({ id }) => id)
            .slice(0, 3)
            .join(", ")}`,
        );
      } else if (found[0]) {
        notes.set(channel.externalId, `${why}, but '${found[0].id}' is taken ${takenBy(given.get(found[0].id))}`);
      }
    }
  }
  for (const { externalId } of foreign)
    if (!matches.has(externalId))
      matches.set(externalId, {
        ...{ channelId: "", foundBy: "none" },
        explanation: notes.get(externalId) ?? "no channel has its id, one of its names or its number",
      });
  return matches;
}

const takenBy = (whom: string | undefined): string => (whom === "by hand" ? "by hand" : `by '${whom ?? ""}'`);

function rulesFor(own: readonly OwnChannel[]): readonly Rule[] {
  const by = (key: (channel: OwnChannel) => string): ReadonlyMap<string, readonly OwnChannel[]> =>
    Map.groupBy(
      own.filter((channel) => key(channel) !== ""),
      key,
    );
  const byId = by(({ id }) => id.toLowerCase());
  const byName = by(({ name }) => keyOf(name));
  const byPlainName = by(({ name }) => plainKey(name));
  const byNumber = by(({ number }) => (number > 0 ? String(number) : ""));
  const named = (
    names: readonly string[],
    key: (name: string) => string,
    known: ReadonlyMap<string, readonly OwnChannel[]>,
  ): { readonly name: string; readonly found: readonly OwnChannel[] } => {
    const name = names.find((one) => key(one) !== "" && known.has(key(one))) ?? "";
    return { name, found: name === "" ? [] : (known.get(key(name)) ?? []) };
  };
  return [
    ({ externalId }) => {
      const id = externalId.toLowerCase();
      return { found: byId.get(id) ?? byId.get(`ch-${id}`) ?? [], foundBy: "id", why: `it has the id '${externalId}'` };
    },
    ({ names }) => {
      const { name, found } = named(names, keyOf, byName);
      return { found, foundBy: "name", why: `it is called '${name}'` };
    },
    ({ names }) => {
      const { name, found } = named(names, plainKey, byPlainName);
      return {
        found,
        foundBy: "name",
        why: `it is called '${name}', which is the same name but for the picture's quality`,
      };
    },
    ({ names }) => {
      const number = numberIn(names);
      return { found: byNumber.get(String(number)) ?? [], foundBy: "number", why: `it has the number ${number}` };
    },
  ];
}

/** An id for a channel that the guide alone has. */
export function ownIdOf(externalId: string, taken: ReadonlySet<string>): string {
  const word =
    keyOf(externalId)
      .replaceAll(" ", "-")
      .replace(/[^a-z0-9-]/g, "")
      .slice(0, 50)
      .replace(/^-+|-+$/g, "") || "channel";
  const base = word.startsWith("ch-") ? word : `ch-${word}`;
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!taken.has(id)) return id;
  }
}

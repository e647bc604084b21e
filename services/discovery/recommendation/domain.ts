import { problem } from "#kernel/errors";

/** A title as far as ranking needs it. */
export interface Title {
  readonly id: string;
  readonly genres: readonly string[];
  readonly ageRating: number;
  readonly addedAtMs: number;
  /** How many profiles like it. */
  readonly fans: number;
}

/** What a profile did with titles, and what it says of them. Titles are films and series; episodes count for their series. */
export interface Past {
  readonly isPersonalised: boolean;
  /** The latest first. */
  readonly watched: readonly { readonly id: string; readonly stage: Stage }[];
  readonly opinions: ReadonlyMap<string, Opinion>;
  readonly exposures: ReadonlyMap<string, { readonly shown: number; readonly lastShownAtMs: number }>;
}

export const OPINIONS = ["up", "down", "not_interested"] as const;
export type Opinion = (typeof OPINIONS)[number];

/** @throws Problem for a word that is none of them; undefined takes an opinion back */
export function opinionOf(text: string): Opinion | undefined {
  if (text === "none") return undefined;
  const found = OPINIONS.find((opinion) => opinion === text);
  if (!found) throw problem.invalid(`'${text.slice(0, 40)}' is no opinion: say ${OPINIONS.join(", ")} or none`);
  return found;
}

/** How far somebody got in a title: it was begun, they stayed with it, or they finished it. */
export const STAGES = { begun: 0, stayed: 1, finished: 2 } as const;
export type Stage = (typeof STAGES)[keyof typeof STAGES];

/** Somebody who got this far in a title, or watched it for this long, gave it a chance and stayed. */
const STAYED_SHARE_MIN = 0.25;
const STAYED_S_MIN = 20 * 60;

export function stageOf(at: {
  readonly positionS: number;
  readonly durationS: number;
  readonly finished?: boolean;
}): Stage {
  if (at.finished) return STAGES.finished;
  const stayed = at.positionS >= Math.min(STAYED_S_MIN, at.durationS * STAYED_SHARE_MIN);
  return stayed && at.durationS > 0 ? STAGES.stayed : STAGES.begun;
}

/** What a profile likes: what it stayed with and did not speak against; the latest first, thumbs up before everything. */
export function likedOf({ watched, opinions }: Past): string[] {
  const up = [...opinions].flatMap(([id, opinion]) => (opinion === "up" ? [id] : []));
  const stayed = watched.filter(({ stage }) => stage >= STAGES.stayed).filter(({ id }) => !opinions.has(id));
  return [...up, ...stayed.map(({ id }) => id)];
}

/** What is not recommended: what was begun, which is under "Continue watching", or judged. */
export const excludedOf = ({ watched, opinions }: Past): string[] => [
  ...new Set([...watched.map(({ id }) => id), ...opinions.keys()]),
];

const WORDS_MAX = 40;
const WORD_LENGTH_MIN = 4;

/** What a title is made of, in the words of a model. */
export function featuresOf(title: {
  readonly title: string;
  readonly synopsis: string;
  readonly genres: readonly string[];
  readonly credits: readonly { readonly name: string }[];
}): string[] {
  const words = `${title.title} ${title.synopsis}`.toLowerCase().match(/\p{L}+/gu) ?? [];
  const telling = new Set(words.filter((word) => word.length >= WORD_LENGTH_MIN));
  return [
    ...title.genres.map((genre) => `genre:${genre}`),
    ...new Set(title.credits.map(({ name }) => `person:${name}`)),
    ...[...telling].slice(0, WORDS_MAX).map((word) => `word:${word}`),
  ];
}

const DAY_MS = 86_400_000;
/** How much of a score is left after each time that a title was shown and not chosen, and after how long that is forgotten by half. */
const FATIGUE = 0.85;
const FATIGUE_HALF_LIFE_MS = 7 * DAY_MS;
const FRESH_MS = 30 * DAY_MS;
const FRESHNESS = 0.05;
/** How much likeness to what stands before it costs a title (maximal marginal relevance: J. Carbonell and J. Goldstein, SIGIR 1998). */
const LIKENESS = 0.15;

/** What was shown often and not chosen sinks, and rises again when it was not shown for long: 1 for never shown. */
export function fatigueOf(
  exposure: { readonly shown: number; readonly lastShownAtMs: number } | undefined,
  nowMs: number,
): number {
  if (!exposure) return 1;
  const left = exposure.shown * 0.5 ** (Math.max(0, nowMs - exposure.lastShownAtMs) / FATIGUE_HALF_LIFE_MS);
  return FATIGUE ** left;
}

/** 1 for a title that was added just now, 0 for one that is no longer new. */
export const freshnessOf = (addedAtMs: number, nowMs: number): number =>
  Math.max(0, Math.min(1, 1 - (nowMs - addedAtMs) / FRESH_MS));

export interface Ranked {
  readonly id: string;
  readonly score: number;
}

/** Puts candidates in the order in which they are shown: by score, less what tires and with what is new, and unlike what stands before. */
export function arrange<C extends Ranked>(
  candidates: readonly C[],
  titles: ReadonlyMap<string, Title>,
  exposures: Past["exposures"],
  nowMs: number,
  count: number,
): C[] {
  const left = candidates.flatMap((candidate) => {
    const title = titles.get(candidate.id);
    if (!title) return [];
    const value =
      (candidate.score + FRESHNESS * freshnessOf(title.addedAtMs, nowMs)) * fatigueOf(exposures.get(title.id), nowMs);
    return [{ candidate, value, genres: new Set(title.genres), likeness: 0 }];
  });
  const arranged: C[] = [];
  while (arranged.length < count && left.length > 0) {
    const worth = ({ value, likeness }: (typeof left)[number]): number => value - LIKENESS * likeness;
    const at = left.reduce((best, one, i) => (worth(one) > worth(left[best] ?? one) ? i : best), 0);
    const [next] = left.splice(at, 1);
    if (!next) break;
    arranged.push(next.candidate);
    for (const one of left) one.likeness = Math.max(one.likeness, overlap(one.genres, next.genres));
  }
  return arranged;
}

/** What two sets share of all that is in either (Jaccard); 0 of nothing. */
function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const one of a) if (b.has(one)) shared++;
  const all = a.size + b.size - shared;
  return all === 0 ? 0 : shared / all;
}

export interface Rail {
  readonly kind: "for_you" | "because" | "popular";
  readonly becauseOfId: string;
  readonly contentIds: readonly string[];
}

const RAIL_MAX = 20;
/** A rail about one title says something only if several are in it. */
const BECAUSE_MIN = 3;
/** "For you" has the best; what it leaves is what the other rail is made of. */
const FOR_YOU_SHARE = 0.6;

/** The rails of somebody's own: the best, and those that one title speaks for most, if it does so for several. */
export function ownRails(
  arranged: readonly { readonly id: string; readonly becauseOfId: string }[],
  latest: readonly string[],
): Rail[] {
  const own = arranged.slice(0, Math.min(RAIL_MAX, Math.ceil(arranged.length * FOR_YOU_SHARE)));
  const rest = Map.groupBy(arranged.slice(own.length), ({ becauseOfId }) => becauseOfId);
  const because = latest.find((id) => (rest.get(id)?.length ?? 0) >= BECAUSE_MIN);
  const rails: Rail[] = [{ kind: "for_you", becauseOfId: "", contentIds: own.map(({ id }) => id) }];
  if (because !== undefined)
    rails.push({
      ...{ kind: "because", becauseOfId: because },
      contentIds: (rest.get(because) ?? []).slice(0, RAIL_MAX).map(({ id }) => id),
    });
  return rails.filter(({ contentIds }) => contentIds.length > 0);
}

const POPULAR_PER_GENRE = 100;
const POPULAR_GENRES = 3;

/**
 * What is popular, for everybody and as the fallback: the most liked of the genres that a profile likes, in turns, then of all; without any
 * genre of its own, the most liked of all.
 * What nobody has watched yet is not popular.
 * @param titles the most liked first
 */
export function popularFor(
  titles: readonly Title[],
  liked: readonly string[],
  excluded: ReadonlySet<string>,
): string[] {
  const byId = new Map(titles.map((title) => [title.id, title]));
  const counts = new Map<string, number>();
  for (const id of liked)
    for (const genre of byId.get(id)?.genres ?? []) counts.set(genre, (counts.get(genre) ?? 0) + 1);
  const genres = [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, POPULAR_GENRES);
  const ranked = titles.filter(({ id, fans }) => fans > 0 && !excluded.has(id));
  const lists = genres.map(([genre]) =>
    ranked.filter((title) => title.genres.includes(genre)).slice(0, POPULAR_PER_GENRE),
  );
  const inTurns = Array.from({ length: POPULAR_PER_GENRE }, (_, at) => lists.flatMap((list) => list[at] ?? [])).flat();
  return [...new Set([...inTurns, ...ranked].map(({ id }) => id))].slice(0, RAIL_MAX);
}

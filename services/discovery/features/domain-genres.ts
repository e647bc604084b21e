import { genreName } from "#contracts/features";
import { amount, type Kind, word } from "./domain.ts";
import { DAY_MS, HOUR_MS, ratio } from "./domain-windows.ts";

/** What a profile watches of each genre, in seconds that fade: after thirty days half of them are left. */
export interface Tastes {
  /** By genre: seconds as they are worth at a time. */
  readonly seconds: Readonly<Record<string, readonly [worth: number, atMs: number]>>;
}

const HALF_LIFE_MS = 30 * DAY_MS;
const GENRES_MAX = 40;

/** The genres that have a feature each; the others count for what is common to all. */
export const GENRES = [
  ...["action", "adventure", "animation", "comedy", "crime", "documentary", "drama"],
  ...["family", "fantasy", "horror", "romance", "science_fiction"],
] as const;

export const tastes: Kind<Tastes> = {
  group: {
    name: "user_genre_preferences",
    entity: "user",
    description:
      "Which share of what a profile watched is of each genre; older viewing counts less, half after thirty days",
    ttlMs: 90 * DAY_MS,
    cadenceMs: HOUR_MS,
    sourceEvents: ["playback.stopped"],
    features: [
      ...GENRES.map((genre) => amount(`share_${genre}`, "", `Share of ${genre.replace("_", " ")}`)),
      word("top_genre", "The genre with the largest share, whichever it is"),
      amount("top_share", "", "Its share", null),
      amount("breadth", "", "Entropy of the shares beside that of as many equal ones: 1 likes everything alike", null),
    ],
  },
  empty: { seconds: {} },
  valuesOf({ seconds }, atMs) {
    const worth = Object.entries(seconds)
      .map(([genre, kept]) => [genre, worthAt(kept, atMs)] as const)
      .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const total = worth.reduce((sum, [, each]) => sum + each, 0);
    const shareOf = (genre: string): number => ratio(worth.find(([name]) => name === genre)?.[1] ?? 0, total);
    const entropy = worth.reduce(
      (sum, [, each]) => (each > 0 ? sum - (each / total) * Math.log(each / total) : sum),
      0,
    );
    const [top] = worth;
    return {
      ...Object.fromEntries(GENRES.map((genre) => [`share_${genre}`, shareOf(genre)])),
      top_genre: total > 0 ? (top?.[0] ?? "") : "",
      top_share: ratio(top?.[1] ?? 0, total),
      breadth: ratio(entropy, Math.log(worth.length)),
    };
  },
};

const worthAt = ([worth, sinceMs]: readonly [number, number], atMs: number): number =>
  worth * 2 ** ((sinceMs - atMs) / HALF_LIFE_MS);

/** Seconds of a title, for all of its genres in equal parts. Whatever the order, the sum is the same. */
export const watchedOf =
  (genres: readonly string[], seconds: number, atMs: number) =>
  ({ seconds: before }: Tastes): Tastes => {
    const names = [...new Set(genres.map(genreName).filter(Boolean))];
    const after = new Map(Object.entries(before));
    for (const name of names) {
      const known = after.get(name) ?? [0, atMs];
      const newest = Math.max(known[1], atMs);
      const worth = worthAt(known, newest) + worthAt([seconds / names.length, atMs], newest);
      after.set(name, [worth, newest]);
    }
    const newestMs = Math.max(atMs, ...[...after.values()].map(([, since]) => since));
    const kept = [...after].toSorted((a, b) => worthAt(b[1], newestMs) - worthAt(a[1], newestMs)).slice(0, GENRES_MAX);
    return { seconds: Object.fromEntries(kept) };
  };

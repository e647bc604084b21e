/**
 * A world of simulated viewers: titles with what they really are, personas with what they really like, and how one chooses and stays. Models see
 * neither: a title says its genre, and is wrong about it one time in four. Everything comes of a seed; nothing here reads a clock.
 */
import { type Random, randomBelow, randomNormal, seededRandom } from "#learning/random";
import { topK } from "#learning/ranking";

export const PERSONAS_MAX = 1_000;
export const TITLES_MAX = 10_000;
/** So many of all titles, at most a quarter, are the ones that a persona would like best. */
const BEST = 100;
const BEST_SHARE = 0.25;
const GENRE_IS_RIGHT = 0.75;
const FAVOURITES = 2;
/** How much sooner the first tile of a page is taken than the sixth: twice. */
const PATIENCE = 5;
/** Where a title is liked so much, half of it is watched. */
const HALF_WATCHED_AT = 1;

const GENRES = ["western", "noir", "opera", "satire", "mystery", "romance", "horror", "travel"] as const;

export interface World {
  /** What everybody may know of each title. */
  readonly genres: readonly string[];
  /** What each persona likes, by title: hidden from models. */
  readonly tastes: readonly Float64Array[];
}

export interface WorldOptions {
  readonly seed: number;
  readonly personas: number;
  readonly titles: number;
}

export function makeWorld({ seed, personas, titles: count }: WorldOptions): World {
  const random = seededRandom(seed);
  const mains = Array.from({ length: count }, () => randomBelow(random, GENRES.length));
  const titles = mains.map((main) => ({
    factors: GENRES.map((_, factor) => (factor === main ? 1 : 0) + 0.3 * randomNormal(random)),
    quality: randomNormal(random),
  }));
  const genres = mains.map((main) => GENRES[random() < GENRE_IS_RIGHT ? main : randomBelow(random, GENRES.length)]);
  const tastes = Array.from({ length: personas }, () => {
    const likes = GENRES.map(() => 0.3 * randomNormal(random));
    for (let n = 0; n < FAVOURITES; n += 1) likes[randomBelow(random, GENRES.length)] = 1.5;
    return Float64Array.from(
      titles,
      ({ factors, quality }) => factors.reduce((sum, value, at) => sum + value * (likes[at] ?? 0), 0) + 0.4 * quality,
    );
  });
  return { genres: genres.map((genre) => genre ?? GENRES[0]), tastes };
}

/** The titles that somebody would like best of those that they have not watched. */
export function bestOf(taste: Float64Array, watched: ReadonlySet<number>): ReadonlySet<number> {
  const count = Math.max(1, Math.min(BEST, Math.floor(taste.length * BEST_SHARE)));
  return new Set(topK(taste, count, (title) => watched.has(title)));
}

/** One of some titles, sooner what is liked more and stands further ahead; undefined of none. */
export function choose(shown: readonly number[], taste: Float64Array, random: Random): number | undefined {
  const weights = shown.map((title, at) => Math.exp(2 * (taste[title] ?? 0)) / (1 + at / PATIENCE));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  // Rounding may leave a little after the last.
  return shown.find((_, at) => (left -= weights[at] ?? 0) <= 0) ?? shown.at(-1);
}

/** How much of a title somebody watches, 0 to 1, who likes it so much. */
export const shareWatched = (liking: number): number => 1 / (1 + Math.exp(-2 * (liking - HALF_WATCHED_AT)));

/** What two lists share of all that is in either (Jaccard); 0 of nothing. */
export function likeness(a: readonly number[], b: readonly number[]): number {
  const [one, other] = [new Set(a), new Set(b)];
  const all = one.union(other).size;
  return all === 0 ? 0 : one.intersection(other).size / all;
}

/**
 * Several rankers as one: their scores, made comparable, in a weighted sum. The weights are found by forward selection with replacement
 * on cases that no ranker was fitted on (R. Caruana et al., "Ensemble selection from libraries of models", ICML 2004): the ranker that
 * helps most is added, again and again, and a weight is how often it was.
 */
import type { Ranker } from "./interactions.ts";
import { addScaled } from "./linear.ts";
import { ndcgAt, topK } from "./ranking.ts";

/**
 * Brings scores to mean 0 and deviation 1, in place; scores that are all the same become zeros.
 * @returns what differences were multiplied with
 */
export function standardise(scores: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (const score of scores) {
    sum += score;
    squares += score * score;
  }
  const mean = sum / scores.length;
  const deviation = Math.sqrt(Math.max(0, squares / scores.length - mean * mean));
  // A difference that is lost in rounding is none.
  const scale = deviation > Math.abs(mean) * 1e-9 ? 1 / deviation : 0;
  for (let i = 0; i < scores.length; i++) scores[i] = ((scores[i] ?? 0) - mean) * scale;
  return scale;
}

/**
 * @param items of the catalogue
 * @param weightsOf a history: one weight for each ranker, so that those who have little can be served in another way
 */
export function blend(
  rankers: readonly Ranker[],
  items: number,
  weightsOf: (history: Uint32Array) => ArrayLike<number>,
): Ranker {
  const own = new Float64Array(items);
  /** Each ranker that counts, its standardised scores in `own`, and what its scores were multiplied with. */
  function each(history: Uint32Array, take: (ranker: Ranker, weight: number, scale: number) => void): void {
    const weights = weightsOf(history);
    for (const [at, ranker] of rankers.entries()) {
      const weight = weights[at] ?? 0;
      if (weight === 0) continue;
      ranker.score(history, own);
      take(ranker, weight, standardise(own));
    }
  }
  return {
    score: (history, scores) => {
      scores.fill(0);
      each(history, (_, weight) => addScaled(scores, 0, weight, own, 0, items));
    },
    contributions: (history, wanted) => {
      const sums = wanted.map(() => new Float64Array(history.length));
      each(history, (ranker, weight, scale) => {
        const parts = ranker.contributions(history, wanted);
        for (const [at, sum] of sums.entries()) addScaled(sum, 0, weight * scale, parts[at] ?? sum, 0, history.length);
      });
      return sums;
    },
  };
}

/** Somebody whose choices are known: what they had, and what they chose later. */
export interface BlendCase {
  readonly history: Uint32Array;
  /** What is not to be found again. */
  readonly seen: ReadonlySet<number>;
  readonly chosen: ReadonlySet<number>;
}

export interface BlendOptions {
  readonly items: number;
  /** NDCG of how many places is to be as high as can be. */
  readonly k: number;
  /** How often a ranker is added at most. */
  readonly rounds: number;
}

/** The weights, which sum to one, with which the cases' choices rank highest. */
export function fitBlend(
  rankers: readonly Ranker[],
  cases: readonly BlendCase[],
  { items, k, rounds }: BlendOptions,
): Float64Array {
  const scored = cases.map(({ history, seen, chosen }) => poolOf(rankers, items, history, seen, chosen));
  const worth = (added: number): number => {
    let total = 0;
    for (const { chosen, sum, of } of scored) {
      const trial = sum.slice();
      addScaled(trial, 0, 1, of[added] ?? trial, 0, trial.length);
      total += ndcgAt(topK(trial, k), chosen, k);
    }
    return total;
  };
  const counts = new Float64Array(rankers.length);
  let best = { worth: -Infinity, weights: counts.slice() };
  for (let round = 1; round <= rounds; round++) {
    const worths = rankers.map((_, at) => worth(at));
    const found = worths.reduce((most, each, at) => (each > (worths[most] ?? -Infinity) ? at : most), 0);
    counts[found] = (counts[found] ?? 0) + 1;
    for (const { sum, of } of scored) addScaled(sum, 0, 1, of[found] ?? sum, 0, sum.length);
    const reached = worths[found] ?? 0;
    if (reached > best.worth) best = { worth: reached, weights: counts.map((count) => count / round) };
  }
  return best.weights;
}

/** So many of each ranker's first: what none of them has among these is not tried, since no sum would bring it to the front. */
const POOL_OF_RANKER = 100;

/** The scores of a case, of those items that can come to its front, and which of these were chosen, by their place among them. */
function poolOf(
  rankers: readonly Ranker[],
  items: number,
  history: Uint32Array,
  seen: ReadonlySet<number>,
  chosen: ReadonlySet<number>,
) {
  const all = rankers.map((ranker) => {
    const scores = new Float64Array(items);
    ranker.score(history, scores);
    standardise(scores);
    return scores;
  });
  const pool = new Set(all.flatMap((scores) => topK(scores, POOL_OF_RANKER, (item) => seen.has(item))));
  const places = [...pool].sort((a, b) => a - b);
  // What was chosen and is in no pool still counts for what would have been best.
  const outside = [...chosen].filter((item) => !pool.has(item)).map((_, at) => places.length + at);
  return {
    chosen: new Set([...places.keys()].filter((place) => chosen.has(places[place] ?? -1)).concat(outside)),
    sum: new Float64Array(places.length),
    of: all.map((scores) => Float64Array.from(places, (item) => scores[item] ?? 0)),
  };
}

/**
 * Several rankers as one: their scores, made comparable, in a weighted sum. The weights are found by forward selection with replacement
 * on cases that no ranker was fitted on (R. Caruana et al., "Ensemble selection from libraries of models", ICML 2004): the ranker that
 * helps most is added, again and again, and a weight is how often it was.
 */
import type { Ranker } from "./interactions.ts";
import { addScaled } from "./linear.ts";
import { ndcgAt, topK } from "./ranking.ts";

/** Brings scores to mean 0 and deviation 1, in place; scores that are all the same become zeros. */
export function standardise(scores: Float64Array): void {
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
}

/** @param weightsOf a history: one weight for each ranker, so that those who have little can be served in another way */
export function blend(rankers: readonly Ranker[], weightsOf: (history: Uint32Array) => ArrayLike<number>): Ranker {
  return {
    score: (history, scores) => {
      const weights = weightsOf(history);
      const own = new Float64Array(scores.length);
      scores.fill(0);
      for (const [at, ranker] of rankers.entries()) {
        const weight = weights[at] ?? 0;
        if (weight === 0) continue;
        ranker.score(history, own);
        standardise(own);
        addScaled(scores, 0, weight, own, 0, own.length);
      }
    },
  };
}

/** Somebody whose choices are known: what they had, and what they chose later. */
export interface BlendCase {
  readonly history: Uint32Array;
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
  const scored = cases.map(({ history, chosen }) => ({
    chosen,
    own: new Set(history),
    sum: new Float64Array(items),
    of: rankers.map((ranker) => {
      const scores = new Float64Array(items);
      ranker.score(history, scores);
      standardise(scores);
      return Float32Array.from(scores);
    }),
  }));
  const trial = new Float64Array(items);
  const worth = (added: number): number => {
    let total = 0;
    for (const { chosen, own, sum, of } of scored) {
      const more = of[added] ?? new Float32Array(items);
      for (let i = 0; i < items; i++) trial[i] = (sum[i] ?? 0) + (more[i] ?? 0);
      total += ndcgAt(
        topK(trial, k, (item) => own.has(item)),
        chosen,
        k,
      );
    }
    return total;
  };
  const counts = new Float64Array(rankers.length);
  let best = { worth: -Infinity, weights: counts.slice() };
  for (let round = 1; round <= rounds; round++) {
    const worths = rankers.map((_, at) => worth(at));
    const found = worths.reduce((most, each, at) => (each > (worths[most] ?? -Infinity) ? at : most), 0);
    counts[found] = (counts[found] ?? 0) + 1;
    for (const { sum, of } of scored)
      of[found]?.forEach((score, i) => {
        sum[i] = (sum[i] ?? 0) + score;
      });
    const reached = worths[found] ?? 0;
    if (reached > best.worth) best = { worth: reached, weights: counts.map((count) => count / round) };
  }
  return best.weights;
}

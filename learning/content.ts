/**
 * Ranking by what items are made of, such as genres, cast and words: the mean of a history's vectors, and how near each item is to it by
 * cosine (Rocchio's prototype without its negative part, with the weights of K. Spärck Jones, "A statistical interpretation of term
 * specificity", 1972: a feature that many items have says little). It ranks items that nobody has yet.
 */
import { columnCounts, type Ranker, type Interactions, rowOf } from "./interactions.ts";

/** @param features which item has which feature */
export function fitContent(features: Interactions): Ranker & { similarity(a: number, b: number): number } {
  const { rows: items, columns } = features;
  const counts = columnCounts(features);
  const squared = Float64Array.from(counts, (count) => Math.log1p(items / (1 + count)) ** 2);
  const norm = Float64Array.from({ length: items }, (_, item) => {
    let sum = 0;
    for (const feature of rowOf(features, item)) sum += squared[feature] ?? 0;
    return Math.sqrt(sum) || 1;
  });
  const similarity = (a: number, b: number): number => {
    const [left, right] = [rowOf(features, a), rowOf(features, b)];
    let sum = 0;
    for (let i = 0, j = 0; i < left.length && j < right.length; ) {
      const [x = 0, y = 0] = [left[i], right[j]];
      if (x === y) sum += squared[x] ?? 0;
      if (x <= y) i++;
      if (y <= x) j++;
    }
    return sum / ((norm[a] ?? 1) * (norm[b] ?? 1));
  };
  return {
    similarity,
    score: (history, scores) => {
      const centre = new Float64Array(columns);
      for (const item of history) {
        for (const feature of rowOf(features, item))
          centre[feature] = (centre[feature] ?? 0) + (squared[feature] ?? 0) / (norm[item] ?? 1) / history.length;
      }
      for (let item = 0; item < items; item++) {
        let sum = 0;
        for (const feature of rowOf(features, item)) sum += centre[feature] ?? 0;
        scores[item] = sum / (norm[item] ?? 1);
      }
    },
    contributions: (history, items) =>
      items.map((item) => Float64Array.from(history, (one) => similarity(one, item) / history.length)),
  };
}

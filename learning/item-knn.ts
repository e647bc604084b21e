/**
 * Neighbours of items by shrunk cosine: items that the same people have are near, and little evidence is pulled to zero (R. Bell and
 * Y. Koren, "Improved neighborhood-based collaborative filtering", KDD Cup 2007; as a baseline that is hard to beat when tuned: M. Ferrari
 * Dacrema et al., "Are we really making much progress?", RecSys 2019).
 *
 *   similarity(i, j) = both / (sqrt(n_i n_j) + shrinkage)          score(j) = sum of similarity(i, j) over i in the history
 */
import { columnCounts, type Interactions, type Ranker, rowOf, transpose } from "./interactions.ts";

export interface ItemKnnOptions {
  /** How many neighbours of an item count. */
  readonly neighbours: number;
  readonly shrinkage: number;
}

export function fitItemKnn(matrix: Interactions, { neighbours, shrinkage }: ItemKnnOptions): Ranker {
  const byItem = transpose(matrix);
  const counts = columnCounts(matrix);
  const near: { readonly item: Uint32Array; readonly similarity: Float64Array }[] = [];
  const both = new Uint32Array(matrix.columns);
  for (let i = 0; i < matrix.columns; i++) {
    const touched: number[] = [];
    for (const user of rowOf(byItem, i)) {
      for (const j of rowOf(matrix, user)) {
        if (j === i) continue;
        if (both[j] === 0) touched.push(j);
        both[j] = (both[j] ?? 0) + 1;
      }
    }
    const similarity = (j: number): number =>
      (both[j] ?? 0) / (Math.sqrt((counts[i] ?? 0) * (counts[j] ?? 0)) + shrinkage);
    const found = touched.map((j) => ({ j, similarity: similarity(j) }));
    found.sort((a, b) => b.similarity - a.similarity || a.j - b.j);
    found.length = Math.min(found.length, neighbours);
    near.push({
      item: Uint32Array.from(found, ({ j }) => j),
      similarity: Float64Array.from(found, (one) => one.similarity),
    });
    for (const j of touched) both[j] = 0;
  }
  return {
    score: (history, scores) => {
      scores.fill(0);
      for (const i of history) {
        const of = near[i];
        of?.item.forEach((j, at) => {
          scores[j] = (scores[j] ?? 0) + (of.similarity[at] ?? 0);
        });
      }
    },
  };
}

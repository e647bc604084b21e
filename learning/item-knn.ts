/**
 * Neighbours of items by shrunk cosine: items that the same people have are near, and little evidence is pulled to zero (R. Bell and
 * Y. Koren, "Improved neighborhood-based collaborative filtering", KDD Cup 2007; as a baseline that is hard to beat when tuned: M. Ferrari
 * Dacrema et al., "Are we really making much progress?", RecSys 2019).
 *
 *   similarity(i, j) = both / (sqrt(n_i n_j) + shrinkage)          score(j) = sum of similarity(i, j) over i in the history
 */
import { columnCounts, type Interactions, type Ranker, rowOf, transpose } from "./interactions.ts";
import { topK } from "./ranking.ts";

export interface ItemKnnOptions {
  /** How many neighbours of an item count. */
  readonly neighbours: number;
  readonly shrinkage: number;
}

export function fitItemKnn(matrix: Interactions, { neighbours, shrinkage }: ItemKnnOptions): Ranker {
  const byItem = transpose(matrix);
  const counts = columnCounts(matrix);
  const near: { readonly item: Uint32Array; readonly similarity: Float64Array }[] = [];
  const similarity = new Float64Array(matrix.columns);
  for (let i = 0; i < matrix.columns; i++) {
    const having = rowOf(byItem, i);
    if (having.length === 0) {
      near.push({ item: new Uint32Array(), similarity: new Float64Array() });
      continue;
    }
    similarity.fill(0);
    for (const user of having) for (const j of rowOf(matrix, user)) similarity[j] = (similarity[j] ?? 0) + 1;
    similarity[i] = 0;
    for (let j = 0; j < matrix.columns; j++) {
      const both = similarity[j] ?? 0;
      if (both > 0) similarity[j] = both / (Math.sqrt((counts[i] ?? 0) * (counts[j] ?? 0)) + shrinkage);
    }
    const items = topK(similarity, neighbours).filter((j) => (similarity[j] ?? 0) > 0);
    near.push({ item: Uint32Array.from(items), similarity: Float64Array.from(items, (j) => similarity[j] ?? 0) });
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
    contributions: (history, items) =>
      items.map((item) =>
        Float64Array.from(history, (i) => near[i]?.similarity[near[i]?.item.indexOf(item) ?? -1] ?? 0),
      ),
  };
}

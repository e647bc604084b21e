/** The ranking that every other one must beat: by how many people have an item, the same for everybody. */
import { columnCounts, type Interactions, type Ranker } from "./interactions.ts";

export function fitPopularity(matrix: Interactions): Ranker {
  const counts = columnCounts(matrix);
  return {
    score: (_history, scores) => scores.set(counts),
    contributions: (history, items) => items.map(() => new Float64Array(history.length)),
  };
}

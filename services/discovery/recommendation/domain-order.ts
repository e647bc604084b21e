import type { Ranked } from "./domain.ts";

/** The first candidates are put in another order, and the others stay behind them. */
export const ORDERED_MAX = 50;

/** Where the blend had a title, and what it gave it: what an order is learned from. */
export interface Place {
  readonly rank: number;
  readonly score: number;
}

export const placesOf = (candidates: readonly Ranked[]): ReadonlyMap<string, Place> =>
  new Map(candidates.slice(0, ORDERED_MAX).map(({ id, score }, rank) => [id, { rank, score }]));

/**
 * The first candidates as a model puts them. The blend's scores are handed out anew, the highest to the model's first, so that fatigue, freshness and
 * likeness weigh beside them what they weighed before. The title that speaks for a candidate stays its own.
 * @param candidates the best first
 * @param scores of the first candidates; fewer than there are change nothing
 */
export function reordered<C extends Ranked>(candidates: readonly C[], scores: readonly number[]): C[] {
  const first = candidates.slice(0, ORDERED_MAX);
  if (scores.length !== first.length) return [...candidates];
  const order = [...first.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const inOrder = order.flatMap((from, to) => {
    const [candidate, place] = [first[from], first[to]];
    return candidate && place ? [{ ...candidate, score: place.score }] : [];
  });
  return [...inOrder, ...candidates.slice(first.length)];
}

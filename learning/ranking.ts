/**
 * What a ranking is worth (K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002, for NDCG; C.-N.
 * Ziegler et al., "Improving recommendation lists through topic diversification", WWW 2005, for diversity within a list). All take the
 * ranked items, best first.
 */

/** Normalised discounted cumulative gain of the first `k`, with relevance of one or zero: 0 to 1; 0 where nothing is relevant. */
export function ndcgAt(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  let gain = 0;
  let ideal = 0;
  for (let i = 0; i < k; i++) {
    const discount = 1 / Math.log2(i + 2);
    const item = ranked[i];
    if (item !== undefined && relevant.has(item)) gain += discount;
    if (i < relevant.size) ideal += discount;
  }
  return ideal === 0 ? 0 : gain / ideal;
}

/** The share of what is relevant that stands among the first `k`; 0 where nothing is relevant. */
export function recallAt(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  let found = 0;
  for (let i = 0; i < Math.min(k, ranked.length); i++) if (relevant.has(ranked[i] ?? -1)) found++;
  return relevant.size === 0 ? 0 : found / relevant.size;
}

/** One over the place of the first relevant item, counted from one; 0 where there is none. */
export function reciprocalRank(ranked: ArrayLike<number>, relevant: ReadonlySet<number>): number {
  for (let i = 0; i < ranked.length; i++) if (relevant.has(ranked[i] ?? -1)) return 1 / (i + 1);
  return 0;
}

/** The share of a catalogue that is in at least one of the lists. */
export function coverage(lists: Iterable<Iterable<number>>, items: number): number {
  const shown = new Set<number>();
  for (const list of lists) for (const item of list) shown.add(item);
  return items === 0 ? 0 : shown.size / items;
}

/** The mean distance of two items of a list, 0 to 1 where distances are; 0 for a list of fewer than two. */
export function diversity(list: readonly number[], distance: (a: number, b: number) => number): number {
  let sum = 0;
  for (const [i, a] of list.entries()) for (const b of list.slice(i + 1)) sum += distance(a, b);
  const pairs = (list.length * (list.length - 1)) / 2;
  return pairs === 0 ? 0 : sum / pairs;
}

/**
 * The `k` items with the highest scores, best first, of equal ones the first, without those that `excluded` marks. It keeps the best in
 * order while it goes along, which is quicker than sorting as long as `k` is small beside the catalogue.
 */
export function topK(scores: Float64Array, k: number, excluded?: (item: number) => boolean): number[] {
  const best: number[] = [];
  let least = -Infinity;
  for (let item = 0; item < scores.length; item++) {
    const score = scores[item] ?? 0;
    if (best.length >= k && !(score > least)) continue;
    if (excluded?.(item)) continue;
    let at = best.length;
    while (at > 0 && score > (scores[best[at - 1] ?? 0] ?? 0)) at--;
    best.splice(at, 0, item);
    if (best.length > k) best.pop();
    least = scores[best.at(-1) ?? 0] ?? 0;
  }
  return best;
}

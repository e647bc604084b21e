/**
 * Two orders of the same titles made into one, by reciprocal ranks (Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and
 * individual rank learning methods", SIGIR 2009): it asks of neither what its scores mean.
 */

/** What the order by meaning counts beside that by words, and how little the first places differ: looked at on every other tag of bench/search.ts. */
const MEANING_WEIGHT = 4;
const RANK_OFFSET = 60;

/** The places from 0 in the fused order, given how near in meaning each is; they come in the order of the words. */
export function fusedOrder(nearness: Float64Array): number[] {
  const places = Array.from(nearness.keys());
  const fused = new Float64Array(nearness.length);
  const byMeaning = places.toSorted((a, b) => (nearness[b] ?? 0) - (nearness[a] ?? 0) || a - b);
  for (const [rank, place] of byMeaning.entries())
    fused[place] = 1 / (RANK_OFFSET + place) + MEANING_WEIGHT / (RANK_OFFSET + rank);
  return places.sort((a, b) => (fused[b] ?? 0) - (fused[a] ?? 0) || a - b);
}

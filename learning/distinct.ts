/**
 * How many different ones there are, from few of their hashes: the k smallest (Beyer et al. 2007, "On synopses for distinct-value estimation under
 * multiset operations"). Up to k it is exact; above, the relative standard error is about 1 / sqrt(k - 2). Adding has no order, and
 * adding again changes nothing.
 */
import { fnv1a } from "./hashing.ts";

/** The smallest hashes, ascending. */
export type Distinct = readonly number[];

const HASHES = 2 ** 32;

export function withNames(known: Distinct, names: Iterable<string>, k: number): Distinct {
  const all = new Set(known);
  for (const name of names) all.add(fnv1a(name));
  return [...all].toSorted((a, b) => a - b).slice(0, k);
}

export const countDistinct = (known: Distinct, k: number): number =>
  known.length < k ? known.length : Math.round(((k - 1) * HASHES) / ((known[k - 1] ?? 0) + 1));

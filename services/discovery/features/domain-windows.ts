/** Sums by minute, hour or day, from which windows that move are read. Adding has no order: an event that comes late goes where it belongs. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** What happened in one stretch: its number since the epoch, then its sums. Stretches are in order, and those without anything are absent. */
export type Bucket = readonly [number, ...number[]];
export type Buckets = readonly Bucket[];

/** Adds to a stretch; those that are `kept` or more behind the newest are dropped. */
export function add(buckets: Buckets, at: number, sums: readonly number[], kept: number): Buckets {
  const newest = Math.max(at, buckets.at(-1)?.[0] ?? at);
  const known = buckets.find(([bucket]) => bucket === at);
  const sum: Bucket = [at, ...sums.map((value, column) => value + (known?.[column + 1] ?? 0))];
  return [...buckets.filter(([bucket]) => bucket !== at), sum]
    .filter(([bucket]) => bucket > newest - kept)
    .toSorted((a, b) => a[0] - b[0]);
}

/** The sum of a column, counted from 0, over the last `width` stretches up to `now`, inclusive. */
export const sumOf = (buckets: Buckets, now: number, width: number, column: number): number =>
  buckets.reduce(
    (sum, bucket) => (bucket[0] <= now && bucket[0] > now - width ? sum + (bucket[column + 1] ?? 0) : sum),
    0,
  );

/** In how many of the last `width` stretches a column is above 0. */
export const countOf = (buckets: Buckets, now: number, width: number, column: number): number =>
  buckets.filter((bucket) => bucket[0] <= now && bucket[0] > now - width && (bucket[column + 1] ?? 0) > 0).length;

/** When a window over the last `width` stretches moves next, in milliseconds; undefined when nothing is left in it. */
export const movesAt = (buckets: Buckets, atMs: number, bucketMs: number, width: number): number | undefined => {
  const now = Math.floor(atMs / bucketMs);
  return buckets.some(([bucket]) => bucket > now - width) ? (now + 1) * bucketMs : undefined;
};

/** NaN where there is nothing to divide by: that is not known, and not 0. */
export const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : Number.NaN);

/** What was met lately, by name, with when; the latest first. */
export type Recent = readonly (readonly [string, number])[];

export function meet(recent: Recent, name: string, at: number, max: number): Recent {
  const last = Math.max(at, recent.find(([known]) => known === name)?.[1] ?? at);
  return [...recent.filter(([known]) => known !== name), [name, last] as const]
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, max);
}

export const metSince = (recent: Recent, from: number): number => recent.filter(([, at]) => at >= from).length;

/** Which of two words was said last; of one moment the greater, so that order does not matter. */
export type Said = readonly [string, number];
export const later = (a: Said, b: Said): Said => (b[1] > a[1] || (b[1] === a[1] && b[0] > a[0]) ? b : a);

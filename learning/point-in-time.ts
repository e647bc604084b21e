/**
 * Point-in-time-correct joins: each row of a training set gets what was known of its entity at its time, and nothing that became known later, as
 * feature stores do it (Kreps 2013, "The log", is why it can be had at all; Feast calls it point-in-time join). A model that was shown
 * the future in training promises what it cannot keep.
 */

/** What was true of an entity from `eventTimeMs` on, until a later one. */
export interface Observation {
  readonly key: string;
  readonly eventTimeMs: number;
  /** When it was computed. Of two of one event time, the later corrects the earlier. */
  readonly createdAtMs: number;
}

export interface EntityTime {
  readonly key: string;
  readonly timeMs: number;
}

/**
 * For each row the latest observation of its key with `eventTimeMs <= timeMs` that is at most `ttlMs` old at that time. Of several of one event time
 * it is the one that was created last, and of those the one that comes first in `observations`, so that a repetition changes nothing.
 *
 * It sorts once and looks each row up by halving: n log n + m log n for n observations and m rows.
 */
export function joinPointInTime<T extends Observation>(
  rows: readonly EntityTime[],
  observations: readonly T[],
  ttlMs: number,
): (T | undefined)[] {
  const wanted = new Set(rows.map(({ key }) => key));
  const byKey = new Map<string, T[]>();
  // Sorting is stable: of equals the one that came first is to stand last.
  for (const observation of observations.toReversed()) {
    if (!wanted.has(observation.key)) continue;
    const own = byKey.get(observation.key);
    if (own) own.push(observation);
    else byKey.set(observation.key, [observation]);
  }
  for (const own of byKey.values()) own.sort((a, b) => a.eventTimeMs - b.eventTimeMs || a.createdAtMs - b.createdAtMs);
  return rows.map(({ key, timeMs }) => {
    const own = byKey.get(key) ?? [];
    const latest = own[firstAfter(own, timeMs) - 1];
    return latest && timeMs - latest.eventTimeMs <= ttlMs ? latest : undefined;
  });
}

/** Where the first one stands that is after a time. */
function firstAfter(sorted: readonly Observation[], timeMs: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.eventTimeMs ?? Number.POSITIVE_INFINITY) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

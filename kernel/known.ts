import { LRUCache } from "lru-cache";
import type { Clock } from "./clock.ts";

/** What somebody else says of each key, as it was found out last. */
export type Known<T> = (key: string) => T;

/**
 * Answers at once with what was found out last, and finds out behind when that is old: nobody waits for it. For what may be known a moment late,
 * and would otherwise be asked about with each request. Whoever cannot be asked has not changed their mind.
 */
export function openKnown<T extends object | boolean | number | string>(
  {
    clock,
    freshMs,
    keysMax,
    unknown,
  }: { readonly clock: Clock; readonly freshMs: number; readonly keysMax: number; readonly unknown: T },
  find: (key: string) => Promise<T>,
): Known<T> {
  const known = new LRUCache<string, T>({
    ...{ max: keysMax, ttl: freshMs, allowStale: true, noDeleteOnStaleGet: true },
    ...{ perf: { now: () => clock.nowMs() }, ttlResolution: 0 },
    fetchMethod: (key, stale) => find(key).catch(() => stale ?? unknown),
  });
  return (key) => {
    if (!known.has(key)) void known.fetch(key).catch(() => undefined);
    return known.get(key) ?? unknown;
  };
}

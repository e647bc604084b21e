import { openBreaker } from "./breaker.ts";
import type { Clock } from "./clock.ts";
import { Problem } from "./errors.ts";
import type { Cache } from "./ports/cache.ts";

/** A cache that fails this often within a second is left alone for the next one. */
const BREAKER = { windowMs: 1_000, callsMin: 3, ratio: 0.5, openMs: 1_000, openMsMax: 1_000 } as const;

/**
 * What is copied into a cache can be had elsewhere, so one that does not answer is an empty one: nothing is found, and nothing is kept. One that is slow
 * costs somebody its deadline now and then, and everybody else nothing. Counters, locks and deletions still fail, because whoever asks for
 * those relies on them.
 */
export function sparing(cache: Cache, clock: Clock): Cache {
  const breaker = openBreaker({ ...BREAKER, name: "the cache", clock });

  async function spare<T>(work: () => Promise<T>, instead: T): Promise<T> {
    let admission: ReturnType<typeof breaker.admit>;
    try {
      admission = breaker.admit();
    } catch {
      return instead;
    }
    try {
      const answer = await work();
      admission("ok");
      return answer;
    } catch (error) {
      const isAway = error instanceof Problem && error.code === "unavailable";
      admission(isAway ? "failed" : "ok");
      if (isAway) return instead;
      throw error;
    }
  }

  return {
    ...cache,
    get: (key) => spare(() => cache.get(key), undefined),
    getMany: (keys) =>
      spare(
        () => cache.getMany(keys),
        keys.map(() => undefined),
      ),
    set: (key, value, ttlMs) => spare(() => cache.set(key, value, ttlMs), undefined),
  };
}

import { LRUCache } from "lru-cache";

/** How many requests somebody may make: `perS` for ever, and `burst` at once after a rest. */
export interface Rate {
  readonly perS: number;
  readonly burst: number;
}

/** Token buckets by name. Each process keeps its own, in memory: a limit that must hold across all of them divides by their number. */
export interface RateLimit {
  /** Takes one; 0, or for how many seconds to wait where there is none. */
  take(name: string, nowMs: number): number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Names beyond these push out who was not seen for longest, whose bucket is full by then or soon. */
const NAMES_MAX = 50_000;

export function openRateLimit({ perS, burst }: Rate): RateLimit {
  const buckets = new LRUCache<string, Bucket>({ max: NAMES_MAX });
  return {
    take(name, nowMs) {
      const bucket = buckets.get(name) ?? { tokens: burst, atMs: nowMs };
      // A clock that was set back gives nothing and takes nothing.
      const passedS = Math.max(0, nowMs - bucket.atMs) / 1_000;
      bucket.tokens = Math.min(burst, bucket.tokens + passedS * perS);
      bucket.atMs = nowMs;
      buckets.set(name, bucket);
      if (bucket.tokens < 1) return (1 - bucket.tokens) / perS;
      bucket.tokens -= 1;
      return 0;
    },
  };
}

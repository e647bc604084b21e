import { LRUCache } from "lru-cache";
import { problem } from "#kernel/errors";
import type { Cache } from "#kernel/ports/cache";
import { assertIncrement, assertKey, assertTtl, notACounter } from "./checks.ts";

export interface EmbeddedCacheOptions {
  /** What keys and values may take together; the least recently used go first. 64 MB unless said otherwise. */
  readonly bytesMax?: number;
  /** Now, in milliseconds. Tests bring their own. */
  readonly clock?: { now(): number };
}

const LOCKS_MAX = 100_000;
/** What an entry costs besides its characters, roughly. */
const ENTRY_BYTES = 150;

interface Held {
  readonly fence: number;
  readonly untilMs: number;
}

/** A cache in this process' memory. Locks and counters hold within it, which is all there is where the embedded adapters are used. */
export function openEmbeddedCache(options: EmbeddedCacheOptions = {}): Cache {
  const clock = options.clock ?? Date;
  const entries = new LRUCache<string, string>({
    maxSize: options.bytesMax ?? 64 * 1024 * 1024,
    // V8 keeps a character outside of Latin-1 as two bytes; counting two for all errs on the safe side.
    sizeCalculation: (value, key) => 2 * (value.length + key.length) + ENTRY_BYTES,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });
  // Locks live apart: an entry may be evicted at any time, and a lock that vanishes would let two in.
  const locks = new Map<string, Held>();
  // Fences grow across restarts too, because they are stored with what they protect: they begin at the time, in microseconds.
  let fence = Math.floor(clock.now()) * 1000;
  let closed = false;

  function check(key: string, ttlMs?: number): void {
    if (closed) throw problem.unavailable("the cache is closed");
    assertKey(key);
    if (ttlMs !== undefined) assertTtl(ttlMs);
  }

  function freeExpiredLocks(): void {
    for (const [key, held] of locks) if (held.untilMs <= clock.now()) locks.delete(key);
    if (locks.size >= LOCKS_MAX)
      throw problem.exhausted(`${LOCKS_MAX} locks are held: that many are a mistake`, { reason: "locks" });
  }

  return {
    async get(key) {
      check(key);
      return entries.get(key);
    },
    async getMany(keys) {
      for (const key of keys) check(key);
      return keys.map((key) => entries.get(key));
    },
    async set(key, value, ttlMs) {
      check(key, ttlMs);
      entries.set(key, value, { ttl: ttlMs });
    },
    async delete(keys) {
      for (const key of keys) {
        check(key);
        entries.delete(key);
      }
    },
    async increment(key, by, ttlMs) {
      check(key, ttlMs);
      assertIncrement(by);
      const known = entries.get(key);
      if (known === undefined) {
        entries.set(key, String(by), { ttl: ttlMs });
        return by;
      }
      if (!/^-?\d+$/.test(known)) throw notACounter(key);
      const next = Number(known) + by;
      // The time to live counts from the first increment.
      entries.set(key, String(next), { ttl: entries.getRemainingTTL(key) });
      return next;
    },
    async lock(key, ttlMs) {
      check(key, ttlMs);
      const held = locks.get(key);
      if (held !== undefined && held.untilMs > clock.now()) return undefined;
      if (held === undefined && locks.size >= LOCKS_MAX) freeExpiredLocks();
      fence += 1;
      const mine: Held = { fence, untilMs: clock.now() + ttlMs };
      locks.set(key, mine);
      return {
        fence: mine.fence,
        async release() {
          if (locks.get(key) === mine) locks.delete(key);
        },
      };
    },
    async state() {
      if (closed) return { ok: false, detail: "embedded cache is closed" };
      return {
        ok: true,
        detail: `embedded cache, ${entries.size} entries, ${(entries.calculatedSize / 1e6).toFixed(1)} MB`,
      };
    },
    async close() {
      closed = true;
      entries.clear();
      locks.clear();
    },
  };
}

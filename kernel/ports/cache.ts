import type { Stateful } from "./state.ts";

/**
 * The cache port: everything in it may vanish at any time and can be rebuilt. Keys carry service and tenant (the kernel prefixes them).
 * When the engine is away, every call rejects `unavailable` within seconds, reads too: an absent engine must not look
 * like an absent value, because that would lift every limit on tries. Who can do without the cache says so with a `catch`.
 */
export interface Cache extends Stateful {
  get(key: string): Promise<string | undefined>;
  getMany(keys: readonly string[]): Promise<readonly (string | undefined)[]>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  delete(keys: readonly string[]): Promise<void>;
  /** Adds to a counter that vanishes `ttlMs` after its first increment; returns the new value. */
  increment(key: string, by: number, ttlMs: number): Promise<number>;
  /** An exclusive lock with a fencing token that only grows, or undefined while somebody else holds it. */
  lock(key: string, ttlMs: number): Promise<Lock | undefined>;
  close(): Promise<void>;
}

export interface Lock {
  readonly fence: number;
  /** Frees the lock if it is still ours. */
  release(): Promise<void>;
}

import { setTimeout as delay } from "node:timers/promises";

/** Time as an argument, so that deadlines, windows and leases can be tested without waiting. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Resolves after `ms`, or rejects with an AbortError as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
};

/** A clock that stands still until a test moves it. */
export function testClock(startMs = 1_700_000_000_000): Clock & { advance(ms: number): Promise<void> } {
  let now = startMs;
  let sleepers: { at: number; wake: () => void }[] = [];
  return {
    nowMs: () => now,
    sleep: (ms, signal) =>
      new Promise<void>((resolve, reject) => {
        const give = (): void => reject(new DOMException("aborted", "AbortError"));
        if (signal?.aborted) return give();
        signal?.addEventListener("abort", give, { once: true });
        sleepers.push({ at: now + ms, wake: resolve });
      }),
    async advance(ms) {
      now += ms;
      const due = sleepers.filter((sleeper) => sleeper.at <= now);
      sleepers = sleepers.filter((sleeper) => sleeper.at > now);
      for (const sleeper of due.sort((a, b) => a.at - b.at)) sleeper.wake();
      // Two turns of the loop let what was woken run before the test goes on.
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

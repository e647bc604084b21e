import type { Clock } from "./clock.ts";
import { problem } from "./errors.ts";

/**
 * A circuit breaker for the calls of one service (M. Nygard, "Release It!"). When most calls of a window failed, it is open and
 * answers at once; after a while one call may probe, and its outcome closes or reopens it.
 */
export interface Breaker {
  readonly state: "closed" | "open" | "half-open";
  /** Lets a call through, or throws `unavailable` with reason `circuit_open`. What was let through is told how it went, once. */
  admit(): Admission;
}

/** How an admitted call went; `unknown` where its caller gave up and nothing was learned. */
export type Outcome = "ok" | "failed" | "unknown";
export type Admission = (outcome: Outcome) => void;

export interface BreakerOptions {
  /** For the message: whose calls these are. */
  readonly name: string;
  readonly clock: Clock;
  readonly windowMs?: number;
  /** Fewer calls in a window prove nothing. */
  readonly callsMin?: number;
  /** Failures to calls from which on it opens. */
  readonly ratio?: number;
  readonly openMs?: number;
  readonly openMsMax?: number;
  readonly onChange?: (state: Breaker["state"]) => void;
}

const BUCKETS = 10;

interface Bucket {
  slot: number;
  calls: number;
  failures: number;
}

export function openBreaker(options: BreakerOptions): Breaker {
  const { name, clock, windowMs = 10_000, callsMin = 20, ratio = 0.5, openMs = 2_000, openMsMax = 30_000 } = options;
  const slotMs = windowMs / BUCKETS;
  const buckets: Bucket[] = Array.from({ length: BUCKETS }, () => ({ slot: -1, calls: 0, failures: 0 }));
  let state: Breaker["state"] = "closed";
  let reopensInARow = 0;
  let openUntilMs = 0;
  /** Grows with each change, so that what was admitted before a change says nothing about the state after it. */
  let era = 0;
  let isProbing = false;

  function change(next: Breaker["state"]): void {
    if (state === next) return;
    state = next;
    era++;
    options.onChange?.(next);
  }

  function open(): void {
    openUntilMs = clock.nowMs() + Math.min(openMsMax, openMs * 2 ** reopensInARow);
    reopensInARow++;
    isProbing = false;
    change("open");
  }

  function close(): void {
    for (const bucket of buckets) bucket.slot = -1;
    reopensInARow = 0;
    isProbing = false;
    change("closed");
  }

  function count(failed: boolean): void {
    const slot = Math.floor(clock.nowMs() / slotMs);
    const bucket = buckets[slot % BUCKETS];
    if (!bucket) return;
    if (bucket.slot !== slot) Object.assign(bucket, { slot, calls: 0, failures: 0 });
    bucket.calls++;
    if (!failed) return;
    bucket.failures++;
    const recent = buckets.filter((each) => each.slot > slot - BUCKETS);
    const calls = recent.reduce((sum, each) => sum + each.calls, 0);
    const failures = recent.reduce((sum, each) => sum + each.failures, 0);
    if (calls >= callsMin && failures >= calls * ratio) open();
  }

  function probed(outcome: Outcome): void {
    isProbing = false;
    if (outcome === "ok") close();
    else if (outcome === "failed") open();
  }

  return {
    get state() {
      return state;
    },
    admit() {
      if (state === "open" && clock.nowMs() >= openUntilMs) change("half-open");
      if (state === "open" || (state === "half-open" && isProbing)) {
        throw problem.unavailable(`${name} failed too often just now and is left alone for a moment`, {
          reason: "circuit_open",
          retryAfterS: Math.max(1, Math.ceil((openUntilMs - clock.nowMs()) / 1_000)),
        });
      }
      const isProbe = state === "half-open";
      if (isProbe) isProbing = true;
      const admittedIn = era;
      let isTold = false;
      return (outcome) => {
        if (isTold || admittedIn !== era) return;
        isTold = true;
        if (isProbe) probed(outcome);
        else if (outcome !== "unknown") count(outcome === "failed");
      };
    },
  };
}

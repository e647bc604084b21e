import type { Clock } from "./clock.ts";

/**
 * What extra sends are paid from, retries and hedges alike: a token bucket that each first send fills by a fraction. A service that is down
 * is thereby asked a tenth more often at most, however many callers lose patience with it at once.
 */
export interface Budget {
  /** A first send was made. */
  deposit(): void;
  /** Takes a token for an extra send; false where there is none, and then there is no extra send. */
  withdraw(): boolean;
}

export interface BudgetOptions {
  /** Extra sends for each first one, in thousandths. */
  readonly perMille?: number;
  /** So many are granted at once; also what a quiet caller begins with. */
  readonly tokensMax?: number;
}

export function openBudget({ perMille = 100, tokensMax = 10 }: BudgetOptions = {}): Budget {
  // Counted in thousandths, because a sum of tenths is never whole.
  const fullMilli = tokensMax * 1_000;
  let milli = fullMilli;
  return {
    deposit() {
      milli = Math.min(fullMilli, milli + perMille);
    },
    withdraw() {
      if (milli < 1_000) return false;
      milli -= 1_000;
      return true;
    },
  };
}

const BACKOFF_MS_FIRST = 20;
const BACKOFF_MS_MAX = 1_000;
export const TRIES_MAX = 4;

/**
 * How long to wait before a try, the second one being number 2: twice as long each time, and between half of that and all of it by chance,
 * so that callers who failed together do not come back together.
 */
export function backoffMs(attempt: number, random: () => number): number {
  const fullMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** (attempt - 2));
  return fullMs / 2 + (fullMs / 2) * random();
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly budget: Budget;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Whether this failure may be tried again, and the least time to wait before; undefined gives it to the caller. */
  readonly waitMsOf: (error: unknown) => number | undefined;
  readonly onRetry?: () => void;
}

/** Tries until it works, the failure is final, the budget is used up or another try could not end before the deadline. */
export async function withRetries<T>(attempt: (n: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, deadlineMs, signal, budget, random, waitMsOf, onRetry } = options;
  budget.deposit();
  for (let n = 1; ; n++) {
    try {
      return await attempt(n);
    } catch (error) {
      const leastMs = waitMsOf(error);
      if (leastMs === undefined || n >= TRIES_MAX || signal.aborted) throw error;
      const waitMs = Math.max(leastMs, backoffMs(n + 1, random));
      if (clock.nowMs() + waitMs >= deadlineMs || !budget.withdraw()) throw error;
      onRetry?.();
      // Who gives up while we wait gets the failure that we know of.
      await clock.sleep(waitMs, signal).catch(() => {
        throw error;
      });
    }
  }
}

import type { Clock } from "./clock.ts";
import type { Budget } from "./retry.ts";

/**
 * Hedged requests (J. Dean, L. A. Barroso, "The Tail at Scale"): what takes longer than nearly all of its kind is sent a second time,
 * and the first answer counts. Only for what has no effect.
 */
export interface LatencyBook {
  add(durationMs: number): void;
  /** The 95th percentile of the last calls; undefined until there are enough of them. */
  p95Ms(): number | undefined;
}

const SAMPLES_MAX = 128;
const SAMPLES_MIN = 32;
/** Sorting for every call would cost more than what it tells. */
const FRESH_FOR_SAMPLES = 16;

export function openLatencyBook(): LatencyBook {
  const samples: number[] = [];
  let next = 0;
  let sinceSorted = FRESH_FOR_SAMPLES;
  let known: number | undefined;
  return {
    add(durationMs) {
      samples[next] = durationMs;
      next = (next + 1) % SAMPLES_MAX;
      sinceSorted++;
    },
    p95Ms() {
      if (samples.length < SAMPLES_MIN) return undefined;
      if (sinceSorted >= FRESH_FOR_SAMPLES) {
        sinceSorted = 0;
        known = samples.toSorted((a, b) => a - b)[Math.ceil(samples.length * 0.95) - 1];
      }
      return known;
    },
  };
}

export interface HedgeOptions {
  readonly clock: Clock;
  readonly budget: Budget;
  /** The caller's patience: when it ends, both sends end. */
  readonly signal: AbortSignal;
  readonly afterMs: number;
  /** Whether a failure is an answer that a second send would only repeat, such as `not_found`. */
  readonly isFinal: (error: unknown) => boolean;
  readonly onHedge?: () => void;
}

/**
 * Sends once, and after `afterMs` without an answer a second time, where the budget allows it. The loser is cancelled by its signal. A send
 * that fails leaves the word to the other one, except where its failure is final; a failure before the second send is the caller's.
 */
export function hedged<T>(send: (signal: AbortSignal) => Promise<T>, options: HedgeOptions): Promise<T> {
  const { clock, budget, signal, afterMs, isFinal, onHedge } = options;
  return new Promise<T>((resolve, reject) => {
    const over = new AbortController();
    const first = new AbortController();
    const second = new AbortController();
    let inFlight = 0;
    let isSettled = false;

    function giveUp(): void {
      for (const each of [over, first, second]) each.abort();
    }

    function settle(finish: () => void, winner?: AbortController): void {
      if (isSettled) return;
      isSettled = true;
      signal.removeEventListener("abort", giveUp);
      over.abort();
      for (const each of [first, second]) if (each !== winner) each.abort();
      finish();
    }

    function begin(own: AbortController): void {
      inFlight++;
      send(own.signal).then(
        (value) => settle(() => resolve(value), own),
        (error: unknown) => {
          inFlight--;
          if (inFlight === 0 || isFinal(error)) settle(() => reject(error), own);
        },
      );
    }

    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp);
    begin(first);
    clock.sleep(afterMs, over.signal).then(
      () => {
        if (isSettled || !budget.withdraw()) return;
        onHedge?.();
        begin(second);
      },
      // There was an answer before, or nobody waits any more.
      () => {},
    );
  });
}

/**
 * People who keep asking while something is taken away from under them and given back. Every answer counts: one that fails, fails the test. How long
 * they waited in real time is printed and not asserted; what is asserted is what the primary was given and who answered.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { percentile } from "../../bench/harness.ts";

/** ARCH-001 section 6: a fallback answers within so long. */
export const BUDGET_MS = 200;
const ASKERS = 8;
const ASK_EVERY_MS = 5;
const WAIT_MS_MAX = 90_000;

interface Answered<T> {
  readonly answer: T;
  readonly waitedMs: number;
}

export interface Load<T> {
  /** The next answers to questions that are asked from now on. */
  next(count: number): Promise<readonly Answered<T>[]>;
  /** Resolves with the first answer to a question asked from now on for which this holds. */
  until(what: string, holds: (answer: T) => boolean): Promise<T>;
}

/** Eight askers, each of whom asks again as soon as they have their answer. */
export async function underLoad<T>(
  ask: (turn: number) => Promise<T>,
  during: (load: Load<T>) => Promise<void>,
): Promise<void> {
  type Listener = (answered: Answered<T>, askedAtTurn: number) => void;
  const listeners = new Set<Listener>();
  const over = new AbortController();
  let turn = 0;
  const asker = async (): Promise<void> => {
    while (!over.signal.aborted) {
      turn += 1;
      const own = turn;
      const startedMs = performance.now();
      const answer = await ask(own);
      const waitedMs = performance.now() - startedMs;
      for (const listener of listeners) listener({ answer, waitedMs }, own);
      await pause(ASK_EVERY_MS);
    }
  };
  const collect = <R>(what: string, listen: (answered: Answered<T>, done: (result: R) => void) => void): Promise<R> => {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const from = turn;
    const listener: Listener = (answered, asked) => {
      if (asked > from) listen(answered, resolve);
    };
    const timer = setTimeout(() => reject(new Error(`under load it never came that ${what}`)), WAIT_MS_MAX);
    listeners.add(listener);
    return promise.finally(() => {
      clearTimeout(timer);
      listeners.delete(listener);
    });
  };
  const load: Load<T> = {
    next(count) {
      const all: Answered<T>[] = [];
      return collect(`${count} were answered`, (answered, done) => {
        all.push(answered);
        if (all.length === count) done(all);
      });
    },
    until: (what, holds) => collect(what, ({ answer }, done) => holds(answer) && done(answer)),
  };
  const askers = Promise.all(Array.from({ length: ASKERS }, asker));
  try {
    await Promise.race([during(load), askers.then(() => assert.fail("nobody asks any more"))]);
  } finally {
    over.abort();
    await askers;
  }
}

/** What people waited, for who reads the test's output. */
export function printWaits(t: TestContext, what: string, answers: readonly Answered<unknown>[]): void {
  const waits = answers.map(({ waitedMs }) => waitedMs);
  const shown = (share: number): string => percentile(waits, share).toFixed(1);
  t.diagnostic(
    `${what}: ${answers.length} answers by ${ASKERS} askers, p50 ${shown(0.5)} ms, p99 ${shown(0.99)} ms, most ${Math.max(...waits).toFixed(1)} ms; budget ${BUDGET_MS} ms`,
  );
}

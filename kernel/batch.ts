import { setImmediate as turn } from "node:timers/promises";
import { Problem, problem } from "./errors.ts";

/**
 * Group commit for those who write one small thing each: what arrives in one turn of the event loop, or while a batch is under way, goes
 * together. Alone, an item waits for nobody; in a crowd, one transaction serves hundreds.
 */
export interface BatchOptions<I, O> {
  readonly itemsMax: number;
  /** What may wait before more is refused as `resource_exhausted`. */
  readonly waitingMax: number;
  /**
   * Does the items of one key and gives a result for each, in their order. A rejection must leave no effect: items that came together are
   * then done one by one, so that one that cannot be done costs nobody else theirs. Where nobody said no but the engine is away, all are
   * rejected at once: nobody waits for each of them to find that out.
   */
  run(key: string, items: readonly I[]): Promise<readonly O[]>;
}

export type Batch<I, O> = (key: string, item: I) => Promise<O>;

/** PostgreSQL's classes of errors that are about itself: connections, resources, an operator, its system (appendix A of its manual). */
const ABOUT_ENGINE = /^(08|53|57|58)/;

/** Whether somebody looked at the items and refused: a service, or PostgreSQL, whose errors alone have a severity. */
function isAboutItems(error: unknown): boolean {
  if (error instanceof Problem) return error.code !== "unavailable";
  const { severity, code } = (error ?? {}) as { severity?: unknown; code?: unknown };
  return severity !== undefined && !ABOUT_ENGINE.test(String(code));
}

interface Waiting<I, O> {
  readonly item: I;
  resolve(result: O): void;
  reject(error: unknown): void;
}

export function openBatch<I, O>({ itemsMax, waitingMax, run }: BatchOptions<I, O>): Batch<I, O> {
  /** What waits, by key. A key is here while a batch of it is under way. */
  const lanes = new Map<string, Waiting<I, O>[]>();
  let waitingCount = 0;

  async function settle(key: string, batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const items = batch.map(({ item }) => item);
      const results = await run(key, items);
      if (results.length !== batch.length)
        throw problem.internal(`a batch of ${batch.length} items gave ${results.length} results`);
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as O);
    } catch (error) {
      if (batch.length === 1 || !isAboutItems(error)) for (const { reject } of batch) reject(error);
      else for (const one of batch) await settle(key, [one]);
    }
  }

  async function drain(key: string, lane: Waiting<I, O>[]): Promise<void> {
    while (lane.length > 0) {
      await turn();
      const batch = lane.splice(0, itemsMax);
      waitingCount -= batch.length;
      await settle(key, batch);
    }
    lanes.delete(key);
  }

  return (key, item) =>
    new Promise((resolve, reject) => {
      if (waitingCount >= waitingMax)
        return reject(problem.exhausted(`${waitingCount} writes wait already: try again shortly`, { retryAfterS: 1 }));
      waitingCount += 1;
      const waiting = { item, resolve, reject };
      const lane = lanes.get(key);
      if (lane) return void lane.push(waiting);
      const made = [waiting];
      lanes.set(key, made);
      void drain(key, made);
    });
}

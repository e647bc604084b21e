import { Worker } from "node:worker_threads";
import { problem } from "#kernel";
import type { FromDetector, ToDetector } from "./anomaly-worker.ts";
import type { Point, Verdict } from "./domain-anomalies.ts";

const WAITING_MAX = 20;
const HEAP_MB_MAX = 256;

/** What watches series for what is unusual in them. Whoever asks has a deadline of their own. */
export interface Detector {
  /** The minute up to which it was told of a tenant; undefined where it knows nothing, as after its thread died. */
  toldUntil(tenant: string): number | undefined;
  /** Takes the minutes up to `until` and says what it thinks of the last ones. */
  push(tenant: string, points: readonly Point[], until: number): Promise<ReadonlyMap<string, Verdict>>;
  close(): void;
}

/** The thread begins with the first question, and again with the next one after it died. */
export function openDetector(): Detector {
  interface Waiting {
    resolve(verdicts: ReadonlyMap<string, Verdict>): void;
    reject(error: unknown): void;
  }
  const waiting = new Map<number, Waiting>();
  const told = new Map<string, number>();
  let worker: Worker | undefined;
  let last = 0;

  function begin(): Worker {
    const begun = new Worker(new URL("./anomaly-worker.ts", import.meta.url), {
      name: "anomalies",
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    // Nobody waits for it to end: it holds nothing that the analytics store has not.
    begun.unref();
    const end = (error: unknown): void => {
      if (worker !== begun) return;
      worker = undefined;
      told.clear();
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    begun.on("message", ({ id, verdicts }: FromDetector) => {
      waiting.get(id)?.resolve(verdicts);
      waiting.delete(id);
    });
    begun.on("error", end);
    begun.on("exit", () => end(problem.unavailable("the detector's thread ended")));
    return begun;
  }

  return {
    toldUntil: (tenant) => told.get(tenant),
    push(tenant, points, until) {
      if (waiting.size >= WAITING_MAX) return Promise.reject(problem.exhausted("too many wait for the detector"));
      worker ??= begin();
      const to: ToDetector = { id: ++last, tenant, points };
      const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, Verdict>>();
      waiting.set(to.id, { resolve, reject });
      worker.postMessage(to);
      told.set(tenant, until);
      return promise;
    },
    close: () => void worker?.terminate(),
  };
}

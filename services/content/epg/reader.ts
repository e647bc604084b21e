import { Worker } from "node:worker_threads";
import { problem } from "#kernel";
import type { FromReader, ImportSettings, ToReader } from "./import-worker.ts";

export type Read = Extract<FromReader, { ok: true }>;

/** A worker that reads one document; its memory goes when the document is read. */
export interface Reader {
  ask(message: ToReader): Promise<Read>;
  close(): Promise<void>;
}

const HEAP_MB_MAX = 256;
/** What is made of one piece is gone with the next one: it needs no more room than that. */
const YOUNG_MB_MAX = 24;

export function openReader(settings: ImportSettings, signal: AbortSignal): Reader {
  const worker = new Worker(new URL("./import-worker.ts", import.meta.url), {
    workerData: settings,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX, maxYoungGenerationSizeMb: YOUNG_MB_MAX },
  });
  const onAbort = (): void => void worker.terminate();
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    ask: (message) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void): void => {
          worker.off("message", onMessage).off("error", onError).off("exit", onExit);
          finish();
        };
        const onMessage = (answer: FromReader): void =>
          settle(() =>
            answer.ok
              ? resolve(answer)
              : reject(problem.unsupportedMedia(answer.message.replace(/^xmltv: /, ""), { reason: "document_broken" })),
          );
        const onError = (error: Error): void => settle(() => reject(error));
        const onExit = (): void =>
          settle(() => reject(problem.aborted("the reading was interrupted and will be done again")));
        worker.on("message", onMessage).on("error", onError).on("exit", onExit);
        worker.postMessage(message);
      }),
    async close() {
      signal.removeEventListener("abort", onAbort);
      await worker.terminate();
    },
  };
}

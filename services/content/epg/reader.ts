import { Worker } from "node:worker_threads";
import { problem } from "#kernel";
import { askWorker } from "#kernel/worker";
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
    async ask(message) {
      const answer = await askWorker<FromReader>(worker, message, "the reading was interrupted and will be done again");
      if (!answer.ok)
        throw problem.unsupportedMedia(answer.message.replace(/^xmltv: /, ""), { reason: "document_broken" });
      return answer;
    },
    async close() {
      signal.removeEventListener("abort", onAbort);
      await worker.terminate();
    },
  };
}

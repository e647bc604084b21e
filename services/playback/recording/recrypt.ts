import { Worker } from "node:worker_threads";
import { problem } from "#kernel";
import { askWorker } from "#kernel/worker";
import type { Recrypted, ToRecrypt } from "./recrypt-worker.ts";

type Written = Extract<Recrypted, { ok: true }>;

export interface Recrypter {
  write(message: ToRecrypt): Promise<Written>;
  close(): Promise<void>;
}

/** One worker for all recordings, begun with the first segment; segments are written one after the other. */
export function openRecrypter(): Recrypter {
  let worker: Worker | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  async function ask(message: ToRecrypt): Promise<Written> {
    const own = (worker ??= new Worker(new URL("./recrypt-worker.ts", import.meta.url)));
    const interrupted = "recording was interrupted and goes on in a moment";
    const answer = await askWorker<Recrypted>(own, message, interrupted).catch((cause: unknown) => {
      if (worker === own) worker = undefined;
      throw problem.aborted(interrupted, { cause });
    });
    if (!answer.ok) throw problem.unsupportedMedia(`a segment could not be recorded: ${answer.message}`);
    return answer;
  }

  return {
    write(message) {
      const next = queue.then(() => ask(message));
      queue = next.catch(() => {});
      return next;
    },
    async close() {
      await worker?.terminate();
    },
  };
}

import { Worker } from "node:worker_threads";
import { problem } from "#kernel";
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

  function ask(message: ToRecrypt): Promise<Written> {
    const own = (worker ??= new Worker(new URL("./recrypt-worker.ts", import.meta.url)));
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        own.off("message", onMessage).off("error", onGone).off("exit", onGone);
        finish();
      };
      const onMessage = (answer: Recrypted): void =>
        settle(() =>
          answer.ok
            ? resolve(answer)
            : reject(problem.unsupportedMedia(`a segment could not be recorded: ${answer.message}`)),
        );
      const onGone = (): void =>
        settle(() => {
          if (worker === own) worker = undefined;
          reject(problem.aborted("recording was interrupted and goes on in a moment"));
        });
      own.on("message", onMessage).on("error", onGone).on("exit", onGone);
      own.postMessage(message);
    });
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

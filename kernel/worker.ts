import type { Worker } from "node:worker_threads";
import { problem } from "./errors.ts";

/** The next message of a worker. Rejects with what the worker threw, or with `aborted` and the text of `ended` where it ends before it answers. */
export function answerOf<Answer>(worker: Worker, ended: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      finish();
    };
    const onMessage = (answer: Answer): void => settle(() => resolve(answer));
    const onError = (error: unknown): void => settle(() => reject(error));
    const onExit = (): void => settle(() => reject(problem.aborted(ended)));
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    // One that is gone already, stopped between two questions, says so no more: its thread has the number -1.
    if (worker.threadId < 0) onExit();
  });
}

/** Asks a worker that answers one question at a time; settles as `answerOf` does. */
export function askWorker<Answer>(worker: Worker, question: unknown, ended: string): Promise<Answer> {
  const answer = answerOf<Answer>(worker, ended);
  worker.postMessage(question);
  return answer;
}

import { consumeTopic, type ConsumeService } from "./consumer.ts";
import type { Consumer } from "./ports/log.ts";

/** A consumer of this process that can be stopped for a moment, while its marks are moved. */
export interface Listener {
  readonly service: string;
  readonly topic: string;
  /** Under which name its marks stand. */
  readonly marksName: string;
  /** Does some work while nothing is consumed here; then consuming begins where the marks are by now. */
  paused<T>(work: () => Promise<T>): Promise<T>;
  /** Lets the batch under way finish. */
  stop(): Promise<void>;
}

export async function openListener(options: ConsumeService): Promise<Listener> {
  let consumer: Consumer = await consumeTopic(options);
  let isStopped = false;
  let last: Promise<unknown> = Promise.resolve();

  async function pause<T>(work: () => Promise<T>): Promise<T> {
    await consumer.stop();
    try {
      return await work();
    } finally {
      if (!isStopped) consumer = await consumeTopic(options);
    }
  }

  return {
    service: options.service,
    topic: options.topic,
    marksName: options.marksName ?? options.topic,
    paused(work) {
      const mine = last.then(() => pause(work));
      last = mine.catch(() => undefined);
      return mine;
    },
    async stop() {
      isStopped = true;
      await last;
      await consumer.stop();
    },
  };
}

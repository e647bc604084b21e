import { ProduceAcks, Producer, type ProducerOptions } from "@platformatic/kafka";
import { problem } from "#kernel/errors";
import type { NewRecord } from "#kernel/ports/log";
import { isUnknownTopic, toMessage } from "./kafka-records.ts";
import { BATCH_BYTES_MAX } from "./kafka-topics.ts";
import { partitionOf } from "./partitioner.ts";
import { checkRecord } from "./records.ts";

/** One request: large enough that many appends share it, small enough that its records are not long on the way. */
const REQUEST_RECORDS_MAX = 5_000;
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;
/** The records of one partition travel as one batch, which the broker refuses beyond its `max.message.bytes`. */
const PARTITION_BYTES_MAX = BATCH_BYTES_MAX - 64 * 1024;
/** What may wait for the broker before callers are told to come back later. */
const WAITING_RECORDS_MAX = 50_000;
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

interface Append {
  /** Records of it that are not acknowledged yet. */
  open: number;
  settled: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

interface Waiting {
  readonly record: NewRecord;
  readonly partition: number;
  readonly bytes: number;
  readonly append: Append;
}

export interface Appender {
  append(records: readonly NewRecord[]): Promise<void>;
  readonly waiting: number;
  /** Resolves when what was accepted is settled; accepts nothing more. */
  close(): Promise<void>;
}

/**
 * Appends through one idempotent producer (a retried request is written once) with acknowledgement by all replicas in sync. One request
 * is on the way at a time, and what is appended meanwhile shares the next one: no record overtakes another, and under load requests
 * grow by themselves, without a pause when there is none.
 */
export function openAppender(options: {
  readonly client: Pick<
    ProducerOptions<Buffer, Buffer, Buffer, Buffer>,
    "clientId" | "bootstrapBrokers" | "connectTimeout" | "requestTimeout"
  >;
  /** How many partitions a topic has; rejects when there is no such topic. */
  readonly partitionsOf: (topic: string) => number | Promise<number>;
  /** A topic is gone that was there. */
  readonly onUnknownTopic: () => void;
  readonly toProblem: (error: unknown, topic?: string) => Error;
}): Appender {
  const producer = new Producer({
    ...options.client,
    idempotent: true,
    acks: ProduceAcks.ALL,
    retries: 5,
    retryDelay: 200,
    timeout: 10_000,
    autocreateTopics: false,
  });
  let queue: Waiting[] = [];
  let queueBytes = 0;
  let sending: Promise<void> | undefined;
  let closed = false;

  function flush(): void {
    if (sending !== undefined || queue.length === 0) return;
    // Whoever appends in the same turn of the event loop shares the first request too.
    sending = Promise.resolve()
      .then(() => send(take()))
      .finally(() => {
        sending = undefined;
        flush();
      });
  }

  /** The next request, from the head of the queue, so that order stays. */
  function take(): readonly Waiting[] {
    const bytesOf = new Map<string, number>();
    let bytes = 0;
    let count = 0;
    for (const one of queue) {
      const place = `${one.record.topic}/${one.partition}`;
      const inPartition = (bytesOf.get(place) ?? 0) + one.bytes;
      const isFull =
        count >= REQUEST_RECORDS_MAX || bytes + one.bytes > REQUEST_BYTES_MAX || inPartition > PARTITION_BYTES_MAX;
      if (count > 0 && isFull) break;
      bytesOf.set(place, inPartition);
      bytes += one.bytes;
      count += 1;
    }
    const taken = queue.slice(0, count);
    queue = queue.slice(count);
    queueBytes -= bytes;
    return taken;
  }

  async function send(taken: readonly Waiting[]): Promise<void> {
    try {
      await producer.send({ messages: taken.map(({ record, partition }) => toMessage(record, partition)) });
      for (const { append } of taken) {
        append.open -= 1;
        if (append.open === 0) append.resolve();
      }
    } catch (error) {
      if (isUnknownTopic(error)) options.onUnknownTopic();
      for (const { append, record } of taken) {
        if (append.settled) continue;
        append.settled = true;
        append.reject(options.toProblem(error, record.topic));
      }
      // The rest of an append that was told to have failed is not sent: its caller will send all of it again.
      const kept = queue.filter(({ append }) => !append.settled);
      if (kept.length < queue.length) {
        queue = kept;
        queueBytes = kept.reduce((sum, { bytes }) => sum + bytes, 0);
      }
    }
  }

  return {
    get waiting() {
      return queue.length;
    },
    async append(records) {
      if (records.length === 0) return;
      const sizes = records.map(checkRecord);
      const counts = new Map<string, number>();
      for (const topic of new Set(records.map((record) => record.topic))) {
        const count = options.partitionsOf(topic);
        counts.set(topic, typeof count === "number" ? count : await count);
      }
      if (closed) throw problem.unavailable("the event log is closed");
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      if (
        queue.length > 0 &&
        (queue.length + records.length > WAITING_RECORDS_MAX || queueBytes + bytes > WAITING_BYTES_MAX)
      )
        throw problem.exhausted(`${queue.length} records wait for Kafka: try again a little later`, {
          reason: "log_busy",
          retryAfterS: 1,
        });
      await new Promise<void>((resolve, reject) => {
        const append: Append = { open: records.length, settled: false, resolve, reject };
        for (const [index, record] of records.entries())
          queue.push({
            record,
            partition: partitionOf(record.key, counts.get(record.topic) ?? 1),
            bytes: sizes[index] ?? 0,
            append,
          });
        queueBytes += bytes;
        flush();
      });
    },
    async close() {
      closed = true;
      while (sending !== undefined) await sending;
      await producer.close(true).catch(() => undefined);
    },
  };
}

import { Admin } from "@platformatic/kafka";
import { Problem, problem } from "#kernel/errors";
import type { Consumer, EventLog } from "#kernel/ports/log";
import type { Backoff } from "./groups.ts";
import { openAppender } from "./kafka-appender.ts";
import { consumeKafka } from "./kafka-consumer.ts";
import { kafkaProblem } from "./kafka-records.ts";
import { type ClientOptions, openReader, type Reader } from "./kafka-reader.ts";
import { createKafkaTopics } from "./kafka-topics.ts";
import { checkRecordsMax, checkTopic, noSuchTopic } from "./records.ts";

export interface KafkaLogOptions {
  /** `host:port` of some brokers; the others are learned from them. */
  readonly brokers: readonly string[];
  /** How many brokers keep each record of a new topic; by default three, or all where there are fewer. */
  readonly replication?: number | undefined;
  /** The pause before a batch whose handler failed is delivered again; it doubles. */
  readonly redelivery?: Backoff;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
const REPLICATION_DEFAULT = 3;
/** What a broken connection may look like. */
const AWAY: ReadonlySet<string> = new Set(["unavailable", "internal"]);
/** Readers that were used last stay open, for `offsets` and `read`. */
const READERS_MAX = 64;

/**
 * The event log on Apache Kafka. Positions are the consumer's own, as the port wants it: Kafka's groups only share out partitions, and the
 * offsets committed there only tell tools about lag. Repeated records are delivered with their `dedupeId`, because a broker cannot know
 * it. It rejects at once when no broker answers.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<EventLog> {
  const { brokers } = options;
  const client: ClientOptions = {
    clientId: "marquee",
    bootstrapBrokers: [...brokers],
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  };
  const toProblem = (error: unknown, topic?: string): Error => kafkaProblem(error, brokers, topic);
  const admin = new Admin({ ...client, retries: 3, retryDelay: 200 });
  const partitions = new Map<string, number>();
  const readers = new Map<string, Reader>();
  /** Reads of one topic happen one after the other: a broker keeps one state of a client's fetches. */
  const turns = new Map<string, Promise<unknown>>();
  const consumers = new Set<Consumer>();
  let closing: Promise<void> | undefined;

  const appender = openAppender({
    client,
    partitionsOf: (topic) => partitions.get(topic) ?? lookUp(topic),
    onUnknownTopic: () => partitions.clear(),
    toProblem,
  });

  async function lookUp(topic: string): Promise<number> {
    const found = await admin.metadata({ topics: [topic], forceUpdate: true, retries: 1 }).catch((error: unknown) => {
      throw toProblem(error, topic);
    });
    const count = found.topics.get(topic)?.partitionsCount ?? 0;
    if (count === 0) throw noSuchTopic(topic);
    partitions.set(topic, count);
    return count;
  }

  function assertOpen(): void {
    if (closing !== undefined) throw problem.unavailable("the event log is closed");
  }

  /** Lets `work` read a topic when those before it are done. */
  async function withReader<T>(topic: string, work: (reader: Reader) => Promise<T>): Promise<T> {
    assertOpen();
    if (!partitions.has(topic)) await lookUp(topic);
    const turn = (turns.get(topic) ?? Promise.resolve()).then(async () => {
      assertOpen();
      // A reader that slept while brokers went and came has connections that lead nowhere; a new one has none.
      return read(topic, work).catch((error: unknown) => {
        if (error instanceof Problem && AWAY.has(error.code)) return read(topic, work);
        throw error;
      });
    });
    const settled = turn.catch(() => undefined);
    turns.set(topic, settled);
    try {
      return await turn;
    } finally {
      if (turns.get(topic) === settled) turns.delete(topic);
      await dropOldReaders();
    }
  }

  async function read<T>(topic: string, work: (reader: Reader) => Promise<T>): Promise<T> {
    const reader = readers.get(topic) ?? openReader(client, topic);
    // The one used last stands last.
    readers.delete(topic);
    readers.set(topic, reader);
    try {
      return await work(reader);
    } catch (error) {
      readers.delete(topic);
      await reader.close();
      throw toProblem(error, topic);
    }
  }

  async function dropOldReaders(): Promise<void> {
    for (const [topic, reader] of readers) {
      if (readers.size <= READERS_MAX) return;
      if (turns.has(topic)) continue;
      readers.delete(topic);
      await reader.close();
    }
  }

  let replication: number;
  try {
    const { brokers: known } = await admin.metadata({ retries: 1 });
    replication = options.replication ?? Math.max(1, Math.min(REPLICATION_DEFAULT, known.size));
  } catch (error) {
    await Promise.all([admin.close().catch(() => undefined), appender.close()]);
    throw toProblem(error);
  }

  return {
    dedupes: false,
    async createTopics(topics) {
      assertOpen();
      for (const topic of topics) checkTopic(topic);
      await createKafkaTopics(admin, topics, replication).catch((error: unknown) => {
        throw toProblem(error);
      });
    },
    async append(records) {
      assertOpen();
      await appender.append(records);
    },
    async consume(consume) {
      assertOpen();
      checkRecordsMax(consume.recordsMax);
      if (!partitions.has(consume.topic)) await lookUp(consume.topic);
      const inner = await consumeKafka(client, consume, options.redelivery ?? { firstMs: 200, maxMs: 30_000 });
      const consumer: Consumer = {
        async stop() {
          await inner.stop();
          consumers.delete(consumer);
        },
      };
      consumers.add(consumer);
      return consumer;
    },
    offsets: (topic, atMs) =>
      withReader(topic, async (reader) => {
        if (atMs !== undefined) return reader.offsetsAt(atMs);
        return new Map([...(await reader.bounds())].map(([partition, { next }]) => [partition, next]));
      }),
    read: (topic, positions, recordsMax) => withReader(topic, (reader) => reader.read(positions, recordsMax)),
    // A broker removes nothing but the oldest records; ARCH-001 keeps no topic for longer than 30 days.
    erases: false,
    async erase() {
      assertOpen();
    },
    async state() {
      if (closing !== undefined) return { ok: false, detail: "the event log is closed" };
      try {
        const { brokers: known } = await admin.metadata({ topics: [], forceUpdate: true, retries: 0 });
        return {
          ok: true,
          detail: `Kafka at ${brokers.join(",")}, ${known.size} brokers, ${appender.waiting} records waiting`,
        };
      } catch (error) {
        return { ok: false, detail: toProblem(error).message };
      }
    },
    close() {
      closing ??= (async () => {
        await Promise.all([...consumers].map((consumer) => consumer.stop()));
        await appender.close();
        await Promise.all([...turns.values()]);
        await Promise.all([...readers.values()].map((reader) => reader.close()));
        await admin.close().catch(() => undefined);
      })();
      return closing;
    },
  };
}

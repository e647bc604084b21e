import { type ClusterMetadata, type ConsumerOptions, Consumer as KafkaConsumer } from "@platformatic/kafka";
import { problem } from "#kernel/errors";
import type { LogRecord } from "#kernel/ports/log";
import { decode, type Fetched } from "./kafka-records.ts";

export type ClientOptions = Pick<
  ConsumerOptions<Buffer, Buffer, Buffer, Buffer>,
  "clientId" | "bootstrapBrokers" | "connectTimeout" | "requestTimeout"
>;

/** What one fetch may bring: for all partitions, and for one of them (more only when its first batch is larger). */
const FETCH_BYTES_MAX = 8 * 1024 * 1024;
const PARTITION_BYTES_MAX = 2 * 1024 * 1024;
/** What a record takes at most as a rule: who wants few of them is not sent, and does not unpack, thousands. */
const RECORD_BYTES = 4 * 1024;
const READ_RECORDS_MAX = 10_000;
const READ_BYTES_MAX = 32 * 1024 * 1024;
const READ_TIMEOUT_MS = 30_000;

const EARLIEST = -2n;
const LATEST = -1n;

/** Fetches and looks up offsets of one topic, outside of any group. */
export interface Reader {
  /** Partitions by the broker that leads them. */
  leaders(partitions: Iterable<number>): Promise<ReadonlyMap<number, readonly number[]>>;
  /** What one broker has for its partitions from these offsets on; waits up to `waitMs` for the first record. `bytesMax` is of all together. */
  fetch(
    node: number,
    from: ReadonlyMap<number, number>,
    waitMs: number,
    bytesMax?: number,
  ): Promise<readonly Fetched[]>;
  bounds(): Promise<ReadonlyMap<number, { readonly first: number; readonly next: number }>>;
  /** The first offset at or after a time, and the next one where there is none. */
  offsetsAt(atMs: number): Promise<ReadonlyMap<number, number>>;
  read(positions: ReadonlyMap<number, number>, recordsMax: number): Promise<readonly LogRecord[]>;
  /** Leaders may have moved. */
  forget(): void;
  close(): Promise<void>;
}

export function openReader(options: ClientOptions, topic: string): Reader {
  const client = new KafkaConsumer({
    ...options,
    // It never joins: the protocol only wants a name.
    groupId: "marquee-readers",
    autocommit: false,
    retries: 3,
    retryDelay: 200,
  });
  client.topics.track(topic);
  client.on("error", () => undefined);

  async function metadata(): Promise<NonNullable<ReturnType<ClusterMetadata["topics"]["get"]>>> {
    const { topics } = await client.metadata({ topics: [topic] });
    const found = topics.get(topic);
    if (found === undefined) throw new Error(`Unknown topic ${topic}.`);
    return found;
  }

  async function leaders(partitions: Iterable<number>): Promise<Map<number, number[]>> {
    const known = await metadata();
    const byNode = new Map<number, number[]>();
    for (const partition of partitions) {
      const node = known.partitions[partition]?.leader ?? -1;
      const others = byNode.get(node);
      if (others) others.push(partition);
      else byNode.set(node, [partition]);
    }
    return byNode;
  }

  async function fetch(
    node: number,
    from: ReadonlyMap<number, number>,
    waitMs: number,
    bytesMax = FETCH_BYTES_MAX,
  ): Promise<readonly Fetched[]> {
    const { id } = await metadata();
    const response = await client.fetch({
      node,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: bytesMax,
      topics: [
        {
          topicId: id,
          partitions: [...from].map(([partition, offset]) => ({
            partition,
            fetchOffset: BigInt(offset),
            currentLeaderEpoch: -1,
            lastFetchedEpoch: -1,
            partitionMaxBytes: Math.min(bytesMax, PARTITION_BYTES_MAX),
          })),
        },
      ],
    });
    return decode(topic, response, from);
  }

  async function offsetsOf(timestamp: bigint): Promise<Map<number, number>> {
    const found = await client.listOffsets({ topics: [topic], timestamp });
    return new Map((found.get(topic) ?? []).map((offset, partition) => [partition, Number(offset)]));
  }

  async function bounds(): Promise<Map<number, { readonly first: number; readonly next: number }>> {
    const [firsts, nexts] = await Promise.all([offsetsOf(EARLIEST), offsetsOf(LATEST)]);
    return new Map([...nexts].map(([partition, next]) => [partition, { first: firsts.get(partition) ?? 0, next }]));
  }

  return {
    leaders,
    fetch,
    bounds,
    async offsetsAt(atMs) {
      const found = await offsetsOf(BigInt(Math.max(0, Math.floor(atMs))));
      if ([...found.values()].every((offset) => offset >= 0)) return found;
      const ends = await offsetsOf(LATEST);
      return new Map(
        [...found].map(([partition, offset]) => [partition, offset < 0 ? (ends.get(partition) ?? 0) : offset]),
      );
    },
    async read(positions, recordsMax) {
      const limit = Math.min(recordsMax, READ_RECORDS_MAX);
      const limits = await bounds();
      const records = new Map<number, LogRecord[]>([...positions.keys()].map((partition) => [partition, []]));
      const open = new Map<number, number>();
      for (const [partition, offset] of positions) {
        const { first, next } = limits.get(partition) ?? { first: 0, next: 0 };
        if (Math.max(first, offset) < next) open.set(partition, Math.max(first, offset));
      }
      const bytesMax = Math.min(limit * RECORD_BYTES, FETCH_BYTES_MAX);
      const deadlineMs = performance.now() + READ_TIMEOUT_MS;
      let count = 0;
      let bytes = 0;
      while (open.size > 0 && count < limit && bytes < READ_BYTES_MAX) {
        if (performance.now() > deadlineMs)
          throw problem.deadline(`Kafka did not deliver what '${topic}' holds within ${READ_TIMEOUT_MS / 1000} s`);
        for (const [node, partitions] of await leaders(open.keys())) {
          const from = new Map(partitions.map((partition) => [partition, open.get(partition) ?? 0]));
          for (const { partition, records: more, next } of await fetch(node, from, 0, bytesMax)) {
            const end = limits.get(partition)?.next ?? 0;
            const wanted = more.filter(({ offset }) => offset < end);
            records.get(partition)?.push(...wanted);
            count += wanted.length;
            bytes += wanted.reduce((sum, { value }) => sum + value.byteLength, 0);
            if (next >= end) open.delete(partition);
            else open.set(partition, next);
          }
        }
      }
      return [...records.values()].flat().slice(0, limit);
    },
    forget: () => client.clearMetadata(),
    async close() {
      await client.close(true).catch(() => undefined);
    },
  };
}

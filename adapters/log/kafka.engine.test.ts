import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin, ConfigResourceTypes, Producer } from "@platformatic/kafka";
import { Problem } from "#kernel/errors";
import type { EventLog, LogRecord, NewRecord } from "#kernel/ports/log";
import { eventLogContract } from "./contract.ts";
import { groupIdOf } from "./kafka-consumer.ts";
import { openKafkaLog } from "./kafka.ts";
import { partitionOf } from "./partitioner.ts";

const brokers = (process.env["MARQUEE_KAFKA_BROKERS"] ?? "").split(",").filter(Boolean);
const skip =
  process.env["MARQUEE_TEST_KAFKA"] === "1" ? false : "npm run test:engines -- kafka starts one and runs this";
const client = { clientId: "test", bootstrapBrokers: brokers };
const redelivery = { firstMs: 5, maxMs: 50 };

if (skip === false) eventLogContract("Kafka", () => openKafkaLog({ brokers, redelivery }));

describe("the event log on Kafka", { skip }, () => {
  async function withTopic(partitions: number, work: (log: EventLog, topic: string) => Promise<void>): Promise<void> {
    const log = await openKafkaLog({ brokers, redelivery });
    try {
      const topic = `test.${randomUUID()}`;
      await log.createTopics([{ name: topic, partitions, retentionMs: 86_400_000 }]);
      await work(log, topic);
    } finally {
      await log.close();
    }
  }
  const recordOf = (topic: string, key: string, value: Uint8Array): NewRecord => ({ topic, key, headers: {}, value });

  /** Everything of a topic, though one read has a limit. */
  async function readAll(log: EventLog, topic: string): Promise<LogRecord[]> {
    const ends = await log.offsets(topic);
    const positions = new Map([...ends.keys()].map((partition) => [partition, 0]));
    const found: LogRecord[] = [];
    for (;;) {
      const more = await log.read(topic, positions, 10_000);
      if (more.length === 0) return found;
      for (const { partition, offset } of more) positions.set(partition, offset + 1);
      found.push(...more);
    }
  }

  test("records beyond one request's size are sent in several, in order", () =>
    withTopic(2, async (log, topic) => {
      const large = Array.from({ length: 20 }, (_, index) =>
        recordOf(topic, "one key", Buffer.alloc(1024 * 1024 - 7 * index, index)),
      );
      await log.append(large);
      const found = await readAll(log, topic);
      assert.deepEqual(
        found.map(({ value }) => [value.byteLength, value[0]]),
        large.map(({ value }) => [value.byteLength, value[0]]),
      );
    }));

  test("too many waiting appends are refused, and those that were accepted are all written", () =>
    withTopic(4, async (log, topic) => {
      const thousand = Array.from({ length: 1_000 }, (_, index) => recordOf(topic, `key-${index}`, Buffer.from("x")));
      await log.append([recordOf(topic, "first", Buffer.from("x"))]);
      const results = await Promise.allSettled(Array.from({ length: 70 }, () => log.append(thousand)));
      const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
      assert.ok(refused.length > 0 && refused.length < 70, `${refused.length} were refused`);
      assert.ok(refused.every((reason) => reason instanceof Problem && reason.code === "resource_exhausted"));
      const written = [...(await log.offsets(topic)).values()].reduce((sum, next) => sum + next, 0);
      assert.equal(written, 1 + (70 - refused.length) * 1_000);
    }));

  test("what other clients wrote is read: compressed, without headers, key or value, and between transactions", () =>
    withTopic(1, async (log, topic) => {
      const plain = new Producer({ ...client, compression: "gzip" });
      await plain.send({ messages: [{ topic, partition: 0, value: Buffer.from("compressed") }] });
      await plain.close();
      const transactional = new Producer({ ...client, idempotent: true, transactionalId: randomUUID() });
      for (const isKept of [false, true]) {
        const transaction = await transactional.beginTransaction();
        await transaction.send({ messages: [{ topic, partition: 0, key: Buffer.from(String(isKept)) }] });
        await (isKept ? transaction.commit() : transaction.abort());
      }
      await transactional.close();
      await log.append([recordOf(topic, "ours", Buffer.from("last"))]);
      const found = await readAll(log, topic);
      assert.deepEqual(
        found.map(({ key, value }) => [key, Buffer.from(value).toString()]),
        [
          ["", "compressed"],
          ["true", ""],
          ["ours", "last"],
        ],
      );
      const seen: string[] = [];
      const consumer = await log.consume({
        ...{ group: "g", topic, recordsMax: 1, positions: async () => new Map() },
        handle: async (records) => void seen.push(...records.map(({ key }) => key)),
      });
      for (let tries = 0; tries < 200 && seen.length < 3; tries += 1) await sleep(20);
      await consumer.stop();
      assert.deepEqual(seen, ["", "true", "ours"]);
    }));

  test("keys are where every other client looks for them", () =>
    withTopic(8, async (log, topic) => {
      const producer = new Producer({ ...client, idempotent: true });
      const keys = Array.from({ length: 50 }, () => randomUUID());
      await producer.send({ messages: keys.map((key) => ({ topic, key: Buffer.from(key), value: Buffer.from("x") })) });
      await producer.close();
      await log.append(keys.map((key) => recordOf(topic, key, Buffer.from("y"))));
      const places = Map.groupBy(await readAll(log, topic), ({ key }) => key);
      for (const key of keys)
        assert.deepEqual(
          places.get(key)?.map(({ partition }) => partition),
          [partitionOf(key, 8), partitionOf(key, 8)],
        );
    }));

  test("retention follows the declaration, and the lag can be watched", () =>
    withTopic(1, async (log, topic) => {
      await log.createTopics([{ name: topic, partitions: 1, retentionMs: 3_600_000 }]);
      const admin = new Admin(client);
      const [described] = await admin.describeConfigs({
        resources: [
          { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: ["retention.ms"] },
        ],
      });
      assert.equal(described?.configs[0]?.value, "3600000");
      const came = Promise.withResolvers<void>();
      const group = randomUUID();
      const consumer = await log.consume({
        ...{ group, topic, recordsMax: 10, positions: async () => new Map() },
        handle: async () => came.resolve(),
      });
      await log.append([recordOf(topic, "a", Buffer.from("x"))]);
      await came.promise;
      // It reports once more before it leaves.
      await consumer.stop();
      const [offsets] = await admin.listConsumerGroupOffsets({ groups: [groupIdOf({ group, topic })] });
      assert.deepEqual(
        offsets?.topics.map(({ name, partitions }) => [name, partitions.map(({ committedOffset }) => committedOffset)]),
        [[topic, [1n]]],
      );
      await admin.close();
    }));

  test("after its end nothing is taken, and where no broker is it does not open", async () => {
    const log = await openKafkaLog({ brokers });
    await log.close();
    await assert.rejects(log.append([recordOf("t", "a", Buffer.from("x"))]), { code: "unavailable" });
    await assert.rejects(log.offsets("t"), { code: "unavailable" });
    assert.equal((await log.state()).ok, false);
    await assert.rejects(openKafkaLog({ brokers: ["127.0.0.1:1"] }), { code: "unavailable" });
    const other = await openKafkaLog({ brokers, replication: 5 });
    await assert.rejects(
      other.createTopics([{ name: `test.${randomUUID()}`, partitions: 1, retentionMs: 1_000 }]),
      (error) => error instanceof Problem && error.code === "failed_precondition" && /REPLICATION/.test(error.message),
    );
    await other.close();
  });
});

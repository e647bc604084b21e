import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "#kernel/errors";
import type { Consumer, EventLog, LogRecord, NewRecord, SchemaRegistry } from "#kernel/ports/log";

/** What every event log does, whichever engine it is. `open` gives a log that the suite closes. */
export function eventLogContract(name: string, open: () => Promise<EventLog>): void {
  describe(`event log contract: ${name}`, () => {
    let log: EventLog;
    before(async () => {
      log = await open();
    });
    after(() => log.close());

    const topicOf = async (partitions: number, retentionMs = 86_400_000): Promise<string> => {
      const topic = `test.${randomUUID()}`;
      await log.createTopics([{ name: topic, partitions, retentionMs }]);
      return topic;
    };
    const recordOf = (topic: string, key: string, text: string, dedupeId?: string): NewRecord => ({
      topic,
      key,
      headers: { "ce-type": "test", language: "fran\u00e7ais" },
      value: Buffer.from(text),
      ...(dedupeId === undefined ? {} : { dedupeId }),
    });
    const readAll = async (topic: string): Promise<readonly LogRecord[]> => {
      const partitions = [...(await log.offsets(topic)).keys()];
      return log.read(topic, new Map(partitions.map((number) => [number, 0])), 10_000);
    };
    const text = (record: LogRecord): string => Buffer.from(record.value).toString();

    test("records come back as they were, in order per key, with offsets without gaps", async () => {
      const topic = await topicOf(4);
      const records = Array.from({ length: 200 }, (_, index) => recordOf(topic, `key-${index % 7}`, String(index)));
      const beforeMs = Date.now();
      await Promise.all([log.append(records.slice(0, 50)), log.append(records.slice(50))]);
      const found = await readAll(topic);
      assert.equal(found.length, 200);
      assert.deepEqual(found[0]?.headers, { "ce-type": "test", language: "fran\u00e7ais" });
      assert.ok((found[0]?.timestampMs ?? 0) >= beforeMs - 1000);
      for (let key = 0; key < 7; key += 1) {
        const own = found.filter((record) => record.key === `key-${key}`);
        assert.equal(new Set(own.map((record) => record.partition)).size, 1, "a key lives in one partition");
        assert.deepEqual(
          own.map(text),
          records.filter((record) => record.key === `key-${key}`).map((record) => Buffer.from(record.value).toString()),
        );
      }
      for (const [partition, next] of await log.offsets(topic)) {
        const offsets = found.filter((record) => record.partition === partition).map((record) => record.offset);
        assert.deepEqual(
          offsets,
          Array.from({ length: next }, (_, offset) => offset),
        );
      }
    });

    test("a dedupeId is taken once where the log dedupes, and leaves no gap; elsewhere each record comes with its own", async () => {
      const topic = await topicOf(1);
      await log.append([
        recordOf(topic, "a", "1", "x"),
        recordOf(topic, "a", "again", "x"),
        recordOf(topic, "a", "2", "y"),
      ]);
      await log.append([recordOf(topic, "a", "again", "y"), recordOf(topic, "a", "3")]);
      const found = (await readAll(topic)).map((record) => [record.offset, text(record), record.dedupeId]);
      const taken = [
        [0, "1", undefined],
        [1, "2", undefined],
        [2, "3", undefined],
      ];
      const delivered = [
        [0, "1", "x"],
        [1, "again", "x"],
        [2, "2", "y"],
        [3, "again", "y"],
        [4, "3", undefined],
      ];
      assert.deepEqual(found, log.dedupes ? taken : delivered);
      // It travels beside the headers, not among them.
      for (const record of await readAll(topic)) assert.deepEqual(Object.keys(record.headers), ["ce-type", "language"]);
      // Another topic's ids are its own.
      const other = await topicOf(1);
      await log.append([recordOf(other, "a", "1", "x")]);
      assert.equal((await readAll(other)).length, 1);
    });

    test("creating a topic again changes nothing that is there", async () => {
      const topic = await topicOf(3);
      await log.append([recordOf(topic, "a", "1")]);
      await log.createTopics([{ name: topic, partitions: 5, retentionMs: 1_000_000 }]);
      assert.equal((await log.offsets(topic)).size, 3);
      assert.equal((await readAll(topic)).length, 1);
    });

    test("an unknown topic and a record that is too large are refused", async () => {
      await assert.rejects(
        log.append([recordOf(`test.${randomUUID()}`, "a", "1")]),
        (error) => error instanceof Problem && error.code === "not_found",
      );
      const topic = await topicOf(1);
      const large: NewRecord = { topic, key: "a", headers: {}, value: new Uint8Array(2 * 1024 * 1024) };
      await assert.rejects(
        log.append([recordOf(topic, "a", "1"), large]),
        (error) => error instanceof Problem && error.code === "invalid_argument",
      );
      assert.equal((await readAll(topic)).length, 0, "an append is all or nothing");
    });

    test("offsets by time find the first record at or after it", async () => {
      const topic = await topicOf(1);
      await log.append([recordOf(topic, "a", "early")]);
      await sleep(15);
      const betweenMs = Date.now();
      await sleep(15);
      await log.append([recordOf(topic, "a", "late")]);
      assert.deepEqual([...(await log.offsets(topic, betweenMs))], [[0, 1]]);
      assert.deepEqual([...(await log.offsets(topic, 0))], [[0, 0]]);
      assert.deepEqual([...(await log.offsets(topic, Date.now() + 60_000))], [[0, 2]]);
    });

    test("what names somebody is erased where the log erases, before the given offsets; everything else stays where it is", async () => {
      const topic = await topicOf(2);
      const somebody = ["usr_gone", "usr_too"];
      const others = ["usr_stays", "usr_gon"];
      const records = [...somebody, ...others].flatMap((user) => [
        recordOf(topic, user, "by key"),
        { ...recordOf(topic, "session", "by header"), headers: { about: user } },
        recordOf(topic, "content", `by value ${user}!`),
      ]);
      await log.append(records);
      const until = await log.offsets(topic);
      await log.append([recordOf(topic, "usr_gone", "late")]);
      const ends = await log.offsets(topic);
      const all = await readAll(topic);
      await log.erase(topic, somebody, until);
      const names = (record: LogRecord): string => `${record.key} ${JSON.stringify(record.headers)} ${text(record)}`;
      const isGone = (record: LogRecord): boolean =>
        log.erases && text(record) !== "late" && somebody.some((user) => names(record).includes(user));
      assert.deepEqual(
        await readAll(topic),
        all.filter((record) => !isGone(record)),
      );
      assert.deepEqual(await log.offsets(topic), ends);
      const seen = group(topic);
      const consumer = await seen.join();
      await seen.until(log.erases ? 7 : 13);
      await consumer.stop();
    });

    /** A consumer that keeps its positions like a service does: with what it did. */
    function group(topic: string, name = randomUUID()) {
      const done: LogRecord[] = [];
      const committed = new Map<number, number>();
      const running = new Set<number>();
      let asked = 0;
      let waiters: (() => void)[] = [];
      return {
        done,
        committed,
        get asked() {
          return asked;
        },
        join(
          handle: (records: readonly LogRecord[]) => Promise<void> = async () => undefined,
          recordsMax = 100,
        ): Promise<Consumer> {
          return log.consume({
            group: name,
            topic,
            recordsMax,
            async positions(partitions) {
              asked += 1;
              return new Map(
                partitions.flatMap((number) =>
                  committed.has(number) ? [[number, committed.get(number) ?? 0] as const] : [],
                ),
              );
            },
            async handle(records) {
              assert.ok(records.length > 0 && records.length <= recordsMax);
              const partitions = new Set(records.map((record) => record.partition));
              for (const number of partitions) {
                assert.ok(!running.has(number), `partition ${number} is handled twice at the same time`);
                running.add(number);
              }
              try {
                await handle(records);
                for (const record of records) committed.set(record.partition, record.offset + 1);
                done.push(...records);
                for (const waiter of waiters.splice(0)) waiter();
              } finally {
                for (const number of partitions) running.delete(number);
              }
            },
          });
        },
        async until(count: number): Promise<void> {
          const deadlineMs = performance.now() + 10_000;
          while (done.length < count) {
            assert.ok(performance.now() < deadlineMs, `${done.length} of ${count} records came within 10 s`);
            await Promise.race([new Promise<void>((resolve) => waiters.push(resolve)), sleep(100)]);
          }
          waiters = [];
        },
      };
    }

    test("a consumer gets what was there and what comes, once, in order", async () => {
      const topic = await topicOf(3);
      await log.append(Array.from({ length: 20 }, (_, index) => recordOf(topic, `key-${index % 5}`, String(index))));
      const reader = group(topic);
      const consumer = await reader.join(undefined, 7);
      await reader.until(20);
      await log.append(
        Array.from({ length: 20 }, (_, index) => recordOf(topic, `key-${index % 5}`, String(20 + index))),
      );
      await reader.until(40);
      await consumer.stop();
      assert.equal(reader.done.length, 40);
      for (let key = 0; key < 5; key += 1) {
        const numbers = reader.done
          .filter((record) => record.key === `key-${key}`)
          .map((record) => Number(text(record)));
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        );
        assert.equal(numbers.length, 8);
      }
    });

    test("a consumer that lingers takes what gathered meanwhile at once", async () => {
      const topic = await topicOf(1);
      const batches: number[] = [];
      const consumer = await log.consume({
        ...{ group: randomUUID(), topic, recordsMax: 100, lingerMs: 1_000 },
        positions: async () => new Map(),
        async handle(records) {
          batches.push(records.length);
        },
      });
      await log.append([recordOf(topic, "a", "first")]);
      while (batches.length === 0) await sleep(5);
      for (let n = 0; n < 20; n += 1) await log.append([recordOf(topic, "a", String(n))]);
      while (batches.reduce((sum, count) => sum + count, 0) < 21) await sleep(5);
      await consumer.stop();
      assert.ok(batches.length < 10, `${batches.length} batches for 21 records`);
    });

    test("a consumer that lingers does not while as much is there as it can take", async () => {
      const topic = await topicOf(1);
      await log.append(Array.from({ length: 40 }, (_, n) => recordOf(topic, "a", String(n))));
      let [left, batches] = [40, 0];
      const consumer = await log.consume({
        // Were it to linger after each, the test would be over before the second batch.
        ...{ group: randomUUID(), topic, recordsMax: 10, lingerMs: 600_000 },
        positions: async () => new Map(),
        async handle(records) {
          left -= records.length;
          batches += 1;
        },
      });
      while (left > 0) await sleep(5);
      await consumer.stop();
      assert.equal(batches, 4);
    });

    test("positions are the consumer's: it goes on where it says", async () => {
      const topic = await topicOf(1);
      await log.append(Array.from({ length: 10 }, (_, index) => recordOf(topic, "a", String(index))));
      const reader = group(topic);
      reader.committed.set(0, 6);
      const consumer = await reader.join();
      await reader.until(4);
      await consumer.stop();
      assert.deepEqual(reader.done.map(text), ["6", "7", "8", "9"]);
    });

    test("a rejected batch comes again from the stored position, and what follows waits for it", async () => {
      const topic = await topicOf(1);
      await log.append(Array.from({ length: 4 }, (_, index) => recordOf(topic, "a", String(index))));
      const reader = group(topic);
      let failures = 0;
      const consumer = await reader.join(async (records) => {
        if (records[0]?.offset === 2 && failures < 2) {
          failures += 1;
          throw new Error("not yet");
        }
      }, 2);
      await reader.until(4);
      await consumer.stop();
      assert.equal(failures, 2);
      assert.ok(reader.asked >= 3, "positions are asked again after a rejection");
      assert.deepEqual(reader.done.map(text), ["0", "1", "2", "3"]);
    });

    test("members share partitions, rebalance when one joins or leaves, and lose or repeat nothing", async () => {
      const topic = await topicOf(8);
      const shared = group(topic);
      const seenBy = [new Set<number>(), new Set<number>(), new Set<number>()];
      const joinAs = (index: number) =>
        shared.join(async (records) => {
          for (const record of records) seenBy[index]?.add(record.partition);
          await sleep(1);
        }, 5);
      const send = (from: number, count: number) =>
        log.append(
          Array.from({ length: count }, (_, index) =>
            recordOf(topic, `key-${(from + index) % 64}`, String(from + index)),
          ),
        );
      const first = await joinAs(0);
      await send(0, 200);
      const second = await joinAs(1);
      const third = await joinAs(2);
      await send(200, 200);
      await shared.until(400);
      for (const seen of seenBy) seen.clear();
      await send(400, 200);
      await shared.until(600);
      const sizes = seenBy.map((seen) => seen.size);
      assert.equal(
        sizes[0] === undefined ? 0 : sizes.reduce((sum, size) => sum + size, 0),
        8,
        "each partition has one owner",
      );
      assert.ok(
        sizes.every((size) => size === 2 || size === 3),
        `partitions are shared evenly: ${sizes.join(", ")}`,
      );
      await second.stop();
      await send(600, 200);
      await third.stop();
      await shared.until(800);
      await first.stop();
      const texts = shared.done.map(text);
      assert.equal(new Set(texts).size, 800);
      assert.equal(texts.length, 800, "a rebalance between batches repeats nothing");
    });

    test("groups are independent of each other", async () => {
      const topic = await topicOf(2);
      const one = group(topic);
      const two = group(topic);
      const consumers = await Promise.all([one.join(), two.join()]);
      await log.append([recordOf(topic, "a", "1"), recordOf(topic, "b", "2")]);
      await Promise.all([one.until(2), two.until(2)]);
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    });

    test("stop lets the batch under way finish and delivers nothing afterwards", async () => {
      const topic = await topicOf(1);
      await log.append([recordOf(topic, "a", "1"), recordOf(topic, "a", "2")]);
      const reader = group(topic);
      const entered = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      const consumer = await reader.join(async () => {
        entered.resolve();
        await release.promise;
      }, 1);
      await entered.promise;
      const stopped = consumer.stop();
      release.resolve();
      await stopped;
      assert.deepEqual(reader.done.map(text), ["1"]);
      await log.append([recordOf(topic, "a", "3")]);
      await sleep(20);
      assert.equal(reader.done.length, 1);
    });

    test("state says that it is well", async () => {
      assert.equal((await log.state()).ok, true);
    });
  });
}

/** What every schema registry does. `open` gives one that is empty; the suite closes it. */
export function schemaRegistryContract(name: string, open: () => Promise<SchemaRegistry>): void {
  describe(`schema registry contract: ${name}`, () => {
    let registry: SchemaRegistry;
    before(async () => {
      registry = await open();
    });
    after(() => registry.close());

    const schemaOf = (recordName: string, fields: readonly object[]): string =>
      JSON.stringify({ type: "record", name: recordName, namespace: "test", fields });
    const id = { name: "id", type: "string" };

    test("a schema keeps its id, also under another subject and with other blanks", async () => {
      const schema = schemaOf("Kept", [id]);
      const first = await registry.register("a-Kept", schema);
      assert.ok(first > 0);
      assert.equal(await registry.register("a-Kept", schema), first);
      assert.equal(await registry.register("a-Kept", JSON.stringify(JSON.parse(schema), null, 2)), first);
      assert.equal(await registry.register("b-Kept", schema), first);
      assert.deepEqual(JSON.parse(await registry.byId(first)), JSON.parse(schema));
      assert.notEqual(await registry.register("a-Other", schemaOf("Other", [id])), first);
    });

    test("a field with a default may come, and any field may go", async () => {
      const first = await registry.register("a-Grows", schemaOf("Grows", [id]));
      const second = await registry.register(
        "a-Grows",
        schemaOf("Grows", [id, { name: "note", type: "string", default: "" }]),
      );
      assert.ok(second > first);
      await registry.register("a-Grows", schemaOf("Grows", [{ name: "note", type: "string", default: "" }]));
    });

    test("a schema that cannot read what is there is refused, and leaves nothing behind", async () => {
      const first = await registry.register("a-Strict", schemaOf("Strict", [id]));
      const refused = (error: unknown) =>
        error instanceof Problem && error.code === "failed_precondition" && /a-Strict/.test(error.message);
      await assert.rejects(
        registry.register("a-Strict", schemaOf("Strict", [id, { name: "note", type: "string" }])),
        refused,
      );
      await assert.rejects(registry.register("a-Strict", schemaOf("Strict", [{ name: "id", type: "int" }])), refused);
      assert.equal(await registry.register("a-Strict", schemaOf("Strict", [id])), first);
    });

    test("what is no schema is refused, and an unknown id is not found", async () => {
      await assert.rejects(
        registry.register("a-Bad", "{"),
        (error) => error instanceof Problem && error.code === "invalid_argument",
      );
      await assert.rejects(
        registry.register("a-Bad", '{"type":"nonsense"}'),
        (error) => error instanceof Problem && error.code === "invalid_argument",
      );
      await assert.rejects(registry.byId(2 ** 30), (error) => error instanceof Problem && error.code === "not_found");
    });
  });
}

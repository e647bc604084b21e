import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openKafkaLog } from "#adapters/log/kafka";
import { startGuardian } from "#kernel/guardian";
import type { EventLog } from "#kernel/ports/log";
import { freePorts, startEngine } from "../../engines/engine.ts";
import { kafka } from "../../engines/kafka.ts";
import { REPOSITORY } from "../../scripts/files.ts";
import { isAlive, processesOf } from "../chaos/processes.ts";
import { createEventTopics, type EventsStage, listen, openEventsStage, TOPIC } from "./stage.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

const skip =
  process.env["MARQUEE_TEST_KAFKA"] === "1" ? false : "npm run test:engines -- kafka starts one and runs this";
const redelivery = { firstMs: 50, maxMs: 500 };
const KEYS = 7;

/** Emits numbered events of a few keys, in transactions of five. */
async function emitAll(stage: EventsStage, from: number, count: number): Promise<void> {
  for (let at = from; at < from + count; at += 5)
    await stage.emit(
      Array.from({ length: 5 }, (_, index) => ({ key: `key-${(at + index) % KEYS}`, text: String(at + index) })),
    );
}

async function untilCount(stage: EventsStage, count: number, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while ((await stage.count()) < count) {
    assert.ok(performance.now() < deadlineMs, `${await stage.count()} of ${count} events came within ${timeoutMs} ms`);
    await sleep(100);
  }
}

/** Every event had its effect once, and those of a key in their order. */
async function assertOnceInOrder(stage: EventsStage, count: number): Promise<void> {
  const notes = await stage.notes();
  assert.equal(new Set(notes.map(({ text }) => text)).size, count, "none is lost");
  assert.equal(notes.length, count, "none is there twice");
  for (let key = 0; key < KEYS; key += 1) {
    const numbers = notes.filter((note) => note.key === `key-${key}`).map(({ text }) => Number(text));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
  }
}

/** Appends facts without a pause until the test is over, many at a time, and remembers which ones were acknowledged. */
function appendFacts(log: EventLog, over: AbortSignal) {
  const topic = "facts";
  const acknowledged: number[] = [];
  let refused = 0;
  let stopping = false;
  let next = 0;
  async function write(): Promise<void> {
    while (!stopping && !over.aborted) {
      const number = next++;
      await log.append([{ topic, key: `key-${number % KEYS}`, headers: {}, value: Buffer.from(String(number)) }]).then(
        () => acknowledged.push(number),
        async () => {
          refused += 1;
          await sleep(50);
        },
      );
    }
  }
  const running = (async () => {
    await log.createTopics([{ name: topic, partitions: 4, retentionMs: 86_400_000 }]);
    await Promise.all(Array.from({ length: 20 }, write));
  })();
  return {
    async assertKept() {
      stopping = true;
      await running;
      const positions = new Map([...(await log.offsets(topic)).keys()].map((partition) => [partition, 0]));
      const found = new Set<number>();
      for (;;) {
        const records = await log.read(topic, positions, 10_000);
        if (records.length === 0) break;
        for (const { partition, offset, value } of records) {
          positions.set(partition, offset + 1);
          found.add(Number(Buffer.from(value).toString()));
        }
      }
      assert.ok(refused > 0, "nothing was refused while the broker was away");
      assert.deepEqual(
        acknowledged.filter((number) => !found.has(number)),
        [],
        "what was acknowledged is there",
      );
    },
  };
}

describe("state events on Kafka", { skip }, () => {
  test("have their effect once, in order, though the broker is killed and the relay repeats itself; facts are kept", async (t) => {
    const folder = await makeTestFolder("kafka");
    const place = {
      programs: join(REPOSITORY, ".cache/engines/kafka"),
      data: join(folder, "kafka"),
      port: await freePorts(),
      say: () => undefined,
    };
    let engine = await startEngine(kafka, place);
    const log = await openKafkaLog({ brokers: [`127.0.0.1:${place.port}`], redelivery });
    await createEventTopics(log, 4);
    // The first append and each tenth after it are acknowledged and then taken for failed, as when the relay's process dies in between. There may
    // be no third one: while the log is slow, all that waits goes out together.
    let appends = 0;
    const forgetful: EventLog = {
      ...log,
      async append(records) {
        await log.append(records);
        if (++appends % 10 === 1) throw new Error("killed before the outbox was emptied");
      },
    };
    const stage = await openEventsStage(forgetful);
    try {
      const consumer = await listen(stage, log);
      const facts = appendFacts(log, t.signal);
      await emitAll(stage, 0, 300);
      await engine.kill();
      // What is committed meanwhile waits in the outbox.
      await emitAll(stage, 300, 100);
      engine = await startEngine(kafka, place);
      await emitAll(stage, 400, 100);
      await untilCount(stage, 500, 90_000);
      await stage.drained();
      const written = [...(await log.offsets(TOPIC)).values()].reduce((sum, next) => sum + next, 0);
      assert.ok(written > 500, `the relay repeated events: ${written} records for 500`);
      await assertOnceInOrder(stage, 500);
      await facts.assertKept();
      await consumer.stop();
    } finally {
      await stage.close();
      await log.close();
      await engine.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("go to the others when a member is killed", async () => {
    const brokers = (process.env["MARQUEE_KAFKA_BROKERS"] ?? "").split(",");
    const log = await openKafkaLog({ brokers, redelivery });
    await createEventTopics(log, 4);
    const stage = await openEventsStage(log);
    const guardian = startGuardian();
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "member.ts"), stage.folder, stage.runtimeUrl, brokers.join(",")],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    try {
      guardian.add(child.pid ?? 0);
      await once(child.stdout, "data");
      const consumer = await listen(stage, log);
      await emitAll(stage, 0, 300);
      child.kill("SIGKILL");
      await once(child, "exit");
      await emitAll(stage, 300, 200);
      await untilCount(stage, 500, 60_000);
      await assertOnceInOrder(stage, 500);
      await consumer.stop();
    } finally {
      child.kill("SIGKILL");
      guardian.stop();
      await stage.close();
      await log.close();
    }
  });
});

test("an engine that was stopped or killed leaves no process and no open port behind", { skip }, async () => {
  const folder = await makeTestFolder("kafka");
  const place = {
    programs: join(REPOSITORY, ".cache/engines/kafka"),
    data: join(folder, "kafka"),
    port: await freePorts(),
    say: () => undefined,
  };
  for (const way of ["stop", "kill"] as const) {
    const engine = await startEngine(kafka, place);
    assert.match(engine.version, /^Apache Kafka \d+\.\d+\.\d+$/);
    const processes = await processesOf(engine.pid, place.data);
    assert.ok(processes.length > 0);
    await engine[way]();
    for (const one of processes) assert.equal(await isAlive(one), false, one.command);
    await assert.rejects(kafka.health(place));
  }
  await rm(folder, { recursive: true, force: true });
});

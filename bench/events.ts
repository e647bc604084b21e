/**
 * State events from the commit of their rows to the commit of their effect: outbox, relay, log, consumer. On the embedded log and, where
 * MARQUEE_KAFKA_BROKERS is set, on Kafka. Beside it stands what the log alone takes from one client, which is the limit.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ProduceAcks, Producer } from "@platformatic/kafka";
import { openEmbeddedLog } from "#adapters/log/embedded";
import { openKafkaLog } from "#adapters/log/kafka";
import type { EventLog, NewRecord } from "#kernel/ports/log";
import { createEventTopics, type EventsStage, listen, openEventsStage } from "../tests/engines/stage.ts";
import { type Measure, median, table, writeResults } from "./harness.ts";

const SAMPLES = 3;
const PARTITIONS = 8;
const WRITERS = 16;
const TRANSACTIONS = 30;
const EVENTS_PER_TRANSACTION = 10;
const EVENTS = WRITERS * TRANSACTIONS * EVENTS_PER_TRANSACTION;
const RAW_RECORDS = 20_000;
/** As the relay sends them. */
const RAW_BATCH = 500;
const VALUE = Buffer.alloc(120, 7);
const LONE_EVENTS = 40;
const TIMEOUT_MS = 60_000;

/** Appends batches of small records, one after the other, and says how many records a second were acknowledged. */
async function rateOf(send: (batch: number) => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  for (let batch = 0; batch < RAW_RECORDS / RAW_BATCH; batch += 1) await send(batch);
  return (RAW_RECORDS * 1_000) / (performance.now() - startedMs);
}

async function appendRate(log: EventLog): Promise<number> {
  const topic = `bench.${randomUUID()}`;
  await log.createTopics([{ name: topic, partitions: PARTITIONS, retentionMs: 3_600_000 }]);
  const records: NewRecord[] = Array.from({ length: RAW_BATCH }, (_, index) => ({
    topic,
    key: `key-${index}`,
    headers: { ce_type: "bench" },
    value: VALUE,
  }));
  return rateOf(() => log.append(records));
}

/** The client library by itself, without our adapter. */
async function clientRate(log: EventLog, brokers: readonly string[]): Promise<number> {
  const topic = `bench.${randomUUID()}`;
  await log.createTopics([{ name: topic, partitions: PARTITIONS, retentionMs: 3_600_000 }]);
  const producer = new Producer({
    clientId: "bench",
    bootstrapBrokers: [...brokers],
    idempotent: true,
    acks: ProduceAcks.ALL,
  });
  const header = [Buffer.from("ce_type"), Buffer.from("bench")] as const;
  const messages = () =>
    Array.from({ length: RAW_BATCH }, (_, index) => ({
      topic,
      partition: index % PARTITIONS,
      key: Buffer.from(`key-${index}`),
      value: VALUE,
      headers: new Map([header]),
    }));
  try {
    return await rateOf(() => producer.send({ messages: messages() }));
  } finally {
    await producer.close();
  }
}

async function until(stage: EventsStage, count: number, pollMs: number): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while ((await stage.count()) < count) {
    if (performance.now() > deadlineMs) throw new Error(`${await stage.count()} of ${count} events came`);
    await sleep(pollMs);
  }
}

/** Events a second, from the first transaction to the last effect. */
async function pathRate(stage: EventsStage): Promise<number> {
  const before = await stage.count();
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let transaction = 0; transaction < TRANSACTIONS; transaction += 1)
        await stage.emit(
          Array.from({ length: EVENTS_PER_TRANSACTION }, (_unused, index) => ({
            key: `key-${writer}-${index}`,
            text: String(transaction),
          })),
        );
    }),
  );
  await until(stage, before + EVENTS, 10);
  return (EVENTS * 1_000) / (performance.now() - startedMs);
}

/** From the commit of one event to the commit of its effect, when nothing else happens. */
async function loneLatenciesMs(stage: EventsStage): Promise<number[]> {
  const latencies: number[] = [];
  for (let index = 0; index < LONE_EVENTS; index += 1) {
    const before = await stage.count();
    await stage.emit([{ key: `lone-${index}`, text: "" }]);
    const committedMs = performance.now();
    await until(stage, before + 1, 1);
    latencies.push(performance.now() - committedMs);
  }
  return latencies;
}

async function measure(name: string, log: EventLog, client?: () => Promise<number>): Promise<Measure[]> {
  await createEventTopics(log, PARTITIONS);
  const stage = await openEventsStage(log);
  const consumer = await listen(stage, log);
  try {
    await pathRate(stage);
    const clients: number[] = [];
    const appends: number[] = [];
    const paths: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      if (client) clients.push(await client());
      appends.push(await appendRate(log));
      paths.push(await pathRate(stage));
    }
    const lone = await loneLatenciesMs(stage);
    const of = (what: string, unit: string, samples: readonly number[]): Measure => ({
      ...{ name: `events.${name}.${what}`, unit, samples },
      ...{ value: median(samples), bar: null },
    });
    return [
      ...(client ? [of("client", "records/s", clients)] : []),
      of("append", "records/s", appends),
      of("path", "events/s", paths),
      of("lone", "ms", lone),
    ];
  } finally {
    await consumer.stop();
    await stage.close();
  }
}

const folder = await mkdtemp(join(tmpdir(), "marquee-bench-events-"));
const measures: Measure[] = [];
const embedded = await openEmbeddedLog({ folder });
try {
  measures.push(...(await measure("embedded", embedded)));
} finally {
  await embedded.close();
  await rm(folder, { recursive: true, force: true });
}
const brokers = (process.env["MARQUEE_KAFKA_BROKERS"] ?? "").split(",").filter(Boolean);
if (brokers.length > 0) {
  const log = await openKafkaLog({ brokers });
  try {
    measures.push(...(await measure("kafka", log, () => clientRate(log, brokers))));
  } finally {
    await log.close();
  }
} else console.log("Kafka is left out: MARQUEE_KAFKA_BROKERS is not set (npm run engines -- start kafka)\n");
console.log(table(measures));
await writeResults("events", measures);

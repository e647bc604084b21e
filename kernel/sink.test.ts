import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { openEmbeddedCache } from "#adapters/cache/embedded";
import { openEmbeddedLog } from "#adapters/log/embedded";
import fc from "fast-check";
import { testClock } from "./clock.ts";
import type { Tx } from "./db.ts";
import { deadLetterTopic } from "./dead-letters.ts";
import { type EventReader, type EventWriter, toRecord } from "./events.ts";
import type { EventLog, LogRecord, NewRecord } from "./ports/log.ts";
import { openSink, type OpenSink, type Sink, type SinkBatch } from "./sink.ts";
import type { Pool } from "./sql.ts";
import { openMetrics } from "./metrics.ts";
import { silentLogger } from "./telemetry.ts";
import { openTestDatabase, type TestDatabase } from "./testing/database.ts";

const TOPIC = "content.ingest.events";
const OTHER = "user.events";
const SERVICE = "keeper";
const CARRIER = "test_dedupe_id";
let folder = "";
let base: TestDatabase;
let pool: Pool;
let events: EventReader & EventWriter;
let embedded: EventLog;
let logs = 0;

before(async () => {
  base = await openTestDatabase(
    [SERVICE],
    "CREATE TABLE notes (tenant text NOT NULL, text text NOT NULL, at bigint GENERATED ALWAYS AS IDENTITY);",
  );
  ({ folder, pool, events } = base);
});
beforeEach(() => startAnew());
after(async () => {
  await embedded?.close();
  await base?.close();
});

async function startAnew(): Promise<void> {
  await embedded?.close();
  embedded = await openEmbeddedLog({ folder: join(folder, `log-${++logs}`) });
  const spec = { name: TOPIC, partitions: 3, retentionMs: 86_400_000 };
  const names = [TOPIC, OTHER, deadLetterTopic(TOPIC)];
  await embedded.createTopics(names.map((name) => ({ ...spec, name })));
  for (const table of ["marks", "seen", "notes"])
    for (const tenant of ["a", "b"]) await query(`DELETE FROM ${table}`, tenant);
}

const database = () => base.db(SERVICE);
const query = (sql: string, tenant = "a") =>
  database().tx({ tenant }, async (tx) => (await tx.executeSql(sql, [])).rows);
const notes = async (tenant: string): Promise<string[]> =>
  (await query("SELECT text FROM notes ORDER BY at", tenant)).map((row) => String(row["text"]));

const recordOf = (message: string, tenant = "a", contentId = "k"): NewRecord =>
  toRecord(events.encode("ingest", "failed", { contentId, reason: "test", message }, tenant));

/** A log as Kafka is: it keeps what is repeated, and delivers it with the id that it was appended with. */
function repeatingLog(log: EventLog): EventLog {
  const deliver = (record: LogRecord): LogRecord => {
    const { [CARRIER]: dedupeId, ...headers } = record.headers;
    return { ...record, headers, ...(dedupeId === undefined ? {} : { dedupeId }) };
  };
  const carry = ({ dedupeId, ...record }: NewRecord): NewRecord =>
    dedupeId === undefined ? record : { ...record, headers: { ...record.headers, [CARRIER]: dedupeId } };
  return {
    ...log,
    dedupes: false,
    append: (records) => log.append(records.map(carry)),
    read: async (...asked) => (await log.read(...asked)).map(deliver),
  };
}

async function keep(tx: Tx, batch: SinkBatch): Promise<void> {
  for (const { data, value } of batch.events) {
    const text =
      (data as { message?: string } | undefined)?.message ?? Buffer.from(value).toString("latin1").replaceAll("\0", "");
    await tx.executeSql("INSERT INTO notes (tenant, text) VALUES ($1, $2)", [tx.tenant, text]);
  }
  await batch.commit(tx);
}

type Take = (batch: SinkBatch) => Promise<void>;
const takeAll: Take = (batch) => database().tx(batch, (tx) => keep(tx, batch));

/** A sink that works when it is flushed, and not by itself: its clock stands still. */
async function sinkOf(
  take: Take,
  { log = embedded, ...limits }: Partial<Omit<Sink<never, never>, "take">> & { readonly log?: EventLog } = {},
): Promise<OpenSink> {
  const sink = openSink({
    service: SERVICE,
    topics: [TOPIC, OTHER],
    sink: { everyMs: 1_000, recordsMax: 10_000, bytesMax: 1_000_000, ...limits, take: (_, batch) => take(batch) },
    ...{ log, pool, reader: events, db: database(), cache: openEmbeddedCache(), clock: testClock() },
    ...{ logger: silentLogger, metrics: openMetrics() },
  });
  return sink;
}

const numbers = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `${from + index}`);

test("every event of every topic is kept once, in order by key, each tenant's by itself", async () => {
  const sink = await sinkOf(takeAll);
  await embedded.append(numbers(50).map((text) => recordOf(text, Number(text) % 3 === 0 ? "b" : "a")));
  await embedded.append([{ ...recordOf("elsewhere"), topic: OTHER }]);
  await sink.flush();
  await sink.flush();
  // Topics do not wait for each other, so what came from the other one has no place in this order.
  const kept = await notes("a");
  assert.deepEqual(
    kept.filter((text) => text !== "elsewhere"),
    numbers(50).filter((text) => Number(text) % 3 > 0),
  );
  assert.equal(kept.length, 34);
  assert.deepEqual(
    await notes("b"),
    numbers(50).filter((text) => Number(text) % 3 === 0),
  );
  await sink.stop();
});

test("batches are no larger than was asked, and follow each other at once", async () => {
  const sizes: number[] = [];
  await embedded.append(numbers(95).map((text) => recordOf(text, "a", text)));
  const sink = await sinkOf(
    async (batch) => {
      sizes.push(batch.events.length);
      await takeAll(batch);
    },
    { recordsMax: 20 },
  );
  await sink.flush();
  await sink.stop();
  assert.deepEqual(sizes, [20, 20, 20, 20, 15]);
  assert.equal((await notes("a")).length, 95);
});

test("wherever it fails, nothing is lost and nothing is kept twice", async () => {
  const place = fc.constantFrom("before", "within", "after", "nowhere");
  await fc.assert(
    fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 8 }), fc.boolean(), async (places, repeats) => {
      await startAnew();
      const log = repeats ? repeatingLog(embedded) : embedded;
      let at = 0;
      const take: Take = async (batch) => {
        const fails = places[at++] ?? "nowhere";
        if (fails === "before") throw new Error("before");
        await database().tx(batch, async (tx) => {
          await keep(tx, batch);
          if (fails === "within") throw new Error("within");
        });
        if (fails === "after") throw new Error("after");
      };
      let sent = 0;
      for (let round = 0; round < places.length + 2; round += 1) {
        const more = numbers(4, sent).map((text) => recordOf(text, Number(text) % 2 === 0 ? "a" : "b"));
        await log.append(repeats ? [...more, ...more] : more);
        sent += 4;
        // Each time another program, that knows nothing of the one before.
        const sink = await sinkOf(take, { log, recordsMax: 7 });
        await sink.flush().catch(() => undefined);
        await sink.stop();
      }
      const sink = await sinkOf(takeAll, { log });
      await sink.flush();
      await sink.stop();
      const found = [...(await notes("a")), ...(await notes("b"))];
      assert.deepEqual(
        found.toSorted((one, other) => Number(one) - Number(other)),
        numbers(sent),
      );
    }),
    { numRuns: 8 },
  );
});

test("of two that take the same events, one has its effect", async () => {
  await embedded.append(numbers(30).map((text) => recordOf(text, "a", text)));
  // Each has a cache of its own, as when the shared one is away: nothing but the marks decides.
  const sinks = await Promise.all([sinkOf(takeAll, { recordsMax: 8 }), sinkOf(takeAll, { recordsMax: 8 })]);
  for (let round = 0; round < 8; round += 1) await Promise.allSettled(sinks.map((sink) => sink.flush()));
  assert.deepEqual((await notes("a")).toSorted(), numbers(30).toSorted());
  await Promise.all(sinks.map((sink) => sink.stop()));
});

test("what nobody can read is kept as it is, and what belongs to nobody is a dead letter", async () => {
  const noise: NewRecord = { ...recordOf("x"), value: Buffer.from("noise") };
  await embedded.append([noise, recordOf("y", "no tenant!"), { ...recordOf("unknown"), headers: { ce_tenant: "a" } }]);
  const sink = await sinkOf(takeAll);
  await sink.flush();
  await sink.stop();
  const [first, second] = await notes("a");
  assert.equal(first, "noise");
  assert.match(second ?? "", /unknown$/);
  const letters = await embedded.read(deadLetterTopic(TOPIC), new Map([0, 1, 2].map((one) => [one, 0])), 10);
  assert.equal(letters.length, 1);
  assert.match(letters[0]?.headers["dlq_reason"] ?? "", /tenant 'no tenant!' is none/);
});

test("a sink that does not commit is told so, and gets its batch again", async () => {
  await embedded.append([recordOf("1")]);
  const forgetful = await sinkOf(async () => undefined);
  await assert.rejects(forgetful.flush(), /without committing/);
  await forgetful.stop();
  const sink = await sinkOf(takeAll);
  await sink.flush();
  assert.deepEqual(await notes("a"), ["1"]);
  await sink.stop();
});

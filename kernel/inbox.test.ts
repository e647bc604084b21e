import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openEmbeddedLog } from "#adapters/log/embedded";
import { Ingest } from "#contracts/ingest";
import { consumeTopic } from "./consumer.ts";
import { deadLetterTopic } from "./dead-letters.ts";
import type { Tx } from "./db.ts";
import { type EventReader, type EventWriter, type Received, toRecord } from "./events.ts";
import { forgetSeen } from "./inbox.ts";
import type { Consumer, EventLog, NewRecord } from "./ports/log.ts";
import type { Pool } from "./sql.ts";
import { openMetrics } from "./metrics.ts";
import { silentLogger } from "./telemetry.ts";
import { openTestDatabase, type TestDatabase } from "./testing/database.ts";
import { repeatingLog } from "./testing/repeating-log.ts";

const TOPIC = "content.ingest.events";
const SERVICE = "listener";
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
beforeEach(async () => {
  await embedded?.close();
  embedded = await openEmbeddedLog({ folder: join(folder, `log-${++logs}`), redelivery: { firstMs: 1, maxMs: 4 } });
  const spec = { name: TOPIC, partitions: 2, retentionMs: 86_400_000 };
  await embedded.createTopics([spec, { ...spec, name: deadLetterTopic(TOPIC), partitions: 1 }]);
  for (const table of ["marks", "seen", "notes"]) await query(`DELETE FROM ${table}`);
});
after(async () => {
  await embedded?.close();
  await base?.close();
});

const database = () => base.db(SERVICE);
const query = (sql: string) => database().tx({ tenant: "a" }, async (tx) => (await tx.executeSql(sql, [])).rows);
const notes = async (): Promise<string[]> =>
  (await query("SELECT text FROM notes ORDER BY at")).map((row) => String(row["text"]));
const marked = async (): Promise<number> =>
  Number((await query("SELECT coalesce(sum(next_offset), 0) AS sum FROM marks"))[0]?.["sum"]);

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await look()) return;
    await sleep(5);
  }
  assert.fail(`${what} did not come within five seconds`);
}

type Handle = (tx: Tx, received: readonly Received<{ message: string }>[]) => Promise<void>;
const writeNotes: Handle = async (tx, received) => {
  for (const { data } of received)
    await tx.executeSql("INSERT INTO notes (tenant, text) VALUES ($1, $2)", [tx.tenant, data.message]);
};

function listen(log: EventLog, handle: Handle = writeNotes): Promise<Consumer> {
  return consumeTopic({
    service: SERVICE,
    topic: TOPIC,
    subscriptions: [
      { event: Ingest.events.failed, handle: (tx, received) => handle(tx, received as Parameters<Handle>[1]) },
    ],
    db: database(),
    pool,
    log,
    reader: events,
    logger: silentLogger,
    metrics: openMetrics(),
  });
}

const recordOf = (message: string, tenant = "a"): NewRecord =>
  toRecord(events.encode("ingest", "failed", { contentId: "k", reason: "test", message }, tenant));

describe("a consumer of a log that repeats records", () => {
  test("has an effect once for each id, in one batch, in later ones and after it was started again", async () => {
    const log = repeatingLog(embedded);
    const [one, two, three] = [recordOf("1"), recordOf("2"), recordOf("3")];
    await log.append([one, one, two]);
    const consumer = await listen(log);
    await until("the first batch", async () => (await marked()) === 3);
    await log.append([two, three, one]);
    await until("the second batch", async () => (await marked()) === 6);
    await consumer.stop();
    const next = await listen(log);
    await log.append([three, recordOf("4")]);
    await until("the third batch", async () => (await marked()) === 8);
    assert.deepEqual(await notes(), ["1", "2", "3", "4"]);
    await next.stop();
  });

  test("does not take an id for handled whose effect was taken back", async () => {
    const log = repeatingLog(embedded);
    const record = recordOf("kept");
    let tries = 0;
    const consumer = await listen(log, async (tx, received) => {
      await writeNotes(tx, received);
      if (++tries < 4) throw new Error("not yet");
    });
    await log.append([record, record]);
    await until("both records", async () => (await marked()) === 2);
    assert.deepEqual(await notes(), ["kept"]);
    await consumer.stop();
  });

  test("records without an id are not remembered, and repeat", async () => {
    const log = repeatingLog(embedded);
    const { dedupeId: _, ...fact } = recordOf("fact");
    const consumer = await listen(log);
    await log.append([fact, fact]);
    await until("both facts", async () => (await marked()) === 2);
    assert.deepEqual(await notes(), ["fact", "fact"]);
    assert.deepEqual(await query("SELECT id FROM seen"), []);
    await consumer.stop();
  });

  test("old ids are forgotten, young ones are not", async () => {
    const log = repeatingLog(embedded);
    const consumer = await listen(log);
    const [old, young] = [recordOf("old"), recordOf("young")];
    await log.append([old, young]);
    await until("both", async () => (await marked()) === 2);
    await query(`UPDATE seen SET seen_at = now() - interval '73 hours' WHERE id = '${old.dedupeId}'`);
    await forgetSeen(pool, SERVICE, TOPIC);
    assert.deepEqual(await query("SELECT id FROM seen"), [{ id: young.dedupeId }]);
    await consumer.stop();
  });

  test("a log that drops repetitions itself costs no row", async () => {
    const consumer = await listen(embedded);
    const record = recordOf("1");
    await embedded.append([record, record, recordOf("2")]);
    await until("both", async () => (await marked()) === 2);
    assert.deepEqual(await notes(), ["1", "2"]);
    assert.deepEqual(await query("SELECT id FROM seen"), []);
    await consumer.stop();
  });
});

test("two members that both take a partition for their own have its effects once", async () => {
  // The second one joins another group under our service's name, as a member does that the broker took for dead.
  const zombieOf: EventLog = { ...embedded, consume: (options) => embedded.consume({ ...options, group: "zombie" }) };
  const slow: Handle = async (tx, received) => {
    await sleep(Math.random() * 5);
    await writeNotes(tx, received);
  };
  const consumers = await Promise.all([listen(embedded, slow), listen(zombieOf, slow)]);
  for (let from = 0; from < 100; from += 10)
    await embedded.append(Array.from({ length: 10 }, (_, index) => recordOf(String(from + index))));
  await until("all of them", async () => (await marked()) === 100);
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  assert.deepEqual(
    (await notes()).map(Number),
    Array.from({ length: 100 }, (_, index) => index),
  );
  assert.equal(
    [...(await embedded.offsets(deadLetterTopic(TOPIC)).then((ends) => ends.values()))][0],
    0,
    "none is to blame",
  );
});

// People are taken out of the log when everybody has heard of them, on a real PostgreSQL and a real log.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import pg from "pg";
import { openEmbeddedLog } from "#adapters/log/embedded";
import { Catalog } from "#contracts/catalog";
import { Ingest } from "#contracts/ingest";
import { deadLetterTopic } from "./dead-letters.ts";
import { type Erase, openEraser } from "./erasure.ts";
import type { EventLog } from "./ports/log.ts";
import { openTestDatabase, type TestDatabase } from "./testing/database.ts";

const TOPIC = "content.ingest.events";
const DEAD = deadLetterTopic(TOPIC);
let database: TestDatabase;
let admin: pg.Client;
let log: EventLog;
let erase: Erase;
before(async () => {
  database = await openTestDatabase(["ingest", "catalog"], "SELECT 1");
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  log = await openEmbeddedLog({ folder: join(database.folder, "log") });
  const spec = { name: TOPIC, partitions: 1, retentionMs: 1e9 };
  await log.createTopics([spec, { ...spec, name: DEAD }]);
  erase = openEraser({
    ...{ log, pool: database.pool, patienceMs: 100 },
    topics: { specs: [spec], routes: { "ingest.started": { topic: TOPIC, key: "contentId" } } },
    // The third one was never started here: there is nothing of it to wait for.
    declared: [
      { contract: Ingest, consumes: [], readModels: [] },
      {
        contract: Catalog,
        consumes: [Ingest.events.started],
        readModels: [{ name: "words", tables: [], events: [Ingest.events.started] }],
      },
      { contract: { ...Catalog, name: "elsewhere" }, consumes: [Ingest.events.started], readModels: [] },
    ],
  });
});
after(async () => {
  await log.close();
  await admin.end();
  await database.close();
});

const append = (topic: string, ...keys: string[]): Promise<void> =>
  log.append(keys.map((key) => ({ topic, key, headers: {}, value: Buffer.from(`about ${key}`) })));
const keysOf = async (topic: string): Promise<string[]> =>
  (await log.read(topic, new Map([[0, 0]]), 100)).map(({ key }) => key);
const markOf = (name: string, offset: number): Promise<unknown> =>
  admin.query(
    "INSERT INTO catalog.marks VALUES ($1, 0, $2) ON CONFLICT (topic, partition) DO UPDATE SET next_offset = $2",
    [name, offset],
  );
const mark = async (offset: number): Promise<void> => {
  await markOf(TOPIC, offset);
  await markOf(`model:words:${TOPIC}`, offset);
};
const gone = { tenant: "demo", people: ["usr_gone"] };

test("nothing is erased before every consumer has handled it", async () => {
  await append(TOPIC, "usr_gone", "usr_stays");
  await append(DEAD, "usr_gone", "usr_stays");
  assert.equal(await erase(gone), false);
  await mark(1);
  assert.equal(await erase(gone), false);
  assert.deepEqual(await keysOf(TOPIC), ["usr_gone", "usr_stays"]);
  // A read model that is being made anew has handled nothing.
  await markOf(TOPIC, 2);
  await markOf(`model:words:${TOPIC}`, -7);
  assert.equal(await erase(gone), false);
  await mark(2);
  assert.equal(await erase(gone), true);
  assert.deepEqual([await keysOf(TOPIC), await keysOf(DEAD)], [["usr_stays"], ["usr_stays"]]);
});

test("nothing is erased while an event of the person is still in an outbox", async () => {
  const outbox = (value: string): Promise<unknown> =>
    admin.query(
      "INSERT INTO ingest.outbox (event_id, topic, key, headers, value) VALUES ('e', 't', 'session', '{}', convert_to($1, 'UTF8'))",
      [value],
    );
  await append(DEAD, "usr_gone");
  await outbox("it is usr_stays");
  await outbox("it is usr_gone!");
  assert.equal(await erase(gone), false);
  await admin.query("DELETE FROM ingest.outbox WHERE id = (SELECT max(id) FROM ingest.outbox)");
  assert.equal(await erase(gone), true);
  assert.deepEqual(await keysOf(DEAD), ["usr_stays"]);
});

test("a consumer behind whose mark nothing is left does not hold an erasure up", async () => {
  await append(TOPIC, "usr_gone");
  await mark(3);
  assert.equal(await erase(gone), true);
  // As after a restore, or when a retention ended before anybody read.
  await mark(2);
  await append(DEAD, "usr_gone");
  assert.equal(await erase(gone), true);
  assert.deepEqual(await keysOf(DEAD), ["usr_stays"]);
});

test("answers that name the person are forgotten, in their tenant", async () => {
  for (const [tenant, key, response] of [
    ["demo", "a", { user_id: "usr_gone" }],
    ["demo", "b", { user_id: "usr_stays" }],
    ["north", "a", { user_id: "usr_gone" }],
  ] as const)
    await admin.query("INSERT INTO catalog.idempotency (tenant, key, request, response) VALUES ($1, $2, 'r', $3)", [
      ...[tenant, key, JSON.stringify(response)],
    ]);
  assert.equal(await erase(gone), true);
  const { rows } = await admin.query<{ name: string }>(
    "SELECT tenant || '/' || key AS name FROM catalog.idempotency ORDER BY 1",
  );
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["demo/b", "north/a"],
  );
});

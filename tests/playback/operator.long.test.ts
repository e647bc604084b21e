// The operator's commands against the real services: what they show of the log, and what a rebuild leaves behind.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { Bookmark } from "#contracts/bookmark";
import { topics } from "#contracts/topics";
import type { Viewer } from "#kernel";
import { appendFacts, openEvents } from "#kernel/events";
import { openMetrics } from "#kernel/metrics";
import { silentLogger } from "#kernel/telemetry";
import { type Admin, startAdmin } from "../../apps/admin/server.ts";
import { adminSocketPath } from "../../apps/admin/socket.ts";
import { services } from "../../apps/services.ts";
import { calm, type PlaybackHost, startPlayback } from "./setup.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

const entry = resolve(import.meta.dirname, "../../apps/marquee.ts");
const TITLES = 40;
const BOOKMARKS = 3_000;
/** A record that nobody can read is put down here, and again with each rebuild: five tries need not take half a minute each time. */
const redelivery = { firstMs: 10, maxMs: 100 };
let host: PlaybackHost;
let admin: Admin;
let viewer: Viewer;
let folder = "";

before(async () => {
  folder = await makeTestFolder("operator");
  host = await startPlayback({ folder, redelivery });
  for (let index = 0; index < TITLES; index++) await host.addFilm(`film-${index}`);
  viewer = await host.newViewer();
  for (const [contentId, positionS] of [
    ["film-1", 100],
    ["film-2", 590],
    ["film-3", 30],
    ["film-4", 40],
  ] as const) {
    const device = { id: `tv-${contentId}`, type: "web", name: "TV" };
    const { session } = await host.sessions.start({ contentId, device }, host.context({ viewer }));
    await host.sessions.beat(calm(session?.id ?? "", 1, positionS), host.context({ viewer }));
    await host.sessions.stop({ sessionId: session?.id ?? "" }, host.context({ viewer }));
  }
  await host.settled();
  await host.bookmarks.remove({ profileId: viewer.profileId, contentId: "film-4" }, host.context());
  await host.settled();
  admin = await startAdmin({
    host: host.host,
    contracts: services.map(({ contract }) => contract),
    socketPath: adminSocketPath(folder),
    port: 0,
    bind: "127.0.0.1",
    flags: host.adapters.flags,
    metrics: openMetrics(),
    traces: { latest: () => [], find: () => undefined },
    hasTracePages: false,
    audit: host.audit,
    logger: silentLogger,
    pseudonyms: host.pseudonyms,
    states: async () => ({}),
    backup: async function* () {},
    consoleLink: async () => Promise.reject(new Error("there is no console in this test")),
  });
});
after(async () => {
  await admin?.stop();
  await host?.stop();
  await rm(folder, { recursive: true, force: true });
});

function marquee(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [entry, ...words],
      { env: { ...process.env, MARQUEE_DATA: folder } },
      (error, out, err) => done({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}
const jsonLines = (out: string): Record<string, unknown>[] =>
  out
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Every row of some tables of the tenant. */
async function rowsOf(adminUrl: string, ...tables: string[]): Promise<unknown[]> {
  return inTenant(adminUrl, async (client) => {
    const found = [];
    for (const table of tables) {
      const { rows } = await client.query(`SELECT * FROM ${table} ORDER BY tenant, 2, 3`);
      found.push(rows);
    }
    return found;
  });
}

/** What is found of titles. */
async function indexOf(adminUrl: string): Promise<unknown[]> {
  return inTenant(adminUrl, async (client) => {
    const { rows } = await client.query(
      `SELECT tenant, id, words, keywords, numbers FROM fulltext.documents JOIN fulltext.indexes ON name = index_name AND generation = live
        ORDER BY tenant, id`,
    );
    return rows;
  });
}

async function inTenant<T>(adminUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query("SELECT set_config('marquee.tenant', 'demo', false)");
    return await work(client);
  } finally {
    await client.end();
  }
}

const MODELS = ["bookmark.continue_watching"] as const;
const TRUTH = ["bookmark.bookmarks", "bookmark.saved", "catalog.titles"] as const;

test("topics are listed with what they hold and who lags behind", async () => {
  const { code, out } = await marquee("events", "topics", "--json");
  assert.equal(code, 0);
  const found = jsonLines(out);
  assert.deepEqual(
    found.map(({ name }) => name),
    topics.specs.map(({ name }) => name),
  );
  const updates = found.find(({ name }) => name === "bookmarks.updates");
  assert.ok(Number(updates?.["records"]) >= 5);
  assert.match(JSON.stringify(updates?.["groups"]), /"bookmark-continue"/);
  assert.match((await marquee("events", "topics")).out, /^TOPIC +PARTITIONS +KEPT +RECORDS +DEAD +LAG\n/);
});

test("events are shown decoded, from a beginning on or the last ones, filtered by key and type", async () => {
  const all = await marquee("events", "tail", "bookmarks.updates", "--from", "beginning", "--json");
  assert.equal(all.code, 0, all.err);
  const updated = jsonLines(all.out).filter(({ type }) => type === "bookmark.updated");
  assert.ok(updated.every(({ key }) => key === viewer.userId));
  assert.ok(updated.some(({ data }) => (data as { removed: boolean }).removed));
  const typed = await marquee(
    ...["events", "tail", "--from", "beginning", "--type", "catalog.title.added", "--limit", "7", "--json"],
  );
  assert.equal(jsonLines(typed.out).length, 7);
  const keyed = await marquee("events", "tail", "catalog.changes", "--from", "beginning", "--key", "film-7", "--json");
  assert.ok(jsonLines(keyed.out).length > 0);
  assert.ok(jsonLines(keyed.out).every(({ data }) => (data as { contentId: string }).contentId === "film-7"));
  const last = await marquee("events", "tail", "--last", "3");
  assert.equal(last.out.trimEnd().split("\n").length, 3);
  const wrong = await marquee("events", "tail", "films");
  assert.deepEqual([wrong.code, /no topic 'films'/.test(wrong.err)], [1, true]);
  assert.match((await marquee("events", "tail", "--from", "tea-time")).err, /--from tea-time is not a time/);
});

test("following shows what comes, until it is interrupted", { timeout: 30_000 }, async () => {
  const child = spawn(process.execPath, [entry, "events", "tail", "catalog.changes", "--follow", "--last", "1"], {
    env: { ...process.env, MARQUEE_DATA: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  while (!out.includes("\n")) await sleep(20);
  await host.catalog.add(
    { title: { id: "followed", kind: "film", title: "Followed", tierMin: "basic" } },
    host.context(),
  );
  while (!out.includes("followed")) await sleep(20);
  child.kill("SIGINT");
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  assert.equal(signal, "SIGINT");
  await host.settled();
});

test("a rebuild gives the same rows, touches no truth and announces nothing", async () => {
  const { adminUrl } = host.adapters.postgres;
  const models = await rowsOf(adminUrl, ...MODELS);
  const truth = await rowsOf(adminUrl, ...TRUTH);
  assert.equal((models[0] as unknown[]).length, 2, "one is finished and one was taken off");
  const index = await indexOf(adminUrl);
  assert.equal(index.length, TITLES + 1);
  const updates = (await host.adapters.log.offsets("bookmarks.updates")).values().reduce((sum, end) => sum + end, 0);
  await inTenant(adminUrl, async (client) => {
    await client.query("UPDATE bookmark.continue_watching SET position_s = 1, updated_at_ms = 7");
    await client.query("DELETE FROM fulltext.documents WHERE id < 'film-2'");
  });
  const unsure = await marquee("rebuild", "bookmark");
  assert.deepEqual([unsure.code, /add --yes/.test(unsure.err)], [1, true], unsure.err);
  assert.match(unsure.err, /bookmark\/continue: continue_watching are emptied/);
  for (const service of ["bookmark", "catalog"]) {
    const { code, out, err } = await marquee("rebuild", service, "--yes");
    assert.equal(code, 0, err);
    assert.match(out, /made anew, \d+ records followed/);
  }
  assert.deepEqual(await rowsOf(adminUrl, ...MODELS), models);
  assert.deepEqual(await indexOf(adminUrl), index);
  assert.deepEqual(await rowsOf(adminUrl, ...TRUTH), truth);
  await host.settled();
  const after = (await host.adapters.log.offsets("bookmarks.updates")).values().reduce((sum, end) => sum + end, 0);
  assert.equal(after, updates);
  const refused = await marquee("rebuild", "entitlement", "--yes");
  assert.match(refused.err, /entitlement has no read models[^]*catalog and bookmark have/);
});

test("dead letters are listed with the reason, shown whole, put back and dropped", async () => {
  assert.equal((await marquee("events", "dlq")).out, "No dead letters are waiting.\n");
  const headers = { ce_id: "evt_broken", ce_type: "bookmark.updated", ce_tenant: "demo" };
  await host.adapters.log.append([{ topic: "bookmarks.updates", key: "k", headers, value: Buffer.from("not Avro") }]);
  await host.settled();
  const [letter, ...others] = jsonLines((await marquee("events", "dlq", "list", "--json")).out);
  assert.deepEqual(others, []);
  const id = String(letter?.["id"]);
  assert.match(id, /^bookmark-continue\/bookmarks\.updates\/\d+\/\d+$/);
  assert.match(String(letter?.["reason"]), /not in the Confluent wire format/);
  assert.match((await marquee("events", "dlq")).out, /^ID +REFUSED +EVENT +REASON\nbookmark-continue\//);
  assert.match((await marquee("events", "dlq", "show", id)).out, /evt_broken/);
  assert.match((await marquee("events", "topics")).out, /bookmarks\.updates +32 .* 1 +none/);
  assert.match((await marquee("events", "dlq", "replay", id)).err, /add --yes/);
  assert.equal((await marquee("events", "dlq", "replay", id, "--yes")).out, `${id}: is on its way back\n`);
  await host.settled();
  const again = jsonLines((await marquee("events", "dlq", "list", "--group", "bookmark-continue", "--json")).out);
  assert.equal(again.length, 1, "it is refused as before");
  assert.notEqual(again[0]?.["id"], id);
  const unknown = await marquee("events", "dlq", "replay", id, "--yes");
  assert.deepEqual([unknown.code, /no dead letter 'bookmark-/.test(unknown.err)], [1, true], unknown.err);
  assert.match((await marquee("events", "dlq", "drop")).err, /--all/);
  assert.match((await marquee("events", "dlq", "drop", "--all", "--yes")).out, /: is dropped\n$/);
  assert.equal((await marquee("events", "dlq")).out, "No dead letters are waiting.\n");
});

test("a replay is announced, asked about and done", async () => {
  const words = ["events", "replay", "bookmark", "catalog.changes", "--from", "beginning"];
  const unsure = await marquee(...words);
  assert.equal(unsure.code, 1);
  assert.match(
    unsure.err,
    /bookmark gets \d+ records of 'catalog.changes' again\.[^]*as if they were new[^]*add --yes/,
  );
  const { out } = await marquee(...words, "--yes", "--json");
  assert.ok(Number(jsonLines(out)[0]?.["records"]) > TITLES);
  await host.settled();
});

test("kill -9 in the middle of a rebuild, and the next one gives the same rows", { timeout: 300_000 }, async () => {
  const { log, registry, postgres } = host.adapters;
  // So many that a rebuild takes a while: positions as heartbeats leave them, and the events that came of them.
  await inTenant(postgres.adminUrl, (client) =>
    client.query(
      `INSERT INTO bookmark.bookmarks (tenant, profile_id, content_id, user_id, position_s, duration_s, finished, session_started_at_ms, sequence, updated_at_ms)
       SELECT 'demo', 'profile-' || i, 'film-1', 'user-' || i, i, 9000, false, 1, 1, i FROM generate_series(1, ${BOOKMARKS}) AS i`,
    ),
  );
  const writer = await openEvents([Bookmark], topics, registry, host.clock);
  const events = Array.from({ length: BOOKMARKS }, (_, index) => ({
    ...{ userId: `user-${index + 1}`, profileId: `profile-${index + 1}`, contentId: "film-1" },
    ...{ positionS: index + 1, durationS: 9_000, finished: false, removed: false },
  }));
  await appendFacts(
    log,
    events.map((event) => writer.encode("bookmark", "updated", event, "demo")),
  );
  await host.settled();
  const models = await rowsOf(postgres.adminUrl, ...MODELS);
  const index = await indexOf(postgres.adminUrl);
  assert.equal((models[0] as unknown[]).length, BOOKMARKS + 2);
  // The log alone says the same: nothing is left of the models, and they begin anew.
  await inTenant(postgres.adminUrl, async (client) => {
    for (const table of MODELS) await client.query(`DELETE FROM ${table}`);
    await client.query("DELETE FROM fulltext.documents");
    for (const schema of ["bookmark", "catalog"])
      await client.query(`DELETE FROM ${schema}.marks WHERE topic LIKE 'model:%'`);
  });
  await host.stop();
  host = await startPlayback({ folder, redelivery });
  await host.settled();
  assert.deepEqual(await rowsOf(host.adapters.postgres.adminUrl, ...MODELS), models);
  assert.deepEqual(await indexOf(host.adapters.postgres.adminUrl), index);
  await host.stop();

  for (const wait of ["begins", "emptied"]) {
    const victim = spawn(process.execPath, [join(import.meta.dirname, "rebuilder.ts"), folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    victim.stdout.on("data", (chunk) => (said += String(chunk)));
    while (!said.includes(wait)) await sleep(5);
    await sleep(Math.random() * 40);
    victim.kill("SIGKILL");
    await once(victim, "exit");
  }
  host = await startPlayback({ folder, redelivery });
  await host.host.backbone.rebuild("bookmark", ["demo"]);
  await host.host.backbone.rebuild("catalog", ["demo"]);
  await host.settled();
  assert.deepEqual(await rowsOf(host.adapters.postgres.adminUrl, ...MODELS), models);
  assert.deepEqual(await indexOf(host.adapters.postgres.adminUrl), index);
});

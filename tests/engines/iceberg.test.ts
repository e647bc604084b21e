// Iceberg's own Java library reads what we wrote, row for row: the same events as the log has, by the address that the catalogue gives.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { addColumns, writeMetadata } from "#media/iceberg";
import { commit } from "../../services/insight/analytics/commit.ts";
import { metadataKey } from "../../services/insight/analytics/domain.ts";
import { compact, erase, retain } from "../../services/insight/analytics/keep.ts";
import { filesOf, load } from "../../services/insight/analytics/lake.ts";
import * as store from "../../services/insight/analytics/store.ts";
import { openTestLake, type TestLake } from "../../services/insight/analytics/testing/lake.ts";
import { installJars } from "../../engines/maven.ts";
import { ensureProgram, runProgram } from "../../engines/programs.ts";

/** The release that ARCH-001 names. */
const ICEBERG = "1.6.1";
const CACHE = resolve(import.meta.dirname, "../../.cache/engines/iceberg");
const SOURCE = join(import.meta.dirname, "iceberg/ReadTable.java");
const TENANT = "demo";

const say = (line: string): void => void process.stderr.write(`iceberg: ${line}\n`);
let lake: TestLake;
let classPath = "";
let java = "";

before(async () => {
  const artifacts = [`org.apache.iceberg:iceberg-data:${ICEBERG}`, `org.apache.iceberg:iceberg-core:${ICEBERG}`];
  const libs = await installJars({ folder: CACHE, artifacts, say });
  const javac = await ensureProgram("javac", "default-jdk-headless", say);
  java = await ensureProgram("java", "default-jre-headless", say);
  const classes = join(CACHE, "classes");
  await mkdir(classes, { recursive: true });
  await runProgram(javac, ["-proc:none", "-cp", `${libs}/*`, "-d", classes, SOURCE]);
  classPath = `${classes}:${libs}/*`;
  lake = await openTestLake();
});
after(() => lake?.stop());

interface Read {
  readonly about: Readonly<Record<string, unknown>>;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** The table by its metadata file, as the library finds it. */
async function read(...more: readonly string[]): Promise<Read> {
  const { key } = await load(lake.program(), TENANT);
  return readAt(lake.objects.uri(key ?? ""), ...more);
}

async function readAt(location: string, ...more: readonly string[]): Promise<Read> {
  const out = await runProgram(java, ["-Xmx512m", "-cp", classPath, "ReadTable", location, ...more]);
  const [about, ...rows] = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { about: about ?? {}, rows };
}

const placeOf = (row: Readonly<Record<string, unknown>>): string =>
  `${String(row["topic"])}/${String(row["log_partition"])}/${String(row["log_offset"])}`;
const byPlace = (rows: Read["rows"]): Read["rows"] =>
  rows.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : placeOf(a) > placeOf(b) ? 1 : 0));

/** The log's events as rows, made here and not by the code under test. */
async function expected(without = ""): Promise<Read["rows"]> {
  const records = (await lake.logged(TENANT)).filter(({ key }) => key !== without);
  return byPlace(
    await Promise.all(
      records.map(async (record) => ({
        event_id: record.headers["ce_id"],
        event_type: record.headers["ce_type"],
        time: Date.parse(record.headers["ce_time"] ?? "") * 1_000,
        tenant: record.headers["ce_tenant"],
        source: record.headers["ce_source"],
        topic: record.topic,
        log_partition: record.partition,
        log_offset: record.offset,
        key: record.key,
        logged_at: record.timestampMs * 1_000,
        schema_id: Buffer.from(record.value).readUInt32BE(1),
        value: Buffer.from(record.value).toString("base64"),
        data: JSON.stringify((await lake.events.decode(record))?.data),
        headers: {},
      })),
    ),
  );
}

const failed = (index: number) =>
  [TENANT, "failed", { contentId: `content-${index}`, reason: "test", message: `größer 🎬 ${index}` }] as const;
const logout = (userId: string) => [TENANT, "logout", { userId, deviceId: "d", reason: "user" }] as const;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test("Iceberg reads every event of the log, of several snapshots, days and types", async () => {
  for (const round of numbers(3)) {
    await lake.append([...numbers(2_500).map(failed), logout(`usr_0${round}aaaaaaaaaaaaaaaaaaaaaaaa`)]);
    await lake.collect();
    await lake.clock.advance(86_400_000);
  }
  const { about, rows } = await read();
  const wanted = await expected();
  assert.equal(wanted.length, 7_503);
  assert.deepEqual(byPlace(rows), wanted);
  assert.match(String(about["spec"]), /1000: time_day: day\(3\)\s+1001: event_type: identity\(2\)/);
  assert.match(String(about["schema"]), /3: time: required timestamptz/);
  assert.equal(about["files"], 6);
  assert.equal((about["summary"] as Record<string, string>)["total-records"], "7503");
});

test("it finds the files of one event type by their partition, and an older snapshot as it was", async () => {
  const { about, rows } = await read("", "auth.logout");
  assert.equal(about["files"], 3);
  assert.deepEqual(
    byPlace(rows),
    (await expected()).filter((row) => row["event_type"] === "auth.logout"),
  );
  for (const more of ["b", "c"]) {
    await lake.append([logout(`usr_0${more.repeat(25)}`)]);
    await lake.collect();
  }
  const { table } = await load(lake.program(), TENANT);
  const before = table.snapshots.at(-2)?.["snapshot-id"];
  assert.equal((await read()).rows.length, 7_505);
  assert.equal((await read(String(before))).rows.length, 7_504);
});

test("a column that was added is null in the rows from before", async () => {
  const { table } = await load(lake.program(), TENANT);
  const key = metadataKey(TENANT, "wider.metadata.json");
  const wider = addColumns(table, [{ name: "region", type: "string" }], lake.clock.nowMs());
  await lake.objects.put(key, writeMetadata(wider));
  const { about, rows } = await readAt(lake.objects.uri(key));
  assert.match(String(about["schema"]), /17: region: optional string/);
  assert.deepEqual(
    byPlace(rows),
    (await expected()).map((row) => ({ ...row, region: null })),
  );
});

test("it reads the same after files were made one, manifests merged and history forgotten", async () => {
  for (const index of numbers(101)) {
    await lake.append([failed(index)]);
    await lake.collect();
  }
  assert.ok((await compact(lake.program(), TENANT)) > 0);
  assert.deepEqual(byPlace((await read()).rows), await expected());
  await commit(lake.program(), TENANT, undefined, { forgetsHistory: true });
  assert.deepEqual(byPlace((await read()).rows), await expected());
});

test("it finds nothing of a person after the erasure, nor of days that are not kept", async () => {
  const gone = "usr_00aaaaaaaaaaaaaaaaaaaaaaaa";
  await lake.program().db.tx({ tenant: TENANT }, (tx) => store.askErasure(tx, gone, lake.clock.nowMs()));
  assert.equal(await erase(lake.program(), TENANT), 1);
  assert.deepEqual(byPlace((await read()).rows), await expected(gone));
  await lake.clock.advance(88 * 86_400_000);
  assert.ok((await retain(lake.program(), TENANT)) > 0);
  const files = await filesOf(lake.program(), TENANT, await load(lake.program(), TENANT));
  const { about, rows } = await read();
  assert.equal(about["files"], files.length);
  const firstDay = Math.floor(lake.clock.nowMs() / 86_400_000) - 90;
  const young = (await expected(gone)).filter((row) => Number(row["time"]) >= firstDay * 86_400_000_000);
  assert.ok(young.length > 0 && young.length < 7_503);
  assert.deepEqual(byPlace(rows), young);
});

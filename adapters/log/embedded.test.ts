import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "#kernel/errors";
import type { NewRecord } from "#kernel/ports/log";
import { eventLogContract } from "./contract.ts";
import { openEmbeddedLog } from "./embedded.ts";
import { murmur2, partitionOf } from "./partitioner.ts";

const root = await mkdtemp(join(tmpdir(), "marquee-log-"));
after(() => rm(root, { recursive: true, force: true }));
const quick = { firstMs: 5, maxMs: 50 };

eventLogContract("embedded", () => openEmbeddedLog({ folder: join(root, "contract"), redelivery: quick }));

test("murmur2 gives the values of Kafka's own test (UtilsTest.testMurmur2)", () => {
  const vectors: readonly (readonly [string, number])[] = [
    ["21", -973932308],
    ["foobar", -790332482],
    ["a-little-bit-long-string", -985981536],
    ["a-little-bit-longer-string", -1486304829],
    ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
    ["abc", 479470107],
  ];
  for (const [text, hash] of vectors) assert.equal(murmur2(Buffer.from(text)), hash, text);
  assert.equal(partitionOf("foobar", 10), (-790332482 & 0x7fffffff) % 10);
});

const recordsOf = (count: number, from = 0): NewRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    topic: "t",
    key: `key-${index % 10}`,
    headers: {},
    value: Buffer.from(String(from + index)),
  }));

test("what was acknowledged survives kill -9, and offsets go on", async () => {
  const folder = join(root, "killed");
  const script = `
    import { openEmbeddedLog } from ${JSON.stringify(new URL("./embedded.ts", import.meta.url).href)};
    const log = await openEmbeddedLog({ folder: ${JSON.stringify(folder)} });
    await log.createTopics([{ name: "t", partitions: 2, retentionMs: 1e9 }]);
    for (let n = 0; ; n += 1) {
      await log.append([{ topic: "t", key: "k", headers: {}, value: Buffer.from(String(n)), dedupeId: "id-" + n }]);
      console.log(n);
    }
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let acknowledged = -1;
  const lines = createInterface(child.stdout);
  lines.on("line", (line) => {
    acknowledged = Number(line);
    if (acknowledged === 50) child.kill("SIGKILL");
  });
  await Promise.all([once(child, "exit"), once(lines, "close")]);
  assert.ok(acknowledged >= 50);
  const log = await openEmbeddedLog({ folder });
  const { 0: first = 0, 1: second = 0 } = Object.fromEntries(await log.offsets("t"));
  const found = await log.read(
    "t",
    new Map([
      [0, 0],
      [1, 0],
    ]),
    10_000,
  );
  assert.ok(found.length > acknowledged);
  assert.equal(found.length, first + second);
  assert.deepEqual(
    found.map((record) => Number(Buffer.from(record.value).toString())),
    found.map((_, index) => index),
  );
  // The ids are still known.
  await log.append([{ topic: "t", key: "k", headers: {}, value: Buffer.from("again"), dedupeId: "id-7" }]);
  assert.equal(
    [...(await log.offsets("t")).values()].reduce((sum, next) => sum + next, 0),
    found.length,
  );
  await log.close();
});

test("records that outlived their retention are pruned, their ids are free again, offsets go on", async () => {
  const folder = join(root, "pruned");
  const log = await openEmbeddedLog({ folder, pruneIntervalMs: 10 });
  await log.createTopics([
    { name: "t", partitions: 1, retentionMs: 1 },
    { name: "kept", partitions: 1, retentionMs: 1e9 },
  ]);
  await log.append([
    ...recordsOf(12_000),
    { topic: "t", key: "a", headers: {}, value: Buffer.from("x"), dedupeId: "id" },
  ]);
  await log.append([{ topic: "kept", key: "a", headers: {}, value: Buffer.from("x") }]);
  for (let tries = 0; tries < 200 && (await log.read("t", new Map([[0, 0]]), 1)).length > 0; tries += 1)
    await sleep(10);
  assert.deepEqual(await log.read("t", new Map([[0, 0]]), 10), []);
  assert.equal((await log.read("kept", new Map([[0, 0]]), 10)).length, 1);
  assert.deepEqual([...(await log.offsets("t"))], [[0, 12_001]]);
  await log.createTopics([{ name: "t", partitions: 1, retentionMs: 1e9 }]);
  await log.append([{ topic: "t", key: "a", headers: {}, value: Buffer.from("y"), dedupeId: "id" }]);
  const [record] = await log.read("t", new Map([[0, 0]]), 10);
  assert.equal(record?.offset, 12_001);
  await log.close();
  const again = await openEmbeddedLog({ folder });
  assert.deepEqual([...(await again.offsets("t"))], [[0, 12_002]]);
  await again.close();
});

test("erased records are in no file any more, and those around them are found by time", async () => {
  const folder = join(root, "erased");
  const log = await openEmbeddedLog({ folder });
  await log.createTopics([{ name: "t", partitions: 1, retentionMs: 1e9 }]);
  const named = (text: string): NewRecord => ({ topic: "t", key: "k", headers: {}, value: Buffer.from(text) });
  await log.append([named("first"), ...Array.from({ length: 5_000 }, (_, n) => named(`usr_erased says ${n}`))]);
  await sleep(5);
  const lastMs = Date.now();
  await log.append([named("last")]);
  await log.erase("t", ["usr_erased"], await log.offsets("t"));
  const files = async (): Promise<Buffer> =>
    Buffer.concat(await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name)))));
  assert.ok(!(await files()).includes("usr_erased"));
  assert.ok((await files()).includes("first"));
  assert.deepEqual(
    [...(await log.offsets("t", lastMs))].map(([, offset]) => offset > 0 && offset <= 5_001),
    [true],
  );
  await log.append([named("goes on")]);
  await log.close();
  const again = await openEmbeddedLog({ folder });
  const left = (await again.read("t", new Map([[0, 0]]), 10)).map(({ offset, value }) => [
    offset,
    Buffer.from(value).toString(),
  ]);
  assert.deepEqual(left, [
    [0, "first"],
    [5_001, "last"],
    [5_002, "goes on"],
  ]);
  await again.close();
});

test("copies that rows left where pages were built anew are scrubbed, also after an erasure that was cut off", async () => {
  const folder = join(root, "scrubbed");
  let log = await openEmbeddedLog({ folder });
  await log.createTopics([{ name: "t", partitions: 40, retentionMs: 1e9 }]);
  // Rows of many sizes that come to many places of the table, as partitions are written.
  const record = (n: number): NewRecord => {
    const who = n % 3 === 0 ? "usr_erased" : "usr_stays";
    const filler = "x".repeat((n * 7_919) % (n % 10 === 0 ? 6_000 : 300));
    return {
      topic: "t",
      key: `${who}-${(n * 31) % 97}`,
      headers: { filler },
      value: Buffer.from(`${filler} of ${who}`),
    };
  };
  const bytes = async (): Promise<Buffer> =>
    Buffer.concat(await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name)))));
  const all = Array.from({ length: 1_500 }, (_, n) => record(n));
  for (let at = 0; at < all.length; at += 3) await log.append(all.slice(at, at + 3));
  await log.close();

  // The rows are deleted as an erasure does it that ends before it has scrubbed.
  const database = new DatabaseSync(join(folder, "log.sqlite"));
  database.exec("PRAGMA secure_delete = ON; DELETE FROM records WHERE key LIKE 'usr_erased%'; PRAGMA user_version = 1");
  database.close();
  assert.ok((await bytes()).includes("usr_erased"), "SQLite alone leaves some of it");

  log = await openEmbeddedLog({ folder });
  await log.erase("t", ["usr_erased"], await log.offsets("t"));
  assert.ok(!(await bytes()).includes("usr_erased"));
  // What is in use is untouched, and stays writable.
  await log.append([record(1)]);
  const positions = new Map([...(await log.offsets("t")).keys()].map((partition) => [partition, 0]));
  const left = await log.read("t", positions, 2_000);
  const keys = (records: readonly { readonly key: string }[]): string[] => records.map(({ key }) => key).toSorted();
  assert.deepEqual(keys(left), keys([...all.filter(({ key }) => key.startsWith("usr_stays")), record(1)]));
  await log.close();
  assert.ok(!(await bytes()).includes("usr_erased"), "nothing was brought back from a cache");
  const checked = new DatabaseSync(join(folder, "log.sqlite"));
  assert.equal(checked.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
  checked.close();
});

test("a log whose first record was erased still begins where it began, also after a restart", async () => {
  const folder = join(root, "erased-first");
  const log = await openEmbeddedLog({ folder });
  await log.createTopics([{ name: "t", partitions: 1, retentionMs: 1e9 }]);
  await log.append(["usr_erased", "b"].map((key) => ({ topic: "t", key, headers: {}, value: Buffer.from("x") })));
  await log.erase("t", ["usr_erased"], await log.offsets("t"));
  assert.deepEqual([...(await log.offsets("t", 0))], [[0, 0]]);
  await log.close();
  const again = await openEmbeddedLog({ folder });
  assert.deepEqual([...(await again.offsets("t", 0))], [[0, 0]]);
  await again.close();
});

test("a copy that is made under load ends where it was told to, and is a log that goes on there", async () => {
  const folder = join(root, "copied");
  const log = await openEmbeddedLog({ folder: join(root, "busy-source") });
  await log.createTopics([
    { name: "t", partitions: 3, retentionMs: 1e9 },
    { name: "u", partitions: 1, retentionMs: 1e9 },
  ]);
  await log.append(recordsOf(20_000));
  await log.append([{ topic: "u", key: "a", headers: {}, value: Buffer.from("x"), dedupeId: "kept" }]);
  const until = new Map([
    ["t", await log.offsets("t")],
    ["u", await log.offsets("u")],
  ]);
  await log.append([{ topic: "u", key: "a", headers: {}, value: Buffer.from("late"), dedupeId: "late" }]);
  let isOver = false;
  await mkdir(folder);
  const copying = log.copyTo?.(folder, until).finally(() => (isOver = true));
  while (!isOver) await log.append(recordsOf(100, 20_000));
  await copying;
  await log.close();
  const copy = await openEmbeddedLog({ folder });
  assert.deepEqual([await copy.offsets("t"), await copy.offsets("u")], [until.get("t"), until.get("u")]);
  let count = 0;
  for (const partition of [0, 1, 2]) {
    const records = await copy.read("t", new Map([[partition, 0]]), 10_000);
    assert.ok(records.every(({ value }) => Number(Buffer.from(value)) < 20_000));
    count += records.length;
  }
  assert.equal(count, 20_000);
  // What was seen before is seen, and what came later is not.
  for (const dedupeId of ["kept", "late"])
    await copy.append([{ topic: "u", key: "a", headers: {}, value: Buffer.from("again"), dedupeId }]);
  const texts = (await copy.read("u", new Map([[0, 0]]), 10)).map(({ offset, value }) => [
    offset,
    Buffer.from(value).toString(),
  ]);
  assert.deepEqual(texts, [
    [0, "x"],
    [1, "again"],
  ]);
  await copy.close();
});

test("too many waiting appends are refused, and those that were accepted are all written", async () => {
  const log = await openEmbeddedLog({ folder: join(root, "busy") });
  await log.createTopics([{ name: "t", partitions: 4, retentionMs: 1e9 }]);
  const results = await Promise.allSettled(
    Array.from({ length: 70 }, (_, index) => log.append(recordsOf(1000, index * 1000))),
  );
  const accepted = results.filter((result) => result.status === "fulfilled").length;
  const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  assert.ok(refused.length > 0);
  assert.ok(refused.every((reason) => reason instanceof Problem && reason.code === "resource_exhausted"));
  const total = [...(await log.offsets("t")).values()].reduce((sum, next) => sum + next, 0);
  assert.equal(total, accepted * 1000);
  await log.close();
});

test("a folder that another log has open is refused with a reason", async () => {
  const folder = join(root, "taken");
  const log = await openEmbeddedLog({ folder });
  await log.createTopics([{ name: "t", partitions: 1, retentionMs: 1e9 }]);
  await assert.rejects(openEmbeddedLog({ folder }), /another program has .* open/);
  await log.append(recordsOf(1));
  await log.close();
  await assert.rejects(log.append(recordsOf(1)), { code: "unavailable" });
  assert.equal((await log.state()).ok, false);
});

test("close waits for the appends that were accepted", async () => {
  const folder = join(root, "closed");
  const log = await openEmbeddedLog({ folder });
  await log.createTopics([{ name: "t", partitions: 1, retentionMs: 1e9 }]);
  const appended = log.append(recordsOf(100));
  await log.close();
  await appended;
  const again = await openEmbeddedLog({ folder });
  assert.deepEqual([...(await again.offsets("t"))], [[0, 100]]);
  await again.close();
});

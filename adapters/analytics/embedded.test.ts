import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Problem } from "#kernel/errors";
import type { AnalyticsTable } from "#kernel/ports/analytics";
import { analyticsContract } from "./contract.ts";
import { openEmbeddedAnalytics } from "./embedded.ts";

let folder: string;
before(async () => (folder = await mkdtemp(join(tmpdir(), "marquee-analytics-"))));
after(() => rm(folder, { recursive: true, force: true }));

analyticsContract("embedded", () => openEmbeddedAnalytics({ folder: join(folder, "contract") }));

const table: AnalyticsTable = {
  ...{ name: "test_rows", columns: { at: "timeMs", n: "int" }, time: "at", retentionDays: 30, orderBy: ["at"] },
};
const rows = (n: number) => [{ at: Date.now(), n }];
const text = "SELECT count() AS n FROM test_rows";
const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

test("nothing runs before it is needed, nor long after; what was written is there again", async () => {
  const store = await openEmbeddedAnalytics({ folder: join(folder, "idle"), idleMs: 50 });
  try {
    store.declare([table]);
    assert.deepEqual([store.pid(), (await store.state()).ok], [undefined, true]);
    await store.insert({ tenant: "t", table: table.name, batch: "1", rows: rows(1) });
    const first = store.pid();
    assert.ok(first);
    while (store.pid() !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(isGone(first));
    assert.deepEqual(await store.query({ tenant: "t", text, rowsMax: 1 }), [{ n: 1 }]);
    assert.notEqual(store.pid(), first);
  } finally {
    await store.close();
  }
  assert.equal(store.pid(), undefined);
});

test("what was acknowledged survives kill -9, and the batch is still known", async () => {
  const store = await openEmbeddedAnalytics({ folder: join(folder, "killed") });
  try {
    store.declare([table]);
    for (let n = 0; n < 20; n += 1)
      await store.insert({ tenant: "t", table: table.name, batch: `b${n}`, rows: rows(n) });
    const pid = store.pid();
    assert.ok(pid);
    process.kill(pid, "SIGKILL");
    while (store.pid() === pid) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const n of [19, 20]) await store.insert({ tenant: "t", table: table.name, batch: `b${n}`, rows: rows(n) });
    assert.deepEqual(await store.query({ tenant: "t", text, rowsMax: 1 }), [{ n: 21 }]);
  } finally {
    await store.close();
  }
});

test("a folder that somebody else has open is told, with the remedy", async () => {
  const shared = join(folder, "shared");
  const [one, two] = [await openEmbeddedAnalytics({ folder: shared }), await openEmbeddedAnalytics({ folder: shared })];
  try {
    for (const each of [one, two]) each.declare([table]);
    await one.insert({ tenant: "t", table: table.name, batch: "1", rows: rows(1) });
    await assert.rejects(
      two.insert({ tenant: "t", table: table.name, batch: "2", rows: rows(2) }),
      (error) =>
        error instanceof Problem && error.code === "unavailable" && /MARQUEE_CLICKHOUSE_URL/.test(error.message),
    );
    assert.equal((await two.state()).ok, false);
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
});

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { silentLogger } from "#kernel/telemetry";
import { openTestDatabase, type TestDatabase } from "../../../kernel/testing/database.ts";
import { channelOf } from "./domain.ts";
import type { LivePlatform } from "./service.ts";
import { openStations } from "./stations.ts";
import * as store from "./store.ts";

const HERE = { tenant: "demo" };
let database: TestDatabase;
let db: ReturnType<TestDatabase["db"]>;

before(async () => {
  const folder = new URL("./migrations/", import.meta.url);
  const names = (await readdir(folder)).toSorted((a, b) => (a < b ? -1 : 1));
  const scripts = await Promise.all(names.map((name) => readFile(new URL(name, folder), "utf8")));
  database = await openTestDatabase(["live"], scripts.join("\n"), ["owners"]);
  db = database.db("live");
});
after(() => database.close());

const channel = (id: string, number: number) =>
  channelOf(
    {
      ...{ id, number, name: id, logo: "", language: "en", latency: "low", ageRating: 0, tier: "basic", ladder: [] },
      ...{ onAir: true, onDemand: true, dvrWindowS: 60 },
    },
    [{ kind: "demo", url: "", secret: "" }],
  );

const segment = (number: number, track: string): store.StoredSegment => ({
  ...{ number, run: 1, runFirst: 1, dayIndex: 1 },
  tracks: { [track]: { sizeBytes: 100, durationTicks: 180_000, init: "init-1.mp4" } },
});

test("an id is one over all tenants, a number within one", async () => {
  await db.tx(HERE, (tx) => store.insert(tx, channel("ch-a", 1), ""));
  await assert.rejects(
    db.tx(HERE, (tx) => store.insert(tx, channel("ch-b", 1), "")),
    { reason: "number_taken" },
  );
  await assert.rejects(
    db.tx({ tenant: "north" }, (tx) => store.insert(tx, channel("ch-a", 1), "")),
    { code: "already_exists" },
  );
  assert.equal(await db.read({ tenant: "north" }, (tx) => store.find(tx, "ch-a")), undefined);
  assert.deepEqual(await db.tx(HERE, (tx) => store.owners(tx, 10)), ["demo"]);
  assert.equal(await db.tx(HERE, (tx) => store.beginRun(tx, "ch-a")), 1);
  assert.equal(await db.tx(HERE, (tx) => store.beginRun(tx, "ch-a")), 2);
});

test("what is pinned is not trimmed, until nobody pins it any more", async () => {
  await db.tx(HERE, async (tx) => {
    for (let number = 1; number <= 10; number++) {
      await store.addToSegment(tx, "ch-a", segment(number, "v"));
      await store.addToSegment(tx, "ch-a", segment(number, "a"));
    }
    await store.pin(tx, { channelId: "ch-a", holder: "one", firstNumber: 3, lastNumber: 5 });
    await store.pin(tx, { channelId: "ch-a", holder: "two", firstNumber: 5, lastNumber: 20 });
  });
  const trimmable = async (before: number) =>
    (await db.read(HERE, (tx) => store.trimmable(tx, { channelId: "ch-a", beforeNumber: before, limit: 100 }))).map(
      ({ number }) => number,
    );
  assert.deepEqual(await trimmable(100), [1, 2]);
  assert.deepEqual(await db.read(HERE, (tx) => store.bytesOf(tx, "ch-a")), { segments: 10, bytes: 2_000 });
  await db.tx(HERE, (tx) => store.unpin(tx, "ch-a", "two"));
  assert.deepEqual(await trimmable(9), [1, 2, 6, 7, 8]);
  await db.tx(HERE, (tx) => store.removeSegments(tx, "ch-a", [1, 2]));
  const [first] = await db.read(HERE, (tx) => store.segmentsOf(tx, "ch-a", { fromNumber: 0, toNumber: 100, limit: 1 }));
  assert.deepEqual([first?.number, Object.keys(first?.tracks ?? {}).toSorted()], [3, ["a", "v"]]);
});

test("holds end by themselves", async () => {
  await db.tx(HERE, async (tx) => {
    await store.hold(tx, "ch-a", "one", 100);
    await store.hold(tx, "ch-a", "two", 200);
  });
  assert.deepEqual(await db.tx(HERE, (tx) => store.heldUntil(tx, 50)), new Map([["ch-a", 200]]));
  assert.deepEqual(await db.tx(HERE, (tx) => store.heldUntil(tx, 200)), new Map());
});

test("a channel that is removed leaves nothing", async () => {
  assert.equal((await db.tx(HERE, (tx) => store.remove(tx, "ch-a")))?.channel.id, "ch-a");
  assert.equal((await db.read(HERE, (tx) => store.bytesOf(tx, "ch-a"))).segments, 0);
  assert.equal(await db.tx(HERE, (tx) => store.ownerOf(tx, "ch-a")), undefined);
});

test("a window that is too large loses its oldest, and a full disk the oldest of all channels; never what is pinned", async () => {
  await db.tx(HERE, async (tx) => {
    await store.insert(tx, channel("ch-young", 2), "");
    await store.insert(tx, channel("ch-old", 3), "");
    for (const number of [1_000, 1_001, 1_002, 1_003, 1_004, 1_005]) {
      await store.addToSegment(tx, "ch-young", segment(number, "v"));
      await store.addToSegment(tx, "ch-old", segment(number - 500, "v"));
    }
    await store.pin(tx, { channelId: "ch-old", holder: "rec", firstNumber: 500, lastNumber: 501 });
    await store.pin(tx, { channelId: "ch-young", holder: "rec", firstNumber: 1_000, lastNumber: 1_000 });
  });
  const deleted: string[] = [];
  // What is older than its window would go first: nothing is.
  const clock = { nowMs: () => 1_006 * 2_000, sleep: async () => {} };
  const bound = { MARQUEE_LIVE_DVR_BYTES: 300, MARQUEE_LIVE_KEY_PERIOD_MS: 86_400_000 };
  const stations = openStations({
    ...{ db, clock, config: bound, logger: silentLogger },
    objects: { delete: async (keys: readonly string[]) => void deleted.push(...keys) },
  } as unknown as LivePlatform);
  const numbersOf = async (channelId: string) =>
    (await db.read(HERE, (tx) => store.segmentsOf(tx, channelId, { fromNumber: 0, toNumber: 9_999, limit: 100 }))).map(
      ({ number }) => number,
    );
  await db.tx(HERE, (tx) => store.pin(tx, { channelId: "ch-old", holder: "all", firstNumber: 0, lastNumber: 9_999 }));
  const young = await stations.of("ch-young");
  assert.equal(young.health().message, "");
  await stations.trim(AbortSignal.timeout(10_000));
  assert.deepEqual(await numbersOf("ch-young"), [1_000, 1_003, 1_004, 1_005], "three besides what is pinned");
  assert.deepEqual(await numbersOf("ch-old"), [500, 501, 502, 503, 504, 505]);
  assert.deepEqual(deleted, ["live/ch-young/v/1001.m4s", "live/ch-young/v/1002.m4s"]);
  assert.match(young.health().message, /^the window is cut: .*MARQUEE_LIVE_DVR_BYTES/);
  await db.tx(HERE, (tx) => store.unpin(tx, "ch-old", "all"));
  assert.deepEqual(await Promise.all([stations.makeRoom("demo"), stations.makeRoom("demo")]), [true, true]);
  assert.deepEqual([await numbersOf("ch-old"), await numbersOf("ch-young")], [[500, 501], [1_000]]);
  assert.equal(await stations.makeRoom("demo"), false, "what recordings hold stays");
});

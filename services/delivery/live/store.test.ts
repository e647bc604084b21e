import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { openTestDatabase, type TestDatabase } from "../../../kernel/testing/database.ts";
import { channelOf } from "./domain.ts";
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
    (await db.read(HERE, (tx) => store.trimmable(tx, "ch-a", before, 100))).map(({ number }) => number);
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

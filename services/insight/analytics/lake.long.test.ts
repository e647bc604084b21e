import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { commit } from "./commit.ts";
import { compact, erase, expire, keepEvents, retain, sweep } from "./keep.ts";
import { filesOf, type LakePlatform, load, manifestsOf } from "./lake.ts";
import * as store from "./store.ts";
import { Crash, objectsWith, openTestLake, placesIn, placesOf, type TestLake } from "./testing/lake.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
let lake: TestLake;
let tenants = 0;
before(async () => {
  lake = await openTestLake();
});
after(() => lake?.stop());

/** Tests share engines, and each has a tenant of its own. */
const newTenant = (): string => `t${++tenants}`;
const failed = (tenant: string, contentId: string) =>
  [tenant, "failed", { contentId, reason: "test", message: `about ${contentId}` }] as const;
const logout = (tenant: string, userId: string) =>
  [tenant, "logout", { userId, deviceId: "d", reason: "user" }] as const;
const many = (count: number, tenant: string, from = 0) =>
  Array.from({ length: count }, (_, index) => failed(tenant, `content-${from + index}`));

async function assertSame(tenant: string, without = "nobody"): Promise<void> {
  const kept = await lake.kept(tenant);
  const logged = (await lake.logged(tenant)).filter(({ key }) => key !== without);
  assert.deepEqual(placesOf(kept), placesIn(logged));
  for (const [index, row] of kept.entries()) {
    const record = logged[index];
    assert.deepEqual(row.value, Buffer.from(record?.value ?? []));
    assert.equal(row.key, record?.key);
    assert.equal(row.event_id, record?.headers["ce_id"]);
  }
}

test("every event is a row as it was received, and each tenant has a table of its own", async () => {
  const [one, two] = [newTenant(), newTenant()];
  await lake.append([...many(5, one), logout(one, "usr_0123456789"), ...many(3, two), ...many(2, one)]);
  await lake.collect();
  await assertSame(one);
  await assertSame(two);
  const row = (await lake.kept(one)).find(({ event_type: type }) => type === "auth.logout");
  assert.deepEqual(
    { ...row, event_id: "", time: 0, logged_at: 0, log_offset: 0, log_partition: 0, value: "", schema_id: 0 },
    {
      ...{
        event_id: "",
        event_type: "auth.logout",
        time: 0,
        tenant: one,
        source: "/marquee/auth",
        key: "usr_0123456789",
      },
      ...{ topic: "user.events", log_offset: 0, log_partition: 0, logged_at: 0, schema_id: 0, value: "", headers: {} },
      data: '{"userId":"usr_0123456789","deviceId":"d","reason":"user"}',
    },
  );
  assert.equal(row?.schema_id, row?.value.readInt32BE(1));
  for (const tenant of [one, two]) await lake.check(tenant);
  assert.deepEqual(
    (await lake.objects.list(`lake/${two}/`, { keysMax: 100 })).map(({ key }) => key.split("/").slice(2, 5).join("/")),
    ["data", "metadata", "metadata", "metadata"].map((folder) => `bronze/events/${folder}`),
  );
});

test("wherever a program dies, each event is in the table once and no object is lost or left behind", async () => {
  const work = fc.constantFrom("collect", "collect", "compact", "ask", "erase", "retain", "expire", "sweep");
  const life = fc.record({
    works: fc.array(work, { minLength: 1, maxLength: 3 }),
    events: fc.nat({ max: 6 }),
    steps: fc.nat({ max: 30 }),
    isAfter: fc.boolean(),
    passMs: fc.constantFrom(0, 60_000, 2 * HOUR_MS),
  });
  const gone = "usr_01gone0000000000000000000";
  const works = {
    ...{ erase, retain, expire, sweep },
    collect: (parts: LakePlatform) => lake.collect(parts, { recordsMax: 5 }),
    compact: (parts: LakePlatform, tenant: string) => compact(parts, tenant, 1),
    ask: (parts: LakePlatform, tenant: string) =>
      parts.db.tx({ tenant }, (tx) => store.askErasure(tx, gone, lake.clock.nowMs())),
  };
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 8 }), async (lives) => {
      const [one, two] = [newTenant(), newTenant()];
      for (const { works: names, events, steps, isAfter, passMs } of lives) {
        await lake.append([...many(events, one), ...many(events, two), logout(one, gone), logout(two, gone)]);
        await lake.clock.advance(passMs);
        const parts = lake.program({ steps, isAfter });
        try {
          for (const name of names) for (const tenant of [one, two]) await works[name](parts, tenant);
        } catch (error) {
          assert.ok(error instanceof Crash, String(error));
        }
        for (const tenant of [one, two]) await lake.check(tenant);
      }
      await lake.collect();
      // Two hours later nothing that was left behind, or is only in the past of a table, is there any more.
      for (const tenant of [one, two]) {
        const asked = Number((await lake.query(tenant, "SELECT count(*) AS count FROM erasures"))[0]?.["count"]) > 0;
        await lake.clock.advance(2 * HOUR_MS);
        await erase(lake.program(), tenant);
        await expire(lake.program(), tenant);
        await lake.clock.advance(HOUR_MS);
        await sweep(lake.program(), tenant);
        assert.deepEqual(await lake.query(tenant, "SELECT key FROM garbage"), []);
        await lake.check(tenant);
        await assertSame(tenant, asked ? gone : undefined);
        if (asked) assert.deepEqual(await objectsWith(lake, gone, tenant), []);
      }
    }),
    { numRuns: 20 },
  );
});

test("one step after the other: a collector that dies at each of them loses and doubles nothing", async () => {
  const tenant = newTenant();
  let crashes = 0;
  for (let steps = 0; ; steps += 1) {
    let whole = 0;
    for (const isAfter of [false, true]) {
      await lake.append([...many(2, tenant), logout(tenant, "usr_anybody1")]);
      const died = await lake.collect(lake.program({ steps, isAfter })).then(
        () => false,
        (error: unknown) => error instanceof Crash,
      );
      await lake.check(tenant);
      if (died) crashes += 1;
      else whole += 1;
    }
    if (whole === 2) break;
  }
  // Two data files, a manifest, a list and a metadata file alone are five.
  assert.ok(crashes > 20, `${crashes} crashes`);
  await lake.collect();
  await assertSame(tenant);
});

test("those who write at once are all heard, once", async () => {
  const tenant = newTenant();
  await lake.append(many(40, tenant));
  await lake.collect();
  const writers = Array.from({ length: 4 }, async (_, index) => {
    const rounds = Array.from({ length: 3 }, (_unused, round) => round);
    for (const round of rounds) {
      await lake.append(many(3, tenant, index * 100 + round));
      // Each collector has a cache of its own, so that no lock keeps them apart.
      await lake.collect().catch((error: unknown) => assert.match(String(error), /another member|has changed/));
    }
  });
  await Promise.all([...writers, retain(lake.program(), tenant), expire(lake.program(), tenant)]);
  await lake.collect();
  await assertSame(tenant);
  await lake.check(tenant);
});

test("many small files and manifests become few, and the rows stay", async () => {
  const tenant = newTenant();
  for (let index = 0; index < 105; index += 1) {
    await lake.append([failed(tenant, `content-${index}`)]);
    await lake.collect();
  }
  const before = await load(lake.program(), tenant);
  assert.ok((await manifestsOf(lake.program(), tenant, before)).length < 100);
  assert.equal((await filesOf(lake.program(), tenant, before)).length, 105);
  assert.equal(await compact(lake.program(), tenant), 1);
  const loaded = await load(lake.program(), tenant);
  assert.equal((await filesOf(lake.program(), tenant, loaded)).length, 1);
  await assertSame(tenant);
  await lake.check(tenant);
  assert.ok(loaded.table.snapshots.length <= 100 && loaded.table["metadata-log"].length <= 20);
  // Nobody can read the old files any more after their time, and then they are deleted.
  await lake.clock.advance(2 * HOUR_MS);
  await expire(lake.program(), tenant);
  await lake.clock.advance(HOUR_MS);
  await sweep(lake.program(), tenant);
  await lake.check(tenant);
  const data = await lake.objects.list(`lake/${tenant}/bronze/events/data/`, { keysMax: 1_000 });
  assert.equal(data.length, 1);
});

test("a snapshot can be read for as long as the table names it, and its files are deleted after that", async () => {
  const tenant = newTenant();
  await lake.append([logout(tenant, "usr_stays0001")]);
  await lake.collect();
  const [file] = await filesOf(lake.program(), tenant, await load(lake.program(), tenant));
  await lake.clock.advance(91 * DAY_MS);
  await lake.append(many(2, tenant));
  await lake.collect();
  assert.equal(await retain(lake.program(), tenant), 1);
  await sweep(lake.program(), tenant);
  assert.deepEqual(
    (await lake.kept(tenant)).map(({ event_type: type }) => type),
    ["ingest.failed", "ingest.failed"],
  );
  await lake.clock.advance(HOUR_MS / 2);
  await sweep(lake.program(), tenant);
  await lake.check(tenant);
  assert.equal((await lake.objects.list(`lake/${tenant}/bronze/events/data/`, { keysMax: 9 })).length, 2);
  await lake.clock.advance(HOUR_MS);
  await expire(lake.program(), tenant);
  await lake.clock.advance(HOUR_MS);
  await sweep(lake.program(), tenant);
  const left = await lake.objects.list(`lake/${tenant}/bronze/events/data/`, { keysMax: 9 });
  assert.equal(left.length, 1);
  assert.ok(!file?.path.endsWith(left[0]?.key.split("/").at(-1) ?? ""));
  assert.equal(await retain(lake.program(), tenant), 0);
  await lake.check(tenant);
});

test("what names a deleted person is found nowhere, also what comes later and what a crash left behind", async () => {
  const tenant = newTenant();
  const [gone, stays] = ["usr_01gone0000000000000000000", "usr_01stays000000000000000000"];
  await lake.append([...many(3, tenant), logout(tenant, gone), logout(tenant, stays), failed(tenant, `of-${gone}`)]);
  // A batch of which every object was written, and nothing committed.
  await assert.rejects(lake.collect(lake.program({ steps: 8, isAfter: false })), Crash);
  await lake.collect();
  await lake.append([logout(tenant, stays), ...many(2, tenant, 10)]);
  await lake.collect();
  assert.ok((await objectsWith(lake, gone, tenant)).length >= 2);
  await lake.program().db.tx({ tenant }, (tx) => store.askErasure(tx, gone, lake.clock.nowMs()));
  // Drafts may be somebody's work: until they are swept the erasure stays open.
  assert.equal(await erase(lake.program(), tenant), 0);
  await lake.append([logout(tenant, gone), logout(tenant, stays)]);
  await lake.collect();
  await lake.clock.advance(HOUR_MS);
  assert.equal(await erase(lake.program(), tenant), 1);
  assert.deepEqual(await objectsWith(lake, gone, tenant), []);
  assert.ok((await objectsWith(lake, stays, tenant)).length > 0);
  const logged = (await lake.logged(tenant)).filter(({ key }) => !key.includes(gone));
  assert.deepEqual(placesOf(await lake.kept(tenant)), placesIn(logged));
  await lake.check(tenant);
  await lake.append([logout(tenant, gone)]);
  await lake.collect();
  assert.deepEqual(await objectsWith(lake, gone, tenant), []);
  assert.equal(await erase(lake.program(), tenant), 0);
});

test("an erasure that is asked for while a batch is being written is heard", async () => {
  const tenant = newTenant();
  const gone = "usr_01asked000000000000000000";
  await lake.append([logout(tenant, gone), ...many(2, tenant)]);
  const parts = lake.program();
  const asks = {
    ...parts,
    objects: {
      ...parts.objects,
      put: async (...put: Parameters<typeof parts.objects.put>) => {
        await parts.objects.put(...put);
        await parts.db.tx({ tenant }, (tx) => store.askErasure(tx, gone, lake.clock.nowMs()));
      },
    },
  };
  await assert.rejects(lake.collect(asks), /an erasure was asked for meanwhile/);
  await lake.collect();
  assert.equal((await lake.kept(tenant)).length, 2);
  // What the batch had written already does not wait for its hour as a crash's would.
  assert.equal(await erase(lake.program(), tenant), 1);
  assert.deepEqual(await objectsWith(lake, gone, tenant), []);
});

test("who took too long finds its files deleted, and commits nothing of them", async () => {
  const tenant = newTenant();
  await lake.append(many(2, tenant));
  const parts = lake.program();
  let slept = false;
  const slow = {
    ...parts,
    objects: {
      ...parts.objects,
      put: async (...put: Parameters<typeof parts.objects.put>) => {
        await parts.objects.put(...put);
        if (slept) return;
        slept = true;
        await lake.clock.advance(2 * HOUR_MS);
        await sweep(parts, tenant);
      },
    },
  };
  await assert.rejects(lake.collect(slow), /it took too long/);
  await lake.check(tenant);
  await lake.collect();
  await assertSame(tenant);
});

test("a change whose files somebody else replaced is refused", async () => {
  const tenant = newTenant();
  await lake.append(many(2, tenant));
  await lake.collect();
  const parts = lake.program();
  const removed = new Set((await filesOf(parts, tenant, await load(parts, tenant))).map(({ path }) => path));
  await commit(parts, tenant, { operation: "delete", added: [], removed });
  await assert.rejects(commit(parts, tenant, { operation: "delete", added: [], removed }), { reason: "files_gone" });
  assert.deepEqual(await lake.kept(tenant), []);
  await lake.check(tenant);
});

test("a batch of nobody's events but the deleted is passed, with no file", async () => {
  const tenant = newTenant();
  const gone = "usr_01nobody0000000000000000";
  await lake.program().db.tx({ tenant }, (tx) => store.askErasure(tx, gone, lake.clock.nowMs()));
  await lake.append([logout(tenant, gone)]);
  await lake.collect();
  assert.equal((await load(lake.program(), tenant)).version, 0);
  assert.equal(await erase(lake.program(), tenant), 1);
  const commits: number[] = [];
  const event = { id: "e", name: "x", tenant, source: "", timeMs: 1, headers: {}, topic: "t", partition: 0, offset: 0 };
  const events = [{ ...event, key: gone, value: Buffer.of(), loggedMs: 1, data: undefined }];
  await keepEvents(lake.program(), { tenant, events, commit: async () => void commits.push(1) });
  assert.deepEqual(commits, [1]);
});

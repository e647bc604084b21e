import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Problem, type ProblemCode } from "#kernel/errors";
import type { Analytics, AnalyticsTable } from "#kernel/ports/analytics";

const DAY_MS = 86_400_000;
const is = (code: ProblemCode, words?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Problem, String(error));
  assert.equal(error.code, code, error.message);
  if (words) assert.match(error.message, words);
  return true;
};

/** What every analytics store does. Tables have names of their own, so that a shared server can be tested again and again. */
export function analyticsContract(name: string, open: () => Promise<Analytics>): void {
  describe(`analytics contract: ${name}`, () => {
    const suffix = randomUUID().slice(0, 8);
    const beats: AnalyticsTable = {
      name: `contract_beats_${suffix}`,
      columns: { user_id: "string", network: "word", at: "timeMs", score: "float", count: "int", live: "flag" },
      ...{ time: "at", retentionDays: 30, orderBy: ["network", "at"], person: "user_id" },
    };
    const notes: AnalyticsTable = {
      name: `contract_notes_${suffix}`,
      columns: { network: "word", at: "timeMs", note: "string" },
      ...{ time: "at", retentionDays: 30, orderBy: ["at"] },
    };
    const nowMs = Date.now();
    const beat = (user_id: string, score: number, more: object = {}) => ({
      ...{ user_id, network: "a", at: nowMs, score, count: 1, live: false },
      ...more,
    });
    let store: Analytics;
    before(async () => {
      store = await open();
      store.declare([beats, notes]);
    });
    after(() => store.close());

    const count = async (tenant: string, more = ""): Promise<unknown> => {
      const [row] = await store.query({ tenant, text: `SELECT count() AS n FROM ${beats.name} ${more}`, rowsMax: 1 });
      return row?.["n"];
    };
    const tenant = (): string => `t-${randomUUID().slice(0, 8)}`;

    test("rows come back as they were written, and parameters are values", async () => {
      const own = tenant();
      const hostile = "a'b\\c\n\td \"\u{1F3AC}` -- {x:String}";
      const row = beat(hostile, 0.1, { count: Number.MAX_SAFE_INTEGER, live: true, at: nowMs - 1 });
      await store.insert({ tenant: own, table: beats.name, batch: "1", rows: [row, beat("other", 2)] });
      const text = `SELECT user_id, network, toUnixTimestamp64Milli(at) AS at, score, count, live FROM ${beats.name} WHERE user_id = {user:String} AND score < {most:Float64}`;
      assert.deepEqual(await store.query({ tenant: own, text, params: { user: hostile, most: 1.5 }, rowsMax: 10 }), [
        row,
      ]);
      assert.deepEqual(
        await store.query({ tenant: own, text, params: { user: "nobody", most: 1.5 }, rowsMax: 10 }),
        [],
      );
    });

    test("a batch that comes again changes nothing; another one does", async () => {
      const own = tenant();
      const rows = Array.from({ length: 20_000 }, (_, i) => beat(`u${i}`, i % 100, { at: nowMs - (i % 3) * DAY_MS }));
      const batch = { tenant: own, table: beats.name, rows };
      await store.insert({ ...batch, batch: "topic/3/0-20000" });
      await store.insert({ ...batch, batch: "topic/3/0-20000" });
      assert.equal(await count(own), 20_000);
      await Promise.all([1, 2, 3, 4].map(() => store.insert({ ...batch, batch: "together" })));
      assert.equal(await count(own), 40_000);
      const other = tenant();
      await store.insert({ ...batch, tenant: other, batch: "together" });
      assert.equal(await count(other), 20_000, "the name of a batch is the tenant's");
      const text = `SELECT quantileExact(0.25)(score) AS p25 FROM ${beats.name} GROUP BY network LIMIT 5`;
      assert.deepEqual(await store.query({ tenant: own, text, rowsMax: 5 }), [{ p25: 25 }]);
    });

    test("nobody sees another tenant's rows, however they ask", async () => {
      const [own, other] = [tenant(), tenant()];
      await store.insert({ tenant: own, table: beats.name, batch: "1", rows: [beat("u", 1)] });
      await store.insert({ tenant: other, table: beats.name, batch: "1", rows: [beat("u", 2), beat("v", 3)] });
      await store.insert({
        tenant: other,
        table: notes.name,
        batch: "1",
        rows: [{ network: "a", at: nowMs, note: "n" }],
      });
      const t = beats.name;
      for (const text of [
        `SELECT count() AS n FROM ${t}`,
        `SELECT count() AS n FROM ${t} AS b WHERE b.user_id LIKE {any:String} OR 1 = 1`,
        `SELECT count() AS n FROM (SELECT * FROM ${t})`,
        `WITH all_of_them AS (SELECT * FROM ${t}) SELECT count() AS n FROM all_of_them`,
        `SELECT uniqExact(score) AS n FROM ${t} WHERE user_id IN (SELECT user_id FROM ${t})`,
        `SELECT (SELECT count() FROM ${t}) AS n`,
        `SELECT sum(n) AS n FROM (SELECT count() AS n FROM ${t} UNION ALL SELECT count() AS n FROM ${notes.name})`,
        `SELECT count() AS n FROM ${t} AS a LEFT JOIN ${notes.name} AS b ON a.network = b.network WHERE b.note = {none:String}`,
      ]) {
        const [row] = await store.query({ tenant: own, text, params: { any: "%", none: "" }, rowsMax: 1 });
        assert.equal(Number(row?.["n"]), 1, text);
      }
    });

    test("what could read around the tenant is refused before it is asked", async () => {
      const own = tenant();
      for (const text of [
        "SELECT count() FROM merge(currentDatabase(), {x:String})",
        "SELECT * FROM system.tables",
        "SELECT * FROM undeclared",
        `SELECT * FROM ${beats.name}, undeclared`,
        `SELECT * FROM ${beats.name} JOIN undeclared USING (at)`,
        `SELECT * FROM ${beats.name} SETTINGS additional_table_filters = {}`,
        `SELECT * FROM ${beats.name} FORMAT CSV`,
        `SELECT 1; DROP TABLE ${beats.name}`,
        `SELECT * FROM ${beats.name} WHERE user_id = 'x'`,
        `SELECT * FROM ${beats.name} -- more`,
        `DROP TABLE ${beats.name}`,
        `INSERT INTO ${beats.name} SELECT * FROM ${beats.name}`,
      ])
        await assert.rejects(store.query({ tenant: own, text, rowsMax: 10 }), is("invalid_argument"), text);
      await assert.rejects(
        store.query({ tenant: "x' OR 1", text: "SELECT 1", rowsMax: 1 }),
        is("invalid_argument", /tenant/),
      );
      await assert.rejects(
        store.query({ tenant: own, text: "SELECT 1", rowsMax: 0 }),
        is("invalid_argument", /rowsMax/),
      );
    });

    test("what is too much or takes too long is refused", async () => {
      const own = tenant();
      await store.insert({ tenant: own, table: beats.name, batch: "1", rows: [1, 2, 3].map((n) => beat(`u${n}`, n)) });
      const text = `SELECT user_id FROM ${beats.name} ORDER BY user_id`;
      assert.equal((await store.query({ tenant: own, text, rowsMax: 3 })).length, 3);
      await assert.rejects(store.query({ tenant: own, text, rowsMax: 2 }), is("resource_exhausted"));
      await assert.rejects(
        store.query({
          tenant: own,
          text: `SELECT sleepEachRow(0.9) AS s FROM ${beats.name}`,
          rowsMax: 9,
          deadlineMs: 300,
        }),
        is("deadline_exceeded", /300 ms/),
      );
      assert.equal(await count(own), 3, "and it goes on after that");
    });

    test("rows that do not fit their table are refused, all of the batch", async () => {
      const own = tenant();
      const put = (rows: readonly object[], more: object = {}) =>
        store.insert({ tenant: own, table: beats.name, batch: "1", rows: rows as never, ...more });
      await assert.rejects(
        put([beat("u", 1), { ...beat("u", 1), score: Number.NaN }]),
        is("invalid_argument", /score/),
      );
      await assert.rejects(put([{ ...beat("u", 1), count: 0.5 }]), is("invalid_argument", /count/));
      await assert.rejects(put([{ ...beat("u", 1), live: 1 }]), is("invalid_argument", /live/));
      const { network: _, ...without } = beat("u", 1);
      await assert.rejects(put([without]), is("invalid_argument", /network/));
      await assert.rejects(put([{ ...beat("u", 1), tenant: "other" }]), is("invalid_argument", /tenant/));
      await assert.rejects(put([beat("u", 1)], { tenant: "Bad Tenant" }), is("invalid_argument", /tenant/));
      await assert.rejects(put([beat("u", 1)], { batch: "" }), is("invalid_argument", /batch/));
      await assert.rejects(put([beat("u", 1)], { table: "contract_unknown" }), is("invalid_argument", /not declared/));
      assert.equal(await count(own), 0);
      await put([]);
    });

    test("a person's rows are erased, and nobody else's", async () => {
      const [own, other] = [tenant(), tenant()];
      const rows = [beat("gone", 1), beat("gone", 2, { at: nowMs - 2 * DAY_MS }), beat("stays", 3)];
      for (const each of [own, other]) await store.insert({ tenant: each, table: beats.name, batch: "1", rows });
      await store.erase({ tenant: own, table: beats.name, person: "gone" });
      assert.deepEqual([await count(own), await count(other)], [1, 3]);
      await store.insert({ tenant: own, table: beats.name, batch: "1", rows });
      assert.equal(await count(own), 1, "a batch that comes late does not bring them back");
      await store.erase({ tenant: own, table: beats.name, person: "' OR 1 = 1 OR '" });
      assert.equal(await count(own), 1);
      await assert.rejects(
        store.erase({ tenant: own, table: notes.name, person: "gone" }),
        is("invalid_argument", /whose/),
      );
    });

    test("rows that outlived their time are gone", async () => {
      const own = tenant();
      const rows = [beat("old", 1, { at: nowMs - 40 * DAY_MS }), beat("new", 2)];
      await store.insert({ tenant: own, table: beats.name, batch: "1", rows });
      // Engines look for what is old now and then, and at the latest when they are asked by their own means.
      for (let tries = 0; tries < 100 && (await count(own)) !== 1; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(await count(own), 1);
    });

    test("a table learns new columns, and one of another type is refused", async () => {
      const own = tenant();
      const before: AnalyticsTable = { ...notes, name: `contract_grows_${suffix}` };
      store.declare([before]);
      await store.insert({
        tenant: own,
        table: before.name,
        batch: "1",
        rows: [{ network: "a", at: nowMs, note: "n" }],
      });
      store.declare([{ ...before, columns: { ...before.columns, weight: "float" } }]);
      const row = { network: "a", at: nowMs, note: "m", weight: 0.5 };
      await store.insert({ tenant: own, table: before.name, batch: "2", rows: [row] });
      const text = `SELECT note, weight FROM ${before.name} ORDER BY note DESC`;
      assert.deepEqual(await store.query({ tenant: own, text, rowsMax: 5 }), [
        { note: "n", weight: 0 },
        { note: "m", weight: 0.5 },
      ]);
      store.declare([{ ...before, columns: { ...before.columns, weight: "int" } }]);
      await assert.rejects(
        store.insert({ tenant: own, table: before.name, batch: "3", rows: [{ ...row, weight: 1 }] }),
        is("failed_precondition", /weight/),
      );
      store.declare([before]);
    });

    test("tables that make no sense are refused", () => {
      for (const wrong of [
        { name: "Drop Table" },
        { time: "network" },
        { orderBy: ["unknown"] },
        { person: "unknown" },
        { retentionDays: 0 },
        { columns: { ...notes.columns, tenant: "word" } },
        { columns: { ...notes.columns, "a b": "word" } },
      ] as const)
        assert.throws(() => store.declare([{ ...notes, ...wrong }]), is("invalid_argument"), JSON.stringify(wrong));
    });

    test("state says that it is well, and which version it is", async () => {
      const { ok, detail } = await store.state();
      assert.ok(ok, detail);
      assert.match(detail, /version \d+\.\d+/);
    });
  });
}

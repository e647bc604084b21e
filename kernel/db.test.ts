import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { problem } from "./errors.ts";
import { openPool } from "./sql.ts";
import { openTestDatabase, type TestDatabase } from "./testing/database.ts";

let base: TestDatabase;
before(async () => {
  base = await openTestDatabase(["ingest"], "CREATE TABLE notes (tenant text NOT NULL, text text NOT NULL);");
});
after(() => base?.close());

const note = "INSERT INTO notes (tenant, text) VALUES ('a', 'x')";
const count = async (): Promise<number> => {
  const rows = await base.db("ingest").tx({ tenant: "a" }, (tx) => tx.executeSql("SELECT count(*) FROM notes", []));
  return Number(rows.rows[0]?.["count"]);
};

test("what follows a commit sees its rows, and comes before the caller's answer", async () => {
  const seen: number[] = [];
  await base.db("ingest").tx({ tenant: "a" }, async (tx) => {
    tx.afterCommit(async () => seen.push(await count()));
    tx.afterCommit(() => Promise.reject(new Error("nobody hears of this")));
    await tx.executeSql(note, []);
    assert.deepEqual(seen, []);
  });
  assert.deepEqual(seen, [1]);
});

test("nothing follows what is not committed", async () => {
  const before = await count();
  let isFollowed = false;
  const failing = base.db("ingest").tx({ tenant: "a" }, async (tx) => {
    tx.afterCommit(async () => (isFollowed = true));
    await tx.executeSql(note, []);
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  assert.deepEqual([isFollowed, await count()], [false, before]);
});

test("reads of one moment share a transaction, and each has its own answer", async () => {
  const db = base.db("ingest");
  const started = (tenant: string, n: number) =>
    db.read({ tenant }, async (tx) => {
      const found = await tx.executeSql("SELECT now()::text AS began, pg_backend_pid() AS pid, $1::int AS n", [n]);
      return { tenant: tx.tenant, row: found.rows[0] };
    });
  const first = started("a", 0);
  const [one, two, other] = await Promise.all([started("a", 1), started("a", 2), started("b", 3)]);
  await first;
  assert.deepEqual(
    [one, two, other].map(({ row, tenant }) => [tenant, row?.["n"]]),
    [
      ["a", 1],
      ["a", 2],
      ["b", 3],
    ],
  );
  assert.equal(one.row?.["began"], two.row?.["began"]);
  assert.notEqual(one.row?.["began"], other.row?.["began"]);
});

test("a read that fails, writes or announces fails alone", async () => {
  const db = base.db("ingest");
  const count = () => db.read({ tenant: "a" }, (tx) => tx.executeSql("SELECT count(*) FROM notes", []));
  const first = count();
  const [good, wrong, refused, writing, announcing] = await Promise.allSettled([
    count(),
    db.read({ tenant: "a" }, (tx) => tx.executeSql("SELECT nothing FROM nowhere", [])),
    db.read({ tenant: "a" }, () => Promise.reject(problem.notFound("not here"))),
    db.read({ tenant: "a" }, (tx) => tx.executeSql(note, [])),
    db.read({ tenant: "a" }, async (tx) => tx.emit("failed", { contentId: "c", reason: "r", message: "" })),
  ]);
  await first;
  assert.equal(good?.status, "fulfilled");
  const reasons = [wrong, refused, writing, announcing].map((one) =>
    one?.status === "rejected" ? (one.reason as Error).message : "it went well",
  );
  assert.match(reasons.join("; "), /nowhere.*; not here; .*read-only transaction; a read announces nothing/);
});

test("a connection that breaks in a transaction fails that transaction, and nothing else", async (t) => {
  const admin = openPool({ url: base.adminUrl, connectionsMax: 1, onError: () => {} });
  t.after(() => admin.end());
  const broken = base.db("ingest").tx({ tenant: "a" }, async (tx) => {
    const { rows } = await tx.executeSql("SELECT pg_backend_pid() AS pid", []);
    await admin.query("SELECT pg_terminate_backend($1)", [rows[0]?.["pid"]]);
    // The connection says that it ended while nobody waits for an answer of it.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await tx.executeSql(note, []);
  });
  await assert.rejects(broken);
  assert.equal(typeof (await count()), "number");
});

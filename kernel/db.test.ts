import assert from "node:assert/strict";
import { after, before, test } from "node:test";
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

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { openStatements } from "./prepared.ts";
import { openTestDatabase, type TestDatabase } from "./testing/database.ts";

const often = 150;
const failure = (code: string, message = "") => Object.assign(new Error(message), { code });

test("what is said often gets a name, of a bounded number, and what is rare gets none", () => {
  const statements = openStatements("catalog");
  const texts = Array.from({ length: 100 }, (_, n) => `SELECT ${n}`);
  assert.equal(statements.nameOf("SELECT 0"), undefined);
  for (let n = 0; n < often; n += 1) for (const text of texts) statements.nameOf(text);
  const names = texts.map((text) => statements.nameOf(text)).filter((name) => name !== undefined);
  assert.ok(names.length > 0 && names.length < texts.length);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.every((name) => name.length < 63 && name.startsWith("catalog_")));
});

test("where columns changed other names are used; where a pooler mixes names up none are any more", () => {
  const statements = openStatements("catalog");
  const nameOf = (): string | undefined => {
    for (let n = 0; n < often; n += 1) statements.nameOf("SELECT 1");
    return statements.nameOf("SELECT 1");
  };
  const first = nameOf();
  assert.equal(statements.isStale(failure("0A000", "cross-database references are not implemented")), false);
  assert.equal(statements.isStale(failure("23505")), false);
  assert.equal(statements.isStale(undefined), false);
  assert.equal(nameOf(), first);
  assert.equal(statements.isStale(failure("0A000", "cached plan must not change result type")), true);
  assert.notEqual(nameOf(), undefined);
  assert.notEqual(nameOf(), first);
  assert.equal(statements.isStale(failure("26000")), true);
  assert.equal(nameOf(), undefined);
});

let base: TestDatabase;
before(async () => {
  base = await openTestDatabase(
    ["ingest", "catalog"],
    "CREATE TABLE notes (tenant text NOT NULL, text text NOT NULL);",
  );
});
after(() => base?.close());

const TEXT = "SELECT * FROM notes";
const open = (service: string, tenant: string) => {
  const db = base.db(service);
  return {
    write: (text: string) =>
      db.tx({ tenant }, (tx) => tx.executeSql("INSERT INTO notes (tenant, text) VALUES ($1, $2)", [tenant, text])),
    read: () => db.read({ tenant }, async (tx) => (await tx.executeSql(TEXT, [])).rows),
    kept: () =>
      db.read({ tenant }, async (tx) => {
        const asked = "SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement = $1";
        return (await tx.executeSql(asked, [TEXT])).rows[0]?.["count"];
      }),
  };
};

test("services that say the same each mean their own tables, and tenants their own rows", async () => {
  const stores = ["ingest", "catalog"].flatMap((service) => ["a", "b"].map((tenant) => ({ service, tenant })));
  const opened = stores.map(({ service, tenant }) => ({
    ...open(service, tenant),
    text: `${service}/${tenant}`,
    tenant,
  }));
  for (const { write, text } of opened) await write(text);
  for (let n = 0; n < often; n += 1)
    for (const { read, text, tenant } of opened) assert.deepEqual(await read(), [{ tenant, text }]);
  assert.ok((await opened[0]?.kept()) !== 0);
});

test("a table that changes under what is kept is read as it is now, by many at once", async () => {
  const { read } = open("ingest", "a");
  const before = { tenant: "a", text: "ingest/a" };
  for (let n = 0; n < often; n += 1) assert.deepEqual(await read(), [before]);
  const admin = new pg.Client({ connectionString: base.adminUrl });
  await admin.connect();
  await admin.query("ALTER TABLE ingest.notes ADD COLUMN more text");
  await admin.end();
  for (const rows of await Promise.all(Array.from({ length: 200 }, read)))
    assert.deepEqual(rows, [{ ...before, more: null }]);
});

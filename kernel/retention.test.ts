// What outlives its purpose in the kernel's own tables goes, for every tenant, and nothing else does.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { sweepOutlived } from "./retention.ts";
import { openTestDatabase, type TestDatabase } from "./testing/database.ts";

let database: TestDatabase;
let admin: pg.Client;
before(async () => {
  database = await openTestDatabase(["ingest", "catalog"], "SELECT 1");
  admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
});
after(async () => {
  await admin.end();
  await database.close();
});

const left = async (text: string): Promise<string[]> =>
  (await admin.query<{ name: string }>(text)).rows.map(({ name }) => name);

test("old answers and ids go, whoever's they are and without anything new that would take them along", async () => {
  for (const schema of ["ingest", "catalog"])
    await admin.query(`
      INSERT INTO ${schema}.idempotency (tenant, key, request, created_at) VALUES
        ('demo', 'old', 'r', now() - interval '25 hours'), ('north', 'older', 'r', now() - interval '9 days'),
        ('demo', 'new', 'r', now() - interval '23 hours'), ('north', 'newer', 'r', now());
      INSERT INTO ${schema}.seen (topic, id, seen_at) VALUES
        ('a', 'old', now() - interval '73 hours'), ('gone', 'older', now() - interval '30 days'), ('a', 'new', now() - interval '71 hours')`);
  await sweepOutlived(database.pool, "ingest");
  assert.deepEqual(await left("SELECT key AS name FROM ingest.idempotency ORDER BY key"), ["new", "newer"]);
  assert.deepEqual(await left("SELECT id AS name FROM ingest.seen"), ["new"]);
  assert.equal((await left("SELECT key AS name FROM catalog.idempotency")).length, 4, "each service sweeps its own");
});

test("a transaction of one tenant still neither sees nor removes what others have", async () => {
  await database.db("catalog").tx({ tenant: "demo" }, async (tx) => {
    const { rows } = await tx.executeSql("SELECT key FROM idempotency ORDER BY key", []);
    assert.deepEqual(
      rows.map(({ key }) => key),
      ["new", "old"],
    );
    await tx.executeSql("DELETE FROM idempotency WHERE key = ANY($1)", [["older", "newer"]]);
  });
  assert.equal((await left("SELECT key AS name FROM catalog.idempotency")).length, 4);
});

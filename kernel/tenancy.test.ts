import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, test } from "node:test";
import pg from "pg";
import { services } from "../apps/services.ts";
import { startGuardian } from "./guardian.ts";
import { migrate, PROGRAM, roleOf } from "./migrate.ts";
import { makeTestFolder } from "./testing/folder.ts";
import { openTestPostgres } from "./testing/postgres.ts";
import type { PostgresServer } from "./ports/postgres.ts";

/** Every table without a tenant, with the reason why it may. Whoever adds one adds it here, where a reviewer sees it. */
const TENANTLESS: Readonly<Record<string, string>> = {
  "*.migrations": "the schema's own history",
  "*.outbox": "on its way to the log; the tenant travels in the header",
  "*.marks": "positions in the log",
  "*.seen": "ids of events that were handled",
  "origin.contents": "whose a title is, for edges that know no tenants",
  "origin.purges": "what edges forget",
  "live.owners": "whose a channel is, for edges that know no tenants",
  "tenant.tenants": "the tenants themselves",
  "tenant.hosts": "which host leads to which tenant, asked before a tenant is known",
};

const guardian = startGuardian();
let folder = "";
let postgres: PostgresServer;
let admin: pg.Client;
let runtime: pg.Client;

const migrateAll = (program = PROGRAM): Promise<void> =>
  migrate({
    adminUrl: postgres.adminUrl,
    program,
    log: () => {},
    services: services.map(({ contract, migrations, tenantless }) => ({
      name: contract.name,
      tenantless,
      ...(migrations ? { migrations } : {}),
    })),
  });

before(async () => {
  folder = await makeTestFolder("tenancy");
  postgres = await openTestPostgres(folder, guardian);
  await migrateAll();
  admin = new pg.Client({ connectionString: postgres.adminUrl });
  runtime = new pg.Client({ connectionString: postgres.runtimeUrl });
  await Promise.all([admin.connect(), runtime.connect()]);
});
after(async () => {
  await Promise.all([admin?.end(), runtime?.end()]);
  await postgres?.stop();
  guardian.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly owner: string;
  readonly isForced: boolean;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly isGiven: boolean }[];
}

async function tables(): Promise<Table[]> {
  const { rows } = await admin.query<Table>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, pg_get_userbyid(c.relowner) AS owner,
            c.relrowsecurity AND c.relforcerowsecurity AS "isForced",
            (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                      'isGiven', a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '' OR NOT a.attnotnull) ORDER BY a.attnum)
               FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1, 2`,
    [services.map(({ contract }) => contract.name)],
  );
  return rows;
}

const hasTenant = (table: Table): boolean => table.columns.some(({ name }) => name === "tenant");

/** Runs statements as a service's role for a tenant, and takes them back. */
async function as<T>(service: string, tenant: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  await runtime.query(`BEGIN; SET LOCAL ROLE ${roleOf(service)}; SET LOCAL marquee.tenant TO '${tenant}'`);
  try {
    return await work(runtime);
  } finally {
    await runtime.query("ROLLBACK");
  }
}

test("tables without a tenant are exactly those that were decided on", async () => {
  const found = (await tables())
    .filter((table) => !hasTenant(table))
    .map(({ schema, name }) =>
      ["migrations", "outbox", "marks", "seen"].includes(name) ? `*.${name}` : `${schema}.${name}`,
    );
  assert.deepEqual([...new Set(found)].toSorted(), Object.keys(TENANTLESS).toSorted());
});

test("no view or foreign table goes around the policies, and who runs is not who owns", async () => {
  const {
    rows: [login],
  } = await runtime.query<{ name: string; super: boolean; bypass: boolean }>(
    "SELECT rolname AS name, rolsuper AS super, rolbypassrls AS bypass FROM pg_roles WHERE rolname = current_user",
  );
  assert.deepEqual([login?.super, login?.bypass], [false, false]);
  for (const { schema, name, kind, owner, isForced, ...table } of await tables()) {
    assert.match(kind, /^[rp]$/, `${schema}.${name}`);
    assert.ok(owner !== login?.name && owner !== roleOf(schema), `${schema}.${name} is owned by ${owner}`);
    if (hasTenant({ schema, name, kind, owner, isForced, ...table })) assert.ok(isForced, `${schema}.${name}`);
  }
  const { rows: roles } = await admin.query<{ rolname: string }>(
    "SELECT rolname FROM pg_roles WHERE rolname LIKE 'svc%' AND (rolsuper OR rolbypassrls OR rolcanlogin)",
  );
  assert.deepEqual(roles, []);
});

test("rows of one tenant do not exist for another, in any table of any service", async () => {
  let proven = 0;
  for (const { schema, name, columns } of (await tables()).filter(hasTenant)) {
    const table = `"${schema}"."${name}"`;
    // Only the policy is on trial, so checks and references go, and the row is filled with anything.
    await admin.query(`SET session_replication_role = replica; DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = '${table}'::regclass AND contype IN ('c', 'f')
      LOOP EXECUTE format('ALTER TABLE ${table} DROP CONSTRAINT %I', name); END LOOP; END $$`);
    const given = columns.filter((column) => !column.isGiven || column.name === "tenant");
    const value = (column: { name: string; type: string }): string =>
      column.name === "tenant" ? "'a'" : `${sample(column)}::${column.type}`;
    await admin.query(
      `INSERT INTO ${table} (${given.map((column) => `"${column.name}"`).join(", ")}) VALUES (${given.map(value).join(", ")})`,
    );
    const count = (tenant: string): Promise<number> =>
      as(schema, tenant, async (client) =>
        Number((await client.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${table}`)).rows[0]?.rows),
      );
    assert.equal(await count("a"), 1, `${table} shows its own tenant its row`);
    assert.equal(await count("b"), 0, `${table} shows the row to another tenant`);
    assert.equal(await count(""), 0, `${table} shows the row to nobody in particular`);
    const touched = await as(schema, "b", async (client) => [
      (await client.query(`UPDATE ${table} SET tenant = 'b'`)).rowCount,
      (await client.query(`DELETE FROM ${table}`)).rowCount,
    ]);
    assert.deepEqual(touched, [0, 0], table);
    await assert.rejects(
      as(schema, "b", (client) =>
        client.query(
          `INSERT INTO ${table} (${given.map((column) => `"${column.name}"`).join(", ")}) VALUES (${given.map(value).join(", ")})`,
        ),
      ),
      { code: "42501" },
      `${table} takes rows for another tenant`,
    );
    await assert.rejects(
      as(schema, "a", (client) => client.query(`UPDATE ${table} SET tenant = 'b'`)),
      { code: "42501" },
      `${table} gives rows away`,
    );
    await assert.rejects(
      as(schema, "a", (client) => client.query(`TRUNCATE ${table}`)),
      { code: "42501" },
    );
    proven++;
  }
  assert.ok(proven > services.length, `only ${proven} tables were looked at`);
});

/** Some value of a column's type. */
function sample(column: { readonly type: string }): string {
  if (column.type.endsWith("[]")) return "'{}'";
  if (/^(bigint|integer|smallint|double|numeric|real)/.test(column.type)) return "1";
  if (column.type === "boolean") return "true";
  if (column.type.startsWith("json")) return "'{}'";
  if (/^(timestamp|date)/.test(column.type)) return "now()";
  if (column.type === "bytea") return "'\\x00'";
  return "'x'";
}

test("a service cannot read, nor write, what belongs to another", async () => {
  const all = await tables();
  for (const { contract } of services) {
    for (const table of all.filter(({ schema }) => schema !== contract.name)) {
      await assert.rejects(
        as(contract.name, "a", (client) => client.query(`SELECT 1 FROM "${table.schema}"."${table.name}"`)),
        { code: "42501" },
        `${contract.name} reads ${table.schema}.${table.name}`,
      );
    }
    await assert.rejects(
      as(contract.name, "a", (client) => client.query(`CREATE TABLE "${contract.name}".mine (x int)`)),
      { code: "42501" },
    );
  }
});

test("the login that runs sees nothing before it takes a service's role", async () => {
  await assert.rejects(runtime.query("SELECT 1 FROM catalog.titles"), { code: "42501" });
});

test("a tenantless table that nobody declared is refused, and nothing of its migration stays", async () => {
  await admin.query("CREATE SCHEMA IF NOT EXISTS careless; CREATE TABLE careless.notes (id text)");
  const careless = { adminUrl: postgres.adminUrl, program: PROGRAM, log: () => {}, services: [{ name: "careless" }] };
  await assert.rejects(migrate(careless), /careless\.notes has no tenant column/);
  const { rows } = await admin.query("SELECT 1 FROM pg_tables WHERE schemaname = 'careless' AND tablename = 'outbox'");
  assert.deepEqual(rows, []);
});

test("migrations are applied once, by however many start at once; an older program is refused", async () => {
  await Promise.all([migrateAll(), migrateAll()]);
  const { rows } = await admin.query<{ name: string }>("SELECT name FROM catalog.migrations ORDER BY name");
  assert.equal(rows.length, new Set(rows.map((row) => row.name)).size);
  await admin.query("UPDATE kernel.release SET min_program = $1", [PROGRAM + 1]);
  await assert.rejects(migrateAll(), /install a newer Marquee/);
  await admin.query("UPDATE kernel.release SET min_program = $1", [PROGRAM]);
});

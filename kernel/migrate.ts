import { readdir, readFile } from "node:fs/promises";
import pg from "pg";
import { Problem } from "./errors.ts";
import { identifier } from "./sql.ts";

/**
 * Migrations: plain SQL files, forward only, under an advisory lock, as the owner. After them the kernel secures every
 * table of the schema itself, so that no service can forget it: a table with a `tenant` column gets forced row-level security, a
 * table without one must be on the list of tenantless tables.
 */
export interface MigrateOptions {
  readonly adminUrl: string;
  readonly services: readonly {
    readonly name: string;
    readonly migrations?: URL;
    readonly tenantless?: readonly string[];
    /** These migrations alone, for rows of a time when there were no others; the rest is for a later start. */
    readonly only?: readonly string[] | undefined;
  }[];
  /** The release of this program; a database that needs a newer one is refused. */
  readonly program: number;
  readonly log: (line: string) => void;
}

const TENANTLESS_KERNEL = ["migrations", "outbox", "marks", "seen"];

/** Grows with each release whose schema an older program must not touch. */
export const PROGRAM = 1;

const LOCK = 7_203_114; // One arbitrary number for everybody who migrates this database.

export const roleOf = (service: string): string => `svc_${service}`;

export async function migrate({ adminUrl, services, program, log }: MigrateOptions): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [LOCK]);
    await checkProgram(client, program);
    for (const service of services) await migrateService(client, service, log);
  } finally {
    await client.end();
  }
}

async function checkProgram(client: pg.Client, program: number): Promise<void> {
  await client.query(
    "CREATE SCHEMA IF NOT EXISTS kernel; CREATE TABLE IF NOT EXISTS kernel.release (min_program int NOT NULL)",
  );
  const { rows } = await client.query<{ min_program: number }>("SELECT min_program FROM kernel.release");
  const needed = rows[0]?.min_program ?? 0;
  if (needed > program) {
    throw new Problem(
      "failed_precondition",
      `the database needs program release ${needed}, this is ${program}: install a newer Marquee`,
    );
  }
  if (rows.length === 0) await client.query("INSERT INTO kernel.release VALUES ($1)", [1]);
}

async function migrateService(
  client: pg.Client,
  service: MigrateOptions["services"][number],
  log: (line: string) => void,
): Promise<void> {
  const schema = identifier(service.name);
  const role = identifier(roleOf(service.name));
  await client.query("BEGIN");
  try {
    await client.query(`
      DO $$ BEGIN CREATE ROLE ${role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
      GRANT ${role} TO marquee_runtime WITH INHERIT FALSE, SET TRUE;
      DO $$ BEGIN GRANT marquee_jobs TO ${role}; EXCEPTION WHEN undefined_object THEN NULL; END $$;
      CREATE SCHEMA IF NOT EXISTS ${schema};
      GRANT USAGE ON SCHEMA ${schema} TO ${role};
      SET LOCAL search_path TO ${schema}, public;
      CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
      CREATE TABLE IF NOT EXISTS outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        event_id text NOT NULL, topic text NOT NULL, key text NOT NULL, headers jsonb NOT NULL, value bytea NOT NULL);
      CREATE TABLE IF NOT EXISTS marks (
        topic text NOT NULL, partition int NOT NULL, next_offset bigint NOT NULL, PRIMARY KEY (topic, partition));
      CREATE TABLE IF NOT EXISTS seen (
        topic text NOT NULL, id text NOT NULL, seen_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (topic, id));
      CREATE INDEX IF NOT EXISTS seen_oldest ON seen USING brin (seen_at);
      CREATE TABLE IF NOT EXISTS idempotency (
        tenant text NOT NULL, key text NOT NULL, request text NOT NULL, response jsonb, created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant, key));
      CREATE INDEX IF NOT EXISTS idempotency_oldest ON idempotency (tenant, created_at);`);
    for (const file of await pending(client, service.migrations)) {
      if (service.only && !service.only.includes(file)) continue;
      await client.query(await readFile(new URL(file, service.migrations), "utf8"));
      await client.query("INSERT INTO migrations (name) VALUES ($1)", [file]);
      log(`migrated ${service.name}: ${file}`);
    }
    await secure(client, service.name, [...TENANTLESS_KERNEL, ...(service.tenantless ?? [])]);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

async function pending(client: pg.Client, folder: URL | undefined): Promise<string[]> {
  if (!folder) return [];
  const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const { rows } = await client.query<{ name: string }>("SELECT name FROM migrations");
  const applied = new Set(rows.map((row) => row.name));
  return files.filter((name) => !applied.has(name));
}

/** Grants the service's role its tables and forces row-level security on each that has a tenant. */
async function secure(client: pg.Client, name: string, tenantless: readonly string[]): Promise<void> {
  const schema = identifier(name);
  const role = identifier(roleOf(name));
  const { rows } = await client.query<{ table_name: string; has_tenant: boolean }>(
    `SELECT t.table_name, EXISTS (SELECT 1 FROM information_schema.columns c
         WHERE c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.column_name = 'tenant') AS has_tenant
       FROM information_schema.tables t WHERE t.table_schema = $1 AND t.table_type = 'BASE TABLE'`,
    [name],
  );
  for (const { table_name, has_tenant } of rows) {
    if (!has_tenant && !tenantless.includes(table_name)) {
      throw new Problem(
        "failed_precondition",
        `table ${name}.${table_name} has no tenant column: add one, or declare it tenantless`,
      );
    }
    const table = `${schema}.${identifier(table_name)}`;
    if (has_tenant) {
      await client.query(`
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
        DROP POLICY IF EXISTS tenant_only ON ${table};
        CREATE POLICY tenant_only ON ${table} USING (tenant = current_setting('marquee.tenant', true))
          WITH CHECK (tenant = current_setting('marquee.tenant', true));`);
    }
    // Answers are remembered for a day. Older ones may go without anybody saying whose they are (retention.ts).
    if (table_name === "idempotency")
      await client.query(`
        DROP POLICY IF EXISTS outlived ON ${table};
        CREATE POLICY outlived ON ${table} FOR DELETE USING (created_at < now() - interval '1 day');`);
    if (table_name !== "migrations") await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${role}`);
  }
  await client.query(`GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role}`);
}

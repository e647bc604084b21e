import pg from "pg";
import { identifier } from "#kernel/sql";
import type { Entry } from "./archive.ts";

/** One connection of the owner, with everything as it was at one moment. */
export interface Snapshot {
  readonly migrations: Readonly<Record<string, string[]>>;
  /** Rows as JSON, one a line, in entries of bounded size. */
  entries(): AsyncGenerator<Entry>;
  sequences(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

interface Table {
  readonly schema: string;
  readonly name: string;
}

const ROWS_AT_ONCE = 500;
/** What adapters keep in the same PostgreSQL, where they do. What pg-boss keeps besides is about itself: versions, statistics, instances. */
const OF_ADAPTERS = [
  "jobs.queue",
  "jobs.job",
  "flags.document",
  "fulltext.indexes",
  "fulltext.documents",
  "fulltext.words",
] as const;
/** What a restore makes by itself. */
const MADE = ["migrations"];

/**
 * Takes a snapshot of all services' rows. `atThatMoment` runs while no relay moves events, so that outboxes and the log say the same:
 * an event is in one of them.
 */
export async function openSnapshot<T>(
  adminUrl: string,
  services: readonly string[],
  atThatMoment: () => Promise<T>,
): Promise<{ readonly snapshot: Snapshot; readonly moment: T }> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined);
  await client.connect();
  try {
    // Whoever takes the backup may be slow.
    await client.query("SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0");
    for (const service of services) await client.query("SELECT pg_advisory_lock(hashtext($1))", [`outbox/${service}`]);
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1");
    const moment = await atThatMoment();
    await client.query("SELECT pg_advisory_unlock_all()");
    const tables = await tablesOf(client, services);
    const migrations: Record<string, string[]> = {};
    for (const { schema } of tables.filter(({ name }) => name === "marks")) {
      const { rows } = await client.query<{ name: string }>(
        `SELECT name FROM ${identifier(schema)}.migrations ORDER BY name`,
      );
      migrations[schema] = rows.map(({ name }) => name);
    }
    return {
      moment,
      snapshot: {
        migrations,
        async *entries() {
          for (const table of tables) yield* entriesOf(client, table);
        },
        async sequences() {
          const { rows } = await client.query<{ name: string; at: string }>(
            `SELECT schemaname || '.' || sequencename AS name, last_value::text AS at FROM pg_sequences
              WHERE schemaname = ANY($1) AND last_value IS NOT NULL`,
            [services],
          );
          return Object.fromEntries(rows.map(({ name, at }) => [name, Number(at)]));
        },
        close: () => client.end(),
      },
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function tablesOf(client: pg.Client, services: readonly string[]): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `SELECT schemaname AS schema, tablename AS name FROM pg_tables
      WHERE (schemaname = ANY($1) AND NOT tablename = ANY($2)) OR schemaname || '.' || tablename = ANY($3)
      ORDER BY 1, 2`,
    [services, MADE, OF_ADAPTERS],
  );
  return rows;
}

async function* entriesOf(client: pg.Client, table: Table): AsyncGenerator<Entry> {
  const columns = await columnsOf(client, table);
  await client.query(
    `DECLARE backup NO SCROLL CURSOR FOR SELECT to_jsonb(t)::text AS line FROM (SELECT ${columns} FROM ${nameOf(table)}) AS t`,
  );
  for (;;) {
    const { rows } = await client.query<{ line: string }>(`FETCH ${ROWS_AT_ONCE} FROM backup`);
    if (rows.length === 0) break;
    const text = Buffer.from(rows.map(({ line }) => line).join("\n"));
    yield { name: `rows/${table.schema}/${table.name}`, content: only(text) };
  }
  await client.query("CLOSE backup");
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const nameOf = ({ schema, name }: Table): string => `${identifier(schema)}.${identifier(name)}`;

/** Columns that hold something of their own. An outbox's transactions are those of the database that it is in. */
async function columnsOf(client: pg.Client, { schema, name }: Table): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns
      WHERE table_schema = $1 AND table_name = $2 AND is_generated = 'NEVER' ORDER BY ordinal_position`,
    [schema, name],
  );
  return rows
    .filter((column) => !(name === "outbox" && column.name === "xid"))
    .map((column) => client.escapeIdentifier(column.name))
    .join(", ");
}

/** Prepares tables that have just been made: adapters may have put something into theirs, and rows come table by table, whatever refers to what. */
export async function beginLoading(client: pg.Client): Promise<void> {
  await client.query("SET session_replication_role = replica");
  for (const table of OF_ADAPTERS) await client.query(`DELETE FROM ${table}`);
}

/** Puts the rows of an entry into their table. */
export async function loadRows(client: pg.Client, entryName: string, lines: string): Promise<void> {
  const [, schema = "", name = ""] = entryName.split("/");
  const columns = await columnsOf(client, { schema, name });
  await client.query(
    `INSERT INTO ${nameOf({ schema, name })} (${columns}) OVERRIDING SYSTEM VALUE
       SELECT ${columns} FROM json_populate_recordset(NULL::${nameOf({ schema, name })}, $1::json)`,
    [`[${lines.replaceAll("\n", ",")}]`],
  );
}

/** Lets counters go on where they stood. */
export async function loadSequences(client: pg.Client, sequences: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, at] of Object.entries(sequences)) {
    const [schema = "", sequence = ""] = name.split(".");
    await client.query("SELECT setval($1::regclass, $2)", [`${identifier(schema)}.${identifier(sequence)}`, at]);
  }
}

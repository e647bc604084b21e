// Where a person may be found: every store of a test host, as one list of places and what stands there.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { topics } from "#contracts/topics";
import { deadLetterTopic } from "#kernel/dead-letters";
import { readAvroRecords } from "#media/avro-file";
import type { TestHost } from "../host.ts";

interface Place {
  readonly name: string;
  readonly content: Buffer;
}

type Stores = Pick<TestHost, "adapters" | "folder">;

/** Names of the places that hold one of these texts, each with the texts that it holds. */
export async function placesOf(
  stores: Stores,
  texts: readonly string[],
  more: readonly string[] = [],
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for await (const { name, content } of places(stores, more)) {
    const there = texts.filter(
      (text) => content.includes(text) || content.includes(inHex(text)) || content.includes(inBytes(text)),
    );
    if (there.length > 0) found.set(name, [...new Set([...(found.get(name) ?? []), ...there])]);
  }
  return found;
}

/** As PostgreSQL shows bytes, and as JSON shows a Buffer. */
const inHex = (text: string): string => Buffer.from(text).toString("hex");
const inBytes = (text: string): string => [...Buffer.from(text)].join(",");

async function* places(stores: Stores, more: readonly string[]): AsyncGenerator<Place> {
  yield* tables(stores);
  yield* logRecords(stores);
  yield* lake(stores);
  yield* analytics(stores);
  // The very bytes of what lies in files: of the log, objects, mail. PostgreSQL and ClickHouse overwrite theirs in their own time.
  for (const name of ["log", "objects", "mail"]) yield* files(join(stores.folder, name), name);
  for (const path of more) yield { name: path, content: await readFile(path) };
}

async function* tables({ adapters }: Stores): AsyncGenerator<Place> {
  const client = new pg.Client({ connectionString: adapters.postgres.adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ schema: string; name: string }>(
      `SELECT schemaname AS schema, tablename AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    for (const { schema, name } of rows) {
      const table = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
      const all = await client.query<{ line: string }>(`SELECT t::text AS line FROM ${table} AS t`);
      yield { name: `table ${schema}.${name}`, content: Buffer.from(all.rows.map(({ line }) => line).join("\n")) };
    }
  } finally {
    await client.end();
  }
}

async function* logRecords({ adapters: { log } }: Stores): AsyncGenerator<Place> {
  for (const name of topics.specs.flatMap((spec) => [spec.name, deadLetterTopic(spec.name)])) {
    const positions = new Map([...(await log.offsets(name)).keys()].map((partition) => [partition, 0]));
    for (const record of await log.read(name, positions, 10_000)) {
      const head = Buffer.from(`${record.key}\n${JSON.stringify(record.headers)}\n`);
      yield { name: `topic ${name}`, content: Buffer.concat([head, record.value]) };
    }
  }
}

/** Files of the lake are compressed inside. */
async function* lake({ adapters: { objects } }: Stores): AsyncGenerator<Place> {
  for (const { key } of await objects.list("lake/", { keysMax: 1_000 })) {
    // What is deleted while we look is not there.
    const bytes = key.endsWith(".avro") ? await objects.get(key).catch(() => undefined) : undefined;
    if (bytes) yield { name: "lake", content: Buffer.from(JSON.stringify(await readAvroRecords(bytes))) };
  }
}

async function* analytics({ adapters }: Stores): AsyncGenerator<Place> {
  for (const table of ["qoe_beats", "qoe_scores"]) {
    const rows = await adapters.analytics.query({ tenant: "demo", text: `SELECT * FROM ${table}`, rowsMax: 10_000 });
    yield { name: `analytics ${table}`, content: Buffer.from(JSON.stringify(rows)) };
  }
}

async function* files(folder: string, name: string): AsyncGenerator<Place> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    // What is deleted while we look is not there.
    const content = entry.isFile()
      ? await readFile(join(entry.parentPath, entry.name)).catch(() => undefined)
      : undefined;
    if (content) yield { name: `files of ${name}`, content };
  }
}

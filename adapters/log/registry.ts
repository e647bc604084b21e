import { mkdir } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type avro from "avsc";
import { problem } from "#kernel/errors";
import type { SchemaRegistry } from "#kernel/ports/log";
import { canonical, checkSchema, checkSubject } from "./schemas.ts";

/**
 * A schema registry in one SQLite file, with Confluent's rules: one id per distinct schema text across all subjects, ids
 * that never change, versions per subject, BACKWARD compatibility (the new schema must read what the latest wrote). It is asked at
 * start and at a schema's first use, never per event, so it needs no worker.
 */
export async function openEmbeddedRegistry(options: { readonly folder: string }): Promise<SchemaRegistry> {
  await mkdir(options.folder, { recursive: true });
  const database = new DatabaseSync(join(options.folder, "schemas.sqlite"), { timeout: 5_000 });
  database.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS schemas (id INTEGER PRIMARY KEY AUTOINCREMENT, fingerprint TEXT NOT NULL UNIQUE, schema TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS versions (subject TEXT NOT NULL, version INTEGER NOT NULL, schema_id INTEGER NOT NULL REFERENCES schemas (id),
      PRIMARY KEY (subject, version), UNIQUE (subject, schema_id)) STRICT, WITHOUT ROWID;
  `);
  const sql = {
    idOf: database.prepare("SELECT id FROM schemas WHERE fingerprint = ?"),
    byId: database.prepare("SELECT schema FROM schemas WHERE id = ?"),
    isUnder: database.prepare("SELECT 1 FROM versions WHERE subject = ? AND schema_id = ?"),
    latest: database.prepare(
      "SELECT v.version, s.schema FROM versions v JOIN schemas s ON s.id = v.schema_id WHERE v.subject = ? ORDER BY v.version DESC LIMIT 1",
    ),
    addSchema: database.prepare("INSERT INTO schemas (fingerprint, schema) VALUES (?, ?)"),
    addVersion: database.prepare("INSERT INTO versions (subject, version, schema_id) VALUES (?, ?, ?)"),
  };

  function register(subject: string, text: string): number {
    const type = checkSchema(subject, text);
    const fingerprint = createHash("sha256").update(canonical(text)).digest("hex");
    // IMMEDIATE: two registrations cannot both find the subject empty.
    database.exec("BEGIN IMMEDIATE");
    try {
      const known = sql.idOf.get(fingerprint);
      if (known !== undefined && sql.isUnder.get(subject, Number(known.id)) !== undefined) {
        database.exec("COMMIT");
        return Number(known.id);
      }
      const latest = sql.latest.get(subject);
      if (latest !== undefined) assertReads(subject, type, String(latest.schema));
      const id = known === undefined ? Number(sql.addSchema.run(fingerprint, text).lastInsertRowid) : Number(known.id);
      sql.addVersion.run(subject, Number(latest?.version ?? 0) + 1, id);
      database.exec("COMMIT");
      return id;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }

  return {
    async register(subject, schema) {
      if (!database.isOpen) throw problem.unavailable("the schema registry is closed");
      checkSubject(subject);
      return register(subject, schema);
    },
    async byId(id) {
      if (!database.isOpen) throw problem.unavailable("the schema registry is closed");
      const row = Number.isSafeInteger(id) ? sql.byId.get(id) : undefined;
      if (row === undefined) throw problem.notFound(`no schema has the id ${id}`);
      return String(row.schema);
    },
    async copyTo(folder) {
      if (!database.isOpen) throw problem.unavailable("the schema registry is closed");
      // A few kilobytes, so nobody waits for it.
      database.prepare("VACUUM INTO ?").run(join(folder, "schemas.sqlite"));
    },
    async state() {
      if (!database.isOpen) return { ok: false, detail: "embedded schema registry is closed" };
      const row = database.prepare("SELECT count(*) AS count FROM schemas").get();
      return { ok: true, detail: `embedded schema registry, ${Number(row?.count)} schemas` };
    },
    async close() {
      if (database.isOpen) database.close();
    },
  };
}

function assertReads(subject: string, reader: avro.Type, writerText: string): void {
  const writer = checkSchema(subject, writerText);
  try {
    reader.createResolver(writer);
  } catch (cause) {
    throw problem.precondition(
      `the new schema of '${subject}' cannot read what the current one writes (${cause instanceof Error ? cause.message : String(cause)}): give every new field a default and change no type`,
      { reason: "incompatible_schema", cause },
    );
  }
}

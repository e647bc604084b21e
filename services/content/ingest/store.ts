import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Fingerprint } from "#kernel/ports/transcoder";
import { durationToleranceS, type Preset, type Wishes } from "./domain.ts";

export type State = "waiting" | "copying" | "checking" | "accepted" | "failed";
type Row = {
  tenant: string;
  content_id: string;
  file_name: string;
  source_path: string;
  source_key: string;
  state: State;
  failure: string;
  failure_reason: string;
  duplicate_of: string;
  preset: Preset;
  wishes: string;
  attempt: number;
  duration_s: number;
  width: number;
  height: number;
  created_at_ms: number;
};
type Tables = {
  ingests: Row;
  fingerprints: { tenant: string; content_id: string; duration_s: number; fingerprint: string };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

export interface Ingest {
  readonly contentId: string;
  readonly fileName: string;
  readonly sourcePath: string;
  readonly sourceKey: string;
  readonly state: State;
  readonly failure: string;
  readonly failureReason: string;
  readonly duplicateOf: string;
  readonly preset: Preset;
  readonly wishes: Wishes;
  readonly attempt: number;
  readonly durationS: number;
  readonly width: number;
  readonly height: number;
  readonly createdAtMs: number;
}

const toIngest = (row: Row): Ingest => ({
  contentId: row.content_id,
  fileName: row.file_name,
  sourcePath: row.source_path,
  sourceKey: row.source_key,
  state: row.state,
  failure: row.failure,
  failureReason: row.failure_reason,
  duplicateOf: row.duplicate_of,
  preset: row.preset,
  wishes: JSON.parse(row.wishes) as Wishes,
  attempt: row.attempt,
  durationS: row.duration_s,
  width: row.width,
  height: row.height,
  createdAtMs: row.created_at_ms,
});

/** False when the content id is taken: the same import came twice. */
export async function insert(
  tx: Tx,
  of: { contentId: string; fileName: string; sourcePath: string; preset: Preset; wishes: Wishes; nowMs: number },
): Promise<boolean> {
  const row = await tables(tx)
    .insertInto("ingests")
    .values({
      ...{
        tenant: tx.tenant,
        content_id: of.contentId,
        file_name: of.fileName,
        source_path: of.sourcePath,
        source_key: "",
      },
      ...{
        state: "waiting",
        failure: "",
        failure_reason: "",
        duplicate_of: "",
        preset: of.preset,
        wishes: JSON.stringify(of.wishes),
      },
      ...{ attempt: 1, duration_s: 0, width: 0, height: 0, created_at_ms: of.nowMs },
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("content_id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function find(tx: Tx, contentId: string): Promise<Ingest | undefined> {
  const row = await tables(tx).selectFrom("ingests").selectAll().where("content_id", "=", contentId).executeTakeFirst();
  return row && toIngest(row);
}

export async function list(tx: Tx, limit: number): Promise<Ingest[]> {
  return (
    await tables(tx).selectFrom("ingests").selectAll().orderBy("created_at_ms", "desc").limit(limit).execute()
  ).map(toIngest);
}

export async function update(
  tx: Tx,
  contentId: string,
  change: Partial<Omit<Row, "tenant" | "content_id" | "wishes">>,
): Promise<void> {
  await tables(tx).updateTable("ingests").set(change).where("content_id", "=", contentId).execute();
}

export async function remove(tx: Tx, contentId: string): Promise<void> {
  await tables(tx).deleteFrom("ingests").where("content_id", "=", contentId).execute();
  await tables(tx).deleteFrom("fingerprints").where("content_id", "=", contentId).execute();
}

/** Makes acceptances of a tenant happen one after the other, until the transaction ends. */
export async function lockAcceptance(tx: Tx): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`ingest/${tx.tenant}`}, 0))`.execute(tx.q);
}

/** Fingerprints of films about as long. */
export async function near(
  tx: Tx,
  durationS: number,
  exceptContentId: string,
): Promise<{ contentId: string; fingerprint: Fingerprint }[]> {
  const rows = await tables(tx)
    .selectFrom("fingerprints")
    .select(["content_id", "fingerprint"])
    .where("duration_s", ">=", durationS - durationToleranceS(durationS))
    .where("duration_s", "<=", durationS + durationToleranceS(durationS))
    .where("content_id", "!=", exceptContentId)
    .limit(1_000)
    .execute();
  return rows.map((row) => ({ contentId: row.content_id, fingerprint: JSON.parse(row.fingerprint) as Fingerprint }));
}

export async function saveFingerprint(tx: Tx, contentId: string, fingerprint: Fingerprint): Promise<void> {
  const row = { duration_s: fingerprint.durationS, fingerprint: JSON.stringify(fingerprint) };
  await tables(tx)
    .insertInto("fingerprints")
    .values({ tenant: tx.tenant, content_id: contentId, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "content_id"]).doUpdateSet(row))
    .execute();
}

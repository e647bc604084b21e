import type { Kysely } from "kysely";
import { problem, type Tx } from "#kernel";

/** A line of the catalogue. */
export interface TableRow {
  readonly name: string;
  readonly version: number;
  readonly metadataKey: string;
  readonly snapshotId: number;
  readonly oldestSequence: number;
  readonly rows: number;
  readonly files: number;
  readonly sizeBytes: number;
  readonly updatedAtMs: number;
}

// Types and not interfaces, because Kysely wants something that has an index signature.
type LakeTables = {
  tenant: string;
  name: string;
  version: number;
  metadata_key: string;
  snapshot_id: number;
  oldest_sequence: number;
  row_count: number;
  file_count: number;
  size_bytes: number;
  updated_at_ms: number;
};
type Erasures = { tenant: string; user_id: string; asked_at_ms: number; done_at_ms: number | null };
type Tables = { lake_tables: LakeTables; erasures: Erasures };

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const toRow = (row: LakeTables): TableRow => ({
  name: row.name,
  version: row.version,
  metadataKey: row.metadata_key,
  snapshotId: row.snapshot_id,
  oldestSequence: row.oldest_sequence,
  rows: row.row_count,
  files: row.file_count,
  sizeBytes: row.size_bytes,
  updatedAtMs: row.updated_at_ms,
});

export async function findTable(tx: Tx, name: string): Promise<TableRow | undefined> {
  const row = await tables(tx).selectFrom("lake_tables").selectAll().where("name", "=", name).executeTakeFirst();
  return row && toRow(row);
}

export async function listTables(tx: Tx, limit: number): Promise<TableRow[]> {
  const rows = await tables(tx).selectFrom("lake_tables").selectAll().orderBy("name").limit(limit).execute();
  return rows.map(toRow);
}

/** Commits: the next version in the place of the one before. Says false where somebody else was first. */
export async function replaceTable(tx: Tx, next: TableRow): Promise<boolean> {
  const row = {
    version: next.version,
    metadata_key: next.metadataKey,
    snapshot_id: next.snapshotId,
    oldest_sequence: next.oldestSequence,
    row_count: next.rows,
    file_count: next.files,
    size_bytes: next.sizeBytes,
    updated_at_ms: next.updatedAtMs,
  };
  if (next.version === 1) {
    const { numInsertedOrUpdatedRows } = await tables(tx)
      .insertInto("lake_tables")
      .values({ tenant: tx.tenant, name: next.name, ...row })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  }
  const { numUpdatedRows } = await tables(tx)
    .updateTable("lake_tables")
    .set(row)
    .where("name", "=", next.name)
    .where("version", "=", next.version - 1)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Notes objects before they are written, so that they are deleted if nothing comes of them. */
export async function addDrafts(tx: Tx, keys: readonly string[], notBeforeMs: number): Promise<void> {
  await tx.executeSql(
    `INSERT INTO garbage (tenant, key, is_draft, sequence, not_before_ms)
     SELECT $1, key, true, 0, $3 FROM unnest($2::text[]) AS key`,
    [tx.tenant, keys, notBeforeMs],
  );
}

/** Takes drafts off the list, as part of the commit that makes them count. Refuses when one of them is being deleted already. */
export async function keepDrafts(tx: Tx, keys: readonly string[]): Promise<void> {
  const { rows } = await tx.executeSql(
    "DELETE FROM garbage WHERE is_draft AND NOT is_doomed AND key = ANY($1::text[]) RETURNING key",
    [keys],
  );
  if (rows.length < keys.length)
    throw problem.aborted("files of this commit were taken for left behind and deleted: it took too long", {
      reason: "drafts_deleted",
    });
}

export interface Unreachable {
  readonly key: string;
  /** No snapshot from this sequence number on reaches it. */
  readonly sequence: number;
}

export async function addUnreachable(tx: Tx, found: readonly Unreachable[], notBeforeMs: number): Promise<void> {
  if (found.length === 0) return;
  await tx.executeSql(
    `INSERT INTO garbage (tenant, key, is_draft, sequence, not_before_ms)
     SELECT $1, key, false, sequence, $4 FROM unnest($2::text[], $3::bigint[]) AS t (key, sequence)
     ON CONFLICT DO NOTHING`,
    [tx.tenant, found.map(({ key }) => key), found.map(({ sequence }) => sequence), notBeforeMs],
  );
}

/**
 * Marks garbage whose time has come and returns it, at most `limit` objects; what was marked before a crash comes again. What was removed
 * from a table waits for the snapshots that had it.
 */
export async function doom(tx: Tx, nowMs: number, limit: number): Promise<string[]> {
  const { rows } = await tx.executeSql(
    `UPDATE garbage SET is_doomed = true WHERE tenant = $1 AND key IN (
       SELECT key FROM garbage
        WHERE is_doomed OR (not_before_ms <= $2
              AND (is_draft OR sequence <= coalesce((SELECT min(oldest_sequence) FROM lake_tables), 0)))
        ORDER BY not_before_ms LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING key`,
    [tx.tenant, nowMs, limit],
  );
  return rows.map((row) => String(row["key"]));
}

export async function forgetGarbage(tx: Tx, keys: readonly string[]): Promise<void> {
  await tx.executeSql("DELETE FROM garbage WHERE is_doomed AND key = ANY($1::text[])", [keys]);
}

/** Lets drafts that nobody will commit be deleted now. */
export async function hurryDrafts(tx: Tx, keys: readonly string[], nowMs: number): Promise<void> {
  await tx.executeSql("UPDATE garbage SET not_before_ms = $2 WHERE is_draft AND key = ANY($1::text[])", [keys, nowMs]);
}

/** Lets what is unreachable be deleted without the pause that readers are given otherwise. */
export async function hurryUnreachable(tx: Tx, nowMs: number): Promise<void> {
  await tx.executeSql("UPDATE garbage SET not_before_ms = $1 WHERE NOT is_draft AND not_before_ms > $1", [nowMs]);
}

export async function countGarbage(tx: Tx): Promise<number> {
  const { rows } = await tx.executeSql("SELECT count(*) AS count FROM garbage", []);
  return Number(rows[0]?.["count"] ?? 0);
}

export async function askErasure(tx: Tx, userId: string, nowMs: number): Promise<void> {
  await tables(tx)
    .insertInto("erasures")
    .values({ tenant: tx.tenant, user_id: userId, asked_at_ms: nowMs, done_at_ms: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** People whose events are not kept, and the newest of these requests, by which a commit sees that there is another one. */
export async function erasedUsers(
  tx: Tx,
  limit: number,
): Promise<{ readonly ids: readonly string[]; readonly newest: number }> {
  const { rows } = await tx.executeSql("SELECT user_id, id FROM erasures ORDER BY id DESC LIMIT $1", [limit]);
  return { ids: rows.map((row) => String(row["user_id"])), newest: Number(rows[0]?.["id"] ?? 0) };
}

export async function newestErasure(tx: Tx): Promise<number> {
  const { rows } = await tx.executeSql("SELECT coalesce(max(id), 0) AS newest FROM erasures", []);
  return Number(rows[0]?.["newest"] ?? 0);
}

export async function openErasures(tx: Tx, limit: number): Promise<string[]> {
  const rows = await tables(tx)
    .selectFrom("erasures")
    .select("user_id")
    .where("done_at_ms", "is", null)
    .orderBy("asked_at_ms")
    .limit(limit)
    .execute();
  return rows.map((row) => row.user_id);
}

export async function countOpenErasures(tx: Tx): Promise<number> {
  const { rows } = await tx.executeSql("SELECT count(*) AS count FROM erasures WHERE done_at_ms IS NULL", []);
  return Number(rows[0]?.["count"] ?? 0);
}

export async function closeErasures(tx: Tx, userIds: readonly string[], nowMs: number): Promise<void> {
  await tables(tx)
    .updateTable("erasures")
    .set({ done_at_ms: nowMs })
    .where("user_id", "in", [...userIds])
    .execute();
}

/** Forgets people of whom the event log can bring nothing any more. */
export async function forgetErasures(tx: Tx, doneBeforeMs: number): Promise<void> {
  await tables(tx).deleteFrom("erasures").where("done_at_ms", "<", doneBeforeMs).execute();
}

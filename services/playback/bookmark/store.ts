import { type Kysely, sql } from "kysely";
import type { ModelTx, Tx } from "#kernel";
import { type Beat, keyOf, type Progress } from "./domain.ts";

type Tables = {
  bookmarks: {
    tenant: string;
    profile_id: string;
    content_id: string;
    user_id: string;
    position_s: number;
    duration_s: number;
    finished: boolean;
    removed: boolean;
    session_started_at_ms: number;
    sequence: number;
    updated_at_ms: number;
  };
  saved: { tenant: string; profile_id: string; content_id: string; user_id: string; saved_at_ms: number };
  continue_watching: {
    tenant: string;
    profile_id: string;
    content_id: string;
    user_id: string;
    position_s: number;
    duration_s: number;
    updated_at_ms: number;
  };
};

const tables = (tx: ModelTx): Kysely<Tables> => tx.q.withTables<Tables>();

const toProgress = (row: Tables["bookmarks"]): Progress => ({
  userId: row.user_id,
  profileId: row.profile_id,
  contentId: row.content_id,
  positionS: row.position_s,
  durationS: row.duration_s,
  isFinished: row.finished,
  sessionStartedAtMs: row.session_started_at_ms,
  sequence: row.sequence,
  updatedAtMs: row.updated_at_ms,
});

export async function findMany(tx: Tx, profileId: string, contentIds: readonly string[]): Promise<Progress[]> {
  if (contentIds.length === 0) return [];
  const rows = await tables(tx)
    .selectFrom("bookmarks")
    .selectAll()
    .where("profile_id", "=", profileId)
    .where("content_id", "in", contentIds)
    .execute();
  return rows.map(toProgress);
}

/** Those of some pairs of a profile and a title, in no order. */
export async function findPairs(
  tx: Tx,
  of: readonly { readonly profileId: string; readonly contentId: string }[],
): Promise<Progress[]> {
  const pairs = sql`SELECT * FROM unnest(${of.map(({ profileId }) => profileId)}::text[], ${of.map(({ contentId }) => contentId)}::text[])`;
  const rows = await tables(tx)
    .selectFrom("bookmarks")
    .selectAll()
    .where(sql<boolean>`(profile_id, content_id) IN (${pairs})`)
    .execute();
  return rows.map(toProgress);
}

/** The rows that a batch touches, locked in one order, so that two consumers never wait for each other in a circle. */
export async function lock(tx: Tx, beats: readonly Beat[]): Promise<Map<string, Progress>> {
  const rows = await tables(tx)
    .selectFrom("bookmarks")
    .selectAll()
    .where("profile_id", "in", [...new Set(beats.map((beat) => beat.profileId))])
    .where("content_id", "in", [...new Set(beats.map((beat) => beat.contentId))])
    .orderBy("profile_id")
    .orderBy("content_id")
    .forUpdate()
    .execute();
  return new Map(rows.map((row) => [keyOf({ profileId: row.profile_id, contentId: row.content_id }), toProgress(row)]));
}

/** Saves what a batch brought, each bookmark once, in one statement. */
export async function saveMany(tx: Tx, all: readonly Progress[]): Promise<void> {
  if (all.length === 0) return;
  await sql`
    INSERT INTO bookmarks (tenant, profile_id, content_id, user_id, position_s, duration_s, finished, removed,
      session_started_at_ms, sequence, updated_at_ms)
    SELECT ${tx.tenant}, profile_id, content_id, user_id, position_s, duration_s, finished, false,
           session_started_at_ms, sequence, updated_at_ms
      FROM unnest(${all.map(({ profileId }) => profileId)}::text[], ${all.map(({ contentId }) => contentId)}::text[],
        ${all.map(({ userId }) => userId)}::text[], ${all.map(({ positionS }) => positionS)}::float8[],
        ${all.map(({ durationS }) => durationS)}::float8[], ${all.map(({ isFinished: finished }) => finished)}::boolean[],
        ${all.map(({ sessionStartedAtMs }) => sessionStartedAtMs)}::bigint[],
        ${all.map(({ sequence }) => sequence)}::int[], ${all.map(({ updatedAtMs }) => updatedAtMs)}::bigint[])
        AS news (profile_id, content_id, user_id, position_s, duration_s, finished, session_started_at_ms, sequence, updated_at_ms)
    ON CONFLICT (tenant, profile_id, content_id) DO UPDATE SET user_id = EXCLUDED.user_id,
      position_s = EXCLUDED.position_s, duration_s = EXCLUDED.duration_s, finished = EXCLUDED.finished, removed = false,
      session_started_at_ms = EXCLUDED.session_started_at_ms, sequence = EXCLUDED.sequence,
      updated_at_ms = EXCLUDED.updated_at_ms`.execute(tx.q);
}

/** What is worth going on with. */
export type Unfinished = Pick<Progress, "profileId" | "contentId" | "positionS" | "durationS" | "updatedAtMs">;

export async function unfinished(tx: Tx, profileId: string, limit: number): Promise<Unfinished[]> {
  const rows = await tables(tx)
    .selectFrom("continue_watching")
    .selectAll()
    .where("profile_id", "=", profileId)
    .orderBy("updated_at_ms", "desc")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    profileId: row.profile_id,
    contentId: row.content_id,
    positionS: row.position_s,
    durationS: row.duration_s,
    updatedAtMs: row.updated_at_ms,
  }));
}

/** Brings "Continue watching" in line with some bookmarks, as they are now; without a list, with all of the tenant. */
export async function refreshUnfinished(
  tx: ModelTx,
  of?: readonly { readonly profileId: string; readonly contentId: string }[],
): Promise<void> {
  const wanted = of
    ? sql`(b.profile_id, b.content_id) IN (SELECT * FROM unnest(${of.map(({ profileId }) => profileId)}::text[], ${of.map(({ contentId }) => contentId)}::text[]))`
    : sql`true`;
  await sql`
    DELETE FROM continue_watching AS c USING bookmarks AS b
     WHERE (c.tenant, c.profile_id, c.content_id) = (b.tenant, b.profile_id, b.content_id)
       AND (b.finished OR b.removed) AND ${wanted}`.execute(tx.q);
  // In one order, so that two that meet do not wait for each other in a circle.
  await sql`
    INSERT INTO continue_watching (tenant, profile_id, content_id, user_id, position_s, duration_s, updated_at_ms)
    SELECT tenant, profile_id, content_id, user_id, position_s, duration_s, updated_at_ms FROM bookmarks AS b
     WHERE NOT finished AND NOT removed AND ${wanted} ORDER BY profile_id, content_id
    ON CONFLICT (tenant, profile_id, content_id) DO UPDATE SET user_id = EXCLUDED.user_id,
      position_s = EXCLUDED.position_s, duration_s = EXCLUDED.duration_s, updated_at_ms = EXCLUDED.updated_at_ms`.execute(
    tx.q,
  );
}

/** Takes a title off "Continue watching", at once for the one who did it; the position stays. */
export async function remove(tx: Tx, profileId: string, contentId: string): Promise<Progress | undefined> {
  const row = await tables(tx)
    .updateTable("bookmarks")
    .set({ removed: true })
    .where("profile_id", "=", profileId)
    .where("content_id", "=", contentId)
    .returningAll()
    .executeTakeFirst();
  await tables(tx)
    .deleteFrom("continue_watching")
    .where("profile_id", "=", profileId)
    .where("content_id", "=", contentId)
    .execute();
  return row && toProgress(row);
}

export async function addToList(
  tx: Tx,
  of: { readonly userId: string; readonly profileId: string; readonly contentId: string },
  nowMs: number,
): Promise<void> {
  await tables(tx)
    .insertInto("saved")
    .values({
      tenant: tx.tenant,
      profile_id: of.profileId,
      content_id: of.contentId,
      user_id: of.userId,
      saved_at_ms: nowMs,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function removeFromList(tx: Tx, profileId: string, contentId: string): Promise<void> {
  await tables(tx)
    .deleteFrom("saved")
    .where("profile_id", "=", profileId)
    .where("content_id", "=", contentId)
    .execute();
}

export async function list(tx: Tx, profileId: string, limit: number): Promise<string[]> {
  const rows = await tables(tx)
    .selectFrom("saved")
    .select("content_id")
    .where("profile_id", "=", profileId)
    .orderBy("saved_at_ms", "desc")
    .limit(limit)
    .execute();
  return rows.map((row) => row.content_id);
}

/** Forgets a profile, a person or a title, whichever is gone for good. */
export async function forget(
  tx: Tx,
  what: { readonly column: "user_id" | "profile_id" | "content_id"; readonly id: string },
): Promise<void> {
  await tables(tx).deleteFrom("bookmarks").where(what.column, "=", what.id).execute();
  await tables(tx).deleteFrom("saved").where(what.column, "=", what.id).execute();
}

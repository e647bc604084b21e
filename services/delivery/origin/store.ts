import { type Kysely, sql } from "kysely";
import type { PurgeFeed } from "#contracts/origin/edges";
import type { Tx } from "#kernel";

type Tables = {
  contents: { content_id: string; owner: string };
  purges: { serial: number; content_id: string; deleted: boolean; purged_at_ms: number };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const FEED_MAX = 500;

/** Notes whose a title is, and returns whose it was noted to be. */
export async function claim(tx: Tx, contentId: string, owner: string): Promise<string> {
  await tables(tx)
    .insertInto("contents")
    .values({ content_id: contentId, owner })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await ownerOf(tx, contentId)) ?? owner;
}

export async function ownerOf(tx: Tx, contentId: string): Promise<string | undefined> {
  const row = await tables(tx)
    .selectFrom("contents")
    .select("owner")
    .where("content_id", "=", contentId)
    .executeTakeFirst();
  return row?.owner;
}

export async function forget(tx: Tx, contentId: string): Promise<void> {
  await tables(tx).deleteFrom("contents").where("content_id", "=", contentId).execute();
}

/** Adds to the feed. One transaction at a time does, so that serials become visible in their order and no edge misses one. */
export async function purge(
  tx: Tx,
  purges: readonly { readonly contentId: string; readonly deleted: boolean }[],
  nowMs: number,
): Promise<void> {
  if (purges.length === 0) return;
  await sql`LOCK TABLE purges IN SHARE ROW EXCLUSIVE MODE`.execute(tx.q);
  const rows = purges.map(({ contentId, deleted }) => ({ content_id: contentId, deleted, purged_at_ms: nowMs }));
  // The serial is the database's own.
  await sql`INSERT INTO purges (content_id, deleted, purged_at_ms)
    SELECT * FROM unnest(${rows.map((row) => row.content_id)}::text[], ${rows.map((row) => row.deleted)}::boolean[], ${rows.map((row) => row.purged_at_ms)}::bigint[])`.execute(
    tx.q,
  );
}

/** What came after a serial. A mark from before the oldest entry, or from beyond the newest, belongs to another past. */
export async function purgesAfter(tx: Tx, after: number): Promise<PurgeFeed> {
  const bounds = await tables(tx)
    .selectFrom("purges")
    .select(({ fn }) => [fn.min("serial").as("oldest"), fn.max("serial").as("newest")])
    .executeTakeFirst();
  const newest = bounds?.newest ?? 0;
  const oldest = bounds?.oldest ?? 1;
  if (after < 0) return { serial: newest, isReset: false, purges: [] };
  if (after > newest || after < oldest - 1) return { serial: newest, isReset: true, purges: [] };
  const rows = await tables(tx)
    .selectFrom("purges")
    .select(["serial", "content_id", "deleted"])
    .where("serial", ">", after)
    .orderBy("serial")
    .limit(FEED_MAX)
    .execute();
  return {
    serial: rows.at(-1)?.serial ?? after,
    isReset: false,
    purges: rows.map((row) => ({ contentId: row.content_id, deleted: row.deleted })),
  };
}

/** The newest entry always stays: it says where the feed is. */
export async function trim(tx: Tx, beforeMs: number): Promise<void> {
  await sql`DELETE FROM purges WHERE purged_at_ms < ${beforeMs} AND serial < (SELECT max(serial) FROM purges)`.execute(
    tx.q,
  );
}

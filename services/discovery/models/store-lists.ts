import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Order, ShownList } from "./domain-order.ts";

type Row = {
  tenant: string;
  model: Order;
  list_id: string;
  user_id: string;
  profile_id: string;
  at_ms: number;
  segment: string;
  content_ids: string[];
  ranks: number[];
  scores: number[];
  nearness: number[];
  chosen: string[];
};
type Tables = { lists: Row };
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

/** Keeps lists as they were shown; one that is told twice is one. */
export async function put(tx: Tx, model: Order, lists: readonly Omit<ShownList, "chosen">[]): Promise<void> {
  if (lists.length === 0) return;
  await tables(tx)
    .insertInto("lists")
    .values(
      lists.map(({ listId, userId, profileId, atMs, segment, titles }) => ({
        ...{ tenant: tx.tenant, model, list_id: listId, user_id: userId, profile_id: profileId, at_ms: atMs, segment },
        content_ids: titles.map(({ contentId }) => contentId),
        ranks: titles.map(({ rank }) => rank),
        scores: titles.map(({ score }) => score),
        nearness: titles.map(({ nearness }) => nearness),
        chosen: [],
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export interface Choice {
  readonly profileId: string;
  readonly contentId: string;
  readonly atMs: number;
}

/** Notes what was chosen: each of its profile's latest list that had it and was shown not long before. */
export async function choose(tx: Tx, model: Order, choices: readonly Choice[], withinMs: number): Promise<void> {
  const column = <T>(of: (choice: Choice) => T): T[] => choices.map(of);
  await sql`
    WITH found AS (
      SELECT latest.list_id, array_agg(DISTINCT c.content_id) AS chosen
        FROM unnest(${column(({ profileId }) => profileId)}::text[], ${column(({ contentId }) => contentId)}::text[],
               ${column(({ atMs }) => atMs)}::bigint[]) AS c (profile_id, content_id, at_ms)
       CROSS JOIN LATERAL (
         SELECT l.list_id FROM lists l
          WHERE l.model = ${model} AND l.profile_id = c.profile_id AND c.content_id = ANY(l.content_ids)
            AND l.at_ms BETWEEN c.at_ms - ${withinMs}::bigint AND c.at_ms ORDER BY l.at_ms DESC LIMIT 1) AS latest
       GROUP BY latest.list_id)
    UPDATE lists AS l SET chosen = l.chosen || ARRAY(SELECT unnest(found.chosen) EXCEPT SELECT unnest(l.chosen))
      FROM found WHERE l.model = ${model} AND l.list_id = found.list_id`.execute(tx.q);
}

/** Notes that a title of one list was chosen, by whom it was shown to. */
export async function chooseOf(tx: Tx, model: Order, listId: string, { profileId, contentId }: Choice): Promise<void> {
  await sql`
    UPDATE lists SET chosen = array_append(chosen, ${contentId})
     WHERE model = ${model} AND list_id = ${listId} AND profile_id = ${profileId}
       AND ${contentId} = ANY(content_ids) AND NOT ${contentId} = ANY(chosen)`.execute(tx.q);
}

/** Lists that somebody chose from, the latest ones first; who chose nothing says nothing of the order. */
export async function chosenFrom(
  tx: Tx,
  model: Order,
  of: { readonly fromMs: number; readonly toMs: number; readonly limit: number },
): Promise<ShownList[]> {
  const rows = await tables(tx)
    .selectFrom("lists")
    .selectAll()
    .where("model", "=", model)
    .where("at_ms", ">=", of.fromMs)
    .where("at_ms", "<", of.toMs)
    .where(sql<boolean>`chosen <> '{}'`)
    .orderBy("at_ms", "desc")
    .orderBy("list_id")
    .limit(of.limit)
    .execute();
  return rows.map((row) => ({
    ...{ listId: row.list_id, userId: row.user_id, profileId: row.profile_id, atMs: row.at_ms, segment: row.segment },
    titles: row.content_ids.map((contentId, at) => ({
      ...{ contentId, rank: row.ranks[at] ?? at },
      ...{ score: row.scores[at] ?? Number.NaN, nearness: row.nearness[at] ?? Number.NaN },
    })),
    chosen: new Set(row.chosen),
  }));
}

export async function count(tx: Tx, model: Order, fromMs: number): Promise<number> {
  const row = await tables(tx)
    .selectFrom("lists")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("model", "=", model)
    .where("at_ms", ">=", fromMs)
    .where(sql<boolean>`chosen <> '{}'`)
    .executeTakeFirstOrThrow();
  return row.count;
}

export async function forget(tx: Tx, column: "user_id" | "profile_id", id: string): Promise<void> {
  await tables(tx).deleteFrom("lists").where(column, "=", id).execute();
}

/** Drops what no training will ask for any more: what is old, and sooner what nobody chose from. */
export async function dropBefore(tx: Tx, atMs: number, unchosenMs: number): Promise<void> {
  await sql`DELETE FROM lists WHERE at_ms < ${atMs} OR (at_ms < ${unchosenMs} AND chosen = '{}')`.execute(tx.q);
}

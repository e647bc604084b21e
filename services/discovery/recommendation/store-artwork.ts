import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Arm } from "./domain-artwork.ts";

type Row = {
  tenant: string;
  profile_id: string;
  content_id: string;
  user_id: string;
  key: string;
  taste: string;
  shown_at_ms: number;
  is_chosen: boolean;
};
type Tables = { artwork_shows: Row };
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const ARMS_MAX = 20_000;

/** What is known of all pictures of a tenant. */
export async function arms(tx: Tx): Promise<Arm[]> {
  const { rows } = await sql<{ content_id: string; key: string; taste: string; shown: number; chosen: number }>`
    SELECT content_id, key, taste, count(*)::int AS shown, count(*) FILTER (WHERE is_chosen)::int AS chosen
      FROM artwork_shows GROUP BY content_id, key, taste ORDER BY count(*) DESC LIMIT ${ARMS_MAX}`.execute(tx.q);
  return rows.map(({ content_id: contentId, ...arm }) => ({ contentId, ...arm }));
}

/** The pictures that a profile is shown, and the genre that it likes most. */
export async function shownTo(
  tx: Tx,
  profileId: string,
): Promise<{ readonly keys: ReadonlyMap<string, string>; readonly taste: string; readonly isPersonalised: boolean }> {
  const { rows } = await sql<{
    taste: string | null;
    is_personalised: boolean;
    keys: Readonly<Record<string, string>>;
  }>`
    SELECT (SELECT genre FROM interactions i JOIN titles t ON t.content_id = i.content_id, unnest(t.genres) AS genre
             WHERE i.profile_id = ${profileId} AND i.stage >= 1 GROUP BY genre ORDER BY count(*) DESC, genre LIMIT 1) AS taste,
           NOT EXISTS (SELECT FROM unpersonalised WHERE profile_id = ${profileId}) AS is_personalised,
           (SELECT coalesce(json_object_agg(content_id, key), '{}') FROM artwork_shows WHERE profile_id = ${profileId}) AS keys`.execute(
    tx.q,
  );
  const [row] = rows;
  return {
    keys: new Map(Object.entries(row?.keys ?? {})),
    ...{ taste: row?.taste ?? "", isPersonalised: row?.is_personalised ?? false },
  };
}

export interface Show {
  readonly userId: string;
  readonly profileId: string;
  readonly contentId: string;
  readonly key: string;
  readonly taste: string;
  readonly atMs: number;
}

/** Another picture than before begins anew. */
export async function putShows(tx: Tx, all: readonly Show[]): Promise<void> {
  if (all.length === 0) return;
  const column = (of: (one: Show) => string): string[] => all.map(of);
  await sql`
    INSERT INTO artwork_shows (tenant, profile_id, content_id, user_id, key, taste, shown_at_ms)
    SELECT ${tx.tenant}, profile_id, content_id, user_id, key, taste, at_ms
      FROM unnest(${column(({ profileId }) => profileId)}::text[], ${column(({ contentId }) => contentId)}::text[],
        ${column(({ userId }) => userId)}::text[], ${column(({ key }) => key)}::text[], ${column(({ taste }) => taste)}::text[],
        ${all.map(({ atMs }) => atMs)}::bigint[]) AS news (profile_id, content_id, user_id, key, taste, at_ms)
     ORDER BY profile_id, content_id
    ON CONFLICT (tenant, profile_id, content_id) DO UPDATE SET key = EXCLUDED.key, taste = EXCLUDED.taste,
      shown_at_ms = EXCLUDED.shown_at_ms, is_chosen = false WHERE artwork_shows.key <> EXCLUDED.key`.execute(tx.q);
}

export async function choose(tx: Tx, profileId: string, contentId: string): Promise<void> {
  await tables(tx)
    .updateTable("artwork_shows")
    .set({ is_chosen: true })
    .where("profile_id", "=", profileId)
    .where("content_id", "=", contentId)
    .execute();
}

/** What nobody was shown for long is shown anew. */
export async function sweepShows(tx: Tx, beforeMs: number): Promise<void> {
  await tables(tx).deleteFrom("artwork_shows").where("shown_at_ms", "<", beforeMs).execute();
}

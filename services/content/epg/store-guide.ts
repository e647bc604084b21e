import { type Kysely, sql } from "kysely";
import type { ModelTx, Tx } from "#kernel";
import type { Change, Known, Placed, Slot } from "./domain.ts";

// What sources list, and the guide that is made of it.

type ProgrammeRow = {
  tenant: string;
  id: string;
  channel_id: string;
  start_ms: number;
  stop_ms: number;
  stop_assumed: boolean;
  source: string;
  title: string;
  title_key: string;
  series_id: string;
  episode_key: string;
  hash: string;
  card: string;
  body: string;
};
type Restriction = { blackout: boolean; no_restart: boolean; no_record: boolean };
type Tables = {
  programmes: ProgrammeRow;
  restrictions: Restriction & { tenant: string; programme_id: string };
};

const tables = (tx: ModelTx): Kysely<Tables> => tx.q.withTables<Tables>();

// Listings

/** Takes rows as the reader made them: a JSON array whose members are named as the columns. */
export async function insertListings(tx: Tx, importId: string, source: string, json: Uint8Array): Promise<void> {
  await tx.executeSql(
    `INSERT INTO listings (tenant, import_id, source, seq, external_id, start_ms, stop_ms, length_s, clump_index, clump_count,
       title, title_key, series_id, episode_key, hash, card, body)
     SELECT $1, $2, $3, seq, external_id, start_ms, stop_ms, length_s, clump_index, clump_count,
       title, title_key, series_id, episode_key, hash, card, body
       FROM json_to_recordset($4::json) AS rows (seq int, external_id text, start_ms bigint, stop_ms bigint, length_s int, clump_index int,
         clump_count int, title text, title_key text, series_id text, episode_key text, hash text, card text, body text)`,
    [tx.tenant, importId, source, Buffer.from(json.buffer, json.byteOffset, json.byteLength)],
  );
}

export async function dropListings(tx: Tx, importId: string): Promise<void> {
  await tx.executeSql("DELETE FROM listings WHERE import_id = $1", [importId]);
}

/** Drops what an accepted import replaces: earlier listings of its channels that begin within the stretch that it speaks of. */
export async function dropReplaced(
  tx: Tx,
  importId: string,
  source: string,
  channels: readonly { externalId: string; fromMs: number; toMs: number }[],
): Promise<void> {
  await tx.executeSql(
    `DELETE FROM listings AS l USING unnest($3::text[], $4::bigint[], $5::bigint[]) AS c (external_id, from_ms, to_ms)
      WHERE l.source = $2 AND l.external_id = c.external_id AND l.import_id <> $1 AND l.start_ms >= c.from_ms
        AND (l.start_ms < c.to_ms OR l.start_ms = c.from_ms)
        AND l.import_id IN (SELECT import_id FROM imports WHERE state = 'accepted')`,
    [
      ...[importId, source, channels.map(({ externalId }) => externalId)],
      ...[channels.map(({ fromMs }) => fromMs), channels.map(({ toMs }) => toMs)],
    ],
  );
}

/** Accepted listings of a channel, the source of the highest priority first. */
export async function listingsOf(
  tx: Tx,
  channelId: string,
  window: { readonly fromMs: number; readonly toMs: number },
  limit: number,
): Promise<Slot[]> {
  const { rows } = await tx.executeSql(
    `SELECT l.source, l.import_id, l.seq, l.start_ms::float8 AS start_ms, l.stop_ms::float8 AS stop_ms, l.length_s, l.clump_index, l.clump_count,
            l.title, l.title_key, l.series_id, l.episode_key, l.hash
       FROM source_channels AS c
       JOIN sources AS s ON s.tenant = c.tenant AND s.name = c.source
       JOIN listings AS l ON l.tenant = c.tenant AND l.source = c.source AND l.external_id = c.external_id
       JOIN imports AS i ON i.tenant = l.tenant AND i.import_id = l.import_id AND i.state = 'accepted'
      WHERE c.channel_id = $1 AND coalesce(l.stop_ms, l.start_ms + 21600000) > $2 AND l.start_ms < $3
      ORDER BY s.priority DESC, s.name, l.start_ms, i.created_at_ms DESC, l.seq LIMIT $4`,
    [channelId, window.fromMs, window.toMs, limit],
  );
  return rows.map((row) => ({
    ...{ source: String(row["source"]), importId: String(row["import_id"]), seq: Number(row["seq"]) },
    ...{ startMs: Number(row["start_ms"]), stopMs: row["stop_ms"] === null ? null : Number(row["stop_ms"]) },
    lengthS: row["length_s"] === null ? null : Number(row["length_s"]),
    ...{ clumpIndex: Number(row["clump_index"]), clumpCount: Number(row["clump_count"]) },
    ...{ title: String(row["title"]), titleKey: String(row["title_key"]), seriesId: String(row["series_id"]) },
    ...{ episodeKey: String(row["episode_key"]), hash: String(row["hash"]) },
  }));
}

// The guide

export async function knownOf(tx: Tx, channelId: string): Promise<Known[]> {
  const rows = await tables(tx)
    .selectFrom("programmes")
    .select(["id", "start_ms", "stop_ms", "stop_assumed", "title", "title_key", "series_id", "episode_key", "hash"])
    .where("channel_id", "=", channelId)
    .orderBy("start_ms")
    .execute();
  return rows.map((row) => ({
    ...{ id: row.id, startMs: row.start_ms, stopMs: row.stop_ms, stopAssumed: row.stop_assumed, title: row.title },
    ...{ titleKey: row.title_key, seriesId: row.series_id, episodeKey: row.episode_key, hash: row.hash },
  }));
}

/** Series that the guide knows by an id, for titles that name one and no other. */
export async function seriesByTitle(tx: Tx, titleKeys: readonly string[]): Promise<Map<string, string>> {
  if (titleKeys.length === 0) return new Map();
  const { rows } = await tx.executeSql(
    `SELECT title_key, min(series_id) AS series_id FROM programmes
      WHERE title_key = ANY($1::text[]) AND series_id <> '' AND series_id NOT LIKE 't-%'
      GROUP BY title_key HAVING count(DISTINCT series_id) = 1`,
    [[...titleKeys]],
  );
  return new Map(rows.map((row) => [String(row["title_key"]), String(row["series_id"])]));
}

/** Makes the rows of a channel what a change says. Texts go from the listings to the guide within the database. */
export async function applyChange(tx: Tx, channelId: string, { added, changed, removed }: Change): Promise<void> {
  const put = [
    ...added.map(({ id, slot }) => rowOf(id, slot)),
    ...changed.map(({ known, slot }) => rowOf(known.id, slot)),
  ];
  if (removed.length > 0)
    await tables(tx)
      .deleteFrom("programmes")
      .where("id", "=", sql<string>`ANY(${removed.map(({ id }) => id)}::text[])`)
      .execute();
  if (put.length === 0) return;
  await tx.executeSql(
    `INSERT INTO programmes (tenant, id, channel_id, start_ms, stop_ms, stop_assumed, source, title, title_key, series_id, episode_key,
       hash, card, body)
     SELECT l.tenant, p.id, $1, p.start_ms, p.stop_ms, p.stop_assumed, l.source, l.title, l.title_key, p.series_id, l.episode_key,
       l.hash, l.card, l.body
       FROM json_to_recordset($2::json) AS p (id text, start_ms bigint, stop_ms bigint, stop_assumed boolean, import_id text, seq int,
         series_id text)
       JOIN listings AS l ON l.import_id = p.import_id AND l.seq = p.seq
     ON CONFLICT (tenant, id) DO UPDATE SET start_ms = EXCLUDED.start_ms, stop_ms = EXCLUDED.stop_ms,
       stop_assumed = EXCLUDED.stop_assumed, source = EXCLUDED.source, title = EXCLUDED.title, title_key = EXCLUDED.title_key,
       series_id = EXCLUDED.series_id, episode_key = EXCLUDED.episode_key, hash = EXCLUDED.hash, card = EXCLUDED.card, body = EXCLUDED.body`,
    [channelId, JSON.stringify(put)],
  );
}

const rowOf = (id: string, { startMs, stopMs, stopAssumed, importId, seq, seriesId }: Placed) => ({
  ...{ id, start_ms: startMs, stop_ms: stopMs, stop_assumed: stopAssumed, import_id: importId, seq },
  series_id: seriesId,
});

/** A programme with what may not be done with it. */
export type Programme = Omit<ProgrammeRow, "tenant" | "hash" | "title_key"> & Restriction;

const programmes = (tx: ModelTx) =>
  tables(tx)
    .selectFrom("programmes as p")
    .leftJoin("restrictions as r", (join) =>
      join.onRef("r.tenant", "=", "p.tenant").onRef("r.programme_id", "=", "p.id"),
    )
    .select([
      ...(["p.id", "p.channel_id", "p.start_ms", "p.stop_ms", "p.stop_assumed", "p.source", "p.title"] as const),
      ...(["p.series_id", "p.episode_key", "p.card", "p.body"] as const),
      sql<boolean>`coalesce(r.blackout, false)`.as("blackout"),
      sql<boolean>`coalesce(r.no_restart, false)`.as("no_restart"),
      sql<boolean>`coalesce(r.no_record, false)`.as("no_record"),
    ]);

export async function findProgramme(tx: Tx, id: string): Promise<Programme | undefined> {
  return programmes(tx).where("p.id", "=", id).executeTakeFirst();
}

/** Programmes that touch a stretch of time, by channel and start. */
export async function programmesIn(
  tx: Tx,
  of: {
    readonly channelIds: readonly string[];
    readonly fromMs: number;
    readonly toMs: number;
    readonly limit: number;
  },
): Promise<Programme[]> {
  if (of.channelIds.length === 0) return [];
  return programmes(tx)
    .where("p.channel_id", "in", of.channelIds)
    .where("p.stop_ms", ">", of.fromMs)
    .where("p.start_ms", "<", of.toMs)
    .orderBy("p.channel_id")
    .orderBy("p.start_ms")
    .limit(of.limit)
    .execute();
}

/** What the grid needs of the programmes that start within a stretch of time. */
export async function cardsIn(
  tx: ModelTx,
  of: { readonly channelIds: readonly string[]; readonly fromMs: number; readonly toMs: number },
): Promise<{ id: string; channel_id: string; start_ms: number; stop_ms: number; card: string }[]> {
  return tables(tx)
    .selectFrom("programmes")
    .select(["id", "channel_id", "start_ms", "stop_ms", "card"])
    .where("channel_id", "in", of.channelIds)
    .where("start_ms", ">=", of.fromMs)
    .where("start_ms", "<", of.toMs)
    .orderBy("channel_id")
    .orderBy("start_ms")
    .execute();
}

/** What is on at a moment and the one after it, of each channel. */
export async function nowNext(tx: Tx, channelIds: readonly string[], atMs: number): Promise<Programme[]> {
  if (channelIds.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    SELECT p.id FROM unnest(${[...channelIds]}::text[]) AS c (id)
     CROSS JOIN LATERAL (SELECT id FROM programmes WHERE channel_id = c.id AND stop_ms > ${atMs} AND start_ms > ${atMs - 172_800_000}
       ORDER BY start_ms LIMIT 2) AS p`.execute(tx.q);
  if (rows.length === 0) return [];
  return programmes(tx)
    .where(
      "p.id",
      "in",
      rows.map(({ id }) => id),
    )
    .orderBy("p.start_ms")
    .execute();
}

export async function episodesOf(
  tx: Tx,
  of: { readonly seriesId: string; readonly channelId: string; readonly limit: number },
): Promise<Programme[]> {
  return programmes(tx)
    .where("p.series_id", "=", of.seriesId)
    .$if(of.channelId !== "", (query) => query.where("p.channel_id", "=", of.channelId))
    .orderBy("p.start_ms")
    .limit(of.limit)
    .execute();
}

/** Programmes that have not ended whose titles have all of these words, the last one perhaps unfinished. */
export async function search(
  tx: Tx,
  of: { readonly words: readonly string[]; readonly nowMs: number; readonly limit: number },
): Promise<Programme[]> {
  const query = of.words.map((word, i) => (i === of.words.length - 1 ? `${word}:*` : word)).join(" & ");
  return programmes(tx)
    .where(sql<boolean>`to_tsvector('simple', p.title_key) @@ to_tsquery('simple', ${query})`)
    .where("p.stop_ms", ">", of.nowMs)
    .orderBy("p.start_ms")
    .limit(of.limit)
    .execute();
}

export async function restrict(tx: Tx, programmeId: string, to: Restriction): Promise<void> {
  if (!to.blackout && !to.no_restart && !to.no_record) {
    await tables(tx).deleteFrom("restrictions").where("programme_id", "=", programmeId).execute();
    return;
  }
  await tables(tx)
    .insertInto("restrictions")
    .values({ tenant: tx.tenant, programme_id: programmeId, ...to })
    .onConflict((conflict) => conflict.columns(["tenant", "programme_id"]).doUpdateSet(to))
    .execute();
}

/** What may not be done with some of these programmes. */
export async function restrictionsOf(tx: Tx, programmeIds: readonly string[]): Promise<Map<string, Restriction>> {
  if (programmeIds.length === 0) return new Map();
  const rows = await tables(tx)
    .selectFrom("restrictions")
    .select(["programme_id", "blackout", "no_restart", "no_record"])
    .where("programme_id", "=", sql<string>`ANY(${[...programmeIds]}::text[])`)
    .execute();
  return new Map(rows.map(({ programme_id, ...restriction }) => [programme_id, restriction]));
}

/** Forgets what is older than the guide keeps; bounded, so that a sweep holds nothing up. Answers how many rows went. */
export async function sweep(tx: Tx, endedBeforeMs: number, importedBeforeMs: number, limit: number): Promise<number> {
  const statements: readonly (readonly [string, readonly unknown[]])[] = [
    [
      "DELETE FROM programmes WHERE id IN (SELECT id FROM programmes WHERE stop_ms < $1 LIMIT $2)",
      [endedBeforeMs, limit],
    ],
    [
      `DELETE FROM listings WHERE (import_id, seq) IN
         (SELECT import_id, seq FROM listings WHERE coalesce(stop_ms, start_ms) < $1 LIMIT $2)`,
      [endedBeforeMs, limit],
    ],
    [
      `DELETE FROM imports WHERE import_id IN (SELECT import_id FROM imports AS i WHERE created_at_ms < $1 AND state IN ('accepted', 'failed')
         AND NOT EXISTS (SELECT FROM listings AS l WHERE l.import_id = i.import_id) LIMIT $2)`,
      [importedBeforeMs, limit],
    ],
    ["DELETE FROM merges WHERE NOT EXISTS (SELECT FROM imports AS i WHERE i.import_id = merges.import_id)", []],
    [
      "DELETE FROM restrictions WHERE NOT EXISTS (SELECT FROM programmes AS p WHERE p.id = restrictions.programme_id)",
      [],
    ],
  ];
  let gone = 0;
  for (const [text, values] of statements)
    gone += (
      await tx.executeSql(`WITH gone AS (${text} RETURNING 1) SELECT count(*)::int AS n FROM gone`, values)
    ).rows.reduce((sum, { n }) => sum + Number(n), 0);
  return gone;
}

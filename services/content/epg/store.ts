import { type Kysely, sql } from "kysely";
import type { ModelTx, Tx } from "#kernel";
import type { Change, Known, Placed, Slot } from "./domain.ts";
import type { FoundBy } from "./matching.ts";

type SourceRow = {
  tenant: string;
  name: string;
  kind: string;
  location: string;
  zone: string;
  priority: number;
  language: string;
  adds_channels: boolean;
  refresh_s: number;
  asked_at_ms: number;
};
export type ImportPhase = "receiving" | "waiting" | "reading" | "accepted" | "failed";
type ImportRow = {
  tenant: string;
  import_id: string;
  source: string;
  state: ImportPhase;
  failure: string;
  failure_reason: string;
  pieces: number;
  bytes_read: number;
  bytes_total: number;
  channels: number;
  channels_matched: number;
  programmes: number;
  programmes_kept: number;
  findings: string;
  created_at_ms: number;
  finished_at_ms: number;
};
type SourceChannelRow = {
  tenant: string;
  source: string;
  external_id: string;
  names: string[];
  logo_url: string;
  language: string;
  channel_id: string;
  found_by: FoundBy;
  explanation: string;
  programmes: number;
};
type ChannelRow = {
  tenant: string;
  id: string;
  number: number;
  name: string;
  logo_url: string;
  language: string;
  playable: boolean;
  source: string;
};
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
  sources: SourceRow;
  imports: ImportRow;
  source_channels: SourceChannelRow;
  channels: ChannelRow;
  programmes: ProgrammeRow;
  restrictions: Restriction & { tenant: string; programme_id: string };
  merges: { tenant: string; import_id: string; channel_id: string; findings: string };
  channel_orders: { tenant: string; profile_id: string; user_id: string; channel_ids: string[] };
};

const tables = (tx: ModelTx): Kysely<Tables> => tx.q.withTables<Tables>();

// Sources

export type Source = Omit<SourceRow, "tenant">;

export async function findSource(tx: Tx, name: string): Promise<Source | undefined> {
  return tables(tx).selectFrom("sources").selectAll().where("name", "=", name).executeTakeFirst();
}

export async function putSource(tx: Tx, source: Source): Promise<void> {
  const { name: _, ...rest } = source;
  await tables(tx)
    .insertInto("sources")
    .values({ tenant: tx.tenant, ...source })
    .onConflict((conflict) => conflict.columns(["tenant", "name"]).doUpdateSet(rest))
    .execute();
}

export async function listSources(tx: Tx, limit: number): Promise<Source[]> {
  return tables(tx)
    .selectFrom("sources")
    .selectAll()
    .orderBy("priority", "desc")
    .orderBy("name")
    .limit(limit)
    .execute();
}

/** How many channels each source has, how many are matched, and when it was taken in last. */
export async function sourceCounts(
  tx: Tx,
): Promise<Map<string, { channels: number; matched: number; importedAtMs: number }>> {
  const { rows } = await tx.executeSql(
    `SELECT s.name, count(c.external_id)::int AS channels, count(c.external_id) FILTER (WHERE c.channel_id <> '')::int AS matched,
            coalesce((SELECT max(finished_at_ms) FROM imports AS i WHERE i.source = s.name AND i.state = 'accepted'), 0)::float8 AS imported
       FROM sources AS s LEFT JOIN source_channels AS c ON c.tenant = s.tenant AND c.source = s.name GROUP BY s.name`,
    [],
  );
  return new Map(
    rows.map(({ name, channels, matched, imported }) => [
      String(name),
      { channels: Number(channels), matched: Number(matched), importedAtMs: Number(imported) },
    ]),
  );
}

export async function removeSource(tx: Tx, name: string): Promise<void> {
  for (const table of ["listings", "source_channels", "imports"] as const)
    await sql`DELETE FROM ${sql.table(table)} WHERE source = ${name}`.execute(tx.q);
  await tables(tx).deleteFrom("channels").where("source", "=", name).execute();
  await tables(tx).deleteFrom("sources").where("name", "=", name).execute();
}

/** Takes the sources whose time has come; another process takes others. */
export async function dueSources(tx: Tx, nowMs: number, limit: number): Promise<Source[]> {
  return tables(tx)
    .selectFrom("sources")
    .selectAll()
    .where("refresh_s", ">", 0)
    .where("kind", "!=", "pushed")
    .where(sql<boolean>`asked_at_ms + refresh_s::bigint * 1000 <= ${nowMs}`)
    .orderBy("asked_at_ms")
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
}

export async function markAsked(tx: Tx, name: string, nowMs: number): Promise<void> {
  await tables(tx).updateTable("sources").set({ asked_at_ms: nowMs }).where("name", "=", name).execute();
}

// Imports

export type Import = Omit<ImportRow, "tenant">;

export async function insertImport(
  tx: Tx,
  of: { importId: string; source: string; state: ImportPhase; nowMs: number },
): Promise<void> {
  await tables(tx)
    .insertInto("imports")
    .values({
      ...{ tenant: tx.tenant, import_id: of.importId, source: of.source, state: of.state, created_at_ms: of.nowMs },
      ...{ failure: "", failure_reason: "", pieces: 0, bytes_read: 0, bytes_total: 0, channels: 0 },
      ...{ channels_matched: 0, programmes: 0, programmes_kept: 0, findings: "[]", finished_at_ms: 0 },
    })
    .execute();
}

export async function findImport(tx: Tx, importId: string): Promise<Import | undefined> {
  return tables(tx).selectFrom("imports").selectAll().where("import_id", "=", importId).executeTakeFirst();
}

export async function updateImport(
  tx: Tx,
  importId: string,
  change: Partial<Omit<ImportRow, "tenant" | "import_id">>,
): Promise<void> {
  await tables(tx).updateTable("imports").set(change).where("import_id", "=", importId).execute();
}

export async function listImports(tx: Tx, source: string, limit: number): Promise<Import[]> {
  return tables(tx)
    .selectFrom("imports")
    .selectAll()
    .$if(source !== "", (query) => query.where("source", "=", source))
    .orderBy("created_at_ms", "desc")
    .limit(limit)
    .execute();
}

/** Whether an import of a source has begun since a time, and not ended. */
export async function isBusy(tx: Tx, source: string, sinceMs: number): Promise<boolean> {
  const row = await tables(tx)
    .selectFrom("imports")
    .select("import_id")
    .where("source", "=", source)
    .where("state", "in", ["waiting", "reading"])
    .where("created_at_ms", ">", sinceMs)
    .executeTakeFirst();
  return row !== undefined;
}

/** Pushes that began before a time and have not ended. */
export async function unfinishedPushes(tx: Tx, beforeMs: number): Promise<string[]> {
  const rows = await tables(tx)
    .selectFrom("imports")
    .select("import_id")
    .where("state", "=", "receiving")
    .where("created_at_ms", "<", beforeMs)
    .limit(100)
    .execute();
  return rows.map((row) => row.import_id);
}

/** What the merging of an import's channels has found so far, and of how many. */
export async function mergesOf(
  tx: Tx,
  importIds: readonly string[],
): Promise<Map<string, { merged: number; findings: string[] }>> {
  if (importIds.length === 0) return new Map();
  const rows = await tables(tx)
    .selectFrom("merges")
    .select(["import_id", "findings"])
    .where("import_id", "in", importIds)
    .execute();
  const byImport = Map.groupBy(rows, ({ import_id }) => import_id);
  return new Map(
    [...byImport].map(([id, all]) => [id, { merged: all.length, findings: all.map((one) => one.findings) }]),
  );
}

export async function noteMerge(tx: Tx, importId: string, channelId: string, findings: object): Promise<void> {
  const row = { findings: JSON.stringify(findings) };
  await tables(tx)
    .insertInto("merges")
    .values({ tenant: tx.tenant, import_id: importId, channel_id: channelId, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "import_id", "channel_id"]).doUpdateSet(row))
    .execute();
}

// Listings

/** Takes rows as the reader made them: a JSON array whose members are named as the columns. */
export async function insertListings(tx: Tx, importId: string, source: string, json: string): Promise<void> {
  await tx.executeSql(
    `INSERT INTO listings (tenant, import_id, source, seq, external_id, start_ms, stop_ms, length_s, clump_index, clump_count,
       title, title_key, series_id, episode_key, hash, card, body)
     SELECT $1, $2, $3, seq, external_id, start_ms, stop_ms, length_s, clump_index, clump_count,
       title, title_key, series_id, episode_key, hash, card, body
       FROM json_to_recordset($4::json) AS rows (seq int, external_id text, start_ms bigint, stop_ms bigint, length_s int, clump_index int,
         clump_count int, title text, title_key text, series_id text, episode_key text, hash text, card text, body text)`,
    [tx.tenant, importId, source, json],
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

// Channels of sources

export type SourceChannel = Omit<SourceChannelRow, "tenant">;

export async function sourceChannels(tx: Tx, source: string): Promise<SourceChannel[]> {
  return tables(tx)
    .selectFrom("source_channels")
    .selectAll()
    .where("source", "=", source)
    .orderBy("external_id")
    .execute();
}

export async function putSourceChannels(tx: Tx, all: readonly SourceChannel[]): Promise<void> {
  if (all.length === 0) return;
  await tx.executeSql(
    `INSERT INTO source_channels (tenant, source, external_id, names, logo_url, language, channel_id, found_by, explanation, programmes)
     SELECT $1, source, external_id, ARRAY(SELECT json_array_elements_text(names)), logo_url, language, channel_id, found_by, explanation, programmes
       FROM json_to_recordset($2::json) AS rows (source text, external_id text, names json, logo_url text, language text, channel_id text,
         found_by text, explanation text, programmes int)
     ON CONFLICT (tenant, source, external_id) DO UPDATE SET names = EXCLUDED.names, logo_url = EXCLUDED.logo_url,
       language = EXCLUDED.language, channel_id = EXCLUDED.channel_id, found_by = EXCLUDED.found_by, explanation = EXCLUDED.explanation,
       programmes = EXCLUDED.programmes`,
    [tx.tenant, JSON.stringify(all)],
  );
}

export async function pageMatches(
  tx: Tx,
  of: { readonly source: string; readonly unmatchedOnly: boolean; readonly after: string; readonly limit: number },
): Promise<SourceChannel[]> {
  return tables(tx)
    .selectFrom("source_channels")
    .selectAll()
    .where("source", "=", of.source)
    .where("external_id", ">", of.after)
    .$if(of.unmatchedOnly, (query) => query.where("channel_id", "=", ""))
    .orderBy("external_id")
    .limit(of.limit)
    .execute();
}

// Channels

export type Channel = Omit<ChannelRow, "tenant">;

export async function allChannels(tx: Tx): Promise<Channel[]> {
  return tables(tx).selectFrom("channels").selectAll().orderBy("id").execute();
}

export async function findChannels(tx: Tx, ids: readonly string[]): Promise<Channel[]> {
  if (ids.length === 0) return [];
  return tables(tx).selectFrom("channels").selectAll().where("id", "in", ids).execute();
}

/** By number; those that have none come last, by name. */
export async function channelsByNumber(tx: Tx): Promise<Channel[]> {
  return tables(tx)
    .selectFrom("channels")
    .selectAll()
    .orderBy(sql`number = 0`)
    .orderBy("number")
    .orderBy("name")
    .orderBy("id")
    .execute();
}

export async function putChannels(tx: Tx, all: readonly Channel[]): Promise<void> {
  if (all.length === 0) return;
  await tx.executeSql(
    `INSERT INTO channels (tenant, id, number, name, logo_url, language, playable, source)
     SELECT $1, id, number, name, logo_url, language, playable, source
       FROM json_to_recordset($2::json) AS rows (id text, number int, name text, logo_url text, language text, playable boolean, source text)
     ON CONFLICT (tenant, id) DO UPDATE SET number = EXCLUDED.number, name = EXCLUDED.name, logo_url = EXCLUDED.logo_url,
       language = EXCLUDED.language, playable = EXCLUDED.playable, source = EXCLUDED.source`,
    [tx.tenant, JSON.stringify(all)],
  );
}

export async function dropChannels(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await tables(tx).deleteFrom("channels").where("id", "in", ids).execute();
}

/** Drops channels that a source brought and that none of its channels is any more. */
export async function dropOrphans(tx: Tx, source: string): Promise<void> {
  await tx.executeSql(
    `DELETE FROM channels AS c WHERE source = $1 AND NOT EXISTS
       (SELECT FROM source_channels AS s WHERE s.tenant = c.tenant AND s.source = $1 AND s.channel_id = c.id)`,
    [source],
  );
}

/** Locks a channel, so that its schedule is merged by one at a time; false where there is none. */
export async function lockChannel(tx: Tx, id: string): Promise<boolean> {
  const row = await tables(tx).selectFrom("channels").select("id").where("id", "=", id).forUpdate().executeTakeFirst();
  return row !== undefined;
}

export async function findOrder(tx: Tx, profileId: string): Promise<string[]> {
  const row = await tables(tx)
    .selectFrom("channel_orders")
    .select("channel_ids")
    .where("profile_id", "=", profileId)
    .executeTakeFirst();
  return row?.channel_ids ?? [];
}

export async function putOrder(
  tx: Tx,
  of: { readonly profileId: string; readonly userId: string; readonly channelIds: readonly string[] },
): Promise<void> {
  if (of.channelIds.length === 0) return forgetOrders(tx, { column: "profile_id", id: of.profileId });
  const row = { user_id: of.userId, channel_ids: [...of.channelIds] };
  await tables(tx)
    .insertInto("channel_orders")
    .values({ tenant: tx.tenant, profile_id: of.profileId, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "profile_id"]).doUpdateSet(row))
    .execute();
}

/** Forgets what a profile or a person arranged. */
export async function forgetOrders(
  tx: Tx,
  what: { readonly column: "user_id" | "profile_id"; readonly id: string },
): Promise<void> {
  await tables(tx).deleteFrom("channel_orders").where(what.column, "=", what.id).execute();
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

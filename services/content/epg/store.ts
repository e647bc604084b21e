import { type Kysely, sql } from "kysely";
import type { ModelTx, Tx } from "#kernel";
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
type Tables = {
  sources: SourceRow;
  imports: ImportRow;
  source_channels: SourceChannelRow;
  channels: ChannelRow;
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

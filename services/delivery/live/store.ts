import { type Kysely, sql } from "kysely";
import { isUniqueViolation, problem, type Tx } from "#kernel";
import type { Channel, Input, Latency } from "./domain.ts";
import type { Airing } from "./domain-schedule.ts";
import type { TrackFacts } from "./packager-worker.ts";
import type { RestrictionRow } from "./store-restrictions.ts";
import type { SpliceRow } from "./store-splices.ts";

type Tables = {
  channels: {
    tenant: string;
    channel_id: string;
    number: number;
    name: string;
    logo: string;
    language: string;
    latency: Latency;
    age_rating: number;
    tier: string;
    ladder: string;
    inputs: string;
    on_air: boolean;
    on_demand: boolean;
    dvr_window_s: number;
    runs: number;
    tracks: string;
    secret_name: string;
  };
  owners: { channel_id: string; owner: string };
  segments: {
    tenant: string;
    channel_id: string;
    number: number;
    run: number;
    run_first: number;
    day_index: number;
    tracks: string;
    size_bytes: number;
  };
  pins: { tenant: string; channel_id: string; holder: string; first_number: number; last_number: number };
  airings: {
    tenant: string;
    channel_id: string;
    first_number: number;
    last_number: number;
    content_id: string;
    package_revision: number;
    index_version: number;
    title: string;
  };
  splices: SpliceRow;
  holds: { tenant: string; channel_id: string; holder: string; until_ms: number };
  restrictions: RestrictionRow;
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

/** What is known of a track once its encoder has begun. */
export interface KnownTrack extends TrackFacts {
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly bitrateKbps: number;
  readonly frameRate: number;
  readonly language: string;
}

export interface StoredChannel {
  readonly channel: Channel;
  readonly runs: number;
  readonly tracks: readonly KnownTrack[];
  /** Where the secrets of its inputs are; empty where it has none. */
  readonly secretName: string;
}

export interface StoredSegment {
  readonly number: number;
  readonly run: number;
  readonly runFirst: number;
  readonly dayIndex: number;
  readonly tracks: Readonly<Record<string, StoredTrackSegment>>;
}

export interface StoredTrackSegment {
  readonly sizeBytes: number;
  readonly durationTicks: number;
  readonly init: string;
}

// The driver parses jsonb; columns are written as text.
const parsed = <T>(value: string): T => value as unknown as T;

const toStored = (row: Tables["channels"]): StoredChannel => ({
  channel: {
    id: row.channel_id,
    number: row.number,
    name: row.name,
    logo: row.logo,
    language: row.language,
    latency: row.latency,
    ageRating: row.age_rating,
    tier: row.tier,
    ladder: parsed<string[]>(row.ladder),
    inputs: parsed<Input[]>(row.inputs),
    onAir: row.on_air,
    onDemand: row.on_demand,
    dvrWindowS: row.dvr_window_s,
  },
  runs: row.runs,
  tracks: parsed<KnownTrack[]>(row.tracks),
  secretName: row.secret_name,
});

/** Makes a channel; its id is one of its own over all tenants, as its addresses have no tenant. */
export async function insert(tx: Tx, channel: Channel, secretName: string): Promise<void> {
  const claimed = await tables(tx)
    .insertInto("owners")
    .values({ channel_id: channel.id, owner: tx.tenant })
    .onConflict((conflict) => conflict.doNothing())
    .returning("channel_id")
    .executeTakeFirst();
  if (!claimed) throw problem.alreadyExists(`channel '${channel.id}' exists already: choose another id`);
  try {
    await tables(tx)
      .insertInto("channels")
      .values({
        tenant: tx.tenant,
        channel_id: channel.id,
        number: channel.number,
        name: channel.name,
        logo: channel.logo,
        language: channel.language,
        latency: channel.latency,
        age_rating: channel.ageRating,
        tier: channel.tier,
        ladder: JSON.stringify(channel.ladder),
        inputs: JSON.stringify(channel.inputs),
        on_air: channel.onAir,
        on_demand: channel.onDemand,
        dvr_window_s: channel.dvrWindowS,
        ...{ runs: 0, tracks: "[]", secret_name: secretName },
      })
      .execute();
  } catch (error) {
    if (isUniqueViolation(error))
      throw problem.alreadyExists(`channel number ${channel.number} is taken: choose another one`, {
        reason: "number_taken",
      });
    throw error;
  }
}

export async function find(tx: Tx, channelId: string): Promise<StoredChannel | undefined> {
  const row = await tables(tx)
    .selectFrom("channels")
    .selectAll()
    .where("channel_id", "=", channelId)
    .executeTakeFirst();
  return row && toStored(row);
}

export async function list(tx: Tx, afterNumber: number, limit: number): Promise<StoredChannel[]> {
  const rows = await tables(tx)
    .selectFrom("channels")
    .selectAll()
    .where("number", ">", afterNumber)
    .orderBy("number")
    .limit(limit)
    .execute();
  return rows.map(toStored);
}

export async function ownerOf(tx: Tx, channelId: string): Promise<string | undefined> {
  const row = await tables(tx)
    .selectFrom("owners")
    .select("owner")
    .where("channel_id", "=", channelId)
    .executeTakeFirst();
  return row?.owner;
}

/** Every tenant that has channels. */
export async function owners(tx: Tx, limit: number): Promise<string[]> {
  const rows = await tables(tx).selectFrom("owners").select("owner").distinct().limit(limit).execute();
  return rows.map(({ owner }) => owner);
}

export async function setOnAir(tx: Tx, channelId: string, onAir: boolean): Promise<StoredChannel | undefined> {
  const row = await tables(tx)
    .updateTable("channels")
    .set({ on_air: onAir })
    .where("channel_id", "=", channelId)
    .returningAll()
    .executeTakeFirst();
  return row && toStored(row);
}

/** Takes a channel away with everything that is known of it; answers what it was. */
export async function remove(tx: Tx, channelId: string): Promise<StoredChannel | undefined> {
  const row = await tables(tx)
    .deleteFrom("channels")
    .where("channel_id", "=", channelId)
    .returningAll()
    .executeTakeFirst();
  if (!row) return undefined;
  for (const table of ["segments", "pins", "holds", "airings", "splices", "restrictions", "owners"] as const)
    await tables(tx).deleteFrom(table).where("channel_id", "=", channelId).execute();
  return toStored(row);
}

/** Counts one more beginning of the channel's timeline, and answers which one it is. */
export async function beginRun(tx: Tx, channelId: string): Promise<number | undefined> {
  const row = await tables(tx)
    .updateTable("channels")
    .set({ runs: sql`runs + 1` })
    .where("channel_id", "=", channelId)
    .returning("runs")
    .executeTakeFirst();
  return row?.runs;
}

export async function saveTracks(tx: Tx, channelId: string, tracks: readonly KnownTrack[]): Promise<void> {
  await tables(tx)
    .updateTable("channels")
    .set({ tracks: JSON.stringify(tracks) })
    .where("channel_id", "=", channelId)
    .execute();
}

/** Adds tracks to a segment; those that are there stay. */
export async function addToSegment(tx: Tx, channelId: string, segment: StoredSegment): Promise<void> {
  const sizeBytes = Object.values(segment.tracks).reduce((sum, track) => sum + track.sizeBytes, 0);
  await tables(tx)
    .insertInto("segments")
    .values({
      tenant: tx.tenant,
      channel_id: channelId,
      number: segment.number,
      run: segment.run,
      run_first: segment.runFirst,
      day_index: segment.dayIndex,
      tracks: JSON.stringify(segment.tracks),
      size_bytes: sizeBytes,
    })
    .onConflict((conflict) =>
      conflict.columns(["tenant", "channel_id", "number"]).doUpdateSet({
        tracks: sql`segments.tracks || excluded.tracks`,
        size_bytes: sql`segments.size_bytes + excluded.size_bytes`,
      }),
    )
    .execute();
}

export async function segmentsOf(
  tx: Tx,
  channelId: string,
  span: { readonly fromNumber: number; readonly toNumber: number; readonly limit: number },
): Promise<StoredSegment[]> {
  const rows = await tables(tx)
    .selectFrom("segments")
    .select(["number", "run", "run_first", "day_index", "tracks"])
    .where("channel_id", "=", channelId)
    .where("number", ">=", span.fromNumber)
    .where("number", "<=", span.toNumber)
    .orderBy("number")
    .limit(span.limit)
    .execute();
  return rows.map((row) => ({
    number: row.number,
    run: row.run,
    runFirst: row.run_first,
    dayIndex: row.day_index,
    tracks: parsed<StoredSegment["tracks"]>(row.tracks),
  }));
}

/** Keeps one span for a holder: the last one that was said. */
export async function pin(
  tx: Tx,
  at: {
    readonly channelId: string;
    readonly holder: string;
    readonly firstNumber: number;
    readonly lastNumber: number;
  },
): Promise<void> {
  const span = { first_number: at.firstNumber, last_number: at.lastNumber };
  await tables(tx)
    .insertInto("pins")
    .values({ tenant: tx.tenant, channel_id: at.channelId, holder: at.holder, ...span })
    .onConflict((conflict) => conflict.columns(["tenant", "channel_id", "holder"]).doUpdateSet(span))
    .execute();
}

export async function unpin(tx: Tx, channelId: string, holder: string): Promise<void> {
  await tables(tx).deleteFrom("pins").where("channel_id", "=", channelId).where("holder", "=", holder).execute();
}

export async function hold(tx: Tx, channelId: string, holder: string, untilMs: number): Promise<void> {
  await tables(tx)
    .insertInto("holds")
    .values({ tenant: tx.tenant, channel_id: channelId, holder, until_ms: untilMs })
    .onConflict((conflict) => conflict.columns(["tenant", "channel_id", "holder"]).doUpdateSet({ until_ms: untilMs }))
    .execute();
}

/** Until when somebody holds each of the channels that are held. Holds that are over are taken away. */
export async function heldUntil(tx: Tx, nowMs: number): Promise<Map<string, number>> {
  await tables(tx).deleteFrom("holds").where("until_ms", "<=", nowMs).execute();
  const rows = await tables(tx)
    .selectFrom("holds")
    .select(["channel_id", sql<number>`max(until_ms)`.as("until_ms")])
    .groupBy("channel_id")
    .execute();
  return new Map(rows.map((row) => [row.channel_id, row.until_ms]));
}

export interface Trimmable {
  readonly channelId: string;
  readonly number: number;
  readonly tracks: readonly string[];
  readonly sizeBytes: number;
}

const unpinned = (tx: Tx) =>
  tables(tx)
    .selectFrom("segments")
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("pins")
            .select("holder")
            .whereRef("pins.channel_id", "=", "segments.channel_id")
            .whereRef("pins.first_number", "<=", "segments.number")
            .whereRef("pins.last_number", ">=", "segments.number"),
        ),
      ),
    );

/** The oldest segments that nobody has pinned: of one channel or of all, which count time alike, and before a number or any. */
export async function trimmable(
  tx: Tx,
  of: { readonly channelId?: string; readonly beforeNumber?: number; readonly limit: number },
): Promise<Trimmable[]> {
  let query = unpinned(tx).select(["channel_id", "number", "tracks", "size_bytes"]);
  if (of.channelId !== undefined) query = query.where("channel_id", "=", of.channelId);
  if (of.beforeNumber !== undefined) query = query.where("number", "<", of.beforeNumber);
  const rows = await query.orderBy("number").limit(of.limit).execute();
  return rows.map((row) => ({
    channelId: row.channel_id,
    number: row.number,
    tracks: Object.keys(parsed<StoredSegment["tracks"]>(row.tracks)),
    sizeBytes: row.size_bytes,
  }));
}

/** What a channel keeps that no recording holds. */
export async function unpinnedBytes(tx: Tx, channelId: string): Promise<number> {
  const row = await unpinned(tx)
    .select(sql<string>`coalesce(sum(size_bytes), 0)`.as("bytes"))
    .where("channel_id", "=", channelId)
    .executeTakeFirst();
  return Number(row?.bytes ?? 0);
}

export async function removeSegments(tx: Tx, channelId: string, numbers: readonly number[]): Promise<void> {
  if (numbers.length === 0) return;
  await tables(tx).deleteFrom("segments").where("channel_id", "=", channelId).where("number", "in", numbers).execute();
}

export async function bytesOf(
  tx: Tx,
  channelId: string,
): Promise<{ readonly segments: number; readonly bytes: number }> {
  const row = await tables(tx)
    .selectFrom("segments")
    .select([sql<string>`count(*)`.as("segments"), sql<string>`coalesce(sum(size_bytes), 0)`.as("bytes")])
    .where("channel_id", "=", channelId)
    .executeTakeFirst();
  return { segments: Number(row?.segments ?? 0), bytes: Number(row?.bytes ?? 0) };
}

const toAiring = (row: Tables["airings"]): Airing => ({
  contentId: row.content_id,
  packageRevision: row.package_revision,
  indexVersion: row.index_version,
  title: row.title,
  firstNumber: row.first_number,
  lastNumber: row.last_number,
});

/** Adds what is planned; what is there already stays. */
export async function addAirings(tx: Tx, channelId: string, airings: readonly Airing[]): Promise<void> {
  for (let at = 0; at < airings.length; at += ROWS_AT_ONCE)
    await tables(tx)
      .insertInto("airings")
      .values(
        airings.slice(at, at + ROWS_AT_ONCE).map((airing) => ({
          tenant: tx.tenant,
          channel_id: channelId,
          first_number: airing.firstNumber,
          last_number: airing.lastNumber,
          content_id: airing.contentId,
          package_revision: airing.packageRevision,
          index_version: airing.indexVersion,
          title: airing.title,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}
const ROWS_AT_ONCE = 500;

const airingsOf = (tx: Tx, channelId: string) =>
  tables(tx).selectFrom("airings").selectAll().where("channel_id", "=", channelId);

export async function lastAiring(tx: Tx, channelId: string): Promise<Airing | undefined> {
  const row = await airingsOf(tx, channelId).orderBy("first_number", "desc").limit(1).executeTakeFirst();
  return row && toAiring(row);
}

/** What is shown at a segment. */
export async function airingAt(tx: Tx, channelId: string, number: number): Promise<Airing | undefined> {
  const row = await airingsOf(tx, channelId)
    .where("first_number", "<=", number)
    .where("last_number", ">=", number)
    .limit(1)
    .executeTakeFirst();
  return row && toAiring(row);
}

/** What is shown within a span, in order. */
export async function airingsBetween(
  tx: Tx,
  channelId: string,
  span: { readonly fromNumber: number; readonly toNumber: number; readonly limit: number },
): Promise<Airing[]> {
  const rows = await airingsOf(tx, channelId)
    .where("last_number", ">=", span.fromNumber)
    .where("first_number", "<=", span.toNumber)
    .orderBy("first_number")
    .limit(span.limit)
    .execute();
  return rows.map(toAiring);
}

export async function forgetAirings(tx: Tx, channelId: string, beforeNumber: number): Promise<void> {
  await tables(tx)
    .deleteFrom("airings")
    .where("channel_id", "=", channelId)
    .where("last_number", "<", beforeNumber)
    .execute();
}

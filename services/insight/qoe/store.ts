import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Rolling } from "./domain.ts";
import type { Dimension, Segment } from "./domain-alerts.ts";

type SessionRow = {
  tenant: string;
  session_id: string;
  user_id: string;
  content_id: string;
  content_type: string;
  network_id: string;
  region: string;
  platform: string;
  started_at_ms: number;
  sequence: number;
  time_ms: number;
  watched_ms: number;
  video_start_ms: number;
  rebuffer_ms: number;
  average_kbps: number;
  max_kbps: number;
  drops: number;
  dropped_frames: number;
  has_error: boolean;
  told_at_ms: number;
  is_over: boolean;
};
export type AlertRow = {
  tenant: string;
  dimension: Dimension;
  value: string;
  opened_at_ms: number;
  p25: number;
  sessions: number;
};
type BatchRow = { tenant: string; batch_id: string; target: string; rows: Buffer; shipment: string | null };
type Tables = {
  sessions: SessionRow;
  batches: BatchRow;
  forgotten: { tenant: string; user_id: string; forgotten_at_ms: number; is_erased: boolean };
  alerts: AlertRow;
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const toRolling = (row: SessionRow): Rolling => ({
  sessionId: row.session_id,
  userId: row.user_id,
  contentId: row.content_id,
  contentType: row.content_type,
  networkId: row.network_id,
  region: row.region,
  platform: row.platform,
  startedAtMs: row.started_at_ms,
  sequence: row.sequence,
  timeMs: row.time_ms,
  watchedMs: row.watched_ms,
  videoStartMs: row.video_start_ms,
  rebufferMs: row.rebuffer_ms,
  averageKbps: row.average_kbps,
  maxKbps: row.max_kbps,
  drops: row.drops,
  droppedFrames: row.dropped_frames,
  hasError: row.has_error,
  toldAtMs: row.told_at_ms,
  isOver: row.is_over,
});

/** The columns of a session in the order of the statement below, with their types. */
const COLUMNS = {
  session_id: ["text", (of) => of.sessionId],
  user_id: ["text", (of) => of.userId],
  content_id: ["text", (of) => of.contentId],
  content_type: ["text", (of) => of.contentType],
  network_id: ["text", (of) => of.networkId],
  region: ["text", (of) => of.region],
  platform: ["text", (of) => of.platform],
  started_at_ms: ["bigint", (of) => of.startedAtMs],
  sequence: ["int", (of) => of.sequence],
  time_ms: ["bigint", (of) => of.timeMs],
  watched_ms: ["bigint", (of) => Math.round(of.watchedMs)],
  video_start_ms: ["int", (of) => of.videoStartMs],
  rebuffer_ms: ["int", (of) => of.rebufferMs],
  average_kbps: ["int", (of) => of.averageKbps],
  max_kbps: ["int", (of) => of.maxKbps],
  drops: ["int", (of) => of.drops],
  dropped_frames: ["int", (of) => of.droppedFrames],
  has_error: ["boolean", (of) => of.hasError],
  told_at_ms: ["bigint", (of) => of.toldAtMs],
  is_over: ["boolean", (of) => of.isOver],
} as const satisfies Record<string, readonly [string, (of: Rolling) => unknown]>;
const NAMES = Object.keys(COLUMNS).join(", ");
const SAVE = `INSERT INTO sessions (tenant, ${NAMES})
  SELECT $1, * FROM unnest(${Object.values(COLUMNS)
    .map(([type], at) => `$${at + 2}::${type}[]`)
    .join(", ")})
  ON CONFLICT (tenant, session_id) DO UPDATE SET ${Object.keys(COLUMNS)
    .map((name) => `${name} = EXCLUDED.${name}`)
    .join(", ")}`;

/** These sessions, locked in one order, so that two consumers never wait for each other in a circle. */
export async function lock(tx: Tx, sessionIds: readonly string[]): Promise<Map<string, Rolling>> {
  const rows = await tables(tx)
    .selectFrom("sessions")
    .selectAll()
    .where("session_id", "in", [...new Set(sessionIds)])
    .orderBy("session_id")
    .forUpdate()
    .execute();
  return new Map(rows.map((row) => [row.session_id, toRolling(row)]));
}

export async function save(tx: Tx, sessions: Iterable<Rolling>): Promise<void> {
  const sorted = [...sessions].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
  if (sorted.length === 0) return;
  await tx.executeSql(SAVE, [tx.tenant, ...Object.values(COLUMNS).map(([, of]) => sorted.map((each) => of(each)))]);
}

export async function find(tx: Tx, sessionId: string): Promise<Rolling | undefined> {
  const row = await tables(tx)
    .selectFrom("sessions")
    .selectAll()
    .where("session_id", "=", sessionId)
    .executeTakeFirst();
  return row && toRolling(row);
}

export async function markErrors(tx: Tx, sessionIds: readonly string[]): Promise<void> {
  await tables(tx)
    .updateTable("sessions")
    .set({ has_error: true })
    .where("session_id", "in", [...sessionIds])
    .execute();
}

export async function dropSilent(tx: Tx, beforeMs: number): Promise<void> {
  await tables(tx).deleteFrom("sessions").where("time_ms", "<", beforeMs).execute();
}

export async function stage(tx: Tx, batch: Pick<BatchRow, "batch_id" | "target" | "rows">): Promise<void> {
  await tables(tx)
    .insertInto("batches")
    .values({ ...batch, tenant: tx.tenant, shipment: null })
    .execute();
}

export async function countStaged(tx: Tx): Promise<number> {
  const row = await tables(tx)
    .selectFrom("batches")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** The batches of the oldest shipment, or of a new one with the given name; none when all is shipped. */
export async function shipment(tx: Tx, name: string, batchesMax: number): Promise<readonly BatchRow[]> {
  const waiting = tables(tx).selectFrom("batches").orderBy("batch_id");
  const begun = await waiting.select("shipment").where("shipment", "is not", null).limit(1).executeTakeFirst();
  const first = begun ?? (await waiting.select("target").limit(1).executeTakeFirst());
  if (!first) return [];
  if ("target" in first) {
    const ids = await waiting
      .select("batch_id")
      .where("shipment", "is", null)
      .where("target", "=", first.target)
      .limit(batchesMax)
      .forUpdate()
      .skipLocked()
      .execute();
    if (ids.length === 0) return [];
    await tables(tx)
      .updateTable("batches")
      .set({ shipment: name })
      .where(
        "batch_id",
        "in",
        ids.map((each) => each.batch_id),
      )
      .execute();
  }
  const chosen = "shipment" in first ? first.shipment : name;
  return waiting.selectAll().where("shipment", "=", chosen).execute();
}

export async function dropShipment(tx: Tx, name: string): Promise<void> {
  await tables(tx).deleteFrom("batches").where("shipment", "=", name).execute();
}

export async function forget(tx: Tx, userId: string, nowMs: number): Promise<void> {
  await tables(tx).deleteFrom("sessions").where("user_id", "=", userId).execute();
  await tables(tx)
    .insertInto("forgotten")
    .values({ tenant: tx.tenant, user_id: userId, forgotten_at_ms: nowMs, is_erased: false })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function forgottenAmong(tx: Tx, userIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tables(tx)
    .selectFrom("forgotten")
    .select("user_id")
    .where("user_id", "in", [...new Set(userIds)])
    .execute();
  return new Set(rows.map((row) => row.user_id));
}

/** Whose rows are to be erased now: for the first time, or for the last after what was on its way has arrived. */
export async function toErase(
  tx: Tx,
  lastBeforeMs: number,
  limit: number,
): Promise<readonly { readonly userId: string; readonly isLast: boolean }[]> {
  const rows = await tables(tx)
    .selectFrom("forgotten")
    .selectAll()
    .where((where) => where.or([where("is_erased", "=", false), where("forgotten_at_ms", "<", lastBeforeMs)]))
    .orderBy("forgotten_at_ms")
    .limit(limit)
    .execute();
  return rows.map((row) => ({ userId: row.user_id, isLast: row.forgotten_at_ms < lastBeforeMs }));
}

export async function markErased(tx: Tx, userId: string, isLast: boolean): Promise<void> {
  // A beat that was being scored when its person was forgotten has made their session anew.
  await tables(tx).deleteFrom("sessions").where("user_id", "=", userId).execute();
  if (isLast) await tables(tx).deleteFrom("forgotten").where("user_id", "=", userId).execute();
  else await tables(tx).updateTable("forgotten").set({ is_erased: true }).where("user_id", "=", userId).execute();
}

export async function alerts(tx: Tx, limit: number): Promise<readonly AlertRow[]> {
  return tables(tx).selectFrom("alerts").selectAll().orderBy("opened_at_ms").limit(limit).execute();
}

export async function openAlert(tx: Tx, segment: Segment, nowMs: number): Promise<boolean> {
  const { dimension, value, p25, sessions } = segment;
  const result = await tables(tx)
    .insertInto("alerts")
    .values({ tenant: tx.tenant, dimension, value, opened_at_ms: nowMs, p25, sessions })
    .onConflict((conflict) => conflict.doNothing())
    .returning("value")
    .executeTakeFirst();
  return result !== undefined;
}

export async function closeAlerts(tx: Tx, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tables(tx).deleteFrom("alerts").where(sql<string>`dimension || ':' || value`, "in", keys).execute();
}

import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import { CHANNEL_ID_PREFIX } from "#contracts/live";
import type { ActiveCount } from "./counters.ts";
import type { ContentType } from "./domain.ts";

export type SessionRow = {
  tenant: string;
  session_id: string;
  user_id: string;
  profile_id: string;
  content_id: string;
  device_id: string;
  device_type: string;
  device_name: string;
  package_revision: number;
  path_prefix: string;
  networks: string;
  streams_max: number;
  market: string;
  started_at_ms: number;
  last_beat_at_ms: number;
  sequence: number;
  position_s: number;
  duration_s: number;
  state: "active" | "stopped" | "expired";
  ended_at_ms: number | null;
  /** See ads.ts. */
  ads: string;
};
export type NewSession = Omit<SessionRow, "tenant">;
type Tables = { sessions: SessionRow };

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

/**
 * Makes everything that counts these people's streams happen one after the other, until the transaction ends. Locks are taken in one order,
 * so that two who take several never wait for each other in a circle. The statement is on its way when this returns: what is asked
 * next need not wait for it to resolve, because PostgreSQL answers in order.
 */
export function lockUsers(tx: Tx, userIds: readonly string[]): Promise<unknown> {
  const names = userIds.map((userId) => `session/${tx.tenant}/${userId}`).toSorted();
  return tx.executeSql("SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest($1::text[]) AS name", [
    names,
  ]);
}

export const activeOf = (tx: Tx, userId: string): Promise<SessionRow[]> => activeOfMany(tx, [userId]);

/** The active sessions of people, of each the oldest first. */
export async function activeOfMany(tx: Tx, userIds: readonly string[]): Promise<SessionRow[]> {
  return tables(tx)
    .selectFrom("sessions")
    .selectAll()
    .where(sql<boolean>`user_id = ANY(${userIds}::text[])`)
    .where("state", "=", "active")
    .orderBy("started_at_ms")
    .limit(50 * userIds.length)
    .execute();
}

export async function insertMany(tx: Tx, rows: readonly NewSession[]): Promise<void> {
  if (rows.length === 0) return;
  const json = JSON.stringify(rows.map((row) => ({ ...row, tenant: tx.tenant })));
  await sql`INSERT INTO sessions SELECT * FROM json_populate_recordset(NULL::sessions, ${json}::json)`.execute(tx.q);
}

export async function find(
  tx: Tx,
  sessionId: string,
  options: { readonly lock: boolean } = { lock: false },
): Promise<SessionRow | undefined> {
  const query = tables(tx).selectFrom("sessions").selectAll().where("session_id", "=", sessionId);
  return (options.lock ? query.forUpdate() : query).executeTakeFirst();
}

/** A sign of life of one session. */
export interface Beat {
  readonly sessionId: string;
  readonly userId: string;
  readonly sequence: number;
  readonly positionS: number;
  readonly durationS: number;
  readonly nowMs: number;
}

/**
 * Takes beats of living sessions in, at most one a session, and returns these sessions; who is not among them has none of that name.
 * An older beat proves life but moves nothing back.
 */
export async function beat(tx: Tx, beats: readonly Beat[]): Promise<SessionRow[]> {
  const column = <K extends keyof Beat>(name: K): Beat[K][] => beats.map((each) => each[name]);
  const { rows } = await sql<SessionRow>`
    UPDATE sessions AS s
    SET last_beat_at_ms = GREATEST(s.last_beat_at_ms, b.now_ms),
        position_s = CASE WHEN s.sequence < b.sequence THEN b.position_s ELSE s.position_s END,
        duration_s = CASE WHEN s.sequence < b.sequence THEN b.duration_s ELSE s.duration_s END,
        sequence = GREATEST(s.sequence, b.sequence)
    FROM unnest(${column("sessionId")}::text[], ${column("userId")}::text[], ${column("sequence")}::int[],
                ${column("positionS")}::float8[], ${column("durationS")}::float8[], ${column("nowMs")}::bigint[])
      AS b (session_id, user_id, sequence, position_s, duration_s, now_ms)
    WHERE s.session_id = b.session_id AND s.user_id = b.user_id AND s.state = 'active'
    RETURNING s.*`.execute(tx.q);
  return rows;
}

export async function revive(tx: Tx, sessionId: string, nowMs: number): Promise<void> {
  await tables(tx)
    .updateTable("sessions")
    .set({ state: "active", ended_at_ms: null, last_beat_at_ms: nowMs })
    .where("session_id", "=", sessionId)
    .execute();
}

export interface End {
  readonly sessionId: string;
  readonly state: "stopped" | "expired";
  readonly endedAtMs: number;
}

/** Ends those that are active, and returns them. */
export async function endMany(tx: Tx, ends: readonly End[]): Promise<SessionRow[]> {
  if (ends.length === 0) return [];
  const column = <K extends keyof End>(name: K): End[K][] => ends.map((each) => each[name]);
  const { rows } = await sql<SessionRow>`
    UPDATE sessions AS s SET state = e.state, ended_at_ms = e.ended_at_ms
    FROM unnest(${column("sessionId")}::text[], ${column("state")}::text[], ${column("endedAtMs")}::bigint[])
      AS e (session_id, state, ended_at_ms)
    WHERE s.session_id = e.session_id AND s.state = 'active'
    RETURNING s.*`.execute(tx.q);
  return rows;
}

/** Ends a session that is active; undefined when it was over already. */
export async function end(
  tx: Tx,
  sessionId: string,
  how: {
    readonly state: "stopped" | "expired";
    readonly endedAtMs: number;
    readonly positionS?: number;
    readonly durationS?: number;
    readonly sequence?: number;
  },
): Promise<SessionRow | undefined> {
  return tables(tx)
    .updateTable("sessions")
    .set({
      state: how.state,
      ended_at_ms: how.endedAtMs,
      ...(how.positionS === undefined ? {} : { position_s: how.positionS }),
      ...(how.durationS ? { duration_s: how.durationS } : {}),
      ...(how.sequence === undefined ? {} : { sequence: sql<number>`GREATEST(sequence, ${how.sequence})` }),
    })
    .where("session_id", "=", sessionId)
    .where("state", "=", "active")
    .returningAll()
    .executeTakeFirst();
}

export async function silentSince(tx: Tx, beforeMs: number, limit: number): Promise<SessionRow[]> {
  return tables(tx)
    .selectFrom("sessions")
    .selectAll()
    .where("state", "=", "active")
    .where("last_beat_at_ms", "<=", beforeMs)
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
}

/** Signs of life that are to come only after `afterMs` are of a clock that was set back since: they count from now. */
export async function anchorBeats(tx: Tx, afterMs: number, nowMs: number): Promise<void> {
  await tables(tx)
    .updateTable("sessions")
    .set({ last_beat_at_ms: nowMs })
    .where("state", "=", "active")
    .where("last_beat_at_ms", ">", afterMs)
    .execute();
}

/** How many sessions live, by what they are of, kind of device and country. */
export async function countActive(tx: Tx): Promise<readonly ActiveCount[]> {
  return tables(tx)
    .selectFrom("sessions")
    .select(({ fn }) => [
      sql<ContentType>`CASE WHEN starts_with(content_id, ${CHANNEL_ID_PREFIX}) THEN 'live' ELSE 'vod' END`.as(
        "contentType",
      ),
      ...(["device_type as deviceType", "market"] as const),
      fn.countAll<number>().as("count"),
    ])
    .where("state", "=", "active")
    .groupBy(["contentType", "device_type", "market"])
    .limit(1_000)
    .execute();
}

/** Ended sessions live on in the log; the table keeps active ones and the recent past ("active sessions only", ARCH-001 section 4). */
export async function deleteEndedBefore(tx: Tx, beforeMs: number): Promise<void> {
  await tables(tx).deleteFrom("sessions").where("state", "!=", "active").where("ended_at_ms", "<", beforeMs).execute();
}

export async function deleteOf(tx: Tx, userId: string): Promise<void> {
  await tables(tx).deleteFrom("sessions").where("user_id", "=", userId).execute();
}

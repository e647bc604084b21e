import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import { dueAtMs, type Reminder, type State } from "./domain.ts";

type Tables = {
  reminders: {
    tenant: string;
    id: string;
    user_id: string;
    profile_id: string;
    channel_id: string;
    channel_name: string;
    programme_id: string;
    titles: Readonly<Record<string, string>>;
    start_ms: number;
    stop_ms: number;
    lead_s: number;
    due_at_ms: number;
    state: State;
  };
};
type Row = Tables["reminders"];

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const toReminder = (row: Row): Reminder => ({
  id: row.id,
  userId: row.user_id,
  profileId: row.profile_id,
  channelId: row.channel_id,
  channelName: row.channel_name,
  programmeId: row.programme_id,
  titles: row.titles,
  startMs: row.start_ms,
  stopMs: row.stop_ms,
  leadS: row.lead_s,
  state: row.state,
});

const toRow = (reminder: Reminder) => ({
  channel_id: reminder.channelId,
  channel_name: reminder.channelName,
  titles: JSON.stringify(reminder.titles) as never,
  start_ms: reminder.startMs,
  stop_ms: reminder.stopMs,
  lead_s: reminder.leadS,
  due_at_ms: dueAtMs(reminder),
  state: reminder.state,
});

/** One after the other for a profile, so that nobody counts what another is about to add. */
export const lockProfile = (tx: Tx, profileId: string): Promise<unknown> =>
  tx.executeSql("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`schedule/${tx.tenant}/${profileId}`]);

export async function find(tx: Tx, profileId: string, programmeId: string): Promise<Reminder | undefined> {
  const row = await tables(tx)
    .selectFrom("reminders")
    .selectAll()
    .where("profile_id", "=", profileId)
    .where("programme_id", "=", programmeId)
    .executeTakeFirst();
  return row && toReminder(row);
}

/** A profile's reminders of what is not over, the soonest first. */
export async function upcoming(tx: Tx, profileId: string, nowMs: number, limit: number): Promise<Reminder[]> {
  const rows = await tables(tx)
    .selectFrom("reminders")
    .selectAll()
    .where("profile_id", "=", profileId)
    .where("stop_ms", ">", nowMs)
    .orderBy("start_ms")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(toReminder);
}

export async function save(tx: Tx, reminder: Reminder): Promise<void> {
  const { id, userId, profileId, programmeId } = reminder;
  await tables(tx)
    .insertInto("reminders")
    .values({
      ...{ tenant: tx.tenant, id, user_id: userId, profile_id: profileId, programme_id: programmeId },
      ...toRow(reminder),
    })
    .onConflict((conflict) => conflict.columns(["tenant", "id"]).doUpdateSet(toRow(reminder)))
    .execute();
}

export async function remove(tx: Tx, profileId: string, programmeId: string): Promise<Reminder | undefined> {
  const row = await tables(tx)
    .deleteFrom("reminders")
    .where("profile_id", "=", profileId)
    .where("programme_id", "=", programmeId)
    .returningAll()
    .executeTakeFirst();
  return row && toReminder(row);
}

/** Reminders whose time has come, the longest waiting first; those that somebody else has in hand are left out. */
export async function takeDue(tx: Tx, nowMs: number, limit: number): Promise<Reminder[]> {
  const rows = await tables(tx)
    .selectFrom("reminders")
    .selectAll()
    .where("state", "=", "waiting")
    .where("due_at_ms", "<=", nowMs)
    .orderBy("due_at_ms")
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map(toReminder);
}

export async function mark(tx: Tx, ids: readonly string[], state: State): Promise<void> {
  if (ids.length === 0) return;
  await tables(tx).updateTable("reminders").set({ state }).where("id", "in", ids).execute();
}

/** What a clock that was ahead gave up waits again as soon as the clock is right. */
export async function revive(tx: Tx, nowMs: number): Promise<void> {
  await tables(tx)
    .updateTable("reminders")
    .set({ state: "waiting" })
    .where("state", "=", "late")
    .where("due_at_ms", ">", nowMs)
    .execute();
}

/** The reminders of some programmes, locked in one order. */
export async function lockOf(tx: Tx, programmeIds: readonly string[]): Promise<Reminder[]> {
  if (programmeIds.length === 0) return [];
  const rows = await tables(tx)
    .selectFrom("reminders")
    .selectAll()
    .where(sql<boolean>`programme_id = ANY(${programmeIds}::text[])`)
    .orderBy("id")
    .forUpdate()
    .execute();
  return rows.map(toReminder);
}

export async function deleteOverBefore(tx: Tx, beforeMs: number, max: number): Promise<void> {
  await sql`
    DELETE FROM reminders WHERE id IN
      (SELECT id FROM reminders WHERE stop_ms < ${beforeMs} ORDER BY stop_ms LIMIT ${max} FOR UPDATE SKIP LOCKED)`.execute(
    tx.q,
  );
}

export async function deleteMany(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await tables(tx).deleteFrom("reminders").where("id", "in", ids).execute();
}

/** Forgets a person or a profile that is gone. */
export async function forget(
  tx: Tx,
  what: { readonly column: "user_id" | "profile_id"; readonly id: string },
): Promise<void> {
  await tables(tx).deleteFrom("reminders").where(what.column, "=", what.id).execute();
}

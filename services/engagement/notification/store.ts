import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { About, Channel, Choice, News, Preferences, Template } from "./domain.ts";

type Tables = {
  messages: {
    tenant: string;
    id: string;
    source: string;
    user_id: string;
    profile_id: string;
    template: Template;
    about: About;
    path: string;
    in_app: boolean;
    created_at_ms: number;
    expires_at_ms: number;
    read: boolean;
    clicked: boolean;
  };
  deliveries: {
    tenant: string;
    message_id: string;
    channel: Channel;
    device_id: string;
    attempts: number;
    due_at_ms: number;
  };
  preferences: {
    tenant: string;
    profile_id: string;
    user_id: string;
    zone: string;
    quiet_from_minute: number | null;
    quiet_until_minute: number | null;
    choices: Choice[];
  };
  subscriptions: {
    tenant: string;
    user_id: string;
    device_id: string;
    profile_id: string;
    endpoint: string;
    p256dh: string;
    auth: string;
    created_at_ms: number;
  };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

export type MessageRow = Tables["messages"];
export type Subscription = Omit<Tables["subscriptions"], "tenant" | "created_at_ms">;

export interface NewMessage extends News {
  readonly id: string;
  readonly isInApp: boolean;
  readonly createdAtMs: number;
}

/** Keeps messages; returns the ids of those that were not known by their source. */
export async function insertMessages(tx: Tx, all: readonly NewMessage[]): Promise<Set<string>> {
  if (all.length === 0) return new Set();
  const rows = await tables(tx)
    .insertInto("messages")
    .values(
      all.map((one) => ({
        ...{ tenant: tx.tenant, id: one.id, source: one.source, user_id: one.userId, profile_id: one.profileId },
        ...{ template: one.template, about: JSON.stringify(one.about) as never, path: one.path, in_app: one.isInApp },
        ...{ created_at_ms: one.createdAtMs, expires_at_ms: one.expiresAtMs, read: false, clicked: false },
      })),
    )
    .onConflict((conflict) => conflict.columns(["tenant", "profile_id", "source"]).doNothing())
    .returning("id")
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** A profile's messages, the newest first: those before one of them, where it is named. */
export async function listMessages(
  tx: Tx,
  profileId: string,
  { before, limit }: { readonly before: string; readonly limit: number },
): Promise<MessageRow[]> {
  const query = tables(tx)
    .selectFrom("messages")
    .selectAll()
    .where("profile_id", "=", profileId)
    .where("in_app", "=", true);
  return (before === "" ? query : query.where("id", "<", before)).orderBy("id", "desc").limit(limit).execute();
}

/** How many are unread, counted no further than `max`, and which is the newest. */
export async function unread(
  tx: Tx,
  profileId: string,
  max: number,
): Promise<{ readonly unread: number; readonly newestId: string }> {
  const { rows } = await sql<{ unread: number; newest: string | null }>`
    SELECT (SELECT count(*)::int FROM (SELECT 1 FROM messages
              WHERE profile_id = ${profileId} AND in_app AND NOT read LIMIT ${max}) AS counted) AS unread,
           (SELECT id FROM messages WHERE profile_id = ${profileId} AND in_app ORDER BY id DESC LIMIT 1) AS newest`.execute(
    tx.q,
  );
  return { unread: rows[0]?.unread ?? 0, newestId: rows[0]?.newest ?? "" };
}

/** Marks messages as read; without ids all of the profile's. */
export async function markRead(tx: Tx, profileId: string, ids: readonly string[]): Promise<void> {
  const query = tables(tx)
    .updateTable("messages")
    .set({ read: true })
    .where("profile_id", "=", profileId)
    .where("read", "=", false);
  await (ids.length === 0 ? query : query.where("id", "in", ids)).execute();
}

export async function lockMessage(tx: Tx, profileId: string, id: string): Promise<MessageRow | undefined> {
  return tables(tx)
    .selectFrom("messages")
    .selectAll()
    .where("profile_id", "=", profileId)
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
}

export async function markClicked(tx: Tx, id: string): Promise<void> {
  await tables(tx).updateTable("messages").set({ read: true, clicked: true }).where("id", "=", id).execute();
}

export async function preferencesOf(tx: Tx, profileIds: readonly string[]): Promise<Map<string, Preferences>> {
  if (profileIds.length === 0) return new Map();
  const rows = await tables(tx).selectFrom("preferences").selectAll().where("profile_id", "in", profileIds).execute();
  return new Map(
    rows.map(({ profile_id, zone, choices, quiet_from_minute: fromMinute, quiet_until_minute: untilMinute }) => [
      profile_id,
      { zone, choices, quiet: fromMinute === null || untilMinute === null ? undefined : { fromMinute, untilMinute } },
    ]),
  );
}

export async function savePreferences(
  tx: Tx,
  of: { readonly userId: string; readonly profileId: string },
  { zone, quiet, choices }: Preferences,
): Promise<void> {
  const row = {
    ...{ zone, quiet_from_minute: quiet?.fromMinute ?? null, quiet_until_minute: quiet?.untilMinute ?? null },
    choices: JSON.stringify(choices) as never,
  };
  await tables(tx)
    .insertInto("preferences")
    .values({ tenant: tx.tenant, user_id: of.userId, profile_id: of.profileId, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "profile_id"]).doUpdateSet(row))
    .execute();
}

/** The devices of some profiles, of each the newest first. */
export async function subscriptionsOf(tx: Tx, profileIds: readonly string[]): Promise<Subscription[]> {
  if (profileIds.length === 0) return [];
  return tables(tx)
    .selectFrom("subscriptions")
    .select(["user_id", "device_id", "profile_id", "endpoint", "p256dh", "auth"])
    .where("profile_id", "in", profileIds)
    .orderBy("created_at_ms", "desc")
    .execute();
}

/** Keeps a device's subscription in the place of its earlier one, and of anybody's by the same browser; no more than `max` of a profile. */
export async function subscribe(tx: Tx, row: Subscription, nowMs: number, max: number): Promise<void> {
  await tables(tx)
    .deleteFrom("subscriptions")
    .where((or) =>
      or.or([
        or("endpoint", "=", row.endpoint),
        or.and([or("user_id", "=", row.user_id), or("device_id", "=", row.device_id)]),
      ]),
    )
    .execute();
  await tables(tx)
    .insertInto("subscriptions")
    .values({ ...row, tenant: tx.tenant, created_at_ms: nowMs })
    .execute();
  await sql`
    DELETE FROM subscriptions WHERE profile_id = ${row.profile_id} AND device_id IN (
      SELECT device_id FROM subscriptions WHERE profile_id = ${row.profile_id}
       ORDER BY created_at_ms DESC, device_id OFFSET ${max})`.execute(tx.q);
}

export async function unsubscribe(tx: Tx, userId: string, deviceId: string): Promise<void> {
  await tables(tx)
    .deleteFrom("subscriptions")
    .where("user_id", "=", userId)
    .where("device_id", "=", deviceId)
    .execute();
}

export interface NewDelivery {
  readonly messageId: string;
  readonly channel: Channel;
  readonly deviceId: string;
  readonly dueAtMs: number;
}

export async function insertDeliveries(tx: Tx, all: readonly NewDelivery[]): Promise<void> {
  if (all.length === 0) return;
  await tables(tx)
    .insertInto("deliveries")
    .values(
      all.map(({ messageId, channel, deviceId, dueAtMs }) => ({
        ...{ tenant: tx.tenant, message_id: messageId, channel, device_id: deviceId, attempts: 0, due_at_ms: dueAtMs },
      })),
    )
    .execute();
}

/** Something to send, with what it is sent for. */
export type Delivery = Tables["deliveries"] & Omit<MessageRow, "id">;

/** Takes what is due, for as long as the lease goes: nobody else gets it meanwhile, and whoever dies with it has it come back. */
export async function claim(
  tx: Tx,
  { nowMs, leaseMs, max }: { readonly nowMs: number; readonly leaseMs: number; readonly max: number },
): Promise<Delivery[]> {
  const { rows } = await sql<Delivery>`
    WITH due AS (
      SELECT message_id, channel, device_id FROM deliveries WHERE due_at_ms <= ${nowMs}
       ORDER BY due_at_ms LIMIT ${max} FOR UPDATE SKIP LOCKED)
    UPDATE deliveries AS d SET due_at_ms = ${nowMs + leaseMs}, attempts = d.attempts + 1
      FROM due, messages AS m
     WHERE (d.message_id, d.channel, d.device_id) = (due.message_id, due.channel, due.device_id)
       AND m.tenant = d.tenant AND m.id = d.message_id
    RETURNING d.message_id, d.channel, d.device_id, d.attempts, d.due_at_ms, m.*`.execute(tx.q);
  return rows;
}

type DeliveryKey = Pick<Delivery, "message_id" | "channel" | "device_id">;

/** Ends a delivery; false where somebody else has, or the person is gone. */
export async function finish(tx: Tx, { message_id, channel, device_id }: DeliveryKey): Promise<boolean> {
  const { rows } = await sql`
    DELETE FROM deliveries WHERE message_id = ${message_id} AND channel = ${channel} AND device_id = ${device_id}
    RETURNING 1`.execute(tx.q);
  return rows.length > 0;
}

/** Puts a delivery off. One that was not tried, because nobody is to be disturbed, has the try back. */
export async function postpone(
  tx: Tx,
  { message_id, channel, device_id }: DeliveryKey,
  { dueAtMs, wasTried }: { readonly dueAtMs: number; readonly wasTried: boolean },
): Promise<void> {
  await sql`
    UPDATE deliveries SET due_at_ms = ${dueAtMs}, attempts = attempts - ${wasTried ? 0 : 1}
     WHERE message_id = ${message_id} AND channel = ${channel} AND device_id = ${device_id}`.execute(tx.q);
}

/** What was due far in the future because a clock stood wrong is due now. */
export async function pullForward(tx: Tx, latestMs: number, nowMs: number): Promise<void> {
  await tables(tx).updateTable("deliveries").set({ due_at_ms: nowMs }).where("due_at_ms", ">", latestMs).execute();
}

/** Deletes messages from before a moment, a few at a time. */
export async function deleteBefore(tx: Tx, beforeMs: number, max: number): Promise<void> {
  await sql`
    DELETE FROM messages WHERE id IN
      (SELECT id FROM messages WHERE created_at_ms < ${beforeMs} ORDER BY created_at_ms LIMIT ${max})`.execute(tx.q);
}

/** Forgets a person or a profile that is gone. */
export async function forget(
  tx: Tx,
  what: { readonly column: "user_id" | "profile_id"; readonly id: string },
): Promise<void> {
  for (const table of ["messages", "preferences", "subscriptions"] as const)
    await sql`DELETE FROM ${sql.table(table)} WHERE ${sql.ref(what.column)} = ${what.id}`.execute(tx.q);
}

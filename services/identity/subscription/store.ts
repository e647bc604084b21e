import type { Kysely } from "kysely";
import type { Tx } from "#kernel";

export interface SubscriptionRow {
  readonly userId: string;
  readonly tier: string;
  readonly sinceMs: number;
}

type Tables = { subscriptions: { tenant: string; user_id: string; tier: string; since_ms: number } };

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const toRow = (row: Tables["subscriptions"]): SubscriptionRow => ({
  userId: row.user_id,
  tier: row.tier,
  sinceMs: row.since_ms,
});

export async function find(tx: Tx, userId: string): Promise<SubscriptionRow | undefined> {
  const row = await tables(tx).selectFrom("subscriptions").selectAll().where("user_id", "=", userId).executeTakeFirst();
  return row && toRow(row);
}

export async function lock(tx: Tx, userId: string): Promise<SubscriptionRow | undefined> {
  const query = tables(tx).selectFrom("subscriptions").selectAll().where("user_id", "=", userId).forUpdate();
  const row = await query.executeTakeFirst();
  return row && toRow(row);
}

/** Whether there was none yet. */
export async function insert(tx: Tx, { userId, tier, sinceMs }: SubscriptionRow): Promise<boolean> {
  const result = await tables(tx)
    .insertInto("subscriptions")
    .values({ tenant: tx.tenant, user_id: userId, tier, since_ms: sinceMs })
    .onConflict((conflict) => conflict.columns(["tenant", "user_id"]).doNothing())
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function update(tx: Tx, { userId, tier, sinceMs }: SubscriptionRow): Promise<void> {
  await tables(tx)
    .updateTable("subscriptions")
    .set({ tier, since_ms: sinceMs })
    .where("user_id", "=", userId)
    .execute();
}

export async function remove(tx: Tx, userId: string): Promise<void> {
  await tables(tx).deleteFrom("subscriptions").where("user_id", "=", userId).execute();
}

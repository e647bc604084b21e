import type { Kysely } from "kysely";
import type { Tx } from "#kernel";

type Tables = { grants: { tenant: string; user_id: string; entitlement: string; granted_at_ms: number } };

const GRANTS_MAX = 100;

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

export async function find(tx: Tx, userId: string): Promise<string[]> {
  const rows = await tables(tx)
    .selectFrom("grants")
    .select("entitlement")
    .where("user_id", "=", userId)
    .orderBy("entitlement")
    .limit(GRANTS_MAX)
    .execute();
  return rows.map((row) => row.entitlement);
}

export async function grant(tx: Tx, userId: string, entitlements: readonly string[], nowMs: number): Promise<void> {
  if (entitlements.length === 0) return;
  await tables(tx)
    .insertInto("grants")
    .values(
      entitlements.map((entitlement) => ({ tenant: tx.tenant, user_id: userId, entitlement, granted_at_ms: nowMs })),
    )
    .onConflict((conflict) => conflict.columns(["tenant", "user_id", "entitlement"]).doNothing())
    .execute();
}

export async function revoke(tx: Tx, userId: string, entitlements: readonly string[]): Promise<void> {
  if (entitlements.length === 0) return;
  await tables(tx)
    .deleteFrom("grants")
    .where("user_id", "=", userId)
    .where("entitlement", "in", entitlements)
    .execute();
}

export async function removeAll(tx: Tx, userId: string): Promise<void> {
  await tables(tx).deleteFrom("grants").where("user_id", "=", userId).execute();
}

import type { Kysely } from "kysely";
import type { Tx } from "#kernel";
import type { User } from "./domain.ts";

export type ErasureStep = "asked" | "erased" | "repeated";

/** Somebody who is gone, and how far their erasure is. */
export interface Erasure {
  readonly userId: string;
  /** Empty once mail to it is removed. */
  readonly email: string;
  readonly step: ErasureStep;
}

type Tables = {
  erasures: { tenant: string; user_id: string; email: string; asked_at_ms: number; step: ErasureStep };
  users: { tenant: string; id: string; email: string; name: string; language: string; created_at_ms: number };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const toUser = (row: Tables["users"]): User => ({
  id: row.id,
  email: row.email,
  name: row.name,
  language: row.language,
  createdAtMs: row.created_at_ms,
});

export async function insert(tx: Tx, user: User): Promise<void> {
  await tables(tx)
    .insertInto("users")
    .values({
      tenant: tx.tenant,
      id: user.id,
      email: user.email,
      name: user.name,
      language: user.language,
      created_at_ms: user.createdAtMs,
    })
    .execute();
}

export async function find(tx: Tx, by: "id" | "email", value: string): Promise<User | undefined> {
  const row = await tables(tx).selectFrom("users").selectAll().where(by, "=", value).executeTakeFirst();
  return row && toUser(row);
}

export async function lock(tx: Tx, id: string): Promise<User | undefined> {
  const row = await tables(tx).selectFrom("users").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
  return row && toUser(row);
}

export async function update(tx: Tx, { id, name, language }: User): Promise<void> {
  await tables(tx).updateTable("users").set({ name, language }).where("id", "=", id).execute();
}

/** Removes an account and notes that its person is to be erased; false where there was none. */
export async function remove(tx: Tx, id: string, nowMs: number): Promise<boolean> {
  const gone = await tables(tx).deleteFrom("users").where("id", "=", id).returning("email").executeTakeFirst();
  if (!gone) return false;
  const erasure = { user_id: id, email: gone.email, asked_at_ms: nowMs, step: "asked" as const };
  await tables(tx)
    .insertInto("erasures")
    .values({ tenant: tx.tenant, ...erasure })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return true;
}

/** What is to be done now: all that is not waiting for what comes late, and what was asked for before `lateMs`. */
export async function openErasures(tx: Tx, lateMs: number, limit: number): Promise<readonly Erasure[]> {
  const rows = await tables(tx)
    .selectFrom("erasures")
    .selectAll()
    .where((where) => where.or([where("step", "<>", "erased"), where("asked_at_ms", "<", lateMs)]))
    .orderBy("asked_at_ms")
    .limit(limit)
    .execute();
  return rows.map(({ user_id: userId, email, step }) => ({ userId, email, step }));
}

/** Whether it was not there already. */
export async function moveErasure(tx: Tx, userId: string, step: ErasureStep): Promise<boolean> {
  const result = await tables(tx)
    .updateTable("erasures")
    .set({ step, email: "" })
    .where("user_id", "=", userId)
    .where("step", "<>", step)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function closeErasure(tx: Tx, userId: string): Promise<void> {
  await tables(tx).deleteFrom("erasures").where("user_id", "=", userId).execute();
}

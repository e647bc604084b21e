import type { Kysely } from "kysely";
import type { Tx } from "#kernel";
import type { User } from "./domain.ts";

type Tables = {
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

export async function remove(tx: Tx, id: string): Promise<boolean> {
  const result = await tables(tx).deleteFrom("users").where("id", "=", id).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Tenant } from "./domain.ts";

type Tables = {
  tenants: { id: string; name: string; accent: string };
  hosts: { host: string; id: string };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const selection = (tx: Tx) =>
  tables(tx)
    .selectFrom("tenants")
    .select([
      "id",
      "name",
      "accent",
      sql<string[]>`ARRAY(SELECT host FROM hosts WHERE hosts.id = tenants.id ORDER BY host)`.as("hosts"),
    ]);

export const find = (tx: Tx, id: string): Promise<Tenant | undefined> =>
  selection(tx).where("id", "=", id).executeTakeFirst();

export const findByHost = (tx: Tx, host: string): Promise<Tenant | undefined> =>
  selection(tx)
    .where("id", "=", (eb) => eb.selectFrom("hosts").select("hosts.id").where("host", "=", host))
    .executeTakeFirst();

export const list = (tx: Tx, limit: number): Promise<Tenant[]> => selection(tx).orderBy("id").limit(limit).execute();

/** Writes a tenant and its hosts; a host of another tenant makes PostgreSQL refuse it. */
export async function put(tx: Tx, { id, name, accent, hosts }: Tenant): Promise<void> {
  await tables(tx)
    .insertInto("tenants")
    .values({ id, name, accent })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ name, accent }))
    .execute();
  await tables(tx).deleteFrom("hosts").where("id", "=", id).execute();
  if (hosts.length > 0)
    await tables(tx)
      .insertInto("hosts")
      .values(hosts.map((host) => ({ host, id })))
      .execute();
}

/** Writes a tenant unless there is one of its id. */
export async function seed(tx: Tx, { id, name, accent }: Tenant): Promise<void> {
  await tables(tx)
    .insertInto("tenants")
    .values({ id, name, accent })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}

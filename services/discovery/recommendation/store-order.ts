import type { Kysely } from "kysely";
import type { Tx } from "#kernel";
import type { Order } from "./domain-order.ts";

type Tables = { orders: { tenant: string; learned_at_ms: number; learned: Order } };
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

export async function findOrder(tx: Tx): Promise<Order | undefined> {
  return (await tables(tx).selectFrom("orders").select("learned").executeTakeFirst())?.learned;
}

/** Keeps an order, or that there is none. */
export async function putOrder(tx: Tx, order: Order | undefined, learnedAtMs: number): Promise<void> {
  await tables(tx).deleteFrom("orders").execute();
  if (!order) return;
  const learned = JSON.stringify(order) as never;
  await tables(tx).insertInto("orders").values({ tenant: tx.tenant, learned_at_ms: learnedAtMs, learned }).execute();
}

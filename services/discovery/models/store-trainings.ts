import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";

export interface Training {
  readonly name: string;
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly cause: string;
  readonly askedAtMs: number;
  readonly atMs: number;
  readonly message: string;
}

type Row = {
  tenant: string;
  name: string;
  state: Training["state"];
  cause: string;
  asked_at_ms: number;
  at_ms: number;
  message: string;
};
const tables = (tx: Tx): Kysely<{ trainings: Row }> => tx.q.withTables<{ trainings: Row }>();

/** Somebody has asked. One that waits or runs already is the one that was asked for. */
export async function asked(tx: Tx, name: string, cause: string, nowMs: number): Promise<void> {
  await sql`
    INSERT INTO trainings (tenant, name, state, cause, asked_at_ms, at_ms) VALUES (${tx.tenant}, ${name}, 'waiting', ${cause}, ${nowMs}, ${nowMs})
    ON CONFLICT (tenant, name) DO UPDATE SET state = 'waiting', cause = EXCLUDED.cause, asked_at_ms = EXCLUDED.asked_at_ms,
      at_ms = EXCLUDED.at_ms, message = '' WHERE trainings.state IN ('done', 'failed')`.execute(tx.q);
}

export async function became(
  tx: Tx,
  name: string,
  to: { readonly state: Training["state"]; readonly message?: string; readonly nowMs: number },
): Promise<void> {
  const { state, message = "", nowMs } = to;
  await tables(tx).updateTable("trainings").set({ state, message, at_ms: nowMs }).where("name", "=", name).execute();
}

export async function all(tx: Tx): Promise<Training[]> {
  const rows = await tables(tx).selectFrom("trainings").selectAll().execute();
  return rows.map(({ name, state, cause, asked_at_ms: askedAtMs, at_ms: atMs, message }) => ({
    ...{ name, state, cause, askedAtMs, atMs, message },
  }));
}

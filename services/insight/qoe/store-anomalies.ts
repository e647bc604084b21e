import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import { type Anomaly, type Measure, seriesOf } from "./domain-anomalies.ts";

export type AnomalyRow = {
  tenant: string;
  dimension: "all" | "network" | "channel";
  value: string;
  measure: Measure;
  opened_at_ms: number;
  sessions: number;
  figure: number;
  usual: number;
  ends_at: number;
  is_partial: boolean;
};
type Tables = { anomalies: AnomalyRow };
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

export async function anomalies(tx: Tx, limit: number): Promise<readonly AnomalyRow[]> {
  return tables(tx).selectFrom("anomalies").selectAll().orderBy("opened_at_ms").limit(limit).execute();
}

/** False where another process was first. */
export async function openAnomaly(tx: Tx, one: Anomaly, nowMs: number): Promise<boolean> {
  const { dimension, value, measure, sessions, figure, usual, endsAt, isPartial } = one;
  const result = await tables(tx)
    .insertInto("anomalies")
    .values({
      ...{ tenant: tx.tenant, dimension, value, measure, sessions, figure, usual },
      ...{ opened_at_ms: nowMs, ends_at: endsAt, is_partial: isPartial },
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("value")
    .executeTakeFirst();
  return result !== undefined;
}

export async function closeAnomalies(tx: Tx, series: readonly string[]): Promise<void> {
  if (series.length === 0) return;
  await tables(tx)
    .deleteFrom("anomalies")
    .where(sql<string>`dimension || ':' || value || ':' || measure`, "in", series)
    .execute();
}

export const keyOfRow = ({ dimension, value, measure }: AnomalyRow): string => seriesOf({ dimension, value, measure });

import { sql } from "kysely";
import type { Tx } from "#kernel";

/** What was known of a metric at a time. */
export interface Look {
  readonly metric: string;
  readonly atMs: number;
  readonly counted: number;
  readonly effect: number;
  readonly low: number;
  readonly high: number;
}

const SLOT_MS = 30 * 60_000;

/** The last look of each half hour stays. */
export async function keep(tx: Tx, experiment: string, look: Look): Promise<void> {
  const { metric, atMs, counted, effect, low, high } = look;
  await sql`
    INSERT INTO looks (tenant, experiment, metric, slot, at_ms, counted, effect, low, high)
    VALUES (${tx.tenant}, ${experiment}, ${metric}, ${Math.floor(atMs / SLOT_MS)}, ${atMs}, ${counted}, ${effect}, ${low}, ${high})
    ON CONFLICT (tenant, experiment, metric, slot) DO UPDATE SET at_ms = EXCLUDED.at_ms, counted = EXCLUDED.counted,
      effect = EXCLUDED.effect, low = EXCLUDED.low, high = EXCLUDED.high`.execute(tx.q);
}

/** Looks from first to last, as many of each metric as are asked for: evenly chosen, the last one always among them. */
export async function list(tx: Tx, experiment: string, countMax: number): Promise<Look[]> {
  const { rows } = await sql<Look>`
    SELECT metric, at_ms AS "atMs", counted, effect, low, high FROM (
      SELECT *, row_number() OVER (PARTITION BY metric ORDER BY slot DESC) - 1 AS place, count(*) OVER (PARTITION BY metric) AS all_of
        FROM looks WHERE experiment = ${experiment}) AS numbered
     WHERE place % greatest(1, ceil(all_of::float8 / ${countMax})::bigint) = 0
     ORDER BY metric, slot`.execute(tx.q);
  return rows;
}

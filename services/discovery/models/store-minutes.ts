import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Line, Minute } from "./domain-routing.ts";

type Row = {
  tenant: string;
  network_id: string;
  region: string;
  minute: number;
  beats: number;
  throughput_kbps: number;
  trouble_ratio: number;
  score_p25: number;
  latency_ms: number;
  is_up: boolean;
};
type Tables = { network_minutes: Row };
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

/** A training reads so many: a week of a few networks in some dozens of regions. */
const ROWS_MAX = 200_000;

export interface Measured extends Minute {
  readonly networkId: string;
  readonly region: string;
}

/** Keeps what was measured; of a minute that is told twice the later word counts. */
export async function put(tx: Tx, all: readonly Measured[]): Promise<void> {
  const last = new Map(all.map((one) => [`${one.networkId}\n${one.region}\n${one.minute}`, one]));
  if (last.size === 0) return;
  const rows = [...last.keys()].sort().flatMap((key) => last.get(key) ?? []);
  const column = <T>(of: (one: Measured) => T): T[] => rows.map(of);
  await sql`
    INSERT INTO network_minutes (tenant, network_id, region, minute, beats, throughput_kbps, trouble_ratio, score_p25, latency_ms, is_up)
    SELECT ${tx.tenant}, * FROM unnest(${column((one) => one.networkId)}::text[], ${column((one) => one.region)}::text[],
      ${column((one) => one.minute)}::int[], ${column((one) => one.beats)}::int[],
      ${column((one) => one.throughputKbps)}::float8[], ${column((one) => one.troubleRatio)}::float8[],
      ${column((one) => one.scoreP25)}::float8[], ${column((one) => Math.round(one.latencyMs))}::int[],
      ${column((one) => one.isUp)}::boolean[])
    ON CONFLICT (tenant, network_id, region, minute) DO UPDATE SET beats = EXCLUDED.beats,
      throughput_kbps = EXCLUDED.throughput_kbps, trouble_ratio = EXCLUDED.trouble_ratio,
      score_p25 = EXCLUDED.score_p25, latency_ms = EXCLUDED.latency_ms, is_up = EXCLUDED.is_up`.execute(tx.q);
}

/** The minutes from one, inclusive, to another, exclusive, by network and region. */
export async function lines(tx: Tx, from: number, to: number): Promise<Line[]> {
  const rows = await tables(tx)
    .selectFrom("network_minutes")
    .selectAll()
    .where("minute", ">=", from)
    .where("minute", "<", to)
    .orderBy("minute", "desc")
    .limit(ROWS_MAX)
    .execute();
  const groups = Map.groupBy(rows.toReversed(), ({ network_id, region }) => `${network_id}\n${region}`);
  return [...groups.values()].map((all) => ({
    ...{ networkId: all[0]?.network_id ?? "", region: all[0]?.region ?? "" },
    minutes: all.map((row) => ({
      ...{ minute: row.minute, beats: row.beats, throughputKbps: row.throughput_kbps, scoreP25: row.score_p25 },
      ...{ troubleRatio: row.trouble_ratio, latencyMs: row.latency_ms, isUp: row.is_up },
    })),
  }));
}

export async function count(tx: Tx, from: number): Promise<number> {
  const row = await tables(tx)
    .selectFrom("network_minutes")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("minute", ">=", from)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Drops what no training will ask for any more. */
export async function dropBefore(tx: Tx, minute: number): Promise<void> {
  await tables(tx).deleteFrom("network_minutes").where("minute", "<", minute).execute();
}

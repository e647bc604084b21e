import type { Kysely } from "kysely";
import type { Tx } from "#kernel";
import type { SpliceRange } from "#media/scte35";

// What channels' inputs have told of breaks.

export type SpliceRow = {
  tenant: string;
  channel_id: string;
  splice_id: string;
  start_ms: number;
  end_ms: number | null;
  planned_duration_s: number | null;
  out_hex: string | null;
  in_hex: string | null;
  cmd_hex: string | null;
};

const tables = (tx: Tx): Kysely<{ splices: SpliceRow }> => tx.q.withTables<{ splices: SpliceRow }>();

export async function saveSplice(tx: Tx, channelId: string, range: SpliceRange): Promise<void> {
  const { id, startMs, endMs, plannedDurationS, outHex, inHex, cmdHex } = range;
  const values = {
    ...{ start_ms: startMs, end_ms: endMs, planned_duration_s: plannedDurationS },
    ...{ out_hex: outHex, in_hex: inHex, cmd_hex: cmdHex },
  };
  await tables(tx)
    .insertInto("splices")
    .values({ tenant: tx.tenant, channel_id: channelId, splice_id: id, ...values })
    .onConflict((conflict) => conflict.columns(["tenant", "channel_id", "splice_id"]).doUpdateSet(values))
    .execute();
}

export async function removeSplice(tx: Tx, channelId: string, spliceId: string): Promise<void> {
  await tables(tx)
    .deleteFrom("splices")
    .where("channel_id", "=", channelId)
    .where("splice_id", "=", spliceId)
    .execute();
}

/** Those that begin within a span, in order. */
export async function splicesBetween(
  tx: Tx,
  channelId: string,
  span: { readonly fromMs: number; readonly toMs: number; readonly limit: number },
): Promise<SpliceRange[]> {
  const rows = await tables(tx)
    .selectFrom("splices")
    .selectAll()
    .where("channel_id", "=", channelId)
    .where("start_ms", ">=", span.fromMs)
    .where("start_ms", "<", span.toMs)
    .orderBy("start_ms")
    .limit(span.limit)
    .execute();
  return rows.map((row) => ({
    ...{ id: row.splice_id, startMs: row.start_ms, endMs: row.end_ms, plannedDurationS: row.planned_duration_s },
    ...{ outHex: row.out_hex, inHex: row.in_hex, cmdHex: row.cmd_hex },
  }));
}

export async function forgetSplices(tx: Tx, channelId: string, beforeMs: number): Promise<void> {
  await tables(tx).deleteFrom("splices").where("channel_id", "=", channelId).where("start_ms", "<", beforeMs).execute();
}

import type { Kysely } from "kysely";
import type { Tx } from "#kernel";
import type { Restriction } from "./domain-restrictions.ts";

// What the guide forbids to do with programmes.

export type RestrictionRow = {
  tenant: string;
  programme_id: string;
  channel_id: string;
  start_ms: number;
  stop_ms: number;
  blackout: boolean;
  no_restart: boolean;
};

const tables = (tx: Tx): Kysely<{ restrictions: RestrictionRow }> =>
  tx.q.withTables<{ restrictions: RestrictionRow }>();

const ROWS_AT_ONCE = 500;

export interface RestrictedProgramme extends Restriction {
  readonly programmeId: string;
  readonly channelId: string;
}

/** Makes what is known of some programmes this; those that nothing is said of are free. */
export async function putRestrictions(
  tx: Tx,
  programmeIds: readonly string[],
  all: readonly RestrictedProgramme[],
): Promise<void> {
  for (let at = 0; at < programmeIds.length; at += ROWS_AT_ONCE)
    await tables(tx)
      .deleteFrom("restrictions")
      .where("programme_id", "in", programmeIds.slice(at, at + ROWS_AT_ONCE))
      .execute();
  for (let at = 0; at < all.length; at += ROWS_AT_ONCE)
    await tables(tx)
      .insertInto("restrictions")
      .values(
        all.slice(at, at + ROWS_AT_ONCE).map(({ programmeId, channelId, startMs, stopMs, blackout, noRestart }) => ({
          ...{ tenant: tx.tenant, programme_id: programmeId, channel_id: channelId, start_ms: startMs },
          ...{ stop_ms: stopMs, blackout, no_restart: noRestart },
        })),
      )
      .execute();
}

/** Of programmes that ended after a time, by channel. */
export async function restrictionsAfter(tx: Tx, stopMs: number, limit: number): Promise<RestrictedProgramme[]> {
  const rows = await tables(tx)
    .selectFrom("restrictions")
    .selectAll()
    .where("stop_ms", ">", stopMs)
    .orderBy("start_ms")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    ...{ programmeId: row.programme_id, channelId: row.channel_id, startMs: row.start_ms, stopMs: row.stop_ms },
    ...{ blackout: row.blackout, noRestart: row.no_restart },
  }));
}

export async function forgetRestrictions(tx: Tx, stoppedBeforeMs: number): Promise<void> {
  await tables(tx).deleteFrom("restrictions").where("stop_ms", "<", stoppedBeforeMs).execute();
}

import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import { type ChannelView, HALF_LIFE_MS } from "./domain-channels.ts";

type Tables = {
  channel_views: {
    tenant: string;
    profile_id: string;
    channel_id: string;
    quarter: number;
    user_id: string;
    seconds: number;
    last_at_ms: number;
  };
  unpersonalised: { tenant: string; profile_id: string };
};
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

/** Of one profile so many are looked at: the latest. */
const VIEWS_MAX = 400;

export interface Viewed extends ChannelView {
  readonly userId: string;
  readonly profileId: string;
}

/** Adds to what is known, in one order, so that two batches do not wait for each other in a circle. */
export async function addViews(tx: Tx, all: readonly Viewed[]): Promise<void> {
  const keyOf = (one: Viewed): string => `${one.profileId}\n${one.channelId}\n${one.quarter}`;
  for (const one of all.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)))
    await sql`
      INSERT INTO channel_views (tenant, profile_id, channel_id, quarter, user_id, seconds, last_at_ms)
      VALUES (${tx.tenant}, ${one.profileId}, ${one.channelId}, ${one.quarter}, ${one.userId}, ${one.seconds}, ${one.lastAtMs})
      ON CONFLICT (tenant, profile_id, channel_id, quarter) DO UPDATE SET user_id = EXCLUDED.user_id,
        seconds = channel_views.seconds * power(2, -greatest(0, EXCLUDED.last_at_ms - channel_views.last_at_ms)::float8 / ${HALF_LIFE_MS}::float8)
          + EXCLUDED.seconds,
        last_at_ms = greatest(channel_views.last_at_ms, EXCLUDED.last_at_ms)`.execute(tx.q);
}

/** What a profile watched; nothing of one that wants no recommendations of its own. */
export async function viewsOf(tx: Tx, profileId: string): Promise<ChannelView[]> {
  const rows = await tables(tx)
    .selectFrom("channel_views")
    .selectAll()
    .where("profile_id", "=", profileId)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("unpersonalised").select("profile_id").where("profile_id", "=", profileId))),
    )
    .orderBy("last_at_ms", "desc")
    .limit(VIEWS_MAX)
    .execute();
  return rows.map(({ channel_id: channelId, quarter, seconds, last_at_ms: lastAtMs }) => ({
    ...{ channelId, quarter, seconds, lastAtMs },
  }));
}

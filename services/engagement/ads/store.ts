import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Audience, Break, Campaign } from "./domain.ts";
import type { Heard, Slot } from "./domain-track.ts";

export type CreativeState = "fetching" | "processing" | "ready" | "failed";

// Types and not interfaces, because Kysely wants something that has an index signature.
export type CreativeRow = {
  tenant: string;
  id: string;
  campaign_id: string;
  title: string;
  click_through: string;
  state: CreativeState;
  failure: string;
  duration_s: number;
  package_revision: number;
  index_version: number;
  external_key: string | null;
  source_url: string | null;
  created_at_ms: number;
};
type BeaconRow = { tenant: string; id: string; user_id: string; uri: string; attempts: number; next_at_ms: number };
type Tables = {
  campaigns: { tenant: string; id: string; body: string; created_at_ms: number };
  creatives: CreativeRow;
  breaks: { tenant: string; content_id: string; body: string };
  decisions: {
    tenant: string;
    session_id: string;
    user_id: string;
    profile_id: string;
    content_id: string;
    slots: string;
    heard: string;
    created_at_ms: number;
    audience: string | null;
    fills: string;
  };
  beacons: BeaconRow;
  deliveries: {
    tenant: string;
    day: string;
    campaign_id: string;
    creative_id: string;
    impressions: number;
    completes: number;
  };
  served: { tenant: string; serving_id: string; event: string; at_ms: number };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

export const CAMPAIGNS_MAX = 500;
export const CREATIVES_MAX = 2_000;

export async function saveCampaign(tx: Tx, campaign: Campaign, nowMs: number): Promise<void> {
  const body = JSON.stringify(campaign);
  await tables(tx)
    .insertInto("campaigns")
    .values({ tenant: tx.tenant, id: campaign.id, body, created_at_ms: nowMs })
    .onConflict((conflict) => conflict.columns(["tenant", "id"]).doUpdateSet({ body }))
    .execute();
}

export async function campaigns(tx: Tx): Promise<Campaign[]> {
  const rows = await tables(tx)
    .selectFrom("campaigns")
    .select("body")
    .orderBy("created_at_ms")
    .limit(CAMPAIGNS_MAX)
    .execute();
  return rows.map(({ body }) => body as unknown as Campaign);
}

export async function removeCampaign(tx: Tx, id: string): Promise<void> {
  await tables(tx).deleteFrom("campaigns").where("id", "=", id).execute();
}

/** False where another server's creative of that key is known already. */
export async function insertCreative(tx: Tx, row: Omit<CreativeRow, "tenant">): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tables(tx)
    .insertInto("creatives")
    .values({ ...row, tenant: tx.tenant })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function creatives(tx: Tx, campaignId: string): Promise<CreativeRow[]> {
  const query = tables(tx).selectFrom("creatives").selectAll().orderBy("created_at_ms").limit(CREATIVES_MAX);
  return (campaignId === "" ? query : query.where("campaign_id", "=", campaignId)).execute();
}

export async function creative(tx: Tx, id: string): Promise<CreativeRow | undefined> {
  return tables(tx).selectFrom("creatives").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function updateCreative(
  tx: Tx,
  id: string,
  change: Partial<Pick<CreativeRow, "state" | "failure" | "duration_s" | "package_revision" | "index_version">>,
): Promise<void> {
  await tables(tx).updateTable("creatives").set(change).where("id", "=", id).execute();
}

/** A film was handed over; one that is ready by now stays that. */
export async function beginProcessing(tx: Tx, id: string): Promise<void> {
  const change = { state: "processing" as const };
  await tables(tx).updateTable("creatives").set(change).where("id", "=", id).where("state", "=", "fetching").execute();
}

export async function removeCreative(tx: Tx, id: string): Promise<void> {
  await tables(tx).deleteFrom("creatives").where("id", "=", id).execute();
}

export async function setBreaks(tx: Tx, contentId: string, breaks: readonly Break[]): Promise<void> {
  const body = JSON.stringify(breaks);
  await tables(tx)
    .insertInto("breaks")
    .values({ tenant: tx.tenant, content_id: contentId, body })
    .onConflict((conflict) => conflict.columns(["tenant", "content_id"]).doUpdateSet({ body }))
    .execute();
}

export async function breaks(tx: Tx, contentId: string): Promise<readonly Break[]> {
  const row = await tables(tx)
    .selectFrom("breaks")
    .select("body")
    .where("content_id", "=", contentId)
    .executeTakeFirst();
  return (row?.body as unknown as Break[] | undefined) ?? [];
}

export async function removeBreaks(tx: Tx, contentIds: readonly string[]): Promise<void> {
  await tables(tx).deleteFrom("breaks").where("content_id", "in", contentIds).execute();
}

/** How often each campaign was shown, over all time. */
export async function shown(tx: Tx): Promise<ReadonlyMap<string, number>> {
  const rows = await tables(tx)
    .selectFrom("deliveries")
    .select(({ fn }) => ["campaign_id", fn.sum<string>("impressions").as("impressions")])
    .groupBy("campaign_id")
    .limit(CAMPAIGNS_MAX * 2)
    .execute();
  return new Map(rows.map(({ campaign_id, impressions }) => [campaign_id, Number(impressions)]));
}

export interface Decision {
  readonly sessionId: string;
  readonly userId: string;
  readonly profileId: string;
  readonly contentId: string;
  readonly slots: readonly Slot[];
  readonly heard: Heard;
}

export async function insertDecision(tx: Tx, decision: Decision, nowMs: number): Promise<void> {
  await tables(tx)
    .insertInto("decisions")
    .values({
      ...{ tenant: tx.tenant, session_id: decision.sessionId, user_id: decision.userId },
      ...{ profile_id: decision.profileId, content_id: decision.contentId, slots: JSON.stringify(decision.slots) },
      ...{ heard: JSON.stringify(decision.heard), created_at_ms: nowMs, audience: null, fills: "{}" },
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What a break is filled with, in order; `durationS` is how much of each is shown. */
export type Fill = readonly {
  readonly creativeId: string;
  readonly packageRevision: number;
  readonly indexVersion: number;
  readonly durationS: number;
}[];

/** A session that watches a channel. */
export interface Tuned extends Decision {
  readonly audience: Omit<Audience, "nowMs">;
  /** By the id of the break. */
  readonly fills: Readonly<Record<string, Fill>>;
}

export async function insertTuned(tx: Tx, tuned: Tuned, nowMs: number): Promise<void> {
  await insertDecision(tx, tuned, nowMs);
  await tables(tx)
    .updateTable("decisions")
    .set({ audience: JSON.stringify(tuned.audience) })
    .where("session_id", "=", tuned.sessionId)
    .execute();
}

/** Undefined for a session that watches no channel, or one without ads. */
export async function findTuned(tx: Tx, sessionId: string, { lock = false } = {}): Promise<Tuned | undefined> {
  const query = tables(tx)
    .selectFrom("decisions")
    .selectAll()
    .where("session_id", "=", sessionId)
    .where("audience", "is not", null);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  return (
    row && {
      ...toDecision(row),
      audience: row.audience as unknown as Tuned["audience"],
      fills: row.fills as unknown as Tuned["fills"],
    }
  );
}

export async function setFills(tx: Tx, { sessionId, slots, fills }: Tuned): Promise<void> {
  await tables(tx)
    .updateTable("decisions")
    .set({ slots: JSON.stringify(slots), fills: JSON.stringify(fills) })
    .where("session_id", "=", sessionId)
    .execute();
}

const toDecision = (row: Tables["decisions"]): Decision => ({
  ...{ sessionId: row.session_id, userId: row.user_id, profileId: row.profile_id, contentId: row.content_id },
  ...{ slots: row.slots as unknown as Slot[], heard: row.heard as unknown as Heard },
});

/** Decisions of sessions, which nobody else changes until the transaction ends. */
export async function lockDecisions(tx: Tx, sessionIds: readonly string[]): Promise<Decision[]> {
  const rows = await tables(tx)
    .selectFrom("decisions")
    .selectAll()
    .where(sql<boolean>`session_id = ANY(${sessionIds}::text[])`)
    .orderBy("session_id")
    .forUpdate()
    .execute();
  return rows.map(toDecision);
}

export async function setHeard(tx: Tx, sessionId: string, heard: Heard): Promise<void> {
  await tables(tx)
    .updateTable("decisions")
    .set({ heard: JSON.stringify(heard) })
    .where("session_id", "=", sessionId)
    .execute();
}

/** Adds to what was counted. */
export async function count(
  tx: Tx,
  day: string,
  of: { readonly campaignId: string; readonly creativeId: string },
  add: { readonly impressions: number; readonly completes: number },
): Promise<void> {
  await sql`
    INSERT INTO deliveries AS d (tenant, day, campaign_id, creative_id, impressions, completes)
    VALUES (${tx.tenant}, ${day}, ${of.campaignId}, ${of.creativeId}, ${add.impressions}, ${add.completes})
    ON CONFLICT (tenant, day, campaign_id, creative_id)
    DO UPDATE SET impressions = d.impressions + EXCLUDED.impressions, completes = d.completes + EXCLUDED.completes`.execute(
    tx.q,
  );
}

export async function report(tx: Tx, campaignId: string) {
  const query = tables(tx)
    .selectFrom("deliveries")
    .select(({ fn }) => [
      ...(["campaign_id", "creative_id"] as const),
      fn.sum<string>("impressions").as("impressions"),
      fn.sum<string>("completes").as("completes"),
    ])
    .groupBy(["campaign_id", "creative_id"])
    .orderBy("campaign_id")
    .limit(CREATIVES_MAX);
  return (campaignId === "" ? query : query.where("campaign_id", "=", campaignId)).execute();
}

export async function addBeacons(
  tx: Tx,
  beacons: readonly { readonly id: string; readonly userId: string; readonly uri: string }[],
  nowMs: number,
): Promise<void> {
  if (beacons.length === 0) return;
  await tables(tx)
    .insertInto("beacons")
    .values(
      beacons.map(({ id, userId, uri }) => ({
        ...{ tenant: tx.tenant, id, user_id: userId, uri, attempts: 0, next_at_ms: nowMs },
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Takes beacons that are due; until `againAtMs` nobody else does. */
export async function takeBeacons(tx: Tx, nowMs: number, againAtMs: number, limit: number): Promise<BeaconRow[]> {
  const { rows } = await sql<BeaconRow>`
    UPDATE beacons SET attempts = attempts + 1, next_at_ms = ${againAtMs}
    WHERE id IN (SELECT id FROM beacons WHERE next_at_ms <= ${nowMs} ORDER BY next_at_ms LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING *`.execute(tx.q);
  return rows;
}

export async function removeBeacons(tx: Tx, ids: readonly string[]): Promise<void> {
  await tables(tx).deleteFrom("beacons").where("id", "in", ids).execute();
}

export async function postponeBeacon(tx: Tx, id: string, nextAtMs: number): Promise<void> {
  await tables(tx).updateTable("beacons").set({ next_at_ms: nextAtMs }).where("id", "=", id).execute();
}

/** False where the event of that serving was told before. */
export async function insertServed(tx: Tx, servingId: string, event: string, nowMs: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tables(tx)
    .insertInto("served")
    .values({ tenant: tx.tenant, serving_id: servingId, event, at_ms: nowMs })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function forgetUser(tx: Tx, userId: string): Promise<void> {
  await tables(tx).deleteFrom("decisions").where("user_id", "=", userId).execute();
  await tables(tx).deleteFrom("beacons").where("user_id", "=", userId).execute();
}

export async function trim(tx: Tx, decisionsBeforeMs: number, deliveriesBefore: string): Promise<void> {
  await tables(tx).deleteFrom("decisions").where("created_at_ms", "<", decisionsBeforeMs).execute();
  await tables(tx).deleteFrom("served").where("at_ms", "<", decisionsBeforeMs).execute();
  await tables(tx).deleteFrom("deliveries").where("day", "<", deliveriesBefore).execute();
}

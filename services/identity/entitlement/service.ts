// Entitlement: who may watch what. Plan, age, market and window are decided here and nowhere else.
import { Catalog, type CatalogAvailabilityChanged, type CatalogTitleUpdated } from "#contracts/catalog";
import { Entitlement } from "#contracts/entitlement";
import { Live, type LiveChannelChanged } from "#contracts/live";
import { Profile, type ProfileUpdated } from "#contracts/profile";
import { Recording, type RecordingDeleted } from "#contracts/recording";
import { Subscription, type SubscriptionChanged } from "#contracts/subscription";
import { User, type UserCreated, type UserDeleted } from "#contracts/user";
import { type Context, defineService, on, problem, type Received, systemContext, type Tx } from "#kernel";
import { decide, type Decision, difference, entitlementsOf, unknownTitle } from "./domain.ts";
import { ageLimitFor, claimsFor, disbelieve, type Parts, plansOf, rulesFor, tierFor, uses } from "./facts.ts";
import * as store from "./store.ts";

const CONTENT_IDS_MAX = 500;

type EntitlementTx = Tx<typeof Entitlement>;

export default defineService({
  contract: Entitlement,
  uses,
  slo: { p99Ms: 30, availability: 0.9999 },
  ai: { feeds: "offers: what people wanted and could not watch", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  start: ({ db, call, cache, clock, tell, metrics }) => {
    const decisions = metrics.counter(
      "entitlement_decisions_total",
      "Who asked to watch something and what was decided",
      ["outcome", "reason"],
    );
    return {
      ...{ db, call, cache, clock, tell },
      decided: ({ allowed, reason }: Decision) => decisions.inc({ outcome: allowed ? "allowed" : "denied", reason }),
    };
  },

  on: [
    on(User.events.created)(begin),
    on(User.events.deleted)(forget),
    on(Subscription.events.changed)(follow),
    on(Profile.events.updated)(noticeProfiles),
    on(Catalog.events.availabilityChanged)(noticeTitles),
    on(Catalog.events.titleUpdated)(noticeTitles),
    on(Live.events.channelChanged)(noticeTitles),
    on(Recording.events.deleted)(noticeTitles),
  ],

  rpc: (parts) => ({
    async check({ userId, profileId, contentId, market }, context) {
      const { decisions, tier } = await decideAll(parts, context, {
        userId,
        profileId,
        contentIds: [contentId],
        market,
      });
      const decision = decisions[0] ?? unknownTitle(contentId);
      const { allowed, reason } = decision;
      parts.decided(decision);
      if (userId !== "") parts.tell("checked", [{ userId, profileId, contentId, allowed, reason }], context);
      const plan = (await plansOf(parts, context)).find((candidate) => candidate.tier === tier);
      return { decision, tier, streamsMax: plan?.streamsMax ?? 0 };
    },
    async checkMany({ userId, profileId, contentIds, market }, context) {
      if (contentIds.length > CONTENT_IDS_MAX)
        throw problem.invalid(`${contentIds.length} titles are more than ${CONTENT_IDS_MAX}: ask in parts`);
      const { decisions } = await decideAll(parts, context, { userId, profileId, contentIds, market });
      return { decisions };
    },
    claims: ({ userId }, context) => claimsFor(parts, context, userId),
  }),

  ready: ({ db }) => db.ping(),
});

interface Question {
  readonly userId: string;
  readonly profileId: string;
  readonly contentIds: readonly string[];
  readonly market: string;
}

async function decideAll(
  parts: Parts,
  context: Context,
  { userId, profileId, contentIds, market }: Question,
): Promise<{ readonly decisions: Decision[]; readonly tier: string }> {
  const [plans, tier, ageRatingMax, rules] = await Promise.all([
    plansOf(parts, context),
    tierFor(parts, context, userId),
    ageLimitFor(parts, context, userId, profileId),
    rulesFor(parts, context, [...new Set(contentIds)]),
  ]);
  const watcher = { tier, ageRatingMax, market: market.toUpperCase() };
  const nowMs = parts.clock.nowMs();
  const decisions = contentIds.map((contentId) => {
    const title = rules.get(contentId);
    return title ? decide(title, rules.get(title.parentId), watcher, plans, nowMs) : unknownTitle(contentId);
  });
  return { decisions, tier };
}

/** Makes an account's grants those of a tier, and announces what that opened and closed. */
async function setTier(parts: Parts, tx: EntitlementTx, userId: string, tier: string): Promise<void> {
  const plans = await plansOf(parts, systemContext(tx.tenant, "entitlement", { clock: parts.clock }));
  const { granted, revoked } = difference(await store.find(tx, userId), entitlementsOf(tier, plans));
  await store.revoke(tx, userId, revoked);
  await store.grant(tx, userId, granted, parts.clock.nowMs());
  for (const entitlement of granted) tx.emit("granted", { userId, entitlement });
  for (const entitlement of revoked) tx.emit("revoked", { userId, entitlement });
  tx.afterCommit(() => disbelieve(parts.cache, tx.tenant, "tier", [userId]));
}

/** A new account has the smallest plan, unless word of its subscription came first. */
async function begin(parts: Parts, tx: EntitlementTx, events: readonly Received<UserCreated>[]): Promise<void> {
  const plans = await plansOf(parts, systemContext(tx.tenant, "entitlement", { clock: parts.clock }));
  for (const { data } of events) {
    const known = await store.find(tx, data.userId);
    if (known.length === 0) await setTier(parts, tx, data.userId, plans[0]?.tier ?? "");
  }
}

async function follow(
  parts: Parts,
  tx: EntitlementTx,
  events: readonly Received<SubscriptionChanged>[],
): Promise<void> {
  for (const { data } of events) await setTier(parts, tx, data.userId, data.tier);
}

async function forget(parts: Parts, tx: EntitlementTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.removeAll(tx, data.userId);
  const ids = events.map(({ data }) => data.userId);
  tx.afterCommit(() => disbelieve(parts.cache, tx.tenant, "tier", ids));
}

async function noticeProfiles(
  parts: Parts,
  tx: EntitlementTx,
  events: readonly Received<ProfileUpdated>[],
): Promise<void> {
  await disbelieve(
    parts.cache,
    tx.tenant,
    "profile",
    events.map(({ data }) => data.profileId),
  );
}

async function noticeTitles(
  parts: Parts,
  tx: EntitlementTx,
  events: readonly Received<CatalogAvailabilityChanged | CatalogTitleUpdated | LiveChannelChanged | RecordingDeleted>[],
): Promise<void> {
  await disbelieve(
    parts.cache,
    tx.tenant,
    "title",
    events.map(({ data }) => data.contentId),
  );
}

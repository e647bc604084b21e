// Ads: campaigns and their creatives, breaks of titles, what a break is filled with, and what is told of it.
import { LRUCache } from "lru-cache";
import { Ads, type Campaign as CampaignMessage } from "#contracts/ads";
import { Catalog, type CatalogAvailabilityChanged } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { Profile } from "#contracts/profile";
import { Session } from "#contracts/session";
import { Tenant } from "#contracts/tenant";
import { User, type UserDeleted } from "#contracts/user";
import { defineService, on, type Platform, problem, type Received, systemContext, toProblem, type Tx } from "#kernel";
import type { Worker } from "#kernel/ports/jobs";
import { answerAds, openSigner } from "./server.ts";
import { sendBeacons } from "./beacons.ts";
import { fillBreak, listPlaced, tune } from "./channels.ts";
import { type Counters, openCounters } from "./counters.ts";
import { addCreative, becomeFailed, becomeReady, fetchCreative, QUEUE } from "./creatives.ts";
import { decide, openEdges } from "./decide.ts";
import { assertCampaign, type Campaign, CREATIVE_ID, orderedBreaks } from "./domain.ts";
import { openOutside, type Outside } from "./outside.ts";
import * as store from "./store.ts";
import { followBeats, followStops } from "./track.ts";

const uses = { catalog: Catalog, ingest: Ingest, profile: Profile, tenant: Tenant };
export type AdsPlatform = Platform<typeof Ads, typeof uses>;
export interface Parts
  extends Pick<
    AdsPlatform,
    "db" | "call" | "cache" | "objects" | "jobs" | "clock" | "config" | "logger" | "tell" | "addresses"
  > {
  readonly outside: Outside;
  /** Signs what beacons of ours say. */
  readonly sign: (text: string) => string;
  readonly counters: Counters;
  /** Where segments of titles begin, by the object of their index. */
  readonly edges: LRUCache<string, readonly number[]>;
  /** Objects of plans that are there. */
  readonly plans: LRUCache<string, true>;
  worker: Worker | null;
}
type AdsTx = Tx<typeof Ads>;

const PLANS_MAX = 10_000;
const BEACONS_EVERY_MS = 1_000;
const HOUR_MS = 3_600_000;
const DECISIONS_KEPT_MS = 24 * HOUR_MS;
const DELIVERIES_KEPT_MS = 365 * 24 * HOUR_MS;

export default defineService({
  contract: Ads,
  uses,
  slo: { p99Ms: 500, availability: 0.999 },
  ai: { feeds: "nothing: what somebody watches is not told to advertisers", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  async start(platform: AdsPlatform): Promise<Parts> {
    const { db, call, cache, objects, jobs, clock, config, logger, tell, addresses, metrics } = platform;
    return {
      ...{ db, call, cache, objects, jobs, clock, config, logger, tell, addresses },
      sign: await openSigner(platform.secrets),
      outside: openOutside(config.MARQUEE_AD_PRIVATE_HOSTS?.split(",")),
      counters: openCounters(metrics),
      edges: openEdges(),
      plans: new LRUCache({ max: PLANS_MAX }),
      worker: null,
    };
  },

  on: [
    on(Session.events.heartbeat)(followBeats),
    on(Session.events.stopped)(followStops),
    on(Encoding.events.completed)(becomeReady),
    on(Encoding.events.failed)(becomeFailed),
    on(Ingest.events.failed)(becomeFailed),
    on(Catalog.events.availabilityChanged)(forgetTitles),
    on(User.events.deleted)(forgetUsers),
  ],

  rpc: (parts) => ({
    async saveCampaign({ campaign }, context) {
      const saved = campaignOf(campaign);
      assertCampaign(saved);
      await parts.db.tx(context, async (tx) => {
        const known = await store.campaigns(tx);
        if (known.length >= store.CAMPAIGNS_MAX && !known.some(({ id }) => id === saved.id))
          throw problem.precondition(`there are ${known.length} campaigns already: remove one that is over`);
        await store.saveCampaign(tx, saved, parts.clock.nowMs());
      });
      return { campaign: toMessage(saved) };
    },
    async listCampaigns(_, context) {
      return { campaigns: (await parts.db.read(context, (tx) => store.campaigns(tx))).map(toMessage) };
    },
    async removeCampaign({ id }, context) {
      await parts.db.tx(context, (tx) => store.removeCampaign(tx, id));
      return {};
    },
    async addCreative(request, context) {
      return { creative: toCreative(await addCreative(parts, request, context)) };
    },
    async listCreatives({ campaignId }, context) {
      return { creatives: (await parts.db.read(context, (tx) => store.creatives(tx, campaignId))).map(toCreative) };
    },
    async removeCreative({ id }, context) {
      if (!CREATIVE_ID.test(id)) throw problem.invalid(`'${id.slice(0, 80)}' is no creative: their ids begin with ad-`);
      await parts.db.tx(context, (tx) => store.removeCreative(tx, id));
      await parts.call.catalog.delete({ id }, context).catch((error: unknown) => {
        // One whose film never came has nothing there.
        if (toProblem(error).code !== "not_found") throw error;
      });
      return {};
    },
    async setBreaks({ contentId, breaks }, context) {
      const ordered = orderedBreaks(breaks.map(({ atS, durationS }) => ({ atS, durationS })));
      await parts.call.catalog.get({ id: contentId }, context);
      await parts.db.tx(context, (tx) => store.setBreaks(tx, contentId, ordered));
      return {};
    },
    async getBreaks({ contentId }, context) {
      return { breaks: [...(await parts.db.read(context, (tx) => store.breaks(tx, contentId)))] };
    },
    async decide(request, context) {
      const { planId, breaks } = await decide(parts, request, context);
      const ads = (placed: (typeof breaks)[number]["ads"]) =>
        placed.map(({ candidate: { creativeId, packageRevision, indexVersion, durationS } }) => ({
          ...{ creativeId, packageRevision, indexVersion, durationS },
        }));
      return { planId, breaks: breaks.map((each) => ({ ...each, ads: ads(each.ads) })) };
    },
    tune: async (request, context) => ({ withAds: await tune(parts, request, context) }),
    async fillBreak(request, context) {
      const { ads, isOpen } = await fillBreak(parts, request, context);
      return { ads: [...ads], isOpen };
    },
    listPlaced: async ({ sessionId }, context) => ({ ads: [...(await listPlaced(parts, sessionId, context))] }),
    async report({ campaignId }, context) {
      const rows = await parts.db.read(context, (tx) => store.report(tx, campaignId));
      return {
        lines: rows.map(({ campaign_id, creative_id, impressions, completes }) => ({
          ...{ campaignId: campaign_id, creativeId: creative_id },
          ...{ impressions: Number(impressions), completes: Number(completes) },
        })),
      };
    },
  }),

  http: (parts) => [
    { listener: "public", prefix: "/ads/", handle: (request, response) => answerAds(parts, request, response) },
  ],

  periodic: (parts) => [
    { name: "send beacons", everyMs: BEACONS_EVERY_MS, run: (signal) => sendBeacons(parts, signal) },
    { name: "forget old decisions", everyMs: HOUR_MS, run: () => trim(parts) },
  ],

  async run(parts) {
    await parts.jobs.createQueue(QUEUE, { retriesMax: 2, retryDelayS: 5, heartbeatS: 10, expireS: 300 });
    parts.worker = await parts.jobs.work(QUEUE, { concurrency: 1 }, (job) => fetchCreative(parts, job));
  },

  ready: ({ db }) => db.ping(),

  async stop({ worker }) {
    await worker?.stop();
  },
});

function campaignOf(message: CampaignMessage | undefined): Campaign {
  if (!message) throw problem.invalid("campaign is missing");
  const { id, name, advertiser, priority, paused, flights, caps, targeting, vastUrl } = message;
  return {
    ...{ id, name, advertiser, priority: priority || 5, paused, vastUrl },
    flights: flights.map(({ startMs, endMs, impressions, pacing }) => ({
      ...{ startMs: Number(startMs), endMs: Number(endMs), impressions, pacing: pacing || "even" },
    })),
    caps: caps.map(({ impressions, windowS }) => ({ impressions, windowS })),
    targeting: {
      ...{ tiers: targeting?.tiers ?? [], markets: targeting?.markets ?? [], devices: targeting?.devices ?? [] },
      ...{ genres: targeting?.genres ?? [], hours: targeting?.hours ?? [], ageRatingMin: targeting?.ageRatingMin ?? 0 },
    },
  };
}

const toMessage = ({ flights, caps, targeting, ...campaign }: Campaign) => ({
  ...campaign,
  flights: flights.map(({ startMs, endMs, ...rest }) => ({ ...rest, startMs: BigInt(startMs), endMs: BigInt(endMs) })),
  caps: [...caps],
  targeting: {
    ...targeting,
    ...{ tiers: [...targeting.tiers], markets: [...targeting.markets], devices: [...targeting.devices] },
    ...{ genres: [...targeting.genres], hours: [...targeting.hours] },
  },
});

const toCreative = (row: store.CreativeRow) => ({
  ...{ id: row.id, campaignId: row.campaign_id, title: row.title, clickThrough: row.click_through },
  ...{ state: row.state, failure: row.failure, durationS: row.duration_s },
  ...{ packageRevision: row.package_revision, indexVersion: row.index_version },
});

async function trim({ db, call, clock }: Parts): Promise<void> {
  const { tenants } = await call.tenant.list({}, systemContext("system", "ads", { clock }));
  const nowMs = clock.nowMs();
  const day = new Date(nowMs - DELIVERIES_KEPT_MS).toISOString().slice(0, 10);
  for (const { id } of tenants) await db.tx({ tenant: id }, (tx) => store.trim(tx, nowMs - DECISIONS_KEPT_MS, day));
}

/** A title that is gone has no breaks, and a creative that is gone is shown no more. */
async function forgetTitles(
  _: Parts,
  tx: AdsTx,
  events: readonly Received<CatalogAvailabilityChanged>[],
): Promise<void> {
  const deleted = events.filter(({ data }) => data.reason === "deleted").map(({ data }) => data.contentId);
  if (deleted.length === 0) return;
  await store.removeBreaks(tx, deleted);
  for (const id of deleted) await store.removeCreative(tx, id);
}

async function forgetUsers(_: Parts, tx: AdsTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.forgetUser(tx, data.userId);
}

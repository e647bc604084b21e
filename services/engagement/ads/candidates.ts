import { createHash } from "node:crypto";
import { type Context, newId, type Viewer } from "#kernel";
import { bestFile, type VastAd } from "#media/vast";
import { jobOf, QUEUE } from "./creatives.ts";
import { type Audience, type Break, type Campaign, type Candidate, progressOf, wants } from "./domain.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";
import { type Answer, askForAds, externalKeyOf, tellingOf } from "./vast-client.ts";

interface Asked {
  readonly viewer: Pick<Viewer, "profileId">;
  readonly breaks: readonly Break[];
}

const DOCUMENT_BYTES_MAX = 256 * 1_024;
/** Ad servers that are asked for one session. */
const SERVERS_MAX = 4;
/** What is left for the decision once the servers were heard. */
const AFTERWARDS_MS = 60;
/** Ads of other servers that a session may teach us. */
const LEARNED_MAX = 5;

/** Our own creatives that an audience without a name may be shown; nobody can keep caps for it. */
export async function audienceCandidates(parts: Parts, audience: Audience, context: Context) {
  const { running, ready } = await runningOf(parts, audience, context);
  const own = running
    .filter(({ campaign }) => campaign.caps.length === 0)
    .flatMap((each) => ownOf(each, ready, Number.MAX_SAFE_INTEGER));
  return { own, creatives: ready };
}

/** Campaigns that run and want an audience, and creatives that can be shown. */
async function runningOf(parts: Parts, audience: Audience, context: Context) {
  const { campaigns, creatives, shown } = await parts.db.read(context, async (tx) => ({
    ...{ campaigns: await store.campaigns(tx), creatives: await store.creatives(tx, "") },
    shown: await store.shown(tx),
  }));
  const ready = creatives.filter(({ state }) => state === "ready");
  const running = campaigns.flatMap((campaign) => {
    const progress = progressOf(campaign, shown.get(campaign.id) ?? 0, audience.nowMs);
    return progress !== null && wants(campaign, audience) ? [{ campaign, progress }] : [];
  });
  return { running, ready, creatives };
}

const candidateOf = (
  { campaign, progress }: Running,
  row: store.CreativeRow,
  allowed: number,
  beacons: Candidate["beacons"],
): Candidate => ({
  ...{ creativeId: row.id, campaignId: campaign.id, advertiser: campaign.advertiser, priority: campaign.priority },
  ...{ progress, allowed, packageRevision: row.package_revision, indexVersion: row.index_version },
  ...{ durationS: row.duration_s, beacons },
});

const ownOf = (running: Running, ready: readonly store.CreativeRow[], allowed: number): Candidate[] =>
  running.campaign.vastUrl !== ""
    ? []
    : ready
        .filter(({ campaign_id }) => campaign_id === running.campaign.id)
        .map((row) => candidateOf(running, row, allowed, []));

/** Everything that may be shown in a session: creatives of ours that are ready, and those that other servers name and we have. */
export async function candidatesOf(parts: Parts, audience: Audience, asked: Asked, context: Context) {
  const { running, ready, creatives } = await runningOf(parts, audience, context);
  const allowed = await allowances(parts, running, asked.viewer, audience.nowMs);
  const allowedOf = ({ campaign }: Running): number => allowed.get(campaign.id) ?? 0;
  const eligible = running.filter((each) => allowedOf(each) > 0);
  const own = eligible.flatMap((each) => ownOf(each, ready, allowedOf(each)));
  const servers = eligible.filter(({ campaign }) => campaign.vastUrl !== "").slice(0, SERVERS_MAX);
  const others = await Promise.all(
    servers.map((each) => askServer(parts, each, allowedOf(each), creatives, asked, context)),
  );
  const slates = ready
    .filter(({ campaign_id }) => campaign_id === "")
    .map(
      (row): Candidate => ({
        ...{ creativeId: row.id, campaignId: "", advertiser: "", priority: 0, progress: 0, allowed: 0, beacons: [] },
        ...{ packageRevision: row.package_revision, indexVersion: row.index_version, durationS: row.duration_s },
      }),
    );
  return { ads: [...own, ...others.flat()], slates };
}

interface Running {
  readonly campaign: Campaign;
  readonly progress: number;
}

/**
 * The counters of a viewer's caps: windows follow each other, so that a counter vanishes with its window. Who is gone cannot be found by what
 * stands for them here.
 */
export function capKeys({ id, caps }: Campaign, profileId: string, nowMs: number) {
  const who = createHash("sha256").update(profileId).digest("base64url").slice(0, 22);
  return caps.map(({ impressions, windowS }) => ({
    ...{ impressions, windowMs: windowS * 1_000 },
    key: `cap/${id}/${who}/${windowS}/${Math.floor(nowMs / (windowS * 1_000))}`,
  }));
}

/** How often each campaign may still be shown to a viewer. While the cache is away nothing was counted: caps are kept for comfort, not for money. */
async function allowances(
  { cache }: Parts,
  running: readonly Running[],
  viewer: Pick<Viewer, "profileId">,
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  const wanted = running.flatMap(({ campaign }) =>
    capKeys(campaign, viewer.profileId, nowMs).map((cap) => ({ ...cap, id: campaign.id })),
  );
  const counts = wanted.length === 0 ? [] : await cache.getMany(wanted.map(({ key }) => key));
  const allowed = new Map(running.map(({ campaign }) => [campaign.id, Number.MAX_SAFE_INTEGER]));
  wanted.forEach(({ id, impressions }, i) => {
    const left = impressions - Number(counts[i] ?? 0);
    allowed.set(id, Math.min(allowed.get(id) ?? 0, left));
  });
  return allowed;
}

/** Asks one ad server. Its films that we have are candidates, those that we have not are fetched for the next viewer. */
async function askServer(
  parts: Parts,
  running: Running,
  allowed: number,
  known: readonly store.CreativeRow[],
  { breaks }: Asked,
  context: Context,
): Promise<Candidate[]> {
  const { outside, clock, counters, logger } = parts;
  const { campaign } = running;
  const wantedS = breaks.reduce((sum, { durationS }) => sum + durationS, 0);
  const macros = {
    ...{ TIMESTAMP: new Date(clock.nowMs()).toISOString(), CACHEBUSTING: 10_000_000 + (clock.nowMs() % 90_000_000) },
    // Neither who watches nor what: a name for this question is all that a server needs.
    ...{ TRANSACTIONID: newId("ask", clock.nowMs()), BREAKMAXDURATION: Math.round(wantedS) },
    ...{ SERVERSIDE: 2, VASTVERSIONS: "2,3,5,6,7,8,11,12", MEDIAMIME: "video/mp4", PLACEMENTTYPE: 1, ADTYPE: "video" },
  };
  // A server that is slow costs its own ads and not those of others.
  const patienceMs = Math.max(1, context.deadlineMs - clock.nowMs() - AFTERWARDS_MS);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(patienceMs)]);
  const get = (url: string): Promise<Uint8Array> => outside.get(url, { signal, bytesMax: DOCUMENT_BYTES_MAX });
  const answer = await askForAds(campaign.vastUrl, { get, macros }).catch((error: unknown): Answer => {
    logger.warn("an ad server was of no use", { campaign_id: campaign.id, error });
    return { ads: [], complaints: [] };
  });
  counters.asked(answer.ads.length > 0 ? "answered" : answer.complaints.length > 0 ? "failed" : "empty");
  const found: Candidate[] = [];
  const missing: { ad: VastAd; key: string; uri: string }[] = [];
  for (const ad of answer.ads) {
    const linear = ad.creatives.find((each) => each.linear !== null)?.linear;
    const file = linear ? bestFile(linear) : null;
    if (!file) continue;
    const key = externalKeyOf(ad, file.uri);
    const row = known.find(({ external_key, campaign_id }) => external_key === key && campaign_id === campaign.id);
    if (row?.state === "ready") {
      const told = candidateOf(running, row, allowed, tellingOf(ad, row.duration_s, macros));
      // A pod has ads of many; where it does not say whose, each is somebody's.
      found.push({ ...told, advertiser: ad.advertiser || row.id });
    }
    if (!row) missing.push({ ad, key, uri: file.uri });
  }
  if (missing.length + answer.complaints.length > 0)
    await learn(parts, campaign, missing.slice(0, LEARNED_MAX), answer.complaints, context);
  return found;
}

async function learn(
  { db, jobs, clock }: Parts,
  campaign: Campaign,
  missing: readonly { readonly ad: VastAd; readonly key: string; readonly uri: string }[],
  complaints: readonly string[],
  context: Context,
): Promise<void> {
  const nowMs = clock.nowMs();
  await db.tx(context, async (tx) => {
    for (const { ad, key, uri } of missing) {
      const id = newId("ad", nowMs).replace("_", "-");
      const isNew = await store.insertCreative(tx, {
        ...{ id, campaign_id: campaign.id, title: (ad.title || campaign.name).slice(0, 200), click_through: "" },
        ...{ state: "fetching", failure: "", duration_s: 0, package_revision: 0, index_version: 0 },
        ...{ external_key: key, source_url: uri, created_at_ms: nowMs },
      });
      if (isNew) await jobs.send(tx, QUEUE, [jobOf(tx.tenant, id)]);
    }
    const beacons = complaints.map((uri) => ({ id: newId("bcn", nowMs), userId: "", uri }));
    await store.addBeacons(tx, beacons, nowMs);
  });
}

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Context, newId, Problem, problem, systemContext } from "#kernel";
import type { Secrets } from "#kernel/ports/secrets";
import { QUARTILES, type ServedAd, writeVast } from "#media/vast";
import { audienceCandidates } from "./candidates.ts";
import { BREAK_S_MAX, fill } from "./domain.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

// Our own ad server: whoever asks is answered by VAST, and says by beacons what was shown.

const SECRET = "ads/beacons";
const PREFIX = "/ads/";
const EVENTS: readonly string[] = ["impression", ...QUARTILES];
/** A transparent picture of one pixel, which is what pages ask for. */
const PIXEL = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");

/** The key that beacons are signed with, made when first needed; of two processes that make one the first wins. */
export async function openSigner(secrets: Secrets): Promise<(text: string) => string> {
  const fresh = randomBytes(32).toString("base64url");
  let known = await secrets.get(SECRET);
  if (!known) {
    await secrets.put(SECRET, { key: fresh }, { expectedVersion: 0 }).catch((error: unknown) => {
      if (!(error instanceof Problem && error.code === "aborted")) throw error;
    });
    known = await secrets.get(SECRET);
  }
  const key = known?.value["key"];
  if (typeof key !== "string") throw problem.internal(`the secret '${SECRET}' holds no key`);
  return (text) => createHmac("sha256", key).update(text).digest("base64url").slice(0, 22);
}

export async function answerAds(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") throw problem.invalid("ads are asked for by GET");
  const url = new URL(request.url ?? "/", parts.addresses.publicUrl);
  const host = request.headers.host ?? "";
  const system = systemContext(parts.config.MARQUEE_TENANT, "ads", { clock: parts.clock });
  const { tenant } = await parts.call.tenant.resolve({ host }, system);
  const context = systemContext(tenant?.id ?? parts.config.MARQUEE_TENANT, "ads", { clock: parts.clock });
  if (url.pathname === `${PREFIX}vast`) return answerVast(parts, url.searchParams, context, response);
  if (url.pathname === `${PREFIX}beacon`) return answerBeacon(parts, url.searchParams, context, response);
  throw problem.notFound("there is nothing of that name for ads");
}

const HEADERS = { "cache-control": "no-store", "access-control-allow-origin": "*" };

/** `?duration=30&market=DE&device=web&tier=basic&genre=Drama&rating=12`: a pod that fills so many seconds for such an audience. */
async function answerVast(
  parts: Parts,
  query: URLSearchParams,
  context: Context,
  response: ServerResponse,
): Promise<void> {
  const wantedS = Number(query.get("duration") ?? "30");
  if (!(wantedS >= 1 && wantedS <= BREAK_S_MAX))
    throw problem.invalid(`duration is seconds from 1 to ${BREAK_S_MAX}, as in ${PREFIX}vast?duration=30`);
  const word = (name: string): string => (query.get(name) ?? "").slice(0, 60);
  const audience = {
    ...{
      tier: word("tier"),
      market: word("market"),
      device: word("device"),
      genres: query.getAll("genre").slice(0, 10),
    },
    ...{ ageRating: Number(word("rating")) || 0, nowMs: parts.clock.nowMs() },
  };
  const { own, creatives } = await audienceCandidates(parts, audience, context);
  const [placed = []] = fill([{ atS: 0, durationS: wantedS }], own, []);
  const ads = placed.map(({ candidate }): ServedAd => {
    const servingId = newId("srv", audience.nowMs);
    const row = creatives.find(({ id }) => id === candidate.creativeId);
    const beacon = (event: string): string => beaconUrl(parts, context.tenant, servingId, candidate, event);
    return {
      ...{ id: servingId, title: row?.title ?? "", advertiser: candidate.advertiser, durationS: candidate.durationS },
      universalAdId: { registry: "marquee", value: candidate.creativeId },
      impressions: [beacon("impression")],
      tracking: QUARTILES.map((event) => ({ event, uri: beacon(event) })),
      clickThrough: row?.click_through || null,
      mediaFiles: mediaOf(parts, candidate),
    };
  });
  const body = writeVast(ads);
  response.writeHead(200, { ...HEADERS, "content-type": "application/xml; charset=utf-8" });
  response.end(body);
}

interface Served {
  readonly campaignId: string;
  readonly creativeId: string;
  readonly packageRevision: number;
  readonly indexVersion: number;
}

/** Where the film is at each network. It is protected there as everything is, so that only players of ours can read it. */
const mediaOf = ({ addresses }: Parts, { creativeId, packageRevision, indexVersion }: Served): ServedAd["mediaFiles"] =>
  addresses.edges.slice(0, 1).flatMap(({ baseUrl }) =>
    (
      [
        ["application/vnd.apple.mpegurl", "m3u8"],
        ["application/dash+xml", "mpd"],
      ] as const
    ).map(([type, extension]) => ({
      uri: `${baseUrl}/vod/${creativeId}/r${packageRevision}/main-${indexVersion}.${extension}`,
      ...{ type, delivery: "streaming", width: 1_280, height: 720 },
    })),
  );

function beaconUrl(parts: Parts, tenant: string, servingId: string, of: Served, event: string): string {
  const { campaignId, creativeId } = of;
  const signature = parts.sign([tenant, servingId, campaignId, creativeId, event].join("/"));
  const query = new URLSearchParams({ s: servingId, c: campaignId, a: creativeId, e: event, m: signature });
  return `${parts.addresses.publicUrl}${PREFIX}beacon?${query.toString()}`;
}

/** Counts an impression or an ad that was shown to its end, once each, when the beacon is one of ours. */
async function answerBeacon(
  parts: Parts,
  query: URLSearchParams,
  context: Context,
  response: ServerResponse,
): Promise<void> {
  const [servingId, campaignId, creativeId, event, given] = ["s", "c", "a", "e", "m"].map((name) =>
    (query.get(name) ?? "").slice(0, 80),
  ) as [string, string, string, string, string];
  const expected = parts.sign([context.tenant, servingId, campaignId, creativeId, event].join("/"));
  const isOurs = given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
  if (!isOurs || !EVENTS.includes(event))
    throw problem.denied("this beacon is not one of ours", { reason: "beacon_unknown" });
  const nowMs = parts.clock.nowMs();
  await parts.db.tx(context, async (tx) => {
    if (!(await store.insertServed(tx, servingId, event, nowMs))) return;
    const add = { impressions: event === "impression" ? 1 : 0, completes: event === "complete" ? 1 : 0 };
    if (add.impressions + add.completes > 0)
      await store.count(tx, new Date(nowMs).toISOString().slice(0, 10), { campaignId, creativeId }, add);
  });
  response.writeHead(200, { ...HEADERS, "content-type": "image/gif", "content-length": PIXEL.length });
  response.end(PIXEL);
}

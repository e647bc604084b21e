import { isRecordingId } from "#contracts/recording";
import type { StartRequest, StartResponse } from "#contracts/session";
import { type Context, newId, Problem, problem, requireProfile, type Viewer } from "#kernel";
import { toPresentedS } from "#media/breaks";
import { decideAds, NO_ADS, readAds, type SessionAds, tuneAds, writeAds } from "./ads.ts";
import { BEAT_INTERVAL_MS, contentTypeOf, resumePosition } from "./domain.ts";
import type { Parts } from "./service.ts";
import { toMessage, tokensFor } from "./shared.ts";
import { takeSlot } from "./slots.ts";
import type { NewSession } from "./store.ts";

type LiveFacts = Pick<NonNullable<StartResponse["live"]>, "latency" | "dvrWindowS">;

/** Devices whose player is Shaka, with our request filter. */
const STEERED: ReadonlySet<string> = new Set(["web", "tizen", "webos"]);
const DEVICE_ID = /^[A-Za-z0-9_.:-]{1,128}$/;

/** Starts playback: the right to watch, a network, a slot, tokens, licences and where to resume, in one round trip. */
export async function start(parts: Parts, { contentId, device, ip, market }: StartRequest, context: Context) {
  const viewer = requireProfile(context);
  if (!device || !DEVICE_ID.test(device.id))
    throw problem.invalid("device.id must have 1 to 128 letters, digits, '_', '.', ':' or '-'");
  const { call, clock } = parts;
  const contentType = contentTypeOf(contentId);
  const [right, found] = await Promise.all([
    call.entitlement.check({ userId: viewer.userId, profileId: viewer.profileId, contentId, market }, context),
    finderOf(contentId)(parts, contentId, context),
  ]);
  if (!right.decision?.allowed) throw notEntitled(right.decision?.reason ?? "unknown", right.decision?.message ?? "");
  if (found.fault) throw found.fault;
  const sessionId = newId("ses", clock.nowMs());
  const isChannel = contentType === "live";
  // A channel has no place to come back to: it is where the world is.
  const resumes = isChannel
    ? undefined
    : call.bookmark.get({ profileId: viewer.profileId, contentId }, context).catch(notFoundIsNothing);
  const adsOf = async (): Promise<SessionAds> => {
    const { packageRevision, indexVersion, durationS } = found;
    const positionS = resumePosition((await resumes)?.bookmark, durationS);
    const who = { sessionId, contentId, market, tier: right.tier, deviceType: device.type };
    return decideAds(parts, { ...who, packageRevision, indexVersion, positionS }, context);
  };
  const adsOfChannel = async (): Promise<SessionAds> => {
    if (found.hasBreaks !== true) return NO_ADS;
    const who = { sessionId, contentId, market, tier: right.tier, deviceType: device.type };
    return tuneAds(parts, { ...who, ageRating: found.ageRating ?? 0 }, found.latency ?? "", context);
  };
  const [routed, located, bookmark, ads] = await Promise.all([
    call.routing.select({ sessionId, userId: viewer.userId, contentId, contentType, ip, region: market }, context),
    found.locate(),
    resumes,
    isRecordingId(contentId) ? NO_ADS : isChannel ? adsOfChannel() : adsOf(),
  ]);
  const row = newRow({
    sessionId,
    viewer,
    contentId,
    device,
    nowMs: clock.nowMs(),
    // What the later session says wins. A clock that was set back must not make this one the earlier of two.
    startedAfterMs: Number(bookmark?.bookmark?.sessionStartedAtMs ?? 0),
    networks: routed.networks,
    pathPrefix: located.pathPrefix,
    packageRevision: found.packageRevision,
    streamsMax: right.streamsMax,
    market,
    ads: writeAds(ads),
  });
  const taken = await takeSlot(parts, row, context);
  const tokens = await tokensFor(parts, taken, context);
  const base = tokens.cdns[0];
  if (!base) throw problem.unavailable("no delivery network is available: try again in a moment", { retryAfterS: 5 });
  const licenses = await call.license.locate({ sessionId: taken.session_id, token: base.token }, context);
  // A player that can exchange tokens by itself gets a manifest of every network, one that cannot stays with its own.
  const steer = STEERED.has(device.type) && contentType === "vod" ? "steer=1&" : "";
  // A start that is said again gets the session of the first one, and that one's ads.
  const { planId, breaks } = readAds(taken);
  const at = (path: string): string => `${base.baseUrl}${withPlan(path, planId)}?${steer}CAT=${base.token}`;
  parts.counters.started(contentType, taken.device_type);
  return {
    session: toMessage(taken),
    hlsUrl: at(located.hlsPath),
    dashUrl: at(located.dashPath),
    ...tokens,
    licenseClearkey: licenses.clearkey,
    licenseWidevine: licenses.widevine,
    licensePlayready: licenses.playready,
    licenseFairplay: licenses.fairplay,
    fairplayCertificate: licenses.fairplayCertificate,
    resumePositionS: toPresentedS(breaks, resumePosition(bookmark?.bookmark, found.durationS)),
    heartbeatIntervalS: BEAT_INTERVAL_MS / 1_000,
    adBreaks: [...breaks],
    ...(located.live ? { live: located.live } : {}),
  };
}

/** What is to be watched, as far as a start needs to know it. */
interface Watchable {
  /** Whether it can be watched now, or why not. */
  readonly fault: Problem | null;
  /** 0 for a channel, whose keys go by the day. */
  readonly packageRevision: number;
  readonly indexVersion: number;
  readonly durationS: number;
  /** Of a channel. */
  readonly ageRating?: number;
  readonly latency?: string;
  readonly hasBreaks?: boolean;
  locate(): Promise<Located>;
}

interface Located {
  readonly hlsPath: string;
  readonly dashPath: string;
  readonly pathPrefix: string;
  readonly live?: LiveFacts;
}

const finderOf = (contentId: string) => {
  if (isRecordingId(contentId)) return findRecording;
  return contentTypeOf(contentId) === "live" ? findChannel : findTitle;
};

async function findTitle({ call }: Parts, contentId: string, context: Context): Promise<Watchable> {
  const { title } = await call.catalog.get({ id: contentId }, context);
  const { packageRevision = 0, indexVersion = 0, durationS = 0 } = title ?? {};
  const fault =
    packageRevision > 0
      ? null
      : problem.precondition("this title is still being prepared: it will start by itself in a moment", {
          reason: "processing",
        });
  const locate = () => call.origin.locate({ contentId, packageRevision, indexVersion }, context);
  return { fault, packageRevision, indexVersion, durationS, locate };
}

/** An account's own: whose it is not, there is none. */
async function findRecording({ call }: Parts, contentId: string, context: Context): Promise<Watchable> {
  const { profileId } = requireProfile(context);
  const { packageRevision, indexVersion, durationS } = await call.recording.locate({ profileId, contentId }, context);
  const locate = () => call.origin.locate({ contentId, packageRevision, indexVersion }, context);
  return { fault: null, packageRevision, indexVersion, durationS, locate };
}

async function findChannel({ call }: Parts, contentId: string, context: Context): Promise<Watchable> {
  const { channel, hasBreaks } = await call.live.get({ channelId: contentId }, context);
  const fault = channel?.onAir
    ? null
    : problem.precondition("this channel is off the air now: try again later, or watch another one", {
        reason: "off_air",
      });
  const locate = async (): Promise<Located> => {
    const located = await call.live.locate({ channelId: contentId }, context);
    const { hlsPath, dashPath, pathPrefix, latency, dvrWindowS } = located;
    return { hlsPath, dashPath, pathPrefix, live: { latency, dvrWindowS } };
  };
  const { ageRating = 0, latency = "" } = channel ?? {};
  return { fault, packageRevision: 0, indexVersion: 0, durationS: 0, ageRating, latency, hasBreaks, locate };
}

interface NewRow {
  readonly sessionId: string;
  readonly viewer: Viewer;
  readonly contentId: string;
  readonly device: NonNullable<StartRequest["device"]>;
  readonly nowMs: number;
  readonly startedAfterMs: number;
  readonly networks: readonly { readonly id: string; readonly baseUrl: string }[];
  readonly pathPrefix: string;
  readonly packageRevision: number;
  readonly streamsMax: number;
  readonly market: string;
  readonly ads: string;
}

/** The manifest of the same title with a plan's ads in it. */
const withPlan = (path: string, planId: string): string =>
  planId === "" ? path : path.replace(/\.(m3u8|mpd)$/, `-${planId}.$1`);

const newRow = (of: NewRow): NewSession => ({
  session_id: of.sessionId,
  user_id: of.viewer.userId,
  profile_id: of.viewer.profileId,
  content_id: of.contentId,
  device_id: of.device.id,
  device_type: of.device.type.slice(0, 40),
  device_name: of.device.name.slice(0, 80) || "A device",
  package_revision: of.packageRevision,
  path_prefix: of.pathPrefix,
  networks: JSON.stringify(of.networks.map(({ id, baseUrl }) => ({ id, baseUrl }))),
  streams_max: of.streamsMax,
  market: of.market,
  started_at_ms: Math.max(of.nowMs, of.startedAfterMs + 1),
  last_beat_at_ms: of.nowMs,
  // The first beat is number 0.
  sequence: -1,
  position_s: -1,
  duration_s: 0,
  state: "active",
  ended_at_ms: null,
  ads: of.ads,
});

function notFoundIsNothing(error: unknown): undefined {
  if (error instanceof Problem && error.code === "not_found") return undefined;
  throw error;
}

function notEntitled(reason: string, message: string): Problem {
  if (reason === "unknown")
    return problem.notFound(message || "this title does not exist", { reason: "title_unknown" });
  return problem.denied(message || "this title is not part of your plan", { reason });
}

import type { IncomingMessage, ServerResponse } from "node:http";
import { MARKS } from "#contracts/origin/edges";
import { type Clock, problem, toProblem } from "#kernel";
import { answerObject, IMMUTABLE } from "#kernel/serve-object";
import { chunkOf } from "#media/isobmff";
import {
  dayIndexOf,
  type Directives,
  initKey,
  objectKey,
  parseDirectives,
  parseLivePath,
  type LivePath,
  type PastSpan,
  SEGMENT_MS,
} from "./domain.ts";
import type { Breaks } from "./breaks.ts";
import { assertMoment, assertSpan, windowFromMs } from "./domain-restrictions.ts";
import { hasReached } from "./domain-window.ts";
import {
  renderMain,
  renderMpd,
  renderOwnPlaylist,
  renderPastMain,
  renderPastMpd,
  renderPastPlaylist,
  renderPlaylist,
} from "./manifests.ts";
import type { TrackHistory } from "./history.ts";
import type { LivePlatform } from "./service.ts";
import type { Station } from "./station.ts";
import type { StoredSegment } from "./store.ts";

export interface MediaParts extends Pick<LivePlatform, "objects"> {
  readonly breaks: Breaks;
  readonly clock: Clock;
  readonly keyPeriodMs: number;
  /** The channel of an id, on the air or not; `not_found` where there is none. */
  stationOf(channelId: string): Promise<Station>;
  /** What is kept of a span. */
  segmentsOf(station: Station, span: PastSpan): Promise<readonly StoredSegment[]>;
}

const HLS_TYPE = "application/vnd.apple.mpegurl";
const DASH_TYPE = "application/dash+xml";
const TIME_PATH = "/live/time";
/** A channel that sleeps is awake, with its first parts, in less. */
const WAKE_MS_MAX = 12_000;
/** Three target durations: RFC 8216bis, 6.2.5.2. */
const BLOCK_MS_MAX = 6_000;
/** A request may ask for the segment after the next one at most (6.2.5.2). */
const AHEAD_MAX = 2;
/** An answer to a blocking request never changes; it is of no use for longer than this. */
const BLOCKED = "public, max-age=60, immutable";
/** What is asked for without saying what is expected of it is old soon. */
const FRESH = "public, max-age=1";

/** Answers `/live/…`. */
export async function answerLive(parts: MediaParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD")
    throw problem.invalid(`media is read by GET or HEAD, not by ${request.method}`);
  const [pathText = "", query = ""] = (request.url ?? "").split("?", 2);
  if (pathText === TIME_PATH) {
    const body = new Date(parts.clock.nowMs()).toISOString();
    return send(request, response, { body, contentType: "text/plain", cacheControl: "no-store" });
  }
  const path = parseLivePath(pathText);
  if (!path) throw problem.notFound("there is no such object");
  const station = await parts.stationOf(path.channelId);
  const leaving = new AbortController();
  response.once("close", () => leaving.abort());
  if (path.kind === "init")
    return answerObject(parts.objects, initKey(path.channelId, path.track, path.file), "video/mp4", request, response);
  if (path.kind === "segment") return answerSegment(parts, station, path, request, response, leaving.signal);
  if (path.kind === "ads") return answerAds(parts, station, path, request, response);
  if (path.past) return answerPast(parts, station, path, path.past, request, response);
  // Who is not let in does not wake it.
  windowFromMs(station.restrictions, parts.clock.nowMs());
  await awake(station, leaving.signal);
  if (path.sessionId !== "") return answerOwn(parts, station, path, request, response);
  const nowMs = parts.clock.nowMs();
  if (path.kind === "hls")
    return send(request, response, { body: renderMain(station), contentType: HLS_TYPE, cacheControl: FRESH });
  if (path.kind === "dash")
    return send(request, response, {
      body: await renderMpd(station, parts.keyPeriodMs, nowMs),
      ...{ contentType: DASH_TYPE, cacheControl: FRESH },
    });
  const directives = parseDirectives(query);
  await reached(station, path.track, directives, leaving.signal);
  return send(request, response, {
    body: await renderPlaylist(station, parts.keyPeriodMs, {
      ...{ name: path.track, skip: directives.skip, nowMs: parts.clock.nowMs() },
    }),
    contentType: HLS_TYPE,
    cacheControl: directives.msn === null ? FRESH : BLOCKED,
  });
}

/** Nobody else reads it, and it is old with the next segment. */
const OWN = "private, max-age=1";

/** Manifests of one session, with ads in the channel's breaks. */
async function answerOwn(
  parts: MediaParts,
  station: Station,
  path: Extract<LivePath, { readonly sessionId: string; readonly past: unknown }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { sessionId } = path;
  const nowMs = parts.clock.nowMs();
  const breaks = path.kind === "hls" ? [] : await parts.breaks.of(station, sessionId);
  const body =
    path.kind === "hls"
      ? renderMain(station, sessionId)
      : path.kind === "dash"
        ? await renderMpd(station, parts.keyPeriodMs, nowMs, breaks)
        : await renderOwnPlaylist(station, { name: path.track, nowMs, breaks });
  send(request, response, { body, contentType: path.kind === "dash" ? DASH_TYPE : HLS_TYPE, cacheControl: OWN });
}

/** The assets of an interstitial (draft-pantos-hls-rfc8216bis, appendix D.2): ads as films of their own. */
async function answerAds(
  parts: MediaParts,
  station: Station,
  { sessionId, number }: Extract<LivePath, { readonly kind: "ads" }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const ads = await parts.breaks.adsOf(station, sessionId, number);
  const assets = ads.map(({ creativeId, packageRevision, indexVersion, durationS }) => ({
    URI: `${MARKS.base}/vod/${creativeId}/r${packageRevision}/main-${indexVersion}.m3u8?CAT=${MARKS.token}`,
    DURATION: durationS,
  }));
  const body = JSON.stringify({ ASSETS: assets });
  send(request, response, { body, contentType: "application/json", cacheControl: OWN });
}

/** More is asked for in parts. */
const PAST_SEGMENTS_MAX = 6 * 1_800;
/** Recordings keep it, or the window lets go of it. */
const PAST = "public, max-age=60";

/** A span of the past as a film that ends: what is still there of it. */
async function answerPast(
  parts: MediaParts,
  station: Station,
  path: Extract<LivePath, { readonly past: unknown }>,
  span: PastSpan,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { firstNumber, lastNumber } = span;
  if (lastNumber < firstNumber || lastNumber - firstNumber >= PAST_SEGMENTS_MAX)
    throw problem.invalid(`a span of the past has 1 to ${PAST_SEGMENTS_MAX} segments of two seconds`);
  if ((lastNumber + 1) * SEGMENT_MS > parts.clock.nowMs())
    throw problem.invalid("the span ends in the future: what goes on is in the channel's own window", {
      reason: "span_ahead",
    });
  assertSpan(station.restrictions, firstNumber * SEGMENT_MS, (lastNumber + 1) * SEGMENT_MS);
  const segments = await parts.segmentsOf(station, span);
  const splices = station.splices
    .ranges()
    .filter(({ startMs }) => startMs >= firstNumber * SEGMENT_MS && startMs < (lastNumber + 1) * SEGMENT_MS);
  const past = { span, segments, splices, suffix: `-${firstNumber * 2}-${(lastNumber + 1) * 2}` };
  const body =
    path.kind === "hls"
      ? renderPastMain(station, past)
      : path.kind === "dash"
        ? await renderPastMpd(station, past, parts.keyPeriodMs)
        : await renderPastPlaylist(station, past, path.track);
  send(request, response, { body, contentType: path.kind === "dash" ? DASH_TYPE : HLS_TYPE, cacheControl: PAST });
}

/** Wakes a channel and waits until each of its tracks has something to play. */
async function awake(station: Station, signal: AbortSignal): Promise<void> {
  if (isOff(station)) throw offAir(station);
  station.ask();
  const came = await station.history.waitFor(() => station.state === "live" || isOff(station), WAKE_MS_MAX, signal);
  if (isOff(station)) throw offAir(station);
  if (came) return;
  // What was made before can be watched while nothing new comes.
  const { message } = station.health();
  if ([...station.history.tracks.values()].some(({ segments }) => segments.length > 0)) return;
  throw problem.unavailable(`channel '${station.channel.id}' is not there yet${message === "" ? "" : `: ${message}`}`, {
    retryAfterS: 2,
  });
}

const isOff = ({ state }: Station): boolean => state === "off";
const offAir = ({ channel }: Station) =>
  problem.notFound(`channel '${channel.id}' is off the air`, { reason: "off_air" });

/** Waits for what a blocking request asks for. */
async function reached(station: Station, track: string, { msn, part }: Directives, signal: AbortSignal): Promise<void> {
  if (msn === null) return;
  const history = station.history.track(track);
  const last = history?.segments.at(-1);
  if (!history || !last) throw problem.notFound(`channel '${station.channel.id}' has no track '${track}'`);
  if (msn > last.number + AHEAD_MAX)
    throw problem.invalid(`_HLS_msn=${msn} is too far ahead: the newest segment is ${last.number}`, {
      reason: "msn_too_far",
    });
  const isThere = (): boolean => hasReached(history.segments, msn, part) || isOff(station);
  if (await station.history.waitFor(isThere, BLOCK_MS_MAX, signal)) return;
  throw problem.unavailable(`segment ${msn} of '${station.channel.id}' does not come in time`, { retryAfterS: 1 });
}

async function answerSegment(
  parts: MediaParts,
  station: Station,
  { track: name, number, part, span }: LivePath & { readonly kind: "segment" },
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { history } = station;
  assertMoment(station.restrictions, number * SEGMENT_MS, (number + 1) * SEGMENT_MS, parts.clock.nowMs());
  if (span !== null && isBeyond(station, number, span, parts.keyPeriodMs))
    return send(request, response, { body: EMPTY_SEGMENT, contentType: SEGMENT_TYPE, cacheControl: IMMUTABLE });
  const track = history.track(name);
  const find = () => track?.segments.findLast((segment) => segment.number === number);
  const newest = track?.segments.at(-1);
  // What is about to be made is waited for; a player asks for it because a playlist or the clock says so.
  if (!find() && track?.next && newest && number > newest.number && number <= newest.number + AHEAD_MAX)
    await history.waitFor(() => (track.segments.at(-1)?.number ?? 0) >= number || !track.next, BLOCK_MS_MAX, signal);
  const segment = find();
  if (!segment && isHole(track, number))
    return send(request, response, { body: EMPTY_SEGMENT, contentType: SEGMENT_TYPE, cacheControl: IMMUTABLE });
  if (part !== null) {
    if (segment && !segment.isWhole)
      await history.waitFor(() => segment.parts.length > part || segment.isWhole, BLOCK_MS_MAX, signal);
    const body =
      segment?.parts[part]?.bytes ?? (await storedPart(parts, objectKey(station.channel.id, name, number), part));
    if (!body) throw problem.notFound(`there is no part ${part} of segment ${number}`);
    return send(request, response, { body, contentType: SEGMENT_TYPE, cacheControl: IMMUTABLE });
  }
  if (segment && segment.parts.length > 0 && request.headers.range === undefined)
    return streamSegment(station, segment, request, response, signal);
  return answerObject(parts.objects, objectKey(station.channel.id, name, number), SEGMENT_TYPE, request, response);
}

/**
 * A part of a segment that lies in the store; undefined where there is none. Playlists do not list it any more, but who read an older one goes
 * back by it.
 */
async function storedPart({ objects }: MediaParts, key: string, part: number): Promise<Uint8Array | undefined> {
  const bytes = await objects.get(key).catch((error: unknown) => {
    if (toProblem(error).code === "not_found") return undefined;
    throw error;
  });
  return bytes && chunkOf(bytes, part);
}

/** A segment without samples: `styp` alone. */
const EMPTY_SEGMENT = Buffer.from("00000018737479706d736468000000006d736468636d6673", "hex");

/**
 * Whether a number is none of the span's: it belongs to another key, or to another run. A player that asks for one segment too many of
 * a span gets nothing to play, instead of what it could not decrypt, or an error that it would not get over.
 */
function isBeyond(
  { history, serial }: Station,
  number: number,
  span: { readonly run: number; readonly dayIndex: number },
  keyPeriodMs: number,
): boolean {
  if (dayIndexOf(number, keyPeriodMs) !== span.dayIndex) return true;
  if (span.run === serial()) return false;
  return ![...history.tracks.values()].some(({ segments }) =>
    segments.some((segment) => segment.number === number && segment.run === span.run),
  );
}

/**
 * Whether a number lies between two that are there. Who was killed in the middle of a segment had told of its parts, and a player that read of
 * them asks for them until they come: it gets nothing to play, and goes on.
 */
function isHole(track: TrackHistory | undefined, number: number): boolean {
  const [oldest, newest] = [track?.segments[0], track?.segments.at(-1)];
  return oldest !== undefined && newest !== undefined && oldest.number < number && number < newest.number;
}

const SEGMENT_TYPE = "video/iso.segment";

/** Sends a segment from memory: at once where it is whole, in pieces as its parts come where it grows. */
async function streamSegment(
  station: Station,
  segment: { readonly parts: readonly { readonly bytes: Uint8Array }[]; readonly isWhole: boolean },
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const head = { "content-type": SEGMENT_TYPE, "cache-control": IMMUTABLE };
  // Taken now: the ring lets go of them while they are sent.
  const pieces = [...segment.parts];
  if (segment.isWhole)
    return send(request, response, {
      body: Buffer.concat(pieces.map(({ bytes }) => bytes)),
      ...{ contentType: SEGMENT_TYPE, cacheControl: IMMUTABLE },
    });
  response.writeHead(200, head);
  if (request.method === "HEAD") return void response.end();
  for (let sent = 0; ; ) {
    for (const { bytes } of segment.parts.slice(sent)) response.write(bytes);
    sent = segment.parts.length;
    if (segment.isWhole || signal.aborted) break;
    const count = sent;
    const came = await station.history.waitFor(
      () => segment.parts.length > count || segment.isWhole,
      BLOCK_MS_MAX,
      signal,
    );
    // Half a segment must not look like a whole one.
    if (!came) return void response.destroy();
  }
  response.end();
}

interface Sent {
  readonly body: string | Uint8Array;
  readonly contentType: string;
  readonly cacheControl: string;
}

function send(request: IncomingMessage, response: ServerResponse, { body, contentType, cacheControl }: Sent): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(200, {
    "content-type": contentType,
    "cache-control": cacheControl,
    "content-length": bytes.length,
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

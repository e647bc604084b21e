import type { LiveMpdInsert, LiveMpdTrack } from "#media/dash";
import { writeLiveMpd } from "#media/dash";
import { type DrmByKid, writeLivePlaylist, writeMultivariantPlaylist } from "#media/hls";
import { audioLike, LIVE_SEGMENT_S, placePresentation } from "#media/presentation";
import { problem } from "#kernel";
import { dayIndexOf, initName, isLinear, type PastSpan, SEGMENT_MS } from "./domain.ts";
import { windowFromMs } from "./domain-restrictions.ts";
import {
  dateRangesOf,
  entriesOf,
  type KeyOf,
  latencyOf,
  periodsOf,
  playlistOf,
  presentationOf,
  runEndsOf,
  windowOf,
  type WindowTrack,
} from "./domain-window.ts";
import type { SpliceRange } from "#media/scte35";
import { AD_SEGMENT_S_MAX } from "./breaks.ts";
import { type InsertedBreak, periodsAround, withBreaks } from "./domain-breaks.ts";
import type { Station } from "./station.ts";
import type { KnownTrack, StoredSegment } from "./store.ts";

/** ISO/IEC 14496-3: samples of a frame of AAC. */
const AAC_FRAME_TICKS = 1_024;
/** Headers of fragments and what a rate control overshoots. */
const OVERHEAD = 1.15;

/** How a track is told in manifests. */
function told(track: KnownTrack): LiveMpdTrack {
  const { name, codec, timescale, bitrateKbps } = track;
  const base = { name, codec, timescale, bandwidthBps: Math.ceil(bitrateKbps * 1_000 * OVERHEAD) };
  if (track.kind === "video") {
    const { width, height, frameRate } = track;
    return { ...base, kind: "video", width, height, frameRate };
  }
  const { language, channels, sampleRateHz } = track;
  const label = new Intl.DisplayNames([language], { type: "language", fallback: "code" }).of(language) ?? language;
  return { ...base, kind: "audio", language, label, channels, sampleRateHz };
}

/** A track that is so many segments behind the others is not made any more. */
const BEHIND_MAX = 5;

/** Tracks that are there and go on, in the order of the ladder. */
function present({ plans, tracks, history }: Station): KnownTrack[] {
  const lastOf = (name: string): number => history.track(name)?.segments.at(-1)?.number ?? 0;
  const newest = Math.max(0, ...plans.map(({ name }) => lastOf(name)));
  return plans.flatMap(({ name }) => {
    const known = tracks.get(name);
    return known && newest > 0 && lastOf(name) > newest - BEHIND_MAX ? [known] : [];
  });
}

const headerName = ({ channel, serial }: Station, dayIndex: number): string =>
  isLinear(channel) ? initName(dayIndex, serial()) : initName(dayIndex);

function windowTrack(station: Station, name: string, nowMs: number): WindowTrack | null {
  const plan = station.plans.find((each) => each.name === name);
  const track = station.history.track(name);
  if (!plan || !track || track.segments.length === 0) return null;
  const windowMs = nowMs - station.channel.dvrWindowS * 1_000;
  const allowedMs = windowFromMs(station.restrictions, nowMs);
  const firstNumber = Math.max(Math.floor(windowMs / SEGMENT_MS), Math.ceil(allowedMs / SEGMENT_MS));
  return { name, keyClass: plan.keyClass, segments: windowOf(track.segments, firstNumber), next: track.next };
}

/** Everything about the keys of some days: what protects a segment, and how players get it. */
async function protectionOf(
  station: Station,
  days: Iterable<number>,
): Promise<{ readonly keyOf: KeyOf; readonly drm: DrmByKid }> {
  const sets = await station.keyring.days(days);
  const drm: DrmByKid = new Map([...sets.values()].flatMap((set) => [...set.drm]));
  const keyOf: KeyOf = (dayIndex, keyClass) => {
    const protection = sets.get(dayIndex)?.protections[keyClass];
    if (!protection) throw problem.internal(`the keys of day ${dayIndex} are missing`);
    return { kid: protection.kid, ivHex: protection.ivHex };
  };
  return { keyOf, drm };
}

export const renderMain = (station: Station, sessionId = ""): string =>
  writeMultivariantPlaylist(
    presentationOf(station.channel.id, present(station).map(told)),
    sessionId === "" ? {} : { mediaName: `index-${sessionId}.m3u8` },
  );

/** A track for one session, with ads in the channel's breaks. */
export async function renderOwnPlaylist(
  station: Station,
  { name, nowMs, breaks }: { readonly name: string; readonly nowMs: number; readonly breaks: readonly InsertedBreak[] },
): Promise<string> {
  const track = windowTrack(station, name, nowMs);
  const grid = station.gridOf(name);
  const known = station.tracks.get(name);
  if (!track || !grid || !known) throw problem.notFound(`channel '${station.channel.id}' has no track '${name}'`);
  const { keyOf, drm } = await protectionOf(
    station,
    track.segments.map(({ dayIndex }) => dayIndex),
  );
  const others = present(station).flatMap((other) => windowTrack(station, other.name, nowMs) ?? []);
  const ends = runEndsOf(others.map((other) => ({ ...other, timescale: station.gridOf(other.name)?.timescale ?? 1 })));
  const entries = entriesOf(track, grid, keyOf, ends);
  return writeLivePlaylist({
    segments: withBreaks(entries, breaks, known).filter(({ isWhole }) => isWhole),
    ...{ targetDurationS: AD_SEGMENT_S_MAX, partTargetS: null, hint: null, reports: [], isOwn: true },
    dateRanges: dateRangesOf(station.splices.ranges().filter(({ id }) => !breaks.some((each) => each.id === id))),
    drm: new Map([...drm, ...breaks.flatMap(({ ads }) => ads.flatMap((ad) => [...ad.drm]))]),
  });
}

export async function renderPlaylist(
  station: Station,
  keyPeriodMs: number,
  { name, skip, nowMs }: { readonly name: string; readonly skip: boolean; readonly nowMs: number },
): Promise<string> {
  const track = windowTrack(station, name, nowMs);
  const grid = station.gridOf(name);
  if (!track || !grid) throw problem.notFound(`channel '${station.channel.id}' has no track '${name}'`);
  const days = new Set(track.segments.map(({ dayIndex }) => dayIndex));
  const nextDay = track.next && dayIndexOf(track.next.number, keyPeriodMs);
  if (nextDay !== null) days.add(nextDay);
  const { keyOf, drm } = await protectionOf(station, days);
  const others = present(station).flatMap((known) => {
    const other = known.name === name ? null : windowTrack(station, known.name, nowMs);
    return other ? [{ ...other, timescale: known.timescale }] : [];
  });
  const known = station.tracks.get(name);
  const playlist = playlistOf({
    ...{ track, grid, others, keyOf, drm, latency: station.channel.latency, splices: station.splices.ranges() },
    next:
      track.next && nextDay !== null ? { ...track.next, dayIndex: nextDay, init: headerName(station, nextDay) } : null,
    frameTicks: known?.kind === "video" ? grid.timescale / known.frameRate : AAC_FRAME_TICKS,
  });
  return writeLivePlaylist(playlist, { skip });
}

/** As far behind the world as a player of the session's playlists is, which keeps three target durations. */
const OWN_MPD = {
  ...{ segmentSMax: AD_SEGMENT_S_MAX, delayS: 2 * AD_SEGMENT_S_MAX },
  latency: { targetMs: 3 * AD_SEGMENT_S_MAX * 1_000, minMs: 2 * AD_SEGMENT_S_MAX * 1_000, maxMs: 40_000 },
};

/**
 * Ads are listed whole, and Shaka Player loads what is listed next, whether or not it follows what it has. So they are listed when
 * players know all of the programme before them, which they reckon to be there a segment's greatest length after it ended.
 */
const isListed = ({ fromNumber }: InsertedBreak, nowMs: number): boolean =>
  nowMs >= fromNumber * SEGMENT_MS + AD_SEGMENT_S_MAX * 1_000;

/** With `breaks`, which may be none, it is one session's own. */
export async function renderMpd(
  station: Station,
  keyPeriodMs: number,
  nowMs: number,
  breaks?: readonly InsertedBreak[],
): Promise<string> {
  const listed = breaks?.filter((each) => isListed(each, nowMs)) ?? [];
  const known = present(station);
  const tracks = known.flatMap(({ name }) => windowTrack(station, name, nowMs) ?? []);
  const lead = tracks[0];
  const first = lead?.segments[0];
  if (!lead || !first) throw problem.notFound(`channel '${station.channel.id}' has made nothing yet`);
  const days = new Set(lead.segments.map(({ dayIndex }) => dayIndex));
  const today = dayIndexOf(Math.floor(nowMs / SEGMENT_MS), keyPeriodMs);
  days.add(today).add(today + 1);
  const { keyOf, drm } = await protectionOf(station, days);
  const grid = station.gridOf(lead.name);
  const spans = periodsOf({
    ...{ lead, tracks, keyOf, keyPeriodMs, nowMs, splices: station.splices.ranges() },
    isOpen: station.state === "live",
    initOf: (dayIndex) => headerName(station, dayIndex),
  });
  return writeLiveMpd({
    tracks: known.map(told),
    periods: periodsAround(spans, listed).filter(({ lastNumber }) => lastNumber === null || lastNumber >= first.number),
    latency: latencyOf(station.channel.latency),
    ...(breaks ? { ...OWN_MPD, inserted: insertsOf(listed, first.number, known) } : {}),
    firstPartS: grid ? grid.partTicks / grid.timescale : LIVE_SEGMENT_S,
    windowS: Math.min(station.channel.dvrWindowS, Math.ceil(nowMs / 1_000 - first.number * LIVE_SEGMENT_S)),
    publishTimeMs: nowMs,
    timeUri: "/live/time",
    drm,
  });
}

/** The ads of breaks as periods: the tracks that a device can play which plays the channel. */
function insertsOf(
  breaks: readonly InsertedBreak[],
  firstNumber: number,
  known: readonly KnownTrack[],
): LiveMpdInsert[] {
  const sound = known.find(({ kind }) => kind === "audio");
  const codecs = new Set(known.map(({ codec }) => codec.split(".")[0]));
  return breaks
    .filter(({ toNumber }) => toNumber > firstNumber)
    .flatMap(({ id, fromNumber, toNumber, ads }) => {
      let startS = fromNumber * LIVE_SEGMENT_S;
      return ads.map(({ presentation, drm, shownS }, index) => {
        const at = startS;
        startS += shownS;
        const isLast = index === ads.length - 1;
        const endS = isLast ? toNumber * LIVE_SEGMENT_S : startS;
        const { contentId, revision, video, audio } = presentation;
        const placed = placePresentation(
          {
            ...{ ...presentation, durationS: endS - at, text: [], thumbnails: null },
            video: video.filter(({ codec }) => codecs.has(codec.split(".")[0])),
            audio: sound ? [audioLike(audio, { ...sound, profile: sound.name })].flatMap((track) => track ?? []) : [],
          },
          `../../vod/${contentId}/r${revision}/`,
        );
        return { id: `${id}-${index}`, startS: at, presentation: placed, drm };
      });
    });
}

/** A span of the past, as it was kept. */
export interface Past {
  readonly span: PastSpan;
  readonly segments: readonly StoredSegment[];
  readonly splices: readonly SpliceRange[];
  /** How the span is written in addresses: `-{startS}-{endS}`. */
  readonly suffix: string;
}

/** What a track has of a span. */
function pastTrack({ plans }: Station, { segments }: Past, name: string): WindowTrack | null {
  const plan = plans.find((each) => each.name === name);
  if (!plan) return null;
  const own = segments.flatMap(({ number, run, runFirst, dayIndex, tracks }) => {
    const track = tracks[name];
    if (!track) return [];
    const { init, durationTicks } = track;
    return [{ ...{ number, run, runFirst, dayIndex, init, durationTicks }, isWhole: true, parts: [] }];
  });
  return own.length === 0 ? null : { name, keyClass: plan.keyClass, segments: own, next: null };
}

const pastTracks = (station: Station, past: Past): WindowTrack[] =>
  station.plans.flatMap(({ name }) => (station.tracks.has(name) ? (pastTrack(station, past, name) ?? []) : []));

export function renderPastMain(station: Station, past: Past): string {
  const known = pastTracks(station, past).flatMap(({ name }) => station.tracks.get(name) ?? []);
  return writeMultivariantPlaylist(presentationOf(station.channel.id, known.map(told)), {
    mediaName: `index${past.suffix}.m3u8`,
  });
}

export async function renderPastPlaylist(station: Station, past: Past, name: string): Promise<string> {
  const track = pastTrack(station, past, name);
  const grid = station.gridOf(name);
  if (!track || !grid) throw problem.notFound(`channel '${station.channel.id}' has nothing of '${name}' then`);
  const { keyOf, drm } = await protectionOf(
    station,
    track.segments.map(({ dayIndex }) => dayIndex),
  );
  return writeLivePlaylist({
    ...{ segments: entriesOf(track, grid, keyOf), targetDurationS: LIVE_SEGMENT_S, partTargetS: null },
    ...{ hint: null, reports: [], drm, isEnded: true, dateRanges: dateRangesOf(past.splices) },
  });
}

export async function renderPastMpd(station: Station, past: Past, keyPeriodMs: number): Promise<string> {
  const tracks = pastTracks(station, past);
  const [lead] = tracks;
  if (!lead) throw problem.notFound(`channel '${station.channel.id}' has nothing of that span`);
  const { keyOf, drm } = await protectionOf(
    station,
    lead.segments.map(({ dayIndex }) => dayIndex),
  );
  const nowMs = (past.span.lastNumber + 1) * SEGMENT_MS;
  const periods = periodsOf({
    ...{ lead, tracks, keyOf, keyPeriodMs, nowMs, isOpen: false, splices: past.splices },
    initOf: (dayIndex) => headerName(station, dayIndex),
  });
  return writeLiveMpd({
    tracks: tracks.flatMap(({ name }) => station.tracks.get(name) ?? []).map(told),
    periods: periods.map((period) => ({
      ...period,
      firstNumber: Math.max(period.firstNumber, lead.segments[0]?.number ?? period.firstNumber),
    })),
    ...{ firstPartS: LIVE_SEGMENT_S, windowS: 0, publishTimeMs: nowMs, latency: latencyOf(station.channel.latency) },
    ...{ timeUri: "/live/time", drm, isEnded: true },
  });
}

import type { LiveMpd, LiveMpdEvent, LiveMpdPeriod, LiveMpdTrack } from "#media/dash";
import type { DrmByKid, LiveDateRange, LivePlaylist, LiveSegmentEntry } from "#media/hls";
import { type KeyClass, LIVE_SEGMENT_S, type LiveGrid, type LivePlace, type Presentation } from "#media/presentation";
import { MARKS } from "#contracts/origin/edges";
import { endOf, type SpliceRange } from "#media/scte35";
import { breakWindows } from "./domain-breaks.ts";
import { type Latency, SEGMENT_MS } from "./domain.ts";

/** A hole that is longer than this ends the window: who joins does not want to scroll past an hour of nothing. */
const GAP_SEGMENTS_MAX = 30;
/** How long before it is due the next key's period is told. */
const NEXT_PERIOD_MS = 60_000;

/** Splices as playlists tell them (draft-pantos-hls-rfc8216bis, section 4.4.5.1.1). */
export const dateRangesOf = (ranges: readonly SpliceRange[]): LiveDateRange[] =>
  ranges.map(({ id, startMs, endMs, plannedDurationS, outHex, inHex, cmdHex }) => ({
    ...{ id, startMs },
    ...(endMs === null ? {} : { durationS: (endMs - startMs) / 1_000 }),
    ...(plannedDurationS === null ? {} : { plannedDurationS }),
    more: {
      ...(cmdHex === null ? {} : { "SCTE35-CMD": `0x${cmdHex.toUpperCase()}` }),
      ...(outHex === null ? {} : { "SCTE35-OUT": `0x${outHex.toUpperCase()}` }),
      ...(inHex === null ? {} : { "SCTE35-IN": `0x${inHex.toUpperCase()}` }),
    },
  }));

/**
 * Breaks as interstitials (appendix D.2): whoever plays the channel asks for ads of its own, by its session and with its token, which edges write
 * into the playlist of everybody. When the break is over the programme goes on, whatever the ads did.
 */
export const interstitialsOf = (ranges: readonly SpliceRange[]): LiveDateRange[] =>
  breakWindows(ranges).flatMap(({ id, fromNumber }) => {
    const range = ranges.find((each) => each.id === id);
    const endMs = range && endOf(range);
    if (!range || endMs === null || endMs === undefined) return [];
    const durationS = (endMs - range.startMs) / 1_000;
    const more = {
      CLASS: '"com.apple.hls.interstitial"',
      "X-ASSET-LIST": `"../ads-${MARKS.session}-${fromNumber}.json?CAT=${MARKS.token}"`,
      ...{ "X-PLAYOUT-LIMIT": durationS.toFixed(3), "X-RESTRICT": '"SKIP,JUMP"', "X-SNAP": '"OUT,IN"' },
    };
    return [{ id: `ads-${id}`, startMs: range.startMs, plannedDurationS: range.plannedDurationS ?? durationS, more }];
  });

/** Splices as events of a period: each section where it takes effect, within the period's numbers. */
export function eventsOf(
  ranges: readonly SpliceRange[],
  { firstNumber, lastNumber }: Pick<LiveMpdPeriod, "firstNumber" | "lastNumber">,
): LiveMpdEvent[] {
  const endMs = lastNumber === null ? Number.POSITIVE_INFINITY : (lastNumber + 1) * SEGMENT_MS;
  const events = new Map<number, LiveMpdEvent>();
  const add = (hex: string | null, startMs: number | null, durationS: number | null): void => {
    if (hex === null || startMs === null || startMs < firstNumber * SEGMENT_MS || startMs >= endMs) return;
    const section = Buffer.from(hex, "hex");
    // A section ends with its checksum, which tells it from others; of one that has several cues it stands here once.
    const id = section.readUInt32BE(section.length - 4);
    events.set(id, { id, startMs, durationMs: Math.round((durationS ?? 0) * 1_000), section });
  };
  for (const { startMs, endMs: ended, plannedDurationS, outHex, inHex, cmdHex } of ranges) {
    const durationS = ended === null ? plannedDurationS : (ended - startMs) / 1_000;
    add(outHex ?? cmdHex, startMs, durationS);
    add(inHex, ended, null);
  }
  return [...events.values()].toSorted((a, b) => a.startMs - b.startMs);
}

export interface WindowSegment {
  readonly number: number;
  readonly run: number;
  readonly runFirst: number;
  readonly dayIndex: number;
  readonly init: string;
  readonly durationTicks: number;
  readonly isWhole: boolean;
  readonly parts: readonly { readonly durationTicks: number; readonly isIndependent: boolean }[];
}

export interface WindowTrack {
  readonly name: string;
  readonly keyClass: KeyClass;
  readonly segments: readonly WindowSegment[];
  readonly next: LivePlace | null;
}

/** What protects a segment, by the day and class of its key. */
export type KeyOf = (dayIndex: number, keyClass: KeyClass) => { readonly kid: string; readonly ivHex: string };

/** The part of a track that belongs to one window: from the first number on, and behind the last long hole. */
export function windowOf<Segment extends Pick<WindowSegment, "number">>(
  segments: readonly Segment[],
  firstNumber: number,
): readonly Segment[] {
  let from = segments.length;
  while (from > 0) {
    const segment = segments[from - 1];
    const after = segments[from];
    if (!segment || segment.number < firstNumber) break;
    if (after && after.number - segment.number - 1 > GAP_SEGMENTS_MAX) break;
    from--;
  }
  return segments.slice(from);
}

/** What a segment may lack of its span and still be whole: frames of sound do not fit it. */
const SHORT_S = 0.1;

/**
 * Where each run that is over ends: with the last segment that all tracks have as a whole. What single encoders made after it, or half of, is
 * left out, because renditions have to break off and go on at the same numbers (draft-pantos-hls-rfc8216bis, section 6.2.4),
 * and a player's clock has to go on through what is missing.
 */
export function runEndsOf(
  tracks: readonly { readonly segments: readonly WindowSegment[]; readonly timescale: number }[],
): ReadonlyMap<number, number> {
  const newest = Math.max(...tracks.flatMap(({ segments }) => segments.at(-1)?.run ?? []));
  const ends = new Map<number, number>();
  for (const { segments, timescale } of tracks) {
    const lasts = new Map<number, number>();
    for (const { run, number, durationTicks } of segments) {
      const isShort = durationTicks / timescale < LIVE_SEGMENT_S - SHORT_S;
      if (run !== newest && !isShort) lasts.set(run, number);
    }
    for (const [run, last] of lasts) ends.set(run, Math.min(ends.get(run) ?? last, last));
  }
  return ends;
}

/** A track's entries without holes: what was never made is a gap of the run that came after it. */
export function entriesOf(
  track: WindowTrack,
  grid: Pick<LiveGrid, "timescale">,
  keyOf: KeyOf,
  runEnds: ReadonlyMap<number, number> = new Map(),
): LiveSegmentEntry[] {
  const entries: LiveSegmentEntry[] = [];
  let before: LiveSegmentEntry | undefined;
  const push = (entry: LiveSegmentEntry): void => {
    entries.push(entry);
    before = entry;
  };
  for (const segment of track.segments) {
    if (segment.number > (runEnds.get(segment.run) ?? Number.POSITIVE_INFINITY)) continue;
    for (let number = (before?.number ?? segment.number - 1) + 1; number < segment.number; number++)
      push({
        ...{ number, startMs: number * SEGMENT_MS, durationS: LIVE_SEGMENT_S, parts: [], isWhole: true, isGap: true },
        ...{ runSerial: segment.run, init: before?.init ?? null, key: before?.key ?? null },
      });
    push({
      number: segment.number,
      startMs: segment.number * SEGMENT_MS,
      durationS: segment.durationTicks / grid.timescale,
      parts: segment.parts.map(({ durationTicks, isIndependent }) => ({
        durationS: durationTicks / grid.timescale,
        isIndependent,
      })),
      isWhole: segment.isWhole,
      isGap: false,
      runSerial: segment.run,
      init: segment.init,
      key: keyOf(segment.dayIndex, track.keyClass),
    });
  }
  return entries;
}

export interface PlaylistOf {
  readonly track: WindowTrack;
  readonly grid: LiveGrid;
  readonly latency: Latency;
  readonly others: readonly (WindowTrack & { readonly timescale: number })[];
  readonly keyOf: KeyOf;
  readonly drm: DrmByKid;
  readonly splices: readonly SpliceRange[];
  /** What comes next, as far as that is known. */
  readonly next: (LivePlace & { readonly dayIndex: number; readonly init: string }) | null;
  /** How long its frames are: a part is made of whole ones. */
  readonly frameTicks: number;
}

const longestPartTicks = ({ grid, frameTicks }: Pick<PlaylistOf, "grid" | "frameTicks">): number =>
  Math.ceil(grid.partTicks / frameTicks) * frameTicks;

export function playlistOf(of: PlaylistOf): LivePlaylist {
  const { track, grid, latency, others, keyOf } = of;
  const isLow = latency === "low";
  return {
    segments: entriesOf(track, grid, keyOf, runEndsOf([{ ...track, timescale: grid.timescale }, ...others])),
    targetDurationS: LIVE_SEGMENT_S,
    partTargetS: isLow ? longestPartTicks(of) / grid.timescale : null,
    hint: isLow && of.next ? { ...of.next, key: keyOf(of.next.dayIndex, track.keyClass) } : null,
    reports: others.flatMap(({ name, segments }) => {
      const last = segments.at(-1);
      if (!last) return [];
      return [{ uri: `../${name}/index.m3u8`, number: last.number, part: isLow ? last.parts.length - 1 : null }];
    }),
    dateRanges: [...dateRangesOf(of.splices), ...(isLow ? interstitialsOf(of.splices) : [])],
    drm: of.drm,
  };
}

/** Whether a track has what a blocking request asks for: a part, or without one the whole segment. */
export function hasReached(
  segments: readonly Pick<WindowSegment, "number" | "isWhole" | "parts">[],
  msn: number,
  part: number | null,
): boolean {
  const last = segments.at(-1);
  if (!last || last.number < msn) return false;
  if (last.number > msn) return true;
  return last.isWhole || (part !== null && part < last.parts.length);
}

/** Spans of one key and one timeline, by the track that leads; a span keeps its first number when the window moves on. */
export function periodsOf(of: {
  readonly lead: WindowTrack;
  readonly tracks: readonly WindowTrack[];
  readonly keyOf: KeyOf;
  readonly keyPeriodMs: number;
  readonly nowMs: number;
  /** Whether a run goes on at this moment. */
  readonly isOpen: boolean;
  readonly initOf: (dayIndex: number) => string;
  readonly splices: readonly SpliceRange[];
}): LiveMpdPeriod[] {
  const { lead, tracks, keyOf, keyPeriodMs } = of;
  const dayFirst = (dayIndex: number): number => Math.ceil((dayIndex * keyPeriodMs) / SEGMENT_MS);
  const spans: { run: number; dayIndex: number; firstNumber: number; lastNumber: number | null }[] = [];
  // Encoders come up one after the other: a span begins where the last one did.
  const firstOf = (run: number): number =>
    Math.max(...tracks.flatMap(({ segments }) => segments.find((segment) => segment.run === run)?.runFirst ?? []));
  for (const { number, run, dayIndex } of lead.segments) {
    const last = spans.at(-1);
    if (last?.run === run && last.dayIndex === dayIndex) last.lastNumber = number;
    else spans.push({ run, dayIndex, firstNumber: Math.max(firstOf(run), dayFirst(dayIndex)), lastNumber: number });
  }
  const open = spans.at(-1);
  if (open && of.isOpen) {
    open.lastNumber = null;
    const next = dayFirst(open.dayIndex + 1);
    if (next * SEGMENT_MS - of.nowMs < NEXT_PERIOD_MS) {
      open.lastNumber = next - 1;
      spans.push({ run: open.run, dayIndex: open.dayIndex + 1, firstNumber: next, lastNumber: null });
    }
  }
  return spans.map(({ run, dayIndex, firstNumber, lastNumber }) => ({
    ...{ id: `${run}-${dayIndex}`, suffix: `-${run}-${dayIndex}` },
    ...{ firstNumber, lastNumber, events: eventsOf(of.splices, { firstNumber, lastNumber }) },
    tracks: new Map(
      tracks
        .filter(({ segments }) => segments.some((segment) => segment.run === run))
        .map(({ name, keyClass, segments }) => {
          const init = segments.find((segment) => segment.run === run && segment.dayIndex === dayIndex)?.init;
          return [name, { init: init ?? of.initOf(dayIndex), kid: keyOf(dayIndex, keyClass).kid }];
        }),
    ),
  }));
}

/** How far behind the clock players aim to be. */
const LATENCIES: Readonly<Record<Latency, LiveMpd["latency"]>> = {
  low: { targetMs: 1_200, minMs: 800, maxMs: 6_000 },
  standard: { targetMs: 6_000, minMs: 4_000, maxMs: 20_000 },
};
export const latencyOf = (latency: Latency): LiveMpd["latency"] => LATENCIES[latency];

/** A channel as a presentation without segments: what a multivariant playlist needs to know. */
export function presentationOf(channelId: string, tracks: readonly LiveMpdTrack[]): Presentation {
  const base = (track: LiveMpdTrack) => ({
    ...{ profile: track.name, codec: track.codec, timescale: track.timescale, kid: null, segments: [] },
    ...{ bandwidthAverageBps: track.bandwidthBps, bandwidthPeakBps: track.bandwidthBps },
  });
  return {
    ...{ contentId: channelId, revision: 0, indexVersion: 0, durationS: 0, keys: [], text: [], thumbnails: null },
    video: tracks.flatMap((track) => {
      if (track.kind !== "video") return [];
      const { width, height, frameRate } = track;
      return [{ ...base(track), kind: "video" as const, width, height, frameRate: [frameRate, 1] as const }];
    }),
    audio: tracks.flatMap((track, index) => {
      if (track.kind !== "audio") return [];
      const { language, label, channels, sampleRateHz } = track;
      const isDefault = tracks.findIndex(({ kind }) => kind === "audio") === index;
      return [{ ...base(track), kind: "audio" as const, language, label, channels, sampleRateHz, isDefault }];
    }),
  };
}

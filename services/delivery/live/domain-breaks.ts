import type { LiveMpdPeriod } from "#media/dash";
import type { DrmByKid, LiveSegmentEntry } from "#media/hls";
import {
  audioLike,
  LIVE_SEGMENT_S,
  liveSegmentName,
  type Presentation,
  segmentName,
  videoLike,
} from "#media/presentation";
import { endOf, type SpliceRange } from "#media/scte35";
import { SEGMENT_MS } from "./domain.ts";

// Breaks of a channel that are filled for one session. The programme is cut where its segments meet, which is at most a second from where the
// splice is, and the ads are as long as what they stand for: who was shown a break is where everybody else is.

/** A break in whole segments: from the first one to the one that follows it. */
export interface BreakWindow {
  readonly id: string;
  readonly fromNumber: number;
  readonly toNumber: number;
}

/** What stands in a break: an ad, or as much of it as is shown. */
export interface InsertedAd {
  readonly presentation: Presentation;
  readonly drm: DrmByKid;
  readonly shownS: number;
}

export interface InsertedBreak extends BreakWindow {
  readonly ads: readonly InsertedAd[];
}

const BREAK_SEGMENTS_MAX = 300;

/** The breaks whose length is known, oldest first; one within another is a part of it. */
export function breakWindows(ranges: readonly SpliceRange[]): BreakWindow[] {
  const windows: BreakWindow[] = [];
  const outs = ranges.filter(({ outHex }) => outHex !== null).toSorted((a, b) => a.startMs - b.startMs);
  for (const range of outs) {
    const endMs = endOf(range);
    if (endMs === null) continue;
    const fromNumber = Math.round(range.startMs / SEGMENT_MS);
    const segments = Math.min(BREAK_SEGMENTS_MAX, Math.round((endMs - range.startMs) / SEGMENT_MS));
    if (segments < 1 || fromNumber < (windows.at(-1)?.toNumber ?? 0)) continue;
    windows.push({ id: range.id, fromNumber, toNumber: fromNumber + segments });
  }
  return windows;
}

/** A break with its ads, as far as they reach: it may have been ended early since they were decided. */
export function insertedBreak(window: BreakWindow, ads: readonly InsertedAd[]): InsertedBreak {
  const adsS = ads.reduce((sum, { shownS }) => sum + shownS, 0);
  const toNumber = Math.min(window.toNumber, window.fromNumber + Math.round(adsS / LIVE_SEGMENT_S));
  let leftS = (toNumber - window.fromNumber) * LIVE_SEGMENT_S;
  const shown = ads.flatMap((ad) => {
    const shownS = Math.min(ad.shownS, leftS);
    leftS -= shownS;
    return shownS > SHORT_S ? [{ ...ad, shownS }] : [];
  });
  return { ...window, toNumber, ads: shown };
}

/** What is so short is no frame. */
const SHORT_S = 0.01;

/** What an ad has for a track of the channel. */
type Like =
  | { readonly kind: "video"; readonly codec: string; readonly height: number }
  | { readonly kind: "audio"; readonly language: string };

/** A track's entries with the ads of a break in place of its own: numbers and discontinuities count on from those. */
export function withBreaks(
  entries: readonly LiveSegmentEntry[],
  breaks: readonly InsertedBreak[],
  track: Like & { readonly name: string },
): LiveSegmentEntry[] {
  const firstMs = entries[0]?.startMs ?? 0;
  const last = entries.findLast(({ isWhole }) => isWhole);
  const edgeMs = last ? last.startMs + last.durationS * 1_000 : 0;
  const out: LiveSegmentEntry[] = [];
  let [at, moved, broken] = [0, 0, 0];
  const programmeUntil = (number: number): void => {
    for (let entry = entries[at]; entry && entry.number < number; entry = entries[++at])
      out.push({
        ...entry,
        uri: liveSegmentName(entry.number),
        number: entry.number + moved,
        runSerial: entry.runSerial + broken,
      });
  };
  for (const each of breaks) {
    programmeUntil(each.fromNumber);
    const serial = ((entries[at - 1] ?? entries[at])?.runSerial ?? 0) + broken;
    const ads = adEntries(each, track);
    for (const [index, entry] of ads.entries()) {
      const endMs = entry.startMs + entry.durationS * 1_000;
      if (endMs <= firstMs || endMs > edgeMs + SLACK_MS) continue;
      out.push({ ...entry, number: each.fromNumber + moved + index, runSerial: serial + entry.runSerial });
    }
    while ((entries[at]?.number ?? Number.POSITIVE_INFINITY) < each.toNumber) at++;
    moved += ads.length - (each.toNumber - each.fromNumber);
    broken += each.ads.length + 1;
  }
  programmeUntil(Number.POSITIVE_INFINITY);
  return out;
}

/** Ads are a frame longer or shorter than they say. */
const SLACK_MS = 50;

/** The segments of a break's ads, whose serials count its ads from 1. */
function adEntries({ fromNumber, ads }: InsertedBreak, track: Like & { readonly name: string }): LiveSegmentEntry[] {
  const entries: LiveSegmentEntry[] = [];
  let startS = fromNumber * LIVE_SEGMENT_S;
  for (const [index, { presentation, shownS }] of ads.entries()) {
    const { contentId, revision, keys } = presentation;
    const like = { ...track, profile: track.name };
    const own = like.kind === "video" ? videoLike(presentation.video, like) : audioLike(presentation.audio, like);
    const key = keys.find(({ kid }) => kid === own?.kid);
    const folder = `../../../vod/${contentId}/r${revision}/${own?.profile}/`;
    let atS = 0;
    for (const [segment, { durationTicks }] of (own?.segments ?? []).entries()) {
      const durationS = Math.min(durationTicks / (own?.timescale ?? 1), shownS - atS);
      if (durationS <= SHORT_S) break;
      entries.push({
        ...{
          number: 0,
          startMs: Math.round((startS + atS) * 1_000),
          durationS,
          parts: [],
          isWhole: true,
          isGap: false,
        },
        ...{ runSerial: index + 1, init: `${folder}init.mp4`, uri: `${folder}${segmentName(segment + 1)}` },
        key: key ? { kid: key.kid, ivHex: key.ivHex } : null,
      });
      atS += durationS;
    }
    startS += shownS;
  }
  return entries;
}

/** Periods of the programme around breaks. What follows a break is a period of its own, and keeps its name when the window moves on. */
export function periodsAround(periods: readonly LiveMpdPeriod[], breaks: readonly BreakWindow[]): LiveMpdPeriod[] {
  let left = [...periods];
  for (const { fromNumber, toNumber } of breaks)
    left = left.flatMap((period) => {
      const lastNumber = period.lastNumber ?? Number.POSITIVE_INFINITY;
      if (lastNumber < fromNumber || period.firstNumber >= toNumber) return [period];
      const pieces: LiveMpdPeriod[] = [];
      if (period.firstNumber < fromNumber) pieces.push({ ...period, lastNumber: fromNumber - 1 });
      if (lastNumber >= toNumber) pieces.push({ ...period, id: `${period.id}-${toNumber}`, firstNumber: toNumber });
      return pieces;
    });
  return left.map((period) => {
    const endMs = period.lastNumber === null ? Number.POSITIVE_INFINITY : (period.lastNumber + 1) * SEGMENT_MS;
    const isWithin = ({ startMs }: { readonly startMs: number }): boolean =>
      startMs >= period.firstNumber * SEGMENT_MS && startMs < endMs;
    return { ...period, events: period.events?.filter(isWithin) ?? [] };
  });
}

/** Putting the fragments of an encoder's file on a clean timeline, and cutting a timeline into segments. */

import { FormatError } from "#media/format";
import { type Fragment, type Sample, totalDurationTicks } from "./fragment.ts";

/** A thousand hours of six-second segments. */
const SEGMENTS_MAX = 600_000;

/** A last segment shorter than this part of the target joins the one before it, which EXT-X-TARGETDURATION rounds down again. */
const TAIL_PART = 1 / 12;

export interface NormaliseOptions {
  /**
   * Ticks to drop at the start, rounded down to whole samples: an audio encoder's priming. 0 keeps everything.
   * Video keeps every sample: its decoder needs them.
   */
  readonly primingTicks?: number;
}

/**
 * Fragments with a timeline that has no holes and starts at 0, in decode time and in presentation time:
 *
 * - A sample lasts until the next one's decode time (ISO/IEC 14496-12, 8.8.12): where a fragment's tfdt and the durations
 *   before it disagree, the last duration before it gives way.
 * - Composition offsets are shifted so that the earliest presentation time is 0. An edit list that hides a reordering
 *   delay says the same thing; encoders that write none need it all the more.
 */
export function normaliseFragments(
  fragments: readonly Fragment[],
  kind: "video" | "audio",
  options: NormaliseOptions = {},
): Fragment[] {
  const closed = closeGaps(fragments.filter((fragment) => fragment.samples.length > 0));
  const kept = kind === "audio" ? dropPriming(closed, options.primingTicks ?? 0) : closed;
  const shift = kind === "video" ? earliestPresentation(kept) : 0;
  let baseDecodeTimeTicks = 0;
  return kept.map((fragment) => {
    const samples =
      shift === 0
        ? fragment.samples
        : fragment.samples.map((sample) => ({
            ...sample,
            compositionOffsetTicks: sample.compositionOffsetTicks - shift,
          }));
    const placed = { ...fragment, samples, baseDecodeTimeTicks };
    baseDecodeTimeTicks += totalDurationTicks(samples);
    return placed;
  });
}

function closeGaps(fragments: readonly Fragment[]): Fragment[] {
  return fragments.map((fragment, index) => {
    const next = fragments[index + 1];
    const last = fragment.samples.at(-1);
    if (next === undefined || last === undefined) return fragment;
    const gap = next.baseDecodeTimeTicks - fragment.baseDecodeTimeTicks - totalDurationTicks(fragment.samples);
    if (gap === 0) return fragment;
    const durationTicks = last.durationTicks + gap;
    if (durationTicks <= 0 || durationTicks > 0xffffffff) {
      throw new FormatError("isobmff", `decode times jump by ${gap} ticks between two fragments`, last.offsetBytes);
    }
    return { ...fragment, samples: [...fragment.samples.slice(0, -1), { ...last, durationTicks }] };
  });
}

function dropPriming(fragments: readonly Fragment[], primingTicks: number): Fragment[] {
  let left = primingTicks;
  const kept: Fragment[] = [];
  for (const fragment of fragments) {
    let dropped = 0;
    for (const sample of fragment.samples) {
      if (sample.durationTicks > left) break;
      left -= sample.durationTicks;
      dropped++;
    }
    if (dropped < fragment.samples.length) {
      // The remainder is less than one sample; a later, shorter sample must not be taken for it.
      left = 0;
      kept.push(dropped === 0 ? fragment : { ...fragment, samples: fragment.samples.slice(dropped) });
    }
  }
  return kept;
}

/** The earliest presentation time of the first fragment, from its decode time; later ones present later (closed GOPs). */
function earliestPresentation(fragments: readonly Fragment[]): number {
  let decodeTicks = 0;
  let earliest = Number.POSITIVE_INFINITY;
  for (const sample of fragments[0]?.samples ?? []) {
    earliest = Math.min(earliest, decodeTicks + sample.compositionOffsetTicks);
    decodeTicks += sample.durationTicks;
  }
  return Number.isFinite(earliest) ? earliest : 0;
}

/** Cuts before every sync sample for video, so that each GOP is a chunk; joins everything for audio. */
export function groupSamples(fragments: readonly Fragment[], kind: "video" | "audio"): Fragment[] {
  const groups: { bytes: Uint8Array; baseDecodeTimeTicks: number; samples: Sample[] }[] = [];
  let decodeTicks = 0;
  for (const fragment of fragments) {
    for (const sample of fragment.samples) {
      const group = groups.at(-1);
      if (group === undefined || group.bytes !== fragment.bytes || (kind === "video" && sample.isSync)) {
        groups.push({ bytes: fragment.bytes, baseDecodeTimeTicks: decodeTicks, samples: [sample] });
      } else {
        group.samples.push(sample);
      }
      decodeTicks += sample.durationTicks;
    }
  }
  return groups;
}

/**
 * Cuts a track's fragments, in order and from decode time 0, into segments. `cuts` is either the target duration in ticks
 * (possibly fractional, as 6.006 s are at 44,100 Hz) or the start times of the second and later segments, so that audio
 * can follow a video track's cuts. The cut falls on the sync sample nearest to each boundary; of two equally near ones the
 * earlier wins. Audio samples are all sync samples. Each segment holds one fragment a GOP (video) or one a source (audio).
 */
export function segmentFragments(
  fragments: readonly Fragment[],
  kind: "video" | "audio",
  cuts: number | readonly number[],
): Fragment[][] {
  const total = fragments.reduce((sum, fragment) => sum + totalDurationTicks(fragment.samples), 0);
  const boundaries = typeof cuts === "number" ? evenBoundaries(total, cuts) : cuts;
  const syncTimes: number[] = [];
  let time = 0;
  for (const fragment of fragments) {
    for (const sample of fragment.samples) {
      if (sample.isSync || kind === "audio") syncTimes.push(time);
      time += sample.durationTicks;
    }
  }
  const starts = nearestTimes(syncTimes, boundaries);
  const segments: Fragment[][] = [];
  let current: Fragment[] = [];
  let nextStart = 0;
  time = 0;
  for (const fragment of fragments) {
    let from = 0;
    for (const [index, sample] of fragment.samples.entries()) {
      if (time === starts[nextStart] && time > 0) {
        if (index > from) current.push({ ...fragment, samples: fragment.samples.slice(from, index) });
        segments.push(current);
        current = [];
        from = index;
        nextStart++;
      }
      time += sample.durationTicks;
    }
    const rest = from === 0 ? fragment.samples : fragment.samples.slice(from);
    if (rest.length > 0) current.push({ ...fragment, samples: rest });
  }
  if (current.length > 0) segments.push(current);
  return segments.map((segment) => groupSamples(segment, kind));
}

function evenBoundaries(totalTicks: number, segmentTicks: number): number[] {
  if (!(segmentTicks > 0) || totalTicks / segmentTicks > SEGMENTS_MAX) {
    throw new FormatError("isobmff", `segments of ${segmentTicks} ticks in a track of ${totalTicks}`);
  }
  const boundaries: number[] = [];
  for (let k = 1; k * segmentTicks <= totalTicks - segmentTicks * TAIL_PART; k++) boundaries.push(k * segmentTicks);
  return boundaries;
}

/** For each boundary the nearest of the ascending times; each time at most once and never the first. */
function nearestTimes(times: readonly number[], boundaries: readonly number[]): number[] {
  const chosen: number[] = [];
  let index = 1;
  for (const boundary of boundaries) {
    while (index + 1 < times.length && distance(times, index + 1, boundary) < distance(times, index, boundary)) index++;
    const time = times[index];
    if (time === undefined) break;
    // A boundary that is nearer to the cut before it (or to the start) makes no segment of its own.
    const before = times[index - 1] ?? 0;
    if (Math.abs(before - boundary) <= Math.abs(time - boundary) && before === (chosen.at(-1) ?? 0)) continue;
    chosen.push(time);
    index++;
  }
  return chosen;
}

function distance(times: readonly number[], index: number, boundary: number): number {
  return Math.abs((times[index] ?? Number.POSITIVE_INFINITY) - boundary);
}

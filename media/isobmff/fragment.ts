/**
 * Movie fragments (ISO/IEC 14496-12, 8.8), read:
 *
 *   [styp] ( moof{ mfhd traf{ tfhd [tfdt] trun+ [senc] } } mdat )+ [mfra]
 *
 *   tfhd  flags: 1 base-data-offset, 2 sample-description-index, 8 duration, 0x10 size, 0x20 flags,
 *                0x10000 duration-is-empty, 0x20000 default-base-is-moof
 *   trun  flags: 1 data-offset, 4 first-sample-flags, 0x100 duration, 0x200 size, 0x400 flags, 0x800 composition offset
 */

import { FormatError } from "#media/format";
import { type Box, childBoxes, findBox, openFullBox, readBoxes, requireBox } from "./box.ts";
import type { TrackInit } from "./init.ts";

/** More frames than that in one fragment is no GOP and no second of audio. */
const FRAGMENT_SAMPLES_MAX = 65_536;

/** 12 hours of AAC at 48 kHz. */
const FILE_SAMPLES_MAX = 1 << 21;

/** sample_is_non_sync_sample of sample flags (8.8.3.1). */
export const NON_SYNC_FLAG = 0x00010000;

export interface Sample {
  /** Where the sample begins in its fragment's `bytes`. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly durationTicks: number;
  /** Presentation time minus decode time; may be negative. */
  readonly compositionOffsetTicks: number;
  readonly isSync: boolean;
}

export interface SubsampleRange {
  readonly clearBytes: number;
  readonly protectedBytes: number;
}

export interface Fragment {
  /** What the samples' offsets count in: the whole file that was read, not a copy. */
  readonly bytes: Uint8Array;
  readonly baseDecodeTimeTicks: number;
  readonly samples: readonly Sample[];
  /** From senc, one list a sample, where the fragment has one (ISO/IEC 23001-7, 7.2). */
  readonly subsamples?: readonly (readonly SubsampleRange[])[];
}

export interface FragmentOptions {
  /** Per_Sample_IV_Size of tenc, without which senc cannot be read; CBCS with a constant IV has 0. */
  readonly perSampleIvBytes?: number;
}

/**
 * The fragments of one track in file order; fragments of other tracks are passed over. Samples never overlap and always
 * lie inside of an mdat of the file, so that a hostile file cannot claim more samples than it has bytes.
 */
export function parseFragments(bytes: Uint8Array, track: TrackInit, options: FragmentOptions = {}): Fragment[] {
  const boxes = readBoxes(bytes);
  const mdats = boxes.filter((box) => box.type === "mdat");
  const fragments: Fragment[] = [];
  let sampleCount = 0;
  let nextDecodeTime = 0;
  let dataEnd = 0;
  for (const moof of boxes) {
    if (moof.type !== "moof") continue;
    for (const traf of childBoxes(moof)) {
      if (traf.type !== "traf") continue;
      const fragment = parseTraf(bytes, moof, traf, track, nextDecodeTime, options);
      if (fragment === null) continue;
      sampleCount += fragment.samples.length;
      if (sampleCount > FILE_SAMPLES_MAX) {
        throw new FormatError("isobmff", `more than ${FILE_SAMPLES_MAX} samples`, moof.offsetBytes);
      }
      dataEnd = checkSampleData(fragment.samples, mdats, dataEnd);
      nextDecodeTime = fragment.baseDecodeTimeTicks + totalDurationTicks(fragment.samples);
      if (!Number.isSafeInteger(nextDecodeTime)) {
        throw new FormatError("isobmff", "decode times exceed 2^53", moof.offsetBytes);
      }
      fragments.push(fragment);
    }
  }
  return fragments;
}

export function totalDurationTicks(samples: readonly Sample[]): number {
  return samples.reduce((sum, sample) => sum + sample.durationTicks, 0);
}

/** Answers where the last sample ends. */
function checkSampleData(samples: readonly Sample[], mdats: readonly Box[], dataEnd: number): number {
  let end = dataEnd;
  let mdat: Box | undefined;
  for (const sample of samples) {
    const at = sample.offsetBytes;
    if (at < end) throw new FormatError("isobmff", "sample data overlap or run backwards", at);
    end = at + sample.sizeBytes;
    if (mdat === undefined || at < mdat.bodyOffsetBytes || end > mdat.endBytes) {
      mdat = mdatAround(mdats, at);
      if (mdat === undefined || end > mdat.endBytes) {
        throw new FormatError("isobmff", `a sample of ${sample.sizeBytes} bytes lies outside of any mdat`, at);
      }
    }
  }
  return end;
}

function mdatAround(mdats: readonly Box[], offsetBytes: number): Box | undefined {
  let low = 0;
  let high = mdats.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const candidate = mdats[middle];
    if (candidate !== undefined && candidate.bodyOffsetBytes <= offsetBytes) low = middle + 1;
    else high = middle;
  }
  return mdats[low - 1];
}

interface TrafDefaults {
  readonly baseOffsetBytes: number;
  readonly durationTicks: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

function parseTraf(
  bytes: Uint8Array,
  moof: Box,
  traf: Box,
  track: TrackInit,
  expectedDecodeTime: number,
  options: FragmentOptions,
): Fragment | null {
  const boxes = childBoxes(traf);
  const tfhd = requireBox(boxes, "tfhd", "traf");
  const { flags, reader } = openFullBox(tfhd);
  if (reader.u32() !== track.trackId) return null;
  const hasBase = (flags & 1) !== 0;
  const baseOffsetBytes = hasBase ? reader.u64() : moof.offsetBytes;
  if (flags & 2 && reader.u32() !== 1) {
    throw new FormatError("isobmff", "a fragment refers to a second sample entry", tfhd.offsetBytes);
  }
  const defaults: TrafDefaults = {
    baseOffsetBytes,
    durationTicks: flags & 8 ? reader.u32() : track.defaults.durationTicks,
    sizeBytes: flags & 0x10 ? reader.u32() : track.defaults.sizeBytes,
    flags: flags & 0x20 ? reader.u32() : track.defaults.flags,
  };
  const tfdt = findBox(boxes, "tfdt");
  let baseDecodeTimeTicks = expectedDecodeTime;
  if (tfdt !== undefined) {
    const time = openFullBox(tfdt);
    baseDecodeTimeTicks = time.version === 1 ? time.reader.u64() : time.reader.u32();
  }
  const samples: Sample[] = [];
  let dataOffset: number | undefined;
  for (const trun of boxes) {
    if (trun.type === "trun") dataOffset = parseTrun(trun, defaults, dataOffset, samples);
  }
  const senc = findBox(boxes, "senc");
  const ivBytes = options.perSampleIvBytes;
  if (senc === undefined || ivBytes === undefined) return { bytes, baseDecodeTimeTicks, samples };
  return { bytes, baseDecodeTimeTicks, samples, subsamples: parseSenc(senc, samples, ivBytes) };
}

/** Adds the run's samples and answers where the next run's data begins if it does not say so itself. */
function parseTrun(trun: Box, defaults: TrafDefaults, follows: number | undefined, samples: Sample[]): number {
  const { version, flags, reader } = openFullBox(trun);
  const count = reader.u32();
  if (samples.length + count > FRAGMENT_SAMPLES_MAX) {
    throw new FormatError("isobmff", `more than ${FRAGMENT_SAMPLES_MAX} samples in a fragment`, trun.offsetBytes);
  }
  let offsetBytes = flags & 1 ? defaults.baseOffsetBytes + reader.i32() : (follows ?? defaults.baseOffsetBytes);
  const firstFlags = flags & 4 ? reader.u32() : undefined;
  for (let i = 0; i < count; i++) {
    const durationTicks = flags & 0x100 ? reader.u32() : defaults.durationTicks;
    const sizeBytes = flags & 0x200 ? reader.u32() : defaults.sizeBytes;
    const ownFlags = flags & 0x400 ? reader.u32() : defaults.flags;
    const compositionOffsetTicks = flags & 0x800 ? (version === 0 ? reader.u32() : reader.i32()) : 0;
    if (sizeBytes === 0) throw new FormatError("isobmff", "a sample of 0 bytes", trun.offsetBytes);
    const sampleFlags = i === 0 && firstFlags !== undefined ? firstFlags : ownFlags;
    const isSync = (sampleFlags & NON_SYNC_FLAG) === 0;
    samples.push({ offsetBytes, sizeBytes, durationTicks, compositionOffsetTicks, isSync });
    offsetBytes += sizeBytes;
  }
  return offsetBytes;
}

function parseSenc(senc: Box, samples: readonly Sample[], perSampleIvBytes: number): SubsampleRange[][] {
  const { flags, reader } = openFullBox(senc);
  const count = reader.u32();
  if (count !== samples.length) {
    throw new FormatError("isobmff", `senc of ${count} samples in a fragment of ${samples.length}`, senc.offsetBytes);
  }
  return samples.map((sample) => {
    reader.skip(perSampleIvBytes);
    const ranges: SubsampleRange[] = [];
    let covered = 0;
    for (let left = flags & 2 ? reader.u16() : 0; left > 0; left--) {
      const range = { clearBytes: reader.u16(), protectedBytes: reader.u32() };
      covered += range.clearBytes + range.protectedBytes;
      ranges.push(range);
    }
    if (ranges.length > 0 && covered !== sample.sizeBytes) {
      throw new FormatError("isobmff", `subsamples cover ${covered} of ${sample.sizeBytes} bytes`, reader.position);
    }
    return ranges;
  });
}

/**
 * CMAF segments, written (ISO/IEC 23000-19, 7.3.2 and 7.3.3):
 *
 *   [styp] ( moof{ mfhd traf{ tfhd tfdt trun [saiz saio senc] } } mdat )+
 *
 * Every chunk of a segment has its own moof, so that a byte range from a chunk's start to the end of its first sample is
 * an I-frame that a player can show (RFC 8216, 4.3.3.6).
 */

import { FormatError } from "#media/format";
import type { IFrame } from "#media/presentation";
import { readBoxes } from "./box.ts";
import { ByteWriter } from "./bytes.ts";
import { type Fragment, NON_SYNC_FLAG, type Sample, type SubsampleRange, totalDurationTicks } from "./fragment.ts";

const MDAT_HEADER_BYTES = 8;
const SEGMENT_BYTES_MAX = 1024 * 1024 * 1024;

/** sample_depends_on 2 (on no other) for sync samples; 1 (on others) and non-sync for the rest (8.6.4.3). */
const SYNC_FLAGS = 0x02000000;
const INDEPENDENT_AUDIO_FLAGS = SYNC_FLAGS;
const DELTA_FLAGS = 0x01000000 | NON_SYNC_FLAG;

/** A fragment to write; its samples may come from anywhere in `bytes`. */
export type Chunk = Pick<Fragment, "bytes" | "samples" | "subsamples">;

export interface SegmentOptions {
  readonly kind: "video" | "audio";
  readonly trackId: number;
  /** The first chunk's mfhd sequence number; each further chunk counts one more. */
  readonly sequence: number;
  readonly baseDecodeTimeTicks: number;
  /** Each becomes one moof and mdat. */
  readonly chunks: readonly Chunk[];
  /** Whether a styp box opens the segment; yes by default. */
  readonly styp?: boolean;
  /** Called for each sample right after it was copied to `offsetBytes` of `target`, while it is still in the cache. */
  readonly onSample?: (target: Uint8Array, offsetBytes: number, sample: Sample, subsamples: SampleSubsamples) => void;
}

export type SampleSubsamples = readonly SubsampleRange[] | undefined;

export interface WrittenSegment {
  readonly bytes: Uint8Array;
  readonly durationTicks: number;
  /** Video only, otherwise empty: one for each chunk that starts with a sync sample. */
  readonly iframes: readonly IFrame[];
  /** Where each chunk's sample data begins in `bytes`; its samples follow each other from there. */
  readonly chunkDataOffsetsBytes: readonly number[];
}

/** Writes a segment of one or more chunks. Throws FormatError for a segment without samples. */
export function writeSegment(options: SegmentOptions): WrittenSegment {
  const { chunks, kind } = options;
  const heads: Uint8Array[] = [];
  if (options.styp !== false) heads.push(writeStyp());
  const headOfChunk = heads.length;
  let decodeTime = options.baseDecodeTimeTicks;
  let sizeBytes = heads.reduce((sum, head) => sum + head.length, 0);
  for (const [index, chunk] of chunks.entries()) {
    if (chunk.samples.length === 0) throw new FormatError("isobmff", `chunk ${index} of a segment has no samples`);
    const dataBytes = chunk.samples.reduce((sum, sample) => sum + sample.sizeBytes, 0);
    const head = writeMoof(options, chunk, options.sequence + index, decodeTime, dataBytes);
    heads.push(head);
    sizeBytes += head.length + dataBytes;
    decodeTime += totalDurationTicks(chunk.samples);
  }
  if (chunks.length === 0) throw new FormatError("isobmff", "a segment has no chunks");
  if (sizeBytes > SEGMENT_BYTES_MAX) throw new FormatError("isobmff", `a segment of ${sizeBytes} bytes`);
  // Every byte is written below, so that memory which was not zeroed first never shows.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(sizeBytes).buffer);
  let at = 0;
  const chunkStarts: number[] = [];
  const chunkDataOffsetsBytes: number[] = [];
  for (const [index, head] of heads.entries()) {
    const chunk = chunks[index - headOfChunk];
    if (chunk !== undefined) chunkStarts.push(at);
    bytes.set(head, at);
    at += head.length;
    if (chunk === undefined) continue;
    chunkDataOffsetsBytes.push(at);
    at = copySamples(chunk, bytes, at, options.onSample);
  }
  const durationTicks = decodeTime - options.baseDecodeTimeTicks;
  const iframes = kind === "video" ? iframesOf(chunks, chunkStarts, chunkDataOffsetsBytes, durationTicks) : [];
  return { bytes, durationTicks, iframes, chunkDataOffsetsBytes };
}

function writeStyp(): Uint8Array {
  const writer = new ByteWriter();
  writer.box("styp", () => {
    writer.fourcc("msdh");
    writer.u32(0);
    for (const brand of ["msdh", "cmfs"]) writer.fourcc(brand);
  });
  return writer.finish();
}

/** The movie fragment box and the header of its mdat. */
function writeMoof(
  options: SegmentOptions,
  chunk: Chunk,
  sequence: number,
  decodeTime: number,
  dataBytes: number,
): Uint8Array {
  const writer = new ByteWriter();
  const { samples, subsamples } = chunk;
  const isVideo = options.kind === "video";
  const first = samples[0];
  const duration = first?.durationTicks ?? 0;
  const sameDuration = samples.every((sample) => sample.durationTicks === duration);
  const defaultFlags = isVideo ? DELTA_FLAGS : INDEPENDENT_AUDIO_FLAGS;
  const sampleFlags = (sample: Sample) => (sample.isSync ? SYNC_FLAGS : DELTA_FLAGS);
  const onlyFirstDiffers = samples.every((sample, index) => index === 0 || sampleFlags(sample) === defaultFlags);
  const hasOffsets = samples.some((sample) => sample.compositionOffsetTicks !== 0);
  let dataOffsetAt = 0;
  writer.box("moof", () => {
    writer.fullBox("mfhd", 0, 0, () => writer.u32(sequence));
    writer.box("traf", () => {
      writer.fullBox("tfhd", 0, 0x20020 | (sameDuration ? 8 : 0), () => {
        writer.u32(options.trackId);
        if (sameDuration) writer.u32(duration);
        writer.u32(defaultFlags);
      });
      writer.fullBox("tfdt", 1, 0, () => writer.u64(decodeTime));
      const firstFlags = onlyFirstDiffers && first !== undefined && sampleFlags(first) !== defaultFlags;
      const flags =
        0x201 |
        (firstFlags ? 4 : 0) |
        (sameDuration ? 0 : 0x100) |
        (onlyFirstDiffers ? 0 : 0x400) |
        (hasOffsets ? 0x800 : 0);
      writer.fullBox("trun", 1, flags, () => {
        writer.u32(samples.length);
        dataOffsetAt = writer.lengthBytes;
        writer.u32(0);
        for (const [index, sample] of samples.entries()) {
          if (index === 0 && firstFlags) writer.u32(sampleFlags(sample));
          if (!sameDuration) writer.u32(sample.durationTicks);
          writer.u32(sample.sizeBytes);
          if (!onlyFirstDiffers) writer.u32(sampleFlags(sample));
          if (hasOffsets) writer.i32(sample.compositionOffsetTicks);
        }
      });
      if (subsamples !== undefined) writeSampleEncryption(writer, subsamples);
    });
  });
  writer.patchU32(dataOffsetAt, writer.lengthBytes + MDAT_HEADER_BYTES);
  writer.u32(dataBytes + MDAT_HEADER_BYTES);
  writer.fourcc("mdat");
  return writer.finish();
}

/** saiz, saio and senc without initialisation vectors (ISO/IEC 14496-12, 8.7.8; ISO/IEC 23001-7, 7.2). */
function writeSampleEncryption(writer: ByteWriter, subsamples: readonly (readonly SubsampleRange[])[]): void {
  const sizes = subsamples.map((ranges) => 2 + 6 * ranges.length);
  const first = sizes[0] ?? 0;
  const largest = sizes.reduce((max, size) => Math.max(max, size), 0);
  if (largest > 255) {
    throw new FormatError("isobmff", `a sample has more than 42 subsamples, which saiz cannot say: ${largest} bytes`);
  }
  const sameSize = sizes.every((size) => size === first);
  writer.fullBox("saiz", 0, 0, () => {
    writer.u8(sameSize ? first : 0);
    writer.u32(sizes.length);
    if (!sameSize) for (const size of sizes) writer.u8(size);
  });
  let offsetAt = 0;
  writer.fullBox("saio", 0, 0, () => {
    writer.u32(1);
    offsetAt = writer.lengthBytes;
    writer.u32(0);
  });
  writer.fullBox("senc", 0, 2, () => {
    writer.u32(subsamples.length);
    // The offset counts from the start of moof, which is where this writer began.
    writer.patchU32(offsetAt, writer.lengthBytes);
    for (const ranges of subsamples) {
      writer.u16(ranges.length);
      for (const { clearBytes, protectedBytes } of ranges) {
        writer.u16(clearBytes);
        writer.u32(protectedBytes);
      }
    }
  });
}

/** Answers where the data end. */
function copySamples(
  chunk: Chunk,
  target: Uint8Array,
  offsetBytes: number,
  onSample: SegmentOptions["onSample"],
): number {
  return onSample === undefined ? copyRuns(chunk, target, offsetBytes) : copyEach(chunk, target, offsetBytes, onSample);
}

function copyEach(
  chunk: Chunk,
  target: Uint8Array,
  offsetBytes: number,
  onSample: NonNullable<SegmentOptions["onSample"]>,
): number {
  let at = offsetBytes;
  for (const [index, sample] of chunk.samples.entries()) {
    target.set(chunk.bytes.subarray(sample.offsetBytes, sample.offsetBytes + sample.sizeBytes), at);
    onSample(target, at, sample, chunk.subsamples?.[index]);
    at += sample.sizeBytes;
  }
  return at;
}

/** Copies samples that are neighbours in the source at once. */
function copyRuns(chunk: Chunk, target: Uint8Array, offsetBytes: number): number {
  let at = offsetBytes;
  let runStart = -1;
  let runEnd = -1;
  const flush = () => {
    if (runEnd <= runStart) return;
    target.set(chunk.bytes.subarray(runStart, runEnd), at);
    at += runEnd - runStart;
  };
  for (const sample of chunk.samples) {
    if (sample.offsetBytes !== runEnd) {
      flush();
      runStart = sample.offsetBytes;
    }
    runEnd = sample.offsetBytes + sample.sizeBytes;
  }
  flush();
  return at;
}

function iframesOf(
  chunks: readonly Chunk[],
  chunkStarts: readonly number[],
  dataOffsets: readonly number[],
  segmentTicks: number,
): IFrame[] {
  const found: { offsetBytes: number; sizeBytes: number; timeTicks: number; decodeTicks: number }[] = [];
  let decodeTicks = 0;
  for (const [index, chunk] of chunks.entries()) {
    const first = chunk.samples[0];
    const start = chunkStarts[index];
    const data = dataOffsets[index];
    if (first?.isSync && start !== undefined && data !== undefined) {
      const timeTicks = decodeTicks + first.compositionOffsetTicks;
      found.push({ offsetBytes: start, sizeBytes: data + first.sizeBytes - start, timeTicks, decodeTicks });
    }
    decodeTicks += totalDurationTicks(chunk.samples);
  }
  // Durations are differences of decode times, whose sum is the segment's own duration whatever the reordering.
  return found.map(({ offsetBytes, sizeBytes, timeTicks, decodeTicks: from }, index) => {
    const until = found[index + 1]?.decodeTicks ?? segmentTicks;
    return { offsetBytes, sizeBytes, timeTicks, durationTicks: until - from };
  });
}

/** One chunk of a segment, counted from 0, with what stands before the first one; undefined where it has not so many. */
export function chunkOf(bytes: Uint8Array, index: number): Uint8Array | undefined {
  const starts = readBoxes(bytes).flatMap(({ type, offsetBytes }) => (type === "moof" ? [offsetBytes] : []));
  if (index < 0 || index >= starts.length) return undefined;
  return bytes.subarray(index === 0 ? 0 : starts[index], starts[index + 1] ?? bytes.length);
}

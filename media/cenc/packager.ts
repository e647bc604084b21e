/**
 * From an encoder's fragmented MP4 to CMAF, clear or protected with scheme cbcs (ISO/IEC 23001-7, 10.4):
 *
 *   chunk files -> readChunk -> segmentFragments (#media/isobmff) -> packageSegment -> seg-0000001.m4s …
 *
 * Clear bytes of a video sample: NAL length, NAL header, slice header, every NAL unit without slice data, and what is less
 * than a block. Protected: the rest of each slice, to the end of its NAL unit.
 */

import { FormatError } from "#media/format";
import {
  type Chunk,
  type Fragment,
  groupSamples,
  normaliseFragments,
  parseAvcConfig,
  parseEsds,
  parseFragments,
  parseHevcConfig,
  parseTrackInit,
  type Sample,
  type SegmentOptions,
  type SubsampleRange,
  type TrackInit,
  writeInit,
  writeSegment,
  type WrittenSegment,
} from "#media/isobmff";
import type { IFrame } from "#media/presentation";
import { createAvcSliceParser } from "./avc.ts";
import { type ByteRange, type CbcsEncryptor, createCbcsEncryptor } from "./cipher.ts";
import { createHevcSliceParser } from "./hevc.ts";
import { bytesOfHex, writeSinf } from "./protection.ts";
import type { SliceParser } from "./slices.ts";

/** Movie fragment numbers leave this many to each segment, so that they grow without anyone counting. */
const CHUNKS_PER_SEGMENT_MAX = 400;
const SEGMENT_NUMBER_MAX = 9_999_999;
const CLEAR_BYTES_MAX = 0xffff;
const BLOCK_BYTES = 16;

export interface TrackProtection {
  /** The content key, 16 bytes. */
  readonly key: Uint8Array;
  /** 32 lower-case hexadecimal digits, as `PresentationKey` has them. */
  readonly kid: string;
  readonly ivHex: string;
  /** Whole pssh boxes for moov; #media/pssh makes them. */
  readonly pssh: readonly Uint8Array[];
}

export interface TrackPackagerOptions {
  /** A clear file or init segment of the encoder, with one track. */
  readonly init: Uint8Array;
  /** null leaves the track clear. */
  readonly protection: TrackProtection | null;
  /** BCP 47; without it the file's own language stays. */
  readonly language?: string;
  /**
   * Audio priming to drop from the start of every chunk file, in ticks, rounded down to whole frames: `edit-list` (the
   * default) takes the file's own edit list, a number says it where the file does not (AAC of ffmpeg: 1024), 0 keeps all.
   */
  readonly primingTicks?: number | "edit-list";
}

export interface PackagedSegment {
  readonly bytes: Uint8Array;
  readonly durationTicks: number;
  /** Video only, otherwise empty. */
  readonly iframes: readonly IFrame[];
}

export interface TrackPackager {
  /** The first file's track: codec, timescale, size or channels. */
  readonly track: TrackInit;
  /** The CMAF header of every segment of the track. */
  readonly initSegment: Uint8Array;
  /**
   * The fragments of one encoded file, on a timeline from 0 without priming. Throws FormatError where the file is of
   * another coding than the first one, since one CMAF header must serve all, has no fragments, or starts amid a GOP.
   */
  readChunk(file: Uint8Array): Fragment[];
  /** One segment; `number` is the one in its name, from 1; `baseDecodeTimeTicks` the sum of all durations before it. */
  packageSegment(
    fragments: readonly Fragment[],
    place: { readonly number: number; readonly baseDecodeTimeTicks: number },
  ): PackagedSegment;
}

/** Writes the chunks of one track, clear or protected: what packagers of files and of live streams share. */
export interface TrackWriter {
  /** The CMAF header of everything that is written. */
  readonly initSegment: Uint8Array;
  /** Each fragment becomes a movie fragment of its own. */
  write(fragments: readonly Fragment[], place: ChunkPlace): WrittenSegment;
}

export interface ChunkPlace {
  /** Of the first movie fragment; each further one counts one more. */
  readonly sequence: number;
  readonly baseDecodeTimeTicks: number;
  /** Whether a styp box opens it; yes by default. */
  readonly styp?: boolean;
}

export function createTrackWriter(
  track: TrackInit,
  { protection, language }: Pick<TrackPackagerOptions, "protection" | "language">,
): TrackWriter {
  if (track.sinf !== null) throw new FormatError("cenc", "the encoder's track is protected already");
  const mapSubsamples = protection === null ? null : createSubsampleMapper(track);
  const said = language === undefined ? {} : { language };
  let encryptor: CbcsEncryptor | null = null;
  let initSegment: Uint8Array;
  if (protection === null) {
    initSegment = writeInit(track, said);
  } else {
    encryptor = createCbcsEncryptor(protection.key, bytesOfHex(protection.ivHex, "constant IV"));
    const sinf = writeSinf(track, protection.kid, protection.ivHex);
    initSegment = writeInit(track, { ...said, sinf, pssh: protection.pssh });
  }
  return {
    initSegment,
    write(fragments, place) {
      const chunks: readonly Chunk[] =
        mapSubsamples === null
          ? fragments
          : fragments.map((fragment) => ({ ...fragment, subsamples: mapSubsamples(fragment) }));
      const written = writeSegment({
        kind: track.kind,
        trackId: track.trackId,
        ...place,
        chunks,
        ...(encryptor === null || mapSubsamples === null ? {} : { onSample: sampleEncryptor(encryptor) }),
      });
      if (encryptor !== null && mapSubsamples === null) {
        encryptor.encryptWhole(written.bytes, sampleRanges(chunks, written.chunkDataOffsetsBytes));
      }
      return written;
    },
  };
}

export function createTrackPackager(options: TrackPackagerOptions): TrackPackager {
  const { primingTicks = "edit-list" } = options;
  const track = parseTrackInit(options.init);
  const { initSegment, write } = createTrackWriter(track, options);
  const identity = codingOf(track);
  return {
    track,
    initSegment,
    readChunk(file) {
      const own = parseTrackInit(file);
      const difference = firstDifference(identity, codingOf(own));
      if (difference !== null) {
        throw new FormatError("cenc", `chunk files of one track differ: ${difference}; encode them with one setting`);
      }
      const priming = primingTicks === "edit-list" ? own.editMediaTimeTicks : primingTicks;
      const fragments = normaliseFragments(parseFragments(file, own), track.kind, { primingTicks: priming });
      const first = fragments[0]?.samples[0];
      if (first === undefined) {
        throw new FormatError("cenc", "the file has no movie fragments; encode it with -movflags +cmaf");
      }
      if (track.kind === "video" && !first.isSync) {
        throw new FormatError("cenc", "the file does not start with a sync sample", first.offsetBytes);
      }
      return fragments;
    },
    packageSegment(fragments, { number, baseDecodeTimeTicks }) {
      if (!Number.isInteger(number) || number < 1 || number > SEGMENT_NUMBER_MAX) {
        throw new FormatError("cenc", `segment number ${number} is not an integer from 1 to ${SEGMENT_NUMBER_MAX}`);
      }
      const groups = groupSamples(fragments, track.kind);
      if (groups.length > CHUNKS_PER_SEGMENT_MAX) {
        throw new FormatError("cenc", `${groups.length} chunks in a segment, over ${CHUNKS_PER_SEGMENT_MAX}`);
      }
      const written = write(groups, { sequence: (number - 1) * CHUNKS_PER_SEGMENT_MAX + 1, baseDecodeTimeTicks });
      return { bytes: written.bytes, durationTicks: written.durationTicks, iframes: written.iframes };
    },
  };
}

interface NalParser {
  readonly lengthBytes: number;
  readonly slices: SliceParser;
}

/** The clear and protected bytes of each sample of a video fragment, in order (ISO/IEC 23001-7, 9.5.2). */
export type SubsampleMapper = (fragment: Fragment) => SubsampleRange[][];

/** A mapper that knows the track's parameter sets; null for audio, whose samples have no parts. */
export function createSubsampleMapper(track: TrackInit): SubsampleMapper | null {
  if (track.configType === "esds") return null;
  const isAvc = track.configType === "avcC";
  const config = isAvc ? parseAvcConfig(track.config) : parseHevcConfig(track.config);
  const slices = isAvc ? createAvcSliceParser(config.parameterSets) : createHevcSliceParser(config.parameterSets);
  const nal: NalParser = { lengthBytes: config.nalLengthBytes, slices };
  return (fragment) => fragment.samples.map((sample) => mapSample(fragment.bytes, sample, nal));
}

/** What all chunk files of a track must share, by the name that an error says. */
function codingOf(track: TrackInit): Readonly<Record<string, string>> {
  const common = {
    timescale: String(track.timescale),
    "sample entry": track.sampleEntry,
    codec: track.codec,
    "sample entry boxes": track.entryBoxes.map((box) => Buffer.from(box).toString("hex")).join(),
  };
  if (track.kind === "video") {
    const size = `${track.width}x${track.height}`;
    return { ...common, "picture size": size, "parameter sets": Buffer.from(track.config).toString("hex") };
  }
  // The rest of esds is bit rates, which an encoder may measure anew in each file.
  const config = Buffer.from(parseEsds(track.config).audioSpecificConfig).toString("hex");
  return { ...common, channels: String(track.channels), AudioSpecificConfig: config };
}

function firstDifference(
  expected: Readonly<Record<string, string>>,
  actual: Readonly<Record<string, string>>,
): string | null {
  const name = Object.keys(expected).find((key) => expected[key] !== actual[key]);
  if (name === undefined) return null;
  const short = (value = "none") => (value.length > 80 ? `${value.slice(0, 80)}…` : value);
  return `${name} ${short(actual[name])} is not the first file's ${short(expected[name])}`;
}

function mapSample(bytes: Uint8Array, sample: Sample, nal: NalParser): SubsampleRange[] {
  const ranges: SubsampleRange[] = [];
  const end = sample.offsetBytes + sample.sizeBytes;
  let at = sample.offsetBytes;
  let clear = 0;
  const push = (protectedBytes: number) => {
    while (clear > CLEAR_BYTES_MAX) {
      ranges.push({ clearBytes: CLEAR_BYTES_MAX, protectedBytes: 0 });
      clear -= CLEAR_BYTES_MAX;
    }
    ranges.push({ clearBytes: clear, protectedBytes });
    clear = 0;
  };
  while (at < end) {
    const start = at + nal.lengthBytes;
    let size = 0;
    for (; at < start; at++) size = size * 256 + (bytes[at] ?? 0);
    if (size === 0 || size > end - start) {
      throw new FormatError("cenc", `a NAL unit of ${size} bytes where ${end - start} are left of its sample`, start);
    }
    const header = nal.slices.clearHeaderBytes(bytes, start, start + size) ?? size;
    if (size - header >= BLOCK_BYTES) {
      clear += nal.lengthBytes + header;
      push(size - header);
    } else {
      clear += nal.lengthBytes + size;
    }
    at = start + size;
  }
  if (clear > 0) push(0);
  return ranges;
}

/** Encrypts the protected ranges of a video sample where it was copied to. */
function sampleEncryptor(encryptor: CbcsEncryptor): NonNullable<SegmentOptions["onSample"]> {
  let view: DataView | undefined;
  return (target, offsetBytes, _sample, subsamples = []) => {
    view ??= new DataView(target.buffer, target.byteOffset, target.byteLength);
    let at = offsetBytes;
    for (const { clearBytes, protectedBytes } of subsamples) {
      at += clearBytes;
      encryptor.encryptPattern(view, at, protectedBytes);
      at += protectedBytes;
    }
  };
}

/** Where the samples of a written segment are. */
function sampleRanges(chunks: readonly Chunk[], dataOffsetsBytes: readonly number[]): ByteRange[] {
  return chunks.flatMap(({ samples }, index) => {
    let at = dataOffsetsBytes[index] ?? 0;
    return samples.map(({ sizeBytes }) => {
      const offsetBytes = at;
      at += sizeBytes;
      return { offsetBytes, sizeBytes };
    });
  });
}

/**
 * Movie headers of one-track and many-track files (ISO/IEC 14496-12, clause 8) and CMAF headers (ISO/IEC 23000-19, 7.3.1):
 *
 *   ftyp moov{ mvhd trak{ tkhd [edts{elst}] mdia{ mdhd [elng] hdlr minf{ vmhd|smhd dinf stbl{ stsd … } } } } mvex{trex} [pssh]* }
 *
 * Read: tracks of AVC, HEVC and MPEG-4 audio, clear or protected. Everything else is refused by name.
 */

import { FormatError } from "#media/format";
import {
  type Box,
  boxBody,
  boxBytes,
  childBoxes,
  concatBytes,
  findBox,
  openBox,
  openFullBox,
  readBoxes,
  requireBox,
} from "./box.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import { parseAvcConfig, parseEsds, parseHevcConfig } from "./codec.ts";

const TRACKS_MAX = 64;
const TIMESCALE_MAX = 1_000_000_000;
const VISUAL_SAMPLE_ENTRY_BYTES = 78;
const AUDIO_SAMPLE_ENTRY_BYTES = 28;

/** Sample entries that we carry, with the box that configures their decoder. */
const CONFIG_BOX: Readonly<Record<string, "avcC" | "hvcC" | "esds">> = {
  avc1: "avcC",
  avc3: "avcC",
  hvc1: "hvcC",
  hev1: "hvcC",
  mp4a: "esds",
};

/** Boxes of a sample entry that belong to the pictures; bit rates (btrt) differ from chunk to chunk and encoder to encoder. */
const KEPT_ENTRY_BOXES = new Set(["pasp", "colr", "clap", "fiel", "mdcv", "clli", "cclv", "amve", "chnl"]);

interface TrackBase {
  readonly trackId: number;
  readonly timescale: number;
  /** BCP 47, from elng or else mdhd; `und` where the file does not say. */
  readonly language: string;
  /** RFC 6381. */
  readonly codec: string;
  /** Media time at which the presentation starts (first elst entry that is not empty), in the timescale; 0 without one. */
  readonly editMediaTimeTicks: number;
  /** The sample entry's type; for a protected track the original one, from frma. */
  readonly sampleEntry: string;
  readonly configType: "avcC" | "hvcC" | "esds";
  /** The body of the configuration box; for esds behind version and flags. */
  readonly config: Uint8Array;
  /** Whole boxes of the sample entry that describe the pictures or channels, such as pasp and colr. */
  readonly entryBoxes: readonly Uint8Array[];
  /** The sinf box of a protected track (ISO/IEC 14496-12, 8.12), whole; #media/cenc reads it. */
  readonly sinf: Uint8Array | null;
  /** From trex; what a fragment's header and runs leave out. */
  readonly defaults: SampleDefaults;
}

export interface SampleDefaults {
  readonly durationTicks: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

export interface VideoInit extends TrackBase {
  readonly kind: "video";
  readonly width: number;
  readonly height: number;
  /** Width of a pixel to its height, such as [1, 1]. */
  readonly pixelAspect: readonly [number, number];
}

export interface AudioInit extends TrackBase {
  readonly kind: "audio";
  readonly channels: number;
  readonly sampleRateHz: number;
}

export type TrackInit = VideoInit | AudioInit;

export interface MovieInit {
  readonly tracks: readonly TrackInit[];
  /** Whole pssh boxes of moov. */
  readonly pssh: readonly Uint8Array[];
}

/** Reads the movie header of a file or init segment. Throws FormatError for anything that we could not package. */
export function parseInit(bytes: Uint8Array): MovieInit {
  const moov = requireBox(readBoxes(bytes), "moov", "the file");
  const children = childBoxes(moov);
  const traks = children.filter((box) => box.type === "trak");
  if (traks.length === 0 || traks.length > TRACKS_MAX) {
    throw new FormatError("isobmff", `${traks.length} tracks; 1 to ${TRACKS_MAX} are supported`, moov.offsetBytes);
  }
  const mvex = findBox(children, "mvex");
  const trex = new Map<number, SampleDefaults>();
  for (const box of mvex === undefined ? [] : childBoxes(mvex)) {
    if (box.type !== "trex") continue;
    const { reader } = openFullBox(box);
    const trackId = reader.u32();
    reader.skip(4);
    trex.set(trackId, { durationTicks: reader.u32(), sizeBytes: reader.u32(), flags: reader.u32() });
  }
  const tracks = traks.map((trak) => parseTrak(trak, trex));
  if (new Set(tracks.map((track) => track.trackId)).size !== tracks.length) {
    throw new FormatError("isobmff", "two tracks have the same track_ID", moov.offsetBytes);
  }
  return { tracks, pssh: children.filter((box) => box.type === "pssh").map(boxBytes) };
}

/** Reads an init segment that has exactly one track. */
export function parseTrackInit(bytes: Uint8Array): TrackInit {
  const { tracks } = parseInit(bytes);
  const track = tracks[0];
  if (track === undefined || tracks.length > 1) {
    throw new FormatError("isobmff", `${tracks.length} tracks where a CMAF header has exactly one`);
  }
  return track;
}

function parseTrak(trak: Box, trex: ReadonlyMap<number, SampleDefaults>): TrackInit {
  const children = childBoxes(trak);
  const trackId = parseTrackId(requireBox(children, "tkhd", "trak"));
  const mdia = childBoxes(requireBox(children, "mdia", "trak"));
  const header = parseMdhd(requireBox(mdia, "mdhd", "mdia"));
  const elng = findBox(mdia, "elng");
  const minf = childBoxes(requireBox(mdia, "minf", "mdia"));
  const stbl = childBoxes(requireBox(minf, "stbl", "minf"));
  const base = {
    trackId,
    timescale: header.timescale,
    language: elng === undefined ? header.language : canonicalLanguage(readCString(openFullBox(elng).reader)),
    editMediaTimeTicks: parseEditMediaTime(findBox(children, "edts")),
    defaults: trex.get(trackId) ?? { durationTicks: 0, sizeBytes: 0, flags: 0 },
  };
  return { ...base, ...parseStsd(requireBox(stbl, "stsd", "stbl")) };
}

function parseTrackId(tkhd: Box): number {
  const { version, reader } = openFullBox(tkhd);
  reader.skip(version === 1 ? 16 : 8);
  const trackId = reader.u32();
  if (trackId === 0) throw new FormatError("isobmff", "track_ID is 0", tkhd.offsetBytes);
  return trackId;
}

function parseMdhd(mdhd: Box): { timescale: number; language: string } {
  const { version, reader } = openFullBox(mdhd);
  reader.skip(version === 1 ? 16 : 8);
  const timescale = reader.u32();
  if (timescale === 0 || timescale > TIMESCALE_MAX) {
    throw new FormatError("isobmff", `timescale ${timescale} is not from 1 to ${TIMESCALE_MAX}`, mdhd.offsetBytes);
  }
  reader.skip(version === 1 ? 8 : 4);
  const packed = reader.u16();
  const letters = [10, 5, 0].map((shift) => 0x60 + ((packed >> shift) & 31));
  return { timescale, language: canonicalLanguage(String.fromCharCode(...letters)) };
}

/** `en` for `eng`; `und` for what is no language tag. */
function canonicalLanguage(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? "und";
  } catch {
    return "und";
  }
}

function readCString(reader: ByteReader): string {
  let text = "";
  while (reader.remainingBytes > 0 && text.length < 64) {
    const byte = reader.u8();
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

function parseEditMediaTime(edts: Box | undefined): number {
  const elst = edts === undefined ? undefined : findBox(childBoxes(edts), "elst");
  if (elst === undefined) return 0;
  const { version, reader } = openFullBox(elst);
  const entryBytes = version === 1 ? 20 : 12;
  const count = Math.min(reader.u32(), Math.floor(reader.remainingBytes / entryBytes));
  for (let i = 0; i < count; i++) {
    reader.skip(version === 1 ? 8 : 4);
    const mediaTime = version === 1 ? reader.i64() : reader.i32();
    reader.skip(4);
    if (mediaTime >= 0) return mediaTime;
  }
  return 0;
}

type EntryFacts<T> = T extends TrackInit
  ? Omit<T, "trackId" | "timescale" | "language" | "editMediaTimeTicks" | "defaults">
  : never;

function parseStsd(stsd: Box): EntryFacts<TrackInit> {
  const entry = childBoxes(stsd, 8)[0];
  if (entry === undefined) throw new FormatError("isobmff", "stsd has no sample entry", stsd.offsetBytes);
  const isVisual = entry.type === "encv" || (entry.type in CONFIG_BOX && entry.type !== "mp4a");
  const isAudio = entry.type === "enca" || entry.type === "mp4a";
  if (!isVisual && !isAudio) {
    const known = Object.keys(CONFIG_BOX).join(", ");
    throw new FormatError(
      "isobmff",
      `sample entry '${entry.type.replace(/[^\x20-\x7e]/g, "?")}' is not one of ${known}`,
      entry.offsetBytes,
    );
  }
  const boxes = childBoxes(entry, isVisual ? VISUAL_SAMPLE_ENTRY_BYTES : AUDIO_SAMPLE_ENTRY_BYTES);
  const sinf = entry.type.startsWith("enc") ? requireBox(boxes, "sinf", entry.type) : undefined;
  const sampleEntry = sinf === undefined ? entry.type : openBox(requireBox(childBoxes(sinf), "frma", "sinf")).fourcc();
  const configType = CONFIG_BOX[sampleEntry];
  if (configType === undefined || (configType === "esds") !== isAudio) {
    throw new FormatError("isobmff", `'${entry.type}' of '${sampleEntry}' is not supported`, entry.offsetBytes);
  }
  const configBox = requireBox(boxes, configType, sampleEntry);
  const config = boxBody(configBox);
  const common = {
    sampleEntry,
    configType,
    entryBoxes: boxes.filter((box) => KEPT_ENTRY_BOXES.has(box.type)).map(boxBytes),
    sinf: sinf === undefined ? null : boxBytes(sinf),
  };
  const fields = openBox(entry);
  if (configType !== "esds") {
    const parsed = configType === "avcC" ? parseAvcConfig(config) : parseHevcConfig(config);
    fields.skip(24);
    const width = fields.u16();
    const height = fields.u16();
    if (width === 0 || height === 0) {
      throw new FormatError("isobmff", `a picture of ${width} x ${height}`, entry.offsetBytes);
    }
    const codec = sampleEntry + parsed.codec.slice(4);
    return { ...common, kind: "video", config, codec, width, height, pixelAspect: parsePixelAspect(boxes) };
  }
  fields.skip(8);
  const version = fields.u16();
  if (version !== 0) {
    throw new FormatError("isobmff", `audio sample entry version ${version} (QuickTime) is not 0`, entry.offsetBytes);
  }
  fields.skip(6);
  const entryChannels = fields.u16();
  fields.skip(6);
  const entryRateHz = fields.u32() >>> 16;
  const esds = openFullBox(configBox).reader;
  const descriptor = esds.take(esds.remainingBytes);
  const parsed = parseEsds(descriptor);
  const channels = parsed.channels || entryChannels;
  const sampleRateHz = parsed.sampleRateHz || entryRateHz;
  if (channels === 0 || sampleRateHz === 0) {
    throw new FormatError("isobmff", `audio of ${channels} channels at ${sampleRateHz} Hz`, entry.offsetBytes);
  }
  return { ...common, kind: "audio", config: descriptor, codec: parsed.codec, channels, sampleRateHz };
}

function parsePixelAspect(entryBoxes: readonly Box[]): readonly [number, number] {
  const pasp = findBox(entryBoxes, "pasp");
  if (pasp === undefined) return [1, 1];
  const reader = openBox(pasp);
  const horizontal = reader.u32();
  const vertical = reader.u32();
  return horizontal === 0 || vertical === 0 ? [1, 1] : [horizontal, vertical];
}

export interface InitOptions {
  /** BCP 47; without it the track's own language stays. */
  readonly language?: string;
  /** A sinf box: the sample entry becomes encv or enca. Without it the track is written clear. */
  readonly sinf?: Uint8Array;
  /** Whole pssh boxes for the end of moov. */
  readonly pssh?: readonly Uint8Array[];
  /** Writes an edit list that starts the presentation at this media time; without it there is none. */
  readonly editMediaTimeTicks?: number;
}

/** A CMAF header of the track: ftyp and moov with mvex, no samples. */
export function writeInit(track: TrackInit, options: InitOptions = {}): Uint8Array {
  const writer = new ByteWriter();
  writer.box("ftyp", () => {
    writer.fourcc("cmfc");
    writer.u32(0);
    for (const brand of ["iso6", "cmfc", "mp41"]) writer.fourcc(brand);
    // Brand cmf2 promises version 1 runs and no edit list for video; our fragments never rely on trex, as it asks.
    if (track.kind === "video" && options.editMediaTimeTicks === undefined) writer.fourcc("cmf2");
  });
  writer.box("moov", () => {
    writer.fullBox("mvhd", 0, 0, () => {
      writer.zeros(8);
      writer.u32(track.timescale);
      writer.u32(0);
      writer.u32(0x00010000);
      writer.u16(0x0100);
      writer.zeros(10);
      writeUnityMatrix(writer);
      writer.zeros(24);
      writer.u32(track.trackId + 1);
    });
    writer.box("trak", () => writeTrak(writer, track, options));
    writer.box("mvex", () => {
      writer.fullBox("trex", 0, 0, () => {
        writer.u32(track.trackId);
        writer.u32(1);
        writer.zeros(12);
      });
    });
    for (const box of options.pssh ?? []) writer.bytes(box);
  });
  return writer.finish();
}

function writeUnityMatrix(writer: ByteWriter): void {
  for (const value of [0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000]) writer.u32(value);
}

function writeTrak(writer: ByteWriter, track: TrackInit, options: InitOptions): void {
  const language = options.language ?? track.language;
  writer.fullBox("tkhd", 0, 3, () => {
    writer.zeros(8);
    writer.u32(track.trackId);
    writer.zeros(16);
    writer.u16(0);
    writer.u16(0);
    writer.u16(track.kind === "audio" ? 0x0100 : 0);
    writer.u16(0);
    writeUnityMatrix(writer);
    const shape = track.kind === "video" ? displaySize(track) : { width: 0, height: 0 };
    writer.u32(shape.width * 0x10000);
    writer.u32(shape.height * 0x10000);
  });
  const mediaTime = options.editMediaTimeTicks;
  if (mediaTime !== undefined) {
    writer.box("edts", () => {
      writer.fullBox("elst", 0, 0, () => {
        writer.u32(1);
        writer.u32(0);
        writer.i32(mediaTime);
        writer.u32(0x00010000);
      });
    });
  }
  writer.box("mdia", () => {
    writer.fullBox("mdhd", 0, 0, () => {
      writer.zeros(8);
      writer.u32(track.timescale);
      writer.u32(0);
      writer.u16(packLanguage(language));
      writer.u16(0);
    });
    // mdhd holds three letters only; elng says the tag itself (ISO/IEC 14496-12, 8.4.6) and wins where both are.
    if (language !== "und") {
      writer.fullBox("elng", 0, 0, () => {
        writer.bytes(new TextEncoder().encode(`${language}\0`));
      });
    }
    writer.fullBox("hdlr", 0, 0, () => {
      writer.u32(0);
      writer.fourcc(track.kind === "video" ? "vide" : "soun");
      writer.zeros(13);
    });
    writer.box("minf", () => {
      if (track.kind === "video") writer.fullBox("vmhd", 0, 1, () => writer.zeros(8));
      else writer.fullBox("smhd", 0, 0, () => writer.zeros(4));
      writer.box("dinf", () => {
        writer.fullBox("dref", 0, 0, () => {
          writer.u32(1);
          writer.fullBox("url ", 0, 1, () => {});
        });
      });
      writer.box("stbl", () => {
        writer.fullBox("stsd", 0, 0, () => {
          writer.u32(1);
          writeSampleEntry(writer, track, options.sinf);
        });
        for (const table of ["stts", "stsc", "stco"]) writer.fullBox(table, 0, 0, () => writer.u32(0));
        writer.fullBox("stsz", 0, 0, () => writer.zeros(8));
      });
    });
  });
}

/** The size in square pixels: tkhd carries how wide the picture is shown (ISO/IEC 14496-12, 8.3.2). */
function displaySize(track: VideoInit): { width: number; height: number } {
  const [horizontal, vertical] = track.pixelAspect;
  return { width: Math.min(65535, Math.round((track.width * horizontal) / vertical)), height: track.height };
}

/** Three letters of five bits; a tag of another length is `und` here, and elng has it in full. */
function packLanguage(language: string): number {
  const letters = /^[a-z]{3}$/.test(language) ? language : "und";
  return [...letters].reduce((packed, letter) => (packed << 5) | (letter.charCodeAt(0) - 0x60), 0);
}

function writeSampleEntry(writer: ByteWriter, track: TrackInit, sinf: Uint8Array | undefined): void {
  const protectedType = track.kind === "video" ? "encv" : "enca";
  writer.box(sinf === undefined ? track.sampleEntry : protectedType, () => {
    writer.zeros(6);
    writer.u16(1);
    if (track.kind === "video") {
      writer.zeros(16);
      writer.u16(track.width);
      writer.u16(track.height);
      writer.u32(0x00480000);
      writer.u32(0x00480000);
      writer.u32(0);
      writer.u16(1);
      writer.zeros(32);
      writer.u16(0x0018);
      writer.u16(0xffff);
      writer.box(track.configType, () => writer.bytes(track.config));
    } else {
      writer.zeros(8);
      writer.u16(track.channels);
      writer.u16(16);
      writer.u32(0);
      // The field holds 16 bits of hertz; a faster rate is 0 here and stands in the decoder's configuration.
      writer.u32(track.sampleRateHz > 65535 ? 0 : track.sampleRateHz * 0x10000);
      writer.fullBox(track.configType, 0, 0, () => writer.bytes(track.config));
    }
    writer.bytes(concatBytes(track.entryBoxes));
    if (sinf !== undefined) writer.bytes(sinf);
  });
}

/**
 * A push parser of MPEG transport streams, as far as it takes to hear splices: programmes, their clock and the sections of SCTE 35.
 *
 *   packet (188 bytes) = 0x47 · error(1) start(1) priority(1) PID(13) · scrambling(2) adaptation(2) continuity(4)
 *                        · [adaptation field: length(8) · flags(8) · [PCR(48)] …] · [payload]
 *   payload of a picture or sound that starts = 000001 · stream_id(8) · length(16) · 10… · flags · header length · [PTS(33 of 40)] …
 */
import { FormatError } from "#media/format";
import { createSectionGatherer, type SectionGatherer } from "./sections.ts";
import { isCurrent, parsePat, parsePmt, type TsProgram, type TsProgramMap } from "./tables.ts";

const PACKET_BYTES = 188;
const SYNC = 0x47;
const PAT_PID = 0;
/** ANSI/SCTE 35, section 8.1: the stream type of splice information. */
export const SCTE35_STREAM_TYPE = 0x86;
/** MPEG-1, MPEG-2, H.264, HEVC and VVC: the streams whose PTS is the programme's. */
const VIDEO_TYPES: ReadonlySet<number> = new Set([0x01, 0x02, 0x1b, 0x24, 0x33]);
/** A multiplex of more programmes than this is not one that is sent to a channel. */
const PROGRAMS_MAX = 64;
const STREAMS_MAX = 64;

export type TsEvent =
  /** A programme's map, when it is first seen and whenever it changes. */
  | { readonly kind: "program"; readonly map: TsProgramMap; readonly splicePids: readonly number[] }
  /** A splice_info_section whose checksum is right, and where the programme stood when it came (90 kHz; null before the first). */
  | {
      readonly kind: "splice";
      readonly program: number;
      readonly pid: number;
      readonly section: Uint8Array;
      readonly videoPts: number | null;
      readonly pcr: number | null;
    };

export interface TsReader {
  /** Takes bytes as they come, in pieces of any size, and answers what they brought. */
  push(chunk: Uint8Array): TsEvent[];
  /** Bytes that were no packets, sections that were broken, packets that were missing. */
  readonly damage: { readonly skippedBytes: number; readonly sections: number; readonly gaps: number };
}

interface Clock {
  videoPts: number | null;
  pcr: number | null;
}

/** One for each connection; what a stream did before does not matter to the next. */
export function createTsReader(): TsReader {
  const damage = { skippedBytes: 0, sections: 0, gaps: 0 };
  const gatherers = new Map<number, SectionGatherer>();
  const continuity = new Map<number, number>();
  const clocks = new Map<number, Clock>();
  const maps = new Map<number, TsProgramMap>();
  /** What each PID carries: the programmes whose map, splices, pictures or clock it has. */
  let programs: readonly TsProgram[] = [];
  let rest = new Uint8Array(0);

  const clockOf = (program: number): Clock => {
    const known = clocks.get(program) ?? { videoPts: null, pcr: null };
    clocks.set(program, known);
    return known;
  };
  const mapsWith = (pid: number, types: (type: number) => boolean): TsProgramMap[] =>
    [...maps.values()].filter(({ streams }) => streams.some((stream) => stream.pid === pid && types(stream.type)));

  const takeProgrammes = (section: Uint8Array): void => {
    programs = parsePat(section).slice(0, PROGRAMS_MAX);
    for (const program of maps.keys()) {
      if (programs.some(({ number }) => number === program)) continue;
      maps.delete(program);
      clocks.delete(program);
    }
  };
  const takeMap = (section: Uint8Array, pid: number): TsEvent[] => {
    const parsed = parsePmt(section);
    if (!programs.some(({ number, pmtPid }) => number === parsed.program && pmtPid === pid)) return [];
    const map = { ...parsed, streams: parsed.streams.slice(0, STREAMS_MAX) };
    const isKnown = JSON.stringify(maps.get(map.program)) === JSON.stringify(map);
    maps.set(map.program, map);
    const splicePids = map.streams.filter(({ type }) => type === SCTE35_STREAM_TYPE).map((stream) => stream.pid);
    return isKnown ? [] : [{ kind: "program", map, splicePids }];
  };
  const takeSection = (section: Uint8Array, pid: number): TsEvent[] => {
    try {
      if (section[0] === 0x00 && pid === PAT_PID && isCurrent(section)) takeProgrammes(section);
      else if (section[0] === 0x02 && isCurrent(section)) return takeMap(section, pid);
      else if (section[0] === 0xfc)
        return mapsWith(pid, (type) => type === SCTE35_STREAM_TYPE).map(({ program }) => ({
          ...{ kind: "splice" as const, program, pid, section },
          ...clockOf(program),
        }));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      damage.sections++;
    }
    return [];
  };

  const gathererOf = (pid: number): SectionGatherer | undefined => {
    const isWanted =
      pid === PAT_PID ||
      programs.some(({ pmtPid }) => pmtPid === pid) ||
      mapsWith(pid, (type) => type === SCTE35_STREAM_TYPE).length > 0;
    if (!isWanted) {
      gatherers.delete(pid);
      continuity.delete(pid);
      return undefined;
    }
    const known = gatherers.get(pid) ?? createSectionGatherer(() => damage.sections++);
    gatherers.set(pid, known);
    return known;
  };

  /** Whether the packet follows the last one of its PID; a repetition is to be passed over. */
  const follows = (pid: number, count: number, isAnnounced: boolean): "next" | "gap" | "repeated" => {
    const last = continuity.get(pid);
    continuity.set(pid, count);
    if (last === undefined || isAnnounced || count === ((last + 1) & 0x0f)) return "next";
    return count === last ? "repeated" : "gap";
  };

  const takePacket = (packet: Uint8Array): TsEvent[] => {
    const [, b1 = 0, b2 = 0, b3 = 0] = packet;
    const pid = ((b1 & 0x1f) << 8) | b2;
    const isStart = (b1 & 0x40) !== 0;
    if ((b1 & 0x80) !== 0) return [];
    const adaptationBytes = (b3 & 0x20) === 0 ? 0 : 1 + (packet[4] ?? 0);
    if (4 + adaptationBytes > PACKET_BYTES) return [];
    const flags = adaptationBytes > 1 ? (packet[5] ?? 0) : 0;
    if ((flags & 0x10) !== 0 && adaptationBytes >= 8) {
      for (const map of maps.values()) if (map.pcrPid === pid) clockOf(map.program).pcr = readPcr(packet);
    }
    // Without a payload there is nothing to gather, and the counter does not move (2.4.3.3). What is scrambled nobody can read.
    if ((b3 & 0x10) === 0 || (b3 & 0xc0) !== 0) return [];
    const payload = packet.subarray(4 + adaptationBytes);
    const gatherer = gathererOf(pid);
    if (gatherer) {
      const order = follows(pid, b3 & 0x0f, (flags & 0x80) !== 0);
      if (order === "repeated") return [];
      if (order === "gap") {
        damage.gaps++;
        gatherer.reset();
      }
      return gatherer.push(payload, isStart).flatMap((section) => takeSection(section, pid));
    }
    if (isStart) {
      const pts = readPts(payload);
      if (pts !== null)
        for (const map of mapsWith(pid, (type) => VIDEO_TYPES.has(type))) clockOf(map.program).videoPts = pts;
    }
    return [];
  };

  return {
    damage,
    push(chunk) {
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      const events: TsEvent[] = [];
      let at = 0;
      while (at + PACKET_BYTES <= bytes.length) {
        // A sync byte may stand anywhere; one that another follows a packet later is the real one.
        if (bytes[at] !== SYNC || (at + PACKET_BYTES < bytes.length && bytes[at + PACKET_BYTES] !== SYNC)) {
          damage.skippedBytes++;
          at++;
          continue;
        }
        events.push(...takePacket(bytes.subarray(at, at + PACKET_BYTES)));
        at += PACKET_BYTES;
      }
      rest = bytes.slice(at);
      return events;
    },
  };
}

/** program_clock_reference_base: 33 bits of 90 kHz, the first of an adaptation field's optional fields. */
function readPcr(packet: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = packet.subarray(6, 11);
  return a * 2 ** 25 + ((b << 17) | (c << 9) | (d << 1) | (e >> 7));
}

/** The presentation time of a PES packet that begins here; null where there is none. */
function readPts(payload: Uint8Array): number | null {
  const isPes = payload[0] === 0 && payload[1] === 0 && payload[2] === 1;
  if (!isPes || payload.length < 14 || ((payload[6] ?? 0) & 0xc0) !== 0x80 || ((payload[7] ?? 0) & 0x80) === 0)
    return null;
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = payload.subarray(9, 14);
  return ((a >> 1) & 7) * 2 ** 30 + ((b << 22) | ((c >> 1) << 15) | (d << 7) | (e >> 1));
}

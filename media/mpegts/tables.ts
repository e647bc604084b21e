/**
 * The two tables that say where things are (ISO/IEC 13818-1, 2.4.4.3 and 2.4.4.8).
 *
 *   PAT = table_id 0x00 · … (program_number(16) · reserved(3) PID(13))* · CRC
 *   PMT = table_id 0x02 · … PCR_PID(13) · program_info (stream_type(8) · PID(13) · ES_info)* · CRC
 */
import { FormatError } from "#media/format";

export interface TsProgram {
  readonly number: number;
  readonly pmtPid: number;
}

export interface TsStream {
  readonly pid: number;
  readonly type: number;
}

export interface TsProgramMap {
  readonly program: number;
  readonly pcrPid: number;
  readonly streams: readonly TsStream[];
}

const HEADER_BYTES = 8;
const CRC_BYTES = 4;
const NETWORK_PROGRAM = 0;

const u16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const u13 = (bytes: Uint8Array, at: number): number => u16(bytes, at) & 0x1fff;

/** Whether the table counts now; one with current_next 0 is an announcement. */
export const isCurrent = (section: Uint8Array): boolean => ((section[5] ?? 0) & 1) === 1;

/** The programmes of a PAT whose checksum was verified; the network's own PID is left out. */
export function parsePat(section: Uint8Array): TsProgram[] {
  const end = section.length - CRC_BYTES;
  if (section[0] !== 0x00 || (end - HEADER_BYTES) % 4 !== 0)
    throw new FormatError("mpegts", `${section.length} bytes are no programme association table`, 0);
  const programs: TsProgram[] = [];
  for (let at = HEADER_BYTES; at < end; at += 4) {
    const number = u16(section, at);
    if (number !== NETWORK_PROGRAM) programs.push({ number, pmtPid: u13(section, at + 2) });
  }
  return programs;
}

/** What a PMT whose checksum was verified says. Throws FormatError where its lengths do not fit it. */
export function parsePmt(section: Uint8Array): TsProgramMap {
  const end = section.length - CRC_BYTES;
  if (section[0] !== 0x02 || end < HEADER_BYTES + 4)
    throw new FormatError("mpegts", `${section.length} bytes are no programme map table`, 0);
  let at = HEADER_BYTES + 4 + (u16(section, HEADER_BYTES + 2) & 0x0fff);
  const streams: TsStream[] = [];
  while (at + 5 <= end) {
    streams.push({ type: section[at] ?? 0, pid: u13(section, at + 1) });
    at += 5 + (u16(section, at + 3) & 0x0fff);
  }
  if (at !== end) throw new FormatError("mpegts", "descriptors of a programme map table run over its end", at);
  return { program: u16(section, 3), pcrPid: u13(section, HEADER_BYTES), streams };
}

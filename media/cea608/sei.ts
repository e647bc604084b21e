/**
 * Caption data in video elementary streams.
 *
 *   byte stream = *( *%x00 00 00 01 NAL )                                                   (ITU-T H.264, annex B)
 *   SEI NAL     = header 1*( payload type, payload size, payload ) trailing bits            (H.264 7.3.2.3, HEVC 7.3.5)
 *   payload 4   = B5 00 31 "GA94" 03 flags(process_cc_data 40, cc_count 1F) em_data *cc FF  (ATSC A/53 part 4, 6.2.3)
 *   cc          = marker(F8) cc_valid(04) cc_type(03), cc_data_1, cc_data_2                 (CTA-708, 4.4)
 */

/** Two bytes of line 21, parity bits as transmitted. */
export interface CcPair {
  readonly field: 1 | 2;
  readonly byte1: number;
  readonly byte2: number;
}

export interface CcExtractor {
  /**
   * Takes the next bytes of the stream and returns the captions of every access unit that they complete, in decoding
   * order, one entry each (an empty one where it has no captions).
   */
  push(bytes: Uint8Array): CcPair[][];
  /** The last access unit. */
  end(): CcPair[][];
}

/** A caption SEI is at most a few hundred bytes; one that is larger is cut, and read as far as it goes. */
const SEI_BYTES_MAX = 65_536;

interface NalTypes {
  readonly typeOf: (header: number) => number;
  readonly headerBytes: number;
  readonly sei: number;
  readonly delimiter: number;
}

const CODECS: Readonly<Record<"h264" | "hevc", NalTypes>> = {
  h264: { typeOf: (header) => header & 0x1f, headerBytes: 1, sei: 6, delimiter: 9 },
  hevc: { typeOf: (header) => (header >> 1) & 0x3f, headerBytes: 2, sei: 39, delimiter: 35 },
};

/**
 * Reads an annex B stream whose access units begin with delimiters, piece by piece, holding no more than one SEI in
 * memory. ffmpeg writes such a stream with `-c copy -bsf:v h264_mp4toannexb,h264_metadata=aud=insert -f h264` (or the
 * `hevc_` filters); its n-th access unit is the n-th packet that ffprobe lists, which has the time.
 */
export function createCcExtractor(codec: "h264" | "hevc"): CcExtractor {
  const nal = CODECS[codec];
  /** The bytes of the current NAL as far as they are needed, preceded by nothing: the header comes first. */
  let current: number[] = [];
  let wanted = false;
  let inNal = false;
  let zeros = 0;
  let unit: CcPair[] | null = null;
  let done: CcPair[][] = [];

  const finishNal = (): void => {
    if (!inNal) return;
    const type = nal.typeOf(current[0] ?? 0);
    if (type === nal.sei) (unit ??= []).push(...pairsOfSei(Uint8Array.from(current), codec));
    else if (type !== nal.delimiter) unit ??= [];
    current = [];
  };
  const startNal = (header: number): void => {
    const type = nal.typeOf(header);
    if (type === nal.delimiter) {
      if (unit !== null) done.push(unit);
      unit = [];
    }
    wanted = type === nal.sei;
    inNal = true;
    current = [header];
  };

  let expectHeader = false;
  const push = (bytes: Uint8Array): CcPair[][] => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (at < buffer.length) {
      const byte = buffer[at] ?? 0;
      if (expectHeader) {
        expectHeader = false;
        zeros = 0;
        startNal(byte);
        at++;
        continue;
      }
      if (zeros >= 2 && byte === 1) {
        finishNal();
        inNal = false;
        expectHeader = true;
        at++;
        continue;
      }
      // Nothing but SEI is looked into: the rest of a NAL is skipped at memory speed, up to the next zero.
      if (!wanted && byte !== 0) {
        zeros = 0;
        const zero = buffer.indexOf(0, at);
        at = zero < 0 ? buffer.length : zero;
        continue;
      }
      zeros = byte === 0 ? zeros + 1 : 0;
      if (wanted && current.length < SEI_BYTES_MAX) current.push(byte);
      at++;
    }
    const out = done;
    done = [];
    return out;
  };

  return {
    push,
    end: () => {
      finishNal();
      inNal = false;
      const out = unit === null ? done : [...done, unit];
      unit = null;
      done = [];
      return out;
    },
  };
}

/** The pairs in one SEI NAL unit, header included. Broken or foreign messages give none: captions are no reason to fail. */
export function pairsOfSei(nalUnit: Uint8Array, codec: "h264" | "hevc"): CcPair[] {
  const rbsp = withoutEmulation(nalUnit.subarray(CODECS[codec].headerBytes, SEI_BYTES_MAX));
  const pairs: CcPair[] = [];
  let at = 0;
  // The shortest message is a type and a size; a lone 80 is the trailing bits.
  while (at + 2 < rbsp.length) {
    const type = readExtended(rbsp, at);
    const size = type === null ? null : readExtended(rbsp, type.next);
    if (type === null || size === null) break;
    if (type.value === 4) pairs.push(...pairsOfA53(rbsp.subarray(size.next, size.next + size.value)));
    at = size.next + size.value;
  }
  return pairs;
}

/** payload type and payload size: every FF adds 255 (H.264, 7.3.2.3.1). */
function readExtended(bytes: Uint8Array, from: number): { value: number; next: number } | null {
  let value = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    value += byte;
    if (byte !== 0xff) return { value, next: at + 1 };
  }
  return null;
}

function pairsOfA53(payload: Uint8Array): CcPair[] {
  const expected = [0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03];
  const flags = payload[8] ?? 0;
  if (!expected.every((byte, index) => payload[index] === byte) || (flags & 0x40) === 0) return [];
  const pairs: CcPair[] = [];
  const end = Math.min(payload.length, 10 + (flags & 0x1f) * 3);
  for (let at = 10; at + 2 < end; at += 3) {
    const head = payload[at] ?? 0;
    // Types 0 and 1 are the two fields of line 21; 2 and 3 are CEA-708.
    if ((head & 0x04) === 0 || (head & 0x03) > 1) continue;
    pairs.push({ field: (head & 0x03) === 0 ? 1 : 2, byte1: payload[at + 1] ?? 0, byte2: payload[at + 2] ?? 0 });
  }
  return pairs;
}

/** 00 00 03 stands for 00 00 (H.264, 7.4.1). */
function withoutEmulation(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}

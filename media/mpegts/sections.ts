/**
 * Sections of program specific information out of the payloads of one PID (ISO/IEC 13818-1, 2.4.4).
 *
 *   payload with payload_unit_start = pointer_field(8) · end of the open section · section*  · 0xFF*
 *   payload without                 = more of the open section
 *   section                         = table_id(8) · syntax(1) private(1) reserved(2) length(12) · length bytes, the last four a CRC-32
 */
import { crc32Mpeg } from "./crc.ts";

const HEADER_BYTES = 3;
/** 2.4.4.11: a private section has at most 4093 bytes behind its length. */
const SECTION_BYTES_MAX = HEADER_BYTES + 4093;
/** A packet of stuffing where a section would begin. */
const STUFFING = 0xff;

/** Gathers the sections of a PID. A section that a lost packet broke, or whose checksum is wrong, is dropped and counted by `onDamage`. */
export interface SectionGatherer {
  push(payload: Uint8Array, isStart: boolean): Uint8Array[];
  /** A packet is missing: what was gathered is worth nothing. */
  reset(): void;
}

export function createSectionGatherer(onDamage: () => void): SectionGatherer {
  let open = new Uint8Array(0);
  let isOpen = false;

  const reset = (): void => {
    if (isOpen && open.length > 0) onDamage();
    open = new Uint8Array(0);
    isOpen = false;
  };

  /** Takes whole sections off what is gathered, as long as there are any. */
  const drain = (): Uint8Array[] => {
    const whole: Uint8Array[] = [];
    while (isOpen && open.length >= 1) {
      if (open[0] === STUFFING) {
        open = new Uint8Array(0);
        isOpen = false;
        break;
      }
      if (open.length < HEADER_BYTES) break;
      const sizeBytes = HEADER_BYTES + ((((open[1] ?? 0) & 0x0f) << 8) | (open[2] ?? 0));
      if (sizeBytes > SECTION_BYTES_MAX) {
        reset();
        break;
      }
      if (open.length < sizeBytes) break;
      const section = open.slice(0, sizeBytes);
      open = open.slice(sizeBytes);
      if (sizeBytes > HEADER_BYTES + 4 && crc32Mpeg(section) === 0) whole.push(section);
      else onDamage();
    }
    return whole;
  };

  const append = (bytes: Uint8Array): void => {
    const grown = new Uint8Array(open.length + bytes.length);
    grown.set(open);
    grown.set(bytes, open.length);
    open = grown;
  };

  return {
    reset,
    push(payload, isStart) {
      if (!isStart) {
        if (!isOpen) return [];
        append(payload);
        return drain();
      }
      const pointer = payload[0] ?? 0;
      if (payload.length < 1 + pointer) {
        reset();
        onDamage();
        return [];
      }
      const ended: Uint8Array[] = [];
      if (isOpen) {
        append(payload.subarray(1, 1 + pointer));
        ended.push(...drain());
        reset();
      }
      open = payload.slice(1 + pointer);
      isOpen = true;
      return [...ended, ...drain()];
    },
  };
}

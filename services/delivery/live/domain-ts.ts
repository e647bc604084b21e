/**
 * The clock of an MPEG transport stream, read off its packets as they pass (ISO/IEC 13818-1, 2.4.3.2 and 2.4.3.6):
 *
 *   packet  = 0x47 · error(1) start(1) priority(1) PID(13) · scrambling(2) adaptation(2) continuity(4) · [adaptation field] · payload
 *   payload that starts a PES packet = 000001 · stream_id(8) · length(16) · 10…(8) · flags(8) · header length(8) · [PTS(33 of 40)] …
 *
 * Only what a channel has to know of an input: whether it has picture and sound, where its time is, and when that jumps.
 */

export const TS_PACKET_BYTES = 188;
const SYNC = 0x47;
const PTS_HZ = 90_000;
const PTS_WRAP = 2 ** 33;
/** Time that goes on by more than this between two frames, or back by more, is another time. */
const JUMP_S = 1.5;

export interface TsClock {
  /** Takes whole packets; answers whether time jumped within them, and which of picture and sound they have. */
  push(packets: Uint8Array): { readonly hasJumped: boolean; readonly kinds: ReadonlySet<"video" | "audio"> };
  /** Of the picture, or of the sound where there is no picture; null before the first. */
  lastS(): number | null;
}

export function createTsClock(): TsClock {
  // By PID: several sounds of one programme do not come in the order of their times.
  const last = { video: new Map<number, number>(), audio: new Map<number, number>() };

  function take({ kind, pid, ptsS }: Pes): boolean {
    const before = last[kind].get(pid);
    last[kind].set(pid, ptsS);
    return before !== undefined && Math.abs(ptsS - before) > JUMP_S;
  }
  const firstOf = (times: ReadonlyMap<number, number>): number | null => times.values().next().value ?? null;

  return {
    push(packets) {
      let hasJumped = false;
      const kinds = new Set<"video" | "audio">();
      for (let at = 0; at + TS_PACKET_BYTES <= packets.length; at += TS_PACKET_BYTES) {
        const pes = readPes(packets, at);
        if (pes === null) continue;
        kinds.add(pes.kind);
        if (take(pes)) hasJumped = true;
      }
      return { hasJumped, kinds };
    },
    lastS: () => firstOf(last.video) ?? firstOf(last.audio),
  };
}

interface Pes {
  readonly kind: "video" | "audio";
  readonly pid: number;
  readonly ptsS: number;
}

/** The kind and presentation time of a packet that begins a frame of picture or sound; null for any other. */
function readPes(bytes: Uint8Array, at: number): Pes | null {
  const byte = (offset: number): number => bytes[at + offset] ?? 0;
  if (byte(0) !== SYNC || (byte(1) & 0x40) === 0) return null;
  const adaptation = (byte(3) >> 4) & 3;
  if ((adaptation & 1) === 0) return null;
  const start = 4 + ((adaptation & 2) === 0 ? 0 : 1 + byte(4));
  if (start + 14 > TS_PACKET_BYTES) return null;
  if (byte(start) !== 0 || byte(start + 1) !== 0 || byte(start + 2) !== 1) return null;
  const streamId = byte(start + 3);
  const kind = (streamId & 0xf0) === 0xe0 ? "video" : (streamId & 0xe0) === 0xc0 ? "audio" : null;
  if (kind === null || (byte(start + 7) & 0x80) === 0) return null;
  const p = start + 9;
  const pts =
    ((byte(p) >> 1) & 7) * 2 ** 30 +
    byte(p + 1) * 2 ** 22 +
    (byte(p + 2) >> 1) * 2 ** 15 +
    byte(p + 3) * 2 ** 7 +
    (byte(p + 4) >> 1);
  return { kind, pid: ((byte(1) & 0x1f) << 8) | byte(2), ptsS: (pts % PTS_WRAP) / PTS_HZ };
}

/** Where the time of a channel's segments stands, by the time of the input that they are made of. */
export interface Anchor {
  readonly startS: number;
  readonly startMs: number;
}

/** When a time of an input's clock is shown, in milliseconds since the epoch. The clock has 33 bits, so that the nearest such moment is meant. */
export function mediaMsOf({ startS, startMs }: Anchor, ticks: number): number {
  const beyond = (((ticks - startS * PTS_HZ) % PTS_WRAP) + PTS_WRAP) % PTS_WRAP;
  return startMs + Math.round(((beyond < PTS_WRAP / 2 ? beyond : beyond - PTS_WRAP) * 1_000) / PTS_HZ);
}

/** Cuts bytes that come in any pieces into whole packets; bytes between packets are dropped. */
export function createTsAligner(): (bytes: Uint8Array) => Uint8Array {
  let rest = new Uint8Array(0);
  return (bytes) => {
    const all = new Uint8Array(rest.length + bytes.length);
    all.set(rest);
    all.set(bytes, rest.length);
    let start = 0;
    while (start < all.length && !(all[start] === SYNC && (all[start + TS_PACKET_BYTES] ?? SYNC) === SYNC)) start++;
    const whole = Math.floor((all.length - start) / TS_PACKET_BYTES) * TS_PACKET_BYTES;
    rest = all.slice(start + whole);
    return all.subarray(start, start + whole);
  };
}

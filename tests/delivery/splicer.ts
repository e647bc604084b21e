import { crc32Mpeg, SCTE35_STREAM_TYPE } from "#media/mpegts";

const PACKET_BYTES = 188;
/** Where ffmpeg puts its map and its picture. */
const PMT_PID = 0x1000;
const VIDEO_PID = 0x100;
const SPLICE_PID = 0x1f0;

/** A section that is sent so long after the first picture. */
export interface Sent {
  readonly afterS: number;
  /** `ptsOf` answers the time stamp of the picture that comes so long after the first one. */
  section(ptsOf: (afterS: number) => number): Uint8Array;
}

/** Puts sections of SCTE 35, on a PID of their own, into a transport stream of ffmpeg's as it passes. */
export function createSplicer(all: readonly Sent[]): (chunk: Buffer) => Buffer {
  const waiting = all.toSorted((a, b) => a.afterS - b.afterS);
  let rest = Buffer.alloc(0);
  let firstPts: number | null = null;
  let count = 0;

  const take = (packet: Buffer): Buffer[] => {
    const pid = packet.readUInt16BE(1) & 0x1fff;
    if (pid === PMT_PID) return [withSplices(packet)];
    const pts = pid === VIDEO_PID ? ptsOf(packet) : null;
    if (pts === null) return [packet];
    firstPts ??= pts;
    const first = firstPts;
    const out = [packet];
    while (waiting[0] && pts - first >= waiting[0].afterS * 90_000) {
      const section = waiting.shift()?.section((afterS) => (first + afterS * 90_000) % 2 ** 33) ?? [];
      const sent = Buffer.alloc(PACKET_BYTES, 0xff);
      sent.set([0x47, 0x40 | (SPLICE_PID >> 8), SPLICE_PID & 0xff, 0x10 | (count++ & 0x0f), 0, ...section]);
      out.push(sent);
    }
    return out;
  };
  return (chunk) => {
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % PACKET_BYTES);
    rest = bytes.subarray(whole);
    const out: Buffer[] = [];
    for (let at = 0; at < whole; at += PACKET_BYTES) out.push(...take(bytes.subarray(at, at + PACKET_BYTES)));
    return Buffer.concat(out);
  };
}

/** The programme's map with one stream more. */
function withSplices(packet: Buffer): Buffer {
  const start = packet.indexOf(0x02, 5);
  const length = packet.readUInt16BE(start + 1) & 0x0fff;
  const registration = [0x05, 4, ...Buffer.from("CUEI")];
  const stream = [SCTE35_STREAM_TYPE, 0xe0 | (SPLICE_PID >> 8), SPLICE_PID & 0xff, 0xf0, registration.length];
  const section = Buffer.concat([
    packet.subarray(start, start + 3 + length - 4),
    Buffer.from([...stream, ...registration, 0, 0, 0, 0]),
  ]);
  section.writeUInt16BE(0xb000 | (section.length - 3), 1);
  section.writeUInt32BE(crc32Mpeg(section.subarray(0, -4)), section.length - 4);
  const out = Buffer.alloc(PACKET_BYTES, 0xff);
  packet.copy(out, 0, 0, start);
  section.copy(out, start);
  return out;
}

/** The presentation time of a picture that begins in a packet; null in any other packet. */
function ptsOf(packet: Buffer): number | null {
  if (((packet[1] ?? 0) & 0x40) === 0) return null;
  const start = 4 + (((packet[3] ?? 0) & 0x20) === 0 ? 0 : 1 + (packet[4] ?? 0));
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = packet.subarray(start + 9, start + 14);
  return ((a >> 1) & 7) * 2 ** 30 + ((b << 22) | ((c >> 1) << 15) | (d << 7) | (e >> 1));
}

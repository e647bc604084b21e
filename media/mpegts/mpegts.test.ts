import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeSplice } from "#media/scte35";
import { crc32Mpeg, createTsReader, SCTE35_STREAM_TYPE, type TsEvent } from "./index.ts";

const PMT_PID = 0x100;
const VIDEO_PID = 0x101;
const SPLICE_PID = 0x102;

const seal = (head: readonly number[]): Uint8Array => {
  const bytes = Buffer.from([...head, 0, 0, 0, 0]);
  bytes.writeUInt16BE(0xb000 | (bytes.length - 3), 1);
  bytes.writeUInt32BE(crc32Mpeg(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
};
const pat = seal([0x00, 0, 0, 0, 1, 0xc1, 0, 0, 0, 0, 0xe0, 0x10, 0, 7, 0xe0 | (PMT_PID >> 8), PMT_PID & 0xff]);
/** With `padding` bytes of descriptors, so that a table may be longer than a packet. */
const pmt = (padding = 0, spliceType = SCTE35_STREAM_TYPE): Uint8Array =>
  seal([
    ...[0x02, 0, 0, 0, 7, 0xc1, 0, 0, 0xe0 | (VIDEO_PID >> 8), VIDEO_PID & 0xff],
    ...[0xf0 | (padding >> 8), padding & 0xff, ...new Array<number>(padding).fill(0)],
    ...[0x1b, 0xe0 | (VIDEO_PID >> 8), VIDEO_PID & 0xff, 0xf0, 0],
    ...[spliceType, 0xe0 | (SPLICE_PID >> 8), SPLICE_PID & 0xff, 0xf0, 2, 0x8a, 0],
  ]);
const splice = (bytes = 0): Uint8Array =>
  encodeSplice({
    ...{ sapType: 3, ptsAdjustment: 0, cwIndex: 0, tier: 0xfff, legacyLength: false, descriptors: [] },
    ...{ command: { kind: "timeSignal", ptsTime: 900_000 }, stuffingHex: "5a".repeat(bytes) },
  });

/** Packets of one PID, each with the next number. */
function createMuxer() {
  const counts = new Map<number, number>();
  const packet = (pid: number, payload: Uint8Array, isStart: boolean, adaptation: readonly number[] = []): Buffer => {
    const count = counts.get(pid) ?? 0;
    counts.set(pid, (count + 1) & 0x0f);
    const free = 184 - payload.length;
    const field = free === 0 && adaptation.length === 0 ? [] : [free - 1, ...adaptation];
    if (field.length === 1 && free > 1) field.push(0);
    const head = [0x47, (isStart ? 0x40 : 0) | (pid >> 8), pid & 0xff, (field.length > 0 ? 0x30 : 0x10) | count];
    const stuffing = new Array<number>(Math.max(0, free - field.length)).fill(0xff);
    const bytes = Buffer.from([...head, ...field, ...stuffing, ...payload]);
    assert.equal(bytes.length, 188);
    return bytes;
  };
  return {
    packet,
    /** Sections behind each other, as a multiplexer packs them: the next one begins where the last one ends. */
    sections(pid: number, all: readonly Uint8Array[]): Buffer {
      const bytes = Buffer.concat(all);
      const starts = all.map((_, i) => Buffer.concat(all.slice(0, i)).length);
      const packets: Buffer[] = [];
      for (let at = 0; at < bytes.length; ) {
        const start = starts.find((each) => each >= at && each < at + 183);
        const size = Math.min(start === undefined ? 184 : 183, bytes.length - at);
        const body = bytes.subarray(at, at + size);
        const filled = Buffer.alloc(start === undefined ? 184 : 183, 0xff);
        filled.set(body);
        packets.push(
          packet(pid, start === undefined ? filled : Buffer.from([start - at, ...filled]), start !== undefined),
        );
        at += size;
      }
      return Buffer.concat(packets);
    },
    picture(pts: number): Buffer {
      const high = Math.floor(pts / 2 ** 30);
      const low = pts % 2 ** 30;
      const time = [
        0x21 | (high << 1),
        low >>> 22,
        ((low >>> 14) & 0xfe) | 1,
        (low >>> 7) & 0xff,
        ((low << 1) & 0xfe) | 1,
      ];
      const pcr = [
        0x10,
        Math.floor(pts / 2 ** 25),
        (pts / 2 ** 17) & 0xff,
        (pts / 2 ** 9) & 0xff,
        (pts / 2) & 0xff,
        (pts % 2) << 7,
        0,
      ];
      return packet(VIDEO_PID, Buffer.from([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, ...time, 9, 9]), true, pcr);
    },
  };
}

const read = (chunks: readonly Uint8Array[]): { readonly events: TsEvent[]; readonly damage: object } => {
  const reader = createTsReader();
  return { events: chunks.flatMap((chunk) => reader.push(chunk)), damage: { ...reader.damage } };
};
const splices = (events: readonly TsEvent[]) => events.flatMap((event) => (event.kind === "splice" ? [event] : []));

test("property: in pieces of any size, sections of any length come out whole, with the programme's time", () => {
  const drawn = fc.record({
    padding: fc.integer({ min: 0, max: 900 }),
    sizes: fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 4 }),
    pts: fc.integer({ min: 0, max: 2 ** 33 - 1 }),
    cuts: fc.array(fc.nat(), { maxLength: 12 }),
    noise: fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.map((byte) => (byte === 0x47 ? 0 : byte))),
  });
  fc.assert(
    fc.property(drawn, ({ padding, sizes, pts, cuts, noise }) => {
      const muxer = createMuxer();
      const sections = sizes.map(splice);
      const stream = Buffer.concat([
        ...[noise, muxer.sections(0, [pat]), muxer.sections(PMT_PID, [pmt(padding)])],
        ...[muxer.picture(pts), muxer.sections(SPLICE_PID, sections)],
      ]);
      const at = [0, ...cuts.map((cut) => cut % stream.length).toSorted((a, b) => a - b), stream.length];
      const { events, damage } = read(at.slice(1).map((end, i) => stream.subarray(at[i], end)));
      assert.deepEqual(damage, { skippedBytes: noise.length, sections: 0, gaps: 0 });
      const [program] = events;
      assert.ok(program?.kind === "program" && program.map.program === 7);
      assert.deepEqual(program.splicePids, [SPLICE_PID]);
      assert.deepEqual(
        splices(events).map(({ section }) => Buffer.from(section).toString("hex")),
        sections.map((section) => Buffer.from(section).toString("hex")),
      );
      for (const event of splices(events)) assert.deepEqual([event.program, event.videoPts, event.pcr], [7, pts, pts]);
    }),
    { numRuns: 150 },
  );
});

test("a lost packet costs its section and no other; a repeated one is passed over", () => {
  const muxer = createMuxer();
  const head = [muxer.sections(0, [pat]), muxer.sections(PMT_PID, [pmt()])];
  const long = muxer.sections(SPLICE_PID, [splice(400)]);
  const after = muxer.sections(SPLICE_PID, [splice()]);
  const torn = Buffer.concat([long.subarray(0, 188), long.subarray(376)]);
  const lost = read([...head, torn, after]);
  assert.equal(splices(lost.events).length, 1);
  assert.deepEqual(lost.damage, { skippedBytes: 0, sections: 1, gaps: 1 });
  const twice = Buffer.concat([long.subarray(0, 188), long.subarray(0, 188), long.subarray(188)]);
  assert.equal(splices(read([...head, twice, after]).events).length, 2);
});

test("tables that are wrong or not current change nothing, one that changed is told", () => {
  const muxer = createMuxer();
  const broken = pmt();
  broken[20] = (broken[20] ?? 0) ^ 1;
  const { events, damage } = read([
    ...[muxer.sections(0, [pat]), muxer.sections(PMT_PID, [broken]), muxer.sections(PMT_PID, [pmt()])],
    ...[
      muxer.sections(PMT_PID, [pmt()]),
      muxer.sections(PMT_PID, [pmt(0, 0x06)]),
      muxer.sections(SPLICE_PID, [splice()]),
    ],
  ]);
  assert.deepEqual(
    events.map((event) => (event.kind === "program" ? event.splicePids : event.kind)),
    [[SPLICE_PID], []],
  );
  assert.equal((damage as { sections: number }).sections, 1);
});

test("fuzz: no bytes make it fail, or keep more than a packet and the sections that are open", () => {
  const muxer = createMuxer();
  const good = Buffer.concat([
    muxer.sections(0, [pat]),
    muxer.sections(PMT_PID, [pmt(300)]),
    muxer.sections(SPLICE_PID, [splice(300)]),
  ]);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }), (flips) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of flips) bytes[at % bytes.length] = value;
      read([bytes, good]);
    }),
    { numRuns: 500 },
  );
});

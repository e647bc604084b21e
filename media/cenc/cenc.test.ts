import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import {
  type Fragment,
  makeBox,
  parseInit,
  parseTrackInit,
  segmentFragments,
  writeInit,
  writeSegment,
} from "#media/isobmff";
import { commonPssh } from "#media/pssh";
import {
  createAvcSliceParser,
  createCbcsEncryptor,
  createTrackPackager,
  decryptSegment,
  readProtection,
  type TrackProtection,
} from "./index.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index * 17);
const KID = "0123456789abcdef0123456789abcdef";
const IV_HEX = "a1a2a3a4a5a6a7a8a9aaabacadaeaf00";
const IV = Buffer.from(IV_HEX, "hex");
const PROTECTION: TrackProtection = { key: KEY, kid: KID, ivHex: IV_HEX, pssh: [commonPssh([KID])] };

/** A parameter set or slice header in the making: bits, and emulation prevention at the end. */
class BitString {
  bits = "";

  u(count: number, value: number): this {
    this.bits += value.toString(2).padStart(count, "0");
    return this;
  }

  ue(value: number): this {
    const code = (value + 1).toString(2);
    this.bits += "0".repeat(code.length - 1) + code;
    return this;
  }

  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  bytes(): number[] {
    return (this.bits.match(/.{1,8}/g) ?? []).map((octet) => Number.parseInt(octet.padEnd(8, "1"), 2));
  }
}

function withEmulationPrevention(bytes: readonly number[]): number[] {
  const escaped: number[] = [];
  for (const byte of bytes) {
    if (byte <= 3 && escaped.at(-1) === 0 && escaped.at(-2) === 0) escaped.push(3);
    escaped.push(byte);
  }
  return escaped;
}

/** Main profile, 4 bits of frame_num, POC type 0 with 6 bits, progressive. */
const SPS = Uint8Array.from([
  0x67,
  ...withEmulationPrevention(
    new BitString()
      .u(8, 77)
      .u(16, 0x001e)
      .ue(0)
      .ue(0)
      .ue(0)
      .ue(2)
      .ue(4)
      .u(1, 0)
      .ue(19)
      .ue(14)
      .u(1, 1)
      .u(1, 1)
      .u(1, 0)
      .u(1, 0)
      .u(1, 1)
      .bytes(),
  ),
]);
/** CABAC, 3 and 1 references, weighted prediction, deblocking control. */
const PPS = Uint8Array.from([
  0x68,
  ...new BitString()
    .ue(0)
    .ue(0)
    .u(1, 1)
    .u(1, 0)
    .ue(0)
    .ue(2)
    .ue(0)
    .u(1, 1)
    .u(2, 0)
    .se(0)
    .se(0)
    .se(0)
    .u(1, 1)
    .u(1, 0)
    .u(1, 0)
    .u(1, 1)
    .bytes(),
]);

function avcInit(): Uint8Array {
  const config = [1, 77, 0, 30, 0xff, 0xe1, 0, SPS.length, ...SPS, 1, 0, PPS.length, ...PPS];
  return writeInit({
    kind: "video",
    trackId: 1,
    timescale: 12_800,
    language: "und",
    codec: "avc1.4d001e",
    editMediaTimeTicks: 0,
    sampleEntry: "avc1",
    configType: "avcC",
    config: Uint8Array.from(config),
    entryBoxes: [],
    sinf: null,
    defaults: { durationTicks: 0, sizeBytes: 0, flags: 0 },
    width: 320,
    height: 240,
    pixelAspect: [1, 1],
  });
}

interface DrawnSlice {
  readonly isIdr: boolean;
  readonly frameNum: number;
  readonly pocLsb: number;
  readonly weights: readonly (number | null)[];
  readonly qpDelta: number;
  readonly payload: Uint8Array;
}

const sliceArbitrary: fc.Arbitrary<DrawnSlice> = fc.record({
  isIdr: fc.boolean(),
  frameNum: fc.integer({ min: 0, max: 15 }),
  pocLsb: fc.integer({ min: 0, max: 63 }),
  weights: fc.array(fc.option(fc.integer({ min: -128, max: 127 })), { minLength: 1, maxLength: 6 }),
  qpDelta: fc.integer({ min: -26, max: 25 }),
  payload: fc.uint8Array({ maxLength: 700 }),
});

/** A slice as 7.3.3 has it, and how many of its bytes are not slice data. */
function sliceNal(slice: DrawnSlice): { nal: Uint8Array; headerBytes: number } {
  const bits = new BitString()
    .ue(0)
    .ue(slice.isIdr ? 7 : 5)
    .ue(0)
    .u(4, slice.frameNum);
  if (slice.isIdr) bits.ue(0);
  bits.u(6, slice.pocLsb);
  if (!slice.isIdr) {
    bits
      .u(1, 1)
      .ue(slice.weights.length - 1)
      .u(1, 0)
      .ue(5)
      .ue(5);
    for (const weight of slice.weights) {
      if (weight === null) bits.u(1, 0);
      else bits.u(1, 1).se(weight).se(-weight);
      bits.u(1, 0);
    }
    bits.u(1, 0).ue(1);
  } else {
    bits.u(2, 0);
  }
  bits.se(slice.qpDelta).ue(0).se(-1).se(2);
  const header = withEmulationPrevention(bits.bytes());
  const nal = Uint8Array.from([slice.isIdr ? 0x65 : 0x61, ...header, ...slice.payload]);
  return { nal, headerBytes: 1 + header.length };
}

function withLength(nal: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + nal.length);
  new DataView(bytes.buffer).setUint32(0, nal.length);
  bytes.set(nal, 4);
  return bytes;
}

/** A chunk file as an encoder would write it: the samples' slices, the first sample a sync sample. */
function avcFile(samples: readonly (readonly Uint8Array[])[]): Uint8Array {
  const datas = samples.map((nals) => Buffer.concat(nals.map(withLength)));
  let offsetBytes = 0;
  const placed = datas.map((data, index) => {
    const at = offsetBytes;
    offsetBytes += data.length;
    return {
      offsetBytes: at,
      sizeBytes: data.length,
      durationTicks: 512,
      compositionOffsetTicks: 0,
      isSync: index === 0,
    };
  });
  const chunk = { bytes: new Uint8Array(Buffer.concat(datas)), samples: placed };
  const segment = writeSegment({ kind: "video", trackId: 1, sequence: 1, baseDecodeTimeTicks: 0, chunks: [chunk] });
  return Buffer.concat([avcInit(), segment.bytes]);
}

function sampleBytes(fragments: readonly Fragment[]): Buffer[] {
  return fragments.flatMap(({ bytes, samples }) =>
    samples.map(({ offsetBytes, sizeBytes }) => Buffer.from(bytes.subarray(offsetBytes, offsetBytes + sizeBytes))),
  );
}

function cbc(bytes: Uint8Array): Buffer {
  return createCipheriv("aes-128-cbc", KEY, IV).setAutoPadding(false).update(bytes);
}

const rangesArbitrary = fc.array(fc.record({ gap: fc.nat(5), size: fc.nat(800) }), { maxLength: 12 });

test("one long-lived cipher encrypts ranges as a new cipher for each range would", () => {
  const encryptor = createCbcsEncryptor(KEY, IV);
  fc.assert(
    fc.property(rangesArbitrary, fc.boolean(), (drawn, isVideo) => {
      const total = drawn.reduce((sum, range) => sum + range.gap + range.size, 0);
      const clear = Uint8Array.from({ length: total }, (_, index) => (index * 7 + (index >> 8)) & 255);
      const expected = new Uint8Array(clear);
      const actual = new Uint8Array(clear);
      let at = 0;
      const ranges = drawn.map(({ gap, size }) => {
        at += gap;
        const range = { offsetBytes: at, sizeBytes: size };
        at += size;
        return range;
      });
      for (const { offsetBytes, sizeBytes } of ranges) {
        const starts: number[] = [];
        for (let block = 0; block + 16 <= sizeBytes; block += isVideo ? 160 : 16) starts.push(offsetBytes + block);
        const gathered = cbc(Buffer.concat(starts.map((start) => clear.subarray(start, start + 16))));
        for (const [index, start] of starts.entries())
          expected.set(gathered.subarray(index * 16, index * 16 + 16), start);
      }
      if (isVideo) {
        const view = new DataView(actual.buffer);
        for (const { offsetBytes, sizeBytes } of ranges) encryptor.encryptPattern(view, offsetBytes, sizeBytes);
      } else {
        encryptor.encryptWhole(actual, ranges);
      }
      assert.deepEqual(actual, expected);
    }),
  );
});

test("an AVC slice header ends where its writer ended it", () => {
  const parser = createAvcSliceParser([SPS, PPS]);
  fc.assert(
    fc.property(sliceArbitrary, (slice) => {
      const { nal, headerBytes } = sliceNal(slice);
      assert.equal(parser.clearHeaderBytes(nal, 0, nal.length), headerBytes);
    }),
  );
});

test("a truncated slice or parameter set throws FormatError", () => {
  const { nal, headerBytes } = sliceNal({
    isIdr: false,
    frameNum: 3,
    pocLsb: 9,
    weights: [1, null],
    qpDelta: 2,
    payload: new Uint8Array(20),
  });
  const parser = createAvcSliceParser([SPS, PPS]);
  for (let end = 1; end < headerBytes; end++) assert.throws(() => parser.clearHeaderBytes(nal, 0, end), FormatError);
  for (let end = 1; end < 6; end++) assert.throws(() => createAvcSliceParser([SPS.subarray(0, end), PPS]), FormatError);
  assert.throws(() => createAvcSliceParser([SPS]).clearHeaderBytes(nal, 0, nal.length), /which avcC lacks/);
});

test("video: packaged, encrypted and decrypted again, sample by sample", () => {
  const samplesArbitrary = fc.array(fc.array(sliceArbitrary, { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(samplesArbitrary, (drawn) => {
      const sei = Uint8Array.of(6, 5, 1, 2, 0x80);
      const file = avcFile(drawn.map((slices) => [sei, ...slices.map((slice) => sliceNal(slice).nal)]));
      const packager = createTrackPackager({ init: file, protection: PROTECTION });
      const fragments = packager.readChunk(file);
      const segment = packager.packageSegment(fragments, { number: 1, baseDecodeTimeTicks: 0 });
      const before = sampleBytes(fragments);
      assert.deepEqual(sampleBytes(decryptSegment(packager.initSegment, segment.bytes, KEY)), before);
      const clear = createTrackPackager({ init: file, protection: null });
      const plain = clear.packageSegment(clear.readChunk(file), { number: 1, baseDecodeTimeTicks: 0 });
      assert.deepEqual(sampleBytes(decryptSegment(clear.initSegment, plain.bytes, KEY)), before);
      const isLong = drawn.flat().some((slice) => slice.payload.length >= 16);
      const wrongKey = decryptSegment(packager.initSegment, segment.bytes, new Uint8Array(16));
      assert.equal(Buffer.concat(sampleBytes(wrongKey)).equals(Buffer.concat(before)), !isLong);
    }),
    { numRuns: 60 },
  );
});

test("a clear count over 65535 is split", () => {
  const slice = sliceNal({ isIdr: true, frameNum: 0, pocLsb: 0, weights: [], qpDelta: 0, payload: new Uint8Array(64) });
  const file = avcFile([[new Uint8Array(150_000).fill(1).fill(6, 0, 1), slice.nal]]);
  const packager = createTrackPackager({ init: file, protection: PROTECTION });
  const fragments = packager.readChunk(file);
  const segment = packager.packageSegment(fragments, { number: 1, baseDecodeTimeTicks: 0 });
  const [decrypted] = decryptSegment(packager.initSegment, segment.bytes, KEY);
  assert.deepEqual(
    decrypted?.subsamples?.[0]?.map((range) => range.protectedBytes),
    [0, 0, 64],
  );
  assert.deepEqual(sampleBytes(decrypted === undefined ? [] : [decrypted]), sampleBytes(fragments));
});

test("the init segment announces cbcs: encv, frma, tenc with pattern 1:9 and the constant IV, pssh", () => {
  const packager = createTrackPackager({ init: avcInit(), protection: PROTECTION });
  const { tracks, pssh } = parseInit(packager.initSegment);
  assert.equal(pssh.length, 1);
  const track = tracks[0];
  assert.ok(track !== undefined && track.sampleEntry === "avc1");
  const protection = readProtection(track);
  assert.deepEqual(
    protection === null ? null : { ...protection, constantIv: Buffer.from(protection.constantIv).toString("hex") },
    {
      scheme: "cbcs",
      kid: KID,
      cryptBlocks: 1,
      skipBlocks: 9,
      perSampleIvBytes: 0,
      constantIv: IV_HEX,
    },
  );
  assert.equal(readProtection(parseTrackInit(avcInit())), null);
  assert.throws(() => createTrackPackager({ init: packager.initSegment, protection: null }), /protected already/);
});

test("bad keys, numbers and files are refused with a FormatError", () => {
  const init = avcInit();
  const refused = (changes: Partial<TrackProtection>) =>
    assert.throws(() => createTrackPackager({ init, protection: { ...PROTECTION, ...changes } }), FormatError);
  refused({ key: new Uint8Array(15) });
  refused({ kid: "0123" });
  refused({ ivHex: IV_HEX.toUpperCase() });
  const slice = sliceNal({
    isIdr: true,
    frameNum: 0,
    pocLsb: 0,
    weights: [],
    qpDelta: 0,
    payload: new Uint8Array(64),
  }).nal;
  const file = avcFile([[slice]]);
  const packager = createTrackPackager({ init: file, protection: PROTECTION });
  assert.throws(() => packager.readChunk(init), /no movie fragments/);
  const fragments = packager.readChunk(file);
  assert.throws(() => packager.packageSegment(fragments, { number: 0, baseDecodeTimeTicks: 0 }), FormatError);
  const otherSps = avcFile([[SPS, slice]]);
  assert.equal(
    packager.packageSegment(packager.readChunk(otherSps), { number: 1, baseDecodeTimeTicks: 0 }).iframes.length,
    1,
  );
  const changed = avcFile([[Uint8Array.from(SPS).fill(9, 3), slice]]);
  const read = packager.readChunk(changed);
  assert.throws(() => packager.packageSegment(read, { number: 1, baseDecodeTimeTicks: 0 }), /avcC does not have/);
  const overlong = Buffer.from(file);
  overlong.writeUInt32BE(slice.length + 1, overlong.length - slice.length - 4);
  const cut = packager.readChunk(overlong);
  assert.throws(() => packager.packageSegment(cut, { number: 1, baseDecodeTimeTicks: 0 }), /NAL unit of/);
});

test("a chunk file of another coding is refused by the name of what differs", () => {
  const slice = sliceNal({
    isIdr: true,
    frameNum: 0,
    pocLsb: 0,
    weights: [],
    qpDelta: 0,
    payload: new Uint8Array(64),
  }).nal;
  const file = avcFile([[slice]]);
  const packager = createTrackPackager({ init: file, protection: PROTECTION });
  const other = Buffer.from(file);
  other.writeUInt8(0x99, other.indexOf(PPS) + PPS.length - 1);
  assert.throws(() => packager.readChunk(other), /parameter sets/);
  const pasp = makeBox("pasp", Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 3));
  const wide = writeInit({ ...parseTrackInit(file), entryBoxes: [pasp] });
  assert.throws(() => packager.readChunk(wide), /sample entry boxes/);
});

test("a flipped bit anywhere in a chunk file gives a segment or a FormatError", () => {
  const slices = [1, 2].map(
    (frameNum) =>
      sliceNal({
        isIdr: frameNum === 1,
        frameNum,
        pocLsb: 0,
        weights: [3],
        qpDelta: 0,
        payload: new Uint8Array(40).fill(7),
      }).nal,
  );
  const file = avcFile(slices.map((nal) => [nal]));
  // A step of 11 visits all bit positions of a byte and keeps the test short.
  for (let bit = 0; bit < file.length * 8; bit += 11) {
    const flipped = Buffer.from(file);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      const packager = createTrackPackager({ init: flipped, protection: PROTECTION });
      const cut = segmentFragments(packager.readChunk(flipped), packager.track.kind, 100_000);
      for (const [index, fragments] of cut.entries()) {
        const { bytes } = packager.packageSegment(fragments, { number: index + 1, baseDecodeTimeTicks: 0 });
        decryptSegment(packager.initSegment, bytes, KEY);
      }
    } catch (error) {
      assert.ok(error instanceof FormatError, `bit ${bit}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
});

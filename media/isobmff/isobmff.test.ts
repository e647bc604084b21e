import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import {
  type AudioInit,
  type Fragment,
  makeBox,
  normaliseFragments,
  parseFragments,
  parseInit,
  parseTrackInit,
  readBoxes,
  type Sample,
  segmentFragments,
  totalDurationTicks,
  type VideoInit,
  writeInit,
  writeSegment,
  chunkOf,
} from "./index.ts";

/** High profile, level 1.2, 320 x 180, one SPS and one PPS, made by x264. */
const AVCC = Buffer.from(
  "0164000cffe1001a6764000cacd941419f9f011000000300100000030320f142996001000668eae3cb22c0fdf8f800",
  "hex",
);
/** ES_Descriptor of AAC-LC, 48 kHz, stereo. */
const ESDS = Buffer.from("0380808025000200048080801740150000000001f4000001f4000580808005119056e500068080800102", "hex");
const NONE = { durationTicks: 0, sizeBytes: 0, flags: 0 };

const VIDEO: VideoInit = {
  kind: "video",
  trackId: 1,
  timescale: 12_800,
  language: "und",
  codec: "avc1.64000c",
  editMediaTimeTicks: 0,
  sampleEntry: "avc1",
  configType: "avcC",
  config: AVCC,
  entryBoxes: [makeBox("pasp", Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 3))],
  sinf: null,
  defaults: NONE,
  width: 320,
  height: 180,
  pixelAspect: [4, 3],
};

const AUDIO: AudioInit = {
  kind: "audio",
  trackId: 2,
  timescale: 48_000,
  language: "de",
  codec: "mp4a.40.2",
  editMediaTimeTicks: 0,
  sampleEntry: "mp4a",
  configType: "esds",
  config: ESDS,
  entryBoxes: [],
  sinf: null,
  defaults: NONE,
  channels: 2,
  sampleRateHz: 48_000,
};

/** Copies every Uint8Array into a plain one, so that deepEqual compares bytes and not kinds of views. */
function plain<T>(value: T): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function fragmentOf(samples: readonly Omit<Sample, "offsetBytes">[], startTicks = 0): Fragment {
  let offsetBytes = 0;
  const placed = samples.map((sample) => {
    const at = offsetBytes;
    offsetBytes += sample.sizeBytes;
    return { ...sample, offsetBytes: at };
  });
  const bytes = Uint8Array.from({ length: offsetBytes }, (_, index) => (index * 31) & 255);
  return { bytes, baseDecodeTimeTicks: startTicks, samples: placed };
}

const sampleArbitrary = fc.record({
  sizeBytes: fc.integer({ min: 1, max: 40 }),
  durationTicks: fc.integer({ min: 1, max: 5000 }),
  compositionOffsetTicks: fc.integer({ min: -5000, max: 5000 }),
  isSync: fc.boolean(),
});
const chunksArbitrary = fc.array(fc.array(sampleArbitrary, { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 5,
});

test("an init segment says what the track says", () => {
  for (const track of [VIDEO, AUDIO]) {
    assert.deepEqual(plain(parseTrackInit(writeInit(track))), plain(track));
  }
  const pssh = makeBox("pssh", new Uint8Array(24));
  const edited = parseInit(writeInit(VIDEO, { editMediaTimeTicks: 1024, language: "pt-BR", pssh: [pssh] }));
  assert.equal(edited.tracks[0]?.editMediaTimeTicks, 1024);
  assert.equal(edited.tracks[0]?.language, "pt-BR");
  assert.deepEqual(plain(edited.pssh), plain([pssh]));
});

test("brand cmf2 is claimed for video without an edit list only", () => {
  const brandsOf = (init: Uint8Array) => Buffer.from(init.subarray(8, 64)).toString("latin1").split("moov")[0] ?? "";
  assert.ok(brandsOf(writeInit(VIDEO)).startsWith("cmfc"));
  assert.ok(brandsOf(writeInit(VIDEO)).includes("cmf2"));
  assert.ok(!brandsOf(writeInit(VIDEO, { editMediaTimeTicks: 0 })).includes("cmf2"));
  assert.ok(!brandsOf(writeInit(AUDIO)).includes("cmf2"));
});

test("segments are read back as they were written, sample by sample", () => {
  fc.assert(
    fc.property(chunksArbitrary, fc.integer({ min: 0, max: 2 ** 40 }), fc.boolean(), (lists, start, isVideo) => {
      const chunks = lists.map((list) => fragmentOf(list));
      const track = isVideo ? VIDEO : AUDIO;
      const { bytes, durationTicks } = writeSegment({
        kind: track.kind,
        trackId: track.trackId,
        sequence: 7,
        baseDecodeTimeTicks: start,
        chunks,
      });
      const parsed = parseFragments(bytes, track);
      assert.equal(parsed.length, chunks.length);
      let decodeTime = start;
      for (const [index, fragment] of parsed.entries()) {
        const chunk = chunks[index];
        assert.ok(chunk !== undefined);
        assert.equal(fragment.baseDecodeTimeTicks, decodeTime);
        decodeTime += totalDurationTicks(chunk.samples);
        for (const [at, sample] of fragment.samples.entries()) {
          const original: Sample | undefined = chunk.samples[at];
          assert.ok(original !== undefined);
          assert.deepEqual({ ...sample, offsetBytes: 0 }, { ...original, offsetBytes: 0 });
          assert.deepEqual(
            bytes.subarray(sample.offsetBytes, sample.offsetBytes + sample.sizeBytes),
            chunk.bytes.subarray(original.offsetBytes, original.offsetBytes + original.sizeBytes),
          );
        }
      }
      assert.equal(durationTicks, decodeTime - start);
    }),
  );
});

test("a segment is its chunks, one after the other", () => {
  fc.assert(
    fc.property(chunksArbitrary, (lists) => {
      const chunks = lists.map((list) => fragmentOf(list));
      const { bytes } = writeSegment({ kind: "video", trackId: 1, sequence: 1, baseDecodeTimeTicks: 0, chunks });
      const cut = chunks.map((_, index) => chunkOf(bytes, index) ?? new Uint8Array());
      assert.deepEqual(Buffer.concat(cut), Buffer.from(bytes));
      for (const index of [-1, chunks.length]) assert.equal(chunkOf(bytes, index), undefined);
    }),
  );
});

test("an I-frame's byte range is a movie fragment up to the end of its first sample", () => {
  fc.assert(
    fc.property(chunksArbitrary, (lists) => {
      const chunks = lists.map((list) => fragmentOf(list.map((sample, index) => ({ ...sample, isSync: index === 0 }))));
      const segment = writeSegment({ kind: "video", trackId: 1, sequence: 1, baseDecodeTimeTicks: 0, chunks });
      assert.equal(segment.iframes.length, chunks.length);
      const fragments = parseFragments(segment.bytes, VIDEO);
      for (const [index, frame] of segment.iframes.entries()) {
        const type = Buffer.from(segment.bytes.subarray(frame.offsetBytes + 4, frame.offsetBytes + 8)).toString(
          "latin1",
        );
        assert.equal(type, "moof");
        const first = fragments[index]?.samples[0];
        assert.ok(first !== undefined);
        assert.equal(frame.offsetBytes + frame.sizeBytes, first.offsetBytes + first.sizeBytes);
        assert.equal(frame.timeTicks, (fragments[index]?.baseDecodeTimeTicks ?? 0) + first.compositionOffsetTicks);
      }
      assert.equal(
        segment.iframes.reduce((sum, frame) => sum + frame.durationTicks, 0),
        segment.durationTicks,
      );
    }),
  );
});

test("a segment without samples is refused", () => {
  const options = { kind: "audio", trackId: 1, sequence: 1, baseDecodeTimeTicks: 0 } as const;
  assert.throws(() => writeSegment({ ...options, chunks: [] }), FormatError);
  assert.throws(() => writeSegment({ ...options, chunks: [fragmentOf([])] }), FormatError);
});

const aacFrame = { sizeBytes: 3, durationTicks: 1024, compositionOffsetTicks: 0, isSync: true };

test("whole priming frames are dropped, and the timeline starts at 0 again", () => {
  const fragments = [fragmentOf([aacFrame, aacFrame, aacFrame]), fragmentOf([aacFrame, aacFrame], 3072)];
  const countAfter = (primingTicks: number) =>
    normaliseFragments(fragments, "audio", { primingTicks }).map((fragment) => fragment.samples.length);
  assert.deepEqual(countAfter(0), [3, 2]);
  assert.deepEqual(countAfter(1023), [3, 2]);
  assert.deepEqual(countAfter(1024), [2, 2]);
  assert.deepEqual(countAfter(2112), [1, 2]);
  assert.deepEqual(countAfter(3072), [2]);
  const starts = normaliseFragments(fragments, "audio", { primingTicks: 1024 }).map((f) => f.baseDecodeTimeTicks);
  assert.deepEqual(starts, [0, 2048]);
});

test("the last duration before a fragment gives way to its decode time", () => {
  const later = [fragmentOf([aacFrame, aacFrame]), fragmentOf([aacFrame], 2148)];
  assert.equal(normaliseFragments(later, "audio")[0]?.samples[1]?.durationTicks, 1124);
  const overlapping = [fragmentOf([aacFrame, aacFrame]), fragmentOf([aacFrame], 1024)];
  assert.throws(() => normaliseFragments(overlapping, "audio"), FormatError);
});

test("video composition offsets are shifted so that the first picture is shown at 0", () => {
  const frame = (compositionOffsetTicks: number, isSync = false) => ({
    sizeBytes: 1,
    durationTicks: 10,
    compositionOffsetTicks,
    isSync,
  });
  const [fragment] = normaliseFragments([fragmentOf([frame(20, true), frame(40), frame(10)])], "video");
  assert.deepEqual(
    fragment?.samples.map((sample) => sample.compositionOffsetTicks),
    [0, 20, -10],
  );
});

test("cutting keeps every sample once and starts video segments at sync samples", () => {
  fc.assert(
    fc.property(chunksArbitrary, fc.double({ min: 500, max: 30_000, noNaN: true }), (lists, segmentTicks) => {
      const fragments = lists.map((list) =>
        fragmentOf(list.map((sample, at) => ({ ...sample, isSync: at === 0 || sample.isSync }))),
      );
      const segments = segmentFragments(fragments, "video", segmentTicks);
      assert.deepEqual(
        segments.flat().flatMap((fragment) => fragment.samples),
        fragments.flatMap((fragment) => fragment.samples),
      );
      for (const segment of segments) for (const chunk of segment) assert.ok(chunk.samples[0]?.isSync);
    }),
  );
});

test("six-second segments: three GOPs of video, audio cut at the nearest frame, no tail of its own", () => {
  const gop = Array.from({ length: 48 }, (_, index) => ({
    sizeBytes: 1,
    durationTicks: 1001,
    compositionOffsetTicks: 0,
    isSync: index === 0,
  }));
  const video = segmentFragments(
    Array.from({ length: 7 }, () => fragmentOf(gop)),
    "video",
    3 * 48 * 1001,
  );
  assert.deepEqual(
    video.map((segment) => segment.length),
    [3, 3, 1],
  );
  const audio = segmentFragments([fragmentOf(Array.from({ length: 600 }, () => aacFrame))], "audio", 6.006 * 48_000);
  const counts = audio.map((segment) => segment.reduce((sum, fragment) => sum + fragment.samples.length, 0));
  assert.deepEqual(counts, [282, 281, 37]);
  const short = segmentFragments([fragmentOf(Array.from({ length: 285 }, () => aacFrame))], "audio", 6 * 48_000);
  assert.equal(short.length, 1);
  const following = segmentFragments([fragmentOf(Array.from({ length: 300 }, () => aacFrame))], "audio", [100_000]);
  assert.deepEqual(
    following.map((segment) => segment[0]?.samples.length),
    [98, 202],
  );
});

/** A small file of our own writer, as an encoder would make it. */
function smallFile(): Uint8Array {
  const frame = (isSync: boolean) => ({ sizeBytes: 5, durationTicks: 512, compositionOffsetTicks: -3, isSync });
  const chunks = [fragmentOf([frame(true), frame(false)]), fragmentOf([frame(true), frame(false), frame(false)])];
  const segment = writeSegment({ kind: "video", trackId: 1, sequence: 1, baseDecodeTimeTicks: 0, chunks });
  return Buffer.concat([writeInit(VIDEO), segment.bytes]);
}

function readEverything(bytes: Uint8Array): void {
  for (const track of parseInit(bytes).tracks) normaliseFragments(parseFragments(bytes, track), track.kind);
}

function assertOnlyFormatError(bytes: Uint8Array, name: string): void {
  try {
    readEverything(bytes);
  } catch (error) {
    assert.ok(error instanceof FormatError, `${name}: ${String(error)}`);
  }
}

test("every truncation and every flipped bit gives an answer or a FormatError", () => {
  const whole = smallFile();
  readEverything(whole);
  for (let length = 0; length < whole.length; length++)
    assertOnlyFormatError(whole.subarray(0, length), `cut at ${length}`);
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assertOnlyFormatError(flipped, `bit ${bit}`);
  }
});

test("random bytes and boxes within boxes give an answer or a FormatError", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assertOnlyFormatError(bytes, "random bytes")));
  let nested = new Uint8Array();
  for (let depth = 0; depth < 500; depth++) nested = new Uint8Array(makeBox("moov", nested));
  assertOnlyFormatError(nested, "500 boxes deep");
  const zeroes = Buffer.alloc(1 << 20, Buffer.from([0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65]));
  assertOnlyFormatError(zeroes, "a megabyte of empty boxes");
});

test("a run that claims more samples than the file has bytes is refused before they are made", () => {
  const bytes = Buffer.from(smallFile());
  const trun = bytes.indexOf("trun");
  bytes.writeUInt32BE(0, trun + 4);
  bytes.writeUInt32BE(0xffffffff, trun + 8);
  assert.throws(() => readEverything(bytes), /more than 65536 samples/);
});

test("readBoxes refuses boxes that do not tile their range", () => {
  assert.throws(() => readBoxes(Uint8Array.of(0, 0, 0, 7, 1, 2, 3, 4)), FormatError);
  assert.throws(() => readBoxes(Uint8Array.of(0, 0, 0, 8, 1, 2, 3, 4, 0)), FormatError);
  assert.equal(readBoxes(Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4, 9))[0]?.endBytes, 9);
});

const dataFolder = process.env.MARQUEE_TESTDATA;

test("hostile files of other projects", { skip: dataFolder === undefined && "MARQUEE_TESTDATA is not set" }, () => {
  const root = join(dataFolder ?? "", "hostile");
  let files = 0;
  for (const folder of ["mp4-synthetic", "mp4parse-rust", "mux.js", "cml-isobmff", "mediabunny", "mp4parser"]) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      files++;
      assertOnlyFormatError(readFileSync(join(entry.parentPath, entry.name)), entry.name);
    }
  }
  assert.ok(files > 100);
  const fragmented = readFileSync(join(root, "cml-isobmff", "test_frag.mp4"));
  const [video, audio] = parseInit(fragmented).tracks;
  assert.ok(video?.codec === "avc1.64000c" && audio?.codec === "mp4a.40.2");
  assert.ok(parseFragments(fragmented, video).length > 0);
});

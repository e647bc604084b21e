import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import fc from "fast-check";
import * as hlsParser from "hls-parser";
import { type LivePlaylist, type LiveSegmentEntry, writeLivePlaylist } from "./live.ts";
import { parseMediaPlaylist } from "./parse.ts";

/** The part of m3u8-parser that these tests read; the package has no types. */
interface M3u8Parser {
  push(text: string): void;
  end(): void;
  readonly manifest: {
    readonly mediaSequence: number;
    readonly partTargetDuration: number;
    readonly serverControl: { readonly canBlockReload: boolean; readonly partHoldBack: number };
    readonly segments: readonly { readonly duration: number; readonly uri: string }[];
    readonly preloadSegment?: { readonly preloadHints?: readonly { readonly uri: string }[] };
  };
}
const { Parser } = createRequire(import.meta.url)("m3u8-parser") as { Parser: new () => M3u8Parser };

const KIDS = ["0".repeat(32), "1".repeat(32)];
const drm = new Map(KIDS.map((kid) => [kid, { pssh: {}, fairplayUri: `skd://${kid}` }]));

/** A channel with holes, new beginnings, changes of key and a segment that grows. */
const playlists: fc.Arbitrary<LivePlaylist> = fc
  .record({
    first: fc.integer({ min: 1, max: 900_000_000 }),
    serial: fc.integer({ min: 0, max: 5 }),
    shape: fc.array(
      fc.record({
        isGap: fc.boolean(),
        isNewRun: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
        kid: fc.constantFrom(...KIDS),
        parts: fc.array(fc.constantFrom(0.49067, 0.5, 0.512), { minLength: 1, maxLength: 4 }),
      }),
      { minLength: 1, maxLength: 40 },
    ),
    isGrowing: fc.boolean(),
  })
  .map(({ first, serial, shape, isGrowing }) => {
    let runSerial = serial;
    const segments = shape.map(({ isGap, isNewRun, kid, parts }, index): LiveSegmentEntry => {
      if (isNewRun && index > 0) runSerial++;
      const isLast = index === shape.length - 1;
      return {
        number: first + index,
        startMs: (first + index) * 2_000,
        durationS: isGap ? 2 : parts.reduce((sum, part) => sum + part, 0),
        parts: isGap ? [] : parts.map((durationS) => ({ durationS, isIndependent: true })),
        isWhole: !(isLast && isGrowing && !isGap),
        isGap,
        runSerial,
        init: `init-${KIDS.indexOf(kid)}.mp4`,
        key: { kid, ivHex: "ab".repeat(16) },
      };
    });
    const last = segments.at(-1);
    return {
      ...{ segments, targetDurationS: 2, partTargetS: 0.512, drm },
      hint: { number: (last?.number ?? 0) + 1, part: 0, init: last?.init ?? null, key: last?.key ?? null },
      reports: [{ uri: "../audio-en/index.m3u8", number: last?.number ?? 0, part: 0 }],
    };
  });

describe("live playlists", () => {
  test("property: are read again as they were meant", () => {
    fc.assert(
      fc.property(playlists, (playlist) => {
        const read = parseMediaPlaylist(writeLivePlaylist(playlist));
        const whole = playlist.segments.filter(({ isWhole }) => isWhole);
        const first = playlist.segments[0];
        assert.equal(read.mediaSequence, first?.number);
        assert.equal(read.discontinuitySequence, first?.runSerial);
        assert.equal(read.endList, false);
        assert.equal(read.segments.length, whole.length);
        let serial = read.discontinuitySequence;
        for (const [index, segment] of read.segments.entries()) {
          const meant = whole[index];
          assert.ok(meant);
          if (segment.discontinuity) serial += 1;
          assert.equal(serial, meant.runSerial, "each new beginning is one discontinuity");
          assert.equal(segment.uri, `seg-${meant.number}.m4s`);
          assert.equal(segment.gap, meant.isGap);
          assert.ok(Math.abs(segment.durationS - meant.durationS) < 1e-4);
          assert.equal(segment.map?.uri, meant.init);
          assert.equal(segment.keys[0]?.uri, `skd://${meant.key?.kid}`);
        }
        assert.equal(
          read.trailingParts.length,
          playlist.segments.at(-1)?.isWhole ? 0 : playlist.segments.at(-1)?.parts.length,
        );
        assert.equal(read.preloadHints[0]?.["URI"], `seg-${playlist.hint?.number}.0.m4s`);
        const control = read.serverControl ?? {};
        assert.ok(Number(control["PART-HOLD-BACK"]) >= 3 * (read.partTargetS ?? 0) - 1e-9);
        assert.ok(Number(control["CAN-SKIP-UNTIL"]) >= 6 * read.targetDurationS);
      }),
    );
  });

  test("property: a delta update and what it leaves out are the whole playlist", () => {
    fc.assert(
      fc.property(playlists, (playlist) => {
        const whole = parseMediaPlaylist(writeLivePlaylist(playlist));
        const delta = parseMediaPlaylist(writeLivePlaylist(playlist, { skip: true }));
        const skipped = delta.skippedSegments;
        const tell = ({ uri, durationS, gap, map, keys, parts }: (typeof whole.segments)[number]) => ({
          ...{ uri, durationS, gap, parts, map: map?.uri, kid: keys[0]?.uri },
        });
        assert.equal(skipped + delta.segments.length, whole.segments.length);
        assert.deepEqual(delta.segments.map(tell), whole.segments.slice(skipped).map(tell));
        assert.deepEqual(delta.trailingParts, whole.trailingParts);
        // What is skipped ends at least the skip boundary before the end.
        const keptS = playlist.segments.slice(skipped).reduce((sum, { durationS }) => sum + durationS, 0);
        assert.ok(skipped === 0 || keptS >= 12);
      }),
    );
  });

  test("property: other readers read the same", () => {
    fc.assert(
      fc.property(playlists, (playlist) => {
        const text = writeLivePlaylist(playlist);
        const parser = new Parser();
        parser.push(text);
        parser.end();
        const { manifest } = parser;
        const whole = playlist.segments.filter(({ isWhole }) => isWhole);
        assert.equal(manifest.mediaSequence, playlist.segments[0]?.number);
        assert.deepEqual(
          manifest.segments.slice(0, whole.length).map(({ uri }) => uri),
          whole.map(({ number }) => `seg-${number}.m4s`),
        );
        assert.equal(manifest.serverControl.canBlockReload, true);
        assert.equal(manifest.partTargetDuration, 0.512);
        const parsed = hlsParser.parse(text);
        assert.ok(parsed instanceof hlsParser.types.MediaPlaylist);
        assert.equal(parsed.mediaSequenceBase, playlist.segments[0]?.number);
        assert.equal(parsed.lowLatencyCompatibility?.canBlockReload, true);
      }),
      { numRuns: 30 },
    );
  });

  test("a part under a new key is hinted at behind its key", () => {
    const [playlist] = fc.sample(playlists, { numRuns: 1, seed: 1 });
    assert.ok(playlist?.hint);
    const kid = "2".repeat(32);
    const text = writeLivePlaylist({
      ...playlist,
      hint: { ...playlist.hint, init: "init-2.mp4", key: { kid, ivHex: "ab".repeat(16) } },
      drm: new Map([...drm, [kid, { pssh: {}, fairplayUri: `skd://${kid}` }]]),
    });
    assert.match(text, /#EXT-X-MAP:URI="init-2\.mp4"\n#EXT-X-KEY:[^\n]*skd:\/\/2{32}[^\n]*\n#EXT-X-PRELOAD-HINT/);
  });

  test("a playlist of one reader's own says how far from its end players stay, and takes no requests that wait", () => {
    const [playlist] = fc.sample(playlists, { numRuns: 1, seed: 1 });
    assert.ok(playlist);
    const whole = { ...playlist, partTargetS: null, hint: null, reports: [], isOwn: true };
    const { serverControl } = parseMediaPlaylist(writeLivePlaylist({ ...whole, targetDurationS: 6 }));
    assert.deepEqual({ ...serverControl }, { "HOLD-BACK": "18.0" });
  });

  test("a span of the past is a playlist that ends", () => {
    const [playlist] = fc.sample(playlists, { numRuns: 1, seed: 1 });
    assert.ok(playlist);
    const segments = playlist.segments.map((segment) => ({ ...segment, isWhole: true, parts: [] }));
    const text = writeLivePlaylist({
      ...playlist,
      segments,
      partTargetS: null,
      hint: null,
      reports: [],
      isEnded: true,
    });
    assert.equal(parseMediaPlaylist(text).endList, true);
    assert.doesNotMatch(text, /SERVER-CONTROL|PRELOAD-HINT|EXT-X-PART/);
    assert.throws(() => writeLivePlaylist({ ...playlist, segments: [] }), RangeError);
    assert.throws(() => writeLivePlaylist({ ...playlist, drm: new Map() }), /nothing is known of key/);
  });
});

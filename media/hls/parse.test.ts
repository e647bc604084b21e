import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import { parseHls, parseMediaPlaylist, parseMultivariantPlaylist } from "./index.ts";

const data = process.env["MARQUEE_TESTDATA"];
const withData = data === undefined ? { skip: "MARQUEE_TESTDATA is not set" } : {};

const media = (...lines: string[]): string => ["#EXTM3U", "#EXT-X-TARGETDURATION:6", ...lines, ""].join("\n");

describe("media playlists", () => {
  test("carry tags over to the segments that they apply to", () => {
    const { segments } = parseMediaPlaylist(
      media(
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",KEYFORMAT="com.apple.streamingkeydelivery"',
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:,x",KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",KEYID=0xAA000000000000000000000000000001',
        '#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"',
        "#EXTINF:6,one, with a comma",
        "#EXT-X-BYTERANGE:10@100",
        "all.mp4",
        "#EXTINF:5.5",
        "#EXT-X-BYTERANGE:20",
        "all.mp4",
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1F',
        "#EXTINF:6,",
        "b.ts",
        "#EXT-X-KEY:METHOD=NONE",
        "#EXTINF:6,",
        "#EXT-X-GAP",
        "c.ts",
      ),
    );
    assert.deepEqual(
      segments.map((s) => [s.uri, s.byteRange?.offsetBytes, s.keys.length, s.discontinuity, s.gap, s.line]),
      [
        ["all.mp4", 100, 2, false, false, 8],
        ["all.mp4", 110, 2, false, false, 11],
        ["b.ts", undefined, 1, true, false, 15],
        ["c.ts", undefined, 0, false, true, 19],
      ],
    );
    assert.equal(segments[0]?.title, "one, with a comma");
    assert.equal(segments[0]?.keys[1]?.keyId, "aa000000000000000000000000000001");
    assert.equal(segments[2]?.keys[0]?.ivHex, `${"0".repeat(30)}1f`);
    assert.deepEqual(segments[3]?.map, { uri: "init.mp4", byteRange: { lengthBytes: 100, offsetBytes: 0 } });
  });

  test("hold low-latency parts and replace variables", () => {
    const playlist = parseMediaPlaylist(
      media(
        '#EXT-X-DEFINE:NAME="host",VALUE="http://h"',
        "#EXT-X-PART-INF:PART-TARGET=0.5",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5",
        '#EXT-X-PART:DURATION=0.5,URI="{$host}/1.mp4",BYTERANGE="10@0",INDEPENDENT=YES',
        '#EXT-X-PART:DURATION=0.5,URI="{$host}/1.mp4",BYTERANGE="5"',
        "#EXTINF:1,",
        "{$host}/1.mp4",
        '#EXT-X-PART:DURATION=0.5,URI="2.mp4"',
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="3.mp4"',
      ),
    );
    assert.equal(playlist.segments[0]?.uri, "http://h/1.mp4");
    assert.deepEqual(
      playlist.segments[0]?.parts.map((part) => [part.byteRange?.offsetBytes, part.independent]),
      [
        [0, true],
        [10, false],
      ],
    );
    assert.deepEqual([playlist.trailingParts.length, playlist.partTargetS, playlist.preloadHints.length], [1, 0.5, 1]);
  });

  test("are refused with the line at fault", () => {
    const cases: [string, RegExp][] = [
      ["", /line 1: the playlist is empty/],
      ["hello", /line 1: .*#EXTM3U.*'hello'/],
      ["#EXTM3U\n", /line 1: nothing/],
      ["#EXTM3U\n#EXTINF:6,\na.ts\n", /EXT-X-TARGETDURATION is missing/],
      [media("a.ts"), /line 3: a URI needs an EXTINF/],
      [media("#EXTINF:six,", "a.ts"), /line 3: EXTINF.*'six'/],
      [media("#EXTINF:-1,", "a.ts"), /line 3: EXTINF/],
      [media("#EXTINF:6,", "#EXTINF:6,", "a.ts"), /line 4: two EXTINF/],
      [media("#EXTINF:6,"), /line 3: the playlist ends/],
      [media("#EXT-X-TARGETDURATION:6"), /line 3: .*twice/],
      [media("#EXT-X-KEY:METHOD=AES-128"), /line 3: EXT-X-KEY: the attribute URI is missing/],
      [media('#EXT-X-MAP:URI="a",URI="b"'), /line 3: EXT-X-MAP: .*twice/],
      [media('#EXT-X-MAP:URI="a'), /line 3: EXT-X-MAP/],
      [media('#EXT-X-MAP:URI="a",'), /line 3: .*comma/],
      [media("#EXTINF:6,", "#EXT-X-BYTERANGE:5", "a.ts"), /line 4: .*offset/],
      [media("#EXT-X-MEDIA-SEQUENCE:99999999999999999999"), /line 3: .*2\^53/],
      [media("#EXTINF:6,", "a\u0000.ts"), /line 4: .*control/],
      [media("#EXT-X-STREAM-INF:BANDWIDTH=1", "a"), /line 3: .*belongs to multivariant|line 2: .*belongs to media/],
      [media('#EXT-X-DEFINE:NAME="a",VALUE="b"', "#EXTINF:6,", "{$c}"), /line 5: .*\{\$c\}/],
      ['#EXTM3U\n#EXT-X-STREAM-INF:CODECS="x"\na', /line 2: .*BANDWIDTH/],
      ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", /line 2: .*ends before its URI/],
      ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=big\na", /RESOLUTION 'big'/],
      ['#EXTM3U\n#EXT-X-MEDIA:TYPE=SMELL,GROUP-ID="a",NAME="b"', /line 2: .*TYPE/],
    ];
    for (const [text, expected] of cases)
      assert.throws(
        () => parseHls(text),
        (error) => error instanceof FormatError && expected.test(error.message),
        text,
      );
  });

  test("are bounded", () => {
    const text = media(...Array.from({ length: 10 }, () => "#EXTINF:6,\na.ts"));
    assert.equal(parseMediaPlaylist(text, { segmentsMax: 10 }).segments.length, 10);
    assert.throws(() => parseHls(text, { segmentsMax: 9 }), /more than 9 segments/);
    assert.throws(() => parseHls(text, { charsMax: 50 }), /at most 50/);
    assert.throws(() => parseHls(media(`#EXT-X-A:${"x".repeat(70_000)}`)), /line 3: the line has/);
    assert.throws(
      () => parseHls(media(`#EXT-X-MAP:${Array.from({ length: 65 }, (_, i) => `A${i}=1`).join(",")}`)),
      /more than 64 attributes/,
    );
  });

  test("are told from multivariant ones", () => {
    const main = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n";
    assert.equal(parseMultivariantPlaylist(main).variants[0]?.uri, "a.m3u8");
    assert.throws(() => parseMediaPlaylist(main), FormatError);
    assert.throws(() => parseMultivariantPlaylist(media("#EXT-X-ENDLIST")), FormatError);
  });

  test("survive anything, with a FormatError at worst", () => {
    const tags =
      'EXTINF:6, EXT-X-KEY:METHOD=NONE EXT-X-MAP:URI="a" EXT-X-BYTERANGE:5@1 EXT-X-MEDIA-SEQUENCE:1 EXT-X-STREAM-INF:BANDWIDTH=1 EXT-X-PART:DURATION=1,URI="b" EXT-X-DISCONTINUITY EXT-X-TILES:RESOLUTION=1x1,LAYOUT=1x1 EXT-X-DEFINE:NAME="n",VALUE="v"'.split(
        " ",
      );
    const line = fc.oneof(
      fc.constantFrom(...tags.map((tag) => `#${tag}`), "a.ts", "{$n}"),
      fc.string({ maxLength: 20 }),
      fc.string({ maxLength: 20 }).map((s) => `#EXT-X-KEY:${s}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        try {
          const playlist = parseHls(media(...lines));
          assert.ok(
            playlist.kind === "multivariant" || playlist.segments.every((s) => s.durationS >= 0 && s.uri !== ""),
          );
        } catch (error) {
          assert.ok(error instanceof FormatError && /^hls: line \d+: /.test(error.message), String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** Files of m3u8-parser's own tests that break the RFC, and why. */
const BROKEN: Readonly<Record<string, RegExp>> = {
  "emptyTargetDuration.m3u8": /TARGETDURATION is ''/,
  "extinf.m3u8": /line 9: EXTINF/,
  "invalidMediaSequence.m3u8": /gobblegobble/,
  "llhls-byte-range.m3u8": /587500@/,
  "llhls-delta-byte-range.m3u8": /two EXTINF/,
  "llhlsDelta.m3u8": /RECENTLY-REMOVED-DATERANGES/,
  "manifestExtTTargetdurationNegative.m3u8": /-10/,
  "master.m3u8": /#EXTM3U/,
  "missingExtinf.m3u8": /line 8: a URI needs an EXTINF/,
  "negativeMediaSequence.m3u8": /-11/,
  "versionInvalid.m3u8": /NaN/,
};

interface Expected {
  mediaSequence?: number;
  targetDuration?: number;
  segments?: {
    uri?: string;
    duration?: number;
    byterange?: { length: number; offset: number };
    discontinuity?: boolean;
  }[];
  playlists?: { uri: string; attributes: { BANDWIDTH: number } }[];
}

describe("collected playlists", withData, () => {
  const files = data === undefined ? [] : globSync(join(data, "manifests/**/*.m3u8"));

  test("are read, but for those that break the RFC", () => {
    assert.ok(files.length > 100);
    let read = 0;
    for (const file of files) {
      const text = readFileSync(file, "utf8");
      const broken = file.includes("m3u8-parser") ? BROKEN[basename(file)] : undefined;
      if (broken !== undefined) {
        assert.throws(() => parseHls(text), broken, file);
        continue;
      }
      parseHls(text);
      read++;
    }
    assert.equal(read, files.length - Object.keys(BROKEN).length);
  });

  test("say what m3u8-parser says they say", () => {
    let compared = 0;
    for (const file of files) {
      const expectedFile = file.replace(/([^/]+)\.m3u8$/, "expected/$1.json");
      if (!existsSync(expectedFile) || BROKEN[basename(file)] !== undefined) continue;
      const expected = JSON.parse(readFileSync(expectedFile, "utf8")) as Expected;
      const parsed = parseHls(readFileSync(file, "utf8"));
      if (parsed.kind === "multivariant") {
        const ours = parsed.variants.map((v) => [v.uri, v.bandwidthBps]);
        assert.deepEqual(
          ours,
          expected.playlists?.map((p) => [p.uri, p.attributes.BANDWIDTH]),
          file,
        );
      } else {
        const ours = parsed.segments.map((s) => [
          s.uri,
          s.durationS,
          s.byteRange?.lengthBytes,
          s.byteRange?.offsetBytes,
        ]);
        const theirs = (expected.segments ?? []).filter((s) => s.uri !== undefined);
        // m3u8-parser lengthens segments of no duration to 10 ms.
        assert.deepEqual(
          ours,
          theirs.map((s) => [s.uri, s.duration === 0.01 ? 0 : s.duration, s.byterange?.length, s.byterange?.offset]),
          file,
        );
      }
      compared++;
    }
    assert.ok(compared >= 20, `only ${compared} were compared`);
  });
});

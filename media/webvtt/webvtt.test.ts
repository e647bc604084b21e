import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import {
  type Cue,
  formatTimestamp,
  parseSrt,
  parseWebvtt,
  plainText,
  sanitizeCueText,
  segmentWebvtt,
  timestampMapOffsetMs,
  writeWebvtt,
} from "./index.ts";

const data = process.env["MARQUEE_TESTDATA"];
const withData = data === undefined ? { skip: "MARQUEE_TESTDATA is not set" } : {};
const caption = (name: string): Buffer => readFileSync(join(data ?? "", "captions", name));

const cue = (startMs: number, endMs: number, text: string): Cue => ({ id: null, startMs, endMs, settings: "", text });

const cueArbitrary: fc.Arbitrary<Cue> = fc
  .record({
    id: fc.option(
      fc.stringMatching(/^[A-Za-z0-9 ]{1,12}$/).map((id) => `id ${id.trim()}`.trim()),
      { nil: null },
    ),
    startMs: fc.integer({ min: 0, max: 36_000_000 }),
    lengthMs: fc.integer({ min: 1, max: 20_000 }),
    settings: fc.constantFrom(
      "",
      "line:0",
      "line:12.5%,end align:start",
      "position:30%,line-left size:40%",
      "vertical:rl",
    ),
    text: fc
      .string({ minLength: 1, maxLength: 80 })
      .map(sanitizeCueText)
      .filter((text) => text !== ""),
  })
  .map(({ lengthMs, ...rest }) => ({ ...rest, endMs: rest.startMs + lengthMs }));

describe("WebVTT parser", () => {
  test("reads identifiers, settings, notes, styles and regions", () => {
    const document = parseWebvtt(
      "WEBVTT - a title\nKind: captions\n\nNOTE hi\nthere\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:fred width:40%\n\n" +
        "intro\n00:01.000 --> 01:00:02.500 line:0 nonsense:1 position:50%,center size:120%\n<v Ann>Hi & <i>bye\n",
    );
    assert.deepEqual(document.cues, [
      {
        id: "intro",
        startMs: 1000,
        endMs: 3_602_500,
        settings: "line:0 position:50%,center",
        text: "<v Ann>Hi &amp; <i>bye</i></v>",
      },
    ]);
    assert.deepEqual([document.styles, document.regions], [["::cue { color: red }"], ["id:fred width:40%"]]);
  });

  test("drops styles that could call home, and says so", () => {
    for (const css of ["::cue{background:url(http://x)}", '@import "x";', "::cue{background:\\75rl(x)}"]) {
      const document = parseWebvtt(`WEBVTT\n\nSTYLE\n${css}\n\n00:01.000 --> 00:02.000\nx\n`);
      assert.deepEqual([document.styles.length, document.warnings.length, document.cues.length], [0, 1, 1]);
    }
  });

  test("is bounded", () => {
    const many = `WEBVTT\n\n${"00:01.000 --> 00:02.000\nx\n\n".repeat(11)}`;
    assert.equal(parseWebvtt(many, { cuesMax: 11 }).cues.length, 11);
    assert.throws(() => parseWebvtt(many, { cuesMax: 10 }), /more than 10 cues/);
    assert.throws(() => parseWebvtt(many, { sizeBytesMax: 20 }), /at most 20/);
    const long = parseWebvtt(`WEBVTT\n\n00:01.000 --> 00:02.000\n${"x".repeat(5000)}\n`);
    assert.deepEqual([long.cues.length, long.warnings.length], [0, 1]);
  });

  test("reads what it writes", () => {
    fc.assert(
      fc.property(fc.array(cueArbitrary, { maxLength: 20 }), (cues) => {
        const sorted = cues.toSorted((a, b) => a.startMs - b.startMs);
        const document = parseWebvtt(writeWebvtt({ cues: sorted }));
        assert.deepEqual(document.cues, sorted);
        assert.deepEqual(document.warnings, []);
      }),
    );
  });

  test("survives anything, with a FormatError at worst", () => {
    const line = fc.constantFrom(
      "WEBVTT",
      "",
      "00:01.000 --> 00:02.000",
      "-->",
      "NOTE",
      "STYLE",
      "REGION",
      "id:a",
      "<b",
      "</b>",
      "&#xffffff;",
      "1",
      "00:00:01,5 --> 0:0:9,1",
    );
    const anything = fc.oneof(
      fc.string(),
      fc
        .array(fc.oneof(line, fc.string({ maxLength: 30 })), { maxLength: 30 })
        .map((lines) => `WEBVTT\n${lines.join("\n")}`),
      fc.uint8Array({ maxLength: 200 }),
    );
    fc.assert(
      fc.property(anything, fc.boolean(), (input, lenient) => {
        for (const parse of [parseWebvtt, parseSrt]) {
          try {
            const document = parse(input, { lenient });
            // Whatever was read can be written, and reads back the same: nothing in a cue breaks out of it.
            assert.deepEqual(
              parseWebvtt(writeWebvtt(document)).cues.map((c) => c.text),
              document.cues.map((c) => c.text),
            );
          } catch (error) {
            if (!(error instanceof FormatError)) throw error;
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("cue text", () => {
  test("keeps the standard's tags, closed and nested, and nothing else", () => {
    const cases: [string, string][] = [
      ["<b><i>x</b> <c.red>y <script>alert(1)</script>", "<b><i>x <c.red>y alert(1)</c></i></b>"],
      ["<img src=x onerror=alert(1)>hi", "hi"],
      ["a < b", "a"],
      ["1 &lt; 2 &amp;&amp; 3 > 2 &nope;", "1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;nope;"],
      ["<ruby>漢<rt>kan</ruby>!", "<ruby>漢<rt>kan</rt></ruby>!"],
      ["<00:00:01.500>karaoke<99:99.000>", "<00:00:01.500>karaoke"],
      ['<v Mary "<b>">x', '<v Mary "&lt;b>"&gt;x</v>'],
      ["a\n\n--> b", "a\n--&gt; b"],
    ];
    for (const [input, expected] of cases) assert.equal(sanitizeCueText(input), expected, input);
  });

  test("is a fixed point, and holds no raw markup but known tags", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ maxLength: 10 }),
            fc.constantFrom("<b>", "</b>", "<c.x>", "<rt>", "<ruby>", "</ruby>", "<v A>", "&amp;", "<", ">", "\n"),
          ),
        ),
        (parts) => {
          const once = sanitizeCueText(parts.join(""));
          assert.equal(sanitizeCueText(once), once);
          const rest = once.replace(/<\/?(?:b|i|u|c|v|lang|ruby|rt)(?:\.[^\s.<>&]+)*(?: [^<>]*)?>|<[\d:.]+>/g, "");
          assert.doesNotMatch(rest, /[<>]/);
        },
      ),
    );
  });

  test("gives plain text", () => {
    assert.equal(plainText("<v Ann>1 &lt; <i>2</i> &#x41;&#66;</v>"), "1 < 2 AB");
  });
});

describe("SubRip", () => {
  test("reads dirty files", () => {
    const document = parseSrt(
      "\uFEFF1\r\n0:00:01,5 --> 00:00:02,000 X1:40 X2:600\r\n{\\an8}<font color=red>Hé</font> <i>lo\r\n\r\n\r\n2\r\n00:00:03.000 --> 00:00:04.000\r\nb\r\nc\r\n",
    );
    assert.deepEqual(document.cues, [
      { ...cue(1500, 2000, "Hé <i>lo</i>"), settings: "line:0" },
      cue(3000, 4000, "b\nc"),
    ]);
  });

  test("guesses the encoding", () => {
    const text = "1\n00:00:01,000 --> 00:00:02,000\nça été\n";
    assert.equal(parseSrt(Buffer.from(text, "latin1")).cues[0]?.text, "ça été");
    assert.equal(parseSrt(Buffer.from(`\uFEFF${text}`, "utf16le")).cues[0]?.text, "ça été");
    assert.equal(parseSrt(Buffer.from(text, "utf8")).cues[0]?.text, "ça été");
  });

  test("refuses what holds no cue", () => {
    assert.throws(() => parseSrt("hello"), FormatError);
  });
});

describe("segments", () => {
  test("repeat cues that cross borders, and carry the timestamp map", () => {
    const cues = [cue(0, 6000, "a"), cue(5000, 13_000, "b"), cue(12_000, 99_000, "c"), cue(20_000, 21_000, "late")];
    const segments = segmentWebvtt(
      { cues, styles: ["::cue{}"], regions: [], timestampMap: null, warnings: [] },
      { totalS: 14.5 },
    );
    assert.deepEqual(
      segments.map((segment) => segment.durationS),
      [6, 6, 2.5],
    );
    assert.deepEqual(
      segments.map((segment) => parseWebvtt(segment.text).cues.map((c) => [c.text, c.startMs, c.endMs])),
      [
        [
          ["a", 0, 6000],
          ["b", 5000, 13_000],
        ],
        [["b", 5000, 13_000]],
        [
          ["b", 5000, 13_000],
          ["c", 12_000, 14_500],
        ],
      ],
    );
    for (const { text } of segments) {
      assert.ok(text.startsWith("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\nSTYLE\n::cue{}\n"));
    }
  });

  test("hold every cue wherever it is visible, and nowhere else", () => {
    fc.assert(
      fc.property(fc.array(cueArbitrary, { maxLength: 10 }), fc.integer({ min: 1, max: 40_000 }), (cues, totalS) => {
        const document = { cues, styles: [], regions: [], timestampMap: null, warnings: [] };
        const segments = segmentWebvtt(document, { totalS, segmentS: 600 });
        assert.ok(Math.abs(segments.reduce((sum, segment) => sum + segment.durationS, 0) - totalS) < 1e-6);
        segments.forEach((segment, index) => {
          const [from, to] = [index * 600_000, Math.min(totalS, (index + 1) * 600) * 1000];
          const expected = cues.filter((c) => c.startMs < to && c.endMs > from).map((c) => c.text);
          assert.deepEqual(
            parseWebvtt(segment.text)
              .cues.map((c) => c.text)
              .toSorted(),
            expected.toSorted(),
          );
        });
      }),
      { numRuns: 50 },
    );
  });

  test("undo the source's own timestamp map", () => {
    const document = parseWebvtt(
      "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:05.000,MPEGTS:900000\n\n00:06.000 --> 00:07.000\nx\n",
    );
    assert.equal(document.timestampMap === null ? null : timestampMapOffsetMs(document.timestampMap), 5000);
    const [first, second] = segmentWebvtt(document, { totalS: 12 });
    assert.equal(parseWebvtt(first?.text ?? "").cues.length, 0);
    assert.equal(parseWebvtt(second?.text ?? "").cues[0]?.startMs, 11_000);
  });

  test("are bounded", () => {
    const document = { cues: [], styles: [], regions: [], timestampMap: null, warnings: [] };
    for (const totalS of [0, -1, Number.NaN, 1e9]) assert.throws(() => segmentWebvtt(document, { totalS }), RangeError);
  });

  test("write times with hours", () => {
    assert.deepEqual([0, 61_234, 360_000_000].map(formatTimestamp), ["00:00:00.000", "00:01:01.234", "100:00:00.000"]);
  });
});

describe("broken caption files", withData, () => {
  const counts = (name: string, lenient = false): number =>
    parseWebvtt(caption(`broken-synthetic/${name}`), { lenient }).cues.length;

  test("do what is expected of them", () => {
    assert.throws(() => counts("no-header.vtt"), /WEBVTT/);
    assert.deepEqual([counts("bom.vtt"), counts("crlf.vtt")], [1, 1]);
    assert.deepEqual([counts("comma-ms.vtt"), counts("comma-ms.vtt", true)], [0, 1]);
    assert.equal(counts("minutes-60.vtt"), 0);
    assert.deepEqual(
      parseWebvtt(caption("broken-synthetic/unclosed-tags.vtt")).cues.map((c) => c.text),
      ["<b><i>x <c.red>y alert(1)</c></i></b>"],
    );
    const mapped = parseWebvtt(caption("broken-synthetic/x-timestamp-map.vtt"));
    assert.deepEqual([mapped.cues.length, mapped.timestampMap], [1, { mpegts: 900_000, localMs: 0 }]);
    assert.deepEqual(
      parseWebvtt(caption("broken-synthetic/arrow-in-text.vtt")).cues.map((c) => c.text),
      [""],
    );
    assert.equal(parseSrt(caption("broken-synthetic/srt-no-blank-line.srt")).cues.length, 2);
  });

  test("and real ones are read whole", () => {
    const real = [
      "tears-of-steel/Tears_Of_Steel_nld.vtt",
      "tears-of-steel/Tears_Of_Steel_rus.vtt",
      "subsrt/sample.vtt",
    ];
    for (const name of real) {
      const arrows = caption(name)
        .toString("utf8")
        .match(/^[\d:.]+ --> [\d:.]+/gm)?.length;
      const document = parseWebvtt(caption(name));
      assert.equal(document.cues.length, arrows, name);
      assert.ok(
        document.cues.every((c) => c.text !== ""),
        name,
      );
    }
    const srt = caption("subsrt/sample.srt").toString("utf8");
    assert.equal(parseSrt(srt).cues.length, srt.match(/-->/g)?.length);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { LiveSegmentEntry } from "#media/hls";
import type { Presentation } from "#media/presentation";
import { breakWindows, type InsertedBreak, insertedBreak, periodsAround, withBreaks } from "./domain-breaks.ts";

/** An ad with segments of six seconds. */
function adOf(contentId: string, durationS: number): Presentation {
  const segments = Array.from({ length: Math.ceil(durationS / 6) }, (_, index) => ({
    ...{ durationTicks: Math.min(6, durationS - index * 6) * 1_000, sizeBytes: 1 },
  }));
  const track = { timescale: 1_000, bandwidthAverageBps: 1, bandwidthPeakBps: 1, kid: null, segments };
  const size = { width: 426, height: 240, frameRate: [24, 1] as const };
  return {
    ...{ contentId, revision: 1, indexVersion: 1, durationS, keys: [], audio: [], text: [], thumbnails: null },
    video: [{ ...track, ...size, kind: "video", profile: "240p-h264", codec: "avc1.4d4015" }],
  };
}
const TRACK = { kind: "video", name: "240p-h264-300k", codec: "avc1.4d4015", height: 240 } as const;

const entry = (number: number, runSerial = 1): LiveSegmentEntry => ({
  ...{ number, startMs: number * 2_000, durationS: 2, parts: [], isWhole: true, isGap: false, runSerial },
  ...{ init: "init.mp4", key: null },
});
const window = (firstNumber: number, lastNumber: number): LiveSegmentEntry[] =>
  Array.from({ length: lastNumber - firstNumber + 1 }, (_, index) => entry(firstNumber + index));

const spliced = (id: string, startMs: number, plannedDurationS: number | null, endMs: number | null = null) => ({
  ...{ id, startMs, plannedDurationS, endMs, outHex: "fc", inHex: null, cmdHex: null },
});

describe("breaks of a channel", () => {
  test("lie where segments meet, are as long as they were announced, and end early where they did", () => {
    const ranges = [
      spliced("b", 100_900, 30),
      spliced("a", 21_200, 15),
      spliced("c", 110_000, 10),
      spliced("d", 1, null),
    ];
    assert.deepEqual(breakWindows(ranges), [
      { id: "a", fromNumber: 11, toNumber: 19 },
      { id: "b", fromNumber: 50, toNumber: 65 },
    ]);
    assert.deepEqual(breakWindows([spliced("a", 20_000, 30, 37_900)]), [{ id: "a", fromNumber: 10, toNumber: 19 }]);
  });

  const ads = (...lengths: readonly number[]) =>
    lengths.map((durationS, index) => ({
      presentation: adOf(`ad-${index}`, durationS),
      drm: new Map(),
      shownS: durationS,
    }));

  test("have no more of their ads than there is room", () => {
    const early = insertedBreak({ id: "a", fromNumber: 10, toNumber: 16 }, ads(10, 15));
    assert.deepEqual(
      early.ads.map(({ shownS }) => shownS),
      [10, 2],
    );
    assert.equal(
      insertedBreak({ id: "a", fromNumber: 10, toNumber: 25 }, ads(10)).toNumber,
      15,
      "the programme goes on",
    );
  });

  const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 });
  const drawn = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 20 }), lengths }), { maxLength: 4 });

  test("property: whatever the window, a segment keeps its number and its discontinuity, and time has no holes", () => {
    fc.assert(
      fc.property(drawn, fc.integer({ min: 1, max: 30 }), (all, size) => {
        let number = 100;
        const breaks: InsertedBreak[] = all.map(({ gap, lengths: ofAds }, index) => {
          const fromNumber = number + gap;
          const evenS = Math.ceil(ofAds.reduce((sum, each) => sum + each, 0) / 2) * 2;
          const shown = [...ads(...ofAds)];
          const restS = evenS - ofAds.reduce((sum, each) => sum + each, 0);
          if (restS > 0) shown.push({ presentation: adOf("ad-slate", 5), drm: new Map(), shownS: restS });
          number = fromNumber + evenS / 2;
          return { id: `b${index}`, fromNumber, toNumber: number, ads: shown };
        });
        const known = new Map<number, string>();
        for (let first = 90; first < number + 10; first += 3) {
          const listed = withBreaks(window(first, first + size), breaks, TRACK);
          for (const [index, { number: sequence, startMs, durationS, uri, runSerial }] of listed.entries()) {
            assert.equal(sequence, (listed[0]?.number ?? 0) + index);
            const said = `${uri} ${runSerial} ${startMs}`;
            assert.equal(known.get(sequence) ?? said, said);
            known.set(sequence, said);
            const next = listed[index + 1];
            if (next) assert.ok(Math.abs(startMs + durationS * 1_000 - next.startMs) <= 1);
            assert.ok(!next || next.runSerial - runSerial === 0 || next.runSerial - runSerial === 1);
            assert.ok(startMs + durationS * 1_000 <= (first + size + 1) * 2_000 + 50, "nothing comes before its time");
          }
        }
      }),
    );
  });

  test("have the programme around them in DASH, in periods that keep their names", () => {
    const period = { id: "1-0", firstNumber: 0, lastNumber: null, suffix: "-1-0", tracks: new Map(), events: [] };
    const around = (firstNumber: number) =>
      periodsAround([{ ...period, firstNumber }], [{ id: "a", fromNumber: 10, toNumber: 25 }]).map(
        ({ id, firstNumber: from, lastNumber }) => [id, from, lastNumber],
      );
    assert.deepEqual(around(0), [
      ["1-0", 0, 9],
      ["1-0-25", 25, null],
    ]);
    assert.deepEqual(around(25), [["1-0", 25, null]]);
  });
});

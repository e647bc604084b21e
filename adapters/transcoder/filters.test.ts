import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { displaySize, escapeFilterValue, outputFrameRate, ratio } from "./filters.ts";

test("frame rates snap to the standard ones", () => {
  const cases: readonly [number, number, string][] = [
    [24, 24.0033, "24/1"],
    [24000 / 1001, 23.9762, "24000/1001"],
    [30000 / 1001, 29.97, "30000/1001"],
    [50, 25, "25/1"],
    [120, 120, "60/1"],
    [120000 / 1001, 119.88, "60000/1001"],
    [90000, 29.2, "30000/1001"],
    [30, 27.4, "30/1"],
    [79 / 4, 9.97, "15/1"],
    [12, 12, "12/1"],
    [1000, 47.2, "48/1"],
    [0, 0, "25/1"],
  ];
  for (const [base, average, expected] of cases)
    assert.equal(outputFrameRate(base, average).join("/"), expected, `${base} ${average}`);
});

test("any rate gives one between 1 and 60", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e5, noNaN: true }),
      fc.double({ min: 0, max: 1e5, noNaN: true }),
      (base, average) => {
        const rate = ratio(outputFrameRate(base, average));
        assert.ok(rate >= 1 && rate <= 60, String(rate));
      },
    ),
  );
});

test("display sizes are even, stretched and turned", () => {
  assert.deepEqual(displaySize({ width: 720, height: 576 }, [64, 45], 0), { width: 1024, height: 576 });
  assert.deepEqual(displaySize({ width: 1920, height: 1080 }, [1, 1], -90), { width: 1080, height: 1920 });
  assert.deepEqual(displaySize({ width: 641, height: 361 }, [0, 1], 180), { width: 640, height: 360 });
  assert.deepEqual(displaySize({ width: 640, height: 480 }, [1000, 1], 0), { width: 640, height: 480 });
});

test("filter values survive both of ffmpeg's parsers", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const unescape = (text: string): string => text.replace(/\\([^])/g, "$1");
      assert.equal(unescape(unescape(escapeFilterValue(value))), value);
      assert.doesNotMatch(escapeFilterValue(value).replace(/\\[^]/g, ""), /['[\],;]/);
    }),
  );
});

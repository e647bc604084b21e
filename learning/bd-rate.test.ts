import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bdRate, worthwhile } from "./bd-rate.ts";
import { integrate, pchip, valueAt } from "./pchip.ts";

const RANGE = { from: 60, to: 95 };
const close = (a: number, b: number, within = 1e-9): void => assert.ok(Math.abs(a - b) < within, `${a} is not ${b}`);
/** Rates and qualities that both ascend. */
const ladder = fc
  .array(
    fc.record({
      ratio: fc.double({ min: 1.05, max: 3, noNaN: true }),
      gain: fc.double({ min: 0.5, max: 15, noNaN: true }),
    }),
    {
      minLength: 2,
      maxLength: 7,
    },
  )
  .map((steps) => {
    let [rate, quality] = [200, 45];
    return steps.map(({ ratio, gain }) => ({ rate: (rate *= ratio), quality: (quality += gain) }));
  })
  .filter((points) => (points.at(-1)?.quality ?? 0) > 61 && (points[0]?.quality ?? 100) < 94);

test("property: whoever needs a constant share of the rate is that much better, whatever the curve", () => {
  fc.assert(
    fc.property(ladder, fc.double({ min: 0.2, max: 3, noNaN: true }), (points, share) => {
      const found = bdRate(
        points,
        points.map(({ rate, quality }) => ({ rate: rate * share, quality })),
        RANGE,
      );
      close(found?.change ?? Number.NaN, share - 1);
    }),
  );
});

test("property: turned round, a gain is the loss that undoes it", () => {
  fc.assert(
    fc.property(ladder, ladder, (a, b) => {
      const [there, back] = [bdRate(a, b, RANGE), bdRate(b, a, RANGE)];
      assert.equal(there === null, back === null);
      if (there && back) close((1 + there.change) * (1 + back.change), 1);
    }),
  );
});

test("property: between lines in the logarithm the mean distance has a closed form", () => {
  const slope = fc.double({ min: 0.01, max: 0.1, noNaN: true });
  fc.assert(
    fc.property(slope, slope, fc.double({ min: -1, max: 1, noNaN: true }), (a, b, offset) => {
      const line = (k: number, c: number) =>
        [50, 63, 71, 88, 99].map((quality) => ({ rate: Math.exp(k * quality + c), quality }));
      const middle = (RANGE.from + RANGE.to) / 2;
      const expected = Math.exp((b - a) * middle + offset) - 1;
      close(
        bdRate(line(a, 2), line(b, 2 + offset), RANGE)?.change ?? Number.NaN,
        expected,
        1e-6 * (1 + Math.abs(expected)),
      );
    }),
  );
});

test("only what both curves have counts, and without anything in common there is no figure", () => {
  const low = [
    { rate: 100, quality: 50 },
    { rate: 200, quality: 70 },
  ];
  const high = [
    { rate: 100, quality: 65 },
    { rate: 200, quality: 97 },
  ];
  const { from, to } = bdRate(low, high, RANGE) ?? { from: 0, to: 0 };
  assert.deepEqual([from, to], [65, 70]);
  assert.equal(
    bdRate(
      [
        { rate: 100, quality: 40 },
        { rate: 200, quality: 55 },
      ],
      high,
      RANGE,
    ),
    null,
  );
  assert.equal(bdRate([], high, RANGE), null);
});

test("a rung that needs more and looks no better is no point of the curve", () => {
  const points = [
    { rate: 400, quality: 80 },
    { rate: 100, quality: 70 },
    { rate: 200, quality: 69 },
  ];
  assert.deepEqual(
    worthwhile(points).map(({ rate }) => rate),
    [100, 400],
  );
});

test("property: between its points the curve stays between their values", () => {
  fc.assert(
    fc.property(ladder, (points) => {
      const curve = pchip(
        points.map(({ quality }) => quality),
        points.map(({ rate }) => rate),
      );
      for (const [i, point] of points.slice(1).entries()) {
        const before = points[i] ?? point;
        const step = (point.quality - before.quality) / 10;
        for (let part = 0; part < 10; part += 1) {
          const mean = integrate(curve, before.quality + part * step, before.quality + (part + 1) * step) / step;
          assert.ok(mean >= before.rate - 1e-6 && mean <= point.rate + 1e-6);
          const value = valueAt(curve, before.quality + part * step);
          assert.ok(value >= before.rate - 1e-6 && value <= point.rate + 1e-6);
        }
      }
    }),
  );
});

test("property: the curve goes through its points, and its integral is that of its values", () => {
  fc.assert(
    fc.property(ladder, (points) => {
      const [x, y] = [points.map(({ quality }) => quality), points.map(({ rate }) => rate)];
      const curve = pchip(x, y);
      for (const [i, each] of x.entries()) close(valueAt(curve, each), y[i] ?? Number.NaN, 1e-6);
      const [from, to] = [x[0] ?? 0, x[1] ?? 0];
      const simpson =
        ((to - from) / 6) * (valueAt(curve, from) + 4 * valueAt(curve, (from + to) / 2) + valueAt(curve, to));
      close(integrate(curve, from, to) / simpson, 1, 1e-9);
    }),
  );
});

test("points that do not ascend, or are not two, are refused", () => {
  assert.throws(() => pchip([1, 1], [1, 2]), /do not ascend/);
  assert.throws(() => pchip([1], [1]), /not two or more points/);
});

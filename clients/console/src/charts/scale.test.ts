import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digitsOf, scaleOf, spanOf, ticksOf } from "./scale.ts";

test("ticks are round, within the span and evenly apart", () => {
  assert.deepEqual(ticksOf(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticksOf(0.71, 0.84, 4), [0.75, 0.8]);
  assert.deepEqual(ticksOf(-0.03, 0.03, 4), [-0.02, 0, 0.02]);
  assert.deepEqual(ticksOf(3, 3, 4), [3]);
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(value, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (from, width) => {
      const to = from + width;
      fc.pre(to > from);
      const ticks = ticksOf(from, to, 5);
      assert.ok(ticks.length <= 11);
      const slack = Math.max(Math.abs(from), Math.abs(to), width) * 1e-8;
      for (const tick of ticks) assert.ok(tick >= from - slack && tick <= to + slack, `${tick} of ${from} to ${to}`);
    }),
  );
});

test("ticks are written with as many digits as tell them apart", () => {
  assert.deepEqual(
    [
      [0, 2, 4],
      [0.75, 0.8],
      [0, 0.25, 0.5],
      [-0.002, 0],
      [0, 2.5],
    ].map(digitsOf),
    [0, 2, 2, 3, 1],
  );
  for (const ticks of [ticksOf(0, 1, 5), ticksOf(0.1, 0.137, 4), ticksOf(-3, 12, 6)]) {
    const texts = ticks.map((tick) => tick.toFixed(digitsOf(ticks)));
    assert.equal(new Set(texts).size, ticks.length, texts.join(" "));
  }
});

test("what has no width is drawn in the middle, and nothing lies on an edge", () => {
  assert.equal(scaleOf(5, 5, 0, 100)(5), 50);
  assert.equal(scaleOf(0, 10, 100, 0)(2.5), 75);
  for (const values of [[1], [0, 0], [0.2, 0.9], [-4, 3, 2]]) {
    const [from, to] = spanOf(values);
    assert.ok(
      values.every((value) => value > from && value < to),
      String(values),
    );
  }
  assert.deepEqual(spanOf([Number.NaN]), [0, 1]);
});

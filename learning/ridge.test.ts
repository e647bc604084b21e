import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fitRidge, predictRidge } from "./ridge.ts";

const number = fc.double({ min: -5, max: 5, noNaN: true });
const rows = fc.array(fc.tuple(number, number), { minLength: 12, maxLength: 40 });
const tableOf = (points: readonly (readonly number[])[]) => ({
  values: Float32Array.from(points.flat()),
  columns: points[0]?.length ?? 1,
});
const spread = (points: readonly (readonly number[])[], column: number): number => {
  const values = points.map((point) => point[column] ?? 0);
  return Math.max(...values) - Math.min(...values);
};

test("property: with next to no penalty a linear law is found again", () => {
  fc.assert(
    fc.property(rows, number, number, number, (points, a, b, c) => {
      const whole = [...points, [5, -5], [-5, -5], [5, 5], [-5, 5]];
      const model = fitRidge(
        tableOf(whole),
        whole.map(([x = 0, y = 0]) => a * Math.fround(x) + b * Math.fround(y) + c),
        1e-9,
      );
      for (const point of whole)
        assert.ok(Math.abs(predictRidge(model, point) - (a * (point[0] ?? 0) + b * (point[1] ?? 0) + c)) < 1e-4);
    }),
  );
});

test("property: the more penalty, the smaller the weights; without end there is the mean", () => {
  fc.assert(
    fc.property(rows, (points) => {
      fc.pre(spread(points, 0) > 0.1 && spread(points, 1) > 0.1);
      const labels = points.map(([x, y]) => 3 * x - y + Math.sin(7 * x));
      const size = (penalty: number): number => {
        const { weights } = fitRidge(tableOf(points), labels, penalty);
        const [first = 0, second = 0] = weights.map((weight, j) => weight * deviation(points, j));
        return Math.hypot(first, second);
      };
      assert.ok(size(0.1) >= size(1) && size(1) >= size(10));
      const flat = predictRidge(fitRidge(tableOf(points), labels, 1e9), [0, 0]);
      assert.ok(Math.abs(flat - labels.reduce((sum, label) => sum + label, 0) / labels.length) < 1e-4);
    }),
  );
});

const deviation = (points: readonly (readonly number[])[], column: number): number => {
  const values = points.map((point) => Math.fround(point[column] ?? 0));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
};

test("a feature that is always the same has no weight, and nonsense is refused", () => {
  const model = fitRidge(
    tableOf([
      [1, 2],
      [2, 2],
      [3, 2],
    ]),
    [2, 4, 6],
    1e-9,
  );
  assert.equal(model.weights[1], 0);
  assert.throws(() => fitRidge(tableOf([[1]]), [], 1), /not 0 rows/);
  assert.throws(() => fitRidge(tableOf([[1]]), [1], 0), /penalty 0/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cholesky, dot, invertPositive, solveFactored } from "./linear.ts";

/** A Gram matrix with something on its diagonal is positive definite. */
const positive = fc.integer({ min: 1, max: 8 }).chain((n) =>
  fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: n * n, maxLength: n * n }).map((values) => {
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let sum = i === j ? 0.5 : 0;
        for (let k = 0; k < n; k++) sum += (values[i * n + k] ?? 0) * (values[j * n + k] ?? 0);
        matrix[i * n + j] = sum;
      }
    return { n, matrix };
  }),
);
const close = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-8, `${a} is not ${b}`);
const product = (a: Float64Array, b: Float64Array, n: number, i: number, j: number): number =>
  Array.from({ length: n }, (_, k) => (a[i * n + k] ?? 0) * (b[k * n + j] ?? 0)).reduce((sum, x) => sum + x, 0);

test("property: a matrix times its inverse is one", () => {
  fc.assert(
    fc.property(positive, ({ n, matrix }) => {
      const inverse = invertPositive(matrix.slice(), n);
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) close(product(matrix, inverse, n, i, j), i === j ? 1 : 0);
    }),
  );
});

test("property: what is solved fits the system", () => {
  fc.assert(
    fc.property(positive, ({ n, matrix }) => {
      const wanted = Float64Array.from({ length: n }, (_, i) => i - 1.5);
      const right = Float64Array.from({ length: n }, (_, i) => dot(matrix, i * n, wanted, 0, n));
      const factor = matrix.slice();
      cholesky(factor, n);
      solveFactored(factor, n, right);
      for (let i = 0; i < n; i++) close(right[i] ?? 0, wanted[i] ?? 0);
    }),
  );
});

test("a matrix that is not positive definite is refused", () => {
  assert.throws(() => cholesky(Float64Array.of(1, 2, 2, 1), 2), /pivot 1 is -3/);
});

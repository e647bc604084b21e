import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { eigenSymmetric } from "./linear.ts";
import { seededRandom } from "./random.ts";
import { type SparseMatrix, truncatedSvd } from "./svd.ts";

const sparse = (rows: readonly (readonly number[])[], width: number): SparseMatrix => {
  const filled = rows.map((row) => row.flatMap((value, column) => (value === 0 ? [] : [{ column, value }])));
  const starts = new Uint32Array(rows.length + 1);
  for (const [row, cells] of filled.entries()) starts[row + 1] = (starts[row] ?? 0) + cells.length;
  const cells = filled.flat();
  return {
    ...{ width, starts },
    columns: Uint32Array.from(cells, ({ column }) => column),
    values: Float32Array.from(cells, ({ value }) => value),
  };
};
const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 9 }), width: fc.integer({ min: 1, max: 7 }) })
  .chain(({ rows, width }) =>
    fc
      .array(fc.array(fc.constantFrom(0, 0, 1, -2, 3.5), { minLength: width, maxLength: width }), {
        minLength: rows,
        maxLength: rows,
      })
      .map((dense) => ({ dense, width })),
  );

test("property: eigenvectors are orthonormal, and a matrix only stretches them", () => {
  fc.assert(
    fc.property(matrices, ({ dense, width: n }) => {
      const gram = new Float64Array(n * n);
      for (let i = 0; i < n; i += 1)
        for (let j = 0; j < n; j += 1)
          gram[i * n + j] = dense.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0);
      const { values, vectors } = eigenSymmetric(gram.slice(), n);
      const at = (k: number, i: number): number => vectors[k * n + i] ?? 0;
      for (let k = 0; k < n; k += 1) {
        assert.ok(k === 0 || (values[k - 1] ?? 0) >= (values[k] ?? 0));
        for (let i = 0; i < n; i += 1) {
          let image = 0;
          for (let j = 0; j < n; j += 1) image += (gram[i * n + j] ?? 0) * at(k, j);
          assert.ok(Math.abs(image - (values[k] ?? 0) * at(k, i)) < 1e-7);
        }
        for (let other = 0; other <= k; other += 1) {
          let inner = 0;
          for (let i = 0; i < n; i += 1) inner += at(k, i) * at(other, i);
          assert.ok(Math.abs(inner - (k === other ? 1 : 0)) < 1e-9);
        }
      }
    }),
  );
});

test("property: singular values are the roots of the eigenvalues of the Gram matrix, their vectors orthonormal, whatever the matrix", () => {
  fc.assert(
    fc.property(matrices, fc.integer({ min: 1, max: 7 }), ({ dense, width }, rank) => {
      const { singular, right, rank: found } = truncatedSvd(sparse(dense, width), { rank, random: seededRandom(1) });
      const gram = new Float64Array(width * width);
      for (let i = 0; i < width; i += 1)
        for (let j = 0; j < width; j += 1)
          gram[i * width + j] = dense.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0);
      const { values } = eigenSymmetric(gram, width);
      assert.ok(found <= rank);
      for (let k = 0; k < found; k += 1) {
        assert.ok(Math.abs((singular[k] ?? 0) ** 2 - Math.max(0, values[k] ?? 0)) < 1e-6 * (1 + (values[0] ?? 0)));
        for (let other = 0; other <= k; other += 1) {
          let inner = 0;
          for (let column = 0; column < width; column += 1)
            inner += (right[column * found + k] ?? 0) * (right[column * found + other] ?? 0);
          assert.ok(Math.abs(inner - (k === other ? 1 : 0)) < 1e-6);
        }
      }
      // What is left out is nothing.
      for (let k = found; k < Math.min(rank, width); k += 1)
        assert.ok((values[k] ?? 0) < 1e-6 * (1 + (values[0] ?? 0)));
    }),
  );
});

test("of a large matrix the first singular values are right though most are left out", () => {
  const random = seededRandom(7);
  // Three groups of words that go together, the commonest first, and noise.
  const dense = Array.from({ length: 200 }, (_, row) =>
    Array.from({ length: 60 }, (_, column) => {
      const group = row % 6 < 3 ? 0 : row % 6 < 5 ? 1 : 2;
      return column % 3 === group ? 1 + random() * 0.1 : random() < 0.02 ? random() : 0;
    }),
  );
  const matrix = sparse(dense, 60);
  const few = truncatedSvd(matrix, { rank: 3, random: seededRandom(1) }).singular;
  const all = truncatedSvd(matrix, { rank: 60, random: seededRandom(2) }).singular;
  for (let k = 0; k < 3; k += 1) assert.ok(Math.abs((few[k] ?? 0) - (all[k] ?? 0)) < 1e-6 * (all[0] ?? 0));
  assert.ok((all[3] ?? 0) < 0.3 * (all[2] ?? 0));
});

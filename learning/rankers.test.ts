// The rankers against what their papers say, computed as plainly as can be on small matrices.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { blend, fitBlend } from "./blend.ts";
import { fitContent } from "./content.ts";
import { fitEase } from "./ease.ts";
import { fitIals } from "./ials.ts";
import { type Interactions, interactionsOf, type Ranker, rowOf, transpose } from "./interactions.ts";
import { fitItemKnn } from "./item-knn.ts";
import { fitPopularity } from "./popularity.ts";
import { randomNormal, seededRandom } from "./random.ts";

const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 7 }), columns: fc.integer({ min: 1, max: 7 }) })
  .chain(({ rows, columns }) =>
    fc
      .array(fc.array(fc.nat(columns - 1), { maxLength: columns }), { minLength: rows, maxLength: rows })
      .map((lists) => interactionsOf(lists, columns)),
  );
const dense = (matrix: Interactions): number[][] =>
  Array.from({ length: matrix.rows }, (_, row) => {
    const own = new Set(rowOf(matrix, row));
    return Array.from({ length: matrix.columns }, (__, column) => Number(own.has(column)));
  });
const scoresOf = (ranker: Ranker, history: Uint32Array, items: number): Float64Array => {
  const scores = new Float64Array(items).fill(7);
  ranker.score(history, scores);
  return scores;
};
function allClose(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 1e-8): void {
  for (let i = 0; i < wanted.length; i++)
    assert.ok(Math.abs((found[i] ?? NaN) - (wanted[i] ?? NaN)) < tolerance, `${i}: ${found[i]} is not ${wanted[i]}`);
}

/** Gauss-Jordan with pivots: slow, and nothing like what is tested. */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i] ?? 0]);
  for (let i = 0; i < rows.length; i++) {
    const pivot = rows.findIndex(
      (row, at) => at >= i && Math.abs(row[i] ?? 0) === Math.max(...rows.slice(i).map((one) => Math.abs(one[i] ?? 0))),
    );
    [rows[i], rows[pivot]] = [rows[pivot] ?? [], rows[i] ?? []];
    const head = rows[i] ?? [];
    rows.forEach((row, at) => {
      if (at === i) return;
      const factor = (row[i] ?? 0) / (head[i] ?? 1);
      rows[at] = row.map((value, column) => value - factor * (head[column] ?? 0));
    });
  }
  return rows.map((row, i) => (row.at(-1) ?? 0) / (row[i] ?? 1));
}

/** EASE by its definition: for each item a ridge regression on all the others. */
function easeWeights(matrix: Interactions, regularisation: number): number[][] {
  const x = dense(matrix);
  const weights = Array.from({ length: matrix.columns }, () => new Array<number>(matrix.columns).fill(0));
  for (let j = 0; j < matrix.columns; j++) {
    const others = Array.from({ length: matrix.columns }, (_, i) => i).filter((i) => i !== j);
    const gram = others.map((a) =>
      others.map((b) => x.reduce((sum, row) => sum + (row[a] ?? 0) * (row[b] ?? 0), a === b ? regularisation : 0)),
    );
    const right = others.map((a) => x.reduce((sum, row) => sum + (row[a] ?? 0) * (row[j] ?? 0), 0));
    solve(gram, right).forEach((weight, at) => {
      const row = weights[others[at] ?? 0];
      if (row) row[j] = weight;
    });
  }
  return weights;
}

test("property: EASE is a ridge regression of each item on the others, with more users or with more items", () => {
  fc.assert(
    fc.property(matrices, fc.double({ min: 0.1, max: 10, noNaN: true }), (matrix, regularisation) => {
      const weights = easeWeights(matrix, regularisation);
      const ranker = fitEase(matrix, { regularisation });
      for (let row = 0; row < matrix.rows; row++) {
        const history = rowOf(matrix, row);
        const wanted = weights.map((_, j) => history.reduce((sum, i) => sum + (weights[i]?.[j] ?? 0), 0));
        allClose(scoresOf(ranker, history, matrix.columns), wanted);
        const parts = ranker.contributions(
          history,
          wanted.map((_, j) => j),
        );
        parts.forEach((part, j) =>
          allClose(
            part,
            [...history].map((i) => weights[i]?.[j] ?? 0),
          ),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test("property: neighbours of items are those of the formula", () => {
  fc.assert(
    fc.property(matrices, fc.nat(20), (matrix, shrinkage) => {
      const x = dense(matrix);
      const count = (i: number, j: number): number => x.filter((row) => row[i] === 1 && row[j] === 1).length;
      const similarity = (i: number, j: number): number =>
        i === j || count(i, j) === 0 ? 0 : count(i, j) / (Math.sqrt(count(i, i) * count(j, j)) + shrinkage);
      const ranker = fitItemKnn(matrix, { neighbours: matrix.columns, shrinkage });
      const history = rowOf(matrix, 0);
      const items = Array.from({ length: matrix.columns }, (_, j) => j);
      allClose(
        scoresOf(ranker, history, matrix.columns),
        items.map((j) => history.reduce((sum, i) => sum + similarity(i, j), 0)),
      );
      ranker.contributions(history, items).forEach((part, j) =>
        allClose(
          part,
          [...history].map((i) => similarity(i, j)),
        ),
      );
    }),
  );
});

/** iALS by its formula: each row's normal equations in full, from the same beginning. */
function plainIals(
  matrix: Interactions,
  options: Parameters<typeof fitIals>[1],
  seed: number,
): (history: readonly number[]) => number[] {
  const { dimensions: d, epochs, unobservedWeight: alpha, regularisation, regularisationExponent: nu } = options;
  const random = seededRandom(seed);
  const begin = (count: number): number[][] =>
    Array.from({ length: count }, () => Array.from({ length: d }, () => (0.1 / Math.sqrt(d)) * randomNormal(random)));
  let [users, items] = [begin(matrix.rows), begin(matrix.columns)];
  const best = (having: readonly number[], others: readonly (readonly number[])[]): number[] => {
    const ridge = regularisation * (having.length + alpha * others.length) ** nu;
    const system = Array.from({ length: d }, (_, i) =>
      Array.from({ length: d }, (__, j) =>
        others.reduce(
          (sum, other, at) => sum + ((having.includes(at) ? 1 : 0) + alpha) * (other[i] ?? 0) * (other[j] ?? 0),
          i === j ? ridge : 0,
        ),
      ),
    );
    return solve(
      system,
      Array.from({ length: d }, (_, i) => having.reduce((sum, at) => sum + (others[at]?.[i] ?? 0), 0)),
    );
  };
  const turned = transpose(matrix);
  for (let epoch = 0; epoch < epochs; epoch++) {
    users = users.map((_, user) => best([...rowOf(matrix, user)], items));
    items = items.map((_, item) => best([...rowOf(turned, item)], users));
  }
  return (history) => {
    const user = best(history, items);
    return items.map((item) => item.reduce((sum, value, i) => sum + value * (user[i] ?? 0), 0));
  };
}

test("property: iALS solves the normal equations of its formula, and says what each title gave", () => {
  const options = { dimensions: 2, epochs: 3, unobservedWeight: 0.2, regularisation: 0.05, regularisationExponent: 1 };
  fc.assert(
    fc.property(matrices, fc.nat(), (matrix, seed) => {
      const ranker = fitIals(matrix, options, seededRandom(seed));
      const history = rowOf(matrix, 0);
      const scores = scoresOf(ranker, history, matrix.columns);
      allClose(scores, plainIals(matrix, options, seed)([...history]), 1e-7);
      const parts = ranker.contributions(history, [...scores.keys()]);
      allClose(
        parts.map((part) => part.reduce((sum, value) => sum + value, 0)),
        scores,
      );
    }),
  );
});

test("iALS with as many dimensions as there are items and hardly a bound gives back what it learned from", () => {
  const matrix = interactionsOf([[0, 1], [2], [0, 1], [2]], 3);
  const options = { dimensions: 3, epochs: 50, unobservedWeight: 1, regularisation: 1e-6, regularisationExponent: 1 };
  const ranker = fitIals(matrix, options, seededRandom(2));
  // With α = 1 the loss of a one is (1 - s)² + s²: one half is the least.
  allClose(scoresOf(ranker, rowOf(matrix, 0), 3), [0.5, 0.5, 0], 1e-3);
});

test("property: rows become columns and back", () => {
  fc.assert(
    fc.property(matrices, (matrix) => {
      assert.deepEqual(transpose(transpose(matrix)), matrix);
      const [x, turned] = [dense(matrix), dense(transpose(matrix))];
      x.forEach((row, i) => row.forEach((value, j) => assert.equal(turned[j]?.[i], value)));
    }),
  );
});

test("content ranks what is made of the same first, and says which titles are why", () => {
  const features = interactionsOf([[0, 1], [0, 1], [2], [0, 3]], 4);
  const ranker = fitContent(features);
  const scores = scoresOf(ranker, Uint32Array.of(0), 4);
  allClose([scores[1] ?? 0, scores[2] ?? 0], [1, 0]);
  assert.ok((scores[3] ?? 0) > 0 && (scores[3] ?? 0) < 1);
  const [parts] = ranker.contributions(Uint32Array.of(0, 2), [3]);
  allClose([(parts?.[0] ?? 0) + (parts?.[1] ?? 0)], [scoresOf(ranker, Uint32Array.of(0, 2), 4)[3] ?? 0]);
});

test("a blend takes what helps, and its parts are those of its rankers", () => {
  const matrix = interactionsOf(
    [
      [0, 1],
      [0, 1],
      [0, 1],
      [2, 3],
      [2, 3],
    ],
    4,
  );
  const rankers = [fitPopularity(matrix), fitEase(matrix, { regularisation: 1 })];
  const cases = [
    { history: Uint32Array.of(2), seen: new Set([2]), chosen: new Set([3]) },
    { history: Uint32Array.of(0), seen: new Set([0]), chosen: new Set([1]) },
  ];
  const weights = fitBlend(rankers, cases, { items: 4, k: 1, rounds: 4 });
  assert.deepEqual([...weights], [0, 1]);
  const both = blend(rankers, 4, () => [0.25, 0.75]);
  const history = Uint32Array.of(0);
  const [parts] = both.contributions(history, [1]);
  assert.ok((parts?.[0] ?? 0) > 0);
  assert.deepEqual(
    scoresOf(
      blend(rankers, 4, () => [0, 0]),
      history,
      4,
    ),
    new Float64Array(4),
  );
});

test("a column outside of the matrix is refused", () => {
  assert.throws(() => interactionsOf([[1], [5]], 5), /column 5 of row 1 is not below 5/);
});

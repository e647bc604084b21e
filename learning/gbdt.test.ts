import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { auc } from "./auc.ts";
import { GBDT_DEFAULTS, type Gbdt, type GbdtOptions, importance, predictGbdt, trainGbdt } from "./gbdt.ts";
import { fitLogistic, predictLogistic } from "./logistic.ts";
import { INPUT_NAME, leavesOf, OUTPUT_NAME, writeLeavesOnnx, writeOnnx } from "./onnx.ts";
import { rowsOf, type Table } from "./table.ts";

const SMALL: GbdtOptions = { ...GBDT_DEFAULTS, loss: "logistic", trees: 12, leavesMax: 8, leastRows: 3 };

/** Few different values, some of them missing or hardly different, so that ties and bounds are met. */
const values = fc.oneof(
  fc.constantFrom(Number.NaN, 0, -0, 1, 1.0000001, 16_777_216, 16_777_217, -3.5),
  fc.float({ noDefaultInfinity: true, noNaN: true }),
);
const cases = fc
  .record({ rows: fc.integer({ min: 8, max: 60 }), columns: fc.integer({ min: 1, max: 4 }) })
  .chain(({ rows, columns }) =>
    fc.record({
      columns: fc.constant(columns),
      values: fc.array(values, { minLength: rows * columns, maxLength: rows * columns }),
      labels: fc.array(fc.constantFrom(0, 1), { minLength: rows, maxLength: rows }),
    }),
  )
  .map(({ columns, values, labels }) => ({
    table: { values: Float32Array.from(values), columns } satisfies Table,
    labels: Float32Array.from(labels),
  }));

async function run(model: Uint8Array, { values, columns }: Table): Promise<Float32Array> {
  const session = await InferenceSession.create(model);
  const input = new Tensor("float32", values, [values.length / columns, columns]);
  const { [OUTPUT_NAME]: output } = await session.run({ [INPUT_NAME]: input });
  await session.release();
  if (!(output?.data instanceof Float32Array)) throw new TypeError("the runtime gave no floats");
  return output.data;
}

function assertNear(actual: Float32Array, expected: Float64Array): void {
  assert.equal(actual.length, expected.length);
  for (const [row, value] of actual.entries()) assert.ok(Math.abs(value - (expected[row] ?? 0)) <= 1e-5, `row ${row}`);
}

const lossOf = (model: Gbdt, table: Table, labels: Float32Array): number =>
  predictGbdt(model, table).reduce((sum, chance, row) => {
    const right = labels[row] === 1 ? chance : 1 - chance;
    return sum - Math.log(Math.max(right, 1e-15));
  }, 0);

describe("boosted trees", () => {
  it("come to the same leaves and scores in the ONNX runtime, for any table", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ table, labels }) => {
        const model = trainGbdt(table, labels, SMALL);
        if (model.trees.length === 0) return;
        assertNear(await run(writeOnnx(model), table), predictGbdt(model, table));
        assert.deepEqual(await run(writeLeavesOnnx(model), table), leavesOf(model, table));
      }),
      { numRuns: 60 },
    );
  });

  it("fit what they were shown no worse with every tree, and give the same model again", () => {
    fc.assert(
      fc.property(cases, ({ table, labels }) => {
        const model = trainGbdt(table, labels, { ...SMALL, penalty: 1 });
        assert.deepEqual(trainGbdt(table, labels, { ...SMALL, penalty: 1 }), model);
        let before = Number.POSITIVE_INFINITY;
        for (let count = 0; count <= model.trees.length; count += 1) {
          const loss = lossOf({ ...model, trees: model.trees.slice(0, count) }, table, labels);
          assert.ok(loss <= before + 1e-4, `tree ${count}: ${before} -> ${loss}`);
          before = loss;
        }
      }),
      { numRuns: 60 },
    );
  });

  it("hold limits of leaves and rows in each", () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 10 }), ({ table, labels }, leastRows) => {
        const { trees } = trainGbdt(table, labels, { ...SMALL, leastRows, loss: "squared" });
        const leaves = leavesOf({ loss: "squared", base: 0, columns: table.columns, trees }, table);
        for (const [index, tree] of trees.entries()) {
          const own = Array.from(labels, (_, row) => leaves[row * trees.length + index]);
          const used = new Map<number | undefined, number>();
          for (const leaf of own) used.set(leaf, (used.get(leaf) ?? 0) + 1);
          assert.ok(tree.feature.filter((feature) => feature < 0).length <= SMALL.leavesMax);
          for (const count of used.values()) assert.ok(count >= leastRows);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("find what no line can: a step, an exclusive or, and what a missing value means", () => {
    const table = { values: new Float32Array(4_000), columns: 2 };
    const labels = new Float32Array(2_000);
    for (let row = 0; row < 2_000; row += 1) {
      const [a, b] = [(row * 37) % 101, (row * 61) % 97];
      table.values[2 * row] = row % 5 === 0 ? Number.NaN : a;
      table.values[2 * row + 1] = b;
      labels[row] = row % 5 === 0 || a > 50 !== b > 48 ? 1 : 0;
    }
    const train = Array.from({ length: 1_000 }, (_, row) => row);
    const rest = train.map((row) => row + 1_000);
    const [known, unseen] = [labels.slice(0, 1_000), labels.slice(1_000)];
    const model = trainGbdt(rowsOf(table, train), known, { ...SMALL, trees: 40 });
    const line = fitLogistic(rowsOf(table, train), known);
    assert.ok(auc(predictGbdt(model, rowsOf(table, rest)), unseen) > 0.99);
    assert.ok(auc(predictLogistic(line, rowsOf(table, rest)), unseen) < 0.7);
    assert.ok(importance(model).every((share) => share > 0.1));
  });

  it("refuse what they cannot learn from", () => {
    const labels = Float32Array.of(0, 1);
    const table = (...of: number[]) => ({ values: Float32Array.from(of), columns: 1 });
    assert.throws(() => trainGbdt(table(1), labels, SMALL), /1 values are not 2 rows of 1 columns/);
    assert.throws(() => trainGbdt(table(1, Infinity), labels, SMALL), /infinite/);
    assert.throws(() => trainGbdt(table(1, 2), Float32Array.of(0, 2), SMALL), /label/);
    assert.throws(() => trainGbdt(table(1, 2), labels, { ...SMALL, binsMax: 256 }), /binsMax 256/);
    assert.throws(() => trainGbdt(table(1, 2), labels, { ...SMALL, leavesMax: 1 }), /leavesMax 1/);
  });
});

describe("logistic regression", () => {
  it("reaches the optimum: the penalised gradient is none", () => {
    fc.assert(
      fc.property(cases, ({ table, labels }) => {
        const whole = {
          columns: table.columns,
          values: table.values.map((value) => (value > -1e6 && value < 1e6 ? value : 0)),
        };
        const { weights, intercept } = fitLogistic(whole, labels, 1);
        const chances = predictLogistic({ weights, intercept }, whole);
        // The intercept has no penalty, so chances add up to the positives, unless there is one class alone and no optimum.
        const positives = labels.reduce((sum, label) => sum + label, 0);
        if (positives === 0 || positives === labels.length) return;
        assert.ok(Math.abs(chances.reduce((sum, chance) => sum + chance, 0) - positives) < 1e-2);
      }),
      { numRuns: 60 },
    );
  });
});

describe("the area under the curve", () => {
  it("is the share of pairs in the right order", () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(0, 1)), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(pairs, (rows) => {
        let [sum, count] = [0, 0];
        for (const [score, label] of rows)
          for (const [other, otherLabel] of rows)
            if (label === 1 && otherLabel === 0) {
              count += 1;
              sum += score > other ? 1 : score === other ? 0.5 : 0;
            }
        const found = auc(
          rows.map(([score]) => score),
          rows.map(([, label]) => label),
        );
        assert.ok(count === 0 ? Number.isNaN(found) : Math.abs(found - sum / count) < 1e-12);
      }),
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { GBDT_DEFAULTS } from "#learning/gbdt";
import { randomNormal, seededRandom } from "#learning/random";
import { drawOptions } from "#learning/tuning";
import { churn } from "./domain-churn.ts";
import { ORDERS, orders } from "./domain-order.ts";
import type { Examples, Recipe } from "./domain-recipe.ts";
import { routing } from "./domain-routing.ts";
import { splitOf, tune } from "./domain-tuning.ts";

const ROWS_EACH = 4;
/** Groups of rows, of which the first column is told by the label and the rest by nothing; every fourth group is judged by. */
function examplesOf(groups: number, noise: number, more: Partial<Examples> = {}): Examples {
  const random = seededRandom(groups);
  const rows = Array.from({ length: groups * ROWS_EACH }, (_, row) => {
    const label = random() < 0.4 ? 1 : 0;
    return { group: Math.floor(row / ROWS_EACH), label, at: label + noise * randomNormal(random), beside: random() };
  });
  return {
    table: { values: Float32Array.from(rows.flatMap(({ at, beside }) => [at, beside])), columns: 2 },
    labels: Float32Array.from(rows, ({ label }) => label),
    rule: new Float32Array(rows.length),
    groups: Int32Array.from(rows, ({ group }) => group),
    isTest: rows.map(({ group }) => group % 4 === 3),
    segments: rows.map(() => []),
    ...more,
  };
}
/** So cautious that it learns nothing: whatever else is in the space is better. */
const recipe: Recipe = {
  ...{ name: "test", features: ["at", "beside"], refreshMs: 1, psiMax: 1 },
  options: { ...GBDT_DEFAULTS, loss: "logistic", trees: 2, leavesMax: 2, learningRate: 0.01 },
  space: { trees: [10, 20], leavesMax: [4], learningRate: [0.1, 0.2], penalty: [0, 1, 5] },
};

describe("the search for options", () => {
  it("keeps groups together, those that are judged by away, and the latest apart where time counts", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.boolean(), (count, isInTime) => {
        const examples = examplesOf(count, 1, { isInTime });
        const { learned, heldOut } = splitOf(examples);
        const groupsOf = (of: typeof learned): Set<number> =>
          new Set(of.flat().map((row) => examples.groups[row] ?? Number.NaN));
        const [inside, outside] = [groupsOf(learned), groupsOf(heldOut)];
        assert.ok(inside.isDisjointFrom(outside));
        for (const row of [...learned, ...heldOut].flat()) assert.equal(examples.isTest[row], false);
        const training = examples.isTest.filter((isTest) => !isTest).length;
        assert.equal(learned.flat().length + heldOut.flat().length, training);
        assert.ok(heldOut.flat().length <= training / 4 && heldOut.flat().length > training / 4 - 2 * ROWS_EACH);
        if (isInTime && outside.size > 0) assert.ok(Math.max(...inside) < Math.min(...outside));
      }),
      { numRuns: 40 },
    );
  });

  it("takes part of very many rows", () => {
    const { learned, heldOut } = splitOf(examplesOf(20_000, 1));
    const rows = learned.flat().length + heldOut.flat().length;
    assert.ok(rows <= 24_000 && rows > 23_000, `${rows}`);
  });

  it("finds better options where there are, and says how each did", () => {
    const tuned = tune(recipe, examplesOf(600, 0.5));
    assert.ok(tuned && tuned.gain.low > 0.1, JSON.stringify(tuned?.gain));
    assert.notDeepEqual(tuned.chosen, recipe.options);
    assert.equal(tuned.tried.length, 9);
    const chosen = tuned.tried.find(({ options }) => options === tuned.chosen);
    assert.ok(chosen && chosen.share === 1 && chosen.loss < (tuned.tried[0]?.loss ?? 0));
  });

  it("keeps the recipe's where there is nothing to learn, and searches nothing where there are few rows", () => {
    const noise = examplesOf(600, 1_000);
    assert.deepEqual(tune({ ...recipe, options: { ...recipe.options, trees: 1 } }, noise)?.chosen.trees, 1);
    assert.equal(tune(recipe, examplesOf(60, 0.5)), undefined);
  });

  it("sees nothing of the rows that the gate judges by", () => {
    const examples = examplesOf(300, 0.5);
    const flip = (row: number): boolean => examples.isTest[row] === true;
    const turned: Examples = {
      ...examples,
      labels: examples.labels.map((label, row) => (flip(row) ? 1 - label : label)),
      table: { columns: 2, values: examples.table.values.map((value, at) => (flip(at >> 1) ? -value : value)) },
    };
    assert.deepEqual(tune(recipe, turned), tune(recipe, examples));
  });

  it("judges orders by their lists, each title as if it stood first", () => {
    const plain = examplesOf(400, 0.5);
    const lists = { of: plain.groups, people: Array.from({ length: 400 }, (_, group) => `prf_${group}`) };
    const tuned = tune(recipe, { ...plain, lists });
    assert.ok(tuned?.tried.every(({ loss }) => loss >= 0 && loss < 1));
    // Whatever is known by the first column is not known when it is asked: no options are better.
    const blind = tune(recipe, { ...plain, lists, asAsked: { column: 0, value: 0 } });
    assert.ok(blind && blind.gain.low <= 0, JSON.stringify(blind?.gain));
    assert.deepEqual(blind.chosen, recipe.options);
  });

  it("costs less than five trainings more, by rows and trees", () => {
    for (const { options, space } of [churn, routing, ...ORDERS.map((name) => orders[name])]) {
      const most = Math.max(...drawOptions(options, space, 10_000, seededRandom(1)).map(({ trees }) => trees));
      // Of 8 others, all on a ninth, 3 on a third and 1 on all of three quarters of the rows; then one training of what was chosen.
      const searching = 0.75 * (options.trees * (1 / 9 + 1 / 3 + 1) + most * (8 / 9 + 3 / 3 + 1));
      assert.ok(searching + most <= 6 * options.trees, `${searching + most} of ${options.trees}`);
      for (const values of Object.values(space)) assert.ok(values.length > 1);
    }
  });
});

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { artefact, COLUMNS, expected, INPUT_NAME, OUTPUT_NAME, ROWS, smaller, table } from "./testing.ts";
import type { InferRequest, ModelRef, Models } from "#kernel/ports/models";

const fresh = (): ModelRef => ({ name: `test.${randomUUID().slice(0, 8)}`, version: "1" });
const asking = (rows: number, more: Partial<InferRequest> = {}): InferRequest => ({
  inputs: [
    {
      ...{ name: INPUT_NAME, shape: [rows, COLUMNS], datatype: "FP32" },
      data: Array.from(table.values.subarray(0, rows * COLUMNS)),
    },
  ],
  ...more,
});
const IN_TIME = { timeoutMs: 5_000 };

/** What every runtime of models does. */
export function modelsContract(
  name: string,
  open: () => Promise<{ readonly models: Models; close(): Promise<void> }>,
): void {
  describe(`models contract: ${name}`, () => {
    let models: Models;
    let close: () => Promise<void>;
    before(async () => {
      ({ models, close } = await open());
    });
    after(() => close?.());

    test("a model answers what its trees do, missing values among them, and says what it takes", async () => {
      const model = fresh();
      await models.load(model, artefact);
      const { id, outputs } = await models.infer(model, asking(ROWS, { id: "r-1" }), IN_TIME);
      const [scores] = outputs;
      assert.equal(id, "r-1");
      assert.deepEqual([scores?.name, scores?.datatype, scores?.shape], [OUTPUT_NAME, "FP32", [ROWS, 1]]);
      for (const [row, score] of expected.entries())
        assert.ok(Math.abs(score - (scores?.data[row] ?? Number.NaN)) <= 1e-5, `row ${row}`);
      const { inputs, outputs: given } = await models.metadata(model);
      assert.deepEqual(inputs, [{ name: INPUT_NAME, datatype: "FP32", shape: [-1, COLUMNS] }]);
      assert.deepEqual(given, [{ name: OUTPUT_NAME, datatype: "FP32", shape: [-1, 1] }]);
    });

    test("versions stand side by side, and one that was unloaded is not there", async () => {
      const first = fresh();
      const second = { ...first, version: "2" };
      await models.load(first, artefact);
      await models.load(first, artefact);
      await models.load(second, smaller);
      const scoreOf = async (model: ModelRef) => (await models.infer(model, asking(1), IN_TIME)).outputs[0]?.data[0];
      assert.notEqual(await scoreOf(first), await scoreOf(second));
      await models.unload(first);
      await models.unload(first);
      await assert.rejects(models.infer(first, asking(1), IN_TIME), { code: "not_found" });
      await assert.rejects(models.metadata(first), { code: "not_found" });
      assert.ok(Number.isFinite(await scoreOf(second)));
    });

    test("what does not fit is refused, and the next one is answered", async () => {
      const model = fresh();
      await models.load(model, artefact);
      const [input] = asking(2).inputs;
      assert.ok(input);
      const wrong: readonly InferRequest["inputs"][] = [
        [],
        [{ ...input, shape: [3, COLUMNS] }],
        [{ ...input, shape: [2.5, COLUMNS] }],
        [{ ...input, name: "other" }],
        [{ ...input, datatype: "INT64", data: input.data.map(() => 1) }],
      ];
      for (const inputs of wrong)
        await assert.rejects(models.infer(model, { inputs }, IN_TIME), { code: "invalid_argument" });
      await assert.rejects(models.load(fresh(), Buffer.from("no model")), { code: "invalid_argument" });
      await assert.rejects(models.load({ name: "../etc", version: "1" }, artefact), { code: "invalid_argument" });
      assert.equal((await models.infer(model, asking(2), IN_TIME)).outputs[0]?.data.length, 2);
    });

    test("a deadline that passed is told, and harms nobody else", async () => {
      const model = fresh();
      await models.load(model, artefact);
      await assert.rejects(models.infer(model, asking(ROWS), { timeoutMs: 0 }), { code: "deadline_exceeded" });
      assert.equal((await models.infer(model, asking(ROWS), IN_TIME)).outputs[0]?.data.length, ROWS);
    });

    test("it says how it is", async () => assert.equal((await models.state()).ok, true));
  });
}

/** Training in a thread of its own: it takes seconds in which the event loop answers people. */
import { parentPort, workerData } from "node:worker_threads";
import { yieldThread } from "#kernel/priority";
import { type Reference, referenceOf } from "#learning/drift";
import { importance, predictGbdt, trainGbdt } from "#learning/gbdt";
import { writeOnnx } from "#learning/onnx";
import { rowsOf, type Table } from "#learning/table";
import { examplesOf, type ToTrainer } from "./domain-examples.ts";
import { type Judgement, judge } from "./domain-recipe.ts";

export interface FromTrainer {
  readonly artefact: Uint8Array;
  readonly candidate: Judgement;
  readonly rule: Judgement;
  readonly reference: Reference;
  readonly trainingRows: number;
  /** What it was judged on, so that the one in production can be judged on it, too. */
  readonly test: {
    readonly table: Table;
    readonly labels: Float32Array;
    readonly segments: readonly (readonly string[])[];
  };
  readonly importance: Readonly<Record<string, number>>;
}

const NICENESS = 10;

if (!parentPort) throw new Error("the trainer runs as a worker");
yieldThread(NICENESS);
parentPort.postMessage(train(workerData as ToTrainer));

function train(of: ToTrainer): FromTrainer | { readonly nothing: string } {
  const { recipe, examples } = examplesOf(of);
  const { table, labels, isTest, segments } = examples;
  const rows = [...isTest.keys()];
  const [training, testing] = [rows.filter((row) => !isTest[row]), rows.filter((row) => isTest[row])];
  if (training.length === 0 || testing.length === 0)
    return { nothing: `${training.length} rows to learn from and ${testing.length} to judge by are too few` };
  const labelsOf = (chosen: readonly number[]): Float32Array => Float32Array.from(chosen, (row) => labels[row] ?? 0);
  const model = trainGbdt(rowsOf(table, training), labelsOf(training), recipe.options);
  const test = {
    table: rowsOf(table, testing),
    labels: labelsOf(testing),
    segments: testing.map((row) => segments[row] ?? []),
  };
  const scores = predictGbdt(model, test.table);
  const rule = testing.map((_, index) =>
    recipe.rule([...test.table.values.subarray(index * table.columns, (index + 1) * table.columns)]),
  );
  const shares = importance(model);
  return {
    artefact: writeOnnx(model, { features: recipe.features.join(",") }),
    candidate: judge(scores, test.labels, test.segments),
    rule: judge(rule, test.labels, test.segments),
    reference: referenceOf(scores),
    trainingRows: training.length,
    test,
    importance: Object.fromEntries(recipe.features.map((name, column) => [name, shares[column] ?? 0])),
  };
}

/** Training in a thread of its own: it takes seconds in which the event loop answers people. */
import { parentPort, workerData } from "node:worker_threads";
import { yieldThread } from "#kernel/priority";
import { type Reference, referenceOf } from "#learning/drift";
import { importance, predictGbdt, trainGbdt } from "#learning/gbdt";
import { writeOnnx } from "#learning/onnx";
import { rowsOf, type Table } from "#learning/table";
import { listsOf } from "./domain-lists.ts";
import { examplesOf, type ToTrainer } from "./domain-examples.ts";
import { type Judgement, judge, type Labelled } from "./domain-recipe.ts";

export interface FromTrainer {
  readonly artefact: Uint8Array;
  readonly candidate: Judgement;
  readonly rule: Judgement;
  readonly reference: Reference;
  readonly trainingRows: number;
  /** What it was judged on, so that the one in production can be judged on it, too. */
  readonly test: Labelled & { readonly table: Table };
  readonly importance: Readonly<Record<string, number>>;
}

const NICENESS = 10;

if (!parentPort) throw new Error("the trainer runs as a worker");
yieldThread(NICENESS);
parentPort.postMessage(train(workerData as ToTrainer));

function train(of: ToTrainer): FromTrainer | { readonly nothing: string } {
  const { recipe, examples } = examplesOf(of);
  const { table, labels, isTest, segments, lists } = examples;
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
    ...(lists ? { lists: listsOf(lists, testing) } : {}),
  };
  const scores = predictGbdt(model, test.table);
  const rule = testing.map((row) => examples.rule[row] ?? Number.NaN);
  const shares = importance(model);
  return {
    artefact: writeOnnx(model, { features: recipe.features.join(",") }),
    candidate: judge(scores, test),
    rule: judge(rule, test),
    reference: referenceOf(scores),
    trainingRows: training.length,
    test,
    importance: Object.fromEntries(recipe.features.map((name, column) => [name, shares[column] ?? 0])),
  };
}

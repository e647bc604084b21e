/** Training in a thread of its own: it takes seconds in which the event loop answers people. */
import { parentPort, workerData } from "node:worker_threads";
import { yieldThread } from "#kernel/priority";
import { type Reference, referenceOf } from "#learning/drift";
import { GBDT_DEFAULTS, importance, predictGbdt, trainGbdt } from "#learning/gbdt";
import { writeOnnx } from "#learning/onnx";
import { rowsOf, type Table } from "#learning/table";
import { isInCanary } from "./domain.ts";
import { type Account, CHURN_FEATURES, churnByRule, type Judgement, judge, snapshotsOf } from "./domain-churn.ts";

export interface ToTrainer {
  readonly accounts: readonly Account[];
  readonly today: number;
}

export interface FromTrainer {
  readonly artefact: Uint8Array;
  readonly candidate: Judgement;
  readonly rule: Judgement;
  readonly reference: Reference;
  readonly trainingRows: number;
  /** What it was judged on, so that the one in production can be judged on it, too. */
  readonly test: { readonly table: Table; readonly labels: Float32Array; readonly accounts: readonly Account[] };
  readonly importance: Readonly<Record<string, number>>;
}

const NICENESS = 10;
const TEST_PERCENT = 25;
/** Less deep and more cautious than the defaults: rows of one account resemble each other. */
const OPTIONS = {
  ...GBDT_DEFAULTS,
  loss: "logistic",
  trees: 60,
  leavesMax: 12,
  learningRate: 0.08,
  penalty: 1,
} as const;

if (!parentPort) throw new Error("the trainer runs as a worker");
yieldThread(NICENESS);
parentPort.postMessage(train(workerData as ToTrainer));

function train({ accounts, today }: ToTrainer): FromTrainer {
  const { table, labels, accounts: whose } = snapshotsOf(accounts, today);
  // All rows of an account are on one side, so that nobody is recognised.
  const isTest = whose.map(({ userId }) => isInCanary("test rows", userId, TEST_PERCENT));
  const rows = [...isTest.keys()];
  const [training, testing] = [rows.filter((row) => !isTest[row]), rows.filter((row) => isTest[row])];
  const labelsOf = (of: readonly number[]): Float32Array => Float32Array.from(of, (row) => labels[row] ?? 0);
  const model = trainGbdt(rowsOf(table, training), labelsOf(training), OPTIONS);
  const test = {
    table: rowsOf(table, testing),
    labels: labelsOf(testing),
    accounts: testing.flatMap((row) => whose[row] ?? []).map((account) => ({ ...account, days: [] })),
  };
  const scores = predictGbdt(model, test.table);
  const rule = testing.map((_, index) =>
    churnByRule([...test.table.values.subarray(index * table.columns, (index + 1) * table.columns)]),
  );
  const shares = importance(model);
  return {
    artefact: writeOnnx(model, { features: CHURN_FEATURES.join(",") }),
    candidate: judge(scores, test.labels, test.accounts),
    rule: judge(rule, test.labels, test.accounts),
    reference: referenceOf(scores),
    trainingRows: training.length,
    test,
    importance: Object.fromEntries(CHURN_FEATURES.map((name, column) => [name, shares[column] ?? 0])),
  };
}

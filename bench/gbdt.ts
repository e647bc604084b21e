/**
 * Our boosted trees beside LightGBM and a logistic regression, on two sets of customers who stay or leave: how well each tells them apart (AUC,
 * five times three folds), how long training takes at 50,000 rows on one thread, and whether the ONNX runtime answers what we do.
 *
 *   MARQUEE_TESTDATA=FOLDER node bench/gbdt.ts [--picture FILE]
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { auc } from "#learning/auc";
import { GBDT_DEFAULTS, type Gbdt, predictGbdt, trainGbdt } from "#learning/gbdt";
import { fitLogistic, predictLogistic } from "#learning/logistic";
import { INPUT_NAME, leavesOf, OUTPUT_NAME, writeLeavesOnnx, writeOnnx } from "#learning/onnx";
import { type Random, randomBelow, randomNormal, seededRandom, shuffle } from "#learning/random";
import { rowsOf, type Table } from "#learning/table";
import { drawPanels, type Mark, writePicture } from "./charts.ts";
import { type Churn, readChurn } from "./gbdt/churn.ts";
import { pythonWithLightgbm, type Task, trainLightgbm } from "./gbdt/lightgbm.ts";
import { type Measure, median, table as tableOf, writeResults } from "./harness.ts";

const SETS = ["mlc_churn", "wa_churn"] as const;
const REPEATS = 5;
const FOLDS = 3;
const SPEED_ROWS = 50_000;
const SPEED_ROUNDS = 5;
const OPTIONS = { ...GBDT_DEFAULTS, loss: "logistic" } as const;
const GAP_MAX = 0.005;
const ABOVE_LINE = 0.05;
const SLOWER_MAX = 4;
const SCORE_GAP_MAX = 1e-5;

interface Fold {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

function foldsOf(rows: number, random: Random): Fold[] {
  return Array.from({ length: REPEATS }, () => {
    const order = shuffle(
      Int32Array.from({ length: rows }, (_, row) => row),
      random,
    );
    return Array.from({ length: FOLDS }, (_, fold) => ({
      train: order.filter((_row, place) => place % FOLDS !== fold),
      test: order.filter((_row, place) => place % FOLDS === fold),
    }));
  }).flat();
}

const labelsOf = (labels: Float32Array, rows: Int32Array): Float32Array =>
  Float32Array.from(rows, (row) => labels[row] ?? 0);
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

async function compareAuc(set: Churn, python: string | undefined): Promise<Measure[]> {
  const { name, table, oneHot, labels } = set;
  const folds = foldsOf(labels.length, seededRandom(1));
  const judge = (scores: ArrayLike<number>, { test }: Fold): number => auc(scores, labelsOf(labels, test));
  const ours = folds.map((fold) => {
    const model = trainGbdt(rowsOf(table, fold.train), labelsOf(labels, fold.train), OPTIONS);
    return judge(predictGbdt(model, rowsOf(table, fold.test)), fold);
  });
  const line = folds.map((fold) => {
    const model = fitLogistic(rowsOf(oneHot, fold.train), labelsOf(labels, fold.train));
    return judge(predictLogistic(model, rowsOf(oneHot, fold.test)), fold);
  });
  const plain = (what: string, samples: readonly number[], more: Partial<Measure> = {}): Measure => ({
    ...{ name: `${name}.${what}`, value: meanOf(samples), unit: "mean AUC", bar: null, samples, ...more },
  });
  const above = ours.map((value, fold) => value - (line[fold] ?? 0));
  const measures = [
    plain("auc.ours", ours),
    plain("auc.logistic", line),
    plain("above-logistic", above, name === "mlc_churn" ? { bar: ABOVE_LINE } : {}),
  ];
  if (python === undefined) return measures;
  const tasks = folds.map((fold): Task => ({ table, labels, ...fold, trees: OPTIONS.trees }));
  const theirs = (await trainLightgbm(python, tasks)).map(({ scores }, index) => judge(scores, folds[index] as Fold));
  const gap = theirs.map((value, fold) => value - (ours[fold] ?? 0));
  return [...measures, plain("auc.lightgbm", theirs), plain("below-lightgbm", gap, { bar: GAP_MAX, better: "lower" })];
}

/** Customers drawn again and again, each a little different in its numbers, so that bins and splits are as many as with real ones. */
function drawMany({ table, labels }: Churn, random: Random): { readonly table: Table; readonly labels: Float32Array } {
  const chosen = Int32Array.from({ length: SPEED_ROWS }, () => randomBelow(random, labels.length));
  const { values, columns } = rowsOf(table, chosen);
  const noisy = values.map((value) => (Number.isInteger(value) ? value : value * (1 + 0.05 * randomNormal(random))));
  return { table: { values: noisy, columns }, labels: labelsOf(labels, chosen) };
}

async function compareSpeed(set: Churn, python: string | undefined): Promise<Measure[]> {
  const { table, labels } = drawMany(set, seededRandom(2));
  const ours: number[] = [];
  for (let round = 0; round < SPEED_ROUNDS; round += 1) {
    const began = performance.now();
    trainGbdt(table, labels, OPTIONS);
    ours.push((performance.now() - began) / 1_000);
  }
  const train = Int32Array.from(labels.keys());
  const task: Task = { table, labels, train, test: [], trees: OPTIONS.trees };
  const tasks = Array.from({ length: SPEED_ROUNDS }, () => task);
  const theirs = python === undefined ? [] : (await trainLightgbm(python, tasks)).map(({ seconds }) => seconds);
  const seconds = (what: string, samples: readonly number[]): Measure => ({
    ...{ name: `${set.name}.50k.${what}`, value: median(samples), unit: "s", bar: null, samples },
  });
  if (theirs.length === 0) return [seconds("ours", ours)];
  const ratio = median(ours) / median(theirs);
  const bar = { bar: SLOWER_MAX, better: "lower" as const };
  return [
    seconds("ours", ours),
    seconds("lightgbm", theirs),
    { name: `${set.name}.50k.times-lightgbm`, value: ratio, unit: "ratio", ...bar, samples: [ratio] },
  ];
}

async function runOnnx(model: Uint8Array, { values, columns }: Table): Promise<Float32Array> {
  const session = await InferenceSession.create(model);
  const input = new Tensor("float32", values, [values.length / columns, columns]);
  const { [OUTPUT_NAME]: output } = await session.run({ [INPUT_NAME]: input });
  await session.release();
  return output?.data as Float32Array;
}

async function compareOnnx({ name, table, labels }: Churn): Promise<Measure[]> {
  const model: Gbdt = trainGbdt(table, labels, OPTIONS);
  const scores = await runOnnx(writeOnnx(model), table);
  const gap = predictGbdt(model, table).reduce(
    (most, own, row) => Math.max(most, Math.abs(own - (scores[row] ?? 1))),
    0,
  );
  const own = leavesOf(model, table);
  const theirs = await runOnnx(writeLeavesOnnx(model), table);
  const others = own.reduce((count, leaf, index) => count + (leaf === theirs[index] ? 0 : 1), 0);
  const lower = (what: string, value: number, unit: string, bar: number): Measure => ({
    ...{ name: `${name}.onnx.${what}`, value, unit, bar, better: "lower", samples: [value] },
  });
  return [lower("score-gap", gap, "most", SCORE_GAP_MAX), lower("other-leaves", others, `of ${own.length}`, 0)];
}

/** Those of some measures that there are, each with the range of its samples. */
function marksOf(measures: readonly Measure[], names: Readonly<Record<string, string>>): Mark[] {
  return Object.entries(names).flatMap(([name, shown]) => {
    const found = measures.find((measure) => measure.name === name);
    if (!found) return [];
    const { value, samples } = found;
    const isBaseline = shown !== "ours";
    return [{ name: shown, value, low: Math.min(...samples), high: Math.max(...samples), isBaseline }];
  });
}

const draw = (measures: readonly Measure[]): string =>
  drawPanels(
    "Who leaves: boosted trees, beside LightGBM and a line",
    `five times three folds of two public sets of customers; the thin lines are the ranges of all ${REPEATS * FOLDS} folds, or of ${SPEED_ROUNDS} rounds`,
    SETS.flatMap((name) => [
      {
        ...{ title: `${name}: AUC on customers that were not learned from`, from: 0.5 },
        shown: (value: number) => value.toFixed(3),
        marks: marksOf(measures, {
          [`${name}.auc.ours`]: "ours",
          [`${name}.auc.lightgbm`]: "LightGBM",
          [`${name}.auc.logistic`]: "logistic regression",
        }),
      },
      {
        ...{
          title: `${name}: training at ${SPEED_ROWS} rows, one thread`,
          shown: (value: number) => `${value.toFixed(2)} s`,
        },
        marks: marksOf(measures, { [`${name}.50k.ours`]: "ours", [`${name}.50k.lightgbm`]: "LightGBM" }),
      },
    ]),
  );

const folder = process.env.MARQUEE_TESTDATA;
if (folder === undefined) {
  console.error("MARQUEE_TESTDATA is not set: the sets are in its folder churn");
  process.exitCode = 1;
} else {
  const python = await pythonWithLightgbm().catch((error: unknown) => {
    console.log(`LightGBM cannot be had, so nothing is compared with it: ${String(error).split("\n")[0]}`);
    process.exitCode = 1;
    return undefined;
  });
  const measures: Measure[] = [];
  for (const name of SETS) {
    const set = await readChurn(path.join(folder, "churn"), name);
    console.log(`${name}: ${set.labels.length} customers, ${set.table.columns} features`);
    measures.push(
      ...(await compareAuc(set, python)),
      ...(await compareSpeed(set, python)),
      ...(await compareOnnx(set)),
    );
  }
  console.log(tableOf(measures));
  await writeResults("gbdt", measures);
  await writePicture("gbdt", parseArgs({ options: { picture: { type: "string" } } }).values.picture, draw(measures));
}

/**
 * Our detector of anomalies beside the windowed Gaussian on the Numenta Anomaly Benchmark: parameters and thresholds of both are chosen on every
 * other file, and judged on the rest, by the benchmark's own score. Then the halves change places.
 *
 *   MARQUEE_TESTDATA=FOLDER node bench/anomaly.ts [--picture FILE]
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { ANOMALY_DEFAULTS, type AnomalyOptions, anomalyScores, openAnomalyDetector } from "#learning/anomaly";
import { bootstrap } from "#learning/bootstrap";
import { bestThreshold, rawScore, scaled } from "#learning/nab";
import { seededRandom } from "#learning/random";
import { gaussianScores } from "./anomaly/gaussian.ts";
import { readNab, type Series } from "./anomaly/nab.ts";
import { drawStrips, type Strip } from "./anomaly/picture.ts";
import { writePicture } from "./charts.ts";
import { type Measure, percentile, table, writeResults } from "./harness.ts";

/** Few, because half of the files is little to choose by. */
const GRID: readonly AnomalyOptions[] = [6, 12].flatMap((lags) =>
  [5, 10].flatMap((neighbours) => [100, 150, 200].map((quiet) => ({ ...ANOMALY_DEFAULTS, lags, neighbours, quiet }))),
);

interface Chosen {
  readonly what: string;
  readonly trainingScore: number;
  readonly threshold: number;
  /** What each judged file came to, before scaling. */
  readonly raw: readonly number[];
  /** At which of its rows the score was at the threshold. */
  readonly alarms: readonly (readonly number[])[];
}

const strips: Strip[] = [];
const alarmsOf = (scores: readonly Float64Array[], threshold: number): number[][] =>
  scores.map((own) => Array.from(own.keys()).filter((row) => (own[row] ?? 0) >= threshold));

const rawOf = (series: readonly Series[], scores: readonly Float64Array[], threshold: number): number[] =>
  series.map((one, index) => rawScore(one, (row) => (scores[index]?.[row] ?? 0) >= threshold));

function gaussian(training: readonly Series[], judged: readonly Series[]): Chosen {
  const { threshold, score } = bestThreshold(
    training,
    training.map(({ values }) => gaussianScores(values)),
  );
  const scores = judged.map(({ values }) => gaussianScores(values));
  const raw = rawOf(judged, scores, threshold);
  return { what: "as published", trainingScore: score, threshold, raw, alarms: alarmsOf(scores, threshold) };
}

function ours(training: readonly Series[], judged: readonly Series[]): Chosen {
  const tried = GRID.map((options) => {
    const scores = training.map(({ values }) => anomalyScores(values, options));
    return { options, ...bestThreshold(training, scores) };
  });
  const [best] = tried.toSorted((a, b) => b.score - a.score);
  if (!best) throw new Error("nothing was tried");
  const { options, threshold, score } = best;
  const scores = judged.map(({ values }) => anomalyScores(values, options));
  const what = `lags ${options.lags}, neighbours ${options.neighbours}, quiet ${options.quiet}`;
  const raw = rawOf(judged, scores, threshold);
  return { what, trainingScore: score, threshold, raw, alarms: alarmsOf(scores, threshold) };
}

function compare(name: string, training: readonly Series[], judged: readonly Series[]): Measure[] {
  const [base, own] = [gaussian(training, judged), ours(training, judged)];
  for (const [who, { what, trainingScore, threshold }] of [
    ["gaussian", base],
    ["ours", own],
  ] as const)
    console.log(
      `${name}: ${who} (${what}), threshold ${threshold.toPrecision(8)}, ${trainingScore.toFixed(1)} on the files it was chosen on`,
    );
  printFiles(judged, base.raw, own.raw);
  for (const [index, series] of judged.entries())
    if (series.windows.length > 0 && !strips.some((strip) => strip.series.group === series.group))
      strips.push({ series, ours: own.alarms[index] ?? [], gaussian: base.alarms[index] ?? [] });
  const windows = judged.reduce((sum, one) => sum + one.windows.length, 0);
  const scoreAt = (raw: readonly number[], at: ArrayLike<number>): number => {
    const drawn = Array.from(at);
    return scaled(
      drawn.flatMap((index) => judged[index] ?? []),
      drawn.map((index) => raw[index] ?? 0),
    );
  };
  const difference = bootstrap(judged.length, (at) => scoreAt(own.raw, at) - scoreAt(base.raw, at), {
    random: seededRandom(5),
  });
  console.log(
    `${name}: ${judged.length} files, ${windows} windows: ours - gaussian ${difference.estimate.toFixed(1)}, 95 % interval over files ${difference.low.toFixed(1)} to ${difference.high.toFixed(1)}\n`,
  );
  const [a, b] = [scaled(judged, own.raw), scaled(judged, base.raw)];
  return [
    { name: `${name}.ours`, value: a, unit: "NAB", bar: null, samples: [a] },
    { name: `${name}.gaussian`, value: b, unit: "NAB", bar: null, samples: [b] },
    { name: `${name}.above-gaussian`, value: a - b, unit: "NAB", bar: 0.1, samples: [difference.low, difference.high] },
  ];
}

/** By group of files, because some have no window, and a score of one file says little. */
function printFiles(judged: readonly Series[], base: readonly number[], own: readonly number[]): void {
  for (const [group, indices] of Map.groupBy(judged.keys(), (index) => judged[index]?.group ?? "")) {
    const files = indices.flatMap((index) => judged[index] ?? []);
    const of = (raw: readonly number[]): string => {
      const mine = indices.map((index) => raw[index] ?? 0);
      const all = files.reduce((sum, one) => sum + one.windows.length, 0);
      return all === 0
        ? `${mine.reduce((sum, value) => sum + value, 0).toFixed(2)} raw`
        : scaled(files, mine).toFixed(1);
    };
    console.log(
      `  ${group.padEnd(22)} ${String(files.length).padStart(2)} files  gaussian ${of(base).padStart(10)}  ours ${of(own).padStart(10)}`,
    );
  }
}

/** How long one value takes, warm. */
function speed(series: readonly Series[]): Measure {
  const samples: number[] = [];
  for (const { values } of series) {
    const detector = openAnomalyDetector();
    for (const value of values) {
      const began = performance.now();
      detector.push(value);
      samples.push(performance.now() - began);
    }
  }
  const p99 = percentile(samples, 0.99);
  return {
    name: "anomaly.push.p99",
    value: p99,
    unit: "ms",
    bar: 50,
    better: "lower",
    samples: [percentile(samples, 0.5), p99],
  };
}

const folder = process.env.MARQUEE_TESTDATA;
if (folder === undefined) {
  console.error("MARQUEE_TESTDATA is not set: the series are in its folder anomaly-nab");
  process.exitCode = 1;
} else {
  const all = readNab(path.join(folder, "anomaly-nab"));
  const [even, odd] = [all.filter((_, at) => at % 2 === 0), all.filter((_, at) => at % 2 === 1)];
  const measures = [...compare("anomaly.nab", even, odd), ...compare("anomaly.nab.swapped", odd, even), speed(even)];
  console.log(table(measures));
  await writeResults("anomaly", measures);
  const { picture } = parseArgs({ options: { picture: { type: "string" } } }).values;
  await writePicture("anomaly", picture, drawStrips(strips));
}

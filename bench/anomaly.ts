/**
 * Anomaly detection on the Numenta Anomaly Benchmark: parameters and thresholds are chosen on half of the streams, and both detectors judged on the
 * other half, by the benchmark's standard profile.
 *
 *   MARQUEE_TESTDATA=FOLDER node bench/anomaly.ts
 */
import path from "node:path";
import { type ExposeOptions, exposeScores, windowedGaussianScores } from "#learning/anomaly";
import { seededRandom } from "#learning/random";
import { nabScore, readNab, type Stream } from "./anomaly/nab.ts";
import { type Measure, table, writeResults } from "./harness.ts";

const FEATURES = 128;
const THRESHOLDS = 300;
const LEAST = 30;

interface Detector {
  readonly name: string;
  readonly scores: (stream: Stream) => Float64Array;
}

const EXPOSE: readonly Detector[] = [1, 3].flatMap((lags) =>
  [0.1, 0.5, 2].flatMap((gamma) =>
    [0.003, 0.01, 0.03].map((decay): Detector => {
      const options: ExposeOptions = { lags, gamma, decay, features: FEATURES };
      return {
        name: `${lags} numbers, gamma ${gamma}, decay ${decay}`,
        scores: ({ values, probation }) => exposeScores(values, options, probation, seededRandom(1)),
      };
    }),
  ),
);
const GAUSSIAN: readonly Detector[] = [200, 400, 800, 1_600, 6_400].map((window) => ({
  name: `window of ${window}`,
  scores: ({ values }) => windowedGaussianScores(values, window, LEAST),
}));

interface Chosen {
  readonly detector: Detector;
  readonly threshold: number;
  readonly score: number;
}

/** The detector and the threshold that do best on some streams. */
function choose(detectors: readonly Detector[], streams: readonly Stream[]): Chosen {
  return detectors
    .flatMap((detector): Chosen[] => {
      const scores = streams.map(detector.scores);
      const sorted = Float64Array.from(scores.flatMap((own) => [...own])).sort();
      // Alarms are rare: thresholds are those that the highest scores, ever denser, would make.
      const thresholds = Array.from({ length: THRESHOLDS }, (_, index) => {
        const rank = Math.floor(sorted.length ** ((index + 1) / (THRESHOLDS + 40)));
        return sorted[sorted.length - rank] ?? Number.POSITIVE_INFINITY;
      });
      return [...new Set(thresholds)]
        .filter((threshold) => threshold > 0)
        .map((threshold) => ({ detector, threshold, score: nabScore(streams, scores, threshold) }));
    })
    .reduce((best, one) => (one.score > best.score ? one : best));
}

const folder = process.env.MARQUEE_TESTDATA;
if (folder === undefined) {
  console.error("MARQUEE_TESTDATA is not set: the streams are in its folder anomaly-nab");
  process.exitCode = 1;
} else {
  const streams = await readNab(path.join(folder, "anomaly-nab"));
  const [known, unseen] = [0, 1].map((half) => streams.filter((_, index) => index % 2 === half)) as [
    Stream[],
    Stream[],
  ];
  const judge = (detectors: readonly Detector[]): readonly [chosen: Chosen, onUnseen: number] => {
    const chosen = choose(detectors, known);
    return [chosen, nabScore(unseen, unseen.map(chosen.detector.scores), chosen.threshold)];
  };
  const [expose, ours] = judge(EXPOSE);
  const [gaussian, theirs] = judge(GAUSSIAN);
  console.log(`${known.length} streams to choose by, ${unseen.length} to judge by`);
  console.log(`EXPoSE: ${expose.detector.name}; windowed Gaussian: ${gaussian.detector.name}`);
  const measure = (name: string, value: number, more: Partial<Measure> = {}): Measure => ({
    ...{ name, value, unit: "NAB score", bar: null, samples: [value], ...more },
  });
  const measures = [
    measure("chosen-by.expose", expose.score),
    measure("chosen-by.windowed-gaussian", gaussian.score),
    measure("judged-by.windowed-gaussian", theirs),
    measure("judged-by.expose", ours, { bar: theirs }),
  ];
  console.log(table(measures));
  await writeResults("anomaly", measures);
}

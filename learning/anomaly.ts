/**
 * Anomalies in a stream of numbers, one score a number, made of what came before it alone. EXPoSE (Schneider, Ertel and Ramos 2016, "Expected
 * similarity estimation for large-scale batch and streaming anomaly detection"): how unlike a number, with those right before it, is to what was seen, by a
 * kernel whose feature map is approximated at random (Rahimi and Recht 2007) and whose mean forgets. The windowed Gaussian (Lavin and Ahmad 2015,
 * "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly Benchmark") is the baseline.
 */
import { type Random, randomNormal } from "./random.ts";

export interface ExposeOptions {
  /** How many numbers are looked at together, the newest among them. */
  readonly lags: number;
  /** Of the Gaussian kernel, for numbers that are scaled as below. */
  readonly gamma: number;
  /** The share of what is remembered that each new number takes. */
  readonly decay: number;
  /** Random features: the more, the nearer to the kernel. */
  readonly features: number;
}

/** Scores of 0 (as ever) to about 1 (never seen). Numbers are scaled by the median and the spread of the first `scaledBy`, whose scores are 0. */
export function exposeScores(
  values: Float64Array,
  { lags, gamma, decay, features }: ExposeOptions,
  scaledBy: number,
  random: Random,
): Float64Array {
  const { median, spread } = scaleOf(values.subarray(0, scaledBy));
  const weights = Float64Array.from({ length: features * lags }, () => Math.sqrt(2 * gamma) * randomNormal(random));
  const phases = Float64Array.from({ length: features }, () => 2 * Math.PI * random());
  const remembered = new Float64Array(features);
  const mapped = new Float64Array(features);
  const scores = new Float64Array(values.length);
  const norm = Math.sqrt(2 / features);
  for (let at = lags - 1; at < values.length; at += 1) {
    let similarity = 0;
    for (let feature = 0; feature < features; feature += 1) {
      let angle = phases[feature] ?? 0;
      for (let lag = 0; lag < lags; lag += 1)
        angle += (weights[feature * lags + lag] ?? 0) * (((values[at - lag] ?? 0) - median) / spread);
      const value = norm * Math.cos(angle);
      mapped[feature] = value;
      similarity += value * (remembered[feature] ?? 0);
    }
    if (at >= scaledBy) scores[at] = Math.max(0, 1 - similarity);
    // At first every number counts alike, until the mean is as old as its memory.
    const share = Math.max(decay, 1 / (at - lags + 2));
    for (let feature = 0; feature < features; feature += 1) {
      const before = remembered[feature] ?? 0;
      remembered[feature] = before + share * ((mapped[feature] ?? 0) - before);
    }
  }
  return scores;
}

/** How many standard deviations each number is from the mean of the `window` before it; 0 while there are few. */
export function windowedGaussianScores(values: Float64Array, window: number, least: number): Float64Array {
  const scores = new Float64Array(values.length);
  let [sum, squares] = [0, 0];
  for (let at = 0; at < values.length; at += 1) {
    const count = Math.min(at, window);
    const value = values[at] ?? 0;
    if (count >= least) {
      const mean = sum / count;
      const deviation = Math.sqrt(Math.max(squares / count - mean * mean, 1e-12 * (1 + mean * mean)));
      scores[at] = Math.abs(value - mean) / deviation;
    }
    const old = at >= window ? (values[at - window] ?? 0) : 0;
    sum += value - old;
    squares += value * value - old * old;
  }
  return scores;
}

function scaleOf(values: Float64Array): { readonly median: number; readonly spread: number } {
  const sorted = Float64Array.from(values).sort();
  const quantile = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const [low, median, high] = [quantile(0.1), quantile(0.5), quantile(0.9)];
  // Numbers that hardly differ are scaled by their size, so that noise in the last digit is none.
  return { median, spread: Math.max((high - low) / 2.563, 1e-3 * Math.abs(median), 1e-9) };
}

/**
 * Anomalies of a series as it comes, by conformalised nearest neighbours (E. Burnaev and V. Ishimtsev 2016, "Conformalized density- and
 * distance-based anomaly detection in time-series data", arXiv:1608.04585): the last values are a point in as many dimensions; how far it is from
 * its nearest neighbours among earlier points says how strange it is, and how that compares with the strangeness of earlier rows says whether that
 * is unusual here. Nothing is assumed of trend, season or spread, and what came before is calm again as soon as it has come often enough.
 *
 * Three things are ours. Neighbours are sought among the raw lags rather than by Mahalanobis distance, whose covariance is singular in flat
 * stretches. The score is the distance over an upper quantile of earlier ones and not a rank among them: ranks end at 1 / rows, where every alarm
 * looks alike. And an alarm is a record of the last rows, so that one anomaly is one alarm and not one for each of its rows.
 */

export interface AnomalyOptions {
  /** How many values make a point. */
  readonly lags: number;
  readonly neighbours: number;
  /** Neighbours are sought among so many earlier points. */
  readonly reference: number;
  /** Strangeness is compared with that of so many earlier rows. */
  readonly calibration: number;
  readonly quantile: number;
  /** After something as strange, so many rows are quiet. */
  readonly quiet: number;
}

/** Chosen on half of the Numenta Anomaly Benchmark, with the threshold: `npm run bench -- anomaly`. */
export const ANOMALY_DEFAULTS: AnomalyOptions = {
  ...{ lags: 6, neighbours: 10, reference: 1_000, calibration: 2_000, quantile: 0.99, quiet: 100 },
};
export const ANOMALY_THRESHOLD = 0.58;

/** Quantiles of thousands of rows move slowly. */
const CALIBRATE_EVERY = 10;
const CALIBRATE_FROM = 30;

export interface AnomalyDetector {
  /** 0 to 1: how strange the newest value makes the last ones; .5 is what one row in a hundred is. 0 where as much was said lately, or little is known. */
  push(value: number): number;
  /** Values that it has seen. */
  readonly rows: () => number;
}

export function openAnomalyDetector(options: AnomalyOptions = ANOMALY_DEFAULTS): AnomalyDetector {
  const { lags, neighbours, reference, calibration, quantile, quiet } = options;
  const values = openRing(reference + 2 * lags);
  const distances = openRing(calibration);
  const scores = openRing(quiet);
  const nearest = new Float64Array(neighbours);
  let level = 0;
  let rows = 0;

  /** The mean distance of the newest point from its neighbours, by coordinate; points that share values with it are none. */
  function strangeness(): number {
    const newest = values.count() - 1;
    const [first, last] = [Math.max(lags - 1, newest - lags - reference), newest - lags];
    if (last - first < 3 * neighbours) return 0;
    nearest.fill(Infinity);
    for (let at = first; at <= last; at += 1) {
      const worst = nearest[neighbours - 1] ?? 0;
      let sum = 0;
      for (let lag = 0; lag < lags && sum < worst; lag += 1)
        sum += (values.at(newest - lag) - values.at(at - lag)) ** 2;
      if (sum >= worst) continue;
      let place = neighbours - 1;
      for (; place > 0 && (nearest[place - 1] ?? 0) > sum; place -= 1) nearest[place] = nearest[place - 1] ?? 0;
      nearest[place] = sum;
    }
    return nearest.reduce((total, sum) => total + Math.sqrt(sum / lags), 0) / neighbours;
  }

  return {
    rows: () => rows,
    push(value) {
      if (!Number.isFinite(value)) throw new RangeError(`${value} is no value of a series`);
      values.push(value);
      rows += 1;
      const strange = strangeness();
      if (rows > CALIBRATE_FROM && rows % CALIBRATE_EVERY === 1) level = quantileOf(distances.all(), quantile);
      distances.push(strange);
      const score = rows <= CALIBRATE_FROM ? 0 : level > 0 ? strange / (strange + level) : strange > 0 ? 1 : 0;
      const isRecord = scores.all().every((before) => before < score);
      scores.push(score);
      return isRecord ? score : 0;
    },
  };
}

/** The scores of a whole series, each as it would have been said at its time. */
export function anomalyScores(series: ArrayLike<number>, options: AnomalyOptions = ANOMALY_DEFAULTS): Float64Array {
  const detector = openAnomalyDetector(options);
  return Float64Array.from(series, (value) => detector.push(value));
}

function quantileOf(all: Float64Array, share: number): number {
  const sorted = all.toSorted();
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}

/** The last `size` values; the oldest has index 0. */
function openRing(size: number) {
  const kept = new Float64Array(size);
  let total = 0;
  return {
    push(value: number): void {
      kept[total % size] = value;
      total += 1;
    },
    count: (): number => Math.min(total, size),
    at: (index: number): number => kept[(total <= size ? index : total + index) % size] ?? 0,
    all: (): Float64Array => kept.subarray(0, Math.min(total, size)),
  };
}

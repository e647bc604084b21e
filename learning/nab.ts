/**
 * The Numenta Anomaly Benchmark's score (A. Lavin and S. Ahmad 2015, "Evaluating real-time anomaly detection algorithms", arXiv:1510.03336, section
 * II.C, as its reference program computes it): the first alarm in a window of a labelled anomaly earns up to 1, more the earlier it is; every
 * alarm outside costs up to .11, less right after a window; a window without an alarm costs 1. The sum is scaled so that no alarm at all is 0 and
 * a perfect detector is 100. What falls into the first rows, in which a detector may learn, is not scored.
 */

/** The profile "standard". */
const FALSE_ALARM = 0.11;
const MISSED = 1;
const PROBATION_SHARE = 0.15;
const PROBATION_ROWS_OF = 5_000;
const FAR_BEHIND = 3;

export interface Labelled {
  readonly values: Float64Array;
  /** First and last row of each labelled anomaly, in order, not overlapping. */
  readonly windows: readonly (readonly [number, number])[];
}

export const probationRows = (rows: number): number => Math.floor(PROBATION_SHARE * Math.min(rows, PROBATION_ROWS_OF));

const sigmoid = (position: number): number => (position > FAR_BEHIND ? -1 : 2 / (1 + Math.exp(5 * position)) - 1);

/** Where a row stands: in which window, or in none, and what an alarm there is worth. */
interface Place {
  readonly window: number;
  readonly worth: number;
}

function placesOf(rows: number, windows: Labelled["windows"]): Place[] {
  const best = sigmoid(-1);
  let next = 0;
  let before: readonly [number, number] | undefined;
  return Array.from({ length: rows }, (_, row) => {
    const window = windows[next];
    if (window && row >= window[0]) {
      const [from, to] = window;
      const place = { window: next, worth: sigmoid(-(to - row + 1) / (to - from + 1)) / best };
      if (row === to) {
        before = window;
        next += 1;
      }
      return place;
    }
    const behind = before ? (row - before[1]) / (before[1] - before[0]) : Infinity;
    return { window: -1, worth: FALSE_ALARM * sigmoid(behind) };
  });
}

/** What alarms of one series come to before scaling: from -windows to +windows, and less with many false ones. */
export function rawScore({ values, windows }: Labelled, isAlarm: (row: number) => boolean): number {
  const earned = windows.map(() => -MISSED);
  let lost = 0;
  for (const [row, { window, worth }] of placesOf(values.length, windows).entries()) {
    if (row < probationRows(values.length) || !isAlarm(row)) continue;
    if (window < 0) lost += worth;
    else earned[window] = Math.max(earned[window] ?? -MISSED, worth);
  }
  return lost + earned.reduce((sum, worth) => sum + worth, 0);
}

/** The scaled score of several series, from what each came to. NaN where no series has a window. */
export function scaled(series: readonly Labelled[], raw: readonly number[]): number {
  const windows = series.reduce((sum, one) => sum + one.windows.length, 0);
  return (100 * (raw.reduce((sum, value) => sum + value, 0) + windows)) / (2 * windows);
}

export interface Threshold {
  readonly threshold: number;
  readonly score: number;
}

/** The threshold at which scores of several series together come to most, tried at every score that occurs. */
export function bestThreshold(series: readonly Labelled[], scores: readonly Float64Array[]): Threshold {
  const points = series.flatMap((one, index) => {
    const places = placesOf(one.values.length, one.windows);
    const from = probationRows(one.values.length);
    return places.slice(from).map((place, at) => ({ ...place, series: index, score: scores[index]?.[from + at] ?? 0 }));
  });
  points.sort((a, b) => b.score - a.score);
  const earned = series.map(({ windows }) => windows.map(() => -MISSED));
  const windows = earned.reduce((sum, each) => sum + each.length, 0);
  let sum = -windows * MISSED;
  let best: Threshold = { threshold: Infinity, score: sum };
  for (const [at, { series: of, window, worth, score }] of points.entries()) {
    const own = earned[of];
    if (window < 0 || !own) sum += worth;
    else {
      const before = own[window] ?? -MISSED;
      own[window] = Math.max(before, worth);
      sum += Math.max(before, worth) - before;
    }
    if (points[at + 1]?.score !== score && sum > best.score) best = { threshold: score, score: sum };
  }
  return { ...best, score: (100 * (best.score + windows)) / (2 * windows) };
}

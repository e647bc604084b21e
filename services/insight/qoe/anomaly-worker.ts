/** The detector in a thread of its own: what it begins with is hours of many series. */
import { parentPort } from "node:worker_threads";
import { LRUCache } from "lru-cache";
import { yieldThread } from "#kernel/priority";
import { type AnomalyDetector, openAnomalyDetector } from "#learning/anomaly";
import { seriesOf, type Point, type Verdict } from "./domain-anomalies.ts";

export interface ToDetector {
  readonly id: number;
  readonly tenant: string;
  /** Of any series, the minutes of each in order. */
  readonly points: readonly Point[];
}
export interface FromDetector {
  readonly id: number;
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

interface Known {
  readonly detector: AnomalyDetector;
  readonly hour: number[];
  minute: number;
}

const NICENESS = 5;
const SERIES_MAX = 2_000;
const HOUR_MINUTES = 60;

if (!parentPort) throw new Error("the detector runs as a worker");
const port = parentPort;
yieldThread(NICENESS);
const series = new LRUCache<string, Known>({ max: SERIES_MAX });
port.on("message", ({ id, tenant, points }: ToDetector) => {
  const verdicts = new Map<string, Verdict>();
  for (const point of points) {
    const key = seriesOf(point);
    const known = series.get(`${tenant}/${key}`) ?? { detector: openAnomalyDetector(), hour: [], minute: -1 };
    series.set(`${tenant}/${key}`, known);
    // What is told again, after a look that was given up, counts once.
    if (point.minute <= known.minute) continue;
    known.minute = point.minute;
    const usual = medianOf(known.hour);
    const score = Math.max(known.detector.push(point.figure), verdicts.get(key)?.score ?? 0);
    known.hour.push(point.figure);
    if (known.hour.length > HOUR_MINUTES) known.hour.shift();
    verdicts.set(key, { score, usual, rows: known.detector.rows() });
  }
  port.postMessage({ id, verdicts } satisfies FromDetector);
});

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

import { readFile } from "node:fs/promises";
import { globSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

/** One stream of the Numenta Anomaly Benchmark, and the stretches in which an alarm is right. */
export interface Stream {
  readonly name: string;
  readonly values: Float64Array;
  /** First and last index of each, in order. */
  readonly windows: readonly (readonly [first: number, last: number])[];
  /** What a detector may get used to, unjudged. */
  readonly probation: number;
}

const Windows = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));
const PROBATION_SHARE = 0.15;
const PROBATION_ROWS_MAX = 750;

/** Every stream below a folder that has the benchmark's own files. */
export async function readNab(folder: string): Promise<Stream[]> {
  const windows = Windows.parse(JSON.parse(await readFile(path.join(folder, "labels/combined_windows.json"), "utf8")));
  const names = globSync("*/*.csv", { cwd: path.join(folder, "data") }).sort();
  return Promise.all(
    names.map(async (name): Promise<Stream> => {
      const text = await readFile(path.join(folder, "data", name), "utf8");
      const rows = text
        .trim()
        .split(/\r?\n/)
        .slice(1)
        .map((line) => line.split(","));
      const times = rows.map(([time = ""]) => Date.parse(`${time.replace(" ", "T")}Z`));
      return {
        name,
        values: Float64Array.from(rows, ([, value]) => Number(value)),
        windows: (windows[name] ?? []).map(([from, to]) => {
          const [first, last] = [from, to].map((time) => Date.parse(`${time.replace(" ", "T")}Z`));
          return [times.findIndex((time) => time >= (first ?? 0)), times.findLastIndex((time) => time <= (last ?? 0))];
        }),
        probation: Math.floor(Math.min(PROBATION_SHARE * rows.length, PROBATION_ROWS_MAX)),
      };
    }),
  );
}

const FALSE_ALARM = 0.11;
/** 1 well before a stretch ends, 0 at its end, -1 well after it (Lavin and Ahmad 2015, section III). */
const credit = (position: number): number => (position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1);
const CREDIT_MAX = credit(-1);

/** What alarms are worth: the first in each stretch by how early it is, each outside of any by how far after one; a stretch without alarm costs 1. */
export function rawScore({ windows, probation, values }: Stream, scores: Float64Array, threshold: number): number {
  let score = 0;
  let next = 0;
  let isFound = false;
  for (let at = probation; at < values.length; at += 1) {
    while (next < windows.length && at > (windows[next]?.[1] ?? 0)) {
      if (!isFound) score -= 1;
      isFound = false;
      next += 1;
    }
    if ((scores[at] ?? 0) < threshold) continue;
    const [first, last] = windows[next] ?? [Number.POSITIVE_INFINITY, 0];
    if (at >= first) {
      if (!isFound) score += credit(-(last - at + 1) / (last - first + 1)) / CREDIT_MAX;
      isFound = true;
    } else {
      const before = windows[next - 1];
      score += FALSE_ALARM * (before ? credit((at - before[1]) / Math.max(1, before[1] - before[0])) : -1);
    }
  }
  for (; next < windows.length; next += 1) {
    if (!isFound) score -= 1;
    isFound = false;
  }
  return score;
}

/** 0 for no alarm at all, 100 for every stretch found at its beginning and nothing else. */
export function nabScore(streams: readonly Stream[], scores: readonly Float64Array[], threshold: number): number {
  const stretches = streams.reduce((sum, { windows }) => sum + windows.length, 0);
  const raw = streams.reduce(
    (sum, stream, index) => sum + rawScore(stream, scores[index] ?? new Float64Array(), threshold),
    0,
  );
  return (100 * (raw + stretches)) / (2 * stretches);
}

/** What every benchmark shares: medians, a table for people and a JSON file for machines. */

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface Measure {
  /** Dotted, such as `packager.video.cbcs`. */
  readonly name: string;
  readonly value: number;
  /** Such as `MB/s`, `ms` or `ratio`. */
  readonly unit: string;
  /** What the value must reach; null for a limit that is only shown beside it. */
  readonly bar: number | null;
  /** Whether a value at or above the bar is good (the default) or one at or below it. */
  readonly better?: "higher" | "lower";
  readonly samples: readonly number[];
}

/** The middle value, or the mean of the two middle ones; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The sample below which a share of them lies, 0 to 1; NaN of nothing. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export interface Memory {
  readonly pssMb: number;
  readonly rssMb: number;
}

/** What processes hold: PSS counts each shared page once, RSS with everybody who has it. */
export async function memoryOf(processes: readonly { readonly pid: number }[]): Promise<Memory> {
  let pssKb = 0;
  let rssKb = 0;
  for (const { pid } of processes) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    pssKb += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    rssKb += Number(/^Rss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  }
  return { pssMb: pssKb / 1_024, rssMb: rssKb / 1_024 };
}

export function meetsBar({ value, bar, better }: Measure): boolean {
  if (bar === null) return true;
  return better === "lower" ? value <= bar : value >= bar;
}

/** One line a measure: median, bar, verdict and the spread of the samples. */
export function table(measures: readonly Measure[]): string {
  const shown = (value: number) => (Math.abs(value) < 10 ? value.toFixed(3) : value.toFixed(1));
  const rows = measures.map((measure) => [
    measure.name,
    shown(measure.value),
    measure.unit,
    measure.bar === null ? "-" : `${measure.better === "lower" ? "<=" : ">="} ${measure.bar}`,
    measure.bar === null ? "-" : meetsBar(measure) ? "met" : "MISSED",
    `${shown(Math.min(...measure.samples))} to ${shown(Math.max(...measure.samples))} (${measure.samples.length})`,
  ]);
  const lines = [["measure", "median", "unit", "bar", "verdict", "samples"], ...rows];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Where results are kept: MARQUEE_BENCH_DIR, by default .cache/bench. */
export const resultsFolder = (): string => process.env.MARQUEE_BENCH_DIR ?? join(".cache", "bench");

/** Writes `{name}.json` into the results' folder and sets exit code 1 where a bar is missed. */
export async function writeResults(name: string, measures: readonly Measure[]): Promise<void> {
  const folder = resultsFolder();
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.json`);
  await writeFile(`${path}.tmp`, `${JSON.stringify(measures, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
  if (!measures.every(meetsBar)) process.exitCode = 1;
}

import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { Labelled } from "#learning/nab";

/** One file of the benchmark. */
export interface Series extends Labelled {
  readonly group: string;
  readonly file: string;
  /** What the detectors of the benchmark are handed beside it. */
  readonly minutesApart: number;
}

const Windows = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));

/** Times are written without a zone and compared as text: seconds with and without a fraction are the same moment. */
const momentOf = (text: string): string => text.slice(0, 19);

export function readNab(folder: string): Series[] {
  const windows = Windows.parse(JSON.parse(readFileSync(path.join(folder, "labels/combined_windows.json"), "utf8")));
  return globSync("*/*.csv", { cwd: path.join(folder, "data") })
    .sort()
    .map((name) => {
      const [, ...lines] = readFileSync(path.join(folder, "data", name), "utf8")
        .trim()
        .split(/\r?\n/);
      const rows = lines.map((line) => line.split(","));
      const moments = rows.map(([time = ""]) => momentOf(time));
      const at = (text: string): number => {
        const row = moments.indexOf(momentOf(text));
        if (row < 0) throw new Error(`${name} has no row of ${text}, where a window begins or ends`);
        return row;
      };
      const own = windows[name.replaceAll("\\", "/")];
      if (!own) throw new Error(`${name} has no labels`);
      const [first = 0, last = 0] = [moments[0], moments.at(-1)].map((moment) =>
        Date.parse(`${moment?.replace(" ", "T")}Z`),
      );
      return {
        ...{ group: path.dirname(name), file: path.basename(name, ".csv") },
        values: Float64Array.from(rows, ([, value]) => Number(value)),
        windows: own.map(([from, to]) => [at(from), at(to)] as const),
        minutesApart: (last - first) / 60_000 / Math.max(1, rows.length - 1),
      };
    });
}

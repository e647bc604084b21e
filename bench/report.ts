/**
 * What every benchmark found when it last ran: one table, and a picture (SVG 1.1) with `--picture FILE`.
 *
 *   node bench/report.ts [--picture FILE]
 */
import { globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type Measure, meetsBar, resultsFolder, table } from "./harness.ts";

const ROW_HEIGHT = 26;
const LEFT = 250;
const SCALE = 420;
const RIGHT = 190;
const TOP = 64;
/** The picture's ends: a hundredth of the bar, and ten times the bar. */
const [RATIO_MIN, RATIO_MAX] = [0.01, 10];

/** How far a value is on its way to the bar: 1 is there, more is better, whichever way better goes. */
const ratioOf = ({ value, bar, better }: Measure): number =>
  bar === null || bar === 0 ? Number.NaN : better === "lower" ? bar / value : value / bar;

const placeOf = (ratio: number): number => {
  const share = Math.log(ratio / RATIO_MIN) / Math.log(RATIO_MAX / RATIO_MIN);
  return LEFT + SCALE * Math.min(1, Math.max(0, share));
};

const shown = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(3)).toString();

/** Each measure that has a bar as a line from the left towards it, on a logarithmic scale. */
export function drawReport(measures: readonly Measure[], about: string): string {
  const rows = measures.filter((measure) => Number.isFinite(ratioOf(measure)));
  const width = LEFT + SCALE + RIGHT;
  const height = TOP + rows.length * ROW_HEIGHT + 24;
  const atBar = placeOf(1);
  const line = (measure: Measure, index: number): string => {
    const y = TOP + index * ROW_HEIGHT;
    const end = placeOf(ratioOf(measure));
    const colour = meetsBar(measure) ? "#2f7d4f" : "#b3541e";
    const goal = `${measure.better === "lower" ? "at most" : "at least"} ${shown(measure.bar ?? 0)}`;
    return [
      `<g transform="translate(0 ${y})"><text x="${LEFT - 12}" y="17" text-anchor="end" fill="#1d1b20">${measure.name}</text>`,
      `<rect x="${LEFT}" y="6" width="${Math.max(1, end - LEFT).toFixed(1)}" height="14" rx="3" fill="${colour}"/>`,
      `<text x="${LEFT + SCALE + 12}" y="17" fill="#1d1b20">${shown(measure.value)} ${measure.unit}`,
      `<tspan fill="#6b6570" dx="6">${goal}</tspan></text></g>`,
    ].join("");
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13">`,
    "<title>Marquee: what the benchmarks found, beside what they are to reach</title>",
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="24" y="28" font-size="16" fill="#1d1b20">What the benchmarks found</text><text x="24" y="48" fill="#6b6570">${about}</text>`,
    ...rows.map(line),
    `<path d="M${atBar} ${TOP - 6}V${height - 12}" stroke="#1d1b20" stroke-dasharray="4 3"/>`,
    `<text x="${atBar}" y="${TOP - 12}" text-anchor="middle" fill="#1d1b20">the bar</text>`,
    "</svg>",
    "",
  ].join("\n");
}

export function main(picture: string | undefined): void {
  const files = globSync("*.json", { cwd: resultsFolder() })
    .sort()
    .map((file) => path.join(resultsFolder(), file));
  if (files.length === 0) throw new Error("no benchmark has run here yet: npm run bench -- NAME");
  const measures = files.flatMap((file) => JSON.parse(readFileSync(file, "utf8")) as Measure[]);
  const newest = new Date(Math.max(...files.map((file) => statSync(file).mtimeMs)));
  const about = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${newest.toISOString().slice(0, 10)}`;
  process.stdout.write(`${about}\n\n${table(measures)}\n`);
  if (picture !== undefined) writeFileSync(picture, drawReport(measures, about));
}

if (import.meta.main) main(parseArgs({ options: { picture: { type: "string" } } }).values.picture);

/** Series with what people marked as unusual, and what detectors said of them. */
import type { Series } from "./nab.ts";

export interface Strip {
  readonly series: Series;
  /** Rows at which each detector's score came to its threshold. */
  readonly ours: readonly number[];
  readonly gaussian: readonly number[];
}

const [WIDTH, LEFT, RIGHT, HEAD, LINE, TICKS, GAP, TOP] = [920, 24, 24, 26, 90, 16, 22, 84];
const [INK, FAINT, OWN, OTHER, MARKED] = ["#1d1b20", "#6b6570", "#2f7d4f", "#a79cb0", "#f3dfae"];

export function drawStrips(strips: readonly Strip[]): string {
  const height = TOP + strips.length * (HEAD + LINE + 2 * TICKS + GAP);
  const about = "of each group of files the first with a window, of those that nothing was chosen on";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>What is unusual</title><rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="24" y="28" font-size="16" fill="${INK}">What is unusual, by people and by detectors</text><text x="24" y="48" fill="${FAINT}">${about}</text>`,
    ...[
      ["marked by people", MARKED],
      ["our detector", OWN],
      ["windowed Gaussian", OTHER],
    ].map(
      ([name, fill], at) =>
        `<rect x="${24 + at * 170}" y="60" width="12" height="12" fill="${fill}"/><text x="${42 + at * 170}" y="71" fill="${INK}">${name}</text>`,
    ),
    ...strips.map((strip, at) => drawStrip(strip, TOP + at * (HEAD + LINE + 2 * TICKS + GAP))),
    "</svg>",
    "",
  ].join("\n");
}

function drawStrip({ series, ours, gaussian }: Strip, top: number): string {
  const { group, file, values, windows } = series;
  const known = values.filter((value) => Number.isFinite(value));
  const [least, most] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
  const x = (row: number): number => LEFT + (row / Math.max(1, values.length - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => top + HEAD + LINE - ((value - least) / (most - least || 1)) * LINE;
  const ticks = (rows: readonly number[], at: number, stroke: string): string =>
    `<path d="${rows.map((row) => `M${x(row).toFixed(1)} ${at}v${TICKS - 4}`).join("")}" stroke="${stroke}" stroke-width="2"/>`;
  return [
    `<text x="${LEFT}" y="${top + 14}" fill="${INK}">${group}: ${file}</text>`,
    ...windows.map(
      ([from, to]) =>
        `<rect x="${x(from).toFixed(1)}" y="${top + HEAD - 4}" width="${Math.max(2, x(to) - x(from)).toFixed(1)}" height="${LINE + 2 * TICKS + 8}" fill="${MARKED}"/>`,
    ),
    `<polyline points="${outline(values, x, y)}" fill="none" stroke="${INK}" stroke-width="1"/>`,
    ticks(ours, top + HEAD + LINE + 6, OWN),
    ticks(gaussian, top + HEAD + LINE + 6 + TICKS, OTHER),
  ].join("\n");
}

/** The least and the greatest of each pixel's values: a picture of ten thousand points need not have them all. */
function outline(values: Float64Array, x: (row: number) => number, y: (value: number) => number): string {
  const points: string[] = [];
  for (const [pixel, rows] of Map.groupBy(values.keys(), (row) => Math.round(x(row)))) {
    const own = rows.flatMap((row) => (Number.isFinite(values[row]) ? [values[row] ?? 0] : []));
    if (own.length === 0) continue;
    const [least, most] = [Math.min(...own), Math.max(...own)];
    points.push(`${pixel},${y(least).toFixed(1)}`);
    if (most > least) points.push(`${pixel},${y(most).toFixed(1)}`);
  }
  return points.join(" ");
}

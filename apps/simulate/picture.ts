/** The course of a simulation, as a picture (SVG 1.1) and as a line of a terminal. */
import type { Row } from "./course.ts";

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [920, 400, 56, 84, 150, 48];
const HOME = "#2f7d4f";
const POPULAR = "#b3541e";
const INK = "#1d1b20";
const FAINT = "#6b6570";
/** However low all lines are, they are not drawn as if they were high. */
const VALUE_MIN = 0.1;
const GRID = 0.1;

/** NDCG@20 over time: homes with the interval of their lead, and popularity. */
export function drawCourse(rows: readonly Row[], about: string): string {
  const last = rows.at(-1);
  const mostS = Math.max(1, last?.atS ?? 0);
  const most = Math.max(VALUE_MIN, ...rows.map(({ popular, difference }) => popular + difference.high)) * 1.05;
  const x = (atS: number): string => (LEFT + (atS / mostS) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (value: number): string =>
    (HEIGHT - BOTTOM - (Math.max(0, value) / most) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const line = (colour: string, of: (row: Row) => number): string =>
    `<polyline points="${rows.map((row) => `${x(row.atS)},${y(of(row))}`).join(" ")}" fill="none" stroke="${colour}" stroke-width="2.2"/>${rows
      .map((row) => `<circle cx="${x(row.atS)}" cy="${y(of(row))}" r="3" fill="${colour}"/>`)
      .join("")}`;
  const edge = (of: (row: Row) => number): string[] => rows.map((row) => `${x(row.atS)},${y(row.popular + of(row))}`);
  const band = [...edge(({ difference }) => difference.high), ...edge(({ difference }) => difference.low).toReversed()];
  const steps = Array.from({ length: Math.floor(most / GRID) + 1 }, (_, step) => step * GRID);
  const unit = mostS >= 120 ? { s: 60, name: "min" } : { s: 1, name: "s" };
  const atEnd = (colour: string, name: string, value: number, dy: number): string =>
    `<text x="${WIDTH - RIGHT + 12}" y="${Number(y(value)) + dy}" fill="${colour}">${name} ${value.toFixed(3)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>How well homes suit simulated viewers</title><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="24" y="28" font-size="16" fill="${INK}">How well homes suit people whose tastes no model sees</text>`,
    `<text x="24" y="48" fill="${FAINT}">${about}</text><text x="24" y="68" fill="${FAINT}">NDCG@20; the band is the 95 % interval of the lead over popularity</text>`,
    ...steps.map(
      (value) =>
        `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="#e6e1ea"/><text x="${LEFT - 8}" y="${Number(y(value)) + 4}" text-anchor="end" fill="${FAINT}">${value.toFixed(1)}</text>`,
    ),
    ...rows.map(
      ({ atS }) =>
        `<text x="${x(atS)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle" fill="${FAINT}">${Math.round(atS / unit.s)}</text>`,
    ),
    `<text x="${WIDTH - RIGHT + 12}" y="${HEIGHT - BOTTOM + 20}" fill="${FAINT}">${unit.name}</text>`,
    `<polygon points="${band.join(" ")}" fill="${HOME}" opacity="0.16"/>`,
    line(POPULAR, ({ popular }) => popular),
    line(HOME, ({ home }) => home),
    ...(last
      ? [
          atEnd(HOME, "homes", last.home, 4),
          atEnd(POPULAR, "popularity", last.popular, last.home < last.popular ? -12 : 14),
        ]
      : []),
    "</svg>",
    "",
  ].join("\n");
}

const BLOCKS = [..."▁▂▃▄▅▆▇█"];

/** A bar for each value, the highest for `most`. */
export const sparkline = (values: readonly number[], most: number): string =>
  values
    .map((value) => BLOCKS[Math.min(BLOCKS.length - 1, Math.max(0, Math.floor((value / most) * BLOCKS.length)))] ?? "")
    .join("");

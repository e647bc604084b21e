/** Pictures (SVG 1.1) of what benchmarks found: panels of named values, each with an interval and a bar where it has them. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { resultsFolder } from "./harness.ts";

export interface Mark {
  readonly name: string;
  readonly value: number;
  /** Of an interval, or of all samples. */
  readonly low?: number;
  readonly high?: number;
  /** What is not ours is drawn fainter. */
  readonly isBaseline?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly marks: readonly Mark[];
  readonly shown: (value: number) => string;
  /** What values have to reach, or to stay below. */
  readonly bar?: number;
  /** Where the scale begins; 0 where it is not said. */
  readonly from?: number;
}

const [WIDTH, LEFT, RIGHT, ROW, HEAD, TOP] = [920, 250, 130, 26, 50, 64];
const [INK, FAINT, OWN, OTHER] = ["#1d1b20", "#6b6570", "#2f7d4f", "#a79cb0"];

export function drawPanels(title: string, about: string, panels: readonly Panel[]): string {
  let y = TOP;
  const drawn = panels.map((panel) => {
    const top = y;
    y += HEAD + panel.marks.length * ROW + 12;
    return drawPanel(panel, top);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${title}</title><rect width="${WIDTH}" height="${y}" fill="#fff"/>`,
    `<text x="24" y="28" font-size="16" fill="${INK}">${title}</text><text x="24" y="48" fill="${FAINT}">${about}</text>`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel({ title, marks, shown, bar, from = 0 }: Panel, top: number): string {
  const most = Math.max(bar ?? 0, ...marks.map(({ value, high }) => high ?? value));
  const x = (value: number): number =>
    LEFT + (Math.max(0, value - from) / Math.max(most - from, Number.EPSILON)) * (WIDTH - LEFT - RIGHT);
  const line = ({ name, value, low, high, isBaseline }: Mark, at: number): string => {
    const y = top + HEAD + at * ROW;
    const spread =
      low === undefined || high === undefined
        ? ""
        : `<path d="M${x(low).toFixed(1)} ${y + 10}H${x(high).toFixed(1)}M${x(low).toFixed(1)} ${y + 5}v10M${x(high).toFixed(1)} ${y + 5}v10" stroke="${INK}"/>`;
    const width = Math.max(1, x(value) - LEFT).toFixed(1);
    return [
      `<text x="${LEFT - 12}" y="${y + 14}" text-anchor="end" fill="${INK}">${name}</text>`,
      `<rect x="${LEFT}" y="${y + 3}" width="${width}" height="14" rx="3" fill="${isBaseline ? OTHER : OWN}"/>${spread}`,
      `<text x="${WIDTH - RIGHT + 12}" y="${y + 14}" fill="${INK}">${shown(value)}</text>`,
    ].join("");
  };
  const barAt = bar === undefined ? "" : x(bar).toFixed(1);
  return [
    `<text x="24" y="${top + 22}" font-weight="600" fill="${INK}">${title}</text>`,
    ...marks.map(line),
    ...(bar === undefined
      ? []
      : [
          `<path d="M${barAt} ${top + HEAD - 4}v${marks.length * ROW + 4}" stroke="${INK}" stroke-dasharray="4 3"/>`,
          `<text x="${barAt}" y="${top + HEAD - 8}" text-anchor="middle" fill="${FAINT}">bar ${shown(bar)}</text>`,
        ]),
  ].join("\n");
}

/** Where a bench was told to draw, or beside its results. */
export async function writePicture(name: string, picture: string | undefined, drawn: string): Promise<void> {
  const file = picture ?? path.join(resultsFolder(), `${name}.svg`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, drawn);
  console.log(`drawn: ${file}`);
}

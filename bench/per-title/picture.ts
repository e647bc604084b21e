/** Part of per-title.ts: rate and quality of each film as a picture (SVG 1.1). */
import type { RatePoint } from "#learning/bd-rate";
import { type Judged, type Saved, trueHull } from "./judge.ts";
import type { Studied } from "./laws.ts";

const COLUMNS = 3;
const [WIDTH, HEIGHT] = [320, 230];
const [LEFT, TOP, BOTTOM] = [34, 74, 30];
const [KBPS_MIN, KBPS_MAX] = [30, 6_000];
const [VMAF_MIN, VMAF_MAX] = [50, 100];
const COLOURS = { fixed: "#b3541e", capped: "#2b5ea7", chosen: "#2f7d4f" } as const;

const x = (kbps: number): number =>
  LEFT + ((WIDTH - LEFT - 14) * Math.log(kbps / KBPS_MIN)) / Math.log(KBPS_MAX / KBPS_MIN);
const y = (vmaf: number): number => 26 + ((HEIGHT - 26 - BOTTOM) * (VMAF_MAX - vmaf)) / (VMAF_MAX - VMAF_MIN);
const isShown = ({ rate, quality }: RatePoint): boolean =>
  rate >= KBPS_MIN && rate <= KBPS_MAX && quality >= VMAF_MIN && quality <= VMAF_MAX;
const place = ({ rate, quality }: RatePoint): string => `${x(rate).toFixed(1)} ${y(quality).toFixed(1)}`;

function line(points: readonly RatePoint[], style: string): string {
  const shown = points.filter(isShown).toSorted((a, b) => a.rate - b.rate);
  return shown.length < 2 ? "" : `<path d="M${shown.map(place).join("L")}" fill="none" ${style}/>`;
}

const dots = (points: readonly RatePoint[], colour: string): string =>
  points
    .filter(isShown)
    .map(
      ({ rate, quality }) =>
        `<circle cx="${x(rate).toFixed(1)}" cy="${y(quality).toFixed(1)}" r="3" fill="${colour}"/>`,
    )
    .join("");

const inWords = ({ percent }: Saved): string =>
  Number.isFinite(percent) ? `${percent.toFixed(Math.abs(percent) < 10 ? 1 : 0)} %` : "nothing in common";
const inKbps = ({ kbps, vmaf }: { readonly kbps: number; readonly vmaf: number }): RatePoint => ({
  rate: kbps,
  quality: vmaf,
});

function drawPanel({ of, fixed, capped, points }: Judged, trials: Studied["trials"], index: number): string {
  const at = `translate(${(index % COLUMNS) * WIDTH} ${TOP + Math.floor(index / COLUMNS) * HEIGHT})`;
  const about = `saved: ${inWords(fixed)} and ${inWords(capped)}`;
  const sizes = [...Map.groupBy(trials, ({ width }) => width).values()].map((own) => own.map(inKbps));
  const rows = [50, 60, 70, 80, 90, 100].map(
    (vmaf) =>
      `<path d="M${LEFT} ${y(vmaf)}H${WIDTH - 14}" stroke="#e6e1e8"/><text x="${LEFT - 6}" y="${y(vmaf) + 4}" text-anchor="end" fill="#6b6570">${vmaf}</text>`,
  );
  const columns = [100, 300, 1_000, 3_000].map(
    (kbps) =>
      `<path d="M${x(kbps).toFixed(1)} 26V${HEIGHT - BOTTOM}" stroke="#e6e1e8"/><text x="${x(kbps).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#6b6570">${kbps.toLocaleString("en")}</text>`,
  );
  const ladder = (rungs: readonly RatePoint[], colour: string): string =>
    line(rungs, `stroke="${colour}" stroke-width="1.5"`) + dots(rungs, colour);
  return [
    `<g transform="${at}"><text x="${LEFT}" y="14" fill="#1d1b20">${of.name}<tspan fill="#6b6570" dx="6">${about}</tspan></text>`,
    ...rows,
    ...columns,
    ...sizes.map((size) => line(size, 'stroke="#c9c2cd"')),
    line(trueHull(trials).map(inKbps), 'stroke="#1d1b20" stroke-dasharray="4 3"'),
    ladder(points.fixed, COLOURS.fixed),
    ladder(points.capped, COLOURS.capped),
    ladder(points.chosen, COLOURS.chosen),
    "</g>",
  ].join("");
}

export function drawPerTitle(judged: readonly Judged[], studied: readonly Studied[], about: string): string {
  const width = COLUMNS * WIDTH;
  const height = TOP + Math.ceil(judged.length / COLUMNS) * HEIGHT;
  const words = [
    ["fixed ladder", COLOURS.fixed],
    ["capped CRF", COLOURS.capped],
    ["per title", COLOURS.chosen],
    ["hull of all sizes", "#1d1b20"],
    ["each size", "#a39ba8"],
  ] as const;
  const legend = words.map(
    ([word, colour], index) =>
      `<rect x="${LEFT + index * 150}" y="54" width="18" height="4" fill="${colour}"/><text x="${LEFT + 24 + index * 150}" y="60" fill="#1d1b20">${word}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12">`,
    "<title>Marquee: VMAF by kbit/s of the fixed ladder, of capped CRF and of ladders per title</title>",
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="24" font-size="16" fill="#1d1b20">VMAF by kbit/s</text><text x="${LEFT}" y="42" fill="#6b6570">${about}</text>`,
    ...legend,
    ...judged.map((one, index) =>
      drawPanel(one, studied.find(({ name }) => name === one.of.name)?.trials ?? [], index),
    ),
    "</svg>",
    "",
  ].join("\n");
}

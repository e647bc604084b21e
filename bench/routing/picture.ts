import { bootstrap, meanAt } from "#learning/bootstrap";
import { seededRandom } from "#learning/random";

export const POLICIES = ["round-robin", "reports", "model", "oracle"] as const;
export type Policy = (typeof POLICIES)[number];

const WORDS: Readonly<Record<Policy, string>> = {
  "round-robin": "round-robin (the fallback)",
  reports: "what players reported last",
  model: "the model",
  oracle: "who knows the next minute",
};
const COLOURS: Readonly<Record<Policy, string>> = {
  "round-robin": "#b3541e",
  reports: "#c9a227",
  model: "#2f7d4f",
  oracle: "#6b6570",
};
const [LEFT, WIDTH, ROW, TOP] = [210, 380, 34, 66];

/** Seconds of waiting in a minute after each way to choose, with the interval over hours of regions (SVG 1.1). */
export function drawRouting(
  outcomes: readonly Readonly<Record<Policy, { readonly rebufferS: number; readonly bad: number }>>[],
): string {
  const rows = POLICIES.map((policy) => {
    const values = outcomes.map((one) => one[policy].rebufferS);
    const interval = bootstrap(values.length, (at) => meanAt(values, at), { random: seededRandom(3) });
    const bad = outcomes.reduce((sum, one) => sum + one[policy].bad, 0) / outcomes.length;
    return { policy, ...interval, bad };
  });
  const most = Math.max(...rows.map(({ high }) => high));
  const x = (value: number): number => LEFT + (WIDTH * value) / most;
  const line = ({ policy, estimate, low, high, bad }: (typeof rows)[number], index: number): string =>
    [
      `<g transform="translate(0 ${TOP + index * ROW})"><text x="${LEFT - 12}" y="20" text-anchor="end" fill="#1d1b20">${WORDS[policy]}</text>`,
      `<rect x="${LEFT}" y="8" width="${(x(estimate) - LEFT).toFixed(1)}" height="16" rx="3" fill="${COLOURS[policy]}"/>`,
      `<path d="M${x(low).toFixed(1)} 16H${x(high).toFixed(1)}" stroke="#1d1b20" stroke-width="1.5"/>`,
      `<text x="${(x(high) + 10).toFixed(1)}" y="20" fill="#1d1b20">${estimate.toFixed(2)} s<tspan fill="#6b6570" dx="8">${(100 * bad).toFixed(1)} % bad minutes</tspan></text></g>`,
    ].join("");
  const height = TOP + rows.length * ROW + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 ${height}" width="780" height="${height}" font-family="system-ui, sans-serif" font-size="13">`,
    "<title>Marquee: waiting in the minute after a delivery network was chosen, by the way to choose</title>",
    `<rect width="780" height="${height}" fill="#fff"/>`,
    '<text x="24" y="28" font-size="16" fill="#1d1b20">Waiting in the minute after a network was chosen</text>',
    `<text x="24" y="48" fill="#6b6570">recorded 3G, 4G and home lines as three networks in four regions; ${outcomes.length} hours of regions that the model has not seen</text>`,
    ...rows.map(line),
    "</svg>",
    "",
  ].join("\n");
}

import type { QoeMetric } from "#contracts/qoe";
import { amount, count, type Kind } from "./domain.ts";
import { MINUTE_MS, ratio } from "./domain-windows.ts";

/** What qoe said of a network in a region in the last ten minutes, the newest last. */
export interface Network {
  readonly windows: readonly Window[];
}
type Window = Pick<
  QoeMetric,
  "fromMs" | "toMs" | "sessions" | "beats" | "throughputKbps" | "troubleRatio" | "scoreP25"
>;

const KEPT_MS = 10 * MINUTE_MS;

export const network: Kind<Network> = {
  group: {
    name: "cdn_performance",
    entity: "cdn_region",
    description: "How a delivery network does for viewers of a region, from what qoe says every half minute",
    ttlMs: KEPT_MS,
    cadenceMs: 0,
    sourceEvents: ["qoe.metric"],
    features: [
      count("sessions", "That reported in the last window"),
      count("beats", "In the last window"),
      amount("throughput", "kbps", "Mean of what players measured in the last window", null),
      amount("trouble_ratio", "", "Share of beats with errors or new rebuffering, in the last window", null),
      amount("score_p25", "", "A quarter of the sessions have a score below, in the last window", null),
      amount("throughput_10m", "kbps", "Mean of ten minutes, by beats", null),
      amount("trouble_ratio_10m", "", "Share of ten minutes", null),
      amount("trouble_ratio_worst_10m", "", "The worst window of ten minutes", null),
      amount("score_p25_10m", "", "Mean of the windows of ten minutes, by sessions", null),
      amount("throughput_trend", "", "The last window beside ten minutes: below 1 it gets slower", null),
    ],
  },
  empty: { windows: [] },
  valuesOf({ windows }) {
    const last = windows.at(-1);
    if (!last) return {};
    const mean = (of: (window: Window) => number, weight: (window: Window) => number): number => {
      const total = windows.reduce((sum, window) => sum + weight(window), 0);
      return ratio(
        windows.reduce((sum, window) => sum + weight(window) * of(window), 0),
        total,
      );
    };
    const measured = ({ throughputKbps, beats }: Window): number => (throughputKbps > 0 ? beats : 0);
    const throughput10 = mean(({ throughputKbps }) => throughputKbps, measured);
    const throughput = last.throughputKbps > 0 ? last.throughputKbps : Number.NaN;
    return {
      ...{ sessions: last.sessions, beats: last.beats, throughput },
      ...{ trouble_ratio: last.troubleRatio, score_p25: last.scoreP25, throughput_10m: throughput10 },
      trouble_ratio_10m: mean(
        ({ troubleRatio }) => troubleRatio,
        ({ beats }) => beats,
      ),
      trouble_ratio_worst_10m: Math.max(...windows.map(({ troubleRatio }) => troubleRatio)),
      score_p25_10m: mean(
        ({ scoreP25 }) => scoreP25,
        ({ sessions }) => sessions,
      ),
      throughput_trend: throughput / throughput10,
    };
  },
};

export const networkKey = ({ networkId, region }: Pick<QoeMetric, "networkId" | "region">): string =>
  `${networkId}/${region || "unknown"}`;

/** A window that is told again takes the place of the one before. */
export const measured =
  ({ fromMs, toMs, sessions, beats, throughputKbps, troubleRatio, scoreP25 }: QoeMetric) =>
  ({ windows }: Network): Network => {
    const all = [
      ...windows.filter((window) => window.fromMs !== fromMs),
      { fromMs, toMs, sessions, beats, throughputKbps, troubleRatio, scoreP25 },
    ];
    const newestMs = Math.max(...all.map((window) => window.toMs));
    return {
      windows: all.filter((window) => window.toMs > newestMs - KEPT_MS).toSorted((a, b) => a.fromMs - b.fromMs),
    };
  };

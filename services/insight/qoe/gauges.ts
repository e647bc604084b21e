import type { Metrics } from "#kernel";
import type { Growth, Rolling } from "./domain.ts";
import type { Segment } from "./domain-alerts.ts";

/** What a beat said, and what was known of its session before. */
export interface Watched {
  readonly before: Rolling | undefined;
  readonly after: Rolling;
  readonly bitrateKbps: number;
  readonly growth: Growth;
}

/** Quality of experience for operators; what is asked about single sessions is in the analytics store. */
export interface Gauges {
  shipped(rows: number): void;
  watched(beats: readonly Watched[]): void;
  /** Scores of sessions that are over. */
  scored(scores: readonly number[]): void;
  /** Counts looks for anomalies, by what decided. */
  looked(way: "detector" | "thresholds"): void;
  /** Replaces what was said before: the lower quartile of each watched segment. */
  segments(all: readonly { readonly tenant: string; readonly segment: Segment }[]): void;
}

const START_BUCKETS_S = [0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 20];
/** The rungs of the ladder lie between these (ARCH-001 section 5). */
const BITRATE_BUCKETS_KBPS = [200, 400, 800, 1_500, 3_000, 5_000, 8_000, 12_000, 16_000];
const SCORE_BUCKETS = [10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100];

export function openGauges(metrics: Metrics): Gauges {
  const rows = metrics.counter("qoe_rows_total", "Rows that the analytics store acknowledged");
  const played = metrics.counter("qoe_watched_seconds_total", "Time that people watched or waited");
  const stalled = metrics.counter("qoe_rebuffer_seconds_total", "Time that people waited in the middle of a film");
  const starts = metrics.histogram("qoe_start_seconds", "From play to the first frame", [], START_BUCKETS_S);
  const bitrates = metrics.histogram("qoe_bitrate_kbps", "What players played, beat by beat", [], BITRATE_BUCKETS_KBPS);
  const scores = metrics.histogram("qoe_score", "Scores of sessions that are over, 0 to 100", [], SCORE_BUCKETS);
  const quartiles = metrics.gauge("qoe_score_p25", "The lower quartile of the scores of a segment, over five minutes", [
    ...(["tenant", "dimension", "segment"] as const),
  ]);
  const looks = metrics.counter("qoe_anomaly_looks_total", "Looks for anomalies, by what decided", ["way"]);
  return {
    looked: (way) => looks.inc({ way }),
    shipped: (count) => rows.inc(count),
    watched(beats) {
      for (const { before, after, bitrateKbps, growth } of beats) {
        played.inc(Math.max(0, after.watchedMs - (before?.watchedMs ?? 0)) / 1_000);
        stalled.inc(Math.max(0, growth.rebufferMs) / 1_000);
        if (bitrateKbps > 0) bitrates.observe(bitrateKbps);
        if (after.videoStartMs >= 0 && (before?.videoStartMs ?? -1) < 0) starts.observe(after.videoStartMs / 1_000);
      }
    },
    scored(all) {
      for (const score of all) scores.observe(score);
    },
    segments(all) {
      quartiles.reset();
      for (const { tenant, segment } of all)
        quartiles.set({ tenant, dimension: segment.dimension, segment: segment.value }, segment.p25);
    },
  };
}

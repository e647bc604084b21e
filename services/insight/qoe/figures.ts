import { z } from "zod";
import type { Analytics, AnalyticsTable } from "#kernel/ports/analytics";
import type { Beat, Factors, Growth, Rolling } from "./domain.ts";
import type { Dimension, Segment } from "./domain-alerts.ts";
import { MEASURES, MINUTE_MS, type Point } from "./domain-anomalies.ts";

/** "QoE metrics: 30 days (ClickHouse)", ARCH-001 section 4. */
const RETENTION_DAYS = 30;

const whose = {
  user_id: "string",
  session_id: "string",
  content_id: "string",
  content_type: "word",
  network_id: "word",
  region: "word",
  platform: "word",
  time: "timeMs",
} as const;

export const beatsTable: AnalyticsTable = {
  name: "qoe_beats",
  columns: {
    ...whose,
    sequence: "int",
    state: "word",
    bitrate_kbps: "int",
    throughput_kbps: "int",
    height: "int",
    buffer_s: "float",
    /** Since the beat before. */
    rebuffer_ms: "int",
    dropped_frames: "int",
    errors: "int",
    score: "float",
  },
  ...{ time: "time", retentionDays: RETENTION_DAYS, orderBy: ["network_id", "time"], person: "user_id" },
};

export const scoresTable: AnalyticsTable = {
  name: "qoe_scores",
  columns: {
    ...whose,
    score: "float",
    start: "float",
    rebuffer: "float",
    bitrate: "float",
    stability: "float",
    error_free: "float",
    final: "flag",
  },
  ...{ time: "time", retentionDays: RETENTION_DAYS, orderBy: ["time", "session_id"], person: "user_id" },
};

const identityOf = (session: Rolling) => ({
  user_id: session.userId,
  session_id: session.sessionId,
  content_id: session.contentId,
  content_type: session.contentType,
  network_id: session.networkId,
  region: session.region,
  platform: session.platform,
});

export const beatRow = (session: Rolling, beat: Beat, growth: Growth, score: number) => ({
  ...identityOf(session),
  time: beat.timeMs,
  sequence: beat.sequence,
  state: beat.state,
  bitrate_kbps: beat.bitrateKbps,
  throughput_kbps: beat.throughputKbps,
  height: beat.height,
  buffer_s: beat.bufferS,
  rebuffer_ms: growth.rebufferMs,
  dropped_frames: growth.droppedFrames,
  errors: beat.errorCount,
  score,
});

export const scoreRow = (session: Rolling, factors: Factors, score: number) => ({
  ...identityOf(session),
  time: session.timeMs,
  score,
  start: factors.start,
  rebuffer: factors.rebuffer,
  bitrate: factors.bitrate,
  stability: factors.stability,
  error_free: factors.errorFree,
  final: session.isOver,
});

export type BeatRow = ReturnType<typeof beatRow>;
export type ScoreRow = ReturnType<typeof scoreRow>;

interface Window {
  readonly tenant: string;
  readonly fromMs: number;
  readonly toMs: number;
}
const DURING = "time >= fromUnixTimestamp64Milli({from:Int64}) AND time < fromUnixTimestamp64Milli({to:Int64})";
const SUMMARY_MS = 5_000;

/** A channel is what is watched live; on demand there are titles, and too many of them. */
const VALUES: Readonly<Record<Dimension, string>> = {
  network: "network_id",
  region: "region",
  platform: "platform",
  channel: "if(content_type = {live:String}, content_id, {none:String})",
  content_type: "content_type",
};

const SegmentRow = z.object({ value: z.string(), sessions: z.number(), p25: z.number(), mean: z.number() });

/** The segments of a dimension by the last score of each session in the window, those with the most sessions first. */
export async function segments(
  analytics: Analytics,
  { tenant, fromMs, toMs }: Window,
  dimension: Dimension,
  limit: number,
): Promise<readonly Segment[]> {
  const rows = await analytics.query({
    tenant,
    text: `SELECT value, count() AS sessions, quantileExactLow(0.25)(last) AS p25, avg(last) AS mean
FROM (SELECT session_id, argMax(${VALUES[dimension]}, time) AS value, argMax(score, time) AS last
      FROM qoe_scores WHERE ${DURING} GROUP BY session_id)
WHERE value != {none:String} GROUP BY value ORDER BY sessions DESC, value LIMIT {limit:UInt32}`,
    params: { from: fromMs, to: toMs, none: "", limit, ...(dimension === "channel" ? { live: "live" } : {}) },
    rowsMax: limit,
    deadlineMs: SUMMARY_MS,
  });
  return rows.map((row) => ({ dimension, ...SegmentRow.parse(row) }));
}

const MetricRow = z.object({
  networkId: z.string(),
  region: z.string(),
  sessions: z.number(),
  beats: z.number(),
  throughputKbps: z.number(),
  troubleRatio: z.number(),
  scoreP25: z.number(),
});
const METRICS_MAX = 1_000;

/** How each delivery network did in each region. */
export async function metrics(analytics: Analytics, { tenant, fromMs, toMs }: Window) {
  const rows = await analytics.query({
    tenant,
    text: `SELECT network_id AS networkId, region, uniqExact(session_id) AS sessions, count() AS beats,
  ifNotFinite(avgIf(throughput_kbps, throughput_kbps > 0), 0) AS throughputKbps,
  countIf(rebuffer_ms > 0 OR errors > 0) / count() AS troubleRatio, quantileExactLow(0.25)(score) AS scoreP25
FROM qoe_beats WHERE ${DURING} AND network_id != {none:String}
GROUP BY network_id, region ORDER BY beats DESC LIMIT {limit:UInt32}`,
    params: { from: fromMs, to: toMs, none: "", limit: METRICS_MAX },
    rowsMax: METRICS_MAX,
    deadlineMs: SUMMARY_MS,
  });
  return rows.map((row) => ({ ...MetricRow.parse(row), fromMs, toMs }));
}

const MinuteRow = z.object({
  dimension: z.enum(["all", "network", "channel"]),
  value: z.string(),
  minute: z.number(),
  sessions: z.number(),
  erring: z.number(),
  rebuffering: z.number(),
});
/** Hours of some dozens of segments; where there are more, the detector begins with less of the past. */
const MINUTE_ROWS_MAX = 30_000;
/** A beat stands for so long. */
const BEAT_MS = 10_000;

/** How people fared in each minute of a span, its ends included: of all, by network and by channel. */
export async function minutePoints(
  analytics: Analytics,
  tenant: string,
  from: number,
  to: number,
): Promise<readonly Point[]> {
  const rows = await analytics.query({
    tenant,
    text: `SELECT tupleElement(place, 1) AS dimension, tupleElement(place, 2) AS value, minute, uniqExact(session_id) AS sessions,
  countIf(errors > 0) / count() AS erring, sum(rebuffer_ms) / (count() * {beatMs:UInt32}) AS rebuffering
FROM (SELECT arrayJoin([({all:String}, {none:String}), ({network:String}, network_id),
        ({channel:String}, if(content_type = {live:String}, content_id, {none:String}))]) AS place,
        intDiv(toUnixTimestamp64Milli(time), {minuteMs:UInt32}) AS minute, session_id, errors, rebuffer_ms
      FROM qoe_beats WHERE ${DURING})
WHERE tupleElement(place, 1) = {all:String} OR tupleElement(place, 2) != {none:String}
GROUP BY place, minute ORDER BY minute DESC, dimension, value LIMIT {limit:UInt32}`,
    params: {
      ...{ from: from * MINUTE_MS, to: (to + 1) * MINUTE_MS, minuteMs: MINUTE_MS, beatMs: BEAT_MS, none: "" },
      ...{ all: "all", network: "network", channel: "channel", live: "live", limit: MINUTE_ROWS_MAX },
    },
    rowsMax: MINUTE_ROWS_MAX,
    deadlineMs: SUMMARY_MS,
  });
  return rows.toReversed().flatMap((row) => {
    const { dimension, value, minute, sessions, erring, rebuffering } = MinuteRow.parse(row);
    const figures = { sessions, errors: erring, rebuffering };
    return MEASURES.map((measure) => ({ dimension, value, measure, minute, sessions, figure: figures[measure] }));
  });
}

const LastRow = z.object({
  user_id: z.string(),
  content_id: z.string(),
  network_id: z.string(),
  region: z.string(),
  platform: z.string(),
  score: z.number(),
  start: z.number(),
  rebuffer: z.number(),
  bitrate: z.number(),
  stability: z.number(),
  error_free: z.number(),
  time_ms: z.number(),
  final: z.boolean(),
});

/** The last score of a session that is over for a while. */
export async function lastScore(analytics: Analytics, tenant: string, sessionId: string) {
  const [row] = await analytics.query({
    tenant,
    text: `SELECT user_id, content_id, network_id, region, platform, score, start, rebuffer, bitrate, stability, error_free, final,
  toUnixTimestamp64Milli(time) AS time_ms
FROM qoe_scores WHERE session_id = {session:String} ORDER BY time DESC, final DESC LIMIT 1`,
    params: { session: sessionId },
    rowsMax: 1,
    deadlineMs: SUMMARY_MS,
  });
  return row && LastRow.parse(row);
}

import type { PlaybackHeartbeat } from "#contracts/session";
import { countDistinct, type Distinct, withNames } from "#learning/distinct";
import { amount, count, type Kind, word } from "./domain.ts";
import { add, type Buckets, HOUR_MS, later, MINUTE_MS, movesAt, ratio, type Said, sumOf } from "./domain-windows.ts";

/** How a channel does, by minute, from the beats of its players. */
export interface Channel {
  /** beats, sum of kbit/s, beats with throughput, its sum, beats with latency, its sum, buffering, sum of heights, starts, errors */
  readonly minutes: Buckets;
  /** Who was there, in each of the last minutes, as the smallest hashes of their sessions. */
  readonly audiences: readonly (readonly [minute: number, sessions: Distinct])[];
  /** How many were there in each minute of the last hour. */
  readonly viewers: Buckets;
  readonly health: Said;
}

const KEPT_MINUTES = 60;
/** Beats that are later than this are not counted as viewers any more. */
const OPEN_MINUTES = 2;
/** Up to so many viewers are counted exactly; the estimate above has a standard error of 6 %. */
const SKETCH = 256;
const COLUMNS = 10;

export const channel: Kind<Channel> = {
  group: {
    name: "channel_performance",
    entity: "channel",
    description: "How a channel does now, from the beats of its players; its viewers are estimated where they are many",
    ttlMs: HOUR_MS,
    cadenceMs: MINUTE_MS,
    sourceEvents: ["playback.heartbeat", "playback.started", "playback.error", "live.health.changed"],
    features: [
      count("viewers", "Sessions that watched in the last whole minute"),
      count("viewers_peak_60m", "The most of a minute, of the last hour"),
      amount("viewers_trend", "", "The last whole minute beside the mean of the last ten: above 1 they come", null),
      amount("watched_60m", "min", "Minutes that were watched by all, in the last hour"),
      count("starts_5m", "Sessions that began in the last five minutes"),
      count("errors_60m", "Errors of its players in the last hour"),
      amount("bitrate_5m", "kbps", "Mean of what is watched, over five minutes", null),
      amount("throughput_5m", "kbps", "Mean of what players measure, over five minutes", null),
      amount("latency_5m", "ms", "Mean distance of pictures from the world, over five minutes", null),
      amount("buffering_share_5m", "", "Share of beats in which a player waited, over five minutes", null),
      amount("height_5m", "px", "Mean height of the picture, over five minutes", null),
      word("health", "off, asleep, waking, live, no_input or failed"),
    ],
  },
  empty: { minutes: [], audiences: [], viewers: [], health: ["", 0] },
  changesAt: ({ minutes }, atMs) => movesAt(minutes, atMs, MINUTE_MS, KEPT_MINUTES + 1),
  valuesOf({ minutes, viewers, health }, atMs) {
    const minute = Math.floor(atMs / MINUTE_MS);
    const five = (column: number): number => sumOf(minutes, minute, 5, column);
    const before = (width: number): number => sumOf(viewers, minute - 1, width, 0);
    const hour = viewers.filter(([at]) => at < minute && at >= minute - KEPT_MINUTES).map(([, sum = 0]) => sum);
    return {
      ...{ viewers: before(1), viewers_peak_60m: Math.max(0, ...hour) },
      viewers_trend: ratio(10 * before(1), before(10)),
      watched_60m: before(KEPT_MINUTES),
      ...{ starts_5m: five(8), errors_60m: sumOf(minutes, minute, KEPT_MINUTES, 9) },
      bitrate_5m: ratio(five(1), five(0)),
      throughput_5m: ratio(five(3), five(2)),
      latency_5m: ratio(five(5), five(4)),
      buffering_share_5m: ratio(five(6), five(0)),
      height_5m: ratio(five(7), five(0)),
      health: health[0],
    };
  },
};

const addSums = (state: Channel, minute: number, sums: readonly number[]): Buckets =>
  // The minute that runs and the sixty before it, of which windows are made.
  add(state.minutes, minute, sums, KEPT_MINUTES + 1);

/** A batch of beats of one channel at once: the busiest event there is. */
export const beaten =
  (beats: readonly PlaybackHeartbeat[]) =>
  (before: Channel): Channel => {
    let state = before;
    for (const [minute, own] of Map.groupBy(beats, ({ timeMs }) => Math.floor(timeMs / MINUTE_MS))) {
      const sums = new Array<number>(COLUMNS).fill(0);
      for (const beat of own)
        for (const [column, value] of sumsOf(beat).entries()) sums[column] = (sums[column] ?? 0) + value;
      const minutes = addSums(state, minute, sums);
      state = { ...watchedIn(state, minute, new Set(own.map(({ sessionId }) => sessionId))), minutes };
    }
    return state;
  };

const sumsOf = (beat: PlaybackHeartbeat): number[] => [
  ...[1, beat.bitrateKbps],
  ...(beat.throughputKbps > 0 ? [1, beat.throughputKbps] : [0, 0]),
  ...(beat.liveLatencyMs >= 0 ? [1, beat.liveLatencyMs] : [0, 0]),
  ...[Number(beat.state === "buffering"), beat.height, 0, 0],
];

function watchedIn(state: Channel, minute: number, sessions: ReadonlySet<string>): Channel {
  const newest = Math.max(minute, ...state.audiences.map(([at]) => at));
  if (minute <= newest - OPEN_MINUTES) return state;
  const known = state.audiences.find(([at]) => at === minute)?.[1] ?? [];
  const audience = withNames(known, sessions, SKETCH);
  const viewers = [...state.viewers.filter(([at]) => at !== minute), [minute, countDistinct(audience, SKETCH)] as const]
    .filter(([at]) => at > newest - KEPT_MINUTES - 1)
    .toSorted((a, b) => a[0] - b[0]);
  const others = state.audiences.filter(([at]) => at !== minute && at > newest - OPEN_MINUTES);
  return { ...state, viewers, audiences: [...others, [minute, audience]] };
}

export const tuned =
  (what: "started" | "failed", atMs: number) =>
  (state: Channel): Channel => {
    const sums = [...new Array<number>(COLUMNS - 2).fill(0), Number(what === "started"), Number(what === "failed")];
    return { ...state, minutes: addSums(state, Math.floor(atMs / MINUTE_MS), sums) };
  };

export const diagnosed =
  (health: string, atMs: number) =>
  (state: Channel): Channel => ({ ...state, health: later(state.health, [health, atMs]) });

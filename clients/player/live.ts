/** How a channel is followed: where its window is, and how close to the world the picture stays. */
import type { Session } from "../../contracts/web/index.ts";
import type { Format, ShakaPlayer } from "./shaka.ts";
import type { LiveWindow } from "./state.ts";

type LiveFacts = NonNullable<Session["live"]>;

/** Who is no further behind than this is with the world; a little more than the player needs to catch up after a stumble. */
const AT_EDGE_S = { low: 4, standard: 12 } as const;

/**
 * How far behind what is there the picture stays on a channel of low latency. The edge of a playlist is the end of the last part that it
 * lists, that of an MPD is reckoned from the clock and lies a part's making further on: so the two formats keep different
 * distances from it, for nearly the same distance from the world.
 */
const LOW_LATENCY = {
  hls: { targetLatency: 0.6, targetLatencyTolerance: 0.15 },
  dash: { targetLatency: 0.05, targetLatencyTolerance: 0.05 },
} as const satisfies Record<Format, unknown>;
/** How much of it a machine or a network that stumbles again and again may be given. */
const TARGET_LATENCY_S_MAX = 2;
/** Less than the hold-back that servers ask for (PART-HOLD-BACK): of players that cannot wait for a part, which this one can. */
const PRESENTATION_DELAY_S = 0.5;

/**
 * Who falls out of the window at its old end is put so far into it. An MPD's window goes on with the clock until the next one says that a channel,
 * which has just woken up, still has all it made: more than this would be nearly the world again.
 */
const SAFE_SEEK_OFFSET_S = 1;

/** As DASH less than what lies between the picture and the edge, at which Shaka would take an ad that is listed ahead for what comes next. */
const STEADY_BUFFER_S = { hls: 16, dash: 8 } as const satisfies Record<Format, number>;

/** Shaka's configuration for a channel; what low latency needs is in the manifest, and a plain one turns it off by itself. */
export function liveConfiguration({ latency, dvrWindowS }: LiveFacts, format: Format): Record<string, unknown> {
  const isLow = latency === "low";
  return {
    manifest: {
      ...(isLow ? { defaultPresentationDelay: PRESENTATION_DELAY_S } : {}),
      // Reckoned by Shaka, the window of a playlist ends where a rendition that is not in use any more was read last.
      ...(format === "hls" ? { availabilityWindowOverride: dvrWindowS } : {}),
      // What is listed of an ad ahead of its time says nothing about what time it is.
      dash: { autoCorrectDrift: false },
      // A channel that is made on demand wakes up for the first who asks: its answer is late then, and no edge is to blame.
      retryParameters: { timeout: 20_000, connectionTimeout: 12_000, stallTimeout: 12_000 },
    },
    streaming: {
      lowLatencyMode: isLow,
      bufferingGoal: isLow ? 6 : STEADY_BUFFER_S[format],
      rebufferingGoal: isLow ? 0.1 : 1,
      bufferBehind: 30,
      safeSeekOffset: SAFE_SEEK_OFFSET_S,
      liveSync: followEdge(latency, format),
    },
  };
}

/** Plays a little faster where it fell behind, a little slower where it ran into the edge, and keeps more distance where that made it stumble. */
export const followEdge = (latency: LiveFacts["latency"], format: Format) =>
  latency === "low"
    ? {
        ...{ enabled: true, ...LOW_LATENCY[format], maxPlaybackRate: 1.08, minPlaybackRate: 0.95 },
        dynamicTargetLatency: {
          ...{ enabled: true, rebufferIncrement: 0.1, stabilityThreshold: 60, maxAttempts: 100 },
          minLatency: LOW_LATENCY[format].targetLatency - LOW_LATENCY[format].targetLatencyTolerance,
          maxLatency: TARGET_LATENCY_S_MAX,
        },
      }
    : STEADY;

/** Who went back in time watches at the speed of time. */
export const STEADY = {
  enabled: true,
  dynamicTargetLatency: { enabled: false },
  targetLatency: 0,
  targetLatencyTolerance: 0,
  maxPlaybackRate: 1,
  minPlaybackRate: 1,
};

/** Null where nothing is known of the channel yet. */
export function windowOf(player: ShakaPlayer, positionS: number, { latency }: LiveFacts): LiveWindow | null {
  const { start, end } = player.seekRange();
  if (!Number.isFinite(start) || !Number.isFinite(end) || end <= start) return null;
  return { startS: start, edgeS: end, isAtEdge: end - positionS <= AT_EDGE_S[latency] };
}

/** How far the picture is behind the world, by the channel's own clock; null where it has none. */
export function latencyMsOf(player: ShakaPlayer): number | null {
  const shown = player.getPlayheadTimeAsDate();
  return shown === null ? null : Math.max(0, Date.now() - shown.getTime());
}

/** The place of a moment in a channel's window; null where it is not in it any more. */
export function placeOf(player: ShakaPlayer, momentMs: number, positionS: number): number | null {
  const shown = player.getPlayheadTimeAsDate();
  if (shown === null) return null;
  const place = positionS + (momentMs - shown.getTime()) / 1_000;
  const { start, end } = player.seekRange();
  return place >= start && place < end ? place : null;
}

/** How a channel is followed: where its window is, and how close to the world the picture stays. */
import type { Session } from "../../contracts/web/index.ts";
import type { ShakaPlayer } from "./shaka.ts";
import type { LiveWindow } from "./state.ts";

type LiveFacts = NonNullable<Session["live"]>;

/** Who is no further behind than this is with the world; a little more than the player needs to catch up after a stumble. */
const AT_EDGE_S = { low: 4, standard: 12 } as const;

/** What is behind the edge that the player keeps: it is where the next picture is already there and the one after it on its way. */
const LOW_LATENCY = {
  /** HLS: in front of the hold-back that a server asks of players that cannot wait for a part (PART-HOLD-BACK). */
  presentationDelayS: 0.5,
  targetLatencyS: 0.3,
  toleranceS: 0.2,
} as const;

/** Shaka's configuration for a channel; what low latency needs is in the manifest, and a plain one turns it off by itself. */
export function liveConfiguration({ latency }: LiveFacts): Record<string, unknown> {
  const isLow = latency === "low";
  return {
    manifest: {
      ...(isLow ? { defaultPresentationDelay: LOW_LATENCY.presentationDelayS } : {}),
      // A channel that is made on demand wakes up for the first who asks: its answer is late then, and no edge is to blame.
      retryParameters: { timeout: 20_000, connectionTimeout: 12_000, stallTimeout: 12_000 },
    },
    streaming: {
      lowLatencyMode: isLow,
      bufferingGoal: isLow ? 6 : 16,
      rebufferingGoal: isLow ? 0.1 : 1,
      bufferBehind: 30,
      liveSync: followEdge(latency),
    },
  };
}

/** Plays a little faster where it fell behind, and a little slower where it ran into the edge. */
export const followEdge = (latency: LiveFacts["latency"]) =>
  latency === "low"
    ? {
        enabled: true,
        targetLatency: LOW_LATENCY.targetLatencyS,
        targetLatencyTolerance: LOW_LATENCY.toleranceS,
        maxPlaybackRate: 1.08,
        minPlaybackRate: 0.96,
      }
    : STEADY;

/** Who went back in time watches at the speed of time. */
export const STEADY = {
  enabled: true,
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

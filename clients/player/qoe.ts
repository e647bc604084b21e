/**
 * What the viewer went through, counted (ARCH-001 section 9). A pure reducer: player events in, counters out; the present
 * moment is an argument. Waiting before the first picture is start-up and waiting after a seek is the viewer's own doing:
 * neither is a rebuffer.
 */
import type { Heartbeat } from "../../contracts/web/index.ts";

export type QoeEvent =
  | { type: "requested"; atMs: number }
  | { type: "firstFrame"; atMs: number }
  | { type: "seeking"; atMs: number }
  | { type: "waiting"; atMs: number }
  | { type: "resumed"; atMs: number }
  | { type: "rendition"; atMs: number; bitrateKbps: number; width: number; height: number }
  | { type: "playing"; atMs: number }
  | { type: "stopped"; atMs: number }
  | { type: "error"; atMs: number; code: string; message: string };

export interface Qoe {
  requestedAtMs: number | null;
  videoStartTimeMs: number | null;
  rebufferCount: number;
  rebufferDurationMs: number;
  bitrateKbps: number;
  bitrateMaxKbps: number;
  bitrateSwitches: number;
  width: number;
  height: number;
  resolutionDrops: number;
  errors: Heartbeat["errors"];
  /** Since when the picture stands still for want of data; null while it does not. */
  waitingSinceMs: number | null;
  seeking: boolean;
  /** For the average: since when the present bitrate plays, and what has been played before. */
  playingSinceMs: number | null;
  playedMs: number;
  kilobitsPlayed: number;
}

const ERRORS_MAX = 10;

export const qoeAtStart: Qoe = {
  requestedAtMs: null,
  videoStartTimeMs: null,
  rebufferCount: 0,
  rebufferDurationMs: 0,
  bitrateKbps: 0,
  bitrateMaxKbps: 0,
  bitrateSwitches: 0,
  width: 0,
  height: 0,
  resolutionDrops: 0,
  errors: [],
  waitingSinceMs: null,
  seeking: false,
  playingSinceMs: null,
  playedMs: 0,
  kilobitsPlayed: 0,
};

/** Closes the stretch that plays since `playingSinceMs` at the present bitrate. */
function settled(state: Qoe, atMs: number): Qoe {
  if (state.playingSinceMs === null) return state;
  const playedMs = Math.max(0, atMs - state.playingSinceMs);
  return {
    ...state,
    playingSinceMs: atMs,
    playedMs: state.playedMs + playedMs,
    kilobitsPlayed: state.kilobitsPlayed + (playedMs / 1_000) * state.bitrateKbps,
  };
}

export function reduceQoe(state: Qoe, event: QoeEvent): Qoe {
  switch (event.type) {
    case "requested":
      return { ...qoeAtStart, requestedAtMs: event.atMs };
    case "firstFrame":
      if (state.videoStartTimeMs !== null || state.requestedAtMs === null) return state;
      return { ...state, videoStartTimeMs: Math.max(0, Math.round(event.atMs - state.requestedAtMs)) };
    case "seeking":
      return { ...state, seeking: true };
    case "waiting":
      if (state.videoStartTimeMs === null || state.seeking || state.waitingSinceMs !== null) return state;
      return { ...state, waitingSinceMs: event.atMs, rebufferCount: state.rebufferCount + 1 };
    case "resumed":
      return {
        ...state,
        seeking: false,
        waitingSinceMs: null,
        rebufferDurationMs: Math.round(rebufferDurationMs(state, event.atMs)),
      };
    case "rendition": {
      const before = settled(state, event.atMs);
      const changed = before.bitrateKbps !== 0 && before.bitrateKbps !== event.bitrateKbps;
      return {
        ...before,
        bitrateKbps: event.bitrateKbps,
        bitrateMaxKbps: Math.max(before.bitrateMaxKbps, event.bitrateKbps),
        bitrateSwitches: before.bitrateSwitches + (changed ? 1 : 0),
        width: event.width,
        height: event.height,
        resolutionDrops: before.resolutionDrops + (before.height > 0 && event.height < before.height ? 1 : 0),
      };
    }
    case "playing":
      return state.playingSinceMs === null ? { ...state, playingSinceMs: event.atMs } : state;
    case "stopped":
      return { ...settled(state, event.atMs), playingSinceMs: null };
    case "error":
      return {
        ...state,
        errors: [...state.errors, { code: event.code.slice(0, 40), message: event.message.slice(0, 300) }].slice(
          -ERRORS_MAX,
        ),
      };
  }
}

/** All time lost to rebuffering, the present wait included. */
export function rebufferDurationMs(state: Qoe, atMs: number): number {
  return state.rebufferDurationMs + (state.waitingSinceMs === null ? 0 : Math.max(0, atMs - state.waitingSinceMs));
}

/** Weighted by how long each bitrate was on screen; the present one where nothing has played yet. */
export function averageBitrateKbps(state: Qoe, atMs: number): number {
  const now = settled(state, atMs);
  return now.playedMs === 0 ? now.bitrateKbps : Math.round((now.kilobitsPlayed / now.playedMs) * 1_000);
}

/** What only the media element and the network know at the moment of a beat. */
export interface BeatFacts {
  sequence: number;
  positionS: number;
  durationS: number;
  state: Heartbeat["state"];
  cdnId: string;
  droppedFrames: number;
  decodedFrames: number;
  throughputKbps: number;
  bufferS: number;
  /** Null for what is not live. */
  liveLatencyMs: number | null;
}

const bounded = (value: number, max: number) => (Number.isFinite(value) ? Math.min(max, Math.max(0, value)) : 0);
const boundedInt = (value: number, max: number) => Math.round(bounded(value, max));

/** One heartbeat. Every number is brought inside the contract's bounds: a strange reading must not cost a bookmark. */
export function heartbeatOf(state: Qoe, facts: BeatFacts, atMs: number): Heartbeat {
  return {
    sequence: boundedInt(facts.sequence, 10_000_000),
    positionS: bounded(facts.positionS, 1_000_000),
    durationS: bounded(facts.durationS, 1_000_000),
    state: facts.state,
    cdnId: facts.cdnId.slice(0, 20),
    videoStartTimeMs: state.videoStartTimeMs === null ? null : boundedInt(state.videoStartTimeMs, 600_000),
    rebufferCount: boundedInt(state.rebufferCount, 100_000),
    rebufferDurationMs: boundedInt(rebufferDurationMs(state, atMs), 100_000_000),
    bitrateKbps: boundedInt(state.bitrateKbps, 1_000_000),
    averageBitrateKbps: boundedInt(averageBitrateKbps(state, atMs), 1_000_000),
    bitrateMaxKbps: boundedInt(state.bitrateMaxKbps, 1_000_000),
    bitrateSwitches: boundedInt(state.bitrateSwitches, 1_000_000),
    width: boundedInt(state.width, 16_384),
    height: boundedInt(state.height, 16_384),
    resolutionDrops: boundedInt(state.resolutionDrops, 1_000_000),
    droppedFrames: boundedInt(facts.droppedFrames, 100_000_000),
    decodedFrames: boundedInt(facts.decodedFrames, 1_000_000_000),
    throughputKbps: boundedInt(facts.throughputKbps, 10_000_000),
    bufferS: bounded(facts.bufferS, 100_000),
    liveLatencyMs: facts.liveLatencyMs === null ? null : boundedInt(facts.liveLatencyMs, 2_000_000_000),
    errors: state.errors,
  };
}

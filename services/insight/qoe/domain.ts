/**
 * The score of a session (ARCH-001 section 9, "Server-Side QoE Scoring"): five factors from 0 to 100, weighted. Players count from the start
 * of their session, so the latest beat says almost all; what was watched and whether an error occurred add up here.
 */

/** What a score is made of. */
export interface Measures {
  /** From play to the first frame; -1 while there is none. */
  readonly videoStartTimeMs: number;
  /** Since the session began; stands for the start time while there is no first frame. */
  readonly elapsedMs: number;
  readonly rebufferMs: number;
  /** Playing or rebuffering; pauses do not count. */
  readonly watchedMs: number;
  readonly averageBitrateKbps: number;
  /** Of the ladder; 0 where nobody said. */
  readonly bitrateMaxKbps: number;
  readonly resolutionDrops: number;
  readonly hasError: boolean;
}

export interface Factors {
  readonly start: number;
  readonly rebuffer: number;
  /** -1 where nobody said how good it could be. */
  readonly bitrate: number;
  readonly stability: number;
  readonly errorFree: number;
}

export const UNKNOWN = -1;
export const WEIGHTS: Readonly<Record<keyof Factors, number>> = {
  start: 0.25,
  rebuffer: 0.3,
  bitrate: 0.2,
  stability: 0.15,
  errorFree: 0.1,
};

const START_BEST_MS = 2_000;
const START_WORST_MS = 5_000;
const REBUFFER_RATIO_WORST = 0.01;
const POINTS_PER_DROP = 10;

/** 100 at or below `best`, 0 at or above `worst`, a line between them. */
const falling = (value: number, best: number, worst: number): number =>
  100 * Math.min(1, Math.max(0, (worst - value) / (worst - best)));

export function factorsOf(of: Measures): Factors {
  const startMs = of.videoStartTimeMs >= 0 ? of.videoStartTimeMs : of.elapsedMs;
  const ratio = of.rebufferMs <= 0 ? 0 : of.rebufferMs / Math.max(of.watchedMs, of.rebufferMs);
  return {
    start: falling(startMs, START_BEST_MS, START_WORST_MS),
    rebuffer: falling(ratio, 0, REBUFFER_RATIO_WORST),
    bitrate:
      of.bitrateMaxKbps > 0 ? 100 * Math.min(1, Math.max(0, of.averageBitrateKbps / of.bitrateMaxKbps)) : UNKNOWN,
    stability: Math.max(0, 100 - POINTS_PER_DROP * Math.max(0, of.resolutionDrops)),
    errorFree: of.hasError ? 0 : 100,
  };
}

/** The weighted mean of the factors that are known, 0 to 100. */
export function scoreOf(factors: Factors): number {
  let [sum, weights] = [0, 0];
  for (const [name, weight] of Object.entries(WEIGHTS)) {
    const value = factors[name as keyof Factors];
    if (value === UNKNOWN) continue;
    sum += weight * value;
    weights += weight;
  }
  return sum / weights;
}

/** What a player says. Counters count from the session's start. */
export interface Beat {
  readonly userId: string;
  readonly sessionId: string;
  readonly contentId: string;
  readonly contentType: string;
  readonly deviceType: string;
  readonly market: string;
  readonly networkId: string;
  readonly startedAtMs: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly state: string;
  readonly videoStartTimeMs: number;
  readonly rebufferDurationMs: number;
  readonly bitrateKbps: number;
  readonly averageBitrateKbps: number;
  readonly bitrateMaxKbps: number;
  readonly resolutionDrops: number;
  readonly droppedFrames: number;
  readonly height: number;
  readonly throughputKbps: number;
  readonly bufferS: number;
  readonly errorCount: number;
}

/** What is known of a session between two beats. */
export interface Rolling {
  readonly sessionId: string;
  readonly userId: string;
  readonly contentId: string;
  readonly contentType: string;
  readonly networkId: string;
  readonly region: string;
  readonly platform: string;
  readonly startedAtMs: number;
  readonly sequence: number;
  readonly timeMs: number;
  readonly watchedMs: number;
  readonly videoStartMs: number;
  readonly rebufferMs: number;
  readonly averageKbps: number;
  readonly maxKbps: number;
  readonly drops: number;
  readonly droppedFrames: number;
  readonly hasError: boolean;
  /** When the score was told last; 0: not yet. */
  readonly toldAtMs: number;
  readonly isOver: boolean;
}

/** A score is told so often while a session lives. */
export const TELL_EVERY_MS = 30_000;
/** Players beat every ten seconds; a longer silence was no watching. */
const BEAT_GAP_MS_MAX = 30_000;

/** What a beat adds to what was known before. */
export interface Growth {
  readonly rebufferMs: number;
  readonly droppedFrames: number;
}

export interface Advanced {
  readonly next: Rolling;
  readonly growth: Growth;
}

/** The session after a beat; a beat that is older than what is known adds its error and nothing else. */
export function advance(known: Rolling | undefined, beat: Beat): Advanced {
  const hasError = (known?.hasError ?? false) || beat.errorCount > 0;
  if (known && beat.sequence <= known.sequence)
    return { next: { ...known, hasError }, growth: { rebufferMs: 0, droppedFrames: 0 } };
  const sinceMs = known?.timeMs ?? beat.startedAtMs;
  const isWatching = beat.state === "playing" || beat.state === "buffering";
  const watchedMs = isWatching ? Math.min(BEAT_GAP_MS_MAX, Math.max(0, beat.timeMs - sinceMs)) : 0;
  return {
    next: {
      sessionId: beat.sessionId,
      userId: beat.userId,
      contentId: beat.contentId,
      contentType: beat.contentType,
      networkId: beat.networkId,
      region: beat.market,
      platform: beat.deviceType,
      startedAtMs: beat.startedAtMs,
      sequence: beat.sequence,
      timeMs: beat.timeMs,
      watchedMs: (known?.watchedMs ?? 0) + watchedMs,
      videoStartMs: beat.videoStartTimeMs,
      rebufferMs: beat.rebufferDurationMs,
      averageKbps: beat.averageBitrateKbps,
      maxKbps: beat.bitrateMaxKbps,
      drops: beat.resolutionDrops,
      droppedFrames: beat.droppedFrames,
      hasError,
      toldAtMs: known?.toldAtMs ?? 0,
      isOver: known?.isOver ?? false,
    },
    growth: {
      rebufferMs: Math.max(0, beat.rebufferDurationMs - (known?.rebufferMs ?? 0)),
      droppedFrames: Math.max(0, beat.droppedFrames - (known?.droppedFrames ?? 0)),
    },
  };
}

export const measuresOf = (session: Rolling): Measures => ({
  videoStartTimeMs: session.videoStartMs,
  elapsedMs: Math.max(0, session.timeMs - session.startedAtMs),
  rebufferMs: session.rebufferMs,
  watchedMs: session.watchedMs,
  averageBitrateKbps: session.averageKbps,
  bitrateMaxKbps: session.maxKbps,
  resolutionDrops: session.drops,
  hasError: session.hasError,
});

/** Whether it is time to tell the score: now and then while a session lives, and with whatever comes after its end. */
export const isDue = (session: Rolling): boolean =>
  session.isOver || session.timeMs - session.toldAtMs >= TELL_EVERY_MS;

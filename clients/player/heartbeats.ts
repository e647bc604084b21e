/**
 * Telling the platform how it goes: at the interval it asks for, and at once when something happens that it should know.
 * Beats never overlap: what happens while one is under way is told by one more after it.
 */
import type { Heartbeat, HeartbeatAnswer } from "../../contracts/web/index.ts";

export interface HeartbeatOptions {
  intervalS: number;
  /** The present facts, as one beat. */
  compose(sequence: number): Heartbeat;
  send(beat: Heartbeat): Promise<HeartbeatAnswer>;
  onAnswer(answer: HeartbeatAnswer): void;
  /** The beat did not arrive. `sinceLastMs`: how long ago one did. */
  onFailure(error: unknown, sinceLastMs: number): void;
  nowMs(): number;
  /** Replaced in tests. */
  setTimer(run: () => void, delayMs: number): () => void;
}

export interface Heartbeats {
  /** Something happened: a beat leaves now, or right after the one that is under way. */
  beat(): void;
  /** The number of the next beat, for the farewell. */
  sequence(): number;
  msSinceAnswer(): number;
  stop(): void;
}

/** A storm of events (dragging the scrub bar) becomes beats this far apart. */
const SPACING_MS = 1_000;

export function createHeartbeats(options: HeartbeatOptions): Heartbeats {
  let sequence = 0;
  let intervalMs = options.intervalS * 1_000;
  let underWay = false;
  let wanted = false;
  let stopped = false;
  let sentAtMs = Number.NEGATIVE_INFINITY;
  let answeredAtMs = options.nowMs();
  let cancelTimer: () => void = () => undefined;

  const schedule = (delayMs: number) => {
    cancelTimer();
    if (!stopped) cancelTimer = options.setTimer(() => void send(), delayMs);
  };
  const send = async () => {
    if (stopped) return;
    if (underWay) {
      wanted = true;
      return;
    }
    underWay = true;
    wanted = false;
    sentAtMs = options.nowMs();
    const beat = options.compose(sequence);
    sequence += 1;
    try {
      const answer = await options.send(beat);
      answeredAtMs = options.nowMs();
      intervalMs = Math.min(120_000, Math.max(1_000, answer.heartbeatIntervalS * 1_000));
      if (!stopped) options.onAnswer(answer);
    } catch (error) {
      if (!stopped) options.onFailure(error, options.nowMs() - answeredAtMs);
    } finally {
      underWay = false;
      schedule(wanted ? SPACING_MS : intervalMs);
    }
  };
  schedule(intervalMs);
  return {
    beat() {
      const sinceMs = options.nowMs() - sentAtMs;
      if (underWay) wanted = true;
      else schedule(Math.max(0, SPACING_MS - sinceMs));
    },
    sequence: () => sequence,
    msSinceAnswer: () => options.nowMs() - answeredAtMs,
    stop() {
      stopped = true;
      cancelTimer();
    },
  };
}

import { problem } from "#kernel/errors";

/** A programme that may not be watched, or not be started over. */
export interface Restriction {
  readonly startMs: number;
  readonly stopMs: number;
  readonly blackout: boolean;
  readonly noRestart: boolean;
}

/** So far back one may go in a programme that is not to be started over: enough to pause, and for a player that is slow. */
const PAUSE_MS = 60_000;
/** Who read a playlist a while ago may still ask for what stood in it. */
const GRACE_MS = 12_000;

/** From when on a channel's window may be given away: what came before is forbidden, or lies before what is. Refuses during a blackout. */
export function windowFromMs(restrictions: readonly Restriction[], nowMs: number): number {
  let fromMs = 0;
  for (const { startMs, stopMs, blackout } of restrictions) {
    if (startMs > nowMs) continue;
    if (blackout && nowMs < stopMs) throw blackedOut();
    fromMs = Math.max(fromMs, blackout ? stopMs : Math.min(stopMs, nowMs - PAUSE_MS));
  }
  return fromMs;
}

/** Refuses a span of the past that has some of a programme which may not be watched, or not again. */
export function assertSpan(restrictions: readonly Restriction[], startMs: number, stopMs: number): void {
  const hit = restrictions.filter((one) => one.startMs < stopMs && one.stopMs > startMs);
  if (hit.some(({ blackout }) => blackout)) throw blackedOut();
  if (hit.length > 0) throw notAgain();
}

/** The same for what is given away at this moment, such as a segment. */
export function assertMoment(
  restrictions: readonly Restriction[],
  startMs: number,
  stopMs: number,
  nowMs: number,
): void {
  const isRecent = stopMs > nowMs - PAUSE_MS - GRACE_MS;
  assertSpan(
    restrictions.filter(({ blackout }) => blackout || !isRecent),
    startMs,
    stopMs,
  );
}

const blackedOut = () =>
  problem.denied("this programme may not be shown here: the channel comes back with the next one", {
    reason: "blackout",
  });
const notAgain = () => problem.denied("this programme may not be started over", { reason: "no_restart" });

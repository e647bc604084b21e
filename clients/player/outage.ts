/**
 * What a player does while a channel's media do not come: an encoder that starts anew, a part of the time that nobody made, a network
 * that is away. The engine asks again and again by itself; here it is said when to stop hoping for this place in time, and when
 * to stop hoping at all. Pure: moments are arguments.
 */
import { isEngineError } from "./errors.ts";

/** Who waits in vain for so long is at a place that may never be there: the world goes on without it. */
const LEAP_AFTER_MS = 3_000;
const GIVE_UP_AFTER_MS = 60_000;
/** A failure that comes so long after the one before is another outage. */
const APART_MS = 15_000;
const NETWORK = 1;

export interface Outage {
  sinceMs: number;
  lastMs: number;
  leaptMs: number;
}

/** Whether an error is one that a channel gets over by itself. */
export const isPassing = (error: unknown): boolean => isEngineError(error) && error.category === NETWORK;

/** One more failure: the outage that it belongs to, and what is to be done. */
export function endure(known: Outage | null, nowMs: number): { outage: Outage; what: "wait" | "leap" | "give up" } {
  if (known === null || nowMs - known.lastMs > APART_MS)
    return { outage: { sinceMs: nowMs, lastMs: nowMs, leaptMs: nowMs }, what: "wait" };
  const outage = { ...known, lastMs: nowMs };
  if (nowMs - known.sinceMs > GIVE_UP_AFTER_MS) return { outage, what: "give up" };
  if (nowMs - known.leaptMs < LEAP_AFTER_MS) return { outage, what: "wait" };
  return { outage: { ...outage, leaptMs: nowMs }, what: "leap" };
}

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

/** A picture that stands still while its channel goes on: the engine has lost its way, and begins anew. */
const STILL_MS = 8_000;
const STILL_APART_MS = 5_000;
/** Older than this, what came last says nothing about whether the channel goes on. */
const NEWS_MS = 3_000;
const REMAKE_EVERY_MS = 30_000;

export interface Still {
  sinceMs: number;
  lastMs: number;
  remadeMs: number;
}

/** One more look at a picture that stands still, and when something new of its channel came last. */
export function standStill(known: Still | null, nowMs: number, newsMs: number): { still: Still; isHopeless: boolean } {
  const goesOn = known !== null && nowMs - known.lastMs <= STILL_APART_MS && nowMs - newsMs <= NEWS_MS;
  const sinceMs = goesOn ? known.sinceMs : nowMs;
  const remadeMs = known?.remadeMs ?? Number.NEGATIVE_INFINITY;
  const isHopeless = nowMs - sinceMs >= STILL_MS && nowMs - remadeMs >= REMAKE_EVERY_MS;
  if (isHopeless) return { still: { sinceMs: nowMs, lastMs: nowMs, remadeMs: nowMs }, isHopeless };
  return { still: { sinceMs, lastMs: nowMs, remadeMs }, isHopeless };
}

/** Remembers when playlists said something new. An MPD of a channel need not: its segments follow from the clock. */
export function readNews(nowMs: () => number) {
  const tails = new Map<string, string>();
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    lastMs: () => lastMs,
    take(uri: string, data: ArrayBuffer | ArrayBufferView): void {
      const { pathname } = new URL(uri);
      if (!pathname.endsWith(".m3u8")) return;
      const tail = new TextDecoder().decode(data).slice(-TAIL_CHARACTERS);
      if (tails.has(pathname) && tails.get(pathname) !== tail) lastMs = nowMs();
      tails.set(pathname, tail);
    },
  };
}
const TAIL_CHARACTERS = 300;

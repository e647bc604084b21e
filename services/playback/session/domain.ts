import { isChannelId } from "#contracts/live";

/** How often a player says how it is. */
export const BEAT_INTERVAL_MS = 10_000;
/** A session is dead after three missed beats; its slot is free then. */
export const DEAD_AFTER_MS = 3 * BEAT_INTERVAL_MS;
/**
 * ARCH-001 section 8, "Grace period: 60 seconds … to handle device switching": a session that died silently (a closed lid, a
 * tunnel) comes back by itself with its next beat within that time, provided that the plan has room.
 */
export const GRACE_MS = 60_000;

export interface ActiveSession {
  readonly id: string;
  readonly deviceId: string;
  readonly lastBeatAtMs: number;
}

export const isAlive = (session: { readonly lastBeatAtMs: number }, nowMs: number): boolean =>
  nowMs - session.lastBeatAtMs < DEAD_AFTER_MS;

export type Admission =
  | {
      readonly admitted: true /** Sessions of the same device, which the new one replaces. */;
      readonly replaces: readonly string[];
    }
  | { readonly admitted: false /** The streams that are in the way. */; readonly holders: readonly string[] };

/**
 * Whether one more stream may start. The newest is the one that is denied; a device that starts again takes its own
 * place, so that a reload never counts twice.
 */
export function admit(
  active: readonly ActiveSession[],
  deviceId: string,
  streamsMax: number,
  nowMs: number,
): Admission {
  const alive = active.filter((session) => isAlive(session, nowMs));
  const own = alive.filter((session) => session.deviceId === deviceId);
  const others = alive.filter((session) => session.deviceId !== deviceId);
  if (others.length >= streamsMax) return { admitted: false, holders: others.map((session) => session.id) };
  return { admitted: true, replaces: own.map((session) => session.id) };
}

/** Where a new session begins: where the profile stopped, or at the start when it was through. */
export function resumePosition(
  bookmark: { readonly positionS: number; readonly finished: boolean } | undefined,
  durationS: number,
): number {
  if (!bookmark || bookmark.finished) return 0;
  return durationS > 0 && bookmark.positionS >= durationS ? 0 : bookmark.positionS;
}

export type ContentType = "vod" | "live";
export const contentTypeOf = (contentId: string): ContentType => (isChannelId(contentId) ? "live" : "vod");

const DEVICES: ReadonlySet<string> = new Set("web android_tv apple_tv tizen webos stb ios android cast".split(" "));

/** A kind of device as figures go by it. What a client calls itself is its own, and there is no end to it. */
export const deviceOf = (type: string): string => (DEVICES.has(type) ? type : "other");

/** A country as figures go by it. */
export const regionOf = (market: string): string => (/^[A-Z]{2}$/.test(market) ? market : "unknown");

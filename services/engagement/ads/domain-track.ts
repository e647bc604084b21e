import { QUARTILES, type Quartile } from "#media/vast";

/** An ad of a session on its player's clock, with what is to be told of it and to whom. */
export interface Slot {
  readonly breakIndex: number;
  readonly slot: number;
  readonly startS: number;
  readonly durationS: number;
  readonly campaignId: string;
  readonly creativeId: string;
  readonly beacons: readonly { readonly atS: number; readonly event: string; readonly uri: string }[];
}

/** How far a session's player was heard of. */
export interface Heard {
  readonly presentedS: number;
  readonly timeMs: number;
  /** What was told already: `breakIndex/slot/event`. */
  readonly told: readonly string[];
}

export interface Told {
  readonly slot: Slot;
  readonly event: Quartile;
}

/** A viewer may watch at twice the speed; between two reports no more can have been seen. */
const RATE_MAX = 2;
const SLACK_S = 3;
/** The last frame begins before the end, and a player that stops there says so. */
const END_SLACK_S = 0.3;

/**
 * What a report of a player's position means for the ads of its session: each quartile that was played over, once. Who jumped over an ad
 * has not seen it, and what was told is not told again.
 */
export function advance(
  slots: readonly Slot[],
  heard: Heard,
  now: { readonly presentedS: number; readonly timeMs: number },
): {
  readonly heard: Heard;
  readonly told: readonly Told[];
  readonly due: readonly { readonly slot: Slot; readonly uri: string }[];
} {
  const elapsedS = Math.max(0, now.timeMs - heard.timeMs) / 1_000;
  const playedS = now.presentedS - heard.presentedS;
  const isPlayed = playedS >= 0 && playedS <= elapsedS * RATE_MAX + SLACK_S;
  const fromS = isPlayed ? heard.presentedS : now.presentedS;
  const already = new Set(heard.told);
  const told: Told[] = [];
  const due: { slot: Slot; uri: string }[] = [];
  for (const slot of slots) {
    const key = (event: string): string => `${slot.breakIndex}/${slot.slot}/${event}`;
    const isPassed = (atS: number): boolean => {
      const threshold = slot.startS + Math.min(atS, slot.durationS - END_SLACK_S);
      return fromS <= threshold && threshold <= now.presentedS;
    };
    // Nothing else is told of an ad whose first frame was not seen.
    const isSeen = already.has(key("start")) || isPassed(0);
    if (!isSeen) continue;
    QUARTILES.forEach((event, i) => {
      if (already.has(key(event)) || !isPassed((slot.durationS * i) / 4)) return;
      already.add(key(event));
      told.push({ slot, event });
    });
    slot.beacons.forEach(({ atS, uri }, i) => {
      const name = key(`beacon-${i}`);
      if (already.has(name) || !isPassed(atS)) return;
      already.add(name);
      due.push({ slot, uri });
    });
  }
  return { heard: { presentedS: now.presentedS, timeMs: now.timeMs, told: [...already] }, told, due };
}

/**
 * The player's clock counts the ads that it plays; a place in the film does not. Chapters, links and where one goes on are places, what the
 * video element says is the clock.
 */
export interface AdBreak {
  /** In the film. */
  atS: number;
  durationS: number;
}

/** A place of the film on the clock; at a break before its ads. */
export const onClock = (breaks: readonly AdBreak[], placeS: number): number =>
  breaks.reduce((sum, { atS, durationS }) => (atS < placeS ? sum + durationS : sum), placeS);

/** The place of the film that is shown; within a break that of the break. */
export function placeOf(breaks: readonly AdBreak[], clockS: number): number {
  let addedS = 0;
  for (const { startS, endS, atS } of spansOf(breaks)) {
    if (clockS < startS) break;
    if (clockS < endS) return atS;
    addedS += endS - startS;
  }
  return clockS - addedS;
}

/** When each break is on the clock. */
export function spansOf(breaks: readonly AdBreak[]): { atS: number; startS: number; endS: number }[] {
  let addedS = 0;
  return breaks.map(({ atS, durationS }) => {
    const startS = atS + addedS;
    addedS += durationS;
    return { atS, startS, endS: startS + durationS };
  });
}

/** How long the break lasts that is shown; null where it is the film. */
export function leftOfBreak(breaks: readonly AdBreak[], clockS: number): number | null {
  const found = spansOf(breaks).find(({ startS, endS }) => startS <= clockS && clockS < endS);
  return found === undefined ? null : found.endS - clockS;
}

/** Who works and who waits for a turn, in this process. */
export interface Turns {
  busy: number;
  readonly waiting: (() => void)[];
}

export const openTurns = (): Turns => ({ busy: 0, waiting: [] });

/** Works when fewer than so many others do, in the order of asking. */
export async function inTurn<T>(turns: Turns, atOnce: number, work: () => Promise<T>): Promise<T> {
  // Whoever ends hands its place on, so that nobody slips in between.
  if (turns.busy >= atOnce) await new Promise<void>((resolve) => turns.waiting.push(resolve));
  else turns.busy += 1;
  try {
    return await work();
  } finally {
    const next = turns.waiting.shift();
    if (next) next();
    else turns.busy -= 1;
  }
}

/** What can wait a little: it goes on in slices between which sockets are read, so that what cannot wait comes in between. */
export interface Turns {
  /** Resolves when it is one's turn, in the order of asking. */
  next(): Promise<void>;
}

/** Some milliseconds of answers. Shorter slices would let what comes in between, requests above all, take most of the time. */
const SLICE = 256;

export function openTurns(): Turns {
  const waiting: (() => void)[] = [];
  let isDue = false;
  function slice(): void {
    const now = waiting.splice(0, SLICE);
    isDue = waiting.length > 0;
    if (isDue) setImmediate(slice);
    for (const go of now) go();
  }
  return {
    next: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (isDue) return;
        isDue = true;
        setImmediate(slice);
      }),
  };
}

/** Waits for a condition, never for a time. `look` answers null while it does not hold; what it throws ends the waiting. */
export async function until<T>(
  what: string,
  limitMs: number,
  look: () => Promise<T | null>,
  everyMs = 200,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() - startedMs > limitMs) throw new Error(`waited ${limitMs / 1_000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

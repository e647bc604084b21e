import { Problem, problem } from "./errors.ts";

export const gaveUp = (what: string): Problem => new Problem("canceled", `${what}: the caller gave up`);

/** Settles as `work` does, or with `deadline_exceeded` or `canceled` when time or the caller's patience ends first. */
export function within<T>(ms: number, what: string, signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => finish(() => reject(problem.deadline(`${what} did not answer in time`))),
      Math.min(ms, 2_147_483_647),
    );
    const onAbort = (): void => finish(() => reject(gaveUp(what)));
    signal.addEventListener("abort", onAbort, { once: true });
    function finish(settle: () => void): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      settle();
    }
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}

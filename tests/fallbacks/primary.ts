import { openEmbeddedModels } from "#adapters/models/embedded";
import { problem } from "#kernel";
import type { Models } from "#kernel/ports/models";

export type Away = "hangs" | "refuses";

/** Something that can be taken away and given back, and remembers how long whoever asked it meanwhile would have waited. */
export interface Primary {
  take(how: Away): void;
  giveBack(): void;
  /** What each question was given while it was away. */
  readonly givenMs: readonly number[];
  /** Questions that hang still. */
  readonly hanging: () => number;
  /** Goes through to what is there, or does not come back. */
  pass<T>(givenMs: number, ask: () => Promise<T>): Promise<T>;
}

export function openPrimary(): Primary {
  let away: Away | undefined;
  const givenMs: number[] = [];
  const hung = new Set<(error: unknown) => void>();
  return {
    take: (how) => {
      away = how;
      givenMs.length = 0;
    },
    giveBack() {
      away = undefined;
      for (const reject of hung) reject(problem.unavailable("it was away"));
      hung.clear();
    },
    givenMs,
    hanging: () => hung.size,
    pass<T>(given: number, ask: () => Promise<T>): Promise<T> {
      if (away === undefined) return ask();
      givenMs.push(given);
      if (away === "refuses") return Promise.reject(problem.unavailable("the test took it away"));
      return new Promise<never>((_, reject) => hung.add(reject));
    },
  };
}

/** The embedded ONNX runtime behind a door that a test can shut. */
export function modelsBehind(primary: Primary): Models {
  const runtime = openEmbeddedModels();
  return {
    ...runtime,
    infer: (model, request, options) => primary.pass(options.timeoutMs, () => runtime.infer(model, request, options)),
  };
}

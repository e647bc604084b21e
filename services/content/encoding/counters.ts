import type { Metrics } from "#kernel";

/** What becomes of titles and of the pieces of work that they are made of, for operators. */
export interface Counters {
  /** `sinceStartS` where a title is complete for the first time. */
  made(outcome: "playable" | "complete" | "repackaged" | "failed", sinceStartS?: number): void;
  laddered(kind: "per-title" | "fixed"): void;
  /** Measures a piece of work of a kind: video, audio, text, pictures, ladder or package. */
  piece<T>(type: string, work: () => Promise<T>): Promise<T>;
}

/** ARCH-001 section 3: a film is complete within four hours. */
const TITLE_BUCKETS_S = [60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800];
const PIECE_BUCKETS_S = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800];

export function openCounters(metrics: Metrics): Counters {
  const titles = metrics.counter("encodings_total", "Titles that came to a stage, or failed", ["outcome"]);
  const durations = metrics.histogram(
    "encoding_duration_seconds",
    "From an accepted file to the complete ladder",
    [],
    TITLE_BUCKETS_S,
  );
  const ladders = metrics.counter("encoding_ladders_total", "Films that were measured, by the ladder that came of it", [
    "outcome",
  ]);
  const pieces = metrics.histogram(
    "encoding_piece_seconds",
    "Duration of pieces of work",
    ["type", "outcome"],
    PIECE_BUCKETS_S,
  );
  return {
    made(outcome, sinceStartS) {
      titles.inc({ outcome });
      if (sinceStartS !== undefined) durations.observe(sinceStartS);
    },
    laddered: (outcome) => ladders.inc({ outcome }),
    async piece(type, work) {
      const startedMs = performance.now();
      let outcome = "failed";
      try {
        const result = await work();
        outcome = "done";
        return result;
      } finally {
        pieces.observe({ type, outcome }, (performance.now() - startedMs) / 1_000);
      }
    },
  };
}

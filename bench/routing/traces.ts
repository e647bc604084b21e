import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { type Random, randomBelow } from "#learning/random";

/** A stretch of a network as somebody measured it. */
interface Piece {
  readonly durationMs: number;
  readonly kbps: number;
  readonly latencyMs: number;
}

const Trace = z.array(z.object({ duration_ms: z.number(), bandwidth_kbps: z.number(), latency_ms: z.number() }));

/** Traces by where they were recorded: 3G and 4G on the way, and lines at home (FCC) that are fast and slow. */
export type Sets = ReadonlyMap<string, readonly (readonly Piece[])[]>;

export function readTraces(folder: string): Sets {
  return new Map(
    ["3Glogs", "4Glogs", "hd_fs", "sd_fs"].map((set) => {
      const files = globSync("*.json", { cwd: path.join(folder, set) }).sort();
      const traces = files.map((file) =>
        Trace.parse(JSON.parse(readFileSync(path.join(folder, set, file), "utf8"))).map((piece) => ({
          ...{ durationMs: piece.duration_ms, kbps: piece.bandwidth_kbps, latencyMs: piece.latency_ms },
        })),
      );
      return [set, traces] as const;
    }),
  );
}

/** One second of a network. */
export interface Second {
  readonly kbps: number;
  readonly latencyMs: number;
}

/** Traces of a set one after the other, drawn at random, second by second for so long. */
export function* seconds(traces: readonly (readonly Piece[])[], random: Random): Generator<Second, never> {
  for (;;) {
    let [leftMs, bits, latencyMs] = [1_000, 0, 0];
    for (const piece of traces[randomBelow(random, traces.length)] ?? []) {
      let ms = piece.durationMs;
      while (ms > 0) {
        const part = Math.min(ms, leftMs);
        bits += part * piece.kbps;
        latencyMs = piece.latencyMs;
        leftMs -= part;
        ms -= part;
        if (leftMs > 0) continue;
        yield { kbps: bits / 1_000, latencyMs };
        [leftMs, bits] = [1_000, 0];
      }
    }
  }
}

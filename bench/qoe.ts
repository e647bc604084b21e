/**
 * Heartbeats applied by the QoE service, from the log to acknowledged rows, beside raw inserts of the same number of the same rows into the
 * same store, in the same run. The embedded engines; the limit is what the store takes alone.
 * Bar: at least 1,000 beats a second, a fifth of what ARCH-001 plans for a whole cluster of playback.
 *
 *   node bench/qoe.ts
 */
import { Session } from "#contracts/session";
import { defineService, type Platform, problem } from "#kernel";
import type { AnalyticsBatch } from "#kernel/ports/analytics";
import tenant from "../services/identity/tenant/service.ts";
import user from "../services/identity/user/service.ts";
import qoe from "../services/insight/qoe/service.ts";
import { startTestHost } from "../tests/host.ts";
import { type Measure, median, table, writeResults } from "./harness.ts";

const ROUNDS = 5;
const BEATS = 10_000;
const SESSIONS = 1_000;
const BEATS_PER_S_BAR = 1_000;

const never = async (): Promise<never> => {
  throw problem.unavailable("nobody plays here");
};

export async function run(): Promise<void> {
  let players: Platform<typeof Session> | undefined;
  const player = defineService({
    contract: Session,
    uses: {},
    slo: { p99Ms: 1, availability: 0.999 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: (platform: Platform<typeof Session>) => (players = platform),
    rpc: () => ({ start: never, beat: never, stop: never, refreshToken: never, get: never, listActive: never }),
    ready: async () => {},
  });
  const host = await startTestHost({ services: [tenant, user, player, qoe] });
  const { analytics } = host.adapters;
  const { insert } = analytics;
  let arrived = 0;
  const sent: AnalyticsBatch[] = [];
  Object.assign(analytics, {
    insert: async (batch: AnalyticsBatch) => {
      await insert(batch);
      sent.push(batch);
      if (batch.table === "qoe_beats") arrived += batch.rows.length;
    },
  });
  const startedAtMs = Date.now() - 3_600_000;
  const beat = (round: number, at: number) => {
    const sequence = round * (BEATS / SESSIONS) + Math.floor(at / SESSIONS) + 1;
    return {
      ...{ userId: `user-${at % SESSIONS}`, profileId: "p", sessionId: `session-${at % SESSIONS}`, contentId: "film" },
      ...{ deviceId: "d", deviceType: "tv", startedAtMs, sequence, timeMs: startedAtMs + sequence * 10_000 },
      ...{ positionS: sequence * 10, durationS: 6_000, state: "playing", networkId: at % 3 ? "a" : "b" },
      ...{ videoStartTimeMs: 900, rebufferCount: 0, rebufferDurationMs: at % 50, bitrateKbps: 4_000 },
      ...{ averageBitrateKbps: 4_000, bitrateMaxKbps: 8_000, bitrateSwitches: 1, width: 1920, height: 1080 },
      ...{ resolutionDrops: at % 4, droppedFrames: 2, decodedFrames: 5_000, throughputKbps: 20_000, bufferS: 20 },
      ...{ errorCount: 0, market: "DE", contentType: "vod", liveLatencyMs: -1, presentedS: -1 },
    };
  };
  const rates: number[] = [];
  const raw: number[] = [];
  try {
    for (let round = -1; round < ROUNDS; round += 1) {
      const beats = Array.from({ length: BEATS }, (_, at) => beat(round + 1, at));
      const target = arrived + BEATS;
      sent.length = 0;
      const started = performance.now();
      await players?.facts("heartbeat", beats, { tenant: "demo" });
      while (arrived < target) await new Promise((resolve) => setTimeout(resolve, 5));
      const appliedMs = performance.now() - started;
      // Scores of this round may still come; the raw inserts must not share the engine with them.
      await host.settled();
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      const beatBatches = sent.filter((batch) => batch.table === "qoe_beats");
      const rawStarted = performance.now();
      for (const batch of beatBatches) await insert({ ...batch, tenant: "raw" });
      const rawMs = performance.now() - rawStarted;
      // The first round pays for the start of the engine.
      if (round < 0) continue;
      rates.push((BEATS * 1_000) / appliedMs);
      raw.push((beatBatches.reduce((sum, { rows }) => sum + rows.length, 0) * 1_000) / rawMs);
    }
    const measures: Measure[] = [
      { name: "qoe.beats.applied", value: median(rates), unit: "1/s", bar: BEATS_PER_S_BAR, samples: rates },
      { name: "qoe.rows.raw-insert", value: median(raw), unit: "1/s", bar: null, samples: raw },
      {
        name: "qoe.applied-of-raw",
        value: median(rates) / median(raw),
        unit: "ratio",
        bar: null,
        samples: rates.map((rate, i) => rate / (raw[i] ?? Number.NaN)),
      },
    ];
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("qoe", measures);
  } finally {
    await host.stop();
  }
}

if (import.meta.main) await run();

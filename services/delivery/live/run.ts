import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { problem } from "#kernel";
import { within } from "#kernel/within";
import type { LiveReport } from "#kernel/ports/transcoder";
import { type Channel, FRAME_RATE, gopFramesOf, SEGMENT_MS, startAfter, type TrackPlan } from "./domain.ts";
import type { DayKeys } from "./keyring.ts";
import type { FromPackager, PackagerKeys, PackagerRun } from "./packager-worker.ts";
import type { LivePlatform } from "./service.ts";

/** Encoders need so long to come up; who is late begins with a later segment. */
const LEAD_MS = 700;
/** Encoders count from so long before the start, which is whole segments. */
const ORIGIN_S = 2;
const LISTEN_MS_MAX = 10_000;

export interface RunOptions {
  readonly channel: Channel;
  readonly plans: readonly TrackPlan[];
  readonly keys: readonly DayKeys[];
  readonly keyPeriodMs: number;
  readonly on: (message: Exclude<FromPackager, { readonly type: "listening" | "fault" }>) => void;
  readonly onReport: (track: string, report: LiveReport) => void;
  readonly signal: AbortSignal;
}

export interface Run {
  readonly firstNumber: number;
  giveKeys(keys: DayKeys): void;
  /** Settles when the input ended; rejects where an encoder or the packager failed, `canceled` where the signal aborted. */
  readonly ended: Promise<void>;
}

/** Starts a packager and an encoder for each track; they end together. */
export async function startRun(
  { transcoder, clock }: Pick<LivePlatform, "transcoder" | "clock">,
  { channel, plans, keys, keyPeriodMs, on, onReport, signal }: RunOptions,
): Promise<Run> {
  // Sockets of a folder that only we may enter; their paths have to be short.
  const folder = await mkdtemp(join(tmpdir(), "mq-live-"));
  const tracks = plans.map((plan, index) => ({ ...plan, socketPath: join(folder, `${index}.sock`) }));
  const startMs = startAfter(clock.nowMs(), LEAD_MS);
  const firstNumber = startMs / SEGMENT_MS;
  const worker = new Worker(new URL("./packager-worker.ts", import.meta.url), {
    workerData: {
      tracks: tracks.map(({ name, kind, keyClass, language, socketPath }) => ({
        ...{ name, kind, keyClass, language, socketPath },
      })),
      ...{ latency: channel.latency, frameRate: FRAME_RATE, firstNumber, keyPeriodMs },
      originMs: startMs - ORIGIN_S * 1_000,
    } satisfies PackagerRun,
  });
  const ending = new AbortController();
  const over = AbortSignal.any([signal, ending.signal]);
  const giveKeys = ({ dayIndex, protections }: DayKeys): void =>
    worker.postMessage({ type: "keys", dayIndex, protections } satisfies PackagerKeys);
  for (const day of keys) giveKeys(day);

  let listening: () => void = () => {};
  const isListening = new Promise<void>((resolve) => {
    listening = resolve;
  });
  const packaged = new Promise<never>((_, reject) => {
    worker.on("error", reject);
    worker.on("exit", () => reject(problem.aborted("the packager ended")));
    worker.on("message", (message: FromPackager) => {
      if (message.type === "listening") listening();
      else if (message.type === "fault")
        reject(
          message.reason === "no_key"
            ? problem.precondition(message.message, { reason: "no_key" })
            : problem.unsupportedMedia(message.message, { reason: message.reason }),
        );
      else if (!over.aborted) on(message);
    });
  });
  packaged.catch(() => {});

  const encode = async (): Promise<void> => {
    await within(LISTEN_MS_MAX, "the packager", over, isListening);
    await Promise.all(
      tracks.map((plan) =>
        transcoder.encodeLive(
          {
            source: { kind: "test", title: channel.name.replaceAll(/[^A-Za-z0-9 ]/g, " ").slice(0, 60), startMs },
            leadS: ORIGIN_S,
            track: plan.rung
              ? {
                  ...{ kind: "video", width: plan.rung.width, height: plan.rung.height, frameRate: FRAME_RATE },
                  ...{ bitrateKbps: plan.bitrateKbps, gopFrames: gopFramesOf(channel.latency, FRAME_RATE) },
                  isLowLatency: channel.latency === "low",
                }
              : { kind: "audio", bitrateKbps: plan.bitrateKbps },
          },
          plan.socketPath,
          (report) => onReport(plan.name, report),
          over,
        ),
      ),
    );
  };
  const ended = Promise.race([encode(), packaged]).finally(async () => {
    ending.abort();
    await worker.terminate();
    await rm(folder, { recursive: true, force: true });
  });
  ended.catch(() => {});
  return { firstNumber, giveKeys, ended };
}

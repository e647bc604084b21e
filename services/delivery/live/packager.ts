import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { problem } from "#kernel";
import { within } from "#kernel/within";
import { FRAME_RATE, type Latency, type TrackPlan } from "./domain.ts";
import type { ReadyInput } from "./inputs.ts";
import type { DayKeys } from "./keyring.ts";
import type { FromPackager, PackagerFilm, PackagerRun, PackagerSetup, ToPackager } from "./packager-worker.ts";

const LISTEN_MS_MAX = 10_000;

/** A channel's packager while it is awake. */
export interface Packager {
  /** Where the transport stream of an input goes. */
  feedPath(index: number): string;
  /** Where what is pushed to an input is read from. */
  flvPath(index: number): string;
  giveKeys(keys: DayKeys): void;
  /** Resolves when encoders can connect. */
  begin(run: {
    readonly serial: number;
    readonly plans: readonly TrackPlan[];
    readonly feed: number | null;
    /** It is made of films, and nothing connects. */
    readonly isFilm?: boolean;
    readonly firstNumber: number;
    readonly lastNumber?: number;
    readonly originMs: number;
  }): Promise<PackagerRun["tracks"]>;
  /** A segment of a film, for a run that is made of them. */
  film(piece: Omit<PackagerFilm, "type">): void;
  end(): void;
  /** Rejects when the packager fails. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

export interface PackagerOptions {
  readonly latency: Latency;
  readonly keyPeriodMs: number;
  readonly inputs: readonly ReadyInput[];
  readonly on: (message: Exclude<FromPackager, { readonly type: "listening" }>) => void;
  readonly signal: AbortSignal;
}

export async function openPackager({ latency, keyPeriodMs, inputs, on, signal }: PackagerOptions): Promise<Packager> {
  // Sockets of a folder that only we may enter; their paths have to be short.
  const folder = await mkdtemp(join(tmpdir(), "mq-live-"));
  const feedPath = (index: number): string => join(folder, `feed-${index}`);
  const flvPath = (index: number): string => join(folder, `flv-${index}`);
  const feeds = inputs.flatMap((input, index): PackagerSetup["feeds"] => {
    if (input.kind === "demo" || input.kind === "schedule") return [];
    if (input.kind !== "rtmp") return [{ path: feedPath(index), door: null }];
    const keyHash = createHash("sha256").update(input.secret).digest("hex");
    return [{ path: feedPath(index), door: { host: input.host, port: input.port, keyHash, flvPath: flvPath(index) } }];
  });
  const setup: PackagerSetup = { latency, keyPeriodMs, frameRate: FRAME_RATE, feeds };
  const worker = new Worker(new URL("./packager-worker.ts", import.meta.url), { workerData: setup });
  const send = (message: ToPackager): void => worker.postMessage(message);
  const heard = new Map<number, () => void>();
  const listening = (serial: number): Promise<void> =>
    within(LISTEN_MS_MAX, "the packager", signal, new Promise((resolve) => heard.set(serial, resolve)));
  const failed = new Promise<never>((_, reject) => {
    worker.on("error", reject);
    worker.on("exit", () => reject(problem.aborted("the packager ended")));
    worker.on("message", (message: FromPackager) => {
      if (message.type !== "listening") return on(message);
      heard.get(message.serial)?.();
      heard.delete(message.serial);
    });
  });
  failed.catch(() => {});
  const close = async (): Promise<void> => {
    await worker.terminate();
    await rm(folder, { recursive: true, force: true });
  };
  await Promise.race([listening(0), failed]).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    ...{ feedPath, flvPath, failed, close },
    giveKeys: ({ dayIndex, protections }) => send({ type: "keys", dayIndex, protections }),
    film: (piece) => send({ type: "film", ...piece }),
    async begin({ serial, plans, feed, isFilm = false, firstNumber, lastNumber = Number.MAX_SAFE_INTEGER, originMs }) {
      const tracks = plans.map(({ name, kind, keyClass, language }, index) => ({
        ...{ name, kind, keyClass, language },
        outPath: isFilm ? null : join(folder, `${serial}-${index}-out`),
        inPath: feed === null ? null : join(folder, `${serial}-${index}-in`),
      }));
      const ready = listening(serial);
      send({ type: "begin", serial, tracks, feed, firstNumber, lastNumber, originMs });
      await Promise.race([ready, failed]);
      return tracks;
    },
    end: () => send({ type: "end" }),
  };
}

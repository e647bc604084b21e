/**
 * Heartbeats while the machine is busy: their latency when nothing else happens, and while 20 films are imported and 50 people a second
 * sign in, in the same run and at the same rate.
 * Bar: the p99 under load stays under three times the idle one.
 *
 *   node bench/heartbeats.ts
 */
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { Encoding } from "#contracts/encoding";
import { accessToken, type Account, makeAccount } from "../tests/chaos/accounts.ts";
import { importClip, makeClip, untilComplete } from "../tests/chaos/clips.ts";
import { openStage, type Stage } from "../tests/chaos/product.ts";
import { openBeating } from "./heartbeats/beating.ts";
import { type Measure, percentile, table, writeResults } from "./harness.ts";
import type { SignInReport } from "./heartbeats/sign-ins.ts";

const IMPORTS = 20;
const SIGN_INS_PER_S = 50;
const VIEWERS = 20;
const BEATS_PER_S = 50;
const WARM_S = 8;
const IDLE_S = 30;
const LOAD_S = 45;
const RATIO_BAR = 3;

/** Signs people in from a thread of its own, so that the clock of the beats does not wait for it. */
function startSignIns(url: string, accounts: readonly Account[]): { stop(): Promise<SignInReport> } {
  const worker = new Worker(new URL("./heartbeats/sign-ins.ts", import.meta.url), {
    execArgv: [],
    workerData: { url, emails: accounts.map(({ email }) => email), perS: SIGN_INS_PER_S },
  });
  return {
    async stop() {
      const report = new Promise<SignInReport>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      worker.postMessage("stop");
      return report.finally(() => worker.terminate());
    },
  };
}

async function people(stage: Stage, count: number, name: string): Promise<Account[]> {
  const made: Account[] = [];
  for (let n = 0; n < count; n += 1) made.push(await makeAccount(stage.admin, `${name}-${n}@bench.test`));
  return made;
}

export async function run(): Promise<void> {
  const stage = await openStage();
  const product = stage.start();
  try {
    const clip = path.join(stage.folder, "clip.mp4");
    await makeClip(clip, { width: 640, height: 360, rate: 24, durationS: 60, grain: 20 });
    const url = await product.ready();
    const short = path.join(stage.folder, "short.mp4");
    await makeClip(short, { width: 320, height: 180, rate: 12, durationS: 8, grain: 0 });
    await importClip(stage.admin, short, "playing");
    await untilComplete(stage.admin, ["playing"], 180_000);
    const viewers = await people(stage, VIEWERS, "viewer");
    const guests = await people(stage, 10, "guest");
    const beating = await openBeating(
      url,
      await Promise.all(viewers.map(({ email }) => accessToken(stage.admin, email))),
      "playing",
    );

    await beating.run(BEATS_PER_S, WARM_S);
    const idle = await beating.run(BEATS_PER_S, IDLE_S);
    for (let n = 0; n < IMPORTS; n += 1) await importClip(stage.admin, clip, `import-${n}`);
    await pause(3_000);
    const importing = await beating.run(BEATS_PER_S, IDLE_S);
    const signIns = startSignIns(url, guests);
    await pause(1_000);
    const loaded = await beating.run(BEATS_PER_S, LOAD_S);
    const signedIn = await signIns.stop();
    const { encodings } = await stage.admin.of(Encoding).list({ activeOnly: true });
    const shown = (name: string, value: number, unit: string, rest: Partial<Measure> = {}): Measure => ({
      ...{ name, value, unit, bar: null, samples: [value], ...rest },
    });
    const ratio = percentile(loaded.latenciesMs, 0.99) / percentile(idle.latenciesMs, 0.99);
    const measures: Measure[] = [
      ...([0.5, 0.95, 0.99] as const).flatMap((share) => [
        shown(`heartbeats.idle.p${share * 100}`, percentile(idle.latenciesMs, share), "ms", {
          samples: idle.latenciesMs,
        }),
        shown(`heartbeats.imports.p${share * 100}`, percentile(importing.latenciesMs, share), "ms", {
          samples: importing.latenciesMs,
        }),
        shown(`heartbeats.loaded.p${share * 100}`, percentile(loaded.latenciesMs, share), "ms", {
          samples: loaded.latenciesMs,
        }),
      ]),
      shown("heartbeats.ratio.p99", ratio, "ratio", { bar: RATIO_BAR, better: "lower" }),
      shown("heartbeats.failed", idle.failed + importing.failed + loaded.failed, "beats", { bar: 0, better: "lower" }),
      shown("signins.completed", signedIn.completed / (signedIn.elapsedMs / 1_000), "1/s"),
      shown("signins.turned-away", signedIn.refused / (signedIn.elapsedMs / 1_000), "1/s"),
      shown("signins.not-begun", signedIn.skipped / (signedIn.elapsedMs / 1_000), "1/s"),
      shown("imports.unfinished-at-the-end", encodings.length, "films", { bar: 1 }),
    ];
    process.stdout.write(`${table(measures)}\n`);
    if (signedIn.fault !== "") process.stdout.write(`the last sign-in that failed: ${signedIn.fault}\n`);
    await writeResults("heartbeats", measures);
    await product.stop();
  } finally {
    await stage.close();
  }
}

if (import.meta.main) await run();

/**
 * An evening: as many viewers at once as the plan has, each on a connection of its own, who come, watch, zap and go on, on one machine with
 * everything else. No answer may be an error, starts are quick, memory is bounded, and what was acknowledged is counted afterwards.
 *
 *   node bench/evening.ts [viewers, 50000] [minutes, 10]
 */
import { execFile, fork } from "node:child_process";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { accessToken, makeAccount } from "../tests/chaos/accounts.ts";
import { importClip, makeClip, untilComplete } from "../tests/chaos/clips.ts";
import { openStage, type Stage, TENANT } from "../tests/chaos/product.ts";
import type { Evening, Guest, Kept } from "./evening/viewers.ts";
import { type Measure, memoryOf, percentile, table, writeResults } from "./harness.ts";

const VIEWERS = 50_000;
const MINUTES = 10;
/** Of the evening; the others are there from then on. */
const ARRIVAL_SHARE = 0.4;
const DEVICES_AN_ACCOUNT = 4;
const AT_ONCE = 16;
const FILES_MAX = 200_000;
const MEMORY_EVERY_MS = 5_000;
const MEMORY_MB_MAX = 8_192;
const START_P99_MS_MAX = 200;
const FILMS = 4;
const SETTLE_MS_MAX = 300_000;

const run = promisify(execFile);

async function guestsOf({ admin }: Stage, count: number): Promise<Guest[]> {
  const guests: Guest[] = [];
  const accounts = Math.ceil(count / DEVICES_AN_ACCOUNT);
  let next = 0;
  async function make(): Promise<void> {
    for (let n = next++; n < accounts; n = next++) {
      const email = `guest-${n}@evening.test`;
      await makeAccount(admin, email, { password: null });
      for (let device = 0; device < DEVICES_AN_ACCOUNT && guests.length < count; device += 1)
        guests.push({ token: await accessToken(admin, email), deviceId: `evening-${n}-${device}` });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, make));
  return guests;
}

/** Each viewer is an open file of the product and of the generator. */
const allowFiles = (pid: number): Promise<unknown> =>
  run("prlimit", ["--pid", String(pid), `--nofile=${FILES_MAX}:${FILES_MAX}`]).catch(() => undefined);

async function spend(evening: Evening): Promise<Kept> {
  const child = fork(path.join(import.meta.dirname, "evening/viewers.ts"), { execArgv: [], serialization: "advanced" });
  try {
    await allowFiles(child.pid ?? 0);
    return await new Promise<Kept>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the viewers' process ended with ${code}`)));
      child.once("message", (kept) => resolve(kept as Kept));
      child.send(evening);
    });
  } finally {
    child.kill("SIGKILL");
  }
}

interface Topic {
  readonly name: string;
  readonly records: number;
  readonly deadLetters: number;
  readonly groups: readonly { readonly lag: number }[];
}

/** The topics, as soon as every service has read all of them. */
async function settledTopics({ folder }: Stage): Promise<readonly Topic[]> {
  const entry = path.resolve(import.meta.dirname, "../apps/marquee.ts");
  const env = { ...process.env, MARQUEE_DATA: folder, MARQUEE_TENANT: TENANT };
  const untilMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const { stdout } = await run(process.execPath, [entry, "events", "topics", "--json"], { env });
    const topics = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Topic);
    if (topics.every(({ groups }) => groups.every(({ lag }) => lag === 0))) return topics;
    if (performance.now() > untilMs) throw new Error(`events lagged ${SETTLE_MS_MAX / 1_000} s after the evening`);
    await pause(1_000);
  }
}

export async function main(viewers: number, minutes: number): Promise<void> {
  const stage = await openStage();
  try {
    const product = stage.start();
    const { port } = new URL(await product.ready());
    await allowFiles(product.pid);
    const clip = path.join(stage.folder, "clip.mp4");
    await makeClip(clip, { width: 320, height: 180, rate: 12, durationS: 8, grain: 0 });
    const films = Array.from({ length: FILMS }, (_, n) => `film-${n}`);
    for (const film of films) await importClip(stage.admin, clip, film);
    await untilComplete(stage.admin, films, 180_000);
    console.log(`${viewers} guests are invited …`);
    const guests = await guestsOf(stage, viewers);
    console.log(`an evening of ${minutes} minutes begins`);
    const memories: number[] = [];
    const look = async (): Promise<unknown> => memories.push((await memoryOf(await product.processes())).pssMb);
    const watching = setInterval(() => void look(), MEMORY_EVERY_MS);
    const durationS = minutes * 60;
    const evening = { port: Number(port), guests, films, durationS, arrivalS: durationS * ARRIVAL_SHARE };
    const kept = await spend(evening).finally(() => clearInterval(watching));
    const topics = await settledTopics(stage);
    const beats = topics.find(({ name }) => name === "playback.heartbeats")?.records ?? 0;
    const dead = topics.reduce((sum, topic) => sum + topic.deadLetters, 0);
    if (kept.fault) console.error(`the first failure: ${kept.fault}`);
    const shown = (name: string, value: number, unit: string, more: Partial<Measure> = {}): Measure => ({
      ...{ name: `evening.${name}`, value, unit, bar: null, samples: [value], ...more },
    });
    const measures = [
      shown("viewers", viewers, "people", { bar: VIEWERS }),
      shown("minutes", minutes, "min", { bar: MINUTES }),
      shown("failed", kept.failed, "answers", { bar: 0, better: "lower" }),
      shown("starts", kept.startMs.length, "answers"),
      shown("starts.p50", percentile(kept.startMs, 0.5), "ms"),
      shown("starts.p99", percentile(kept.startMs, 0.99), "ms", { bar: START_P99_MS_MAX, better: "lower" }),
      shown("beats", kept.beatMs.length, "answers"),
      shown("beats.p50", percentile(kept.beatMs, 0.5), "ms"),
      shown("beats.p99", percentile(kept.beatMs, 0.99), "ms"),
      shown("refreshes", kept.refreshes, "answers"),
      shown("stops", kept.stops, "answers"),
      shown("beats.lost", Math.max(0, kept.beatMs.length - beats), "beats", { bar: 0, better: "lower" }),
      shown("dead-letters", dead, "events", { bar: 0, better: "lower" }),
      shown("memory.most", Math.max(...memories), "MB", { bar: MEMORY_MB_MAX, better: "lower", samples: memories }),
    ];
    console.log(table(measures));
    await writeResults("evening", measures);
    await product.stop();
  } finally {
    await stage.close();
  }
}

if (import.meta.main) await main(Number(process.argv[2] ?? VIEWERS), Number(process.argv[3] ?? MINUTES));

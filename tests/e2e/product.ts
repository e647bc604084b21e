/** One product for the whole run: started as a person starts it, in a folder of its own, and gone without a trace after it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Catalog } from "#contracts/catalog";
import { adminSocketPath } from "../../apps/admin/socket.ts";
import { type AdminClient, adminClient } from "../../apps/cli/client.ts";
import { until } from "./until.ts";
import { type Process, watchProcesses } from "./processes.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 20_000;
const FIRST_FILM_MS_MAX = 240_000;
const OUTPUT_CHARS_MAX = 200_000;

export interface RunningProduct {
  readonly url: string;
  /** MARQUEE_DATA: mail is in `mail/`, objects in `objects/`. */
  readonly folder: string;
  readonly admin: AdminClient;
  /** What it printed, for the error text of a failing test. */
  output(): string;
  /** Stops it as Ctrl-C does, and asserts that it left no process behind. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** MARQUEE_DEMO: whether it makes its own films. */
  readonly demo: boolean;
}

/** A product of our own, or the one that runs at MARQUEE_E2E_URL with its data in MARQUEE_E2E_DATA. */
export async function openProduct(options: StartOptions): Promise<RunningProduct> {
  const { MARQUEE_E2E_URL: url, MARQUEE_E2E_DATA: folder } = process.env;
  if (url === undefined || url === "") return startProduct(options);
  assert.ok(folder, "MARQUEE_E2E_URL needs MARQUEE_E2E_DATA beside it: the folder of that product");
  return {
    url: url.replace(/\/$/, ""),
    folder: resolve(folder),
    admin: adminOf(folder),
    output: () => "",
    async stop() {},
  };
}

const adminOf = (folder: string): AdminClient =>
  adminClient({ socketPath: adminSocketPath(folder), tenant: "demo", dataFolder: folder });

async function startProduct({ demo }: StartOptions): Promise<RunningProduct> {
  const folder = await makeTestFolder("e2e");
  const child = spawn(process.execPath, [join(import.meta.dirname, "run-product.ts")], {
    cwd: ROOT,
    // A session of its own: whatever it starts is known by it.
    detached: true,
    // Nothing is ever written to its input: it closes when this process is gone, and then the product stops by itself.
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      // Set by the test runner for its own children; the product is none of them.
      NODE_TEST_CONTEXT: undefined,
      NODE_OPTIONS: undefined,
      MARQUEE_E2E_CHILD: "1",
      MARQUEE_DATA: folder,
      MARQUEE_PORT: "0",
      MARQUEE_HOST: "localhost",
      MARQUEE_MODE: "development",
      MARQUEE_DEMO: demo ? "1" : "0",
      // The ad server of a scenario.
      MARQUEE_AD_PRIVATE_HOSTS: "127.0.0.1",
      // Films are encoded meanwhile: what a viewer would not wait for is no fault here.
      MARQUEE_AD_DEADLINE_MS: "5000",
    },
  });
  const pid = child.pid;
  assert.ok(pid !== undefined, "the product could not be spawned");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => (output = (output + text).slice(-OUTPUT_CHARS_MAX)));
  }
  const watch = watchProcesses(pid, folder);
  const killAll = async (): Promise<void> => {
    for (const one of await watch.living()) tryKill(one);
    watch.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  try {
    const url = await until("the product says that it is ready", READY_MS_MAX, async () => {
      assert.ok(!hasExited(), `the product ended with ${child.exitCode ?? child.signalCode}:\n${output}`);
      return /^ready (\S+)/m.exec(output)?.[1] ?? null;
    });
    return {
      url,
      folder,
      admin: adminOf(folder),
      output: () => output,
      async stop() {
        try {
          await endAsCtrlC(child);
          assert.equal(child.exitCode, 0, `the product did not stop as it should:\n${output.slice(-4_000)}`);
          // The system may need a moment to bury those that were just ended.
          const left = await until("no process is left", 3_000, async () =>
            (await watch.living()).length === 0 ? [] : null,
          ).catch(() => watch.living());
          assert.deepEqual(
            left.map(({ pid, command }) => `${pid} ${command}`),
            [],
            "processes that the product started are still there after it stopped",
          );
        } finally {
          await killAll();
        }
      },
    };
  } catch (error) {
    await killAll();
    throw error;
  }
}

function tryKill({ pid }: Process): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

async function endAsCtrlC(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await gone;
  clearTimeout(timer);
}

export interface Film {
  readonly id: string;
  readonly title: string;
  readonly durationS: number;
}

/** Films that can be watched now, in the order in which they were made. */
export async function playableFilms({ admin }: RunningProduct): Promise<Film[]> {
  const { titles } = await admin.of(Catalog).list({ kinds: ["film"], states: ["playable"], ageRatingMax: 18 });
  return titles.map(({ id, title, durationS }) => ({ id, title, durationS }));
}

export async function firstFilm(product: RunningProduct): Promise<Film> {
  return until("the first film can be watched", FIRST_FILM_MS_MAX, async () => {
    const films = await playableFilms(product);
    return films.find(({ id }) => id === "the-tide-clock") ?? films[0] ?? null;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${product.output().slice(-3_000)}`, { cause: error });
  });
}

/**
 * The product as a process of its own on a folder of its own, for tests that kill it. Each start uses the same ports, so that browsers
 * and sessions of before find it again.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { freeRange } from "#kernel/testing/ports";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startGuardian } from "#kernel/guardian";
import { adminSocketPath } from "../../apps/admin/socket.ts";
import { PRODUCT_FLAGS } from "../../scripts/bootstrap/flags.mjs";
import { type AdminClient, adminClient } from "../../apps/cli/client.ts";
import { buildClients } from "../../scripts/build-clients.ts";
import { killAll, type ProcessId, processesOf } from "./processes.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
export const TENANT = "demo";
const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 20_000;
const OUTPUT_CHARACTERS_MAX = 20_000;

export interface Stage {
  readonly folder: string;
  /** The first of five ports: UI, two edges, origin, admin. */
  readonly port: number;
  readonly admin: AdminClient;
  start(env?: Readonly<Record<string, string>>): Product;
  /** Ends what a failed test may have left running. */
  killStarted(): Promise<void>;
  /** Ends what is left and removes the folder. */
  close(): Promise<void>;
}

export interface Product {
  readonly pid: number;
  /** Resolves with the public URL; rejects with what the product said when it did not come up. */
  ready(): Promise<string>;
  readonly exited: Promise<number | NodeJS.Signals>;
  output(): string;
  processes(): Promise<ProcessId[]>;
  /** SIGTERM, as a service manager would. Resolves with the exit code. */
  stop(): Promise<number | NodeJS.Signals>;
}

/** A place for one product, in a folder of `place`. */
export async function openStage(env: Readonly<Record<string, string>> = {}, place = tmpdir()): Promise<Stage> {
  // The first start would build the pages, and take that time from what is measured.
  await buildClients();
  const folder = await mkdtemp(path.join(place, "marquee-chaos-"));
  // PostgreSQL's own user must be able to enter, so that its data lie here too.
  await chmod(folder, 0o755);
  const port = await freeRange(5);
  const guardian = startGuardian();
  const started: Product[] = [];
  const admin = adminClient({ socketPath: adminSocketPath(folder), tenant: TENANT, dataFolder: folder });
  async function killStarted(): Promise<void> {
    for (const product of started) await killAll(await product.processes());
  }
  return {
    folder,
    port,
    admin,
    start(more = {}) {
      const product = launch(folder, { MARQUEE_PORT: String(port), MARQUEE_DEMO: "0", ...env, ...more });
      // A test that is killed takes its product along.
      guardian.add(product.pid, "TERM");
      void product.exited.then(() => guardian.remove(product.pid));
      started.push(product);
      return product;
    },
    killStarted,
    async close() {
      await killStarted();
      guardian.stop();
      const moved = (await readFile(path.join(folder, "postgres/moved-to.txt"), "utf8").catch(() => "")).trim();
      for (const place of [folder, moved])
        if (place !== "") await rm(place, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Ends every process of the product at once, the guardian that would clean up included. */
export async function killProduct(product: Product): Promise<ProcessId[]> {
  const processes = await product.processes();
  assert.ok(
    processes.some(({ pid }) => pid === product.pid),
    "the product was gone before it was killed",
  );
  await killAll(processes);
  // Whoever was born in between is found by its parent's folder.
  for (let late = await product.processes(); late.length > 0; late = await product.processes()) await killAll(late);
  await product.exited;
  return processes;
}

function launch(folder: string, env: Readonly<Record<string, string>>): Product {
  const child = spawn(process.execPath, [...PRODUCT_FLAGS, path.join(ROOT, "apps/marquee.ts"), "start"], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], MARQUEE_DATA: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pid = child.pid ?? 0;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARACTERS_MAX);
    });
  }
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "SIGKILL"));
  });
  return {
    pid,
    exited,
    output: () => output,
    processes: () => processesOf(pid, folder),
    ready: () => readyUrl(child, () => output),
    async stop() {
      child.kill("SIGTERM");
      const late = pause(STOP_MS_MAX, "late" as const);
      const how = await Promise.race([exited, late]);
      if (how === "late") throw new Error(`the product did not stop within ${STOP_MS_MAX} ms:\n${output}`);
      return how;
    },
  };
}

async function readyUrl(child: ChildProcess, output: () => string): Promise<string> {
  const untilMs = performance.now() + READY_MS_MAX;
  for (;;) {
    const url = /^ready (\S+)/m.exec(output())?.[1];
    if (url !== undefined) return url;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the product ended (${child.exitCode ?? child.signalCode}):\n${output()}`);
    if (performance.now() > untilMs)
      throw new Error(`the product was not ready after ${READY_MS_MAX} ms:\n${output()}`);
    await pause(20);
  }
}

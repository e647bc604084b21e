/**
 * Entitlement checks from one process to another: calls a second with one title each and with 50 titles together, beside plain Connect
 * over the same kind of connection in the same run.
 * Bars: our calls reach half of what plain Connect does; 50 titles in one call are decided at ten times the rate of 50 calls.
 *
 *   node bench/rpc.ts
 */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { openFileSecrets } from "#adapters/secrets/file";
import { Entitlement } from "#contracts/entitlement";
import { systemContext } from "#kernel/context";
import { openCaller, type TestCaller } from "../kernel/testing/mesh.ts";
import { type Measure, median, table, writeResults } from "./harness.ts";
import { type Ready, TITLES } from "./rpc/shared.ts";

const ROUNDS = 5;
const ROUND_MS = 1_500;
/** Calls that wait for an answer at the same time. */
const AT_ONCE = 32;

type Work = () => Promise<unknown>;

/** Keeps `AT_ONCE` calls under way; answers how many came back a second. */
async function rateOf(work: Work): Promise<{ readonly perS: number; readonly calls: number }> {
  const beganMs = performance.now();
  let calls = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (performance.now() - beganMs < ROUND_MS) {
        await work();
        calls += 1;
      }
    }),
  );
  return { calls, perS: calls / ((performance.now() - beganMs) / 1_000) };
}

function ask<T>(child: ChildProcess, question: string | undefined, member: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error("the called process ended"));
    child.once("exit", ended);
    child.once("message", (answer: Record<string, T>) => {
      child.off("exit", ended);
      const found = answer[member];
      if (found === undefined) reject(new Error(`the called process did not say '${member}'`));
      else resolve(found);
    });
    if (question !== undefined) child.send(question);
  });
}

const cpuMs = (usage: NodeJS.CpuUsage): number => (usage.user + usage.system) / 1_000;

function openWorks(ready: Ready, real: TestCaller, empty: TestCaller): Readonly<Record<string, Work>> {
  const { userId, profileId, ports } = ready;
  const viewer = { userId, profileId, tier: "basic", deviceId: "bench", entitlements: [] };
  const context = () => ({ ...systemContext("demo", "bench", { deadlineMs: 60_000 }), viewer });
  const one = { userId, profileId, contentIds: TITLES.slice(0, 1), market: "" };
  const many = { ...one, contentIds: [...TITLES] };
  const { ca, cert, key } = real.identity.tls();
  const plain = createClient(
    Entitlement.rpc,
    createGrpcTransport({
      baseUrl: `https://127.0.0.1:${ports.plain}`,
      acceptCompression: [],
      nodeOptions: { ca: [...ca], cert, key, minVersion: "TLSv1.3", checkServerIdentity: () => undefined },
    }),
  );
  const decided = real.client(Entitlement);
  const bare = empty.client(Entitlement);
  return {
    "connect.unary": () => plain.checkMany(one, { timeoutMs: 60_000 }),
    "connect.of-50": () => plain.checkMany(many, { timeoutMs: 60_000 }),
    "rpc.unary": () => bare.checkMany(one, context()),
    "rpc.of-50": () => bare.checkMany(many, context()),
    "entitlement.unary": () => decided.checkMany(one, context()),
    "entitlement.of-50": () => decided.checkMany(many, context()),
  };
}

export async function run(): Promise<void> {
  const child = fork(path.join(import.meta.dirname, "rpc/server.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  try {
    const ready = await ask<Ready>(child, undefined, "ready");
    const secrets = await openFileSecrets({ folder: ready.secretsFolder });
    const to = (port: number) => openCaller({ services: ["web"], secrets, addresses: [`https://127.0.0.1:${port}`] });
    const callers = [await to(ready.ports.real), await to(ready.ports.empty)] as const;
    const works = openWorks(ready, ...callers);
    for (const work of Object.values(works)) await rateOf(work);
    const rates = new Map<string, number[]>();
    const costs = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [name, work] of Object.entries(works)) {
        const before = [process.cpuUsage(), await ask<NodeJS.CpuUsage>(child, "cpu", "cpu")] as const;
        const { perS, calls } = await rateOf(work);
        const there = await ask<NodeJS.CpuUsage>(child, "cpu", "cpu");
        const spentMs = cpuMs(process.cpuUsage(before[0])) + cpuMs(there) - cpuMs(before[1]);
        rates.set(name, [...(rates.get(name) ?? []), perS]);
        costs.set(name, [...(costs.get(name) ?? []), spentMs / calls]);
      }
    }
    const measures = measuresOf(rates, costs);
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("rpc", measures);
    for (const caller of callers) await caller.stop();
    await secrets.close();
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.connected) child.send("stop");
    await ended;
  }
}

function measuresOf(
  rates: ReadonlyMap<string, readonly number[]>,
  costs: ReadonlyMap<string, readonly number[]>,
): Measure[] {
  const of = (name: string): readonly number[] => rates.get(name) ?? [];
  const shown = (name: string, samples: readonly number[], unit: string, rest: Partial<Measure> = {}): Measure => ({
    ...{ name, value: median(samples), unit, bar: null, samples, ...rest },
  });
  const ratio = (name: string, above: string, below: string, times: number, bar: number): Measure =>
    shown(
      name,
      of(above).map((rate, round) => (rate * times) / (of(below)[round] ?? Number.NaN)),
      "ratio",
      { bar },
    );
  return [
    ...[...rates].flatMap(([name, samples]) => [
      shown(`${name}.rate`, samples, "calls/s"),
      shown(`${name}.cpu`, costs.get(name) ?? [], "ms/call, both ends"),
    ]),
    ratio("rpc.to-connect", "rpc.unary", "connect.unary", 1, 0.5),
    ratio("entitlement.coalesced-to-unary", "entitlement.of-50", "entitlement.unary", TITLES.length, 10),
  ];
}

if (import.meta.main) await run();

/**
 * A crowd at one channel: 1,000 clients of low-latency HLS at an edge, each with sound and picture at 1.5 Mbit/s, with a token of its own
 * in every address, blocking reloads and requests for parts that are announced. Bars: a part is whole at its clients within
 * 150 ms of its publication (p99), the origin is asked at most once an object, more than 95 % comes out of the edge's memory.
 *
 * The same crowd asks the stand-in for the origin directly before that: a bare server of node:http, without tokens, manifests and counts,
 * is the limit of this machine, on whose cores origin, edge and crowd have a process each.
 *
 *   node bench/live-crowd.ts [--clients 1000] [--seconds 30] [--find]
 *
 * `--find` looks for the largest crowd that edge and bare server each serve within the bar, in trials of eight seconds.
 */
import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningEdge, startEdge } from "../apps/edge/start.ts";
import { edgeOptions, get, newKey, newToken, type TestKey } from "../apps/edge/testing.ts";
import { CHANNEL } from "./crowd/channel.ts";
import { type Crowd, type Found, watchAll } from "./crowd/clients.ts";
import { type OriginMessage, type OriginOptions, serveOrigin } from "./crowd/origin.ts";
import { type Measure, percentile, table, writeResults } from "./harness.ts";

const CLIENTS = 1_000;
const MEASURED_S = 30;
const ARRIVE_MS = 4_000;
/** What is compiled and what is cached has been then. */
const WARM_MS = 4_000;
const LATE_MS_BAR = 150;
const HIT_RATIO_BAR = 0.95;
/** Of a search: how long it looks at each size, and how exactly it finds the largest. */
const [TRIAL_S, STEP] = [8, 25];

type Part = { readonly origin: OriginOptions } | { readonly crowd: Crowd };

/** A process of this bench; what it sends first. */
async function start<T>(part: Part): Promise<{ readonly child: ChildProcess; readonly said: T }> {
  const child = fork(fileURLToPath(import.meta.url), { serialization: "advanced" });
  child.send(part);
  const said = await new Promise<T>((resolve, reject) => {
    child.once("message", (message) => resolve(message as T));
    child.once("exit", (code) => reject(new Error(`a process of the bench ended with ${code}`)));
  });
  return { child, said };
}

/** Seconds of a core that a process has had since it began. */
async function cpuS(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

interface Trial extends Found {
  /** Of who serves the crowd, while it is measured. */
  readonly serverCpuS: number;
}

interface Server {
  readonly baseUrl: string;
  readonly pid: number;
}

async function tryOut(server: Server, tokens: readonly string[], seconds: number): Promise<Trial> {
  const { baseUrl, pid } = server;
  const measuredMs = seconds * 1_000;
  const running = start<Found>({ crowd: { baseUrl, tokens, arriveMs: ARRIVE_MS, warmMs: WARM_MS, measuredMs } });
  await delay(ARRIVE_MS + WARM_MS);
  const before = await cpuS(pid);
  await delay(measuredMs);
  const serverCpuS = (await cpuS(pid)) - before;
  const { said } = await running;
  if (said.faults.length > 0) throw new Error(`the crowd met faults:\n${said.faults.join("\n")}`);
  return { ...said, serverCpuS };
}

const single = (name: string, value: number, unit: string, more: Partial<Measure> = {}): Measure => ({
  ...{ name: `live-crowd.${name}`, value, unit, bar: null, samples: [value], ...more },
});

/** How late parts were, and what it cost. */
const told = (name: string, { lateMs, requests, seconds, serverCpuS, bytes }: Trial, bar: number | null): Measure[] => [
  single(`${name}.part.p99`, percentile(lateMs, 0.99), "ms", { bar, better: "lower" }),
  single(`${name}.part.p50`, percentile(lateMs, 0.5), "ms"),
  single(`${name}.part.most`, percentile(lateMs, 1), "ms"),
  single(`${name}.cpu`, serverCpuS / seconds, "cores"),
  single(`${name}.cpu-per-request`, (serverCpuS / requests) * 1e6, "us"),
  single(`${name}.sent`, (bytes * 8) / seconds / 1e9, "Gbit/s"),
];

async function measure(edge: Server, bare: Server, tokens: readonly string[], seconds: number): Promise<Measure[]> {
  const limit = await tryOut(bare, tokens, seconds);
  const found = await tryOut(edge, tokens, seconds);
  const metrics = (await get(edge.baseUrl, "/metrics")).body.toString();
  const from = (source: string): number =>
    Number(new RegExp(`marquee_edge_objects_total\\{[^}]*source="${source}"\\} (\\d+)`).exec(metrics)?.[1] ?? 0);
  const hits = from("memory") + from("coalesced");
  return [
    single("clients", tokens.length, "clients"),
    ...told("edge", found, LATE_MS_BAR),
    single("edge.hit-ratio", hits / (hits + from("origin")), "ratio", { bar: HIT_RATIO_BAR }),
    single("edge.parts.missed", found.missed, "parts", { bar: 0, better: "lower" }),
    ...told("bare", limit, null),
    single("generator.cpu", found.cpuS / seconds, "cores"),
    single("requests", found.requests / seconds, "1/s"),
  ];
}

/** The largest crowd whose parts are there in time, by halving what is between one that is and one that is not. */
async function largest(server: Server, tokens: readonly string[]): Promise<number> {
  let [good, bad] = [0, tokens.length + STEP];
  for (let clients = tokens.length; bad - good > STEP; clients = Math.round((good + bad) / 2 / STEP) * STEP) {
    const trial = await tryOut(server, tokens.slice(0, clients), TRIAL_S).catch((error: unknown) => String(error));
    const p99 = typeof trial === "string" ? Number.NaN : percentile(trial.lateMs, 0.99);
    process.stdout.write(`${clients} clients: ${typeof trial === "string" ? trial : `p99 ${p99.toFixed(0)} ms`}\n`);
    if (typeof trial !== "string" && p99 <= LATE_MS_BAR && trial.missed === 0) good = clients;
    else bad = clients;
  }
  return good;
}

async function search(edge: Server, bare: Server, tokens: readonly string[]): Promise<Measure[]> {
  const limit = await largest(bare, tokens);
  const found = await largest(edge, tokens);
  return [
    single("clients.largest", found, "clients", { bar: CLIENTS }),
    single("clients.largest.bare", limit, "clients"),
  ];
}

const newTokens = (key: TestKey, baseUrl: string, clients: number): Promise<string[]> => {
  const nowS = Math.floor(Date.now() / 1_000);
  const shared = { key, baseUrl, nowS, expS: nowS + 3_600, pathPrefix: `/live/${CHANNEL}/` };
  return Promise.all(
    Array.from({ length: clients }, (_, client) => newToken({ ...shared, more: { sid: `ses_${client}` } })),
  );
};

export async function run(clients: number, seconds: number, isSearch: boolean): Promise<void> {
  const key = newKey();
  const { child: origin, said } = await start<OriginMessage>({ origin: { jwk: key.jwk } });
  if (said.type !== "ready") throw new Error("the stand-in for the origin did not start");
  const originUrl = `http://127.0.0.1:${said.port}`;
  const { options, remove } = await edgeOptions({ url: originUrl });
  let running: RunningEdge | undefined;
  try {
    running = await startEdge(options);
    const tokens = await newTokens(key, options.baseUrl, clients);
    const edge = { baseUrl: options.baseUrl, pid: running.pid };
    const bare = { baseUrl: originUrl, pid: origin.pid ?? 0 };
    const measures = await (isSearch ? search(edge, bare, tokens) : measure(edge, bare, tokens, seconds));
    const asked = new Promise<OriginMessage>((resolve) =>
      origin.once("message", (message) => resolve(message as OriginMessage)),
    );
    origin.send({});
    const answer = await asked;
    if (answer.type === "asked")
      measures.push(single("origin.requests-per-object", answer.most, "requests", { bar: 1, better: "lower" }));
    process.stdout.write(`${table(measures)}\n`);
    await writeResults(isSearch ? "live-crowd-largest" : "live-crowd", measures);
  } finally {
    await running?.stop();
    origin.kill();
    await remove();
  }
}

if (import.meta.main) {
  if (process.send === undefined) {
    const { values } = parseArgs({
      options: { clients: { type: "string" }, seconds: { type: "string" }, find: { type: "boolean" } },
    });
    await run(Number(values.clients ?? CLIENTS), Number(values.seconds ?? MEASURED_S), values.find === true);
  } else {
    process.once("disconnect", () => process.exit(0));
    process.once("message", (part: Part) => {
      if ("origin" in part) serveOrigin(part.origin);
      else void watchAll(part.crowd).then((found) => process.send?.(found, () => process.exit(0)));
    });
  }
}

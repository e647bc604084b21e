/**
 * What viewers ask of the web API, over HTTP, on the whole product with every check on: starts of playback, heartbeats, continue watching and home.
 * The most it does (32 connections that ask again and again), the latency in open loop at half of that, and beside each what the least
 * possible server does in the same run.
 *
 *   node bench/api.ts [starts | beats | continue | home]
 */
import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openEmbeddedPostgres } from "#adapters/postgres/embedded";
import { Auth } from "#contracts/auth";
import { Profile } from "#contracts/profile";
import { Subscription } from "#contracts/subscription";
import { User } from "#contracts/user";
import { startGuardian } from "#kernel/guardian";
import { importClip, makeClip, untilComplete } from "../tests/chaos/clips.ts";
import { openStage, type Product, type Stage } from "../tests/chaos/product.ts";
import type { Ask, Report, Run } from "./api/generator.ts";
import type { LimitOptions } from "./api/limit.ts";
import { type Measure, median, percentile, table, writeResults } from "./harness.ts";

const VIEWERS = 200;
const FILMS = 4;
const CONNECTIONS = 32;
const OPEN_CONNECTIONS = 256;
const ROUNDS = 3;
const ROUND_S = 4;
const OPEN_S = 10;
const API = "/api/web/v1";

interface Row {
  readonly name: string;
  /** Requests a second. */
  readonly bar: number;
  readonly p99MsBar: number;
  readonly status: number;
  readonly limit: LimitOptions["what"];
  readonly asks: (viewers: readonly Viewer[]) => readonly Ask[];
}

interface Viewer {
  readonly token: string;
  readonly deviceId: string;
  sessionId: string;
}

const headersOf = ({ token }: Viewer) => ({
  ...{ authorization: `Bearer ${token}`, "content-type": "application/json", "x-marquee": "web" },
});

const startOf = (viewer: Viewer): Ask => ({
  ...{ method: "POST", path: `${API}/playback/sessions`, headers: headersOf(viewer) },
  body: JSON.stringify({ contentId: "film-0", device: { id: viewer.deviceId, type: "web", name: "Bench" } }),
});
const beatOf = (viewer: Viewer): Ask => ({
  ...{ method: "POST", path: `${API}/playback/sessions/${viewer.sessionId}/heartbeats`, headers: headersOf(viewer) },
  // The generator writes a number that grows in place of the hashes.
  body: JSON.stringify({
    ...{ sequence: 0, positionS: 3.5, durationS: 8, state: "playing", cdnId: "edge-a", videoStartTimeMs: 300 },
    ...{ rebufferCount: 0, rebufferDurationMs: 0, bitrateKbps: 300, averageBitrateKbps: 300, bitrateMaxKbps: 300 },
    ...{ bitrateSwitches: 0, width: 320, height: 180, resolutionDrops: 0, droppedFrames: 0, decodedFrames: 100 },
    ...{ throughputKbps: 20_000, bufferS: 24, errors: [] },
  }).replace('"sequence":0', '"sequence":#########'),
});
const readOf =
  (place: string) =>
  (viewer: Viewer): Ask => ({ method: "GET", path: `${API}${place}`, headers: headersOf(viewer), body: "" });

const ROWS: readonly Row[] = [
  {
    ...{ name: "starts", bar: 2_000, p99MsBar: 50, status: 201, limit: "start" },
    asks: (viewers) => viewers.map(startOf),
  },
  {
    ...{ name: "beats", bar: 8_000, p99MsBar: 50, status: 200, limit: "echo" },
    asks: (viewers) => viewers.map(beatOf),
  },
  {
    ...{ name: "continue", bar: 8_000, p99MsBar: 20, status: 200, limit: "echo" },
    asks: (viewers) => viewers.map(readOf("/continue-watching")),
  },
  {
    ...{ name: "home", bar: 1_500, p99MsBar: 50, status: 200, limit: "echo" },
    asks: (viewers) => viewers.map(readOf("/home")),
  },
];

function ask<T>(child: ChildProcess, message: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process of the bench ended with ${code}`));
    child.once("exit", ended);
    child.once("message", (answer) => {
      child.off("exit", ended);
      resolve(answer as T);
    });
    child.send(message);
  });
}

/** Each run has a generator of its own, whose heap no other run has filled. */
async function run(options: Run): Promise<Report> {
  const child = fork(path.join(import.meta.dirname, "api/generator.ts"), { execArgv: [], serialization: "advanced" });
  try {
    const report = await ask<Report>(child, options);
    if (report.failed > 0) throw new Error(`${report.failed} of ${report.answered} requests failed: ${report.fault}`);
    return report;
  } finally {
    child.kill("SIGKILL");
  }
}

async function viewersOf({ admin }: Stage): Promise<Viewer[]> {
  const viewers: Viewer[] = [];
  for (let n = 0; n < VIEWERS; n += 1) {
    const email = `viewer-${n}@bench.test`;
    const { user } = await admin.of(User).create({ email, name: "Bench", language: "en" });
    await admin.of(Subscription).change({ userId: user?.id ?? "", tier: "premium" });
    for (let tries = 0; (await admin.of(Profile).list({ userId: user?.id ?? "" })).profiles.length === 0; tries += 1) {
      if (tries > 200) throw new Error(`'${email}' got no profile within 10 s`);
      await pause(50);
    }
    const { accessToken } = await admin.of(Auth).issueToken({ email });
    viewers.push({ token: accessToken, deviceId: `bench-${n}`, sessionId: "" });
  }
  return viewers;
}

async function watch(url: string, viewer: Viewer): Promise<void> {
  const { method, path: place, headers, body } = startOf(viewer);
  const answer = await fetch(new URL(place, url), { method, headers, body });
  if (answer.status !== 201) throw new Error(`a session was refused with ${answer.status}: ${await answer.text()}`);
  viewer.sessionId = ((await answer.json()) as { sessionId: string }).sessionId;
}

/** What PostgreSQL and everything else of the product have used of the cores, in ms: figures that a busy machine changes little. */
async function cpuOf(product: Product): Promise<{ readonly postgresMs: number; readonly otherMs: number }> {
  let [postgresMs, otherMs] = [0, 0];
  for (const { pid, command } of await product.processes()) {
    const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
    // After the name, which may hold anything: fields 14 to 17 of proc(5), in ticks of 10 ms, its own time and that of children that ended.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const usedMs = fields.slice(11, 15).reduce((sum, field) => sum + Number(field) * 10, 0);
    if (/postgres/.test(command)) postgresMs += usedMs;
    else otherMs += usedMs;
  }
  return { postgresMs, otherMs };
}

interface Measuring {
  readonly url: string;
  readonly product: Product;
  readonly viewers: readonly Viewer[];
  readonly postgresUrl: string;
}

async function measure(row: Row, { url, product, viewers, postgresUrl }: Measuring): Promise<Measure[]> {
  const { hostname, port } = new URL(url);
  const asks = row.asks(viewers);
  const common = { host: hostname, asks, connections: CONNECTIONS, durationS: ROUND_S, perS: null };
  const first = asks[0];
  const bytes = first ? (await (await fetch(new URL(first.path, url), fetchOf(first))).text()).length : 0;
  const server = fork(path.join(import.meta.dirname, "api/limit.ts"), { execArgv: [] });
  const rates: number[] = [];
  const limits: number[] = [];
  const spent = { postgresMs: 0, otherMs: 0, answered: 0 };
  try {
    const limitPort = await ask<number>(server, { what: row.limit, bytes, postgresUrl } satisfies LimitOptions);
    await run({ ...common, port: Number(port), status: row.status });
    for (let round = 0; round < ROUNDS; round += 1) {
      const limit = await run({ ...common, host: "127.0.0.1", port: limitPort, status: 200 });
      limits.push(limit.answered / limit.elapsedS);
      const before = await cpuOf(product);
      const ours = await run({ ...common, port: Number(port), status: row.status });
      const after = await cpuOf(product);
      spent.postgresMs += after.postgresMs - before.postgresMs;
      spent.otherMs += after.otherMs - before.otherMs;
      spent.answered += ours.answered;
      rates.push(ours.answered / ours.elapsedS);
    }
  } finally {
    server.kill("SIGKILL");
  }
  const perS = Math.min(row.bar, median(rates)) / 2;
  const open = { ...common, connections: OPEN_CONNECTIONS, durationS: OPEN_S, perS, port: Number(port) };
  const { latenciesMs } = await run({ ...open, status: row.status });
  const shown = (name: string, value: number, unit: string, more: Partial<Measure> = {}): Measure => ({
    ...{ name: `${row.name}.${name}`, value, unit, bar: null, samples: [value], ...more },
  });
  return [
    shown("most", median(rates), "1/s", { bar: row.bar, samples: rates }),
    shown("limit", median(limits), "1/s", { samples: limits }),
    shown("ratio", median(rates) / median(limits), "ratio"),
    shown("cpu.product", (spent.otherMs * 1_000) / spent.answered, "us/request"),
    shown("cpu.postgres", (spent.postgresMs * 1_000) / spent.answered, "us/request"),
    shown("open-loop.rate", perS, "1/s"),
    shown("open-loop.p50", percentile(latenciesMs, 0.5), "ms"),
    shown("open-loop.p99", percentile(latenciesMs, 0.99), "ms", { bar: row.p99MsBar, better: "lower" }),
  ];
}

const fetchOf = ({ method, headers, body }: Ask): RequestInit => ({
  method,
  headers,
  ...(method === "POST" ? { body: body.replace("#########", "1") } : {}),
});

export async function main(only: string | undefined): Promise<void> {
  const rows = ROWS.filter(({ name }) => only === undefined || name === only);
  if (rows.length === 0)
    throw new Error(`there is no row '${only}'; there are ${ROWS.map(({ name }) => name).join(", ")}`);
  const stage = await openStage();
  const guardian = startGuardian();
  // What the limit writes to: the same PostgreSQL, set up in the same way, and nobody else's.
  const postgres = await openEmbeddedPostgres({
    ...{ folder: path.join(stage.folder, "limit"), log: () => undefined, spawnGuard: guardian },
  });
  try {
    const product = stage.start();
    const url = await product.ready();
    const clip = path.join(stage.folder, "clip.mp4");
    await makeClip(clip, { width: 320, height: 180, rate: 12, durationS: 8, grain: 0 });
    const films = Array.from({ length: FILMS }, (_, n) => `film-${n}`);
    for (const film of films) await importClip(stage.admin, clip, film);
    await untilComplete(stage.admin, films, 180_000);
    const viewers = await viewersOf(stage);
    for (const viewer of viewers) await watch(url, viewer);
    const measures: Measure[] = [];
    for (const row of rows)
      measures.push(...(await measure(row, { url, product, viewers, postgresUrl: postgres.adminUrl })));
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("api", measures);
    await product.stop();
  } finally {
    await postgres.stop();
    guardian.stop();
    await stage.close();
  }
}

if (import.meta.main) await main(process.argv[2]);

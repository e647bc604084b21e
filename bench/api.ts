/**
 * What viewers ask of the web API, over HTTP, on the whole product with every check on: starts of playback, heartbeats, continue watching and home.
 * The most it does (32 connections that ask again and again), the latency in open loop at half of that, and beside each what the least
 * possible server does in the same run.
 *
 *   node bench/api.ts [starts | beats | continue | home]
 */
import { fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { openEmbeddedPostgres } from "#adapters/postgres/embedded";
import { startGuardian } from "#kernel/guardian";
import type { Product } from "../tests/chaos/product.ts";
import { beatOf, type Cinema, fetchOf, openCinema, readOf, run, startOf, tell, type Viewer } from "./api/cinema.ts";
import type { Ask } from "./api/generator.ts";
import type { LimitOptions } from "./api/limit.ts";
import { type Measure, median, percentile, table, writeResults } from "./harness.ts";

const CONNECTIONS = 32;
const OPEN_CONNECTIONS = 256;
const ROUNDS = 3;
const ROUND_S = 4;
const OPEN_S = 10;

interface Row {
  readonly name: string;
  /** Requests a second. */
  readonly bar: number;
  readonly p99MsBar: number;
  readonly status: number;
  readonly limit: LimitOptions["what"];
  readonly asks: (viewers: readonly Viewer[]) => readonly Ask[];
}

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

async function measure(row: Row, cinema: Cinema, postgresUrl: string): Promise<Measure[]> {
  const { url, host, port, product, viewers } = cinema;
  const asks = row.asks(viewers);
  const common = { host, asks, connections: CONNECTIONS, durationS: ROUND_S, perS: null };
  const first = asks[0];
  const bytes = first ? (await (await fetch(new URL(first.path, url), fetchOf(first))).text()).length : 0;
  const server = fork(path.join(import.meta.dirname, "api/limit.ts"), { execArgv: [] });
  const rates: number[] = [];
  const limits: number[] = [];
  const spent = { postgresMs: 0, otherMs: 0, answered: 0 };
  try {
    const limitPort = await tell<number>(server, { what: row.limit, bytes, postgresUrl } satisfies LimitOptions);
    await run({ ...common, port, statuses: [row.status] });
    for (let round = 0; round < ROUNDS; round += 1) {
      const limit = await run({ ...common, host: "127.0.0.1", port: limitPort, statuses: [200] });
      limits.push(limit.answered / limit.elapsedS);
      const before = await cpuOf(product);
      const ours = await run({ ...common, port, statuses: [row.status] });
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
  const open = { ...common, connections: OPEN_CONNECTIONS, durationS: OPEN_S, perS, port };
  const { latenciesMs } = await run({ ...open, statuses: [row.status] });
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

/** Each row has a product of its own: what one leaves to be done afterwards, such as thousands of sessions to end, is not the next one's work. */
async function measureAlone(row: Row): Promise<Measure[]> {
  const cinema = await openCinema();
  const guardian = startGuardian();
  // What the limit writes to: the same PostgreSQL, set up in the same way, and nobody else's.
  const postgres = await openEmbeddedPostgres({
    ...{ folder: path.join(cinema.stage.folder, "limit"), log: () => undefined, spawnGuard: guardian },
  });
  try {
    return await measure(row, cinema, postgres.adminUrl);
  } catch (error) {
    process.stderr.write(cinema.product.output());
    throw error;
  } finally {
    await postgres.stop();
    guardian.stop();
    await cinema.close();
  }
}

export async function main(only: string | undefined): Promise<void> {
  const rows = ROWS.filter(({ name }) => only === undefined || name === only);
  if (rows.length === 0)
    throw new Error(`there is no row '${only}'; there are ${ROWS.map(({ name }) => name).join(", ")}`);
  const measures: Measure[] = [];
  for (const row of rows) measures.push(...(await measureAlone(row)));
  process.stdout.write(`${table(measures)}\n`);
  await writeResults("api", measures);
}

if (import.meta.main) await main(process.argv[2]);

/**
 * The guide: XMLTV read (megabytes a second, beside decoding alone), 100,000 programmes of 200 channels taken in by the whole product (until
 * they are read and count, until every channel is merged, and what its memory grows by), and the grid of 200 channels and 24 hours by
 * HTTP with every check on, in open loop, beside the least possible server with the same bytes.
 *
 *   node bench/epg.ts [import | grid]
 */
import { fork } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Epg } from "#contracts/epg";
import { openXmltvReader } from "#media/xmltv";
import { accessToken, makeAccount } from "../tests/chaos/accounts.ts";
import { openStage, type Product, type Stage } from "../tests/chaos/product.ts";
import { API, tell } from "./api/cinema.ts";
import type { Ask } from "./api/generator.ts";
import type { LimitOptions } from "./api/limit.ts";
import { type Measure, median, memoryOf, percentile, table, writeResults } from "./harness.ts";

const CHANNELS = 200;
const PROGRAMMES = 500;
/** Two days are enough for a grid of one. */
const PROGRAMMES_OF_GRID = 76;
const MINUTES = 38;
const DAY_MS = 86_400_000;
const VIEWERS = 8;
const GRIDS_PER_S = 10;
const GRIDS = 150;
const WARM = 30;
const READ_ROUNDS = 2;

const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;

/** As guides are: titles that come again, a paragraph about most, credits, categories and numbers. */
function document(programmes: number): Buffer {
  const startMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const words = "the river of a house in winter light that nobody had seen before she came back from work".split(" ");
  const say = (seed: number, length: number): string =>
    Array.from({ length }, (_, i) => words[(seed * 7 + i * (1 + (seed % 5))) % words.length]).join(" ");
  const pieces: string[] = ['<?xml version="1.0" encoding="UTF-8"?>\n<tv generator-info-name="bench">\n'];
  for (let channel = 0; channel < CHANNELS; channel++)
    pieces.push(
      `<channel id="c${channel}.bench"><display-name>Bench ${channel}</display-name><display-name>${channel + 1}</display-name></channel>\n`,
    );
  for (let channel = 0; channel < CHANNELS; channel++)
    for (let n = 0; n < programmes; n++) {
      const seed = channel * 31 + n;
      const at = startMs + n * MINUTES * 60_000;
      pieces.push(
        `<programme start="${stamp(at)}" stop="${stamp(at + MINUTES * 60_000)}" channel="c${channel}.bench">
  <title lang="en">${say(seed % 400, 3)}</title><sub-title lang="en">${say(seed, 4)}</sub-title>
  <desc lang="en">${say(seed, 45)}</desc>
  <credits><director>${say(seed, 2)}</director><actor role="${say(seed, 1)}">${say(seed + 1, 2)}</actor><actor>${say(seed + 2, 2)}</actor></credits>
  <category lang="en">${say(seed % 20, 1)}</category><episode-num system="xmltv_ns">${seed % 9}.${n % 24}/24.</episode-num>
  <rating system="FSK"><value>${(seed % 3) * 6}</value></rating>
</programme>\n`,
      );
    }
  pieces.push("</tv>\n");
  return Buffer.from(pieces.join(""));
}

const shown = (name: string, value: number, unit: string, more: Partial<Measure> = {}): Measure => ({
  ...{ name, value, unit, bar: null, samples: [value], ...more },
});

/** The reader alone, on one core. */
function measureReading(bytes: Buffer): Measure[] {
  const rates: number[] = [];
  const decoding: number[] = [];
  for (let round = 0; round < READ_ROUNDS; round++) {
    let programmes = 0;
    const reader = openXmltvReader({ onChannel() {}, onFinding() {}, onProgramme: () => void programmes++ });
    const startedMs = performance.now();
    for (let at = 0; at < bytes.length; at += 262_144) reader.write(bytes.subarray(at, at + 262_144));
    reader.end();
    rates.push(bytes.length / 1e3 / (performance.now() - startedMs));
    if (programmes !== CHANNELS * PROGRAMMES) throw new Error(`${programmes} programmes were read`);
    const decoder = new TextDecoder();
    const decodedMs = performance.now();
    for (let at = 0; at < bytes.length; at += 262_144)
      decoder.decode(bytes.subarray(at, at + 262_144), { stream: true });
    decoding.push(bytes.length / 1e3 / (performance.now() - decodedMs));
  }
  return [
    shown("epg.read", median(rates), "MB/s", { bar: 20, samples: rates }),
    shown("epg.read.decoding-alone", median(decoding), "MB/s", { samples: decoding }),
  ];
}

async function measureImport(stage: Stage, product: Product, bytes: Buffer): Promise<Measure[]> {
  const location = path.join(stage.folder, "bench.xml");
  await writeFile(location, bytes);
  const guide = stage.admin.of(Epg);
  await guide.putSource({ name: "bench", kind: "file", location, addsChannels: true });
  const memory = async (): Promise<number> => (await memoryOf([{ pid: product.pid }])).rssMb;
  const beforeMb = await memory();
  const startedMs = performance.now();
  const { importId } = await guide.import({ sourceName: "bench" });
  let [mostMb, readS, mergedS, programmes] = [beforeMb, 0, 0, 0];
  while (mergedS === 0) {
    await sleep(100);
    const { import: state } = await guide.getImport({ importId });
    mostMb = Math.max(mostMb, await memory());
    const elapsedS = (performance.now() - startedMs) / 1_000;
    if (state?.state === "failed") throw new Error(`the guide was refused: ${state.failure}`);
    if (readS === 0 && (state?.state === "merging" || state?.state === "completed")) readS = elapsedS;
    if (state?.state === "completed") [mergedS, programmes] = [elapsedS, state.programmesKept];
  }
  return [
    shown("epg.import.programmes", programmes, "programmes"),
    shown("epg.import.bytes", bytes.length / 1e6, "MB"),
    shown("epg.import.read", readS, "s", { bar: 10, better: "lower" }),
    shown("epg.import.merged", mergedS, "s"),
    shown("epg.import.memory", mostMb - beforeMb, "MB", { bar: 200, better: "lower" }),
  ];
}

/** Asks at a fixed rate, whatever answers take; a latency counts from the moment at which a request was due to its last byte. */
async function askOpenly(url: string, asks: readonly Ask[], count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: VIEWERS });
  const beganMs = performance.now();
  const latencies = Array.from({ length: count }, async (_, n) => {
    const dueMs = beganMs + (n * 1_000) / GRIDS_PER_S;
    await sleep(Math.max(0, dueMs - performance.now()));
    const ask = asks[n % asks.length];
    await new Promise<void>((resolve, reject) => {
      const sent = get(new URL(ask?.path ?? "", url), { agent, headers: { ...ask?.headers } }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`a grid was refused with ${answer.statusCode}`));
        answer.resume().once("end", resolve).once("error", reject);
      });
      sent.once("error", reject);
    });
    return performance.now() - dueMs;
  });
  try {
    return await Promise.all(latencies);
  } finally {
    agent.destroy();
  }
}

async function measureGrid(stage: Stage, url: string): Promise<Measure[]> {
  const day = new Date().toISOString().slice(0, 10);
  const asks: Ask[] = [];
  for (let n = 0; n < VIEWERS; n++) {
    const { email } = await makeAccount(stage.admin, `viewer-${n}@bench.test`, { password: null });
    const authorization = `Bearer ${await accessToken(stage.admin, email)}`;
    asks.push({
      ...{ of: "grid", method: "GET", path: `${API}/guide?days=${day}&limit=${CHANNELS}`, body: "" },
      headers: { authorization },
    });
  }
  const [first] = asks;
  const text = await (await fetch(new URL(first?.path ?? "", url), { headers: first?.headers ?? {} })).text();
  const { channels } = JSON.parse(text) as { channels: { days: unknown[][] }[] };
  const programmes = channels.reduce((sum, { days }) => sum + (days[0]?.length ?? 0), 0);
  if (channels.length !== CHANNELS || programmes < CHANNELS * 30)
    throw new Error(`the grid has ${programmes} programmes`);
  await askOpenly(url, asks, WARM);
  const ours = await askOpenly(url, asks, GRIDS);
  const server = fork(path.join(import.meta.dirname, "api/limit.ts"), { execArgv: [] });
  try {
    const limitPort = await tell<number>(server, {
      what: "echo",
      bytes: text.length,
      postgresUrl: "",
    } satisfies LimitOptions);
    const limit = await askOpenly(`http://127.0.0.1:${limitPort}`, asks, GRIDS);
    return [
      shown("epg.grid.programmes", programmes, "programmes"),
      shown("epg.grid.bytes", text.length / 1e3, "kB"),
      shown("epg.grid.p50", percentile(ours, 0.5), "ms"),
      shown("epg.grid.p99", percentile(ours, 0.99), "ms", { bar: 20, better: "lower", samples: ours }),
      shown("epg.grid.limit.p50", percentile(limit, 0.5), "ms"),
      shown("epg.grid.limit.p99", percentile(limit, 0.99), "ms", { samples: limit }),
    ];
  } finally {
    server.kill("SIGKILL");
  }
}

export async function main(only: string | undefined): Promise<void> {
  if (only !== undefined && only !== "import" && only !== "grid")
    throw new Error(`there is no row '${only}'; there are import and grid`);
  const measures: Measure[] = [];
  const say = (more: readonly Measure[]): void => {
    measures.push(...more);
    // As it comes: who looks on knows how far it is.
    process.stdout.write(`${table(more)}\n`);
  };
  if (only !== "grid") say(measureReading(document(PROGRAMMES)));
  const stage = await openStage();
  const product = stage.start();
  try {
    const url = await product.ready();
    const imported = await measureImport(stage, product, document(only === "grid" ? PROGRAMMES_OF_GRID : PROGRAMMES));
    if (only !== "grid") say(imported);
    if (only !== "import") say(await measureGrid(stage, url));
    await writeResults("epg", measures);
  } finally {
    await product.stop();
    await stage.close();
  }
}

if (import.meta.main) await main(process.argv[2]);

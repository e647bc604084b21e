/**
 * A crowd at one channel: 1,000 clients of low-latency HLS at an edge, each with sound and picture at 1.5 Mbit/s, with a token of its own
 * in every address, blocking reloads and requests for parts that are announced. Bars: a part is whole at its clients within
 * 150 ms of its publication (p99), the origin is asked at most once an object, more than 95 % comes out of the edge's memory.
 *
 * The origin is a stand-in that publishes parts by the clock; what plays is counted at sockets, without a player. Edge and clients
 * have a process each, and share two cores here.
 *
 *   node bench/live-crowd.ts [--clients 1000]
 */
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startEdge } from "../apps/edge/start.ts";
import { edgeOptions, get, newKey, newToken, type TestKey } from "../apps/edge/testing.ts";
import { type Measure, percentile, table, writeResults } from "./harness.ts";

const CLIENTS = 1_000;
const CHANNEL = "ch-crowd";
const PART_MS = 500;
const PARTS = 4;
/** Together 1.5 Mbit/s. */
const PART_BYTES = { "720p-h264-1400k": 87_750, "audio-en": 6_000 } as const;
type Track = keyof typeof PART_BYTES;
const TRACKS = Object.keys(PART_BYTES) as Track[];
/** What is measured, after a while in which everybody has tuned in. */
const WARM_S = 8;
const ARRIVE_MS = 5_000;
const MEASURED_S = 30;
/** Parts; their segment is still in the playlist with its parts then. */
const BEHIND_MAX = 6;
const LATE_MS_BAR = 150;
const HIT_RATIO_BAR = 0.95;

/** A place in the channel: how many parts were published before. */
const placeOf = (nowMs: number): number => Math.floor(nowMs / PART_MS);
const numberOf = (place: number): number => Math.floor(place / PARTS);

interface Origin {
  readonly url: string;
  /** How often each object was asked for. */
  readonly counts: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Publishes a part of each track every half second, its moment in its first bytes, and holds what asks for the next one. */
async function openOrigin(key: TestKey): Promise<Origin> {
  const counts = new Map<string, number>();
  const parts = new Map<string, Buffer>();
  let published = placeOf(Date.now());
  const waiting = new Map<number, (() => void)[]>();
  const at = (place: number): Promise<void> =>
    new Promise((resolve) => {
      if (place <= published) return resolve();
      waiting.set(place, [...(waiting.get(place) ?? []), resolve]);
    });
  const publish = (place: number): void => {
    for (const track of TRACKS) {
      const body = randomBytes(PART_BYTES[track]);
      body.writeDoubleBE(Date.now(), 0);
      parts.set(`${track}/${place}`, body);
      parts.delete(`${track}/${place - 60}`);
    }
    published = place;
    for (const wake of waiting.get(place) ?? []) wake();
    waiting.delete(place);
  };
  const timer = setInterval(() => {
    while (published < placeOf(Date.now())) publish(published + 1);
  }, 1);

  async function answer(url: string, response: ServerResponse): Promise<void> {
    const [path = "", query = ""] = url.split("?", 2);
    const [, , , track = "", name = ""] = path.split("/");
    const headers = { "cache-control": "public, max-age=10" };
    const [, number, part] = /^seg-(\d+)\.(\d)\.m4s$/.exec(name) ?? [];
    if (number !== undefined) {
      const place = Number(number) * PARTS + Number(part);
      await at(place);
      const body = parts.get(`${track}/${place}`);
      response.writeHead(body ? 200 : 404, { ...headers, "content-length": body?.length ?? 0 }).end(body);
      return;
    }
    const wish = new URLSearchParams(query);
    await at(Number(wish.get("_HLS_msn")) * PARTS + Number(wish.get("_HLS_part")));
    const text = Buffer.from(playlist(published));
    response.writeHead(200, { ...headers, "content-length": text.length }).end(text);
  }

  const server = createServer((request, response) => {
    const url = request.url ?? "";
    if (url === "/.well-known/cat-keys")
      return void response.end(JSON.stringify({ issuer: "marquee", keys: [key.jwk] }));
    // Nothing is ever purged here: the question stays open.
    if (url.startsWith("/edge/purges")) {
      if (url.endsWith("after=-1")) response.end(JSON.stringify({ serial: 0, isReset: false, purges: [] }));
      return;
    }
    counts.set(url, (counts.get(url) ?? 0) + 1);
    void answer(url, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    async close() {
      clearInterval(timer);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A delta update (EXT-X-SKIP) of a window of two hours: six whole segments, the parts of the last three, and what comes next. */
function playlist(published: number): string {
  const last = numberOf(published);
  const lines = [
    "#EXTM3U\n#EXT-X-VERSION:10\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=0.5",
    "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,CAN-SKIP-UNTIL=12",
    `#EXT-X-MEDIA-SEQUENCE:${last - 3_600}\n#EXT-X-SKIP:SKIPPED-SEGMENTS=3594`,
  ];
  for (let number = last - 6; number <= last; number += 1) {
    const parts = number === last ? published - last * PARTS + 1 : number > last - 3 ? PARTS : 0;
    for (let part = 0; part < parts; part += 1)
      lines.push(`#EXT-X-PART:DURATION=0.5,INDEPENDENT=YES,URI="seg-${number}.${part}.m4s"`);
    if (number < last) lines.push(`#EXTINF:2,\nseg-${number}.m4s`);
  }
  const next = published + 1;
  lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="seg-${numberOf(next)}.${next % PARTS}.m4s"`);
  lines.push(`#EXT-X-RENDITION-REPORT:URI="../audio-en/index.m3u8",LAST-MSN=${last},LAST-PART=${published % PARTS}\n`);
  return lines.join("\n");
}

/* ---- clients, in a process of their own ---- */

interface Crowd {
  readonly baseUrl: string;
  readonly tokens: readonly string[];
}
interface Found {
  /** How long after its publication each part was whole at each client, in milliseconds. */
  readonly lateMs: readonly number[];
  readonly faults: readonly string[];
  /** Parts that clients left out because they were too far behind. */
  readonly missed: number;
  readonly bytes: number;
  readonly seconds: number;
}

interface Line {
  /** The body's first bytes and whether the answer was 200 and whole. */
  ask(path: string): Promise<Buffer>;
}

/** One kept connection with one request at a time: what an answer costs here is little more than its bytes. */
function openLine(baseUrl: string, onBytes: (bytes: number) => void, keepBytes: number): Promise<Line> {
  const { hostname, port, host } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    let head: Buffer = Buffer.alloc(0);
    let leftBytes = -1;
    let kept: Buffer[] = [];
    let settle: { resolve(body: Buffer): void; reject(error: Error): void } | undefined;
    const finish = (): void => {
      const done = settle;
      settle = undefined;
      head = Buffer.alloc(0);
      leftBytes = -1;
      done?.resolve(Buffer.concat(kept));
    };
    const take = (piece: Buffer): void => {
      const before = kept.reduce((sum, each) => sum + each.length, 0);
      if (before < keepBytes) kept.push(Buffer.from(piece.subarray(0, keepBytes - before)));
      leftBytes -= piece.length;
      if (leftBytes === 0) finish();
    };
    socket.on("data", (piece: Buffer) => {
      onBytes(piece.length);
      if (leftBytes >= 0) return take(piece);
      head = head.length === 0 ? piece : Buffer.concat([head, piece]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const text = head.toString("latin1", 0, end);
      const [, length] = /\r\ncontent-length: (\d+)/i.exec(text) ?? [];
      if (!text.startsWith("HTTP/1.1 200 ") || length === undefined)
        return settle?.reject(new Error(text.split("\r\n", 1)[0]));
      const rest = head.subarray(end + 4);
      leftBytes = Number(length);
      kept = [];
      take(rest);
    });
    socket.once("error", (error) => (settle ? settle.reject(error) : reject(error)));
    socket.once("close", () => settle?.reject(new Error("the edge hung up")));
    socket.once("connect", () =>
      resolve({
        ask: (path) =>
          new Promise((done, failed) => {
            settle = { resolve: done, reject: failed };
            socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
          }),
      }),
    );
  });
}

async function watchAll({ baseUrl, tokens }: Crowd): Promise<Found> {
  const lateMs: number[] = [];
  const faults: string[] = [];
  let [bytes, missed] = [0, 0];
  const count = (more: number): void => void (bytes += more);
  const startedMs = Date.now();
  const [fromMs, untilMs] = [startedMs + WARM_S * 1_000, startedMs + (WARM_S + MEASURED_S) * 1_000];
  async function watch(token: string, track: Track): Promise<void> {
    // The playlist and the part that it announced are waited for at the same time.
    const [lists, parts] = await Promise.all([openLine(baseUrl, count, 20_000), openLine(baseUrl, count, 8)]);
    const folder = `/live/${CHANNEL}/${track}`;
    for (let place = placeOf(Date.now()) + 2; Date.now() < untilMs; place += 1) {
      // Who is that far behind goes where the world is, as a player does.
      const behind = placeOf(Date.now()) - place;
      if (behind > BEHIND_MAX) {
        place += behind;
        if (Date.now() >= fromMs) missed += behind;
      }
      const [number, part] = [numberOf(place), place % PARTS];
      const wish = `_HLS_msn=${number}&_HLS_part=${part}&_HLS_skip=YES&CAT=${token}`;
      const name = `seg-${number}.${part}.m4s?CAT=${token}`;
      const [list] = await Promise.all([
        lists.ask(`${folder}/index.m3u8?${wish}`),
        parts.ask(`${folder}/${name}`).then((body) => {
          const nowMs = Date.now();
          if (nowMs >= fromMs) lateMs.push(nowMs - body.readDoubleBE(0));
        }),
      ]);
      // Who comes late gets a playlist that has moved on.
      const isLate = placeOf(Date.now()) - place > BEHIND_MAX;
      if (!isLate && !list.includes(`URI="${name}"`)) faults.push(`a playlist lacks ${name.slice(0, 40)}`);
    }
  }
  setTimeout(() => (bytes = 0), WARM_S * 1_000);
  await Promise.all(
    tokens.flatMap((token, client) =>
      TRACKS.map(async (track) => {
        // An evening's crowd comes within seconds, not within one moment.
        await delay((client * ARRIVE_MS) / tokens.length);
        await watch(token, track).catch((error: unknown) => faults.push(String(error)));
      }),
    ),
  );
  return { lateMs, faults: faults.slice(0, 20), missed, bytes, seconds: (Date.now() - fromMs) / 1_000 };
}

/* ---- the bench ---- */

/** Seconds of processor that a process has had since it began. */
async function cpuS(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function startCrowd(crowd: Crowd): Promise<Found> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), { serialization: "advanced" });
    child.once("message", (found) => resolve(found as Found));
    child.once("exit", (code) => reject(new Error(`the crowd ended with ${code}`)));
    child.send(crowd);
  });
}

export async function run(clients: number): Promise<void> {
  const key = newKey();
  const origin = await openOrigin(key);
  const { options, remove } = await edgeOptions(origin);
  const edge = await startEdge(options);
  try {
    const nowS = Math.floor(Date.now() / 1_000);
    const token = (client: number): Promise<string> =>
      newToken({
        ...{ key, baseUrl: options.baseUrl, nowS, expS: nowS + 3_600, pathPrefix: `/live/${CHANNEL}/` },
        more: { sid: `ses_${client}` },
      });
    const tokens = await Promise.all(Array.from({ length: clients }, (_, client) => token(client)));
    const found = await startCrowd({ baseUrl: options.baseUrl, tokens });
    if (found.faults.length > 0) throw new Error(`the crowd met faults:\n${found.faults.join("\n")}`);
    const metrics = (await get(options.baseUrl, "/metrics")).body.toString();
    const from = (source: string): number =>
      Number(new RegExp(`marquee_edge_objects_total\\{[^}]*source="${source}"\\} (\\d+)`).exec(metrics)?.[1] ?? 0);
    const hits = from("memory") + from("coalesced");
    const mostAsked = Math.max(...origin.counts.values());
    const single = (name: string, value: number, unit: string): Measure => ({
      ...{ name: `live-crowd.${name}`, value, unit, bar: null, samples: [value] },
    });
    const measures: Measure[] = [
      { ...single("part.p99", percentile(found.lateMs, 0.99), "ms"), bar: LATE_MS_BAR, better: "lower" },
      single("part.p50", percentile(found.lateMs, 0.5), "ms"),
      single("part.most", percentile(found.lateMs, 1), "ms"),
      { ...single("origin.requests-per-object", mostAsked, "requests"), bar: 1, better: "lower" },
      { ...single("hit-ratio", hits / (hits + from("origin")), "ratio"), bar: HIT_RATIO_BAR },
      { ...single("parts.missed", found.missed, "parts"), bar: 0, better: "lower" },
      single("edge.cpu", (await cpuS(edge.pid)) / (WARM_S + MEASURED_S), "cores"),
      single("parts", found.lateMs.length / found.seconds, "1/s"),
      single("sent", (found.bytes * 8) / found.seconds / 1e9, "Gbit/s"),
    ];
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("live-crowd", measures);
  } finally {
    await edge.stop();
    await origin.close();
    await delay(50);
    await remove();
  }
}

if (import.meta.main) {
  if (process.send === undefined) {
    const { clients } = parseArgs({ options: { clients: { type: "string" } } }).values;
    await run(Number(clients ?? CLIENTS));
  } else {
    process.once("message", (crowd: Crowd) => {
      void watchAll(crowd).then((found) => process.send?.(found, () => process.exit(0)));
    });
  }
}

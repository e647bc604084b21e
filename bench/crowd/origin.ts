/**
 * Part of live-crowd.ts, in a process of its own: a stand-in for the origin that publishes a part of each track every half second, its
 * moment in its first bytes, and holds what asks for the next one. It is the least that a server of node:http can do, so that a
 * crowd that asks it directly shows what an edge could reach at best.
 */
import { randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { numberOf, PART_BYTES, PART_MS, PARTS, partName, placeOf, TRACKS } from "./channel.ts";

export interface OriginOptions {
  /** The issuer's public key, as edges ask for it. */
  readonly jwk: Readonly<Record<string, unknown>>;
}
export type OriginMessage =
  | { readonly type: "ready"; readonly port: number }
  /** The most that it was asked for one object. */
  | { readonly type: "asked"; readonly most: number };

const KEPT_PLACES = 60;
/** Objects that are counted, and then no more: a bench is short. */
const COUNTED_MAX = 10_000;

export function serveOrigin({ jwk }: OriginOptions): void {
  const counts = new Map<string, number>();
  const objects = new Map<string, Buffer>();
  const waiting = new Map<number, (() => void)[]>();
  const noise = randomBytes(PART_BYTES["720p-h264-1400k"]);
  let published = placeOf(Date.now());
  let text = Buffer.alloc(0);

  function publish(place: number): void {
    for (const track of TRACKS) {
      const body = Buffer.from(noise.subarray(0, PART_BYTES[track]));
      body.writeDoubleBE(Date.now(), 0);
      objects.set(`${track}/${partName(place)}`, body);
      objects.delete(`${track}/${partName(place - KEPT_PLACES)}`);
    }
    text = Buffer.from(playlist(place));
    published = place;
    const woken = waiting.get(place) ?? [];
    waiting.delete(place);
    for (const wake of woken) wake();
  }
  function tick(): void {
    while (published < placeOf(Date.now())) publish(published + 1);
    setTimeout(tick, PART_MS - (Date.now() % PART_MS));
  }
  tick();

  /** Now, or when that place is published. */
  function when(place: number, then: () => void): void {
    const others = waiting.get(place);
    if (place <= published) then();
    else if (others === undefined) waiting.set(place, [then]);
    else others.push(then);
  }
  function send(response: ServerResponse, body: Buffer | undefined): void {
    const head = ["cache-control", "public, max-age=60, immutable", "content-length", String(body?.length ?? 0)];
    response.writeHead(body === undefined ? 404 : 200, head).end(body);
  }
  function answer(path: string, query: string, response: ServerResponse): void {
    const [, , , track = "", name = ""] = path.split("/", 5);
    if (name === "index.m3u8") {
      const [, number, part] = /_HLS_msn=(\d+)&_HLS_part=(\d)/.exec(query) ?? [];
      return when(Number(number) * PARTS + Number(part), () => send(response, text));
    }
    const [, number, part] = /^seg-(\d+)\.(\d)\.m4s$/.exec(name) ?? [];
    when(Number(number) * PARTS + Number(part), () => send(response, objects.get(`${track}/${name}`)));
  }

  const server = createServer((request, response) => {
    const url = request.url ?? "";
    if (url === "/.well-known/cat-keys") return void response.end(JSON.stringify({ issuer: "marquee", keys: [jwk] }));
    // Nothing is ever purged here: the question stays open.
    if (url.startsWith("/edge/purges")) {
      if (url.endsWith("after=-1")) response.end(JSON.stringify({ serial: 0, isReset: false, purges: [] }));
      return;
    }
    const [path = "", query = ""] = url.split("?", 2);
    if (!query.includes("CAT=") && counts.size < COUNTED_MAX) counts.set(url, (counts.get(url) ?? 0) + 1);
    answer(path, query, response);
  });
  const tell = (message: OriginMessage): void => void process.send?.(message);
  server.listen(0, "127.0.0.1", () => tell({ type: "ready", port: (server.address() as AddressInfo).port }));
  process.on("message", () => tell({ type: "asked", most: Math.max(0, ...counts.values()) }));
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
      lines.push(`#EXT-X-PART:DURATION=0.5,INDEPENDENT=YES,URI="${partName(number * PARTS + part)}"`);
    if (number < last) lines.push(`#EXTINF:2,\nseg-${number}.m4s`);
  }
  lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${partName(published + 1)}"`);
  lines.push(`#EXT-X-RENDITION-REPORT:URI="../audio-en/index.m3u8",LAST-MSN=${last},LAST-PART=${published % PARTS}\n`);
  return lines.join("\n");
}

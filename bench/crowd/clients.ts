/**
 * Part of live-crowd.ts, in a process of its own: clients of low-latency HLS, counted at sockets, without a player. Each has a connection
 * for playlists and one for parts for each of its tracks, waits for the playlist and the part that it announced at the same time, and
 * checks that the playlist names the part.
 */
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { CHANNEL, numberOf, PARTS, partName, placeOf, type Track, TRACKS } from "./channel.ts";

export interface Crowd {
  readonly baseUrl: string;
  readonly tokens: readonly string[];
  /** While they arrive and settle, nothing is counted. */
  readonly arriveMs: number;
  readonly warmMs: number;
  readonly measuredMs: number;
}
export interface Found {
  /** How long after its publication each part was whole at each client, in milliseconds. */
  readonly lateMs: readonly number[];
  readonly faults: readonly string[];
  /** Parts that clients left out because they were too far behind. */
  readonly missed: number;
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  /** What the clients themselves took, in seconds of a core. */
  readonly cpuS: number;
}

/** Parts; their segment is still in the playlist with its parts then. */
const BEHIND_MAX = 6;
const FAULTS_MAX = 20;
/** One read takes a whole part, into the same memory for all: what came is looked at before the next socket is read. */
const scratch = Buffer.allocUnsafeSlow(256 * 1_024);
const HEAD_END = "\r\n\r\n";

interface Line {
  /** Resolves with what `read` made of the body's first piece, when the body is whole. */
  ask<T>(path: string, read: (start: Buffer) => T): Promise<T>;
}
interface Asked {
  readonly read: (start: Buffer) => unknown;
  readonly resolve: (found: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One kept connection with one request at a time: what an answer costs here is little more than its bytes. */
function openLine(baseUrl: string, onBytes: (bytes: number) => void): Promise<Line> {
  const { hostname, port, host } = new URL(baseUrl);
  return new Promise((opened, refused) => {
    let asked: Asked | undefined;
    let isInBody = false;
    let leftBytes = 0;
    let found: unknown;
    /** A head, or the small body of a playlist, that came in pieces. */
    let before: Buffer | undefined;
    const fail = (error: Error): void => (asked ?? { reject: refused }).reject(error);
    function take(sizeBytes: number): void {
      onBytes(sizeBytes);
      if (isInBody) {
        leftBytes -= sizeBytes;
        if (leftBytes <= 0) finish();
        return;
      }
      const fresh = scratch.subarray(0, sizeBytes);
      const piece = before === undefined ? fresh : Buffer.concat([before, fresh]);
      const end = piece.indexOf(HEAD_END);
      const head = end < 0 ? "" : piece.toString("latin1", 0, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
      if (end >= 0 && (!head.startsWith("HTTP/1.1 200 ") || Number.isNaN(length)))
        return fail(new Error(head.split("\r\n", 1)[0]));
      const body = piece.subarray(end + HEAD_END.length);
      // Playlists are searched, and so they have to be whole.
      if (end < 0 || body.length < Math.min(length, 16_384)) {
        before = Buffer.from(piece);
        return;
      }
      before = undefined;
      found = asked?.read(body);
      leftBytes = length - body.length;
      isInBody = true;
      if (leftBytes <= 0) finish();
    }
    function finish(): void {
      const done = asked;
      asked = undefined;
      isInBody = false;
      done?.resolve(found);
    }
    const onread = {
      buffer: scratch,
      callback(sizeBytes: number) {
        take(sizeBytes);
        return true;
      },
    };
    const socket = connect({ port: Number(port), host: hostname, noDelay: true, onread });
    socket.once("error", fail);
    socket.once("close", () => fail(new Error("the server hung up")));
    const tail = ` HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
    socket.once("connect", () =>
      opened({
        ask: <T>(path: string, read: (start: Buffer) => T) =>
          new Promise<T>((resolve, reject) => {
            asked = { read, resolve: (result) => resolve(result as T), reject };
            socket.write(`GET ${path}${tail}`, "latin1");
          }),
      }),
    );
  });
}

export async function watchAll({ baseUrl, tokens, arriveMs, warmMs, measuredMs }: Crowd): Promise<Found> {
  const lateMs: number[] = [];
  const faults: string[] = [];
  let [bytes, requests, missed] = [0, 0, 0];
  const count = (more: number): void => void (bytes += more);
  const fromMs = Date.now() + arriveMs + warmMs;
  const untilMs = fromMs + measuredMs;
  const isMeasured = (nowMs: number): boolean => nowMs >= fromMs && nowMs < untilMs;

  async function watch(token: string, track: Track): Promise<void> {
    const [lists, parts] = await Promise.all([openLine(baseUrl, count), openLine(baseUrl, count)]);
    const folder = `/live/${CHANNEL}/${track}`;
    for (let place = placeOf(Date.now()) + 2; Date.now() < untilMs; place += 1) {
      // Who is that far behind goes where the world is, as a player does.
      const behind = placeOf(Date.now()) - place;
      if (behind > BEHIND_MAX) {
        place += behind;
        if (isMeasured(Date.now())) missed += behind;
      }
      const name = partName(place);
      const wish = `_HLS_msn=${numberOf(place)}&_HLS_part=${place % PARTS}&_HLS_skip=YES&CAT=${token}`;
      const [isNamed] = await Promise.all([
        lists.ask(`${folder}/index.m3u8?${wish}`, (text) => text.includes(name)),
        parts
          .ask(`${folder}/${name}?CAT=${token}`, (start) => start.readDoubleBE(0))
          .then((publishedMs) => {
            if (isMeasured(publishedMs)) lateMs.push(Date.now() - publishedMs);
          }),
      ]);
      if (isMeasured(Date.now())) requests += 2;
      // Who comes late gets a playlist that has moved on.
      const isLate = placeOf(Date.now()) - place > BEHIND_MAX;
      if (!isLate && !isNamed && faults.length < FAULTS_MAX) faults.push(`a playlist lacks ${name}`);
    }
  }

  let cpu = process.cpuUsage();
  setTimeout(() => {
    bytes = 0;
    cpu = process.cpuUsage();
  }, arriveMs + warmMs);
  let found = { bytes: 0, cpuS: 0 };
  setTimeout(
    () => {
      const { user, system } = process.cpuUsage(cpu);
      found = { bytes, cpuS: (user + system) / 1e6 };
    },
    arriveMs + warmMs + measuredMs,
  );
  await Promise.all(
    tokens.flatMap((token, client) =>
      TRACKS.map(async (track) => {
        // An evening's crowd comes within seconds, not within one moment.
        await delay((client * arriveMs) / tokens.length);
        await watch(token, track).catch((error: unknown) => {
          if (faults.length < FAULTS_MAX) faults.push(String(error));
        });
      }),
    ),
  );
  await delay(Math.max(0, untilMs + 10 - Date.now()));
  return { lateMs, faults, missed, requests, ...found, seconds: measuredMs / 1_000 };
}

/** Part of the packager's worker: an input's transport stream, handed to the encoders of a run as it comes. */
import { createServer, type Socket } from "node:net";
import { createTsAligner, createTsClock, type TsClock } from "./domain-ts.ts";

/** What an encoder that comes up finds: more than it takes them all to come up, less than a picture of every rung. */
const KEPT_MS = 6_000;
const KEPT_BYTES_MAX = 32 * 1024 * 1024;
/** What waits for an encoder that does not keep up. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
const SILENT_MS = 3_000;
/** Picture and sound of an input do not come at the same moment. */
const SETTLE_MS = 1_200;
const LOOK_MS = 250;

export interface FeedState {
  readonly state: "flowing" | "silent" | "jumped";
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
  /** Where its own time was, and when, in milliseconds since the epoch. */
  readonly timeS: number;
  readonly atMs: number;
}

export interface Feed {
  /** Lets an encoder read from a socket; answers how to stop that. */
  serve(path: string, onSlow: () => void): { close(): void };
}

export function openFeed(path: string, onListening: () => void, say: (state: FeedState) => void): Feed {
  const readers = new Map<Socket, () => void>();
  let kept: { readonly bytes: Uint8Array; readonly atMs: number }[] = [];
  let keptBytes = 0;
  let clock: TsClock = createTsClock();
  let at = { timeS: 0, atMs: 0 };
  let firstMs = 0;
  let lastMs = 0;
  let isFlowing = false;

  const tell = (state: FeedState["state"]): void =>
    say({ state, hasVideo: clock.has.video, hasAudio: clock.has.audio, ...at });

  function begin(): void {
    clock = createTsClock();
    kept = [];
    keptBytes = 0;
    firstMs = 0;
    isFlowing = false;
  }

  function take(packets: Uint8Array): void {
    if (packets.length === 0) return;
    const nowMs = Date.now();
    lastMs = nowMs;
    const before = clock.lastS();
    const { hasJumped } = clock.push(packets);
    if (hasJumped) {
      tell("jumped");
      begin();
      clock.push(packets);
    }
    const timeS = clock.lastS();
    if (timeS !== null && timeS !== before) at = { timeS, atMs: nowMs };
    if (timeS !== null && firstMs === 0) firstMs = nowMs;
    kept.push({ bytes: packets, atMs: nowMs });
    keptBytes += packets.length;
    while (kept[0] && (nowMs - kept[0].atMs > KEPT_MS || keptBytes > KEPT_BYTES_MAX))
      keptBytes -= kept.shift()?.bytes.length ?? 0;
    for (const [reader, onSlow] of readers) {
      reader.write(packets);
      if (reader.writableLength <= WAITING_BYTES_MAX) continue;
      reader.destroy();
      onSlow();
    }
  }

  createServer((socket) => {
    const align = createTsAligner();
    begin();
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => take(align(bytes)));
  }).listen(path, onListening);

  setInterval(() => {
    const nowMs = Date.now();
    const isWhole = clock.has.video && clock.has.audio;
    if (!isFlowing && firstMs > 0 && (isWhole || nowMs - firstMs > SETTLE_MS) && nowMs - lastMs < SILENT_MS) {
      isFlowing = true;
      tell("flowing");
    }
    if (isFlowing && nowMs - lastMs > SILENT_MS) {
      isFlowing = false;
      tell("silent");
      begin();
    }
  }, LOOK_MS);

  return {
    serve(readerPath, onSlow) {
      const server = createServer((socket) => {
        socket.on("error", () => socket.destroy());
        socket.on("close", () => readers.delete(socket));
        for (const { bytes } of kept) socket.write(bytes);
        readers.set(socket, onSlow);
      });
      server.listen(readerPath);
      return {
        close() {
          server.close();
          for (const socket of readers.keys()) if (!socket.destroyed) socket.destroy();
        },
      };
    },
  };
}

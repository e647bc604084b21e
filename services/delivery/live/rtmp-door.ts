/**
 * Part of the packager's worker: where a channel is pushed to by RTMP. Who names the right stream key is let in, one at a time; what they
 * send goes on as an FLV file into a socket.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createRequire } from "node:module";
import { createServer, type Socket } from "node:net";

/** The part of node-media-server that we use: its reader of the protocol. The package has no types. */
interface Packet {
  readonly size: number;
}
interface RtmpReader {
  onConnectCallback: (asked: { readonly app: string; readonly name: string }) => void;
  onPushCallback: () => void;
  onPlayCallback: () => void;
  onOutputCallback: (bytes: Buffer) => void;
  onPacketCallback: (packet: Packet) => void;
  /** Answers what is wrong, or null. */
  parserData(bytes: Buffer): string | null;
}
const require = createRequire(import.meta.url);
const Rtmp = require("node-media-server/src/protocol/rtmp.js") as new () => RtmpReader;
const Flv = require("node-media-server/src/protocol/flv.js") as {
  createHeader(hasAudio: boolean, hasVideo: boolean): Buffer;
  createMessage(packet: Packet): Buffer;
};

export interface RtmpDoor {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the stream key, as hexadecimal digits: the key itself is not needed here. */
  readonly keyHash: string;
  /** Where its reader reads from. */
  readonly flvPath: string;
}

/** What waits for the reader to come up. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
const CONNECTIONS_MAX = 8;
/** Who has not shown a key by then is not let in. */
const DOOR_MS_MAX = 10_000;
const APP = "live";

const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

/** `say` hears when somebody begins to push, and when they stop; `refused` of everybody who has no key. */
export function openRtmpDoor(
  { host, port, keyHash, flvPath }: RtmpDoor,
  say: (isPushing: boolean) => void,
  refused: () => void,
): void {
  const expected = Buffer.from(keyHash, "hex");
  let publisher: Socket | null = null;
  let reader: Socket | null = null;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;

  const pass = (bytes: Buffer): void => {
    if (reader) {
      reader.write(bytes);
      if (reader.writableLength > WAITING_BYTES_MAX) publisher?.destroy();
      return;
    }
    waiting.push(bytes);
    waitingBytes += bytes.length;
    if (waitingBytes > WAITING_BYTES_MAX) publisher?.destroy();
  };

  createServer((socket) => {
    reader?.destroy();
    reader = socket;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (reader === socket) reader = null;
    });
    for (const bytes of waiting) socket.write(bytes);
    waiting = [];
    waitingBytes = 0;
  }).listen(flvPath);

  const door = createServer((socket) => {
    const rtmp = new Rtmp();
    let isKnown = false;
    const late = setTimeout(() => socket.destroy(), DOOR_MS_MAX);
    const turnAway = (): void => {
      refused();
      socket.destroy();
    };
    rtmp.onConnectCallback = ({ app, name }) => {
      isKnown = app === APP && timingSafeEqual(hashOf(name), expected);
    };
    rtmp.onPlayCallback = turnAway;
    rtmp.onPushCallback = () => {
      if (!isKnown || publisher) return turnAway();
      clearTimeout(late);
      publisher = socket;
      waiting = [];
      waitingBytes = 0;
      pass(Flv.createHeader(true, true));
      say(true);
    };
    rtmp.onOutputCallback = (bytes) => void socket.write(bytes);
    rtmp.onPacketCallback = (packet) => {
      if (socket === publisher) pass(Flv.createMessage(packet));
    };
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      try {
        if (rtmp.parserData(bytes) !== null) socket.destroy();
      } catch {
        // What it cannot read is not RTMP.
        socket.destroy();
      }
    });
    socket.on("close", () => {
      clearTimeout(late);
      if (publisher !== socket) return;
      publisher = null;
      reader?.end();
      say(false);
    });
  });
  door.maxConnections = CONNECTIONS_MAX;
  door.listen(port, host);
}

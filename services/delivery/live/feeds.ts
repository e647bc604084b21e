/** Part of the packager's worker: an input's transport stream, handed to the encoders of a run as it comes. */
import { createServer, type Socket } from "node:net";
import { FormatError } from "#media/format";
import { cuesOf, decodeSplice, TICKS_PER_S } from "#media/scte35";
import { createTsReader, SCTE35_STREAM_TYPE, type TsEvent, type TsReader } from "#media/mpegts";
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
/** How old the place of its time may be when encoders begin: clocks of machines do not run alike. */
const TELL_MS = 1_000;

export interface FeedState {
  /** Told again and again while it flows; "changed" where other encoders have to read what comes from now on. */
  readonly state: "flowing" | "silent" | "jumped" | "changed";
  readonly hasVideo: boolean;
  readonly hasAudio: boolean;
  /** Where its own time was, and when, in milliseconds since the epoch. */
  readonly timeS: number;
  readonly atMs: number;
}

/** A section of SCTE 35 that asks for something. */
export interface HeardSplice {
  readonly section: Uint8Array;
  /** Where the input's clock stood when it came, in ticks of 90 kHz. */
  readonly nowTicks: number;
}

/** Encoders repeat a splice a few times; more than this is a flood, and what is beyond it is not listened to. */
const SPLICES_PER_S = 5;
const SPLICES_AT_ONCE = 30;

export interface Feed {
  /** Lets an encoder read from a socket; answers how to stop that. */
  serve(path: string, onSlow: () => void): { close(): void };
}

export interface FeedListener {
  listening(): void;
  state(state: FeedState): void;
  splice(splice: HeardSplice): void;
}

export function openFeed(path: string, on: FeedListener): Feed {
  const readers = new Map<Socket, () => void>();
  let kept: { readonly bytes: Uint8Array; readonly atMs: number }[] = [];
  let keptBytes = 0;
  let clock: TsClock = createTsClock();
  let at = { timeS: 0, atMs: 0 };
  let firstMs = 0;
  let lastMs = 0;
  let isFlowing = false;
  let toldMs = 0;
  /** When picture and sound came last. */
  const seenMs = { video: 0, audio: 0 };

  const has = (kind: "video" | "audio"): boolean => Date.now() - seenMs[kind] < SILENT_MS;
  const tell = (state: FeedState["state"]): void => {
    toldMs = Date.now();
    on.state({ state, hasVideo: has("video"), hasAudio: has("audio"), ...at });
  };

  function begin(): void {
    clock = createTsClock();
    kept = [];
    keptBytes = 0;
    firstMs = 0;
    isFlowing = false;
    Object.assign(seenMs, { video: 0, audio: 0 });
  }

  const listen = openSplices(on.splice);

  function take(packets: Uint8Array, reader: TsReader, programmes: Programmes): void {
    if (packets.length === 0) return;
    const nowMs = Date.now();
    lastMs = nowMs;
    const events = reader.push(packets);
    const before = clock.lastS();
    const { hasJumped, kinds } = clock.push(packets);
    const hasChanged = programmes.haveChanged(events);
    if (hasJumped || hasChanged) {
      tell(hasJumped ? "jumped" : "changed");
      begin();
      clock.push(packets);
    }
    for (const kind of kinds) seenMs[kind] = nowMs;
    const timeS = clock.lastS();
    if (timeS !== null && timeS !== before) at = { timeS, atMs: nowMs };
    if (timeS !== null && firstMs === 0) firstMs = nowMs;
    kept.push({ bytes: packets, atMs: nowMs });
    keptBytes += packets.length;
    while (kept[0] && (nowMs - kept[0].atMs > KEPT_MS || keptBytes > KEPT_BYTES_MAX))
      keptBytes -= kept.shift()?.bytes.length ?? 0;
    for (const [encoder, onSlow] of readers) {
      encoder.write(packets);
      if (encoder.writableLength <= WAITING_BYTES_MAX) continue;
      encoder.destroy();
      onSlow();
    }
    // After the clock was read: a splice that came behind a jump belongs to the new time.
    listen(events, timeS);
  }

  createServer((socket) => {
    const align = createTsAligner();
    const reader = createTsReader();
    const programmes = openProgrammes();
    // Another connection is another time, although nobody noticed that the one before was gone.
    if (isFlowing) tell("changed");
    begin();
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => take(align(bytes), reader, programmes));
  }).listen(path, on.listening);

  setInterval(() => {
    const nowMs = Date.now();
    const isWhole = has("video") && has("audio");
    if (!isFlowing && firstMs > 0 && (isWhole || nowMs - firstMs > SETTLE_MS) && nowMs - lastMs < SILENT_MS) {
      isFlowing = true;
      tell("flowing");
    } else if (isFlowing && nowMs - toldMs > TELL_MS && nowMs - lastMs < SILENT_MS) tell("flowing");
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

interface Programmes {
  haveChanged(events: readonly TsEvent[]): boolean;
}

/** What the pictures and sounds of a stream are made of: who decodes one cannot go on with another. */
function openProgrammes(): Programmes {
  const known = new Map<number, string>();
  return {
    haveChanged(events) {
      let haveChanged = false;
      for (const event of events) {
        if (event.kind !== "program") continue;
        const { program, streams } = event.map;
        const now = JSON.stringify(streams.filter(({ type }) => type !== SCTE35_STREAM_TYPE));
        if (known.has(program) && known.get(program) !== now) haveChanged = true;
        known.set(program, now);
      }
      return haveChanged;
    },
  };
}

/** Tells of the sections that ask for something; what is broken, encrypted or a sign of life alone is passed over. */
function openSplices(say: (splice: HeardSplice) => void): (events: readonly TsEvent[], timeS: number | null) => void {
  let allowed = SPLICES_AT_ONCE;
  let refilledMs = Date.now();
  return (events, timeS) => {
    for (const event of events) {
      if (event.kind !== "splice" || !asksForSomething(event.section)) continue;
      const nowMs = Date.now();
      allowed = Math.min(SPLICES_AT_ONCE, allowed + ((nowMs - refilledMs) * SPLICES_PER_S) / 1_000);
      refilledMs = nowMs;
      const nowTicks = event.videoPts ?? event.pcr ?? (timeS === null ? null : Math.round(timeS * TICKS_PER_S));
      if (allowed < 1 || nowTicks === null) continue;
      allowed--;
      say({ section: event.section, nowTicks });
    }
  };
}

function asksForSomething(section: Uint8Array): boolean {
  try {
    return cuesOf(decodeSplice(section)).length > 0;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

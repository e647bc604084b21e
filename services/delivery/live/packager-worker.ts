/**
 * The packager of a channel: takes its inputs in and hands them to encoders, takes what encoders write into its sockets, cuts it into
 * parts, encrypts and writes them, away from the event loop that answers people. Parts go out by transfer.
 */
import { createServer, type Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { createTrackWriter, decryptSegment, type TrackProtection, type TrackWriter } from "#media/cenc";
import { createFragmentStream, type Fragment, parseTrackInit, type Sample, type TrackInit } from "#media/isobmff";
import { isSamePlace, type KeyClass, type LiveGrid, type LivePlace, placeOf } from "#media/presentation";
import { dayIndexOf, gridOf, type Latency } from "./domain.ts";
import { type FeedState, type HeardSplice, openFeed } from "./feeds.ts";
import { openRtmpDoor, type RtmpDoor } from "./rtmp-door.ts";

export interface PackagerTrack {
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly keyClass: KeyClass;
  readonly language: string;
  /** Where its encoder writes to; null where films are handed in. */
  readonly outPath: string | null;
  /** Where its encoder reads from; null where it makes the picture itself. */
  readonly inPath: string | null;
}

export interface PackagerSetup {
  readonly latency: Latency;
  readonly frameRate: number;
  readonly keyPeriodMs: number;
  /** Where transport streams come in: the primary input's, and that of the backup. */
  readonly feeds: readonly { readonly path: string; readonly door: RtmpDoor | null }[];
}

/** Encoders begin: a run ends with the next one, or with `end`. */
export interface PackagerRun {
  readonly type: "begin";
  readonly serial: number;
  readonly tracks: readonly PackagerTrack[];
  readonly feed: number | null;
  /** The first segment; what comes before it is thrown away. */
  readonly firstNumber: number;
  /** The last one; what comes after it is thrown away. */
  readonly lastNumber: number;
  /** From where encoders count, in milliseconds since the epoch. */
  readonly originMs: number;
}

/** A segment of a film, as it is packaged. */
export interface PackagerFilm {
  readonly type: "film";
  readonly track: string;
  readonly init: Uint8Array;
  readonly segment: Uint8Array;
  /** What it is encrypted with. */
  readonly key: Uint8Array;
}

export type ToPackager = PackagerKeys | PackagerRun | PackagerFilm | { readonly type: "end" };

/** The keys of one day. */
export interface PackagerKeys {
  readonly type: "keys";
  readonly dayIndex: number;
  readonly protections: Readonly<Partial<Record<KeyClass, TrackProtection>>>;
}

export interface TrackFacts {
  readonly codec: string;
  readonly timescale: number;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly sampleRateHz: number;
}

export interface MadePart {
  readonly type: "part";
  readonly track: string;
  readonly number: number;
  readonly part: number;
  readonly dayIndex: number;
  readonly durationTicks: number;
  readonly isIndependent: boolean;
  /** Whether the segment is whole with it. */
  readonly isLast: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type FromPackager =
  /** Everything that the setup or a run asked for can be connected to. */
  | { readonly type: "listening"; readonly serial: number }
  | ({ readonly type: "feed"; readonly index: number } & FeedState)
  | ({ readonly type: "splice"; readonly index: number } & HeardSplice)
  | { readonly type: "push"; readonly index: number; readonly what: "begins" | "ends" | "refused" }
  | { readonly type: "track"; readonly track: string; readonly facts: TrackFacts }
  | {
      readonly type: "init";
      readonly track: string;
      readonly dayIndex: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | MadePart
  /** The run cannot go on: no key, what came is not what an encoder makes, or an encoder does not keep up. */
  | {
      readonly type: "fault";
      readonly reason: "no_key" | "bad_stream" | "too_slow";
      readonly track: string;
      readonly message: string;
    };

/** More than a part of the best picture that we encode. */
const PART_BYTES_MAX = 32 * 1024 * 1024;
const SEQUENCES_PER_SEGMENT = 32;

if (!parentPort) throw new Error("the packager runs as a worker");
const port = parentPort;
const setup = workerData as PackagerSetup;
const keysOfDay = new Map<number, PackagerKeys["protections"]>();
const say = (message: FromPackager): void => port.postMessage(message);
let going: {
  readonly run: PackagerRun;
  readonly cutters: Cutter[];
  readonly films: Map<string, Cutter>;
  close(): void;
} | null = null;

port.on("message", (message: ToPackager) => {
  if (message.type === "begin") return begin(message);
  if (message.type === "end") return end();
  if (message.type === "film") return takeFilm(message);
  keysOfDay.set(message.dayIndex, message.protections);
  for (const cutter of going?.cutters ?? []) cutter.prepare(message.dayIndex);
  // What is past is never encrypted again.
  for (const day of keysOfDay.keys()) if (day < message.dayIndex - 2) keysOfDay.delete(day);
});

let opened = 0;
const feeds = setup.feeds.map(({ path, door }, index) => {
  if (door)
    openRtmpDoor(
      door,
      (isPushing) => say({ type: "push", index, what: isPushing ? "begins" : "ends" }),
      () => say({ type: "push", index, what: "refused" }),
    );
  return openFeed(path, {
    listening() {
      if (++opened === setup.feeds.length) say({ type: "listening", serial: 0 });
    },
    state: (state) => say({ type: "feed", index, ...state }),
    splice: (splice) => say({ type: "splice", index, ...splice }),
  });
});
if (feeds.length === 0) say({ type: "listening", serial: 0 });

function end(): void {
  going?.close();
  going = null;
}

function begin(run: PackagerRun): void {
  end();
  const feed = run.feed === null ? undefined : feeds[run.feed];
  const cutters: Cutter[] = [];
  const sockets = new Set<Socket>();
  const closing: (() => void)[] = [() => sockets.forEach((socket) => socket.destroy())];
  let listening = 0;
  for (const track of run.tracks) {
    if (track.outPath === null) {
      listening++;
      continue;
    }
    const server = createServer((socket) => {
      // One encoder a track; whoever else knocks is not one.
      server.close();
      sockets.add(socket);
      cutters.push(readTrack(run, track, socket));
    });
    server.listen(track.outPath, () => {
      if (++listening === run.tracks.length) say({ type: "listening", serial: run.serial });
    });
    closing.push(() => server.close());
    if (!feed || track.inPath === null) continue;
    const message = `${track.name} does not keep up with its input`;
    const served = feed.serve(track.inPath, () =>
      say({ type: "fault", reason: "too_slow", track: track.name, message }),
    );
    closing.push(() => served.close());
  }
  if (listening === run.tracks.length) say({ type: "listening", serial: run.serial });
  going = { run, cutters, films: new Map(), close: () => closing.forEach((close) => close()) };
}

/** Films have timescales of their own; on one clock their times are whole numbers, as their rates are. */
const VIDEO_HZ = 90_000;

function takeFilm({ track: name, init, segment, key }: PackagerFilm): void {
  const plan = going?.run.tracks.find((track) => track.name === name);
  if (!going || !plan) return;
  try {
    const own = parseTrackInit(init);
    const timescale = own.kind === "video" ? VIDEO_HZ : own.timescale;
    const scale = (ticks: number): number => Math.round((ticks * timescale) / own.timescale);
    let cutter = going.films.get(name);
    if (!cutter) {
      cutter = openCutter(going.run, plan);
      going.films.set(name, cutter);
      going.cutters.push(cutter);
      cutter.begin({ ...own, timescale, sinf: null });
    }
    for (const { bytes, baseDecodeTimeTicks, samples } of decryptSegment(init, segment, key)) {
      let ticks = baseDecodeTimeTicks;
      const scaled = samples.map((sample) => {
        const startTicks = scale(ticks);
        ticks += sample.durationTicks;
        const compositionOffsetTicks = scale(sample.compositionOffsetTicks);
        return { ...sample, compositionOffsetTicks, durationTicks: scale(ticks) - startTicks };
      });
      cutter.take({ bytes, samples: scaled, baseDecodeTimeTicks: scale(baseDecodeTimeTicks) });
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    say({ type: "fault", reason: error instanceof NoKey ? "no_key" : "bad_stream", track: name, message });
  }
}

interface Waiting {
  readonly place: LivePlace;
  readonly timeTicks: number;
  readonly pieces: Uint8Array[];
  readonly samples: Sample[];
  sizeBytes: number;
  durationTicks: number;
}

function readTrack(run: PackagerRun, plan: PackagerTrack, socket: Socket): Cutter {
  const stream = createFragmentStream();
  const cutter = openCutter(run, plan);
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    try {
      for (const streamed of stream.push(bytes)) {
        if (streamed.kind === "init") cutter.begin(streamed.track);
        else cutter.take(streamed.fragment);
      }
    } catch (error) {
      socket.destroy();
      const message = error instanceof Error ? error.message : String(error);
      say({ type: "fault", reason: error instanceof NoKey ? "no_key" : "bad_stream", track: plan.name, message });
    }
  });
  return cutter;
}

interface Cutter {
  prepare(dayIndex: number): void;
  begin(init: TrackInit): void;
  take(fragment: Fragment): void;
}

class NoKey extends Error {}

function openCutter(run: PackagerRun, plan: PackagerTrack): Cutter {
  let track: TrackInit | null = null;
  let grid: LiveGrid | null = null;
  let originTicks = 0;
  let waiting: Waiting | null = null;
  let hasBegun = false;
  const writers = new Map<number, TrackWriter>();

  function writerOf(dayIndex: number): TrackWriter {
    const known = writers.get(dayIndex);
    if (known) return known;
    const protection = keysOfDay.get(dayIndex)?.[plan.keyClass];
    if (!track || !protection) throw new NoKey(`there is no ${plan.keyClass} key of day ${dayIndex}`);
    const made = createTrackWriter(track, { protection, language: plan.language });
    for (const day of writers.keys()) if (day < dayIndex - 1) writers.delete(day);
    writers.set(dayIndex, made);
    say({ type: "init", track: plan.name, dayIndex, bytes: new Uint8Array(made.initSegment) });
    return made;
  }

  function write({ place, timeTicks, pieces, samples, durationTicks, sizeBytes }: Waiting, next: LivePlace): void {
    const dayIndex = dayIndexOf(place.number, setup.keyPeriodMs);
    const data = new Uint8Array(sizeBytes);
    let at = 0;
    for (const piece of pieces) {
      data.set(piece, at);
      at += piece.length;
    }
    const fragment: Fragment = { bytes: data, baseDecodeTimeTicks: timeTicks, samples };
    const { bytes } = writerOf(dayIndex).write([fragment], {
      // 32 bits, so that it begins again after some years.
      sequence: ((place.number * SEQUENCES_PER_SEGMENT + place.part) % 0xffffffff) + 1,
      baseDecodeTimeTicks: timeTicks,
      styp: place.part === 0,
    });
    const own = bytes as Uint8Array<ArrayBuffer>;
    const made: MadePart = {
      ...{ type: "part", track: plan.name, ...place, dayIndex, durationTicks, bytes: own },
      isIndependent: samples[0]?.isSync === true,
      isLast: next.number !== place.number,
    };
    port.postMessage(made, [own.buffer]);
  }

  function takeSample(fragment: Fragment, sample: Sample, timeTicks: number, at: LiveGrid): void {
    const place = placeOf(timeTicks, at);
    if (place.number > run.lastNumber) return;
    if (!hasBegun) {
      // Who came up late begins with the next segment, at a frame that needs no other.
      if (place.number < run.firstNumber || place.part > 0 || !sample.isSync) return;
      if (timeTicks % at.segmentTicks >= sample.durationTicks) return;
      hasBegun = true;
    }
    if (waiting && !isSamePlace(waiting.place, place)) {
      // Time went on without frames: what there is of the part is all there will be.
      write(waiting, place);
      waiting = null;
    }
    waiting ??= { place, timeTicks, pieces: [], samples: [], sizeBytes: 0, durationTicks: 0 };
    waiting.pieces.push(fragment.bytes.subarray(sample.offsetBytes, sample.offsetBytes + sample.sizeBytes));
    waiting.samples.push({ ...sample, offsetBytes: waiting.sizeBytes });
    waiting.sizeBytes += sample.sizeBytes;
    waiting.durationTicks += sample.durationTicks;
    if (waiting.sizeBytes > PART_BYTES_MAX) throw new Error(`a part of ${waiting.sizeBytes} bytes is too large`);
    // Where the next sample will be is known, so that a whole part need not wait for it.
    const next = placeOf(timeTicks + sample.durationTicks, at);
    if (isSamePlace(place, next)) return;
    write(waiting, next);
    waiting = null;
  }

  return {
    /** Writes the header of a day ahead of its first part: players ask for it as soon as they hear of the key. */
    prepare(dayIndex: number): void {
      if (track) writerOf(dayIndex);
    },
    begin(init: TrackInit): void {
      track = init;
      grid = gridOf(plan, init.timescale, setup.latency, setup.frameRate);
      originTicks = Math.round((run.originMs / 1_000) * init.timescale);
      const isVideo = init.kind === "video";
      const facts: TrackFacts = {
        codec: init.codec,
        timescale: init.timescale,
        width: isVideo ? init.width : 0,
        height: isVideo ? init.height : 0,
        channels: isVideo ? 0 : init.channels,
        sampleRateHz: isVideo ? 0 : init.sampleRateHz,
      };
      say({ type: "track", track: plan.name, facts });
      for (const dayIndex of keysOfDay.keys()) writerOf(dayIndex);
    },
    take(fragment: Fragment): void {
      if (!grid) throw new Error("media came before its header");
      let timeTicks = originTicks + fragment.baseDecodeTimeTicks;
      for (const sample of fragment.samples) {
        takeSample(fragment, sample, timeTicks, grid);
        timeTicks += sample.durationTicks;
      }
    },
  };
}

/**
 * The packager's worker: parsing, encrypting and writing segments, away from the event loop that answers people. Bytes come in and go out by
 * transfer; the worker does no I/O of its own. One track at a time.
 */
import { parentPort } from "node:worker_threads";
import { createTrackPackager, type PackagedSegment, type TrackPackager, type TrackProtection } from "#media/cenc";
import { type Fragment, segmentFragments } from "#media/isobmff";
import { yieldThread } from "#kernel/priority";
import { GOPS_PER_SEGMENT } from "./domain.ts";

export type ToPackager =
  | {
      readonly type: "video";
      readonly file: Uint8Array;
      readonly protection: TrackProtection;
      readonly isFirst: boolean;
    }
  | {
      readonly type: "audio";
      readonly file: Uint8Array;
      readonly protection: TrackProtection;
      readonly language: string /** Start times of the second and later segments. */;
      readonly cutsS: readonly number[];
    };

export interface TrackFacts {
  readonly codec: string;
  readonly timescale: number;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly sampleRateHz: number;
}
export type FromPackager =
  | {
      readonly ok: true;
      readonly init: Uint8Array;
      readonly facts: TrackFacts;
      readonly segments: readonly PackagedSegment[];
    }
  | { readonly ok: false; readonly message: string };

/** Nobody waits for a film to be packaged as they wait for the answer to a request. */
const NICENESS = 15;

if (!parentPort) throw new Error("the packager runs as a worker");
const port = parentPort;

yieldThread(NICENESS);
let packager: TrackPackager | undefined;
let number = 0;
let baseDecodeTimeTicks = 0;

port.on("message", (message: ToPackager) => {
  let answer: FromPackager;
  try {
    answer = message.type === "video" ? packageVideo(message) : packageAudio(message);
  } catch (error) {
    answer = { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(
    answer,
    answer.ok ? [...new Set(answer.segments.map((segment) => segment.bytes.buffer as ArrayBuffer))] : [],
  );
});

function packageVideo({ file, protection, isFirst }: Extract<ToPackager, { type: "video" }>): FromPackager {
  if (isFirst || !packager) reset(createTrackPackager({ init: file, protection }));
  const fragments = current().readChunk(file);
  const groups: Fragment[][] = [];
  for (let at = 0; at < fragments.length; at += GOPS_PER_SEGMENT)
    groups.push(fragments.slice(at, at + GOPS_PER_SEGMENT));
  return write(groups);
}

function packageAudio({ file, protection, language, cutsS }: Extract<ToPackager, { type: "audio" }>): FromPackager {
  // The transcoder puts the encoder's priming in place of the first samples, so nothing is left to drop.
  const made = createTrackPackager({ init: file, protection, language, primingTicks: 0 });
  reset(made);
  return write(
    segmentFragments(
      made.readChunk(file),
      "audio",
      cutsS.map((cutS) => Math.round(cutS * made.track.timescale)),
    ),
  );
}

function reset(next: TrackPackager): void {
  packager = next;
  number = 0;
  baseDecodeTimeTicks = 0;
}

function current(): TrackPackager {
  if (!packager) throw new Error("no track is open");
  return packager;
}

function write(groups: readonly Fragment[][]): FromPackager {
  const { track, initSegment } = current();
  const segments = groups.map((group) => {
    const segment = current().packageSegment(group, { number: ++number, baseDecodeTimeTicks });
    baseDecodeTimeTicks += segment.durationTicks;
    return segment;
  });
  const isVideo = track.kind === "video";
  return {
    ok: true,
    init: initSegment,
    facts: {
      codec: track.codec,
      timescale: track.timescale,
      width: isVideo ? track.width : 0,
      height: isVideo ? track.height : 0,
      channels: isVideo ? 0 : track.channels,
      sampleRateHz: isVideo ? 0 : track.sampleRateHz,
    },
    segments,
  };
}

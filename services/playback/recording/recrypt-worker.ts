/**
 * Takes segments of a channel and writes them anew under the key of a recording, away from the event loop that answers people. Bytes come in and
 * go out by transfer; the worker does no I/O of its own.
 */
import { parentPort } from "node:worker_threads";
import { yieldThread } from "#kernel/priority";
import { createTrackWriter, decryptSegment, readProtection, type TrackProtection } from "#media/cenc";
import { parseTrackInit } from "#media/isobmff";
import type { IFrame } from "#media/presentation";

export interface ToRecrypt {
  readonly init: Uint8Array;
  readonly segment: Uint8Array;
  /** Keys of the channel's day, by lower-case hexadecimal id. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly protection: TrackProtection;
  readonly language: string;
  readonly sequence: number;
  readonly baseDecodeTimeTicks: number;
}

export type Recrypted =
  | {
      readonly ok: true;
      readonly init: Uint8Array;
      readonly bytes: Uint8Array;
      readonly codec: string;
      readonly timescale: number;
      readonly durationTicks: number;
      readonly iframes: readonly IFrame[];
    }
  | { readonly ok: false; readonly message: string };

if (!parentPort) throw new Error("recordings are written by a worker");
const port = parentPort;
// Nobody waits for it as for the answer to a request.
yieldThread(5);

port.on("message", (message: ToRecrypt) => {
  let answer: Recrypted;
  try {
    answer = recrypt(message);
  } catch (error) {
    answer = { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(answer);
});

function recrypt(message: ToRecrypt): Recrypted {
  const { init, segment, keys, protection, language, sequence, baseDecodeTimeTicks } = message;
  const track = parseTrackInit(init);
  const kid = readProtection(track)?.kid;
  const key = keys.get(kid ?? "");
  if (kid !== undefined && !key) throw new Error(`there is no key ${kid} of the channel`);
  const fragments = decryptSegment(init, segment, key ?? new Uint8Array(16));
  const writer = createTrackWriter({ ...track, sinf: null }, { protection, language });
  const written = writer.write(fragments, { sequence, baseDecodeTimeTicks });
  const { bytes, durationTicks, iframes } = written;
  return {
    ok: true,
    init: writer.initSegment,
    bytes,
    codec: track.codec,
    timescale: track.timescale,
    durationTicks,
    iframes,
  };
}

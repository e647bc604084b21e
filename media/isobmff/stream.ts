/**
 * A fragmented file that is still being written, as it comes out of an encoder:
 *
 *   ftyp moov ( [styp] [sidx] moof mdat )*
 *
 * Pieces of any size go in; the header comes out when it is whole, and each fragment with its data.
 */

import { FormatError } from "#media/format";
import { concatBytes } from "./box.ts";
import { type Fragment, parseFragments } from "./fragment.ts";
import { parseTrackInit, type TrackInit } from "./init.ts";

/** A second of the best picture that we encode has a tenth of it. */
const BOX_BYTES_MAX = 64 * 1024 * 1024;
const HEADER_BYTES = 8;

export type Streamed =
  | { readonly kind: "init"; readonly track: TrackInit }
  | { readonly kind: "fragment"; readonly fragment: Fragment };

export interface FragmentStream {
  /** Throws FormatError for what is no such file; the stream is of no use after that. */
  push(bytes: Uint8Array): Streamed[];
}

/** Reads the only track of a growing file. */
export function createFragmentStream(): FragmentStream {
  let track: TrackInit | null = null;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  /** Boxes that make sense with a later one: ftyp with moov, moof with mdat. */
  let held: Uint8Array[] = [];

  /** The next whole box, or null; joins pieces only when one is whole, so that a large box costs its size once. */
  function take(): Uint8Array | null {
    if (waitingBytes < HEADER_BYTES) return null;
    const head = waiting[0];
    if (head === undefined) return null;
    const start = head.length >= HEADER_BYTES ? head : concatBytes(waiting);
    const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
    const sizeBytes = view.getUint32(0);
    if (sizeBytes < HEADER_BYTES || sizeBytes > BOX_BYTES_MAX)
      throw new FormatError("isobmff", `a box of ${sizeBytes} bytes in a stream; 8 to ${BOX_BYTES_MAX} are read`);
    if (waitingBytes < sizeBytes) return null;
    const joined = head.length >= sizeBytes ? head : concatBytes(waiting);
    const rest = joined === head ? [head.subarray(sizeBytes), ...waiting.slice(1)] : [joined.subarray(sizeBytes)];
    waiting = rest.filter((piece) => piece.length > 0);
    waitingBytes -= sizeBytes;
    return joined.subarray(0, sizeBytes);
  }

  function read(box: Uint8Array): Streamed[] {
    const type = String.fromCharCode(...box.subarray(4, HEADER_BYTES));
    if (type === "moov") {
      track = parseTrackInit(concatBytes([...held, box]));
      held = [];
      return [{ kind: "init", track }];
    }
    if (type === "ftyp" || type === "moof") held = [box];
    if (type !== "mdat") return [];
    if (track === null || held.length === 0) throw new FormatError("isobmff", "media data without a header before it");
    const fragments = parseFragments(concatBytes([...held, box]), track);
    held = [];
    return fragments.map((fragment) => ({ kind: "fragment", fragment }));
  }

  return {
    push(bytes) {
      if (bytes.length > 0) waiting.push(bytes);
      waitingBytes += bytes.length;
      const streamed: Streamed[] = [];
      for (let box = take(); box !== null; box = take()) streamed.push(...read(box));
      return streamed;
    },
  };
}

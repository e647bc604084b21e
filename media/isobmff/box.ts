/**
 * Boxes of ISO/IEC 14496-12, 4.2:
 *
 *   Box     = size(32) type(32) [largesize(64) if size == 1] [usertype(128) if type == 'uuid'] body
 *   FullBox = Box version(8) flags(24) body
 *
 * A size of 0 means "to the end of the file" and is allowed for the last top-level box only.
 */

import { FormatError } from "#media/format";
import { ByteReader, ByteWriter } from "./bytes.ts";

/** A file of one-second fragments is 100,000 boxes long after 14 hours; a hostile one of empty boxes stops here. */
const BOXES_MAX = 200_000;

/** A box inside of `bytes`; offsets count from the start of `bytes`. */
export interface Box {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly offsetBytes: number;
  readonly bodyOffsetBytes: number;
  readonly endBytes: number;
}

export interface FullBox {
  readonly version: number;
  readonly flags: number;
  /** Stands behind version and flags. */
  readonly reader: ByteReader;
}

/** The boxes in `bytes[start, end)`, one level, in order. Throws FormatError where they do not tile the range. */
export function readBoxes(bytes: Uint8Array, start = 0, end = bytes.length): Box[] {
  const boxes: Box[] = [];
  let offset = start;
  while (offset < end) {
    if (boxes.length === BOXES_MAX) throw new FormatError("isobmff", `more than ${BOXES_MAX} boxes in a row`, offset);
    const reader = new ByteReader(bytes, offset, end);
    const shortSize = reader.u32();
    const type = reader.fourcc();
    let size = shortSize;
    if (shortSize === 1) size = reader.u64();
    else if (shortSize === 0 && end === bytes.length) size = end - offset;
    if (type === "uuid") reader.skip(16);
    if (size < reader.position - offset || size > end - offset) {
      throw new FormatError(
        "isobmff",
        `box '${printable(type)}' claims ${size} bytes where ${end - offset} are left`,
        offset,
      );
    }
    boxes.push({ type, bytes, offsetBytes: offset, bodyOffsetBytes: reader.position, endBytes: offset + size });
    offset += size;
  }
  return boxes;
}

/** A type as an error may show it: a hostile one holds any bytes. */
function printable(type: string): string {
  return type.replace(/[^\x20-\x7e]/g, "?");
}

/** The boxes inside of a container box, `skipBytes` behind the start of its body. */
export function childBoxes(parent: Box, skipBytes = 0): Box[] {
  if (parent.bodyOffsetBytes + skipBytes > parent.endBytes) {
    throw new FormatError("isobmff", `box '${parent.type}' is shorter than its fields`, parent.offsetBytes);
  }
  return readBoxes(parent.bytes, parent.bodyOffsetBytes + skipBytes, parent.endBytes);
}

export function findBox(boxes: readonly Box[], type: string): Box | undefined {
  return boxes.find((box) => box.type === type);
}

/** The box of that type; its absence is a fault of the file. */
export function requireBox(boxes: readonly Box[], type: string, where: string): Box {
  const found = findBox(boxes, type);
  if (found === undefined) throw new FormatError("isobmff", `${where} has no '${type}' box`);
  return found;
}

/** A reader over the body of a box. */
export function openBox(box: Box): ByteReader {
  return new ByteReader(box.bytes, box.bodyOffsetBytes, box.endBytes);
}

export function openFullBox(box: Box): FullBox {
  const reader = openBox(box);
  return { version: reader.u8(), flags: reader.u24(), reader };
}

/** The body of a box, as a view. */
export function boxBody(box: Box): Uint8Array {
  return box.bytes.subarray(box.bodyOffsetBytes, box.endBytes);
}

/** The whole box with its header, as a view. */
export function boxBytes(box: Box): Uint8Array {
  return box.bytes.subarray(box.offsetBytes, box.endBytes);
}

/** One box made of parts that exist already. */
export function makeBox(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  writer.box(type, () => {
    for (const part of parts) writer.bytes(part);
  });
  return writer.finish();
}

export function makeFullBox(type: string, version: number, flags: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return makeBox(type, Uint8Array.of(version, flags >> 16, (flags >> 8) & 0xff, flags & 0xff), ...parts);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Big-endian reading and writing of bounded byte ranges (ISO/IEC 14496-12, 4.1: all fields are big-endian). */

import { FormatError } from "#media/format";

/** No moov, moof or other header structure that we write comes near this. */
const WRITER_BYTES_MAX = 64 * 1024 * 1024;

/** A cursor over `bytes[start, end)`. Every read past the end throws FormatError with the offset at fault. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly #view: DataView;
  readonly #format: string;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length, format = "isobmff") {
    if (start < 0 || start > end || end > bytes.length) {
      throw new FormatError(format, `range ${start} to ${end} lies outside of ${bytes.length} bytes`, start);
    }
    this.bytes = bytes;
    this.end = end;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
    this.#format = format;
  }

  get position(): number {
    return this.#position;
  }

  get remainingBytes(): number {
    return this.end - this.#position;
  }

  #take(sizeBytes: number): number {
    const at = this.#position;
    if (sizeBytes > this.end - at) {
      throw new FormatError(this.#format, `${sizeBytes} bytes are needed where ${this.end - at} are left`, at);
    }
    this.#position = at + sizeBytes;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u24(): number {
    const at = this.#take(3);
    return (this.#view.getUint8(at) << 16) | this.#view.getUint16(at + 1);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  /** A 64-bit number that a double holds exactly; a larger one is no time or size that a file of ours has. */
  u64(): number {
    const at = this.#take(8);
    const value = Number(this.#view.getBigUint64(at));
    if (!Number.isSafeInteger(value)) throw new FormatError(this.#format, "a 64-bit value exceeds 2^53", at);
    return value;
  }

  i64(): number {
    const at = this.#take(8);
    const value = Number(this.#view.getBigInt64(at));
    if (!Number.isSafeInteger(value)) throw new FormatError(this.#format, "a 64-bit value exceeds 2^53", at);
    return value;
  }

  fourcc(): string {
    return String.fromCharCode(this.u8(), this.u8(), this.u8(), this.u8());
  }

  /** A view of the next bytes, not a copy. */
  take(sizeBytes: number): Uint8Array {
    const at = this.#take(sizeBytes);
    return this.bytes.subarray(at, at + sizeBytes);
  }

  skip(sizeBytes: number): void {
    this.#take(sizeBytes);
  }
}

/** A growing buffer for box headers and tables; sample data never passes through it. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get lengthBytes(): number {
    return this.#length;
  }

  #reserve(sizeBytes: number): number {
    const at = this.#length;
    const needed = at + sizeBytes;
    if (needed > WRITER_BYTES_MAX) throw new FormatError("isobmff", `box structure over ${WRITER_BYTES_MAX} bytes`);
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = needed;
    return at;
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value);
  }

  i32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setInt32(at, value);
  }

  u64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, BigInt(value));
  }

  fourcc(type: string): void {
    if (!/^[\x20-\xff]{4}$/.test(type)) throw new FormatError("isobmff", `'${type}' is not a four-character code`);
    for (let i = 0; i < 4; i++) this.u8(type.charCodeAt(i));
  }

  zeros(count: number): void {
    const at = this.#reserve(count);
    this.#bytes.fill(0, at, at + count);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** Sets a 32-bit field that was written before its value was known. */
  patchU32(offsetBytes: number, value: number): void {
    this.#view.setUint32(offsetBytes, value);
  }

  box(type: string, writeBody: () => void): void {
    const start = this.#length;
    this.u32(0);
    this.fourcc(type);
    writeBody();
    this.patchU32(start, this.#length - start);
  }

  fullBox(type: string, version: number, flags: number, writeBody: () => void): void {
    this.box(type, () => {
      this.u32(((version << 24) | flags) >>> 0);
      writeBody();
    });
  }

  /** The bytes written so far, as their own copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

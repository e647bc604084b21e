/** The few binary forms that protection headers need: big- and little-endian fields and protobuf's wire format. */

import { FormatError } from "#media/format";

export class BinaryReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  get remainingBytes(): number {
    return this.#end - this.#position;
  }

  take(sizeBytes: number): Uint8Array {
    const at = this.#position;
    if (sizeBytes > this.#end - at) {
      throw new FormatError("pssh", `${sizeBytes} bytes are needed where ${this.#end - at} are left`, at);
    }
    this.#position += sizeBytes;
    return this.#bytes.subarray(at, at + sizeBytes);
  }

  #view(sizeBytes: number): DataView {
    const part = this.take(sizeBytes);
    return new DataView(part.buffer, part.byteOffset, sizeBytes);
  }

  u8(): number {
    return this.#view(1).getUint8(0);
  }

  u32(): number {
    return this.#view(4).getUint32(0);
  }

  u16le(): number {
    return this.#view(2).getUint16(0, true);
  }

  u32le(): number {
    return this.#view(4).getUint32(0, true);
  }

  /** A protobuf varint; one that a double does not hold exactly is no field of ours. */
  varint(): number {
    const at = this.#position;
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8();
      value += (byte & 127) * factor;
      if (!Number.isSafeInteger(value)) throw new FormatError("pssh", "a varint exceeds 2^53", at);
      if (byte < 128) return value;
      if (factor >= 2 ** 56) throw new FormatError("pssh", "a varint of more than 9 bytes", at);
    }
  }
}

export class BinaryWriter {
  readonly #bytes: number[] = [];

  u32(value: number): void {
    this.#bytes.push((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes.push((rest % 128) | 128);
    this.#bytes.push(rest);
  }

  bytes(value: Uint8Array): void {
    for (const byte of value) this.#bytes.push(byte);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

export interface ProtobufField {
  readonly number: number;
  /** A number for wire type 0, bytes for wire type 2. */
  readonly value: number | Uint8Array;
}

/** The fields of a message in order; fixed-width fields are passed over, groups are refused. */
export function protobufFields(message: Uint8Array): ProtobufField[] {
  const reader = new BinaryReader(message);
  const fields: ProtobufField[] = [];
  while (reader.remainingBytes > 0) {
    const at = reader.position;
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) fields.push({ number, value: reader.varint() });
    else if (wireType === 1) reader.take(8);
    else if (wireType === 2) fields.push({ number, value: reader.take(reader.varint()) });
    else if (wireType === 5) reader.take(4);
    else throw new FormatError("pssh", `protobuf wire type ${wireType} is not supported`, at);
  }
  return fields;
}

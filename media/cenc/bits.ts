/**
 * Bits of a NAL unit's payload: emulation prevention bytes (the 3 of 00 00 03) are passed over where they stand, so that
 * `consumedBytes` counts bytes of the NAL unit itself. Exp-Golomb codes are those of ISO/IEC 14496-10, 9.1.
 */

import { FormatError } from "#media/format";

export class NalBits {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #position: number;
  #bit = 0;
  #zeros = 0;

  /** Reads `bytes[start, end)`, a NAL unit with its header; the caller skips the header by `position`. */
  constructor(bytes: Uint8Array, start: number, end: number, position: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#position = position;
  }

  u1(): number {
    if (this.#bit === 0 && this.#zeros >= 2 && this.#bytes[this.#position] === 3 && this.#position < this.#end) {
      this.#position++;
      this.#zeros = 0;
    }
    if (this.#position >= this.#end) {
      throw new FormatError("nal", "a NAL unit ends inside of a header", this.#end - this.#start);
    }
    const byte = this.#bytes[this.#position] ?? 0;
    const value = (byte >> (7 - this.#bit)) & 1;
    if (++this.#bit === 8) {
      this.#bit = 0;
      this.#position++;
      this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
    }
    return value;
  }

  /** An unsigned number of up to 32 bits. */
  u(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.u1();
    return value;
  }

  skip(count: number): void {
    for (let i = 0; i < count; i++) this.u1();
  }

  /** ue(v), at most 2^32 - 2. */
  ue(): number {
    let zeros = 0;
    while (this.u1() === 0) {
      if (++zeros > 31) throw new FormatError("nal", "an Exp-Golomb code of over 32 bits", this.consumedBytes);
    }
    return 2 ** zeros - 1 + this.u(zeros);
  }

  /** ue(v) that must not exceed `max`; the name goes into the error. */
  ueAtMost(max: number, name: string): number {
    const value = this.ue();
    if (value > max) throw new FormatError("nal", `${name} is ${value}, over ${max}`, this.consumedBytes);
    return value;
  }

  /** se(v). */
  se(): number {
    const code = this.ue();
    return code & 1 ? (code + 1) / 2 : -code / 2;
  }

  /** byte_alignment() of HEVC (ISO/IEC 23008-2, 7.3.2.5): a 1 and zeros up to the next byte. */
  byteAlignment(): void {
    if (this.u1() !== 1)
      throw new FormatError("nal", "a slice header does not end in an alignment bit", this.consumedBytes);
    while (this.#bit !== 0) this.u1();
  }

  /** Bytes of the NAL unit that were touched so far, a partly read one included. */
  get consumedBytes(): number {
    return this.#position - this.#start + (this.#bit === 0 ? 0 : 1);
  }
}

/** The bits that ceil(log2(count)) needs, which is how many codes index `count` things. */
export function ceilLog2(count: number): number {
  let bits = 0;
  while (2 ** bits < count) bits++;
  return bits;
}

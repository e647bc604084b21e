/** Bits of a splice_info_section, the most significant first. A read past the end is a FormatError with the byte at fault. */
import { FormatError } from "#media/format";

export const fail = (message: string, offsetBytes?: number): FormatError =>
  new FormatError("scte35", message, offsetBytes);

export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #endBits: number;
  #at: number;

  constructor(bytes: Uint8Array, startBytes = 0, endBytes = bytes.length) {
    this.#bytes = bytes;
    this.#at = startBytes * 8;
    this.#endBits = endBytes * 8;
  }

  get positionBytes(): number {
    return Math.floor(this.#at / 8);
  }

  get remainingBytes(): number {
    return Math.floor((this.#endBits - this.#at) / 8);
  }

  /** An unsigned number of at most 48 bits: what a double holds exactly, and the longest field there is. */
  bits(count: number): number {
    if (this.#at + count > this.#endBits) throw fail("the section ends within a field", this.positionBytes);
    let value = 0;
    for (let left = count; left > 0; ) {
      const free = 8 - (this.#at % 8);
      const taken = Math.min(free, left);
      const byte = this.#bytes[this.positionBytes] ?? 0;
      value = value * 2 ** taken + ((byte >> (free - taken)) & (2 ** taken - 1));
      this.#at += taken;
      left -= taken;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  skip(count: number): void {
    this.bits(count);
  }

  /** Whole bytes; the cursor stands between two of them. */
  bytes(count: number): Uint8Array {
    const at = this.positionBytes;
    if (count > this.remainingBytes) throw fail(`${count} bytes are needed where ${this.remainingBytes} are left`, at);
    this.#at += count * 8;
    return this.#bytes.slice(at, at + count);
  }
}

export class BitWriter {
  readonly #bits: number[] = [];
  readonly #bytes: number[] = [];

  /** Fails where the value has no room: a number that was cut off would be another splice. */
  bits(value: number, count: number, name: string): void {
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** count)
      throw fail(`${name} is ${value}, not a whole number below 2^${count}`);
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#bits.push(Math.floor(value / 2 ** bit) % 2);
      if (this.#bits.length === 8) this.#bytes.push(this.#bits.splice(0).reduce((sum, each) => sum * 2 + each, 0));
    }
  }

  flag(value: boolean): void {
    this.bits(value ? 1 : 0, 1, "a flag");
  }

  /** Reserved bits are ones (section 4.3). */
  reserved(count: number): void {
    this.bits(2 ** count - 1, count, "reserved");
  }

  bytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.bits(byte, 8, "a byte");
  }

  finish(): Uint8Array {
    if (this.#bits.length > 0) throw fail("a field does not end with its byte");
    return Uint8Array.from(this.#bytes);
  }
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw fail(`'${text.slice(0, 40)}' is not hexadecimal`);
  return Uint8Array.from(Buffer.from(text, "hex"));
}

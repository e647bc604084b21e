/**
 * CBOR (RFC 8949), bounded and deterministic.
 *
 *   item     = head payload          head = major type (3 bits) | additional information (5 bits) | argument (0..8 bytes)
 *   major    = 0 unsigned | 1 negative | 2 bytes | 3 text | 4 array | 5 map | 6 tag | 7 simple, float
 *
 * The encoder writes the core deterministic form (section 4.2.1): shortest heads, definite lengths, map keys in
 * bytewise order of their encoding, shortest floats. The decoder reads any well-formed item within its limits, and
 * only the deterministic form when asked to. Integers outside the safe range are bigints; bignums (tags 2 and 3)
 * are bigints too. Both `undefined` and simple values other than the booleans and null keep a type of their own.
 */
import { FormatError } from "#media/format";

export interface CborTag {
  readonly tag: number | bigint;
  readonly value: CborValue;
}

/** A simple value that is not false, true, null or undefined (RFC 8949, section 3.3). */
export interface CborSimple {
  readonly simple: number;
}

export type CborMap = ReadonlyMap<CborValue, CborValue>;

export type CborValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly CborValue[]
  | CborMap
  | CborTag
  | CborSimple;

export interface CborLimits {
  /** The longest input or output, in bytes. */
  readonly bytesMax: number;
  /** The deepest nesting of arrays, maps and tags. */
  readonly depthMax: number;
  /** The most items in the whole input, keys and values counted apart. */
  readonly itemsMax: number;
}

export const CBOR_LIMITS: CborLimits = { bytesMax: 1 << 20, depthMax: 32, itemsMax: 65_536 };

export interface CborDecodeOptions extends Partial<CborLimits> {
  /** Refuse what the deterministic encoder would not have written. */
  readonly deterministic?: boolean;
}

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, other: 7 } as const;
const TAG_UNSIGNED_BIGNUM = 2;
const TAG_NEGATIVE_BIGNUM = 3;
const UINT64_MAX = (1n << 64n) - 1n;
const BIGNUM_BYTES_MAX = 64;

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function fail(message: string, offsetBytes?: number): never {
  throw new FormatError("cbor", message, offsetBytes);
}

export function isTag(value: CborValue): value is CborTag {
  return typeof value === "object" && value !== null && "tag" in value;
}

export function isMap(value: CborValue): value is CborMap {
  return value instanceof Map;
}

export function isBytes(value: CborValue): value is Uint8Array {
  return value instanceof Uint8Array;
}

export function isArray(value: CborValue): value is readonly CborValue[] {
  return Array.isArray(value);
}

function isSimple(value: CborValue): value is CborSimple {
  return typeof value === "object" && value !== null && "simple" in value;
}

/**
 * A growing output buffer that can be kept and used again: hot paths (tokens) write heads and strings directly and
 * never build a value tree. `bytes()` copies; `view()` does not and is void after the next write.
 */
export class CborWriter {
  #buffer: Uint8Array;
  #view: DataView;
  #length = 0;
  readonly #bytesMax: number;

  constructor(capacityBytes = 512, bytesMax: number = CBOR_LIMITS.bytesMax) {
    this.#buffer = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#buffer.buffer);
    this.#bytesMax = bytesMax;
  }

  get lengthBytes(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#bytesMax) fail(`the encoding is longer than ${this.#bytesMax} bytes; encode less`);
    if (end > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(Math.max(end, this.#buffer.length * 2), this.#bytesMax));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return at;
  }

  head(major: number, argument: number): void {
    const type = major << 5;
    if (argument < 24) {
      const at = this.#reserve(1);
      this.#buffer[at] = type | argument;
    } else if (argument < 0x100) {
      const at = this.#reserve(2);
      this.#buffer[at] = type | 24;
      this.#buffer[at + 1] = argument;
    } else if (argument < 0x1_0000) {
      const at = this.#reserve(3);
      this.#buffer[at] = type | 25;
      this.#view.setUint16(at + 1, argument);
    } else if (argument < 0x1_0000_0000) {
      const at = this.#reserve(5);
      this.#buffer[at] = type | 26;
      this.#view.setUint32(at + 1, argument);
    } else {
      const at = this.#reserve(9);
      this.#buffer[at] = type | 27;
      this.#view.setBigUint64(at + 1, BigInt(argument));
    }
  }

  integer(value: number): void {
    if (value >= 0) this.head(MAJOR.unsigned, value);
    else this.head(MAJOR.negative, -1 - value);
  }

  text(value: string): void {
    // An ASCII string, which nearly every claim is, needs neither an encoder nor a second buffer.
    const length = value.length;
    if (length <= 256) {
      const before = this.#length;
      this.head(MAJOR.text, length);
      const at = this.#reserve(length);
      let index = 0;
      for (; index < length; index += 1) {
        const unit = value.charCodeAt(index);
        if (unit > 0x7f) break;
        this.#buffer[at + index] = unit;
      }
      if (index === length) return;
      this.#length = before;
    }
    if (!value.isWellFormed()) fail("a text string holds a lone surrogate, which UTF-8 cannot carry");
    const encoded = utf8Encoder.encode(value);
    this.head(MAJOR.text, encoded.length);
    this.raw(encoded);
  }

  byteString(value: Uint8Array): void {
    this.head(MAJOR.bytes, value.length);
    this.raw(value);
  }

  array(count: number): void {
    this.head(MAJOR.array, count);
  }

  map(count: number): void {
    this.head(MAJOR.map, count);
  }

  tag(tag: number): void {
    this.head(MAJOR.tag, tag);
  }

  /** Appends bytes that are CBOR already. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#buffer.set(bytes, at);
  }

  bigint(value: bigint): void {
    const negative = value < 0n;
    const argument = negative ? -1n - value : value;
    if (argument <= BigInt(Number.MAX_SAFE_INTEGER)) {
      this.head(negative ? MAJOR.negative : MAJOR.unsigned, Number(argument));
    } else if (argument <= UINT64_MAX) {
      this.#head64(negative ? MAJOR.negative : MAJOR.unsigned, argument);
    } else {
      const hex = argument.toString(16);
      const bytes = hexBytes(hex.length % 2 === 0 ? hex : `0${hex}`);
      if (bytes.length > BIGNUM_BYTES_MAX) fail(`a bignum is longer than ${BIGNUM_BYTES_MAX} bytes`);
      this.tag(negative ? TAG_NEGATIVE_BIGNUM : TAG_UNSIGNED_BIGNUM);
      this.byteString(bytes);
    }
  }

  #head64(major: number, argument: bigint): void {
    const at = this.#reserve(9);
    this.#buffer[at] = (major << 5) | 27;
    this.#view.setBigUint64(at + 1, argument);
  }

  simple(value: number): void {
    this.head(MAJOR.other, value);
  }

  float(value: number): void {
    const half = toHalf(value);
    if (half !== undefined) {
      const at = this.#reserve(3);
      this.#buffer[at] = 0xf9;
      this.#view.setUint16(at + 1, half);
    } else if (Object.is(Math.fround(value), value)) {
      const at = this.#reserve(5);
      this.#buffer[at] = 0xfa;
      this.#view.setFloat32(at + 1, value);
    } else {
      const at = this.#reserve(9);
      this.#buffer[at] = 0xfb;
      this.#view.setFloat64(at + 1, value);
    }
  }

  /** Writes any value. A number that is a safe integer becomes an integer, and -0 stays a float. */
  value(value: CborValue, depth: number = CBOR_LIMITS.depthMax): void {
    switch (typeof value) {
      case "number":
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.integer(value);
        else this.float(value);
        return;
      case "bigint":
        this.bigint(value);
        return;
      case "string":
        this.text(value);
        return;
      case "boolean":
        this.simple(value ? 21 : 20);
        return;
      case "undefined":
        this.simple(23);
        return;
      default:
        this.#structure(value, depth);
    }
  }

  #structure(value: Exclude<CborValue, number | bigint | string | boolean | undefined>, depth: number): void {
    if (value === null) return this.simple(22);
    if (isBytes(value)) return this.byteString(value);
    if (isSimple(value)) return this.#otherSimple(value.simple);
    if (depth <= 0) fail("the value nests too deeply to encode");
    if (isArray(value)) {
      this.array(value.length);
      for (const item of value) this.value(item, depth - 1);
    } else if (isMap(value)) {
      this.#map(value, depth - 1);
    } else {
      if (value.tag < 0) fail(`tag ${value.tag} is negative`);
      if (typeof value.tag === "bigint") this.#tag64(value.tag);
      else this.tag(value.tag);
      this.value(value.value, depth - 1);
    }
  }

  #tag64(tag: bigint): void {
    if (tag > UINT64_MAX) fail(`tag ${tag} does not fit in 64 bits`);
    if (tag <= BigInt(Number.MAX_SAFE_INTEGER)) this.tag(Number(tag));
    else this.#head64(MAJOR.tag, tag);
  }

  #otherSimple(simple: number): void {
    if (!Number.isInteger(simple) || simple < 0 || simple > 255 || (simple >= 20 && simple < 32)) {
      fail(`simple value ${simple} is reserved`);
    }
    this.simple(simple);
  }

  #map(map: CborMap, depth: number): void {
    const entries: { key: Uint8Array; value: CborValue }[] = [];
    for (const [key, value] of map) entries.push({ key: encodeWithin(key, depth, this.#bytesMax), value });
    entries.sort((a, b) => compareBytes(a.key, b.key));
    this.map(entries.length);
    let previous: Uint8Array | undefined;
    for (const entry of entries) {
      if (previous !== undefined && compareBytes(previous, entry.key) === 0) fail("a map holds one key twice");
      previous = entry.key;
      this.raw(entry.key);
      this.value(entry.value, depth);
    }
  }
}

function encodeWithin(value: CborValue, depth: number, bytesMax: number): Uint8Array {
  const writer = new CborWriter(32, bytesMax);
  writer.value(value, depth);
  return writer.bytes();
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function hexBytes(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}

/** The IEEE 754 half of a number that a half can carry exactly; NaN is the canonical 0x7e00 (section 4.2.2). */
function toHalf(value: number): number | undefined {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude === 0) return sign;
  if (magnitude === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (magnitude > 65_504) return undefined;
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  const mantissa = magnitude / 2 ** (exponent - 10);
  if (!Number.isInteger(mantissa) || mantissa > 2047) return undefined;
  return mantissa < 1024 ? sign | mantissa : sign | ((exponent + 15) << 10) | (mantissa - 1024);
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * mantissa * 2 ** -24 : sign * (mantissa + 1024) * 2 ** (exponent - 25);
}

/** Encodes in the core deterministic form. */
export function encode(value: CborValue, limits: Partial<CborLimits> = {}): Uint8Array {
  const writer = new CborWriter(128, limits.bytesMax ?? CBOR_LIMITS.bytesMax);
  writer.value(value, limits.depthMax ?? CBOR_LIMITS.depthMax);
  return writer.bytes();
}

/** Decodes exactly one item; anything behind it is an error. Byte strings are views into the input, not copies. */
export function decode(bytes: Uint8Array, options: CborDecodeOptions = {}): CborValue {
  const reader = new Reader(bytes, options);
  const value = reader.item(options.depthMax ?? CBOR_LIMITS.depthMax);
  if (reader.offset !== bytes.length) {
    fail(`${bytes.length - reader.offset} bytes stand behind the item`, reader.offset);
  }
  return value;
}

class Reader {
  offset = 0;
  #items = 0;
  /** The argument of the head that was read last; -1 stands for an indefinite length. */
  #argument = 0;
  #wideArgument = 0n;
  #isWide = false;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #itemsMax: number;
  readonly #deterministic: boolean;

  constructor(bytes: Uint8Array, options: CborDecodeOptions) {
    const bytesMax = options.bytesMax ?? CBOR_LIMITS.bytesMax;
    if (bytes.length > bytesMax) fail(`the input has ${bytes.length} bytes, the limit is ${bytesMax}`);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#itemsMax = options.itemsMax ?? CBOR_LIMITS.itemsMax;
    this.#deterministic = options.deterministic ?? false;
  }

  #take(count: number): number {
    const at = this.offset;
    if (count > this.#bytes.length - at) fail(`the input ends ${count - (this.#bytes.length - at)} bytes early`, at);
    this.offset = at + count;
    return at;
  }

  /** Reads a head, leaves its argument in the fields above and returns the initial byte. */
  #head(): number {
    const at = this.#take(1);
    const initial = this.#bytes[at] ?? 0;
    const information = initial & 0x1f;
    this.#isWide = false;
    if (information < 24) {
      this.#argument = information;
      return initial;
    }
    let least = 24;
    switch (information) {
      case 24:
        this.#argument = this.#view.getUint8(this.#take(1));
        break;
      case 25:
        this.#argument = this.#view.getUint16(this.#take(2));
        least = 0x100;
        break;
      case 26:
        this.#argument = this.#view.getUint32(this.#take(4));
        least = 0x1_0000;
        break;
      case 27:
        this.#wideArgument = this.#view.getBigUint64(this.#take(8));
        this.#argument = Number(this.#wideArgument);
        this.#isWide = !Number.isSafeInteger(this.#argument);
        least = 0x1_0000_0000;
        break;
      case 31:
        this.#argument = -1;
        if (this.#deterministic) fail("an indefinite length is not deterministic", at);
        return initial;
      default:
        fail(`additional information ${information} is reserved`, at);
    }
    if (this.#deterministic && initial >> 5 !== MAJOR.other && this.#argument < least) {
      fail("an argument is longer than it needs to be, which is not deterministic", at);
    }
    return initial;
  }

  item(depth: number): CborValue {
    const at = this.offset;
    this.#items += 1;
    if (this.#items > this.#itemsMax) fail(`more than ${this.#itemsMax} items`, at);
    const initial = this.#head();
    const major = initial >> 5;
    switch (major) {
      case MAJOR.unsigned:
        if (this.#argument < 0) fail("an integer cannot have an indefinite length", at);
        return this.#isWide ? this.#wideArgument : this.#argument;
      case MAJOR.negative:
        if (this.#argument < 0) fail("an integer cannot have an indefinite length", at);
        if (this.#isWide || this.#argument === Number.MAX_SAFE_INTEGER) {
          return -1n - (this.#isWide ? this.#wideArgument : BigInt(this.#argument));
        }
        return -1 - this.#argument;
      case MAJOR.bytes:
        return this.#argument < 0 ? this.#chunks(MAJOR.bytes, at) : this.#byteString();
      case MAJOR.text:
        return this.#argument < 0 ? this.#text(this.#chunks(MAJOR.text, at), at) : this.#text(this.#byteString(), at);
      case MAJOR.other:
        return this.#other(initial & 0x1f, at);
      default:
        if (depth <= 0) fail("the input nests too deeply", at);
        if (major === MAJOR.array) return this.#array(depth - 1);
        if (major === MAJOR.map) return this.#map(depth - 1, at);
        return this.#tag(depth - 1, at);
    }
  }

  #byteString(): Uint8Array {
    const start = this.#take(this.#argument);
    return this.#bytes.subarray(start, this.offset);
  }

  #chunks(major: number, at: number): Uint8Array {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (!this.#isBreak()) {
      this.#items += 1;
      if (this.#items > this.#itemsMax) fail(`more than ${this.#itemsMax} items`, this.offset);
      if (this.#head() >> 5 !== major || this.#argument < 0) fail("a string chunk has another type", at);
      const chunk = this.#byteString();
      // Each chunk of a text string must be valid by itself (section 3.2.3).
      if (major === MAJOR.text) this.#text(chunk, at);
      chunks.push(chunk);
      length += chunk.length;
    }
    const whole = new Uint8Array(length);
    let offset = 0;
    for (const chunk of chunks) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    return whole;
  }

  #isBreak(): boolean {
    if (this.offset >= this.#bytes.length) fail("an indefinite-length item has no end", this.offset);
    if (this.#bytes[this.offset] !== 0xff) return false;
    this.offset += 1;
    return true;
  }

  #text(bytes: Uint8Array, at: number): string {
    // Map keys and short words are cheaper without a call out of the language.
    if (bytes.length <= 12) {
      let text = "";
      let index = 0;
      for (; index < bytes.length; index += 1) {
        const unit = bytes[index] ?? 0;
        if (unit > 0x7f) break;
        text += String.fromCharCode(unit);
      }
      if (index === bytes.length) return text;
    }
    try {
      return utf8Decoder.decode(bytes);
    } catch {
      return fail("a text string is not UTF-8", at);
    }
  }

  #array(depth: number): CborValue[] {
    const items: CborValue[] = [];
    if (this.#argument < 0) {
      while (!this.#isBreak()) items.push(this.item(depth));
      return items;
    }
    // Every item takes a byte at least, so a count above what is left is refused before anything is allocated.
    const count = this.#argument;
    if (count > this.#bytes.length - this.offset) fail(`an array claims ${count} items`, this.offset);
    for (let index = 0; index < count; index += 1) items.push(this.item(depth));
    return items;
  }

  #map(depth: number, at: number): CborMap {
    const map = new Map<CborValue, CborValue>();
    const structuredKeys = new Set<string>();
    const indefinite = this.#argument < 0;
    const count = this.#argument;
    if (count > (this.#bytes.length - this.offset) / 2) fail(`a map claims ${count} entries`, at);
    let previous: Uint8Array | undefined;
    for (let index = 0; indefinite ? !this.#isBreak() : index < count; index += 1) {
      const start = this.offset;
      const key = this.item(depth);
      if (typeof key === "object" && key !== null) {
        // Structured keys are equal when their deterministic encodings are.
        const canonical = encodeWithin(key, depth, this.#bytes.length * 2 + 16).join();
        if (structuredKeys.has(canonical)) fail("a map holds one key twice", start);
        structuredKeys.add(canonical);
      } else if (map.has(key)) {
        fail("a map holds one key twice", start);
      }
      if (this.#deterministic) {
        const encoded = this.#bytes.subarray(start, this.offset);
        if (previous !== undefined && compareBytes(previous, encoded) >= 0) fail("map keys are not sorted", start);
        previous = encoded;
      }
      map.set(key, this.item(depth));
    }
    return map;
  }

  #tag(depth: number, at: number): CborValue {
    if (this.#argument < 0) fail("a tag cannot have an indefinite length", at);
    const tag = this.#isWide ? this.#wideArgument : this.#argument;
    const value = this.item(depth);
    if (tag !== TAG_UNSIGNED_BIGNUM && tag !== TAG_NEGATIVE_BIGNUM) return { tag, value };
    if (!isBytes(value)) return fail("a bignum is not a byte string", at);
    if (value.length > BIGNUM_BYTES_MAX) fail(`a bignum is longer than ${BIGNUM_BYTES_MAX} bytes`, at);
    if (this.#deterministic && (value.length <= 8 || value[0] === 0)) {
      fail("a bignum is longer than it needs to be, which is not deterministic", at);
    }
    let magnitude = 0n;
    for (const byte of value) magnitude = (magnitude << 8n) | BigInt(byte);
    const integer = tag === TAG_UNSIGNED_BIGNUM ? magnitude : -1n - magnitude;
    const small = Number(integer);
    return Number.isSafeInteger(small) ? small : integer;
  }

  #other(information: number, at: number): CborValue {
    switch (information) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 23:
        return undefined;
      case 24:
        if (this.#argument < 32) fail(`simple value ${this.#argument} is not well-formed in two bytes`, at);
        return { simple: this.#argument };
      case 25:
        return this.#float(fromHalf(this.#argument), 2, at);
      case 26:
        return this.#float(this.#view.getFloat32(at + 1), 4, at);
      case 27:
        return this.#float(this.#view.getFloat64(at + 1), 8, at);
      case 31:
        return fail("a break stands outside of an indefinite-length item", at);
      default:
        return { simple: information };
    }
  }

  #float(value: number, widthBytes: number, at: number): number {
    if (!this.#deterministic) return value;
    const writer = new CborWriter(9);
    writer.float(value);
    const same = compareBytes(writer.view(), this.#bytes.subarray(at, at + widthBytes + 1)) === 0;
    if (!same) fail("a float is longer than it needs to be, which is not deterministic", at);
    return value;
  }
}

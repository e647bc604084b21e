/**
 * base64url without padding (RFC 4648, section 5), by table and without Buffer, so that it runs at every edge. Other
 * issuers write the plain alphabet or padding; both are read.
 */
import { FormatError } from "#media/format";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CODES = Uint8Array.from(ALPHABET, (char) => char.charCodeAt(0));
const VALUES = new Uint8Array(256).fill(0xff);
for (const [value, code] of CODES.entries()) VALUES[code] = value;
VALUES["+".charCodeAt(0)] = 62;
VALUES["/".charCodeAt(0)] = 63;

const utf8 = new TextEncoder();
const latin1 = new TextDecoder("latin1");
/** Allocating costs more than encoding; the text is taken out before anything else can run. */
let scratch = new Uint8Array(1024);

export function toBase64url(bytes: Uint8Array): string {
  const length = Math.ceil((bytes.length * 4) / 3);
  if (scratch.length < length + 4) scratch = new Uint8Array(length + 4);
  const out = scratch;
  let at = 0;
  for (let index = 0; index < bytes.length; index += 3) {
    // Behind the end a typed array reads undefined, which counts as zero here; those characters are cut off below.
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    out[at] = CODES[group >> 18] ?? 0;
    out[at + 1] = CODES[(group >> 12) & 63] ?? 0;
    out[at + 2] = CODES[(group >> 6) & 63] ?? 0;
    out[at + 3] = CODES[group & 63] ?? 0;
    at += 4;
  }
  return latin1.decode(out.subarray(0, length));
}

/** Throws FormatError for any other character, and for bits that no encoder writes. */
export function fromBase64url(text: string): Uint8Array {
  let length = text.length;
  for (let padding = 0; padding < 2 && text.charCodeAt(length - 1) === 61; padding += 1) length -= 1;
  if (length % 4 === 1) throw new FormatError("cat", "the token's length is not one of base64url");
  if (scratch.length < text.length) scratch = new Uint8Array(text.length);
  // A character outside of ASCII becomes bytes outside of it, which have no value below.
  const chars = scratch;
  if (utf8.encodeInto(text, chars).read < length) throw new FormatError("cat", "the token is not ASCII");
  const out = new Uint8Array((length * 3) >> 2);
  const valueAt = (index: number): number => VALUES[chars[index] ?? 0] ?? 0xff;
  let at = 0;
  let index = 0;
  // A value of 0xff has bits above the six, which survive the shifts and are looked for once at the end.
  let wrong = 0;
  for (; index + 3 < length; index += 4) {
    const a = valueAt(index);
    const b = valueAt(index + 1);
    const c = valueAt(index + 2);
    const d = valueAt(index + 3);
    wrong |= a | b | c | d;
    out[at] = (a << 2) | (b >> 4);
    out[at + 1] = (b << 4) | (c >> 2);
    out[at + 2] = (c << 6) | d;
    at += 3;
  }
  const left = length - index;
  if (left > 0) {
    const a = valueAt(index);
    const b = valueAt(index + 1);
    const c = left === 3 ? valueAt(index + 2) : 0;
    wrong |= a | b | c;
    out[at] = (a << 2) | (b >> 4);
    if (left === 3) out[at + 1] = (b << 4) | (c >> 2);
    if (((left === 3 ? c & 3 : b & 15) & 63) !== 0) {
      throw new FormatError("cat", "the token's last character has stray bits");
    }
  }
  if (wrong > 63) throw new FormatError("cat", "the token holds a character that is not base64url");
  return out;
}

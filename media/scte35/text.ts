/** Sections as people and playlists write them: base64 (with or without its padding) or hexadecimal (with or without 0x). */
import { fail, fromHex } from "./bits.ts";
import { decodeSplice, SECTION_LENGTH_MAX } from "./decode.ts";
import type { SpliceInfo } from "./model.ts";

const CHARS_MAX = 2 * (SECTION_LENGTH_MAX + 3) + 2;
/** A section begins with 0xFC, which is `fc` or `/`; no text is both. */
const HEX = /^(?:0x)?(fc[0-9a-f]*)$/i;

export function sectionOfText(text: string): Uint8Array {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > CHARS_MAX)
    throw fail(`a section is 1 to ${CHARS_MAX} characters of base64 or hexadecimal, not ${trimmed.length}`);
  const hex = HEX.exec(trimmed)?.[1];
  if (hex !== undefined) return fromHex(hex);
  const bare = trimmed.replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/]+$/.test(bare) || bare.length % 4 === 1)
    throw fail(`'${trimmed.slice(0, 40)}' is neither base64 nor hexadecimal`);
  return Uint8Array.from(Buffer.from(bare, "base64"));
}

export const decodeSpliceText = (text: string): SpliceInfo => decodeSplice(sectionOfText(text));

import type { Fingerprint } from "#kernel/ports/transcoder";

/** The picture that a hash is made from: dHash compares each pixel with its right neighbour, hence one column more. */
export const HASH_WIDTH = 9;
export const HASH_HEIGHT = 8;
/** A frame whose brightest and darkest parts differ less than this says nothing: black, white or fog. */
const CONTRAST_MIN = 10;
export const FLAT = "0".repeat(16);

/** A 64-bit difference hash (dHash) of a 9 by 8 gray picture, as 16 hexadecimal digits. */
export function differenceHash(gray: Uint8Array): string {
  let lowest = 255;
  let highest = 0;
  for (const value of gray) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  if (highest - lowest < CONTRAST_MIN) return FLAT;
  let bits = 0n;
  for (let y = 0; y < HASH_HEIGHT; y++) {
    for (let x = 0; x < HASH_WIDTH - 1; x++) {
      const at = y * HASH_WIDTH + x;
      bits = (bits << 1n) | ((gray[at] ?? 0) > (gray[at + 1] ?? 0) ? 1n : 0n);
    }
  }
  return bits.toString(16).padStart(16, "0");
}

export function hammingDistance(a: string, b: string): number {
  let different = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let count = 0;
  while (different > 0n) {
    count += Number(different & 1n);
    different >>= 1n;
  }
  return count;
}

/** Re-encodes and scaling move a few bits; unrelated frames differ in 32 of 64 on average. */
const NOISE_BITS = 4;
const UNRELATED_BITS = 24;
const COMPARED_MIN = 4;

/**
 * How alike two films are: 1 for the same film in another encode, 0 for unrelated ones; from 0.8 on, call it a
 * duplicate. Films whose lengths differ by more than 2 % (and a second) are not compared, because the frames do not stand at the same moments.
 */
export function similarity(a: Fingerprint, b: Fingerprint): number {
  const longer = Math.max(a.durationS, b.durationS);
  if (Math.abs(a.durationS - b.durationS) > Math.max(1, longer * 0.02)) return 0;
  if (a.frames.length !== b.frames.length) return 0;
  let compared = 0;
  let alike = 0;
  for (const [index, left] of a.frames.entries()) {
    const right = b.frames[index] ?? FLAT;
    if (left === FLAT && right === FLAT) continue;
    compared += 1;
    if (left === FLAT || right === FLAT) continue;
    const distance = hammingDistance(left, right);
    alike += 1 - Math.min(1, Math.max(0, distance - NOISE_BITS) / (UNRELATED_BITS - NOISE_BITS));
  }
  return compared < COMPARED_MIN ? 0 : alike / compared;
}

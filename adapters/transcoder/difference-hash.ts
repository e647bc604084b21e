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

/** Comparing perceptual fingerprints of films: difference hashes (dHash) of frames at fixed shares of the duration. Pure. */
export interface VideoFingerprint {
  /** 64-bit hashes, 16 hexadecimal digits each; a frame that says nothing (black, white, fog) is all zeros. */
  readonly frames: readonly string[];
  readonly durationS: number;
}

const FLAT = "0".repeat(16);

function hammingDistance(a: string, b: string): number {
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
export function similarity(a: VideoFingerprint, b: VideoFingerprint): number {
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

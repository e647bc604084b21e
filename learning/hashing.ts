/**
 * Vectors of what something is made of, without a vocabulary: each token adds 1 or -1 to a place that its hash chooses, by another bit of the hash
 * (Weinberger et al. 2009, "Feature hashing for large scale multitask learning"). The inner product of two vectors is, in the mean, that of the
 * lists of their tokens; with few dimensions it has noise.
 */

/** Of unit length; of nothing it is all zeros. */
export function hashedVector(tokens: readonly string[], dimensions: number): number[] {
  const sums = new Array<number>(dimensions).fill(0);
  for (const token of tokens) {
    const hash = fnv1a(token);
    const place = (hash >>> 1) % dimensions;
    sums[place] = (sums[place] ?? 0) + (hash & 1 ? 1 : -1);
  }
  const norm = Math.hypot(...sums);
  // Kept as 32 bits by whoever writes it: rounded here, what is read is what was made.
  return norm === 0 ? sums : sums.map((sum) => Math.fround(sum / norm));
}

/** FNV-1a over UTF-16 units, with the finish of MurmurHash3, without which the low bits of short texts are alike. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

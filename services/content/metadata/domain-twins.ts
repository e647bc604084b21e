/**
 * The same film somewhere else: hashes of one frame a second, laid over each other at the distance at which most of a few probes agree. Other encodes, sizes and
 * cuts move some bits and whole seconds, and little else.
 */
const DIGITS = 16;
const FLAT = "0".repeat(DIGITS);
const PROBES = 64;
/** Of 64 bits; unrelated frames differ in 32 on average. */
const ALIKE_BITS_MAX = 10;
const VOTES_MIN = 4;
/** Fewer seconds of two films say nothing about them. */
const COMPARED_S_MIN = 8;

export interface Twin {
  /** Of the seconds that both show at this distance. */
  readonly similarity: number;
  /** So much later the other one shows the same. */
  readonly offsetS: number;
  /** Seconds that agree. */
  readonly agreedS: number;
}

/** From this on a person should look. */
export const TWIN_SIMILARITY_MIN = 0.6;

interface Hashes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Black, white or fog, which everything resembles. */
  readonly isFlat: readonly boolean[];
}

export const packHashes = (hashes: readonly string[]): string => hashes.join("");

export function unpackHashes(packed: string): Hashes {
  const count = Math.floor(packed.length / DIGITS);
  const each = Array.from({ length: count }, (_, index) => packed.slice(index * DIGITS, (index + 1) * DIGITS));
  return {
    high: Uint32Array.from(each, (hash) => Number.parseInt(hash.slice(0, 8), 16)),
    low: Uint32Array.from(each, (hash) => Number.parseInt(hash.slice(8), 16)),
    isFlat: each.map((hash) => hash === FLAT),
  };
}

function bits(value: number): number {
  let count = value - ((value >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return (((count + (count >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

const distance = (a: Hashes, at: number, b: Hashes, other: number): number =>
  bits((a.high[at] ?? 0) ^ (b.high[other] ?? 0)) + bits((a.low[at] ?? 0) ^ (b.low[other] ?? 0));

export function twinOf(a: Hashes, b: Hashes): Twin | undefined {
  const telling = [...a.high.keys()].filter((index) => !a.isFlat[index]);
  const probes = Array.from(
    { length: Math.min(PROBES, telling.length) },
    (_, index) => telling[Math.floor((index * telling.length) / Math.min(PROBES, telling.length))] ?? 0,
  );
  const votes = new Map<number, number>();
  for (const probe of probes)
    for (let other = 0; other < b.high.length; other += 1)
      if (!b.isFlat[other] && distance(a, probe, b, other) <= ALIKE_BITS_MAX)
        votes.set(other - probe, (votes.get(other - probe) ?? 0) + 1);
  const best = [...votes].sort(([, one], [, another]) => another - one)[0];
  if (!best || best[1] < Math.min(VOTES_MIN, probes.length)) return undefined;
  const [offsetS] = best;
  let agreedS = 0;
  let comparedS = 0;
  for (const index of telling) {
    const other = index + offsetS;
    if (other < 0 || other >= b.high.length || b.isFlat[other]) continue;
    comparedS += 1;
    // Seconds do not begin at the same frame in both, so the neighbours may be the better match.
    const near = [other - 1, other, other + 1].filter((at) => at >= 0 && at < b.high.length);
    if (near.some((at) => distance(a, index, b, at) <= ALIKE_BITS_MAX)) agreedS += 1;
  }
  if (comparedS < COMPARED_S_MIN) return undefined;
  return { similarity: agreedS / comparedS, offsetS, agreedS };
}

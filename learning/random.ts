/**
 * A seeded generator, so that whatever is left to chance can be had again: sfc32 (C. Doty-Humphrey, PractRand), 128 bits of state, seeded
 * by splitmix32 as its author advises. It is for learning and simulation; nothing secret may come of it.
 */

/** Uniform numbers from 0, inclusive, to 1, exclusive, in steps of 2^-32. */
export type Random = () => number;

const WARM_UP = 12;

/** @param seed any integer; only its lower 32 bits count */
export function seededRandom(seed: number): Random {
  let mixed = seed | 0;
  const splitmix = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = mixed ^ (mixed >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let [a, b, c, counter] = [splitmix(), splitmix(), splitmix(), 1];
  const next: Random = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < WARM_UP; i++) next();
  return next;
}

/** A whole number from 0 to `count` - 1. */
export const randomBelow = (random: Random, count: number): number => Math.floor(random() * count);

/** Two halves of the Box-Muller transform would be one too many to keep: each call spends two uniform numbers on one normal one. */
export const randomNormal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Shuffles in place (Fisher-Yates) and returns what it was given. */
export function shuffle<T extends { readonly length: number; [index: number]: unknown }>(all: T, random: Random): T {
  const values: { [index: number]: unknown } = all;
  for (let i = all.length - 1; i > 0; i--) {
    const j = randomBelow(random, i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return all;
}

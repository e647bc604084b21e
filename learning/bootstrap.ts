/**
 * Percentile bootstrap (B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993): how far a statistic of a sample may be from
 * that of everybody, by drawing samples of the same size from it, with replacement. Pairs stay together: who is drawn is drawn with all of
 * their figures.
 */
import { type Random, randomBelow } from "./random.ts";

export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly random: Random;
  /** How many samples are drawn. */
  readonly repeats?: number;
  /** Such as .95. */
  readonly level?: number;
}

/** @param statistic of the units with these indices, which may occur more than once */
export function bootstrap(
  units: number,
  statistic: (drawn: Uint32Array) => number,
  { random, repeats = 2_000, level = 0.95 }: BootstrapOptions,
): Interval {
  const drawn = Uint32Array.from({ length: units }, (_, i) => i);
  const estimate = statistic(drawn);
  const found = Float64Array.from({ length: repeats }, () => {
    for (let i = 0; i < units; i++) drawn[i] = randomBelow(random, units);
    return statistic(drawn);
  }).sort();
  const at = (share: number): number => found[Math.min(repeats - 1, Math.floor(share * repeats))] ?? Number.NaN;
  return { estimate, low: at((1 - level) / 2), high: at((1 + level) / 2) };
}

export function meanAt(values: ArrayLike<number>, at: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < at.length; i++) sum += values[at[i] ?? 0] ?? 0;
  return at.length === 0 ? Number.NaN : sum / at.length;
}

/** The mean of `a` less that of `b`, where both have one figure for each unit. */
export const pairedDifference = (a: ArrayLike<number>, b: ArrayLike<number>, options: BootstrapOptions): Interval =>
  bootstrap(a.length, (drawn) => meanAt(a, drawn) - meanAt(b, drawn), options);

/** The mean of `a` over that of `b`, where both have one figure for each unit. */
export const pairedRatio = (a: ArrayLike<number>, b: ArrayLike<number>, options: BootstrapOptions): Interval =>
  bootstrap(a.length, (drawn) => meanAt(a, drawn) / meanAt(b, drawn), options);

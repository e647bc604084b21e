/**
 * How far what a model sees, or says, has moved from what it was trained on: the population stability index (Siddiqi 2006, "Credit risk
 * scorecards", chapter 8: below .1 nothing, from .25 on a great deal) and the Kullback-Leibler divergence, over bins that hold equal shares
 * of the reference. Every bin gets half a sample more (Krichevsky and Trofimov 1981), so that an empty one gives a finite figure.
 */

/** A distribution as shares of bins, small enough to be kept beside a model. */
export interface Reference {
  /** Upper bounds of all bins but the last, ascending. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

export interface Drift {
  readonly psi: number;
  /** Of what is seen now from the reference, in nats. */
  readonly kl: number;
}

/** The reference of some samples in at most `bins` bins; values that are frequent have fewer. */
export function referenceOf(samples: ArrayLike<number>, bins = 10): Reference {
  const sorted = Float64Array.from(Array.from(samples).filter((value) => !Number.isNaN(value))).sort();
  const bounds: number[] = [];
  for (let bin = 1; bin < bins; bin += 1) {
    const bound = sorted[Math.floor((bin * sorted.length) / bins) - 1];
    if (bound !== undefined && bound > (bounds.at(-1) ?? Number.NEGATIVE_INFINITY) && bound < (sorted.at(-1) ?? 0))
      bounds.push(bound);
  }
  return { bounds, counts: countInto(bounds, sorted) };
}

/** How many samples each bin has; a missing value is in none. */
export function countInto(bounds: readonly number[], samples: ArrayLike<number>): number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  for (const value of Array.from(samples)) {
    if (Number.isNaN(value)) continue;
    const found = bounds.findIndex((bound) => value <= bound);
    const bin = found === -1 ? bounds.length : found;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** Compares counts of the reference's bins with the reference. */
export function driftOf({ counts: reference }: Reference, counts: readonly number[]): Drift {
  if (counts.length !== reference.length)
    throw new RangeError(`${counts.length} bins are not the ${reference.length} of the reference`);
  const was = sharesOf(reference);
  const is = sharesOf(counts);
  return was.reduce<Drift>(
    ({ psi, kl }, before, bin) => {
      const now = is[bin] ?? 0;
      const log = Math.log(now / before);
      return { psi: psi + (now - before) * log, kl: kl + now * log };
    },
    { psi: 0, kl: 0 },
  );
}

function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count + 0.5, 0);
  return counts.map((count) => (count + 0.5) / total);
}

/**
 * Whether people came to the arms of an experiment in the shares that were meant: Pearson's chi-square test (Fabijan et al. 2019, "Diagnosing
 * sample ratio mismatch in online controlled experiments", KDD). Where they did not, something keeps people out of an arm, and its results
 * say nothing.
 */

/** The chance of counts that are at least so far from their shares. `shares` need not add up to 1; all are above 0. */
export function sampleRatioPValue(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const whole = shares.reduce((sum, share) => sum + share, 0);
  if (counts.length !== shares.length || counts.length < 2 || shares.some((share) => !(share > 0)))
    throw new RangeError(`${counts.length} counts do not go with the shares ${shares.join(", ")}`);
  if (total === 0) return 1;
  const statistic = counts.reduce((sum, count, arm) => {
    const expected = (total * (shares[arm] ?? 0)) / whole;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  return upperGamma((counts.length - 1) / 2, statistic / 2);
}

const TERMS_MAX = 500;
const PRECISION = 1e-14;

/** The regularised upper incomplete gamma function Q(a, x) for a positive multiple of one half. */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  if (x < a + 1) return 1 - lowerSeries(a, x);
  // Lentz's method for the continued fraction (DLMF 8.9.2; Press et al., "Numerical recipes", section 6.2).
  let b = x + 1 - a;
  let c = 1 / Number.MIN_VALUE ** 0.25;
  let d = 1 / b;
  let fraction = d;
  for (let term = 1; term < TERMS_MAX; term += 1) {
    const factor = -term * (term - a);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < PRECISION) break;
  }
  return Math.exp(-x + a * Math.log(x) - logGamma(a)) * fraction;
}

/** P(a, x) by its power series (DLMF 8.7.1). */
function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < TERMS_MAX && term > sum * PRECISION; n += 1) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * Math.exp(-x + a * Math.log(x) - logGamma(a));
}

/** Of a positive multiple of one half: gamma(1/2) is the root of pi, gamma(1) is 1, and gamma(a + 1) is a times gamma(a). */
function logGamma(a: number): number {
  let sum = a % 1 === 0 ? 0 : 0.5 * Math.log(Math.PI);
  for (let factor = a % 1 === 0 ? 1 : 0.5; factor < a; factor += 1) sum += Math.log(factor);
  return sum;
}

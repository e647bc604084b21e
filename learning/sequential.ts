/**
 * Tests that may be looked at at any time: the mixture sequential probability ratio test (Robbins 1970; Johari, Koomen, Pekelis and Walsh 2022,
 * "Always valid inference: continuous monitoring of A/B tests", Operations Research 70(3); the same authors 2015, "Peeking at A/B tests").
 * The likelihood of every effect is mixed with a normal density around none; where nothing differs, the ratio exceeds 1/alpha at any time
 * with a chance of at most alpha. Variances are those of the samples, as section 5 of the paper has it for samples that are not small:
 * below `LEAST_SAMPLES` in an arm nothing is said.
 */

/** What is known of an arm: sums are enough, so arms can be added up from anywhere. */
export interface Arm {
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
}

export const NO_SAMPLES: Arm = { count: 0, sum: 0, sumOfSquares: 0 };
export const LEAST_SAMPLES = 100;

export interface Verdict {
  /** Treatment less control. */
  readonly effect: number;
  /** Always valid: the smallest that was ever seen counts. */
  readonly pValue: number;
  /** Covers the true effect at all times together with a chance of 1 - alpha. */
  readonly low: number;
  readonly high: number;
}

export interface Test {
  /** Chance of an alarm where nothing differs. */
  readonly alpha: number;
  /** The effect that is worth finding, in the metric's unit: the mixture's standard deviation. The test is valid for any, and quickest near it. */
  readonly scale: number;
}

export const addSample = ({ count, sum, sumOfSquares }: Arm, value: number): Arm => ({
  count: count + 1,
  sum: sum + value,
  sumOfSquares: sumOfSquares + value * value,
});

export const mean = ({ count, sum }: Arm): number => (count === 0 ? 0 : sum / count);

/** Compares two arms as they are now. `before` is the p-value of the last look: one that was reached stays reached. */
export function compare(control: Arm, treatment: Arm, { alpha, scale }: Test, before = 1): Verdict {
  const effect = mean(treatment) - mean(control);
  const variance = varianceOfMean(control) + varianceOfMean(treatment);
  if (Math.min(control.count, treatment.count) < LEAST_SAMPLES || !(variance > 0))
    return { effect, pValue: before, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const mixture = scale * scale;
  const logRatio =
    0.5 * Math.log(variance / (variance + mixture)) +
    (mixture * effect * effect) / (2 * variance * (variance + mixture));
  const half = Math.sqrt(
    ((2 * variance * (variance + mixture)) / mixture) *
      (Math.log(1 / alpha) + 0.5 * Math.log((variance + mixture) / variance)),
  );
  return { effect, pValue: Math.min(before, Math.exp(-logRatio)), low: effect - half, high: effect + half };
}

function varianceOfMean({ count, sum, sumOfSquares }: Arm): number {
  if (count < 2) return Number.NaN;
  // Rounding may take what is almost nothing below it.
  const variance = Math.max(0, (sumOfSquares - (sum * sum) / count) / (count - 1));
  return variance / count;
}

/** The benchmark's own baseline, as its program "windowedGaussian" is written: how far into the tail of a normal distribution over the last rows. */
const WINDOW = 6_400;
const STEP = 100;

export function gaussianScores(series: Float64Array): Float64Array {
  let window: number[] = [];
  let step: number[] = [];
  let [mean, deviation] = [0, 1];
  const update = (): void => {
    mean = window.reduce((sum, value) => sum + value, 0) / window.length;
    deviation = Math.sqrt(window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / window.length) || 1e-6;
  };
  return series.map((value) => {
    const score = window.length > 0 ? 1 - 0.5 * erfc(Math.abs(value - mean) / deviation / Math.SQRT2) : 0;
    if (window.length < WINDOW) {
      window.push(value);
      update();
      return score;
    }
    step.push(value);
    if (step.length === STEP) {
      window = [...window.slice(STEP), ...step];
      step = [];
      update();
    }
    return score;
  });
}

/**
 * The complementary error function of a number that is not negative: the series where it is small, else the continued fraction (Abramowitz and
 * Stegun 7.1.5 and 7.1.14), so that far tails stay apart as they do in the original.
 */
export function erfc(x: number): number {
  if (x < 2) {
    let [term, sum] = [x, x];
    for (let n = 1; n < 60; n += 1) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n >= 1; n -= 1) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

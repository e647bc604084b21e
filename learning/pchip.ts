/**
 * Piecewise cubic interpolation that keeps the shape of its points (F. Fritsch and J. Butland 1984, "A method for constructing local monotone
 * piecewise cubic interpolants"): where points rise, so does the curve.
 */

export interface Curve {
  /** Strictly ascending. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** The slope at each point. */
  readonly slope: Float64Array;
}

/** @throws RangeError where there are fewer than two points or their x do not ascend */
export function pchip(x: ArrayLike<number>, y: ArrayLike<number>): Curve {
  const count = x.length;
  if (count < 2 || y.length !== count) throw new RangeError(`${count} and ${y.length} are not two or more points`);
  const [xs, ys] = [Float64Array.from(x), Float64Array.from(y)];
  const width = Float64Array.from({ length: count - 1 }, (_, i) => at(xs, i + 1) - at(xs, i));
  if (width.some((step) => !(step > 0))) throw new RangeError("the points of a curve do not ascend");
  const secant = width.map((step, i) => (at(ys, i + 1) - at(ys, i)) / step);
  const slope = Float64Array.from({ length: count }, (_, i) => {
    if (i === 0) return endSlope(at(width, 0), at(width, 1), at(secant, 0), at(secant, 1));
    const last = count - 2;
    if (i === count - 1) return endSlope(at(width, last), at(width, last - 1), at(secant, last), at(secant, last - 1));
    const [before, after] = [at(secant, i - 1), at(secant, i)];
    if (before * after <= 0) return 0;
    const [w1, w2] = [2 * at(width, i) + at(width, i - 1), at(width, i) + 2 * at(width, i - 1)];
    return (w1 + w2) / (w1 / before + w2 / after);
  });
  return { x: xs, y: ys, slope };
}

/** The three-point formula at an end, held back where it would leave the shape; the secant where there are two points only. */
function endSlope(near: number, far: number, secant: number, next: number): number {
  if (Number.isNaN(next)) return secant;
  const slope = ((2 * near + far) * secant - near * next) / (near + far);
  if (slope * secant <= 0) return 0;
  return secant * next <= 0 && Math.abs(slope) > 3 * Math.abs(secant) ? 3 * secant : slope;
}

/** The integral of a curve from `from` to `to`, both within it. */
export function integrate({ x, y, slope }: Curve, from: number, to: number): number {
  let sum = 0;
  for (let i = 0; i + 1 < x.length; i += 1) {
    const [start, end] = [Math.max(from, at(x, i)), Math.min(to, at(x, i + 1))];
    if (!(end > start)) continue;
    const width = at(x, i + 1) - at(x, i);
    // The cubic on 0 to 1 by its Hermite form (de Boor 1978, "A practical guide to splines", IV), and its antiderivative.
    const [c0, c1] = [at(y, i), width * at(slope, i)];
    const rise = at(y, i + 1) - c0;
    const c3 = c1 + width * at(slope, i + 1) - 2 * rise;
    const c2 = rise - c1 - c3;
    const whole = (t: number): number => t * (c0 + t * (c1 / 2 + t * (c2 / 3 + (t * c3) / 4)));
    sum += width * (whole((end - at(x, i)) / width) - whole((start - at(x, i)) / width));
  }
  return sum;
}

/** The curve at `of`; beyond its ends as it was there. */
export function valueAt({ x, y, slope }: Curve, of: number): number {
  const after = x.findIndex((known) => known >= of);
  if (after === 0) return at(y, 0);
  if (after === -1) return at(y, x.length - 1);
  const i = after - 1;
  const width = at(x, i + 1) - at(x, i);
  const t = (of - at(x, i)) / width;
  const [c0, c1] = [at(y, i), width * at(slope, i)];
  const rise = at(y, i + 1) - c0;
  const c3 = c1 + width * at(slope, i + 1) - 2 * rise;
  return c0 + t * (c1 + t * (rise - c1 - c3 + t * c3));
}

const at = (values: Float64Array, index: number): number => values[index] ?? Number.NaN;

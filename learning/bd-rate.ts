/**
 * How much less one way of encoding needs for the same quality than another, over a range of qualities (G. Bjontegaard 2001, "Calculation of average PSNR
 * differences between RD-curves", VCEG-M33), with piecewise cubic curves in place of one cubic, as VCEG-AE07 advises: four points of a ladder are no cubic.
 */
import { integrate, pchip } from "./pchip.ts";

export interface RatePoint {
  /** In any unit, above 0. */
  readonly rate: number;
  readonly quality: number;
}

export interface BdRate {
  /** -0.2 where the tested way needs a fifth less. */
  readonly change: number;
  /** What both curves have of the range that was asked for. */
  readonly from: number;
  readonly to: number;
}

/** Null where the curves have no quality of the range in common. */
export function bdRate(
  anchor: readonly RatePoint[],
  tested: readonly RatePoint[],
  range: { readonly from: number; readonly to: number },
): BdRate | null {
  const curves = [anchor, tested].map(worthwhile);
  const from = Math.max(range.from, ...curves.map((points) => points[0]?.quality ?? Number.POSITIVE_INFINITY));
  const to = Math.min(range.to, ...curves.map((points) => points.at(-1)?.quality ?? Number.NEGATIVE_INFINITY));
  if (!(to > from)) return null;
  const [before = 0, after = 0] = curves.map((points) => {
    const curve = pchip(
      points.map(({ quality }) => quality),
      points.map(({ rate }) => Math.log(rate)),
    );
    return integrate(curve, from, to);
  });
  return { change: Math.exp((after - before) / (to - from)) - 1, from, to };
}

/** Points in the order of their rates, without those that need more than another and look no better. */
export function worthwhile(points: readonly RatePoint[]): RatePoint[] {
  const kept: RatePoint[] = [];
  for (const point of points.toSorted((a, b) => a.rate - b.rate || b.quality - a.quality))
    if (point.quality > (kept.at(-1)?.quality ?? Number.NEGATIVE_INFINITY)) kept.push(point);
  return kept;
}

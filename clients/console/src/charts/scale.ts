/** Axes: values to places, and round figures to write beside them. Pure. */

export interface Scale {
  (value: number): number;
  readonly from: number;
  readonly to: number;
}

/** A straight line from values to places; a span of nothing is drawn in the middle. */
export function scaleOf(from: number, to: number, start: number, end: number): Scale {
  const place = (value: number): number =>
    to === from ? (start + end) / 2 : start + ((value - from) / (to - from)) * (end - start);
  return Object.assign(place, { from, to });
}

const STEPS = [1, 2, 2.5, 5, 10];

/** Round figures within a span, about as many as are asked for. */
export function ticksOf(from: number, to: number, count: number): number[] {
  const span = to - from;
  if (!(span > 0) || !Number.isFinite(span)) return [from];
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((each) => each * power >= rough) ?? 10) * power;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  // By whole steps: a sum of fractions would drift.
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** A span around values with some air, so that nothing lies on an edge. */
export function spanOf(values: readonly number[], air = 0.12): readonly [number, number] {
  const known = values.filter((value) => Number.isFinite(value));
  if (known.length === 0) return [0, 1];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const width = high - low || Math.max(Math.abs(high) * 0.1, 1e-3);
  return [low - width * air, high + width * air];
}

const DIGITS_MAX = 6;

/** The fewest digits with which all ticks are written as they are. */
export function digitsOf(ticks: readonly number[]): number {
  for (let digits = 0; digits < DIGITS_MAX; digits += 1)
    if (ticks.every((tick) => Math.abs(tick - Number(tick.toFixed(digits))) < 1e-9)) return digits;
  return DIGITS_MAX;
}

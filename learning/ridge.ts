/**
 * Linear regression with an L2 penalty (A. Hoerl and R. Kennard 1970, "Ridge regression: biased estimation for nonorthogonal problems") on
 * features of mean 0 and deviation 1; the constant is not penalised. It is for laws that are nearly linear and few rows, where trees would learn the rows.
 */
import { cholesky, solveFactored } from "./linear.ts";
import type { Table } from "./table.ts";

export interface Ridge {
  readonly constant: number;
  /** One a column, of the features as they come. */
  readonly weights: readonly number[];
}

/** @param penalty added to the diagonal of the features' correlations, such as .001 */
export function fitRidge({ values, columns }: Table, labels: ArrayLike<number>, penalty: number): Ridge {
  const rows = labels.length;
  if (rows === 0 || columns < 1 || values.length !== rows * columns)
    throw new RangeError(`${values.length} values are not ${rows} rows of ${columns} columns`);
  if (!(penalty > 0)) throw new RangeError(`penalty ${penalty} is not above 0`);
  const column = (j: number): Float64Array =>
    Float64Array.from({ length: rows }, (_, i) => values[i * columns + j] ?? 0);
  const meanOf = (of: Float64Array): number => of.reduce((sum, value) => sum + value, 0) / rows;
  const labelMean = meanOf(Float64Array.from(labels));
  const scaled = Array.from({ length: columns }, (_, j) => {
    const raw = column(j);
    const mean = meanOf(raw);
    const deviation = Math.sqrt(meanOf(raw.map((value) => (value - mean) ** 2)));
    // A column that is always the same says nothing, and its weight comes out as 0.
    const scale = deviation > 1e-12 ? deviation : Number.POSITIVE_INFINITY;
    return { mean, scale, unit: raw.map((value) => (value - mean) / scale) };
  });
  const product = (a: Float64Array, b: (row: number) => number): number =>
    a.reduce((sum, value, row) => sum + value * b(row), 0) / rows;
  const gram = new Float64Array(columns * columns);
  for (const [i, a] of scaled.entries())
    for (const [j, b] of scaled.entries())
      gram[i * columns + j] = product(a.unit, (row) => b.unit[row] ?? 0) + (i === j ? penalty : 0);
  cholesky(gram, columns);
  const solution = Float64Array.from(scaled, ({ unit }) => product(unit, (row) => (labels[row] ?? 0) - labelMean));
  solveFactored(gram, columns, solution);
  const weights = scaled.map(({ scale }, j) => (solution[j] ?? 0) / scale);
  const constant = labelMean - scaled.reduce((sum, { mean }, j) => sum + mean * (weights[j] ?? 0), 0);
  return { constant, weights };
}

export const predictRidge = ({ constant, weights }: Ridge, features: ArrayLike<number>): number =>
  weights.reduce((sum, weight, j) => sum + weight * (features[j] ?? 0), constant);

/**
 * Logistic regression with an L2 penalty: the baseline that a learned model has to beat. It is fitted by Newton's method, each step solved by
 * conjugate gradients, so that no matrix of features by features is built (Komarek and Moore 2005, "Making logistic regression a core data
 * mining tool with TR-IRLS"). Features are standardised by what the training rows say.
 */
import type { Table } from "./table.ts";

export interface Logistic {
  /** Of the features as they come, one each. */
  readonly weights: Float64Array;
  readonly intercept: number;
}

const STEPS_MAX = 30;
const TOLERANCE = 1e-8;

/** Fits weights to labels of 0 and 1; `penalty` is that of the standardised weights, the intercept has none. Missing values count as the mean. */
export function fitLogistic({ values, columns }: Table, labels: Float32Array, penalty = 1): Logistic {
  const rows = labels.length;
  const { means, deviations } = moments(values, columns, rows);
  // One column more, of ones, whose weight is the intercept.
  const width = columns + 1;
  const x = new Float64Array(rows * width);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const value = values[row * columns + column] ?? Number.NaN;
      x[row * width + column] = Number.isNaN(value) ? 0 : (value - (means[column] ?? 0)) / (deviations[column] ?? 1);
    }
    x[row * width + columns] = 1;
  }
  const weights = newton(x, width, labels, penalty);
  let intercept = weights[columns] ?? 0;
  const scaled = new Float64Array(columns);
  for (let column = 0; column < columns; column += 1) {
    const weight = (weights[column] ?? 0) / (deviations[column] ?? 1);
    scaled[column] = weight;
    intercept -= weight * (means[column] ?? 0);
  }
  return { weights: scaled, intercept };
}

/** The probability of 1 for each row. A missing value is left out of the sum, so features had better have none. */
export function predictLogistic({ weights, intercept }: Logistic, { values, columns }: Table): Float64Array {
  const rows = values.length / columns;
  return Float64Array.from({ length: rows }, (_, row) => {
    let score = intercept;
    for (let column = 0; column < columns; column += 1) {
      const value = values[row * columns + column] ?? Number.NaN;
      if (!Number.isNaN(value)) score += (weights[column] ?? 0) * value;
    }
    return sigmoid(score);
  });
}

export const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));

function newton(x: Float64Array, width: number, labels: Float32Array, penalty: number): Float64Array {
  const rows = labels.length;
  const weights = new Float64Array(width);
  const curvature = new Float64Array(rows);
  const residual = new Float64Array(rows);
  const penaltyOf = (column: number): number => (column === width - 1 ? 0 : penalty);
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const scores = times(x, width, weights);
    for (let row = 0; row < rows; row += 1) {
      const chance = sigmoid(scores[row] ?? 0);
      residual[row] = (labels[row] ?? 0) - chance;
      curvature[row] = Math.max(chance * (1 - chance), 1e-10);
    }
    const gradient = transposedTimes(x, width, residual);
    for (let column = 0; column < width; column += 1)
      gradient[column] = (gradient[column] ?? 0) - penaltyOf(column) * (weights[column] ?? 0);
    const hessian = (direction: Float64Array): Float64Array => {
      const along = times(x, width, direction);
      for (let row = 0; row < rows; row += 1) along[row] = (along[row] ?? 0) * (curvature[row] ?? 0);
      const back = transposedTimes(x, width, along);
      return back.map((value, column) => value + penaltyOf(column) * (direction[column] ?? 0));
    };
    const change = conjugateGradients(hessian, gradient);
    for (let column = 0; column < width; column += 1) weights[column] = (weights[column] ?? 0) + (change[column] ?? 0);
    if (dot(change, change) <= TOLERANCE * Math.max(1, dot(weights, weights))) break;
  }
  return weights;
}

/** Solves `apply(x) = target` for a symmetric positive matrix that is known by what it does (Hestenes and Stiefel 1952). */
function conjugateGradients(apply: (of: Float64Array) => Float64Array, target: Float64Array): Float64Array {
  const solution = new Float64Array(target.length);
  const residual = Float64Array.from(target);
  let direction = Float64Array.from(target);
  let square = dot(residual, residual);
  const enough = TOLERANCE * square;
  for (let step = 0; step < 2 * target.length && square > enough; step += 1) {
    const image = apply(direction);
    const length = square / dot(direction, image);
    for (let index = 0; index < target.length; index += 1) {
      solution[index] = (solution[index] ?? 0) + length * (direction[index] ?? 0);
      residual[index] = (residual[index] ?? 0) - length * (image[index] ?? 0);
    }
    const next = dot(residual, residual);
    const turn = next / square;
    direction = direction.map((value, index) => (residual[index] ?? 0) + turn * value);
    square = next;
  }
  return solution;
}

function times(x: Float64Array, width: number, by: Float64Array): Float64Array {
  return Float64Array.from({ length: x.length / width }, (_, row) => {
    let sum = 0;
    for (let column = 0; column < width; column += 1) sum += (x[row * width + column] ?? 0) * (by[column] ?? 0);
    return sum;
  });
}

function transposedTimes(x: Float64Array, width: number, by: Float64Array): Float64Array {
  const sums = new Float64Array(width);
  for (let row = 0; row < by.length; row += 1) {
    const factor = by[row] ?? 0;
    for (let column = 0; column < width; column += 1)
      sums[column] = (sums[column] ?? 0) + factor * (x[row * width + column] ?? 0);
  }
  return sums;
}

const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

function moments(values: Float32Array, columns: number, rows: number) {
  const means = new Float64Array(columns);
  const deviations = new Float64Array(columns);
  for (let column = 0; column < columns; column += 1) {
    let [count, mean, squares] = [0, 0, 0];
    for (let row = 0; row < rows; row += 1) {
      const value = values[row * columns + column] ?? Number.NaN;
      if (Number.isNaN(value)) continue;
      // Welford's update, which loses no digits where the mean is large.
      count += 1;
      const before = value - mean;
      mean += before / count;
      squares += before * (value - mean);
    }
    means[column] = mean;
    deviations[column] = squares > 0 ? Math.sqrt(squares / count) : 1;
  }
  return { means, deviations };
}

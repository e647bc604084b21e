/**
 * Features as small whole numbers, which histograms are made of (Ke et al. 2017, "LightGBM: a highly efficient gradient boosting decision tree",
 * section 2). A bin has an upper bound that lies between two values that occur, as a 32-bit float: who compares a feature with the bound, in
 * whatever runtime, comes to the same side as the bin did.
 */
import type { Table } from "./table.ts";

export interface Binned {
  readonly rows: number;
  readonly columns: number;
  /** Column after column, a bin for each row. */
  readonly bins: Uint8Array;
  /** For each column the upper bounds of its bins but the last, whose bound is infinite. */
  readonly bounds: readonly Float32Array[];
  /** For each column whether values are missing: they have a bin of their own after all others. */
  readonly hasMissing: readonly boolean[];
}

const LEAST_IN_BIN = 3;

/** Makes at most `binsMax` bins (2 to 255) of each column, of about as many rows each; few different values have a bin each. */
export function binTable({ values, columns }: Table, binsMax: number): Binned {
  const rows = values.length / columns;
  const bins = new Uint8Array(rows * columns);
  const bounds: Float32Array[] = [];
  const hasMissing: boolean[] = [];
  const column = new Float32Array(rows);
  for (let index = 0; index < columns; index += 1) {
    for (let row = 0; row < rows; row += 1) column[row] = values[row * columns + index] ?? Number.NaN;
    const known = column.filter((value) => !Number.isNaN(value)).sort();
    const upper = boundsOf(known, binsMax);
    bounds.push(upper);
    hasMissing.push(known.length < rows);
    const missing = upper.length + 1;
    for (let row = 0; row < rows; row += 1) {
      const value = column[row] ?? Number.NaN;
      bins[index * rows + row] = Number.isNaN(value) ? missing : binOf(upper, value);
    }
  }
  return { rows, columns, bins, bounds, hasMissing };
}

/** The first bin whose upper bound is not below the value. */
function binOf(bounds: Float32Array, value: number): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (bounds[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Bounds between sorted values, so that each bin holds its share of what is left; a value that is frequent has a bin alone. */
function boundsOf(sorted: Float32Array, binsMax: number): Float32Array {
  const { distinct, counts } = tally(sorted);
  const bounds: number[] = [];
  let [left, binsLeft, filled] = [sorted.length, binsMax, 0];
  const each = distinct.length <= binsMax;
  for (let index = 0; index + 1 < distinct.length && binsLeft > 1; index += 1) {
    filled += counts[index] ?? 0;
    const target = Math.max(LEAST_IN_BIN, left / binsLeft);
    const next = counts[index + 1] ?? 0;
    if (each ? filled < LEAST_IN_BIN : filled < target && !(next >= target && filled >= LEAST_IN_BIN)) continue;
    bounds.push(between(distinct[index] ?? 0, distinct[index + 1] ?? 0));
    left -= filled;
    binsLeft -= 1;
    filled = 0;
  }
  return Float32Array.from(bounds);
}

function tally(sorted: Float32Array): { readonly distinct: readonly number[]; readonly counts: readonly number[] } {
  const distinct: number[] = [];
  const counts: number[] = [];
  for (const value of sorted) {
    const last = distinct.length - 1;
    if (distinct[last] === value) counts[last] = (counts[last] ?? 0) + 1;
    else {
      distinct.push(value);
      counts.push(1);
    }
  }
  return { distinct, counts };
}

/** A 32-bit float that is not below `low` and below `high`. */
function between(low: number, high: number): number {
  // Halves are added, because the sum of two large floats may be infinite.
  const middle = Math.fround(low / 2 + high / 2);
  return middle >= low && middle < high ? middle : low;
}

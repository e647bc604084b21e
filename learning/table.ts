/** Rows of numbers, one row after the other, each of `columns` values; NaN stands for a missing one. */
export interface Table {
  readonly values: Float32Array;
  readonly columns: number;
}

/** Some rows of a table, in the order in which they are named. */
export function rowsOf({ values, columns }: Table, rows: ArrayLike<number>): Table {
  const chosen = new Float32Array(rows.length * columns);
  for (let index = 0; index < rows.length; index += 1) {
    const from = (rows[index] ?? 0) * columns;
    chosen.set(values.subarray(from, from + columns), index * columns);
  }
  return { values: chosen, columns };
}

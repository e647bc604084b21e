/**
 * Who has what, as a sparse matrix of zeros and ones by rows (compressed sparse rows): of users and items, or of items and their features.
 */
export interface Interactions {
  readonly rows: number;
  readonly columns: number;
  /** Where each row begins in `items`, and at last where the last one ends: rows + 1 numbers. */
  readonly starts: Uint32Array;
  /** The columns that are one, row by row, ascending within a row. */
  readonly items: Uint32Array;
}

/** What ranks the items of a catalogue for somebody, by what they have. */
export interface Ranker {
  /** Writes a score for each item into `scores`; the higher the better, and only comparable within one call. */
  score(history: Uint32Array, scores: Float64Array): void;
  /** For each of `items`, how much of its score is due to each item of the history; what is left of the score is due to none of them. */
  contributions(history: Uint32Array, items: readonly number[]): readonly Float64Array[];
}

/** @throws RangeError where a column is outside of the matrix; repetitions count once */
export function interactionsOf(lists: readonly Iterable<number>[], columns: number): Interactions {
  const sorted = lists.map((list) => Uint32Array.from(new Set(list)).sort());
  const starts = new Uint32Array(lists.length + 1);
  for (const [row, list] of sorted.entries()) {
    const last = list.at(-1) ?? 0;
    if (list.length > 0 && last >= columns)
      throw new RangeError(`column ${last} of row ${row} is not below ${columns}`);
    starts[row + 1] = (starts[row] ?? 0) + list.length;
  }
  const items = new Uint32Array(starts[lists.length] ?? 0);
  for (const [row, list] of sorted.entries()) items.set(list, starts[row]);
  return { rows: lists.length, columns, starts, items };
}

/** The columns of a row: a view, no copy. */
export const rowOf = ({ starts, items }: Interactions, row: number): Uint32Array =>
  items.subarray(starts[row] ?? 0, starts[row + 1] ?? 0);

/** How many rows have each column. */
export function columnCounts({ columns, items }: Interactions): Uint32Array {
  const counts = new Uint32Array(columns);
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1;
  return counts;
}

/** Rows become columns. */
export function transpose(matrix: Interactions): Interactions {
  const starts = new Uint32Array(matrix.columns + 1);
  const counts = columnCounts(matrix);
  for (const [column, count] of counts.entries()) starts[column + 1] = (starts[column] ?? 0) + count;
  const next = starts.slice();
  const items = new Uint32Array(matrix.items.length);
  for (let row = 0; row < matrix.rows; row++) {
    for (const column of rowOf(matrix, row)) {
      const at = next[column] ?? 0;
      items[at] = row;
      next[column] = at + 1;
    }
  }
  return { rows: matrix.columns, columns: matrix.rows, starts, items };
}

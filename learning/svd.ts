/**
 * The largest singular values of a sparse matrix and their right vectors, by a random range and a few steps of subspace iteration (N. Halko, P.-G.
 * Martinsson and J. Tropp, "Finding structure with randomness: probabilistic algorithms for constructing approximate matrix decompositions", SIAM
 * Review 53, 2011, algorithms 4.4 and 5.1). Rows times of rank, a few times over, is all that it costs: the matrix is never made dense.
 */
import { addScaled, dot, eigenSymmetric } from "./linear.ts";
import { type Random, randomNormal } from "./random.ts";

/** A matrix by its rows: what stands in row `r` is at `starts[r]` up to `starts[r + 1]`. */
export interface SparseMatrix {
  readonly width: number;
  readonly starts: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Float32Array;
}

export interface Svd {
  /** How many there are: `rank`, or fewer where the matrix has no more. */
  readonly rank: number;
  /** The largest first. */
  readonly singular: Float64Array;
  /** A row of `rank` numbers for each column of the matrix. */
  readonly right: Float64Array;
}

export interface SvdOptions {
  readonly rank: number;
  readonly random: Random;
  /** More directions than are wanted, which makes those that are wanted right. */
  readonly oversampling?: number;
  readonly iterations?: number;
}

/** Shorter than this beside what it was, a vector has nothing of its own. */
const NOTHING_LEFT = 1e-10;

export function truncatedSvd(
  matrix: SparseMatrix,
  { rank, random, oversampling = 10, iterations = 3 }: SvdOptions,
): Svd {
  const { width } = matrix;
  const rows = matrix.starts.length - 1;
  const wanted = Math.min(rank + oversampling, rows, width);
  // Directions lie side by side for each column of the matrix while it is multiplied, and each by itself while they are made orthogonal.
  let basis: Float64Array = Float64Array.from({ length: width * wanted }, () => randomNormal(random));
  let count = wanted;
  for (let step = 0; step <= iterations; step += 1) {
    if (step > 0) basis = timesTransposed(matrix, times(matrix, basis, count), count);
    const turned = transposed(basis, width, count);
    count = orthonormalise(turned, width, count);
    basis = transposed(turned.subarray(0, width * count), count, width);
  }
  // The eigenvectors of what the matrix does within that space turn its directions into singular vectors (Rayleigh and Ritz).
  const images = transposed(times(matrix, basis, count), rows, count);
  const gram = new Float64Array(count * count);
  for (let i = 0; i < count; i += 1)
    for (let j = 0; j <= i; j += 1) {
      gram[i * count + j] = dot(images, i * rows, images, j * rows, rows);
      gram[j * count + i] = gram[i * count + j] ?? 0;
    }
  const { values, vectors } = eigenSymmetric(gram, count);
  const kept = Math.min(rank, count);
  const right = new Float64Array(width * kept);
  for (let column = 0; column < width; column += 1)
    for (let k = 0; k < kept; k += 1) right[column * kept + k] = dot(basis, column * count, vectors, k * count, count);
  return { rank: kept, singular: values.subarray(0, kept).map((value) => Math.sqrt(Math.max(0, value))), right };
}

/** The matrix times vectors: `count` numbers for each row, of `count` for each column. */
function times({ starts, columns, values }: SparseMatrix, by: Float64Array, count: number): Float64Array {
  const product = new Float64Array((starts.length - 1) * count);
  for (let row = 0; row + 1 < starts.length; row += 1)
    for (let at = starts[row] ?? 0; at < (starts[row + 1] ?? 0); at += 1)
      addScaled(product, row * count, values[at] ?? 0, by, (columns[at] ?? 0) * count, count);
  return product;
}

/** Its transpose times vectors. */
function timesTransposed(matrix: SparseMatrix, by: Float64Array, count: number): Float64Array {
  const { starts, columns, values, width } = matrix;
  const product = new Float64Array(width * count);
  for (let row = 0; row + 1 < starts.length; row += 1)
    for (let at = starts[row] ?? 0; at < (starts[row + 1] ?? 0); at += 1)
      addScaled(product, (columns[at] ?? 0) * count, values[at] ?? 0, by, row * count, count);
  return product;
}

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array<ArrayBuffer> {
  const turned = new Float64Array(matrix.length);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1)
      turned[column * rows + row] = matrix[row * columns + column] ?? 0;
  return turned;
}

/**
 * Makes vectors of `length` numbers, one after the other, orthogonal and as long as one, in place (Gram and Schmidt, modified, and twice: "twice is
 * enough", Kahan and Parlett). Those that have nothing of their own are left out: it says how many there are.
 */
function orthonormalise(vectors: Float64Array, length: number, count: number): number {
  let kept = 0;
  for (let each = 0; each < count; each += 1) {
    const at = kept * length;
    if (each !== kept) vectors.copyWithin(at, each * length, (each + 1) * length);
    const before = Math.sqrt(dot(vectors, at, vectors, at, length));
    for (let time = 0; time < 2; time += 1)
      for (let other = 0; other < kept; other += 1)
        addScaled(vectors, at, -dot(vectors, at, vectors, other * length, length), vectors, other * length, length);
    const left = Math.sqrt(dot(vectors, at, vectors, at, length));
    if (!(left > NOTHING_LEFT * before)) continue;
    for (let i = at; i < at + length; i += 1) vectors[i] = (vectors[i] ?? 0) / left;
    kept += 1;
  }
  return kept;
}

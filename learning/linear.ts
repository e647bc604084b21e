/**
 * Dense linear algebra for symmetric positive definite matrices (Golub and Van Loan, Matrix Computations, 4.2). A matrix of n x n is a
 * Float64Array of n * n, row by row. All inner loops go along rows, so that what is read lies side by side.
 */

/** The inner product of `length` numbers of `a` from `atA` and of `b` from `atB`. Four sums, since one would wait for itself. */
export function dot(a: Float64Array, atA: number, b: Float64Array, atB: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    s0 += (a[atA + i] ?? 0) * (b[atB + i] ?? 0);
    s1 += (a[atA + i + 1] ?? 0) * (b[atB + i + 1] ?? 0);
    s2 += (a[atA + i + 2] ?? 0) * (b[atB + i + 2] ?? 0);
    s3 += (a[atA + i + 3] ?? 0) * (b[atB + i + 3] ?? 0);
  }
  for (; i < length; i++) s0 += (a[atA + i] ?? 0) * (b[atB + i] ?? 0);
  return s0 + s1 + s2 + s3;
}

/** `y += factor * x`, for `length` numbers of `y` from `atY` and of `x` from `atX`. */
export function addScaled(
  y: Float64Array,
  atY: number,
  factor: number,
  x: Float64Array,
  atX: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) y[atY + i] = (y[atY + i] ?? 0) + factor * (x[atX + i] ?? 0);
}

/**
 * The factor L of A = L Lᵀ, in place: it takes the lower triangle of A and leaves L there; what is above the diagonal is not touched.
 * @throws RangeError where A is not positive definite
 */
export function cholesky(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j < i; j++) {
      const left = (a[row + j] ?? 0) - dot(a, row, a, j * n, j);
      a[row + j] = left / (a[j * n + j] ?? 0);
    }
    const pivot = (a[row + i] ?? 0) - dot(a, row, a, row, i);
    if (!(pivot > 0)) throw new RangeError(`the matrix is not positive definite: pivot ${i} is ${pivot}`);
    a[row + i] = Math.sqrt(pivot);
  }
}

/** Solves L Lᵀ x = b in place, given the factor that `cholesky` left. */
export function solveFactored(l: Float64Array, n: number, b: Float64Array): void {
  for (let i = 0; i < n; i++) b[i] = ((b[i] ?? 0) - dot(l, i * n, b, 0, i)) / (l[i * n + i] ?? 0);
  for (let i = n - 1; i >= 0; i--) {
    const x = (b[i] ?? 0) / (l[i * n + i] ?? 0);
    b[i] = x;
    addScaled(b, 0, -x, l, i * n, i);
  }
}

/**
 * The inverse of a symmetric positive definite matrix, as (L⁻¹)ᵀ L⁻¹; both triangles are filled. `a` is used up. About n³ / 2
 * multiplications and additions.
 * @throws RangeError where A is not positive definite
 */
export function invertPositive(a: Float64Array, n: number): Float64Array {
  cholesky(a, n);
  const inverse = new Float64Array(n * n);
  const row = new Float64Array(n);
  // L becomes its inverse, row by row: a row needs those before it, which are inverted, and itself, which is not.
  for (let i = 0; i < n; i++) {
    const pivot = 1 / (a[i * n + i] ?? 0);
    row.fill(0, 0, i);
    for (let k = 0; k < i; k++) addScaled(row, 0, -(a[i * n + k] ?? 0), a, k * n, k + 1);
    for (let k = 0; k < i; k++) a[i * n + k] = (row[k] ?? 0) * pivot;
    a[i * n + i] = pivot;
  }
  for (let k = 0; k < n; k++) {
    for (let i = 0; i <= k; i++) addScaled(inverse, i * n, a[k * n + i] ?? 0, a, k * n, i + 1);
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) inverse[j * n + i] = inverse[i * n + j] ?? 0;
  return inverse;
}

/** Sweeps of Jacobi's method converge quadratically: ten are plenty for what a double holds. */
const SWEEPS_MAX = 30;

/**
 * Eigenvalues of a symmetric matrix, the largest first, and their vectors, each in a row of its own, by Jacobi's cyclic method (Golub and Van Loan,
 * 8.5). `a` is used up.
 */
export function eigenSymmetric(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const squares = dot(a, 0, a, 0, n * n);
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let outside = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) outside += (a[p * n + q] ?? 0) ** 2;
    if (outside <= squares * 1e-28) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => (a[j * n + j] ?? 0) - (a[i * n + i] ?? 0));
  const sorted = new Float64Array(n * n);
  for (const [place, i] of order.entries()) sorted.set(vectors.subarray(i * n, (i + 1) * n), place * n);
  return { values: Float64Array.from(order, (i) => a[i * n + i] ?? 0), vectors: sorted };
}

/** Turns the plane of two coordinates so that nothing is left of what couples them. */
function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const coupled = a[p * n + q] ?? 0;
  if (coupled === 0) return;
  const tau = ((a[q * n + q] ?? 0) - (a[p * n + p] ?? 0)) / (2 * coupled);
  const tangent = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = tangent * cosine;
  const turn = (matrix: Float64Array, one: number, other: number): void => {
    const [x, y] = [matrix[one] ?? 0, matrix[other] ?? 0];
    matrix[one] = cosine * x - sine * y;
    matrix[other] = sine * x + cosine * y;
  };
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q);
  for (let k = 0; k < n; k++) {
    turn(a, p * n + k, q * n + k);
    turn(vectors, p * n + k, q * n + k);
  }
}

/**
 * EASE (H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019): the linear model of items on items without a diagonal
 * that reconstructs what people have best, in closed form.
 *
 *   P = (XᵀX + λI)⁻¹        B_ij = -P_ij / P_jj for i ≠ j, B_jj = 0        scores = x B
 *
 * With more items than users, P is not made at all. By the Woodbury identity, with K = (XXᵀ + λI)⁻¹ of users and users,
 *
 *   λP = I - XᵀKX           λP_jj = 1 - x_jᵀ K x_j                          (xP)_j = (x_j - (x Xᵀ K) X_j) / λ
 *
 * so that fitting takes users³ and scoring users² + the ones of X, where the textbook's form takes items³ and the history times items.
 */
import { addScaled, dot, invertPositive } from "./linear.ts";
import { type Ranker, type Interactions, rowOf, transpose } from "./interactions.ts";

export interface EaseOptions {
  /** λ: how strongly weights are held to zero. */
  readonly regularisation: number;
}

/** @throws RangeError where λ is not positive */
export function fitEase(matrix: Interactions, { regularisation }: EaseOptions): Ranker {
  if (!(regularisation > 0)) throw new RangeError(`a regularisation of ${regularisation} is not above 0`);
  return matrix.rows < matrix.columns ? fitByUsers(matrix, regularisation) : fitByItems(matrix, regularisation);
}

/** XᵀX + λI of the matrix's columns, of which `byColumn` is the transposed. */
function regularisedGram(matrix: Interactions, byColumn: Interactions, regularisation: number): Float64Array {
  const n = matrix.columns;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (const row of rowOf(byColumn, i)) {
      for (const j of rowOf(matrix, row)) gram[i * n + j] = (gram[i * n + j] ?? 0) + 1;
    }
    gram[i * n + i] = (gram[i * n + i] ?? 0) + regularisation;
  }
  return gram;
}

function fitByItems(matrix: Interactions, regularisation: number): Ranker {
  const n = matrix.columns;
  const weights = invertPositive(regularisedGram(matrix, transpose(matrix), regularisation), n);
  const scale = Float64Array.from({ length: n }, (_, j) => -1 / (weights[j * n + j] ?? 1));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) weights[i * n + j] = i === j ? 0 : (weights[i * n + j] ?? 0) * (scale[j] ?? 0);
  }
  return {
    score: (history, scores) => {
      scores.fill(0);
      for (const i of history) addScaled(scores, 0, 1, weights, i * n, n);
    },
    contributions: (history, items) =>
      items.map((item) => Float64Array.from(history, (i) => weights[i * n + item] ?? 0)),
  };
}

function fitByUsers(matrix: Interactions, regularisation: number): Ranker {
  const { rows: users, columns: n } = matrix;
  const byItem = transpose(matrix);
  const kernel = invertPositive(regularisedGram(byItem, matrix, regularisation), users);
  const column = new Float64Array(users);
  /** K x_j, the kernel applied to those who have an item. */
  const applied = (of: Uint32Array): Float64Array => {
    column.fill(0);
    for (const user of of) addScaled(column, 0, 1, kernel, user * users, users);
    return column;
  };
  /** λP_jj, which is above zero since P is positive definite. */
  const diagonal = Float64Array.from({ length: n }, (_, j) => {
    const having = rowOf(byItem, j);
    return 1 - sumAt(applied(having), having);
  });
  return {
    score: (history, scores) => {
      // How often each user shares an item of the history, x Xᵀ, then times K.
      const shared = new Float64Array(users);
      for (const item of history) for (const user of rowOf(byItem, item)) shared[user] = (shared[user] ?? 0) + 1;
      const weights = Float64Array.from({ length: users }, (_, user) => dot(kernel, user * users, shared, 0, users));
      scores.fill(0);
      for (let user = 0; user < users; user++) {
        const weight = weights[user] ?? 0;
        for (const item of rowOf(matrix, user)) scores[item] = (scores[item] ?? 0) + weight;
      }
      // An item does not speak for itself: its own one, less what P took of it, goes.
      for (const item of history) scores[item] = (scores[item] ?? 0) - (1 - (diagonal[item] ?? 0));
      for (let j = 0; j < n; j++) scores[j] = (scores[j] ?? 0) / (diagonal[j] ?? 1);
    },
    contributions: (history, items) =>
      items.map((item) => {
        const of = applied(rowOf(byItem, item));
        return Float64Array.from(history, (i) =>
          i === item ? 0 : sumAt(of, rowOf(byItem, i)) / (diagonal[item] ?? 1),
        );
      }),
  };
}

function sumAt(values: Float64Array, at: Uint32Array): number {
  let sum = 0;
  for (const index of at) sum += values[index] ?? 0;
  return sum;
}

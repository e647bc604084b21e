/**
 * Implicit alternating least squares (Y. Hu, Y. Koren, C. Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008),
 * as S. Rendle, W. Krichene, L. Zhang and Y. Koren would have it ("Revisiting the performance of iALS on item recommendation benchmarks",
 * 2021): the weight of what is not there and the regularisation are searched together, and the latter grows with how often a row occurs.
 *
 *   loss = Σ over ones (1 - w_u·h_i)² + α Σ over all (w_u·h_i)² + λ (Σ_u (n_u + α items)^ν |w_u|² + Σ_i (n_i + α users)^ν |h_i|²)
 */
import { type Interactions, type Ranker, rowOf, transpose } from "./interactions.ts";
import { addScaled, cholesky, dot, solveFactored } from "./linear.ts";
import { type Random, randomNormal } from "./random.ts";

export interface IalsOptions {
  readonly dimensions: number;
  readonly epochs: number;
  /** α: how much it counts that somebody does not have an item. */
  readonly unobservedWeight: number;
  /** λ. */
  readonly regularisation: number;
  /** ν: 0 regularises all rows alike, 1 in proportion to how often they occur. */
  readonly regularisationExponent: number;
}

const INITIAL_DEVIATION = 0.1;

export function fitIals(matrix: Interactions, options: IalsOptions, random: Random): Ranker {
  const { dimensions: d } = options;
  const byItem = transpose(matrix);
  const deviation = INITIAL_DEVIATION / Math.sqrt(d);
  const embeddings = (count: number) =>
    Float64Array.from({ length: count * d }, () => deviation * randomNormal(random));
  const users = embeddings(matrix.rows);
  const items = embeddings(matrix.columns);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const toUser = solver(items, matrix.columns, options);
    for (let user = 0; user < matrix.rows; user++) users.set(toUser(rowOf(matrix, user)), user * d);
    const toItem = solver(users, matrix.rows, options);
    for (let item = 0; item < matrix.columns; item++) items.set(toItem(rowOf(byItem, item)), item * d);
  }
  const fold = solver(items, matrix.columns, options);
  return {
    score: (history, scores) => {
      const user = fold(history);
      for (let item = 0; item < matrix.columns; item++) scores[item] = dot(user, 0, items, item * d, d);
    },
    // The score is h_jᵀ A⁻¹ Σ h_i, with A the system of this history (Hu et al., section 5).
    contributions: (history, wanted) =>
      wanted.map((item) => {
        const weighted = fold(history, items.subarray(item * d, (item + 1) * d));
        return Float64Array.from(history, (i) => dot(weighted, 0, items, i * d, d));
      }),
  };
}

type Solver = (having: Uint32Array, rightSide?: Float64Array) => Float64Array;

/**
 * The best embedding of a row, while those of the other side stand still; or A⁻¹ times another right side than the sum of what the row has.
 * The one array is used again by the next call.
 */
function solver(others: Float64Array, count: number, options: IalsOptions): Solver {
  const { dimensions: d, unobservedWeight, regularisation, regularisationExponent } = options;
  const gram = new Float64Array(d * d);
  const addOuter = (matrix: Float64Array, at: number, factor: number): void => {
    for (let i = 0; i < d; i++) addScaled(matrix, i * d, factor * (others[at + i] ?? 0), others, at, i + 1);
  };
  for (let other = 0; other < count; other++) addOuter(gram, other * d, unobservedWeight);
  const system = new Float64Array(d * d);
  const solution = new Float64Array(d);
  return (having, rightSide) => {
    solution.fill(0);
    // Nothing draws it anywhere.
    if (having.length === 0 && !rightSide) return solution;
    system.set(gram);
    if (rightSide) solution.set(rightSide);
    for (const other of having) {
      addOuter(system, other * d, 1);
      if (!rightSide) addScaled(solution, 0, 1, others, other * d, d);
    }
    const ridge = regularisation * (having.length + unobservedWeight * count) ** regularisationExponent;
    for (let i = 0; i < d; i++) system[i * d + i] = (system[i * d + i] ?? 0) + ridge;
    cholesky(system, d);
    solveFactored(system, d, solution);
    return solution;
  };
}

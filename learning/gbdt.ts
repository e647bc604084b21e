/**
 * Gradient boosted trees over histograms (Friedman 2001, "Greedy function approximation"; Ke et al. 2017, "LightGBM"): each tree takes a Newton
 * step on the loss (Chen and Guestrin 2016, "XGBoost", section 2.2), grows where the gain is largest and not level by level (Shi 2007,
 * "Best-first decision tree learning"), and counts only the smaller of two children, because the larger one is the difference to their parent.
 * Sampling of rows and bundling of features, which the paper adds for wide and sparse data, are left out. There is no chance in it: the same
 * table gives the same model.
 */
import { binTable } from "./bins.ts";
import { growTree } from "./tree.ts";
import { sigmoid } from "./logistic.ts";
import type { Table } from "./table.ts";

export type Loss = "logistic" | "squared";

export interface GbdtOptions {
  readonly loss: Loss;
  readonly trees: number;
  readonly leavesMax: number;
  readonly learningRate: number;
  /** A leaf has at least so many rows. */
  readonly leastRows: number;
  /** A leaf has at least so much of the second derivative's sum. */
  readonly leastHessian: number;
  /** The L2 penalty of leaf values. */
  readonly penalty: number;
  readonly binsMax: number;
}

/** The defaults of LightGBM 4, so that both can be compared as they come. */
export const GBDT_DEFAULTS: Omit<GbdtOptions, "loss"> = {
  trees: 100,
  leavesMax: 31,
  learningRate: 0.1,
  leastRows: 20,
  leastHessian: 1e-3,
  penalty: 0,
  binsMax: 255,
};

/** A tree as arrays of nodes; node 0 is the root, children come after their parent. */
export interface Tree {
  /** The feature that a node asks about; -1 in leaves. */
  readonly feature: Int32Array;
  /** A row goes left where its feature is at most this. */
  readonly threshold: Float32Array;
  /** 1 where a row whose feature is missing goes left. */
  readonly missingLeft: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** What a leaf adds to the score; 0 in other nodes. */
  readonly value: Float32Array;
  /** How much a split lowered the loss; 0 in leaves. */
  readonly gain: Float64Array;
}

export interface Gbdt {
  readonly loss: Loss;
  readonly columns: number;
  /** The score of a row before any tree: log odds of the base rate, or the mean. */
  readonly base: number;
  readonly trees: readonly Tree[];
}

/** Fits trees to labels: 0 or 1 with the logistic loss, any numbers with the squared one. */
export function trainGbdt(table: Table, labels: Float32Array, options: GbdtOptions): Gbdt {
  assertTable(table, labels, options);
  const binned = binTable(table, options.binsMax);
  const base = baseOf(labels, options.loss);
  const scores = new Float64Array(binned.rows).fill(base);
  const gradients = new Float64Array(binned.rows);
  const hessians = new Float64Array(binned.rows);
  const trees: Tree[] = [];
  const grow = growTree(binned, options);
  for (let round = 0; round < options.trees; round += 1) {
    derive(options.loss, scores, labels, gradients, hessians);
    const { tree, leaves } = grow(gradients, hessians);
    // Nothing is left to be learned: every later tree would be the same.
    if (tree.feature.length === 1) break;
    for (const { node, rows } of leaves) {
      const value = tree.value[node] ?? 0;
      for (const row of rows) scores[row] = (scores[row] ?? 0) + value;
    }
    trees.push(tree);
  }
  return { loss: options.loss, columns: table.columns, base, trees };
}

/** The model's answer for each row: a probability with the logistic loss, a number with the squared one. */
export function predictGbdt(model: Gbdt, { values, columns }: Table): Float64Array {
  const rows = values.length / columns;
  return Float64Array.from({ length: rows }, (_, row) => {
    let score = model.base;
    for (const tree of model.trees) score += tree.value[leafOf(tree, values, row * columns)] ?? 0;
    return model.loss === "logistic" ? sigmoid(score) : score;
  });
}

/** The node of the leaf that the row beginning at `offset` comes to. */
export function leafOf(tree: Tree, values: Float32Array, offset: number): number {
  let node = 0;
  for (let feature = tree.feature[0] ?? -1; feature >= 0; feature = tree.feature[node] ?? -1) {
    const value = values[offset + feature] ?? Number.NaN;
    const isLeft = Number.isNaN(value) ? tree.missingLeft[node] === 1 : value <= (tree.threshold[node] ?? 0);
    node = (isLeft ? tree.left[node] : tree.right[node]) ?? 0;
  }
  return node;
}

/** How much each feature lowered the loss over all trees, as shares whose sum is 1; zeros where nothing was learned. */
export function importance({ columns, trees }: Gbdt): Float64Array {
  const sums = new Float64Array(columns);
  for (const { feature, gain } of trees)
    for (const [node, column] of feature.entries())
      if (column >= 0) sums[column] = (sums[column] ?? 0) + (gain[node] ?? 0);
  const total = sums.reduce((sum, value) => sum + value, 0);
  return total > 0 ? sums.map((value) => value / total) : sums;
}

function derive(
  loss: Loss,
  scores: Float64Array,
  labels: Float32Array,
  gradients: Float64Array,
  hessians: Float64Array,
): void {
  for (let row = 0; row < scores.length; row += 1) {
    const score = scores[row] ?? 0;
    const label = labels[row] ?? 0;
    if (loss === "squared") {
      gradients[row] = score - label;
      hessians[row] = 1;
    } else {
      const chance = sigmoid(score);
      gradients[row] = chance - label;
      hessians[row] = chance * (1 - chance);
    }
  }
}

/** The constant that fits best, as a 32-bit float, which it is wherever the model is kept. */
function baseOf(labels: Float32Array, loss: Loss): number {
  const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  if (loss === "squared") return Math.fround(mean);
  // One class alone has infinite odds; a chance of one in a million million is enough.
  const chance = Math.min(1 - 1e-12, Math.max(1e-12, mean));
  return Math.fround(Math.log(chance / (1 - chance)));
}

function assertTable({ values, columns }: Table, labels: Float32Array, options: GbdtOptions): void {
  if (columns < 1 || labels.length === 0 || values.length !== columns * labels.length)
    throw new RangeError(`${values.length} values are not ${labels.length} rows of ${columns} columns`);
  if (values.some((value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY))
    throw new RangeError("a feature is infinite: leave it out, as NaN");
  if (labels.some((label) => !Number.isFinite(label) || (options.loss === "logistic" && label !== 0 && label !== 1)))
    throw new RangeError(`a label does not fit the ${options.loss} loss`);
  if (!(options.binsMax >= 2 && options.binsMax <= 255))
    throw new RangeError(`binsMax ${options.binsMax} is not 2 to 255`);
  if (!(options.leavesMax >= 2)) throw new RangeError(`leavesMax ${options.leavesMax} is below 2`);
}

/** Grows one tree of a boosted ensemble: see gbdt.ts for where it comes from. */
import type { Binned } from "./bins.ts";
import type { GbdtOptions, Tree } from "./gbdt.ts";

/** A leaf of a tree, with its rows in ascending order. */
export interface Leaf {
  readonly node: number;
  readonly rows: Int32Array;
}

interface Split {
  readonly column: number;
  /** The last bin that goes left. */
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly gain: number;
}

/** A leaf that may still be split. */
interface Open extends Leaf {
  readonly sums: Sums;
  readonly histogram: Float64Array;
  readonly split: Split | undefined;
}

interface Sums {
  readonly gradient: number;
  readonly hessian: number;
  readonly count: number;
}

/** Gradient, hessian and count of a bin stand side by side. */
const STRIDE = 3;
/** Gains of rounding errors are none. */
const LEAST_GAIN = 1e-10;

type Grown = { readonly tree: Tree; readonly leaves: readonly Leaf[] };

/** Trees over the same rows, one for each call: histograms are allocated once and used again. */
export function growTree(binned: Binned, options: GbdtOptions): (g: Float64Array, h: Float64Array) => Grown {
  const offsets = offsetsOf(binned);
  const size = STRIDE * (offsets[binned.columns] ?? 0);
  const spare: Float64Array[] = [];
  const scratch = { gradients: new Float64Array(binned.rows), hessians: new Float64Array(binned.rows) };
  const all = Int32Array.from({ length: binned.rows }, (_, row) => row);

  return (gradients, hessians) => {
    const nodes = openNodes(2 * options.leavesMax - 1);
    const count = (rows: Int32Array): Float64Array => {
      const histogram = spare.pop()?.fill(0) ?? new Float64Array(size);
      fill(histogram, binned, offsets, rows, gradients, hessians, scratch);
      return histogram;
    };
    const open = (node: number, rows: Int32Array, sums: Sums, histogram: Float64Array): Open => ({
      ...{ node, rows, sums, histogram },
      split: rows.length < 2 * options.leastRows ? undefined : bestSplit(histogram, binned, offsets, sums, options),
    });
    const rootHistogram = count(all);
    const leaves = [open(nodes.add(), all, sumsOf(rootHistogram, offsets[1] ?? 0), rootHistogram)];
    while (leaves.length < options.leavesMax) {
      const [index, parent] = best(leaves);
      if (!parent?.split) break;
      const [leftRows, rightRows] = partition(binned, parent.rows, parent.split);
      const [left, right] = nodes.split(parent.node, parent.split, binned.bounds);
      const isLeftSmaller = leftRows.length <= rightRows.length;
      const smaller = count(isLeftSmaller ? leftRows : rightRows);
      // The parent is not asked again: its histogram becomes that of the larger child.
      const larger = parent.histogram;
      for (let at = 0; at < size; at += 1) larger[at] = (larger[at] ?? 0) - (smaller[at] ?? 0);
      const small = sumsOf(smaller, offsets[1] ?? 0);
      const large: Sums = {
        gradient: parent.sums.gradient - small.gradient,
        hessian: parent.sums.hessian - small.hessian,
        count: parent.sums.count - small.count,
      };
      leaves[index] = isLeftSmaller ? open(left, leftRows, small, smaller) : open(left, leftRows, large, larger);
      leaves.push(isLeftSmaller ? open(right, rightRows, large, larger) : open(right, rightRows, small, smaller));
    }
    for (const { node, sums, histogram } of leaves) {
      nodes.setValue(node, (-options.learningRate * sums.gradient) / (sums.hessian + options.penalty));
      spare.push(histogram);
    }
    return { tree: nodes.close(), leaves };
  };
}

/** Where each column's bins begin, the one for missing values included; one entry more says where all end. */
function offsetsOf({ bounds, columns }: Binned): Int32Array {
  const offsets = new Int32Array(columns + 1);
  for (const [column, upper] of bounds.entries()) offsets[column + 1] = (offsets[column] ?? 0) + upper.length + 2;
  return offsets;
}

function fill(
  histogram: Float64Array,
  { bins, rows: total, columns }: Binned,
  offsets: Int32Array,
  rows: Int32Array,
  gradients: Float64Array,
  hessians: Float64Array,
  scratch: { readonly gradients: Float64Array; readonly hessians: Float64Array },
): void {
  // Brought together once, they are read in order for every column.
  const { gradients: g, hessians: h } = scratch;
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as number;
    g[index] = gradients[row] as number;
    h[index] = hessians[row] as number;
  }
  for (let column = 0; column < columns; column += 1) {
    const start = column * total;
    const offset = offsets[column] as number;
    for (let index = 0; index < rows.length; index += 1) {
      const at = STRIDE * (offset + (bins[start + (rows[index] as number)] as number));
      histogram[at] = (histogram[at] as number) + (g[index] as number);
      histogram[at + 1] = (histogram[at + 1] as number) + (h[index] as number);
      histogram[at + 2] = (histogram[at + 2] as number) + 1;
    }
  }
}

/** Of all rows that a histogram counts, by its first column. */
function sumsOf(histogram: Float64Array, binsOfFirst: number): Sums {
  let [gradient, hessian, count] = [0, 0, 0];
  for (let at = 0; at < STRIDE * binsOfFirst; at += STRIDE) {
    gradient += histogram[at] ?? 0;
    hessian += histogram[at + 1] ?? 0;
    count += histogram[at + 2] ?? 0;
  }
  return { gradient, hessian, count };
}

function best(leaves: readonly Open[]): readonly [number, Open | undefined] {
  let found = 0;
  for (const [index, { split }] of leaves.entries())
    if ((split?.gain ?? 0) > (leaves[found]?.split?.gain ?? 0)) found = index;
  return [found, leaves[found]];
}

/** The split that lowers the loss most, missing values tried on both sides. */
function bestSplit(
  histogram: Float64Array,
  { bounds, hasMissing, columns }: Binned,
  offsets: Int32Array,
  sums: Sums,
  { penalty, leastRows, leastHessian }: GbdtOptions,
): Split | undefined {
  const whole = sums.gradient ** 2 / (sums.hessian + penalty);
  let found: Split | undefined;
  let most = LEAST_GAIN;
  for (let column = 0; column < columns; column += 1) {
    const last = bounds[column]?.length ?? 0;
    const first = STRIDE * (offsets[column] as number);
    const missing = first + STRIDE * (last + 1);
    // Where no value was missing, one that is missing later goes where more rows went.
    for (let side = 0; side <= (hasMissing[column] ? 1 : 0); side += 1) {
      const isLeft = side === 1;
      let gradient = isLeft ? (histogram[missing] as number) : 0;
      let hessian = isLeft ? (histogram[missing + 1] as number) : 0;
      let count = isLeft ? (histogram[missing + 2] as number) : 0;
      for (let bin = 0; bin < last; bin += 1) {
        const at = first + STRIDE * bin;
        gradient += histogram[at] as number;
        hessian += histogram[at + 1] as number;
        count += histogram[at + 2] as number;
        if (count < leastRows || hessian < leastHessian) continue;
        const rest = sums.hessian - hessian;
        if (sums.count - count < leastRows || rest < leastHessian) break;
        const restGradient = sums.gradient - gradient;
        const gain =
          (gradient * gradient) / (hessian + penalty) + (restGradient * restGradient) / (rest + penalty) - whole;
        if (gain <= most) continue;
        most = gain;
        found = { column, bin, gain, missingLeft: hasMissing[column] ? isLeft : 2 * count >= sums.count };
      }
    }
  }
  return found;
}

/** Rows keep their order on both sides, so that memory is read forwards. */
function partition(
  { bins, bounds, rows: total }: Binned,
  rows: Int32Array,
  { column, bin, missingLeft }: Split,
): readonly [Int32Array, Int32Array] {
  const left = new Int32Array(rows.length);
  const right = new Int32Array(rows.length);
  const missing = (bounds[column]?.length ?? 0) + 1;
  let [lefts, rights] = [0, 0];
  for (const row of rows) {
    const own = bins[column * total + row] as number;
    if (own === missing ? missingLeft : own <= bin) left[lefts++] = row;
    else right[rights++] = row;
  }
  return [left.subarray(0, lefts), right.subarray(0, rights)];
}

/** The arrays of a tree while it grows. */
function openNodes(nodesMax: number) {
  const feature = new Int32Array(nodesMax).fill(-1);
  const threshold = new Float32Array(nodesMax);
  const missingLeft = new Uint8Array(nodesMax);
  const left = new Int32Array(nodesMax);
  const right = new Int32Array(nodesMax);
  const value = new Float32Array(nodesMax);
  const gain = new Float64Array(nodesMax);
  let used = 0;
  const add = (): number => used++;
  return {
    add,
    split(node: number, split: Split, bounds: Binned["bounds"]): readonly [number, number] {
      feature[node] = split.column;
      threshold[node] = bounds[split.column]?.[split.bin] ?? 0;
      missingLeft[node] = split.missingLeft ? 1 : 0;
      gain[node] = split.gain;
      const children = [add(), add()] as const;
      [left[node], right[node]] = children;
      return children;
    },
    setValue(node: number, of: number): void {
      value[node] = of;
    },
    close: (): Tree => ({
      feature: feature.slice(0, used),
      threshold: threshold.slice(0, used),
      missingLeft: missingLeft.slice(0, used),
      left: left.slice(0, used),
      right: right.slice(0, used),
      value: value.slice(0, used),
      gain: gain.slice(0, used),
    }),
  };
}

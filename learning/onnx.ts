/**
 * Boosted trees as an ONNX model, which every runtime serves: TreeEnsembleRegressor of ai.onnx.ml (ONNX operators, ai.onnx.ml version 3), and a
 * Sigmoid where the loss is logistic. Field numbers are those of onnx.proto, IR version 8. Thresholds and leaf values are 32-bit floats there as they are
 * here, so a row comes to the same leaves, and the sums differ by rounding alone.
 */
import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import { type Gbdt, leafOf, type Tree } from "./gbdt.ts";
import { DATA_TYPE, floats, int, ints, modelOf, operator, text, texts, valueInfo } from "./onnx-writer.ts";
import type { Table } from "./table.ts";

export const INPUT_NAME = "features";
export const OUTPUT_NAME = "score";

const OPSET = 15;
const ML_OPSET = 3;

/** The model as the bytes of a file: features [rows, columns] in, score [rows, 1] out. */
export function writeOnnx(model: Gbdt, about: Readonly<Record<string, string>> = {}): Uint8Array {
  const isLogistic = model.loss === "logistic";
  const trees = treeNode(model, isLogistic ? "sum" : OUTPUT_NAME, {
    targets: 1,
    target: () => 0,
    weight: (tree, node) => tree.value[node] ?? 0,
    base: [model.base],
  });
  const nodes = isLogistic ? [trees, operator("Sigmoid", "", ["sum"], [OUTPUT_NAME], [])] : [trees];
  return writeModel(nodes, { columns: model.columns, outputs: 1, about });
}

/** A model that says to which leaf of each tree a row comes, by the leaf's node: [rows, trees]. Runtimes are compared by it. */
export function writeLeavesOnnx(model: Gbdt): Uint8Array {
  const node = treeNode(model, OUTPUT_NAME, {
    targets: model.trees.length,
    target: (index) => index,
    weight: (_, leaf) => leaf,
    base: [],
  });
  return writeModel([node], { columns: model.columns, outputs: model.trees.length, about: {} });
}

/** What the model above answers, by our own reading of the trees. */
export function leavesOf({ trees }: Gbdt, { values, columns }: Table): Float32Array {
  const leaves = new Float32Array((values.length / columns) * trees.length);
  for (let row = 0; row * columns < values.length; row += 1)
    for (const [index, tree] of trees.entries())
      leaves[row * trees.length + index] = leafOf(tree, values, row * columns);
  return leaves;
}

interface Target {
  readonly targets: number;
  readonly target: (tree: number) => number;
  readonly weight: (tree: Tree, leaf: number) => number;
  readonly base: readonly number[];
}

function treeNode({ trees }: Gbdt, output: string, { targets, target, weight, base }: Target): BinaryWriter {
  const of = <T>(read: (tree: Tree, node: number, index: number) => T): T[] =>
    trees.flatMap((tree, index) => Array.from(tree.feature, (_, node) => read(tree, node, index)));
  const isLeaf = (tree: Tree, node: number): boolean => (tree.feature[node] ?? -1) < 0;
  const leaves = trees.flatMap((tree, index) =>
    [...tree.feature.keys()].filter((node) => isLeaf(tree, node)).map((node) => ({ tree, index, node })),
  );
  return operator(
    "TreeEnsembleRegressor",
    "ai.onnx.ml",
    [INPUT_NAME],
    [output],
    [
      int("n_targets", targets),
      text("aggregate_function", "SUM"),
      text("post_transform", "NONE"),
      ...(base.length > 0 ? [floats("base_values", base)] : []),
      ints(
        "nodes_treeids",
        of((_tree, _node, index) => index),
      ),
      ints(
        "nodes_nodeids",
        of((_tree, node) => node),
      ),
      ints(
        "nodes_featureids",
        of((tree, node) => Math.max(0, tree.feature[node] ?? 0)),
      ),
      floats(
        "nodes_values",
        of((tree, node) => tree.threshold[node] ?? 0),
      ),
      texts(
        "nodes_modes",
        of((tree, node) => (isLeaf(tree, node) ? "LEAF" : "BRANCH_LEQ")),
      ),
      ints(
        "nodes_truenodeids",
        of((tree, node) => tree.left[node] ?? 0),
      ),
      ints(
        "nodes_falsenodeids",
        of((tree, node) => tree.right[node] ?? 0),
      ),
      ints(
        "nodes_missing_value_tracks_true",
        of((tree, node) => tree.missingLeft[node] ?? 0),
      ),
      ints(
        "target_treeids",
        leaves.map(({ index }) => index),
      ),
      ints(
        "target_nodeids",
        leaves.map(({ node }) => node),
      ),
      ints(
        "target_ids",
        leaves.map(({ index }) => target(index)),
      ),
      floats(
        "target_weights",
        leaves.map(({ tree, node }) => weight(tree, node)),
      ),
    ],
  );
}

function writeModel(
  nodes: readonly BinaryWriter[],
  of: { readonly columns: number; readonly outputs: number; readonly about: Readonly<Record<string, string>> },
): Uint8Array {
  return modelOf(
    {
      nodes,
      inputs: [valueInfo(INPUT_NAME, DATA_TYPE.float, ["rows", of.columns])],
      outputs: [valueInfo(OUTPUT_NAME, DATA_TYPE.float, ["rows", of.outputs])],
    },
    [
      ["", OPSET],
      ["ai.onnx.ml", ML_OPSET],
    ],
    of.about,
  );
}

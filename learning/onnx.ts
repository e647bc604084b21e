/**
 * Boosted trees as an ONNX model, which every runtime serves: TreeEnsembleRegressor of ai.onnx.ml (ONNX operators, ai.onnx.ml version 3), and a
 * Sigmoid where the loss is logistic. Field numbers are those of onnx.proto, IR version 8. Thresholds and leaf values are 32-bit floats there as they are
 * here, so a row comes to the same leaves, and the sums differ by rounding alone.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type Gbdt, leafOf, type Tree } from "./gbdt.ts";
import type { Table } from "./table.ts";

export const INPUT_NAME = "features";
export const OUTPUT_NAME = "score";

const IR_VERSION = 8;
const OPSET = 15;
const ML_OPSET = 3;
const FLOAT = 1;
/** AttributeProto.AttributeType. */
const ATTRIBUTE = { int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const;

/** The model as the bytes of a file: features [rows, columns] in, score [rows, 1] out. */
export function writeOnnx(model: Gbdt, about: Readonly<Record<string, string>> = {}): Uint8Array {
  const isLogistic = model.loss === "logistic";
  const trees = treeNode(model, isLogistic ? "sum" : OUTPUT_NAME, {
    targets: 1,
    target: () => 0,
    weight: (tree, node) => tree.value[node] ?? 0,
    base: [model.base],
  });
  const nodes = isLogistic ? [trees, operator("Sigmoid", "", "sum", OUTPUT_NAME, [])] : [trees];
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

type Attribute = (writer: BinaryWriter) => void;

function treeNode({ trees }: Gbdt, output: string, { targets, target, weight, base }: Target): BinaryWriter {
  const of = <T>(read: (tree: Tree, node: number, index: number) => T): T[] =>
    trees.flatMap((tree, index) => Array.from(tree.feature, (_, node) => read(tree, node, index)));
  const isLeaf = (tree: Tree, node: number): boolean => (tree.feature[node] ?? -1) < 0;
  const leaves = trees.flatMap((tree, index) =>
    [...tree.feature.keys()].filter((node) => isLeaf(tree, node)).map((node) => ({ tree, index, node })),
  );
  return operator("TreeEnsembleRegressor", "ai.onnx.ml", INPUT_NAME, output, [
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
  ]);
}

function writeModel(
  nodes: readonly BinaryWriter[],
  of: { readonly columns: number; readonly outputs: number; readonly about: Readonly<Record<string, string>> },
): Uint8Array {
  const graph = new BinaryWriter();
  for (const node of nodes) message(graph, 1, node);
  string(graph, 2, "marquee");
  message(graph, 11, valueInfo(INPUT_NAME, of.columns));
  message(graph, 12, valueInfo(OUTPUT_NAME, of.outputs));
  const model = new BinaryWriter();
  integer(model, 1, IR_VERSION);
  string(model, 2, "marquee");
  message(model, 7, graph);
  for (const [domain, version] of [
    ["", OPSET],
    ["ai.onnx.ml", ML_OPSET],
  ] as const) {
    const opset = new BinaryWriter();
    string(opset, 1, domain);
    integer(opset, 2, version);
    message(model, 8, opset);
  }
  for (const [key, value] of Object.entries(of.about)) {
    const entry = new BinaryWriter();
    string(entry, 1, key);
    string(entry, 2, value);
    message(model, 14, entry);
  }
  return model.finish();
}

function operator(type: string, domain: string, input: string, output: string, attributes: readonly Attribute[]) {
  const node = new BinaryWriter();
  string(node, 1, input);
  string(node, 2, output);
  string(node, 4, type);
  for (const write of attributes) write(node);
  string(node, 7, domain);
  return node;
}

/** A tensor of floats, any number of rows of so many columns. */
function valueInfo(name: string, columns: number): BinaryWriter {
  const [rowsDim, columnsDim, shape, tensor, type, info] = Array.from({ length: 6 }, () => new BinaryWriter()) as [
    BinaryWriter,
    BinaryWriter,
    BinaryWriter,
    BinaryWriter,
    BinaryWriter,
    BinaryWriter,
  ];
  string(rowsDim, 2, "rows");
  integer(columnsDim, 1, columns);
  message(shape, 1, rowsDim);
  message(shape, 1, columnsDim);
  integer(tensor, 1, FLOAT);
  message(tensor, 2, shape);
  message(type, 1, tensor);
  string(info, 1, name);
  message(info, 2, type);
  return info;
}

const integer = (writer: BinaryWriter, field: number, value: number): void =>
  void writer.tag(field, WireType.Varint).int64(value);
const string = (writer: BinaryWriter, field: number, value: string): void =>
  void writer.tag(field, WireType.LengthDelimited).string(value);
const message = (writer: BinaryWriter, field: number, value: BinaryWriter): void =>
  void writer.tag(field, WireType.LengthDelimited).bytes(value.finish());

const attribute =
  (name: string, type: number, write: (writer: BinaryWriter) => void): Attribute =>
  (node) => {
    const writer = new BinaryWriter();
    string(writer, 1, name);
    write(writer);
    integer(writer, 20, type);
    message(node, 5, writer);
  };
const int = (name: string, value: number): Attribute =>
  attribute(name, ATTRIBUTE.int, (writer) => integer(writer, 3, value));
const text = (name: string, value: string): Attribute =>
  attribute(name, ATTRIBUTE.string, (writer) => string(writer, 4, value));
const floats = (name: string, values: readonly number[]): Attribute =>
  attribute(name, ATTRIBUTE.floats, (writer) => {
    for (const value of values) writer.tag(7, WireType.Bit32).float(value);
  });
const ints = (name: string, values: readonly number[]): Attribute =>
  attribute(name, ATTRIBUTE.ints, (writer) => {
    for (const value of values) integer(writer, 8, value);
  });
const texts = (name: string, values: readonly string[]): Attribute =>
  attribute(name, ATTRIBUTE.strings, (writer) => {
    for (const value of values) string(writer, 9, value);
  });

/**
 * Convolutional networks of TensorFlow.js as ONNX: the operations that image classifiers and detectors of the MobileNet and BlazeFace kind are made of
 * (M. Sandler et al. 2018, "MobileNetV2"; V. Bazarevsky et al. 2019, "BlazeFace"). TensorFlow has channels last, ONNX first: each operation that minds
 * turns its tensors there and back, and the runtime takes out the turns that cancel each other.
 */
import { Graph, type Value } from "./onnx-graph.ts";

export interface VisionNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, unknown>>;
}
export interface VisionWeight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
export interface VisionModel {
  readonly nodes: readonly VisionNode[];
  readonly weights: ReadonlyMap<string, VisionWeight>;
}

/** @param outputs by their names in the model, with the names that they get */
export function visionGraph(model: VisionModel, outputs: ReadonlyMap<string, string>): Uint8Array {
  const graph = new Graph();
  const values = new Map<string, Value>();
  const nodes = new Map(model.nodes.map((node) => [node.name, node]));
  const build = new Builder(graph, model, (name) => valueOf(name));
  // By recursion, for nodes need not come in their order; a network of this kind is no deeper than a few hundred.
  const valueOf = (name: string): Value => {
    const plain = name.replace(/^\^/, "").replace(/:\d+$/, "");
    const known = values.get(plain);
    if (known) return known;
    const node = nodes.get(plain);
    if (!node) throw new RangeError(`the model has no '${plain.slice(0, 100)}'`);
    const made = build.node(node);
    values.set(plain, made);
    return made;
  };
  for (const [name, called] of outputs) graph.output(called, valueOf(name));
  return graph.finish();
}

const TO_FIRST = { perm: [0, 3, 1, 2] };
const TO_LAST = { perm: [0, 2, 3, 1] };

class Builder {
  readonly #graph: Graph;
  readonly #model: VisionModel;
  readonly #valueOf: (name: string) => Value;

  constructor(graph: Graph, model: VisionModel, valueOf: (name: string) => Value) {
    this.#graph = graph;
    this.#model = model;
    this.#valueOf = valueOf;
  }

  node(node: VisionNode): Value {
    const graph = this.#graph;
    const input = (index: number): Value => this.#valueOf(node.input[index] ?? "");
    switch (node.op) {
      case "Placeholder":
        return graph.input("picture", [1, ...sidesOf(node).slice(1)]);
      case "Const": {
        const { shape, values } = this.#constant(node.name);
        return graph.weights({ shape, data: values });
      }
      case "_FusedConv2D":
      case "Conv2D":
        return this.#convolve(node, false);
      case "FusedDepthwiseConv2dNative":
      case "DepthwiseConv2dNative":
        return this.#convolve(node, true);
      case "MaxPool":
      case "AvgPool":
        return this.#pool(node);
      case "_FusedMatMul":
      case "MatMul": {
        const product = graph.op("MatMul", [input(0), input(1)]);
        return node.op === "MatMul" ? product : this.#finish(node, graph.op("Add", [product, input(2)]));
      }
      case "Add":
      case "AddV2":
        return graph.op("Add", [input(0), input(1)]);
      case "Sub":
      case "Mul":
      case "Relu":
      case "Softmax":
      case "Sigmoid":
      case "Identity":
        return graph.op(
          node.op,
          node.input.map((_, index) => input(index)),
        );
      case "Reshape":
        return graph.op("Reshape", [input(0), graph.integers([...this.#constant(node.input[1] ?? "").values])]);
      case "Squeeze":
        return graph.op("Squeeze", [input(0), graph.integers(numbers(node.attr["squeeze_dims"]))]);
      case "Pad": {
        // [[before, after] of each side] to all befores, then all afters.
        const { values } = this.#constant(node.input[1] ?? "");
        const pairs = [...values];
        const pads = [...pairs.filter((_, at) => at % 2 === 0), ...pairs.filter((_, at) => at % 2 === 1)];
        return graph.op("Pad", [input(0), graph.integers(pads)]);
      }
      default:
        throw new RangeError(`operation '${node.op.slice(0, 50)}' is not known`);
    }
  }

  #constant(name: string): VisionWeight {
    const weight = this.#model.weights.get(name);
    if (!weight) throw new RangeError(`the model has no weights '${name.slice(0, 100)}'`);
    return weight;
  }

  #convolve(node: VisionNode, isDepthwise: boolean): Value {
    const graph = this.#graph;
    const [data = "", kernelName = "", biasName] = node.input;
    const kernel = this.#constant(kernelName);
    const [height = 1, width = 1, inputs = 1, outputs = 1] = kernel.shape;
    const turned = isDepthwise
      ? { shape: [inputs * outputs, 1, height, width], data: turn(kernel, [2, 3, 0, 1]) }
      : { shape: [outputs, inputs, height, width], data: turn(kernel, [3, 2, 0, 1]) };
    const x = graph.op("Transpose", [this.#valueOf(data)], TO_FIRST);
    const bias = biasName === undefined ? [] : [this.#valueOf(biasName)];
    const convolved = graph.op("Conv", [x, graph.weights(turned), ...bias], {
      ...windowOf(node, [height, width]),
      group: isDepthwise ? inputs : 1,
    });
    return this.#finish(node, graph.op("Transpose", [convolved], TO_LAST));
  }

  #pool(node: VisionNode): Value {
    const graph = this.#graph;
    const x = graph.op("Transpose", [this.#valueOf(node.input[0] ?? "")], TO_FIRST);
    const window = windowOf(node, numbers(node.attr["ksize"]).slice(1, 3));
    const pooled = graph.op(node.op === "MaxPool" ? "MaxPool" : "AveragePool", [x], window);
    return graph.op("Transpose", [pooled], TO_LAST);
  }

  /** What is done after a fused operation: the bias is in it, the activation is not. */
  #finish(node: VisionNode, x: Value): Value {
    const fused = strings(node.attr["fused_ops"]);
    if (fused.includes("Relu6")) return this.#graph.op("Clip", [x, this.#graph.scalar(0), this.#graph.scalar(6)]);
    const unknown = fused.find((op) => op !== "BiasAdd" && op !== "Relu");
    if (unknown) throw new RangeError(`the fused operation '${unknown.slice(0, 50)}' is not known`);
    return fused.includes("Relu") ? this.#graph.op("Relu", [x]) : x;
  }
}

function windowOf(node: VisionNode, kernel: readonly number[]) {
  const isSame = asText(node.attr["padding"]) === "SAME";
  return {
    kernel_shape: kernel,
    strides: numbers(node.attr["strides"]).slice(1, 3),
    // As TensorFlow pads: what is odd comes at the end.
    auto_pad: isSame ? "SAME_UPPER" : "VALID",
  };
}

/** Sides in another order: `order[i]` is the old place of the new side `i`. */
function turn({ shape, values }: VisionWeight, order: readonly number[]): Float32Array {
  const strides = shape.map((_, side) => shape.slice(side + 1).reduce((product, length) => product * length, 1));
  const lengths = order.map((side) => shape[side] ?? 1);
  const steps = order.map((side) => strides[side] ?? 1);
  const turned = new Float32Array(values.length);
  for (let at = 0; at < turned.length; at += 1) {
    let rest = at;
    let from = 0;
    for (let side = lengths.length - 1; side >= 0; side -= 1) {
      const length = lengths[side] ?? 1;
      from += (rest % length) * (steps[side] ?? 1);
      rest = Math.floor(rest / length);
    }
    turned[at] = values[from] ?? 0;
  }
  return turned;
}

// Attributes in the JSON of protobuf: { list: { i: ["1", …] } }, { s: base64 }.
const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
const listOf = (value: unknown, kind: string): unknown[] => {
  const found = memberOf(memberOf(value, "list"), kind);
  return Array.isArray(found) ? found : [];
};
const numbers = (value: unknown): number[] => listOf(value, "i").map(Number);
const decoded = (base64: unknown): string => (typeof base64 === "string" ? atob(base64) : "");
const asText = (value: unknown): string => decoded(memberOf(value, "s"));
const strings = (value: unknown): string[] => listOf(value, "s").map(decoded);
const sidesOf = (node: VisionNode): number[] => {
  const sides = memberOf(memberOf(node.attr["shape"], "shape"), "dim");
  return Array.isArray(sides) ? sides.map((side) => Number(memberOf(side, "size"))) : [];
};

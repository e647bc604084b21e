/**
 * Whisper (A. Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision") as two ONNX graphs made of its weights: an encoder
 * that also gives the keys and values that each layer of the decoder looks at, and a decoder that takes one token at a time and what it kept of
 * those before. Weights have the names of CTranslate2, where query, key and value lie in one matrix.
 */
import { Graph, type Value, type Weights } from "./onnx-graph.ts";

export interface WhisperShape {
  readonly melBands: number;
  /** Of the encoder's output: two mel frames each. */
  readonly positions: number;
  readonly width: number;
  readonly heads: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly vocabulary: number;
}

export type WeightsOf = (name: string) => Weights;

export interface WhisperGraphs {
  /** `mel` [1, bands, 2 × positions] to `cross_key_I` and `cross_value_I` [1, heads, positions, width / heads]. */
  readonly encoder: Uint8Array;
  /** `token` [1, 1], `position` [1], `past_key_I` and `past_value_I` [1, heads, past, width / heads] and those above, to `logits` and `key_I`, `value_I`. */
  readonly decoder: Uint8Array;
}

export function whisperGraphs(shape: WhisperShape, weightsOf: WeightsOf): WhisperGraphs {
  return { encoder: encoderOf(shape, weightsOf), decoder: decoderOf(shape, weightsOf) };
}

/** What both graphs are made of. */
function layersOf(graph: Graph, { width, heads }: WhisperShape, weightsOf: WeightsOf) {
  const weights = (name: string): Value => graph.weights(weightsOf(name));
  const headWidth = width / heads;
  const halve = (values: Value): Value => graph.op("Mul", [values, graph.scalar(0.5)]);
  return {
    weights,
    norm: (x: Value, at: string): Value =>
      graph.op("LayerNormalization", [x, weights(`${at}/gamma`), weights(`${at}/beta`)], {
        axis: -1,
        epsilon: { float: 1e-5 },
      }),
    linear(x: Value, at: string): Value {
      const turned = graph.op("Transpose", [weights(`${at}/weight`)], { perm: [1, 0] });
      return graph.op("Add", [graph.op("MatMul", [x, turned]), weights(`${at}/bias`)]);
    },
    /** The exact one, by the error function. */
    gelu(x: Value): Value {
      const erf = graph.op("Erf", [graph.op("Div", [x, graph.scalar(Math.SQRT2)])]);
      return halve(graph.op("Mul", [x, graph.op("Add", [erf, graph.scalar(1)])]));
    },
    split: (x: Value, parts: number): Value[] => graph.ops("Split", [x], parts, { axis: -1 }),
    /** [1, length, width] to [1, heads, length, width / heads]. */
    toHeads: (x: Value): Value =>
      graph.op("Transpose", [graph.op("Reshape", [x, graph.integers([1, -1, heads, headWidth])])], {
        perm: [0, 2, 1, 3],
      }),
    attend(query: Value, key: Value, value: Value): Value {
      const scaled = graph.op("Mul", [query, graph.scalar(headWidth ** -0.5)]);
      const scores = graph.op("MatMul", [scaled, graph.op("Transpose", [key], { perm: [0, 1, 3, 2] })]);
      const seen = graph.op("MatMul", [graph.op("Softmax", [scores], { axis: -1 }), value]);
      const joined = graph.op("Transpose", [seen], { perm: [0, 2, 1, 3] });
      return graph.op("Reshape", [joined, graph.integers([1, -1, width])]);
    },
  };
}

function feedForward(graph: Graph, layers: ReturnType<typeof layersOf>, x: Value, at: string): Value {
  const wide = layers.gelu(layers.linear(layers.norm(x, `${at}/layer_norm`), `${at}/linear_0`));
  return graph.op("Add", [x, layers.linear(wide, `${at}/linear_1`)]);
}

function encoderOf(shape: WhisperShape, weightsOf: WeightsOf): Uint8Array {
  const { melBands, positions, heads, width } = shape;
  const graph = new Graph();
  const layers = layersOf(graph, shape, weightsOf);
  const convolve = (x: Value, at: string, stride: number): Value =>
    layers.gelu(
      graph.op("Conv", [x, layers.weights(`${at}/weight`), layers.weights(`${at}/bias`)], {
        kernel_shape: [3],
        strides: [stride],
        pads: [1, 1],
      }),
    );
  const mel = graph.input("mel", [1, melBands, 2 * positions]);
  const heard = convolve(convolve(mel, "encoder/conv1", 1), "encoder/conv2", 2);
  let x = graph.op("Add", [
    graph.op("Transpose", [heard], { perm: [0, 2, 1] }),
    layers.weights("encoder/position_encodings/encodings"),
  ]);
  for (let layer = 0; layer < shape.encoderLayers; layer += 1) {
    const at = `encoder/layer_${layer}`;
    const normed = layers.norm(x, `${at}/self_attention/layer_norm`);
    const [query = "", key = "", value = ""] = layers
      .split(layers.linear(normed, `${at}/self_attention/linear_0`), 3)
      .map(layers.toHeads);
    x = graph.op("Add", [x, layers.linear(layers.attend(query, key, value), `${at}/self_attention/linear_1`)]);
    x = feedForward(graph, layers, x, `${at}/ffn`);
  }
  x = layers.norm(x, "encoder/layer_norm");
  for (let layer = 0; layer < shape.decoderLayers; layer += 1) {
    const both = layers.linear(x, `decoder/layer_${layer}/attention/linear_1`);
    const [key = "", value = ""] = layers.split(both, 2).map(layers.toHeads);
    graph.output(`cross_key_${layer}`, key, [1, heads, positions, width / heads]);
    graph.output(`cross_value_${layer}`, value, [1, heads, positions, width / heads]);
  }
  return graph.finish();
}

function decoderOf(shape: WhisperShape, weightsOf: WeightsOf): Uint8Array {
  const { heads, width, positions, vocabulary } = shape;
  const graph = new Graph();
  const layers = layersOf(graph, shape, weightsOf);
  const headWidth = width / heads;
  const token = graph.input("token", [1, 1], "int64");
  const position = graph.input("position", [1], "int64");
  const embeddings = layers.weights("decoder/embeddings/weight");
  let x = graph.op("Add", [
    graph.op("Gather", [embeddings, token], { axis: 0 }),
    graph.op("Gather", [layers.weights("decoder/position_encodings/encodings"), position], { axis: 0 }),
  ]);
  for (let layer = 0; layer < shape.decoderLayers; layer += 1) {
    const at = `decoder/layer_${layer}`;
    const past = (what: string): Value => graph.input(`past_${what}_${layer}`, [1, heads, "past", headWidth]);
    const cross = (what: string): Value => graph.input(`cross_${what}_${layer}`, [1, heads, positions, headWidth]);
    const normed = layers.norm(x, `${at}/self_attention/layer_norm`);
    const [query = "", keyNow = "", valueNow = ""] = layers
      .split(layers.linear(normed, `${at}/self_attention/linear_0`), 3)
      .map(layers.toHeads);
    const key = graph.op("Concat", [past("key"), keyNow], { axis: 2 });
    const value = graph.op("Concat", [past("value"), valueNow], { axis: 2 });
    graph.output(`key_${layer}`, key, [1, heads, "length", headWidth]);
    graph.output(`value_${layer}`, value, [1, heads, "length", headWidth]);
    x = graph.op("Add", [x, layers.linear(layers.attend(query, key, value), `${at}/self_attention/linear_1`)]);
    const asked = layers.linear(layers.norm(x, `${at}/attention/layer_norm`), `${at}/attention/linear_0`);
    const seen = layers.attend(layers.toHeads(asked), cross("key"), cross("value"));
    x = graph.op("Add", [x, layers.linear(seen, `${at}/attention/linear_2`)]);
    x = feedForward(graph, layers, x, `${at}/ffn`);
  }
  const last = layers.norm(x, "decoder/layer_norm");
  const logits = graph.op("MatMul", [last, graph.op("Transpose", [embeddings], { perm: [1, 0] })]);
  graph.output("logits", logits, [1, 1, vocabulary]);
  return graph.finish();
}

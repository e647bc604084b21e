import assert from "node:assert/strict";
import { test } from "node:test";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { seededRandom } from "./random.ts";
import { type VisionNode, visionGraph } from "./vision-graph.ts";

const random = seededRandom(11);
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() * 2 - 1);
const list = (values: readonly number[]) => ({ list: { i: values.map(String) } });
const node = (name: string, op: string, input: string[] = [], attr: Record<string, unknown> = {}): VisionNode => ({
  ...{ name, op, input, attr },
});

/** TensorFlow's own definition of a convolution with "SAME" padding: channels last, what is odd is padded at the end. */
function convolve(
  x: Float32Array,
  [height, width, channels]: readonly [number, number, number],
  kernel: Float32Array,
  [rows, columns, , outputs]: readonly [number, number, number, number],
  { stride, isDepthwise, bias }: { stride: number; isDepthwise: boolean; bias: Float32Array },
) {
  const [outHeight, outWidth] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const padOf = (out: number, side: number, length: number): number =>
    Math.floor(Math.max(0, (out - 1) * stride + length - side) / 2);
  const [top, left] = [padOf(outHeight, height, rows), padOf(outWidth, width, columns)];
  const made = isDepthwise ? channels * outputs : outputs;
  const out = new Float32Array(outHeight * outWidth * made);
  for (let y = 0; y < outHeight; y += 1)
    for (let x0 = 0; x0 < outWidth; x0 += 1)
      for (let output = 0; output < made; output += 1) {
        let sum = bias[output] ?? 0;
        for (let row = 0; row < rows; row += 1)
          for (let column = 0; column < columns; column += 1)
            for (let channel = 0; channel < channels; channel += 1) {
              const [sy, sx] = [y * stride + row - top, x0 * stride + column - left];
              if (sy < 0 || sx < 0 || sy >= height || sx >= width) continue;
              if (isDepthwise && Math.floor(output / outputs) !== channel) continue;
              const weight =
                ((row * columns + column) * channels + channel) * outputs + (isDepthwise ? output % outputs : output);
              sum += (x[(sy * width + sx) * channels + channel] ?? 0) * (kernel[weight] ?? 0);
            }
        out[(y * outWidth + x0) * made + output] = sum;
      }
  return out;
}

test("convolutions come to what TensorFlow's definition says, activations included", async () => {
  const [first, second] = [numbers(3 * 3 * 3 * 4), numbers(3 * 3 * 4 * 1)];
  const [bias, bias2] = [numbers(4), numbers(4)];
  const fused = (...ops: string[]) => ({ fused_ops: { list: { s: ops.map(btoa) } } });
  const window = { strides: list([1, 2, 2, 1]), padding: { s: btoa("SAME") } };
  const model = {
    nodes: [
      node("input", "Placeholder", [], {
        shape: { shape: { dim: [-1, 7, 8, 3].map((size) => ({ size: String(size) })) } },
      }),
      ...["k", "b", "k2", "b2"].map((name) => node(name, "Const")),
      node("conv", "_FusedConv2D", ["input", "k", "b"], { ...window, ...fused("BiasAdd", "Relu") }),
      node("deep", "FusedDepthwiseConv2dNative", ["conv", "k2", "b2"], {
        ...window,
        strides: list([1, 1, 1, 1]),
        ...fused("BiasAdd", "Relu6"),
      }),
      node("out", "Identity", ["deep"]),
    ],
    weights: new Map([
      ["k", { shape: [3, 3, 3, 4], values: first }],
      ["b", { shape: [4], values: bias }],
      ["k2", { shape: [3, 3, 4, 1], values: second }],
      ["b2", { shape: [4], values: bias2 }],
    ]),
  };
  const session = await InferenceSession.create(visionGraph(model, new Map([["out", "made"]])));
  const x = numbers(7 * 8 * 3);
  const { made } = await session.run({ picture: new Tensor("float32", x, [1, 7, 8, 3]) });
  const relu = convolve(x, [7, 8, 3], first, [3, 3, 3, 4], { stride: 2, isDepthwise: false, bias }).map((v) =>
    Math.max(0, v),
  );
  const expected = convolve(relu, [4, 4, 4], second, [3, 3, 4, 1], { stride: 1, isDepthwise: true, bias: bias2 }).map(
    (v) => Math.min(6, Math.max(0, v)),
  );
  assert.deepEqual(made?.dims, [1, 4, 4, 4]);
  for (const [at, value] of expected.entries()) assert.ok(Math.abs(value - Number(made?.data[at])) < 1e-4, `${at}`);
});

test("an operation that is not known, or weights that are not there, are named", () => {
  const outputs = new Map([["x", "x"]]);
  assert.throws(() => visionGraph({ nodes: [node("x", "Einsum")], weights: new Map() }, outputs), /'Einsum'/);
  assert.throws(() => visionGraph({ nodes: [node("x", "Const")], weights: new Map() }, outputs), /no weights 'x'/);
  assert.throws(() => visionGraph({ nodes: [], weights: new Map() }, outputs), /no 'x'/);
});

/**
 * Graph models of TensorFlow.js: a topology of named operations, and a manifest of weights, which may be kept as 8-bit or 16-bit numbers
 * (`weightsManifest[].weights[].quantization`). The names of attributes are those of TensorFlow's NodeDef in JSON.
 */
import { z } from "zod";
import { FormatError } from "#media/format";

const NODES_MAX = 5_000;
const WEIGHTS_MAX = 5_000;
const NAME_MAX = 500;

const Name = z.string().max(NAME_MAX);
const Quantization = z.object({
  dtype: z.enum(["uint8", "uint16", "float16"]),
  min: z.number().optional(),
  scale: z.number().optional(),
});
const Weight = z.object({
  name: Name,
  shape: z.array(z.number().int().nonnegative()).max(8),
  dtype: z.enum(["float32", "int32"]),
  quantization: Quantization.optional(),
});
const Node = z.object({
  name: Name,
  op: z.string().max(100),
  input: z.array(Name).max(100).default([]),
  attr: z.record(z.string(), z.unknown()).default({}),
});
const Model = z.object({
  modelTopology: z.object({ node: z.array(Node).max(NODES_MAX) }),
  weightsManifest: z.array(z.object({ weights: z.array(Weight).max(WEIGHTS_MAX) })).max(100),
});

export type GraphNode = z.infer<typeof Node>;
export interface GraphWeight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
export interface GraphModel {
  readonly nodes: readonly GraphNode[];
  readonly weights: ReadonlyMap<string, GraphWeight>;
}

/** @param bytes all shards of the weights, one after the other */
export function readGraphModel(json: unknown, bytes: Uint8Array): GraphModel {
  const model = Model.safeParse(json);
  if (!model.success) throw new FormatError("tfjs", z.prettifyError(model.error).slice(0, 500));
  const weights = new Map<string, GraphWeight>();
  let at = 0;
  for (const weight of model.data.weightsManifest.flatMap((group) => group.weights)) {
    const size = weight.shape.reduce((product, side) => product * side, 1);
    const width = weight.quantization ? { uint8: 1, uint16: 2, float16: 2 }[weight.quantization.dtype] : 4;
    if (size * width > bytes.byteLength - at)
      throw new FormatError("tfjs", `the weights of '${weight.name.slice(0, 100)}' go beyond the end`, at);
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, size * width);
    weights.set(weight.name, { shape: weight.shape, values: valuesOf(view, size, weight) });
    at += size * width;
  }
  return { nodes: model.data.modelTopology.node, weights };
}

function valuesOf(view: DataView, size: number, { dtype, quantization }: z.infer<typeof Weight>): Float32Array {
  const values = new Float32Array(size);
  const { scale = 1, min = 0 } = quantization ?? {};
  for (let index = 0; index < size; index += 1) {
    if (!quantization)
      values[index] = dtype === "int32" ? view.getInt32(index * 4, true) : view.getFloat32(index * 4, true);
    else if (quantization.dtype === "uint8") values[index] = view.getUint8(index) * scale + min;
    else if (quantization.dtype === "uint16") values[index] = view.getUint16(index * 2, true) * scale + min;
    else values[index] = view.getFloat16(index * 2, true);
  }
  return values;
}

/**
 * Reads the object literal that a bundler has made of a model's JSON: names without quotes, `!0` for true, `.5` for 0.5. Nothing of it is run.
 * @param script the bundle; its object begins with `begin`
 */
export function readBundledJson(script: string, begin: string): unknown {
  const start = script.indexOf(begin);
  if (start < 0) throw new FormatError("tfjs", `the bundle has no '${begin}'`);
  const literal = script
    .slice(start, endOf(script, start))
    .replaceAll(
      /("(?:[^"\\]|\\.)*")|!([01])|([A-Za-z_$][\w$]*)(?=:)|(?<![\d.])(\.\d)/g,
      (_, string?: string, not?: string, name?: string, fraction?: string) =>
        string ??
        (not === undefined ? undefined : not === "0" ? "true" : "false") ??
        (name === undefined ? `0${fraction ?? ""}` : `"${name}"`),
    );
  try {
    return JSON.parse(literal) as unknown;
  } catch (error) {
    throw new FormatError(
      "tfjs",
      `the bundle holds no JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Where the bracket that opens at `start` closes. */
function endOf(script: string, start: number): number {
  let depth = 0;
  let isString = false;
  for (let at = start; at < script.length; at += 1) {
    const letter = script[at];
    if (isString) {
      if (letter === "\\") at += 1;
      else if (letter === '"') isString = false;
    } else if (letter === '"') isString = true;
    else if (letter === "{") depth += 1;
    else if (letter === "}" && --depth === 0) return at + 1;
  }
  throw new FormatError("tfjs", "the bundle's object does not end", start);
}

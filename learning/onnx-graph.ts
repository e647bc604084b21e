/** Builds an ONNX graph operation by operation: names are made here, so that whoever builds thinks in tensors. Operators are those of opset 17. */
import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import {
  type Attribute,
  DATA_TYPE,
  float,
  initializer,
  int,
  ints,
  modelOf,
  operator,
  text,
  valueInfo,
} from "./onnx-writer.ts";

const OPSET = 17;

/** A tensor of the graph, by its name there. */
export type Value = string;

/** 32-bit or 16-bit floats, row by row; the latter as the bytes that they are, and computed with as 32-bit ones. */
export interface Weights {
  readonly shape: readonly number[];
  readonly data: Float32Array | { readonly float16: Uint8Array };
}

export type Attributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;

export class Graph {
  readonly #nodes: BinaryWriter[] = [];
  readonly #initializers: BinaryWriter[] = [];
  readonly #inputs: BinaryWriter[] = [];
  readonly #outputs: BinaryWriter[] = [];
  #count = 0;

  input(name: string, shape: readonly (number | string)[], type: "float" | "int64" = "float"): Value {
    this.#inputs.push(valueInfo(name, DATA_TYPE[type], shape));
    return name;
  }

  /** One operation with one result. */
  op(type: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    const [result = ""] = this.ops(type, inputs, 1, attributes);
    return result;
  }

  ops(type: string, inputs: readonly Value[], results: number, attributes: Attributes = {}): Value[] {
    const names = Array.from({ length: results }, () => this.#name());
    const written = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
    this.#nodes.push(operator(type, "", inputs, names, written));
    return names;
  }

  weights({ shape, data }: Weights): Value {
    const name = this.#name();
    if (data instanceof Float32Array) {
      this.#initializers.push(initializer(name, DATA_TYPE.float, shape, bytesOf(data)));
      return name;
    }
    this.#initializers.push(initializer(name, DATA_TYPE.float16, shape, data.float16));
    return this.op("Cast", [name], { to: DATA_TYPE.float });
  }

  scalar(value: number): Value {
    return this.weights({ shape: [], data: Float32Array.of(value) });
  }

  /** Whole numbers, such as a shape. */
  integers(values: readonly number[]): Value {
    const name = this.#name();
    const data = BigInt64Array.from(values, BigInt);
    this.#initializers.push(initializer(name, DATA_TYPE.int64, [values.length], bytesOf(data)));
    return name;
  }

  output(name: string, value: Value, shape?: readonly (number | string)[]): void {
    this.#nodes.push(operator("Identity", "", [value], [name], []));
    this.#outputs.push(valueInfo(name, DATA_TYPE.float, shape));
  }

  finish(about: Readonly<Record<string, string>> = {}): Uint8Array {
    const parts = {
      ...{ nodes: this.#nodes, initializers: this.#initializers },
      ...{ inputs: this.#inputs, outputs: this.#outputs },
    };
    return modelOf(parts, [["", OPSET]], about);
  }

  #name(): Value {
    this.#count += 1;
    return `t${this.#count}`;
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function attributeOf(name: string, value: Attributes[string]): Attribute {
  if (typeof value === "number") return int(name, value);
  if (typeof value === "string") return text(name, value);
  return "float" in value ? float(name, value.float) : ints(name, value);
}

/**
 * The protobuf messages of ONNX (onnx.proto, IR version 8), as far as our models need them. Field numbers are those of the specification. Weights are
 * little endian, as the machines that we run on are.
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

const IR_VERSION = 8;
/** TensorProto.DataType. */
export const DATA_TYPE = { float: 1, int64: 7, float16: 10 } as const;
/** AttributeProto.AttributeType. */
const ATTRIBUTE = { float: 1, int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const;

export type Attribute = (writer: BinaryWriter) => void;

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
export const float = (name: string, value: number): Attribute =>
  attribute(name, ATTRIBUTE.float, (writer) => void writer.tag(2, WireType.Bit32).float(value));
export const int = (name: string, value: number): Attribute =>
  attribute(name, ATTRIBUTE.int, (writer) => integer(writer, 3, value));
export const text = (name: string, value: string): Attribute =>
  attribute(name, ATTRIBUTE.string, (writer) => string(writer, 4, value));
export const floats = (name: string, values: readonly number[]): Attribute =>
  attribute(name, ATTRIBUTE.floats, (writer) => {
    for (const value of values) writer.tag(7, WireType.Bit32).float(value);
  });
export const ints = (name: string, values: readonly number[]): Attribute =>
  attribute(name, ATTRIBUTE.ints, (writer) => {
    for (const value of values) integer(writer, 8, value);
  });
export const texts = (name: string, values: readonly string[]): Attribute =>
  attribute(name, ATTRIBUTE.strings, (writer) => {
    for (const value of values) string(writer, 9, value);
  });

/** One operation: its inputs and outputs by name. */
export function operator(
  type: string,
  domain: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Attribute[],
): BinaryWriter {
  const node = new BinaryWriter();
  for (const input of inputs) string(node, 1, input);
  for (const output of outputs) string(node, 2, output);
  string(node, 4, type);
  for (const write of attributes) write(node);
  string(node, 7, domain);
  return node;
}

/** A tensor by name; a side that may have any length is a word. Without a shape the runtime finds it out. */
export function valueInfo(name: string, type: number, shape?: readonly (number | string)[]): BinaryWriter {
  const dimensions = new BinaryWriter();
  for (const side of shape ?? []) {
    const dimension = new BinaryWriter();
    if (typeof side === "string") string(dimension, 2, side);
    else integer(dimension, 1, side);
    message(dimensions, 1, dimension);
  }
  const tensor = new BinaryWriter();
  integer(tensor, 1, type);
  if (shape) message(tensor, 2, dimensions);
  const typed = new BinaryWriter();
  message(typed, 1, tensor);
  const info = new BinaryWriter();
  string(info, 1, name);
  message(info, 2, typed);
  return info;
}

/** Weights as they lie in memory. */
export function initializer(name: string, type: number, shape: readonly number[], raw: Uint8Array): BinaryWriter {
  const tensor = new BinaryWriter();
  for (const side of shape) integer(tensor, 1, side);
  integer(tensor, 2, type);
  string(tensor, 8, name);
  tensor.tag(9, WireType.LengthDelimited).bytes(raw);
  return tensor;
}

export interface GraphParts {
  readonly nodes: readonly BinaryWriter[];
  readonly initializers?: readonly BinaryWriter[];
  readonly inputs: readonly BinaryWriter[];
  readonly outputs: readonly BinaryWriter[];
}

/** A whole model as the bytes of a file; `opsets` are the operators' domains and versions. */
export function modelOf(
  { nodes, initializers = [], inputs, outputs }: GraphParts,
  opsets: readonly (readonly [domain: string, version: number])[],
  about: Readonly<Record<string, string>> = {},
): Uint8Array {
  const graph = new BinaryWriter();
  for (const node of nodes) message(graph, 1, node);
  string(graph, 2, "marquee");
  for (const tensor of initializers) message(graph, 5, tensor);
  for (const input of inputs) message(graph, 11, input);
  for (const output of outputs) message(graph, 12, output);
  const model = new BinaryWriter();
  integer(model, 1, IR_VERSION);
  string(model, 2, "marquee");
  message(model, 7, graph);
  for (const [domain, version] of opsets) {
    const opset = new BinaryWriter();
    string(opset, 1, domain);
    integer(opset, 2, version);
    message(model, 8, opset);
  }
  for (const [key, value] of Object.entries(about)) {
    const entry = new BinaryWriter();
    string(entry, 1, key);
    string(entry, 2, value);
    message(model, 14, entry);
  }
  return model.finish();
}

import { type AvroSchema } from "#media/avro-file";
import { FormatError } from "#media/format";
import { avroFields, type Field, type PrimitiveType, type Schema } from "./schema.ts";

/** A partition spec (section "Partitioning") with the transforms that our tables use. */
export interface PartitionSpec {
  readonly "spec-id": number;
  readonly fields: readonly PartitionField[];
}

export interface PartitionField {
  readonly "source-id": number;
  readonly "field-id": number;
  readonly name: string;
  readonly transform: "identity" | "day";
}

/** The values of a partition in the order of its spec: text, or a number of days. */
export type Partition = readonly (string | number)[];

const DAY_US = 86_400_000_000;

function sourceOf(field: PartitionField, schema: Schema): { readonly name: string; readonly type: PrimitiveType } {
  const source = schema.fields.find(({ id }) => id === field["source-id"]);
  if (!source || typeof source.type !== "string" || !source.required)
    throw new FormatError("iceberg", `partition field '${field.name}' needs a required column of a plain type`);
  const fits = field.transform === "day" ? source.type === "timestamptz" : source.type === "string";
  if (!fits) throw new FormatError("iceberg", `${field.transform} of a column of type ${source.type} is not made here`);
  return { name: source.name, type: field.transform === "day" ? "date" : source.type };
}

export function checkSpec(spec: PartitionSpec, schema: Schema): void {
  for (const field of spec.fields) sourceOf(field, schema);
}

/** The partition of a row. */
export const partitionOf = (row: Readonly<Record<string, unknown>>, spec: PartitionSpec, schema: Schema): Partition =>
  spec.fields.map((field) => {
    const { name, type } = sourceOf(field, schema);
    const value = row[name];
    if (type === "date" && typeof value === "number") return Math.floor(value / DAY_US);
    if (type === "string" && typeof value === "string") return value;
    throw new FormatError("iceberg", `column '${name}' of a row has no value to partition by`);
  });

/** The fields of a partition as columns: with the ids of the spec, and optional, as every reader expects them. */
const columnsOf = (spec: PartitionSpec, schema: Schema): Field[] =>
  spec.fields.map((field) => ({
    id: field["field-id"],
    name: field.name,
    required: false,
    type: sourceOf(field, schema).type,
  }));

export const avroPartition = (spec: PartitionSpec, schema: Schema): AvroSchema => ({
  type: "record",
  name: "r102",
  fields: avroFields(columnsOf(spec, schema)),
});

export const toRecord = (partition: Partition, spec: PartitionSpec): Record<string, string | number> =>
  Object.fromEntries(spec.fields.map(({ name }, index) => [name, partition[index] ?? ""]));

export function fromRecord(record: unknown, spec: PartitionSpec): Partition {
  return spec.fields.map(({ name }) => {
    const value = (record as Record<string, unknown> | null)?.[name];
    if (typeof value !== "string" && typeof value !== "number")
      throw new FormatError("iceberg", `a file's partition has no '${name}'`);
    return value;
  });
}

/** A single value as bytes (appendix D, "Binary single-value serialization"). */
export function toBound(value: string | number, type: PrimitiveType): Buffer {
  if (typeof value === "string") return Buffer.from(value);
  if (type === "int" || type === "date") {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  }
  const bytes = Buffer.alloc(8);
  if (type === "double") bytes.writeDoubleLE(value);
  else bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

export interface FieldSummary {
  readonly contains_null: boolean;
  readonly contains_nan: boolean | null;
  readonly lower_bound: Buffer | null;
  readonly upper_bound: Buffer | null;
}

/** What the partitions of a manifest have in common, field by field: readers skip manifests by it. */
export function summarize(partitions: readonly Partition[], spec: PartitionSpec, schema: Schema): FieldSummary[] {
  return columnsOf(spec, schema).map(({ type }, index) => {
    const values = partitions.map((partition) => partition[index] ?? "");
    const kind = typeof type === "string" ? type : "string";
    const [lowest, highest] = [extreme(values, -1), extreme(values, 1)];
    return {
      contains_null: false,
      contains_nan: false,
      lower_bound: lowest === undefined ? null : toBound(lowest, kind),
      upper_bound: highest === undefined ? null : toBound(highest, kind),
    };
  });
}

/** The lowest (-1) or highest (1) value. Text is compared by its bytes, as the format does. */
function extreme(values: readonly (string | number)[], sign: 1 | -1): string | number | undefined {
  let found: string | number | undefined;
  for (const value of values) if (found === undefined || compare(value, found) * sign > 0) found = value;
  return found;
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

/** The lowest day in a summary, or undefined where it has none. */
export const lowestDay = (summary: FieldSummary | undefined): number | undefined =>
  summary?.lower_bound?.length === 4 ? summary.lower_bound.readInt32LE() : undefined;

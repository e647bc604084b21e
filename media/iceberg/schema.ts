import type { AvroSchema } from "#media/avro-file";
import { FormatError } from "#media/format";

/** Types of columns (section "Schemas and Data Types"). Times are microseconds, dates are days, both since the epoch. */
export type PrimitiveType = "boolean" | "int" | "long" | "double" | "string" | "binary" | "date" | "timestamptz";

/** A map from text to a primitive; other keys have another form in Avro, and nobody has needed them. */
export interface MapType {
  readonly type: "map";
  readonly "key-id": number;
  readonly key: "string";
  readonly "value-id": number;
  readonly value: PrimitiveType;
  readonly "value-required": true;
}

export type ColumnType = PrimitiveType | MapType;

export interface Field {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: ColumnType;
  readonly doc?: string | undefined;
}

export interface Schema {
  readonly type: "struct";
  readonly "schema-id": number;
  readonly fields: readonly Field[];
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const COLUMNS_MAX = 1_000;

/** The form of each type in Avro (appendix A, "Avro"). */
const AVRO_TYPES: Readonly<Record<PrimitiveType, AvroSchema>> = {
  boolean: "boolean",
  int: "int",
  long: "long",
  double: "double",
  string: "string",
  binary: "bytes",
  date: { type: "int", logicalType: "date" },
  timestamptz: { type: "long", logicalType: "timestamp-micros", "adjust-to-utc": true },
};

function avroTypeOf(type: ColumnType): AvroSchema {
  if (typeof type === "string") return AVRO_TYPES[type];
  return { type: "map", values: AVRO_TYPES[type.value], "key-id": type["key-id"], "value-id": type["value-id"] };
}

/** Fields as Avro's, each with its id. Optional ones may be null and are, where a file has none. */
export const avroFields = (fields: readonly Field[]): AvroSchema[] =>
  fields.map(({ id, name, required, type }) => ({
    name,
    type: required ? avroTypeOf(type) : ["null", avroTypeOf(type)],
    ...(required ? {} : { default: null }),
    "field-id": id,
  }));

const avroSchemas = new WeakMap<Schema, AvroSchema>();

/** The schema of a table's data files. */
export function avroSchemaOf(schema: Schema): AvroSchema {
  const made = avroSchemas.get(schema) ?? { type: "record", name: "table", fields: avroFields(schema.fields) };
  avroSchemas.set(schema, made);
  return made;
}

/** Ids that a field takes: its own, and those within it. */
const idsOf = ({ id, type }: Field): number[] =>
  typeof type === "string" ? [id] : [id, type["key-id"], type["value-id"]];

/** Refuses a schema in which an id or a name stands twice. Returns the highest id. */
export function checkSchema({ fields }: Schema): number {
  if (fields.length > COLUMNS_MAX)
    throw new FormatError("iceberg", `${fields.length} columns are more than ${COLUMNS_MAX}`);
  const ids = fields.flatMap(idsOf);
  const names = fields.map(({ name }) => name);
  const bad = names.find((name) => !NAME.test(name));
  if (bad !== undefined) throw new FormatError("iceberg", `'${bad.slice(0, 40)}' is no name of a column`);
  if (ids.some((id) => !Number.isInteger(id) || id < 1 || id > 0x7fff_ff00))
    throw new FormatError("iceberg", "ids of fields are 1 and more");
  if (new Set(ids).size < ids.length) throw new FormatError("iceberg", "two fields have one id");
  if (new Set(names).size < names.length) throw new FormatError("iceberg", "two columns have one name");
  return Math.max(0, ...ids);
}

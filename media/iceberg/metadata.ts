import { z } from "zod";
import { FormatError } from "#media/format";
import { checkSpec, type PartitionSpec } from "./partition.ts";
import { checkSchema, type ColumnType, type Schema } from "./schema.ts";

const Id = z.number().int();
const Primitive = z.enum(["boolean", "int", "long", "double", "string", "binary", "date", "timestamptz"]);
const Type = z.union([
  Primitive,
  z.object({
    type: z.literal("map"),
    "key-id": Id,
    key: z.literal("string"),
    "value-id": Id,
    value: Primitive,
    "value-required": z.literal(true),
  }),
]);
const SchemaJson = z.object({
  type: z.literal("struct"),
  "schema-id": Id,
  fields: z.array(
    z.object({ id: Id, name: z.string(), required: z.boolean(), type: Type, doc: z.string().optional() }),
  ),
});
const SpecJson = z.object({
  "spec-id": Id,
  fields: z.array(
    z.object({ "source-id": Id, "field-id": Id, name: z.string(), transform: z.enum(["identity", "day"]) }),
  ),
});
const SnapshotJson = z.object({
  "snapshot-id": Id,
  "parent-snapshot-id": Id.optional(),
  "sequence-number": Id,
  "timestamp-ms": Id,
  "manifest-list": z.string(),
  summary: z.looseObject({ operation: z.enum(["append", "replace", "overwrite", "delete"]) }),
  "schema-id": Id,
});
const Text = z.record(z.string(), z.string());

/** Table metadata of format version 2 (section "Table Metadata"), as its JSON has it. */
export const TableMetadata = z.object({
  "format-version": z.literal(2),
  "table-uuid": z.uuid(),
  location: z.string().min(1),
  "last-sequence-number": Id,
  "last-updated-ms": Id,
  "last-column-id": Id,
  "current-schema-id": Id,
  schemas: z.array(SchemaJson).min(1),
  "default-spec-id": Id,
  "partition-specs": z.array(SpecJson).min(1),
  "last-partition-id": Id,
  "default-sort-order-id": z.literal(0),
  "sort-orders": z.array(z.object({ "order-id": z.literal(0), fields: z.array(z.never()) })),
  properties: Text,
  "current-snapshot-id": Id,
  refs: z.record(z.string(), z.object({ "snapshot-id": Id, type: z.literal("branch") })),
  snapshots: z.array(SnapshotJson),
  "snapshot-log": z.array(z.object({ "snapshot-id": Id, "timestamp-ms": Id })),
  "metadata-log": z.array(z.object({ "metadata-file": z.string(), "timestamp-ms": Id })),
});
export type TableMetadata = z.infer<typeof TableMetadata>;
export type Snapshot = z.infer<typeof SnapshotJson>;
export type Operation = Snapshot["summary"]["operation"];

const NO_SNAPSHOT = -1;
const FIRST_PARTITION_ID = 1000;

/** A table without snapshots. */
export function createTable(table: {
  readonly uuid: string;
  readonly location: string;
  readonly schema: Schema;
  readonly spec: PartitionSpec;
  readonly nowMs: number;
  readonly properties?: Readonly<Record<string, string>>;
}): TableMetadata {
  const lastColumnId = checkSchema(table.schema);
  checkSpec(table.spec, table.schema);
  return TableMetadata.parse({
    "format-version": 2,
    "table-uuid": table.uuid,
    location: table.location,
    "last-sequence-number": 0,
    "last-updated-ms": table.nowMs,
    "last-column-id": lastColumnId,
    "current-schema-id": table.schema["schema-id"],
    schemas: [table.schema],
    "default-spec-id": table.spec["spec-id"],
    "partition-specs": [table.spec],
    "last-partition-id": Math.max(FIRST_PARTITION_ID - 1, ...table.spec.fields.map((field) => field["field-id"])),
    "default-sort-order-id": 0,
    "sort-orders": [{ "order-id": 0, fields: [] }],
    properties: { ...table.properties },
    "current-snapshot-id": NO_SNAPSHOT,
    refs: {},
    snapshots: [],
    "snapshot-log": [],
    "metadata-log": [],
  });
}

export const writeMetadata = (table: TableMetadata): Buffer => Buffer.from(JSON.stringify(table));

/** Reads a metadata file; what our tables never have, such as sort orders and other transforms, is refused. */
export function readMetadata(bytes: Uint8Array): TableMetadata {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw new FormatError("iceberg", "the table metadata is no JSON");
  }
  const found = TableMetadata.safeParse(json);
  if (!found.success) {
    const [issue] = found.error.issues;
    throw new FormatError("iceberg", `the table metadata is wrong at '${issue?.path.join(".")}': ${issue?.message}`);
  }
  for (const schema of found.data.schemas) checkSchema(schema);
  checkSpec(specOf(found.data), schemaOf(found.data));
  return found.data;
}

export function schemaOf(table: TableMetadata, id = table["current-schema-id"]): Schema {
  const found = table.schemas.find((schema) => schema["schema-id"] === id);
  if (!found) throw new FormatError("iceberg", `the table has no schema ${id}`);
  return found;
}

export function specOf(table: TableMetadata): PartitionSpec {
  const found = table["partition-specs"].find((spec) => spec["spec-id"] === table["default-spec-id"]);
  if (!found) throw new FormatError("iceberg", `the table has no partition spec ${table["default-spec-id"]}`);
  return found;
}

export const currentSnapshot = (table: TableMetadata): Snapshot | undefined =>
  table.snapshots.find((snapshot) => snapshot["snapshot-id"] === table["current-snapshot-id"]);

/** A column to add; maps and required columns are for new tables. */
export interface NewColumn {
  readonly name: string;
  readonly type: Exclude<ColumnType, object>;
  readonly doc?: string;
}

/** Adds optional columns (section "Schema Evolution"): files that were written before read as null there, and stay as they are. */
export function addColumns(table: TableMetadata, columns: readonly NewColumn[], nowMs: number): TableMetadata {
  if (columns.length === 0) return table;
  const first = table["last-column-id"] + 1;
  const id = Math.max(...table.schemas.map((schema) => schema["schema-id"])) + 1;
  const schema: Schema = {
    type: "struct",
    "schema-id": id,
    fields: [
      ...schemaOf(table).fields,
      ...columns.map((column, index) => ({ ...column, id: first + index, required: false })),
    ],
  };
  return TableMetadata.parse({
    ...table,
    "last-column-id": checkSchema(schema),
    "current-schema-id": id,
    schemas: [...table.schemas, schema],
    "last-updated-ms": nowMs,
  });
}

/** How much of its past a table keeps. */
export interface History {
  /** Snapshots that are older are forgotten, except for the current one. */
  readonly olderThanMs: number;
  readonly snapshotsMax: number;
  readonly metadataFilesMax: number;
}

/** The table as it follows from `previousFile`: its log names that file, and what is too old is gone. */
export function succeed(
  table: TableMetadata,
  previousFile: { readonly path: string; readonly timestampMs: number } | undefined,
  { olderThanMs, snapshotsMax, metadataFilesMax }: History,
): TableMetadata {
  const kept = table.snapshots
    .filter(
      (snapshot) => snapshot["snapshot-id"] === table["current-snapshot-id"] || snapshot["timestamp-ms"] >= olderThanMs,
    )
    .slice(-Math.max(1, snapshotsMax));
  const ids = new Set(kept.map((snapshot) => snapshot["snapshot-id"]));
  const log = [
    ...table["metadata-log"],
    ...(previousFile ? [{ "metadata-file": previousFile.path, "timestamp-ms": previousFile.timestampMs }] : []),
  ];
  return {
    ...table,
    snapshots: kept,
    // The log must not name a snapshot that is gone, and nothing before one that is.
    "snapshot-log": table["snapshot-log"].filter((entry) => ids.has(entry["snapshot-id"])),
    "metadata-log": metadataFilesMax > 0 ? log.slice(-metadataFilesMax) : [],
  };
}

/** The table with another snapshot on its main branch. */
export function addSnapshot(table: TableMetadata, snapshot: Snapshot): TableMetadata {
  return {
    ...table,
    "last-sequence-number": snapshot["sequence-number"],
    "last-updated-ms": Math.max(snapshot["timestamp-ms"], table["last-updated-ms"]),
    "current-snapshot-id": snapshot["snapshot-id"],
    refs: { ...table.refs, main: { "snapshot-id": snapshot["snapshot-id"], type: "branch" } },
    snapshots: [...table.snapshots, snapshot],
    "snapshot-log": [
      ...table["snapshot-log"],
      { "snapshot-id": snapshot["snapshot-id"], "timestamp-ms": snapshot["timestamp-ms"] },
    ],
  };
}

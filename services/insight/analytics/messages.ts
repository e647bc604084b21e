import type { Field, PartitionSpec, Schema, Snapshot } from "#media/iceberg";
import type { TableRow } from "./store.ts";

/** What the contract says of tables, from what the catalogue and the metadata say. */

export const toTable = (row: TableRow, uri: (key: string) => string) => ({
  name: row.name,
  metadataLocation: uri(row.metadataKey),
  version: BigInt(row.version),
  snapshotId: BigInt(row.snapshotId),
  rows: BigInt(row.rows),
  files: BigInt(row.files),
  sizeBytes: BigInt(row.sizeBytes),
  updatedAtMs: BigInt(row.updatedAtMs),
});

export const toColumn = ({ id, name, required, type }: Field) => ({
  id,
  name,
  required,
  type: typeof type === "string" ? type : `map<${type.key}, ${type.value}>`,
});

/** Such as `day(time)`, or the column alone. */
export function toTransform(field: PartitionSpec["fields"][number], schema: Schema): string {
  const column = schema.fields.find(({ id }) => id === field["source-id"])?.name ?? field.name;
  return field.transform === "identity" ? column : `${field.transform}(${column})`;
}

export function toSnapshot(snapshot: Snapshot) {
  const summary = snapshot.summary as Readonly<Record<string, string | undefined>>;
  const count = (key: string): bigint => BigInt(summary[key] ?? "0");
  return {
    id: BigInt(snapshot["snapshot-id"]),
    sequenceNumber: BigInt(snapshot["sequence-number"]),
    committedAtMs: BigInt(snapshot["timestamp-ms"]),
    operation: snapshot.summary.operation,
    addedRows: count("added-records"),
    removedRows: count("deleted-records"),
    rows: count("total-records"),
    files: count("total-data-files"),
  };
}

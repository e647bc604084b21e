import { type AvroSchema, readAvroFile, writeAvroFile } from "#media/avro-file";
import { FormatError } from "#media/format";
import {
  avroPartition,
  type FieldSummary,
  fromRecord,
  type Partition,
  type PartitionSpec,
  summarize,
  toBound,
  toRecord,
} from "./partition.ts";
import type { Schema } from "./schema.ts";

/** A data file as manifests list it (section "Manifests", `data_file`). */
export interface DataFile {
  readonly path: string;
  readonly partition: Partition;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Lowest and highest values of columns of type timestamptz, by field id. */
  readonly bounds: Readonly<Record<number, { readonly lower: number; readonly upper: number }>>;
}

/** What a snapshot did with a file (`manifest_entry`). Ids and numbers are null where a new file inherits its manifest's. */
export interface ManifestEntry {
  readonly status: "existing" | "added" | "deleted";
  readonly snapshotId: number | null;
  readonly sequenceNumber: number | null;
  readonly fileSequenceNumber: number | null;
  readonly file: DataFile;
}

/** A manifest as a manifest list has it (section "Manifest Lists"). */
export interface ManifestFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly specId: number;
  readonly sequenceNumber: number;
  readonly minSequenceNumber: number;
  readonly addedSnapshotId: number;
  readonly added: Tally;
  readonly existing: Tally;
  readonly deleted: Tally;
  readonly partitions: readonly FieldSummary[];
}

interface Tally {
  readonly files: number;
  readonly rows: number;
}

/** The part of a table that manifests need. */
export interface Shape {
  readonly schema: Schema;
  readonly spec: PartitionSpec;
}

const STATUSES = ["existing", "added", "deleted"] as const;
/** A manifest of ours has some thousands of entries. */
const ENTRIES_MAX = 1_000_000;

const optional = (name: string, type: AvroSchema, id: number): AvroSchema => ({
  name,
  type: ["null", type],
  default: null,
  "field-id": id,
});
const required = (name: string, type: AvroSchema, id: number): AvroSchema => ({ name, type, "field-id": id });

const boundsSchema = (keyId: number, valueId: number): AvroSchema => ({
  type: "array",
  logicalType: "map",
  items: {
    type: "record",
    name: `k${keyId}_v${valueId}`,
    fields: [required("key", "int", keyId), required("value", "bytes", valueId)],
  },
});

const manifestSchema = ({ spec, schema }: Shape): AvroSchema => ({
  type: "record",
  name: "manifest_entry",
  fields: [
    required("status", "int", 0),
    optional("snapshot_id", "long", 1),
    optional("sequence_number", "long", 3),
    optional("file_sequence_number", "long", 4),
    required(
      "data_file",
      {
        type: "record",
        name: "r2",
        fields: [
          required("content", "int", 134),
          required("file_path", "string", 100),
          required("file_format", "string", 101),
          required("partition", avroPartition(spec, schema), 102),
          required("record_count", "long", 103),
          required("file_size_in_bytes", "long", 104),
          optional("lower_bounds", boundsSchema(126, 127), 125),
          optional("upper_bounds", boundsSchema(129, 130), 128),
        ],
      },
      2,
    ),
  ],
});

const LIST_SCHEMA: AvroSchema = {
  type: "record",
  name: "manifest_file",
  fields: [
    required("manifest_path", "string", 500),
    required("manifest_length", "long", 501),
    required("partition_spec_id", "int", 502),
    required("content", "int", 517),
    required("sequence_number", "long", 515),
    required("min_sequence_number", "long", 516),
    required("added_snapshot_id", "long", 503),
    required("added_files_count", "int", 504),
    required("existing_files_count", "int", 505),
    required("deleted_files_count", "int", 506),
    required("added_rows_count", "long", 512),
    required("existing_rows_count", "long", 513),
    required("deleted_rows_count", "long", 514),
    optional(
      "partitions",
      {
        type: "array",
        "element-id": 508,
        items: {
          type: "record",
          name: "r508",
          fields: [
            required("contains_null", "boolean", 509),
            optional("contains_nan", "boolean", 518),
            optional("lower_bound", "bytes", 510),
            optional("upper_bound", "bytes", 511),
          ],
        },
      },
      507,
    ),
  ],
};

interface BoundRecord {
  readonly key: number;
  readonly value: Buffer;
}

interface EntryRecord {
  readonly status: number;
  readonly snapshot_id: number | null;
  readonly sequence_number: number | null;
  readonly file_sequence_number: number | null;
  readonly data_file: {
    readonly content: number;
    readonly file_path: string;
    readonly file_format: string;
    readonly partition: unknown;
    readonly record_count: number;
    readonly file_size_in_bytes: number;
    readonly lower_bounds: readonly BoundRecord[] | null;
    readonly upper_bounds: readonly BoundRecord[] | null;
  };
}

const boundRecords = ({ bounds }: DataFile, which: "lower" | "upper"): BoundRecord[] =>
  Object.entries(bounds).map(([id, bound]) => ({ key: Number(id), value: toBound(bound[which], "timestamptz") }));

const toEntryRecord = (entry: ManifestEntry, spec: PartitionSpec): EntryRecord => ({
  status: STATUSES.indexOf(entry.status),
  snapshot_id: entry.snapshotId,
  sequence_number: entry.sequenceNumber,
  file_sequence_number: entry.fileSequenceNumber,
  data_file: {
    content: 0,
    file_path: entry.file.path,
    file_format: "AVRO",
    partition: toRecord(entry.file.partition, spec),
    record_count: entry.file.rows,
    file_size_in_bytes: entry.file.sizeBytes,
    lower_bounds: boundRecords(entry.file, "lower"),
    upper_bounds: boundRecords(entry.file, "upper"),
  },
});

/** A manifest file. `sync` is 16 random bytes. */
export function writeManifest(entries: readonly ManifestEntry[], shape: Shape, sync: Uint8Array): Promise<Buffer> {
  const { schema, spec } = shape;
  return writeAvroFile(
    {
      schema: manifestSchema(shape),
      sync,
      codec: "deflate",
      metadata: {
        schema: JSON.stringify(schema),
        "schema-id": String(schema["schema-id"]),
        "partition-spec": JSON.stringify(spec.fields),
        "partition-spec-id": String(spec["spec-id"]),
        "format-version": "2",
        content: "data",
      },
    },
    entries.map((entry) => toEntryRecord(entry, spec)),
  );
}

/** The entries of a manifest, with what they inherit from it (section "Sequence Number Inheritance"). */
export async function readManifest(
  bytes: Uint8Array,
  manifest: Pick<ManifestFile, "sequenceNumber" | "addedSnapshotId">,
  shape: Shape,
): Promise<ManifestEntry[]> {
  const entries: ManifestEntry[] = [];
  for await (const block of readAvroFile(bytes).blocks(manifestSchema(shape))) {
    if (entries.length + block.length > ENTRIES_MAX)
      throw new FormatError("iceberg", `a manifest has more than ${ENTRIES_MAX} entries`);
    for (const record of block) entries.push(toEntry(record as EntryRecord, manifest, shape.spec));
  }
  return entries;
}

function toEntry(
  record: EntryRecord,
  manifest: Pick<ManifestFile, "sequenceNumber" | "addedSnapshotId">,
  spec: PartitionSpec,
): ManifestEntry {
  const status = STATUSES[record.status];
  const file = record.data_file;
  if (status === undefined || file.content !== 0 || file.file_format !== "AVRO")
    throw new FormatError("iceberg", "a manifest lists something else than data files in Avro");
  const upper = new Map((file.upper_bounds ?? []).map(({ key, value }) => [key, value]));
  return {
    status,
    snapshotId: record.snapshot_id ?? manifest.addedSnapshotId,
    sequenceNumber: record.sequence_number ?? manifest.sequenceNumber,
    fileSequenceNumber: record.file_sequence_number ?? manifest.sequenceNumber,
    file: {
      path: file.file_path,
      partition: fromRecord(file.partition, spec),
      rows: file.record_count,
      sizeBytes: file.file_size_in_bytes,
      bounds: Object.fromEntries(
        (file.lower_bounds ?? []).map(({ key, value }) => [
          key,
          { lower: fromBound(value), upper: fromBound(upper.get(key) ?? value) },
        ]),
      ),
    },
  };
}

function fromBound(value: Buffer): number {
  if (value.length !== 8) throw new FormatError("iceberg", `the bound of a time has 8 bytes, not ${value.length}`);
  return Number(value.readBigInt64LE());
}

/** A manifest's line in the manifest lists, from its entries. */
export function describeManifest(
  entries: readonly ManifestEntry[],
  at: {
    readonly path: string;
    readonly sizeBytes: number;
    readonly snapshotId: number;
    readonly sequenceNumber: number;
  },
  { schema, spec }: Shape,
): ManifestFile {
  const tally = (status: ManifestEntry["status"]): Tally => {
    const found = entries.filter((entry) => entry.status === status);
    return { files: found.length, rows: found.reduce((sum, { file }) => sum + file.rows, 0) };
  };
  const live = entries.filter(({ status }) => status !== "deleted");
  return {
    path: at.path,
    sizeBytes: at.sizeBytes,
    specId: spec["spec-id"],
    sequenceNumber: at.sequenceNumber,
    minSequenceNumber: live.reduce((min, entry) => Math.min(min, entry.sequenceNumber ?? min), at.sequenceNumber),
    addedSnapshotId: at.snapshotId,
    added: tally("added"),
    existing: tally("existing"),
    deleted: tally("deleted"),
    partitions: summarize(
      entries.map(({ file }) => file.partition),
      spec,
      schema,
    ),
  };
}

interface ListRecord {
  readonly manifest_path: string;
  readonly manifest_length: number;
  readonly partition_spec_id: number;
  readonly content: number;
  readonly sequence_number: number;
  readonly min_sequence_number: number;
  readonly added_snapshot_id: number;
  readonly added_files_count: number;
  readonly existing_files_count: number;
  readonly deleted_files_count: number;
  readonly added_rows_count: number;
  readonly existing_rows_count: number;
  readonly deleted_rows_count: number;
  readonly partitions: readonly FieldSummary[] | null;
}

/** A snapshot's manifest list. */
export function writeManifestList(
  manifests: readonly ManifestFile[],
  snapshot: { readonly id: number; readonly parentId: number | null; readonly sequenceNumber: number },
  sync: Uint8Array,
): Promise<Buffer> {
  return writeAvroFile(
    {
      schema: LIST_SCHEMA,
      sync,
      codec: "deflate",
      metadata: {
        "snapshot-id": String(snapshot.id),
        "parent-snapshot-id": snapshot.parentId === null ? "null" : String(snapshot.parentId),
        "sequence-number": String(snapshot.sequenceNumber),
        "format-version": "2",
      },
    },
    manifests.map(
      (manifest): ListRecord => ({
        manifest_path: manifest.path,
        manifest_length: manifest.sizeBytes,
        partition_spec_id: manifest.specId,
        content: 0,
        sequence_number: manifest.sequenceNumber,
        min_sequence_number: manifest.minSequenceNumber,
        added_snapshot_id: manifest.addedSnapshotId,
        added_files_count: manifest.added.files,
        existing_files_count: manifest.existing.files,
        deleted_files_count: manifest.deleted.files,
        added_rows_count: manifest.added.rows,
        existing_rows_count: manifest.existing.rows,
        deleted_rows_count: manifest.deleted.rows,
        partitions: manifest.partitions,
      }),
    ),
  );
}

export async function readManifestList(bytes: Uint8Array): Promise<ManifestFile[]> {
  const manifests: ManifestFile[] = [];
  for await (const block of readAvroFile(bytes).blocks(LIST_SCHEMA)) {
    if (manifests.length + block.length > ENTRIES_MAX)
      throw new FormatError("iceberg", `a manifest list has more than ${ENTRIES_MAX} entries`);
    for (const record of block as readonly ListRecord[]) {
      if (record.content !== 0) throw new FormatError("iceberg", "delete files are not read here");
      manifests.push({
        path: record.manifest_path,
        sizeBytes: record.manifest_length,
        specId: record.partition_spec_id,
        sequenceNumber: record.sequence_number,
        minSequenceNumber: record.min_sequence_number,
        addedSnapshotId: record.added_snapshot_id,
        added: { files: record.added_files_count, rows: record.added_rows_count },
        existing: { files: record.existing_files_count, rows: record.existing_rows_count },
        deleted: { files: record.deleted_files_count, rows: record.deleted_rows_count },
        partitions: record.partitions ?? [],
      });
    }
  }
  return manifests;
}

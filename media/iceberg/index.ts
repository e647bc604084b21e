/**
 * Apache Iceberg tables (format version 2, https://iceberg.apache.org/spec/), as far as an append log with retention needs them: data files in
 * Avro, partitions by identity and day, columns that are added, snapshots that append, rewrite and delete whole files.
 *
 *   table    = metadata file (JSON): schemas, partition specs, snapshots, the current one
 *   snapshot = manifest list (Avro): manifests with their tallies and bounds
 *   manifest = (Avro): data files with partition, rows, size and bounds, each existing, added or deleted
 *
 * Values in, bytes out: names, ids, times and sync markers are the caller's, and so is the catalogue that says which metadata file is
 * current. Ids and sequence numbers are numbers up to 2^52.
 */
export {
  addedEntries,
  type Change,
  isLive,
  liveEntries,
  removeFrom,
  summaryOf,
  toMerge,
} from "./commit.ts";
export {
  type DataFile,
  describeManifest,
  type ManifestEntry,
  type ManifestFile,
  readManifest,
  readManifestList,
  type Shape,
  writeManifest,
  writeManifestList,
} from "./manifest.ts";
export {
  addColumns,
  addSnapshot,
  createTable,
  currentSnapshot,
  type History,
  type NewColumn,
  type Operation,
  readMetadata,
  schemaOf,
  type Snapshot,
  specOf,
  succeed,
  type TableMetadata,
  writeMetadata,
} from "./metadata.ts";
export { lowestDay, type Partition, partitionOf, type PartitionSpec } from "./partition.ts";
export { avroSchemaOf, type Field, type Schema } from "./schema.ts";

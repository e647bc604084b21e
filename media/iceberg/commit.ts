import type { DataFile, ManifestEntry, ManifestFile } from "./manifest.ts";
import { currentSnapshot, type Operation, type TableMetadata } from "./metadata.ts";

/** A change of a table's data: files that come, and the paths of files that go. */
export interface Change {
  readonly operation: Operation;
  readonly added: readonly DataFile[];
  readonly removed: ReadonlySet<string>;
}

/** The entries of new files. They inherit the sequence number, which is known only when the commit succeeds. */
export const addedEntries = (files: readonly DataFile[], snapshotId: number): ManifestEntry[] =>
  files.map((file) => ({ status: "added", snapshotId, sequenceNumber: null, fileSequenceNumber: null, file }));

/** The entries of a manifest after the files of `removed` are gone; undefined where it lists none of them. */
export function removeFrom(
  entries: readonly ManifestEntry[],
  removed: ReadonlySet<string>,
  snapshotId: number,
): ManifestEntry[] | undefined {
  const live = liveEntries(entries);
  if (!live.some(({ file }) => removed.has(file.path))) return undefined;
  return live.map((entry) => (removed.has(entry.file.path) ? { ...entry, status: "deleted", snapshotId } : entry));
}

/** What a manifest lists that is still there, as a manifest written later lists it. */
export const liveEntries = (entries: readonly ManifestEntry[]): ManifestEntry[] =>
  entries.filter(({ status }) => status !== "deleted").map((entry) => ({ ...entry, status: "existing" }));

/** Whether a manifest lists anything that is still there; if not, later snapshots leave it out. */
export const isLive = ({ added, existing }: ManifestFile): boolean => added.files + existing.files > 0;

/** Manifests that had better be one: small ones, when there are many of them. */
export function toMerge(
  manifests: readonly ManifestFile[],
  limits: { readonly countMin: number; readonly sizeBytesMax: number; readonly entriesMax: number },
): readonly ManifestFile[] {
  const small = manifests.filter(({ sizeBytes }) => sizeBytes < limits.sizeBytesMax);
  if (small.length < limits.countMin) return [];
  let entries = 0;
  return small.filter(({ added, existing }) => (entries += added.files + existing.files) <= limits.entriesMax);
}

const KEYS = [
  ["total-data-files", (files: readonly DataFile[]) => files.length],
  ["total-records", (files: readonly DataFile[]) => files.reduce((sum, { rows }) => sum + rows, 0)],
  ["total-files-size", (files: readonly DataFile[]) => files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)],
] as const;
const ADDED = ["added-data-files", "added-records", "added-files-size"] as const;
const REMOVED = ["deleted-data-files", "deleted-records", "removed-files-size"] as const;

/** A snapshot's summary (appendix F, "Optional Snapshot Summary Fields"): totals follow from those of the snapshot before. */
export function summaryOf(
  table: TableMetadata,
  operation: Operation,
  added: readonly DataFile[],
  removed: readonly DataFile[],
): { operation: Operation } & Record<string, string> {
  const before = currentSnapshot(table)?.summary;
  const partitions = new Set([...added, ...removed].map(({ partition }) => JSON.stringify(partition)));
  const summary: Record<string, string> = {};
  for (const [index, [total, measure]] of KEYS.entries()) {
    summary[total] = String(Number(before?.[total] ?? 0) + measure(added) - measure(removed));
    if (added.length > 0) summary[ADDED[index] ?? ""] = String(measure(added));
    if (removed.length > 0) summary[REMOVED[index] ?? ""] = String(measure(removed));
  }
  return {
    operation,
    ...summary,
    "changed-partition-count": String(partitions.size),
    "total-delete-files": "0",
    "total-position-deletes": "0",
    "total-equality-deletes": "0",
  };
}

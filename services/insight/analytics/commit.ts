import { randomUUID } from "node:crypto";
import { problem } from "#kernel";
import {
  addedEntries,
  addSnapshot,
  type Change,
  currentSnapshot,
  type DataFile,
  describeManifest,
  isLive,
  type ManifestEntry,
  type ManifestFile,
  removeFrom,
  specOf,
  schemaOf,
  type Snapshot,
  succeed,
  summaryOf,
  type TableMetadata,
  toMerge,
  writeManifest,
  writeManifestList,
  writeMetadata,
} from "#media/iceberg";
import {
  dataKey,
  EVENTS,
  HISTORY_MS,
  METADATA_FILES_MAX,
  metadataKey,
  nameOf,
  READERS_MS,
  SNAPSHOTS_MAX,
  withColumns,
} from "./domain.ts";
import {
  draft,
  entriesOf,
  isOvertaken,
  type LakePlatform,
  type LakeTx,
  load,
  type Loaded,
  manifestsOf,
  newSnapshotId,
  newSync,
} from "./lake.ts";
import * as store from "./store.ts";

const TRIES_MAX = 5;
const MERGE = { countMin: 100, sizeBytesMax: 1024 * 1024, entriesMax: 20_000 } as const;

export interface CommitOptions {
  /** Data files of the change, which are drafts until now. */
  readonly dataKeys?: readonly string[];
  /** What is committed with it, or rejects it. */
  readonly within?: (tx: LakeTx) => Promise<void>;
  /** Leaves nothing of the table's past. */
  readonly forgetsHistory?: boolean;
}

/**
 * Commits a change of a table, or without one forgets its old snapshots. Every object is written and noted as a draft before; what
 * counts is the transaction that changes the catalogue's row, in which the drafts cease to be any, and what is not reachable any more becomes garbage.
 * Who was overtaken builds on what is there now; a change whose files somebody else removed is `aborted`.
 */
export async function commit(
  parts: LakePlatform,
  tenant: string,
  change: Change | undefined,
  options: CommitOptions = {},
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt(parts, tenant, change, options);
    } catch (error) {
      if (isOvertaken(error) && tries < TRIES_MAX) continue;
      await giveUp(parts, tenant, options.dataKeys ?? []);
      throw error;
    }
  }
}

/**
 * Lets drafts of which nothing came be deleted at once: who was turned away by an erasure wrote what is to be erased. Where the commit did count
 * though its answer was lost, they are no drafts any more. Where the database is away, they wait for their time.
 */
async function giveUp({ db, clock }: LakePlatform, tenant: string, keys: readonly string[]): Promise<void> {
  await db.tx({ tenant }, (tx) => store.hurryDrafts(tx, keys, clock.nowMs())).catch(() => undefined);
}

/** What a commit is going to write, and what its snapshots do not reach any more. */
interface Plan {
  readonly objects: { readonly key: string; readonly bytes: Buffer }[];
  readonly unreachable: store.Unreachable[];
}

async function attempt(
  parts: LakePlatform,
  tenant: string,
  change: Change | undefined,
  { dataKeys = [], within, forgetsHistory = false }: CommitOptions,
): Promise<void> {
  const { db, objects, clock, metrics } = parts;
  const loaded = await load(parts, tenant);
  const nowMs = Math.max(clock.nowMs(), loaded.table["last-updated-ms"]);
  const base: Loaded = evolved(loaded, nowMs);
  const plan: Plan = { objects: [], unreachable: [] };
  const changed = change ? await planSnapshot(parts, tenant, base, change, nowMs, plan) : base.table;
  const next = forgetting(objects.uri, base, changed, nowMs, forgetsHistory);
  noteForgotten(tenant, base.table, changed, next, plan);
  const version = base.version + 1;
  const key = metadataKey(tenant, `${String(version).padStart(5, "0")}-${randomUUID()}.metadata.json`);
  if (forgetsHistory && base.key !== undefined) plan.unreachable.push({ key: base.key, sequence: 0 });
  plan.objects.push({ key, bytes: writeMetadata(next) });

  const keys = plan.objects.map((object) => object.key);
  await draft(parts, tenant, keys);
  const row = rowOf(next, version, key, nowMs);
  try {
    for (const object of plan.objects) await objects.put(object.key, object.bytes, { exclusive: true });
    await db.tx({ tenant }, async (tx) => {
      if (!(await store.replaceTable(tx, row)))
        throw problem.aborted(`table '${EVENTS}' has changed meanwhile`, { reason: "lake_version" });
      await store.keepDrafts(tx, [...keys, ...dataKeys]);
      await store.addUnreachable(tx, plan.unreachable, nowMs + READERS_MS);
      await within?.(tx);
    });
  } catch (error) {
    await giveUp(parts, tenant, keys);
    throw error;
  }
  metrics
    .gauge("lake_rows", "Rows of a table of the lake", ["tenant", "table"])
    .set({ tenant, table: EVENTS }, row.rows);
  metrics.gauge("lake_files", "Its data files", ["tenant", "table"]).set({ tenant, table: EVENTS }, row.files);
}

function evolved(loaded: Loaded, nowMs: number): Loaded {
  const table = withColumns(loaded.table, nowMs);
  return { ...loaded, table, shape: { schema: schemaOf(table), spec: specOf(table) } };
}

function rowOf(table: TableMetadata, version: number, metadataKey: string, nowMs: number): store.TableRow {
  const summary = (currentSnapshot(table)?.summary ?? {}) as Readonly<Record<string, string | undefined>>;
  return {
    name: EVENTS,
    version,
    metadataKey,
    snapshotId: table["current-snapshot-id"],
    oldestSequence: Math.min(table["last-sequence-number"], ...table.snapshots.map((one) => one["sequence-number"])),
    rows: Number(summary["total-records"] ?? 0),
    files: Number(summary["total-data-files"] ?? 0),
    sizeBytes: Number(summary["total-files-size"] ?? 0),
    updatedAtMs: nowMs,
  };
}

function forgetting(
  uri: (key: string) => string,
  base: Loaded,
  table: TableMetadata,
  nowMs: number,
  isAll: boolean,
): TableMetadata {
  const previous =
    base.key === undefined ? undefined : { path: uri(base.key), timestampMs: base.table["last-updated-ms"] };
  return isAll
    ? succeed(table, undefined, { olderThanMs: Number.MAX_SAFE_INTEGER, snapshotsMax: 1, metadataFilesMax: 0 })
    : succeed(table, previous, {
        olderThanMs: nowMs - HISTORY_MS,
        snapshotsMax: SNAPSHOTS_MAX,
        metadataFilesMax: METADATA_FILES_MAX,
      });
}

/** The lists of snapshots and the metadata files that the table does not name any more. */
function noteForgotten(
  tenant: string,
  before: TableMetadata,
  changed: TableMetadata,
  after: TableMetadata,
  plan: Plan,
): void {
  const left = new Set(after.snapshots.map((snapshot) => snapshot["manifest-list"]));
  const files = new Set(after["metadata-log"].map((entry) => entry["metadata-file"]));
  const gone = [
    ...changed.snapshots.map((snapshot) => snapshot["manifest-list"]).filter((path) => !left.has(path)),
    ...before["metadata-log"].map((entry) => entry["metadata-file"]).filter((path) => !files.has(path)),
  ];
  for (const path of gone) plan.unreachable.push({ key: metadataKey(tenant, nameOf(path)), sequence: 0 });
}

/** Makes the manifests of the next snapshot and its list. */
async function planSnapshot(
  parts: LakePlatform,
  tenant: string,
  base: Loaded,
  change: Change,
  nowMs: number,
  plan: Plan,
): Promise<TableMetadata> {
  const { objects } = parts;
  const { table, shape } = base;
  const id = newSnapshotId();
  const sequenceNumber = table["last-sequence-number"] + 1;

  async function write(entries: readonly ManifestEntry[]): Promise<ManifestFile> {
    const key = metadataKey(tenant, `${randomUUID()}-m${plan.objects.length}.avro`);
    const bytes = await writeManifest(entries, shape, newSync());
    plan.objects.push({ key, bytes });
    const at = { path: objects.uri(key), sizeBytes: bytes.length, snapshotId: id, sequenceNumber };
    return describeManifest(entries, at, shape);
  }
  const drop = ({ path }: ManifestFile): void =>
    void plan.unreachable.push({ key: metadataKey(tenant, nameOf(path)), sequence: sequenceNumber });

  const manifests: ManifestFile[] = [];
  const removed: DataFile[] = [];
  for (const manifest of await manifestsOf(parts, tenant, base)) {
    // It said what the snapshot before this one deleted; nobody asks any more.
    if (!isLive(manifest)) {
      drop(manifest);
      continue;
    }
    const entries = change.removed.size === 0 ? undefined : await entriesOf(parts, tenant, base, manifest);
    const left = entries && removeFrom(entries, change.removed, id);
    if (left === undefined) manifests.push(manifest);
    else {
      manifests.push(await write(left));
      drop(manifest);
      removed.push(...left.filter(({ status }) => status === "deleted").map(({ file }) => file));
    }
  }
  if (removed.length < change.removed.size)
    throw problem.aborted("files that were to be replaced are not in the table any more", { reason: "files_gone" });
  for (const { path } of removed)
    plan.unreachable.push({ key: dataKey(tenant, nameOf(path)), sequence: sequenceNumber });

  const merging = new Set(
    toMerge(
      manifests.filter(({ addedSnapshotId }) => addedSnapshotId !== id),
      MERGE,
    ),
  );
  if (merging.size > 0) {
    const entries: ManifestEntry[] = [];
    for (const manifest of merging) {
      entries.push(...(await entriesOf(parts, tenant, base, manifest)));
      drop(manifest);
    }
    manifests.splice(
      0,
      manifests.length,
      ...manifests.filter((manifest) => !merging.has(manifest)),
      await write(entries),
    );
  }
  if (change.added.length > 0) manifests.push(await write(addedEntries(change.added, id)));

  const parent = currentSnapshot(table)?.["snapshot-id"];
  const list = metadataKey(tenant, `snap-${id}-${randomUUID()}.avro`);
  const bytes = await writeManifestList(manifests, { id, parentId: parent ?? null, sequenceNumber }, newSync());
  plan.objects.push({ key: list, bytes });
  const snapshot: Snapshot = {
    "snapshot-id": id,
    ...(parent === undefined ? {} : { "parent-snapshot-id": parent }),
    "sequence-number": sequenceNumber,
    "timestamp-ms": nowMs,
    "manifest-list": objects.uri(list),
    summary: summaryOf(table, change.operation, change.added, removed),
    "schema-id": shape.schema["schema-id"],
  };
  return addSnapshot(table, snapshot);
}

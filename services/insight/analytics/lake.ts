import { randomBytes, randomUUID } from "node:crypto";
import type { Analytics } from "#contracts/analytics";
import { type Platform, problem, toProblem, type Tx } from "#kernel";
import {
  currentSnapshot,
  createTable,
  type DataFile,
  isLive,
  liveEntries,
  type ManifestEntry,
  type ManifestFile,
  readManifest,
  readManifestList,
  readMetadata,
  schemaOf,
  type Shape,
  specOf,
  type TableMetadata,
} from "#media/iceberg";
import { DRAFTS_MS, EVENTS, folderOf, metadataKey, nameOf, newTable } from "./domain.ts";
import * as store from "./store.ts";

export type LakePlatform = Pick<Platform<typeof Analytics>, "db" | "objects" | "clock" | "logger" | "metrics">;
export type LakeTx = Tx<typeof Analytics>;

/** A table at one version; version 0 is not in the catalogue yet. */
export interface Loaded {
  readonly version: number;
  readonly table: TableMetadata;
  /** Of the metadata file, undefined at version 0. */
  readonly key: string | undefined;
  readonly shape: Shape;
}

export async function load({ db, objects, clock }: LakePlatform, tenant: string): Promise<Loaded> {
  const row = await db.tx({ tenant }, (tx) => store.findTable(tx, EVENTS));
  const table = row
    ? readMetadata(await objects.get(row.metadataKey))
    : createTable({
        ...newTable,
        uuid: randomUUID(),
        location: objects.uri(folderOf(tenant)),
        nowMs: clock.nowMs(),
        properties: { "write.format.default": "avro", "write.avro.compression-codec": "gzip" },
      });
  const shape = { schema: schemaOf(table), spec: specOf(table) };
  return { version: row?.version ?? 0, table, key: row?.metadataKey, shape };
}

/** The manifests of the current snapshot, also those that only say what it deleted. */
export async function manifestsOf(
  { objects }: LakePlatform,
  tenant: string,
  { table }: Loaded,
): Promise<ManifestFile[]> {
  const snapshot = currentSnapshot(table);
  if (!snapshot) return [];
  const list = await objects.get(metadataKey(tenant, nameOf(snapshot["manifest-list"])));
  return readManifestList(list);
}

export const entriesOf = async (
  { objects }: LakePlatform,
  tenant: string,
  { shape }: Loaded,
  manifest: ManifestFile,
): Promise<ManifestEntry[]> =>
  liveEntries(await readManifest(await objects.get(metadataKey(tenant, nameOf(manifest.path))), manifest, shape));

/** The data files of the current snapshot, of manifests that `wanted` lets through. */
export async function filesOf(
  parts: LakePlatform,
  tenant: string,
  loaded: Loaded,
  wanted: (manifest: ManifestFile) => boolean = () => true,
): Promise<DataFile[]> {
  const files: DataFile[] = [];
  for (const manifest of (await manifestsOf(parts, tenant, loaded)).filter((one) => isLive(one) && wanted(one)))
    for (const { file } of await entriesOf(parts, tenant, loaded, manifest)) files.push(file);
  return files;
}

/** Notes keys as drafts before their objects are written. `check` may refuse, in the same transaction. */
export async function draft(
  { db, clock }: LakePlatform,
  tenant: string,
  keys: readonly string[],
  check: (tx: LakeTx) => Promise<void> = async () => undefined,
): Promise<void> {
  await db.tx({ tenant }, async (tx) => {
    await check(tx);
    await store.addDrafts(tx, keys, clock.nowMs() + DRAFTS_MS);
  });
}

/** Says `aborted` where somebody asked for an erasure since `newest` was read: what was filtered before does not count any more. */
export const erasuresSince =
  (newest: number) =>
  async (tx: LakeTx): Promise<void> => {
    if ((await store.newestErasure(tx)) !== newest)
      throw problem.aborted("an erasure was asked for meanwhile: begin again", { reason: "erasure" });
  };

/** An id that fits the numbers of JavaScript. */
export const newSnapshotId = (): number => randomBytes(6).readUIntBE(0, 6);
export const newSync = (): Buffer => randomBytes(16);

/** Whether a commit came too late: the table, or a file that it builds on, is another by now. */
export const isOvertaken = (error: unknown): boolean => {
  const { code, reason } = toProblem(error);
  return reason === "lake_version" || code === "not_found";
};

import { setImmediate as turn } from "node:timers/promises";
import type { SinkBatch, SunkEvent } from "#kernel";
import type { Analytics } from "#contracts/analytics";
import { type DataFile, lowestDay } from "#media/iceberg";
import { commit } from "./commit.ts";
import {
  addRows,
  ERASURES_MS,
  type EventRow,
  firstDayKept,
  type Group,
  HISTORY_MS,
  type Mentions,
  mentionsOf,
  toCompact,
  toRow,
} from "./domain.ts";
import { inBlocks, newDataKey, readDataFile, writeDataFile } from "./files.ts";
import { draft, erasuresSince, filesOf, type LakePlatform, load } from "./lake.ts";
import * as store from "./store.ts";

/** So many events are made rows before others get their turn in this thread. */
const ROWS_AT_ONCE = 500;
const ERASED_MAX = 100_000;
const ERASING_MAX = 1_000;
const ERASE_FILES_MAX = 100;
const SWEEP_KEYS_MAX = 500;
const SWEEP_ROUNDS_MAX = 40;

/** Keeps a batch of events: a data file for each partition, then one commit, with which the kernel's marks move. */
export async function keepEvents(parts: LakePlatform, batch: SinkBatch<typeof Analytics>): Promise<void> {
  const { db } = parts;
  const { tenant } = batch;
  const erased = await db.tx({ tenant }, (tx) => store.erasedUsers(tx, ERASED_MAX));
  const isErased = mentionsOf(erased.ids);
  const groups = await groupsOf(batch.events, isErased);
  const check = erasuresSince(erased.newest);
  const loaded = await load(parts, tenant);
  const keys = groups.map(() => newDataKey(tenant));
  if (keys.length > 0) await draft(parts, tenant, keys, check);
  const added: DataFile[] = [];
  for (const [index, { partition, rows }] of groups.entries()) {
    const file = await writeDataFile(parts, keys[index] ?? "", loaded, partition, inBlocks([rows]));
    if (file) added.push(file);
  }
  if (added.length === 0) return db.tx({ tenant }, batch.commit);
  await commit(
    parts,
    tenant,
    { operation: "append", added, removed: new Set() },
    {
      dataKeys: keys,
      async within(tx) {
        await check(tx);
        await batch.commit(tx);
      },
    },
  );
}

async function groupsOf(events: readonly SunkEvent[], isErased: Mentions): Promise<Group[]> {
  const groups = new Map<string, Group>();
  for (let at = 0; at < events.length; at += ROWS_AT_ONCE) {
    const rows = events.slice(at, at + ROWS_AT_ONCE).map(toRow);
    addRows(
      groups,
      rows.filter((row) => !isErased(row)),
    );
    await turn();
  }
  return [...groups.values()];
}

/** Drops the partitions whose last day is too long ago: out of the table now, their files when no snapshot has them any more. */
export async function retain(parts: LakePlatform, tenant: string): Promise<number> {
  const loaded = await load(parts, tenant);
  const first = firstDayKept(parts.clock.nowMs());
  const isOld = ({ partition }: DataFile): boolean => typeof partition[0] === "number" && partition[0] < first;
  const files = await filesOf(parts, tenant, loaded, ({ partitions }) => (lowestDay(partitions[0]) ?? first) < first);
  const removed = new Set(files.filter(isOld).map(({ path }) => path));
  if (removed.size > 0) await commit(parts, tenant, { operation: "delete", added: [], removed });
  return removed.size;
}

/** Makes one file of many small ones, partition by partition. Erasures go first: what is copied must not be what they look for. */
export async function compact(parts: LakePlatform, tenant: string, smallMax?: number): Promise<number> {
  const { db } = parts;
  const { newest, open } = await db.tx({ tenant }, async (tx) => ({
    newest: await store.newestErasure(tx),
    open: await store.countOpenErasures(tx),
  }));
  if (open > 0) return 0;
  const loaded = await load(parts, tenant);
  const groups = toCompact(await filesOf(parts, tenant, loaded), smallMax);
  for (const files of groups) {
    const key = newDataKey(tenant);
    await draft(parts, tenant, [key], erasuresSince(newest));
    async function* rows(): AsyncGenerator<readonly EventRow[]> {
      for (const file of files) yield* readDataFile(parts, tenant, loaded, file);
    }
    const file = await writeDataFile(parts, key, loaded, files[0]?.partition ?? [], inBlocks(rows()));
    const removed = new Set(files.map(({ path }) => path));
    if (file) await commit(parts, tenant, { operation: "replace", added: [file], removed }, { dataKeys: [key] });
  }
  return groups.length;
}

/**
 * Removes the events of people who asked for it: rewrites every file that names one of them, forgets the snapshots from before and deletes their
 * files. It is done when nothing is left that may hold such a row, drafts of others included; until then it is tried again. New events
 * of these people are not kept.
 */
export async function erase(parts: LakePlatform, tenant: string): Promise<number> {
  const { db, clock } = parts;
  await db.tx({ tenant }, (tx) => store.forgetErasures(tx, clock.nowMs() - ERASURES_MS));
  const ids = await db.tx({ tenant }, (tx) => store.openErasures(tx, ERASING_MAX));
  if (ids.length === 0) return 0;
  if ((await load(parts, tenant)).version > 0) await eraseFrom(parts, tenant, mentionsOf(ids));
  const isClean = await db.tx({ tenant }, async (tx) => {
    if ((await store.countGarbage(tx)) > 0) return false;
    await store.closeErasures(tx, ids, clock.nowMs());
    return true;
  });
  return isClean ? ids.length : 0;
}

async function eraseFrom(parts: LakePlatform, tenant: string, isGone: Mentions): Promise<void> {
  const { db, clock } = parts;
  const scanned = new Set<string>();
  for (;;) {
    const loaded = await load(parts, tenant);
    const files = (await filesOf(parts, tenant, loaded)).filter(({ path }) => !scanned.has(path));
    if (files.length === 0) break;
    const some = files.slice(0, ERASE_FILES_MAX);
    await rewriteWithout(parts, tenant, some, isGone);
    for (const { path } of some) scanned.add(path);
  }
  await commit(parts, tenant, undefined, { forgetsHistory: true });
  await db.tx({ tenant }, (tx) => store.hurryUnreachable(tx, clock.nowMs()));
  await sweep(parts, tenant);
}

async function rewriteWithout(
  parts: LakePlatform,
  tenant: string,
  files: readonly DataFile[],
  isGone: Mentions,
): Promise<void> {
  const loaded = await load(parts, tenant);
  const removed = new Set<string>();
  const added: DataFile[] = [];
  const dataKeys: string[] = [];
  for (const file of files) {
    if (!(await hasAny(readDataFile(parts, tenant, loaded, file), isGone))) continue;
    async function* rest(): AsyncGenerator<readonly EventRow[]> {
      for await (const block of readDataFile(parts, tenant, loaded, file)) yield block.filter((row) => !isGone(row));
    }
    const key = newDataKey(tenant);
    dataKeys.push(key);
    await draft(parts, tenant, [key]);
    const left = await writeDataFile(parts, key, loaded, file.partition, inBlocks(rest()));
    removed.add(file.path);
    if (left) added.push(left);
  }
  if (removed.size === 0) return;
  await commit(parts, tenant, { operation: added.length > 0 ? "overwrite" : "delete", added, removed }, { dataKeys });
}

async function hasAny(
  blocks: AsyncIterable<readonly EventRow[]>,
  isWanted: (row: EventRow) => boolean,
): Promise<boolean> {
  for await (const block of blocks) if (block.some(isWanted)) return true;
  return false;
}

/** Forgets snapshots that are too old, where no commit has done it. */
export async function expire(parts: LakePlatform, tenant: string): Promise<void> {
  const { table } = await load(parts, tenant);
  const untilMs = parts.clock.nowMs() - HISTORY_MS;
  const isOld = table.snapshots.some(
    (snapshot) => snapshot["snapshot-id"] !== table["current-snapshot-id"] && snapshot["timestamp-ms"] < untilMs,
  );
  if (isOld) await commit(parts, tenant, undefined);
}

/** Deletes garbage whose time has come: noted first, then deleted, then forgotten, so that a crash repeats it. */
export async function sweep({ db, objects, clock }: LakePlatform, tenant: string): Promise<number> {
  let count = 0;
  for (let round = 0; round < SWEEP_ROUNDS_MAX; round += 1) {
    const keys = await db.tx({ tenant }, (tx) => store.doom(tx, clock.nowMs(), SWEEP_KEYS_MAX));
    if (keys.length === 0) break;
    await objects.delete(keys);
    await db.tx({ tenant }, (tx) => store.forgetGarbage(tx, keys));
    count += keys.length;
  }
  return count;
}

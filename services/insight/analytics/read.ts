import { type Context, problem } from "#kernel";
import { currentSnapshot, type DataFile } from "#media/iceberg";
import type { EventRow } from "./domain.ts";
import { readDataFile } from "./files.ts";
import { filesOf, type LakePlatform, type Loaded, load } from "./lake.ts";

const KEYS_MAX = 1_000;
const DAY_MS = 86_400_000;
/** What one page may hold, and how much of the table it may look at before it says what it has. */
const EVENTS_MAX = 5_000;
const BYTES_MAX = 2 * 1024 * 1024;
const FILES_MAX = 64;

/** Where a page ended: which state of the table, which of its files, and how many rows of that were looked at. */
interface Place {
  readonly snapshotId: number;
  readonly file: number;
  readonly row: number;
}
const CURSOR = /^(\d{1,16})\.(\d{1,9})\.(\d{1,9})$/;

export interface Wanted {
  readonly eventType: string;
  readonly fromMs: bigint;
  readonly toMs: bigint;
  readonly keys: readonly string[];
  readonly cursor: string;
}

/** Events of one type as the lake has them, a page at a time. All pages are of one state of the table, so that nothing is told twice or left out. */
export async function readEvents(parts: LakePlatform, wanted: Wanted, { tenant, viewer, signal }: Context) {
  if (viewer) throw problem.denied("the data lake is not shown to viewers");
  const { eventType, keys, cursor } = wanted;
  if (!/^[a-z0-9_.]{1,100}$/.test(eventType))
    throw problem.invalid(`'${eventType.slice(0, 80)}' is no event's name, such as playback.started`);
  if (keys.length > KEYS_MAX) throw problem.invalid(`${keys.length} keys are more than ${KEYS_MAX}: ask in parts`);
  const loaded = await load(parts, tenant);
  const place = placeOf(cursor, loaded);
  if (!place) return { events: [], cursor: "" };
  const then = { ...loaded, table: { ...loaded.table, "current-snapshot-id": place.snapshotId } };
  const span = { fromMs: Number(wanted.fromMs), toMs: Number(wanted.toMs) };
  const files = (await filesOf(parts, tenant, then))
    .filter(({ partition }) => isWanted(partition, eventType, span))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const isAbout = new Set(keys);
  const matches = ({ key, time }: EventRow): boolean =>
    time >= span.fromMs * 1_000 && time < span.toMs * 1_000 && (keys.length === 0 || isAbout.has(key));
  return page(parts, { tenant, signal, loaded: then, files, place }, matches);
}

function placeOf(cursor: string, { table }: Loaded): Place | undefined {
  if (cursor === "") {
    const snapshot = currentSnapshot(table);
    return snapshot && { snapshotId: snapshot["snapshot-id"], file: 0, row: 0 };
  }
  const [, snapshotId, file, row] = CURSOR.exec(cursor) ?? [];
  if (snapshotId === undefined) throw problem.invalid(`'${cursor.slice(0, 80)}' is no cursor: begin without one`);
  const place = { snapshotId: Number(snapshotId), file: Number(file), row: Number(row) };
  if (!table.snapshots.some((snapshot) => snapshot["snapshot-id"] === place.snapshotId))
    throw problem.aborted("the table's state that this cursor is of is forgotten: begin again", {
      reason: "lake_snapshot",
    });
  return place;
}

const isWanted = (
  [day, type]: readonly (string | number)[],
  eventType: string,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): boolean => type === eventType && Number(day) >= Math.floor(fromMs / DAY_MS) && Number(day) * DAY_MS < toMs;

async function page(
  parts: LakePlatform,
  of: {
    readonly tenant: string;
    readonly signal: AbortSignal;
    readonly loaded: Loaded;
    readonly files: readonly DataFile[];
    readonly place: Place;
  },
  matches: (row: EventRow) => boolean,
) {
  const { tenant, signal, loaded, files, place } = of;
  const events: { id: string; key: string; timeMs: bigint; dataJson: string }[] = [];
  let bytes = 0;
  const end = Math.min(files.length, place.file + FILES_MAX);
  for (let index = place.file; index < end; index += 1) {
    signal.throwIfAborted();
    let row = 0;
    const skipped = index === place.file ? place.row : 0;
    for await (const block of readDataFile(parts, tenant, loaded, files[index] ?? { path: "" })) {
      for (const one of block) {
        row += 1;
        if (row <= skipped || !matches(one)) continue;
        const dataJson = one.data ?? "null";
        events.push({ id: one.event_id, key: one.key, timeMs: BigInt(Math.floor(one.time / 1_000)), dataJson });
        bytes += dataJson.length;
        if (events.length >= EVENTS_MAX || bytes >= BYTES_MAX)
          return { events, cursor: [place.snapshotId, index, row].join(".") };
      }
    }
  }
  return { events, cursor: end < files.length ? [place.snapshotId, end, 0].join(".") : "" };
}

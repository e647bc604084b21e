import { fromText, type Kind, knownOf, type Published, toText } from "./domain.ts";
import { MINUTE_MS } from "./domain-windows.ts";
import { kindOf } from "./groups.ts";
import type { FeaturesTx, Parts } from "./parts.ts";
import * as store from "./store.ts";

/** What one event adds to what is kept of an entity. */
export interface Update {
  readonly group: string;
  readonly key: string;
  /** Whose it is; empty for what is no person. */
  readonly userId: string;
  readonly timeMs: number;
  readonly fold: (state: unknown) => unknown;
}

/** A kind's own functions, closed over what its state is. */
export const update = <S>(
  kind: Kind<S>,
  of: Pick<Update, "key" | "userId" | "timeMs">,
  fold: (state: S) => S,
): Update => ({
  ...{ key: of.key, userId: of.userId, timeMs: of.timeMs, group: kind.group.name },
  fold: (state) => fold((state ?? kind.empty) as S),
});

/** Copies live so long in the cache when nobody says anything new: a cache that was away while somebody did is believed no longer than that. */
const COPY_MS = 15 * MINUTE_MS;

export const cacheKey = (tenant: string, group: string, key: string): string => `online:${tenant}:${group}:${key}`;

/**
 * Folds the updates of a batch in memory, entity by entity, and writes each once. What is to be published is emitted with the rows, and written
 * to the cache before they are committed, while they are locked: so copies are written in the order of the rows, and a crash between the two leaves
 * one that is ahead of a batch that comes again. After the commit it would leave one that is behind until the next event (docs/adr/0026).
 */
export async function apply(parts: Parts, tx: FeaturesTx, all: readonly Update[]): Promise<void> {
  const updates = Map.groupBy(all, ({ group, key }) => `${group}/${key}`);
  const firsts = [...updates.values()].flatMap(([first]) => first ?? []);
  if (firsts.length === 0) return;
  const nowMs = parts.clock.nowMs();
  const states = (await store.lock(tx, firsts)).map((row) => {
    let { state, eventTimeMs } = row;
    for (const { fold, timeMs } of updates.get(`${row.group}/${row.key}`) ?? []) {
      state = fold(state);
      eventTimeMs = Math.max(eventTimeMs, timeMs);
    }
    return { ...row, state, eventTimeMs };
  });
  await write(parts, tx, states, (row) => timeToPublish(row, nowMs));
}

/** As of when an entity is published now; undefined where its time has not come. */
function timeToPublish({ group, eventTimeMs, published, dueAtMs }: store.State, nowMs: number): number | undefined {
  const cadenceMs = kindOf(group)?.group.cadenceMs ?? 0;
  if (cadenceMs === 0 || published === undefined) return eventTimeMs;
  return dueAtMs !== undefined && dueAtMs <= nowMs ? nowMs : undefined;
}

/** Writes rows that are locked, and publishes those whose time has come. */
export async function write(
  parts: Parts,
  tx: FeaturesTx,
  states: readonly store.State[],
  timeOf: (row: store.State) => number | undefined,
): Promise<void> {
  const nowMs = parts.clock.nowMs();
  const made = states.map((row) => {
    const kind = kindOf(row.group);
    const atMs = timeOf(row);
    // A group that this release does not have is another one's to publish.
    if (!kind) return { row: { ...row, dueAtMs: undefined }, value: undefined };
    return atMs === undefined
      ? { row: waiting(kind, row), value: undefined }
      : publish(kind, row, Math.max(atMs, row.publishedEventTimeMs), nowMs);
  });
  await store.write(
    tx,
    made.map(({ row }) => row),
  );
  const copies: Promise<void>[] = [];
  for (const { row, value } of made) {
    if (!value) continue;
    const { eventTimeMs, createdAtMs, numbers, words, vector } = value;
    const what = { entityKey: row.key, userId: row.userId, featureGroup: row.group };
    tx.emit("updated", { ...what, eventTimeMs, createdAtMs, numbers, words, vector });
    copies.push(parts.cache.set(cacheKey(tx.tenant, row.group, row.key), row.published ?? "", COPY_MS));
  }
  await Promise.all(copies);
  for (const [group, own] of Map.groupBy(made, ({ row }) => row.group))
    parts.published(
      group,
      own.flatMap(({ value }) => (value ? [{ lagMs: value.createdAtMs - value.eventTimeMs }] : [])),
    );
}

/** It has news and waits for its time, which is known since it was published last. */
const waiting = ({ group }: Kind, row: store.State): store.State => ({
  ...row,
  dueAtMs: Math.min(row.dueAtMs ?? Number.POSITIVE_INFINITY, row.publishedEventTimeMs + group.cadenceMs),
});

function publish(kind: Kind, row: store.State, atMs: number, nowMs: number) {
  const { group } = kind;
  const changesAt = kind.changesAt?.(row.state, atMs);
  // What is published in turn is not published sooner because of a window that moves.
  const dueAtMs = changesAt === undefined ? undefined : Math.max(changesAt, atMs + group.cadenceMs);
  const value: Published = {
    ...knownOf(group, kind.valuesOf(row.state, atMs)),
    ...{ eventTimeMs: atMs, createdAtMs: createdAt(row, atMs, nowMs), dueAtMs: dueAtMs ?? 0 },
  };
  return { value, row: { ...row, published: toText(value), publishedEventTimeMs: atMs, dueAtMs } };
}

/** Of two values of one time the one that was made later counts, so that two of one millisecond have to be told apart, too. */
function createdAt({ published, publishedEventTimeMs }: store.State, atMs: number, nowMs: number): number {
  const before = published !== undefined && publishedEventTimeMs === atMs ? fromText(published) : undefined;
  return Math.max(nowMs, (before?.createdAtMs ?? 0) + 1);
}

const DUE_AT_ONCE = 500;
const DUE_ROUNDS_MAX = 20;

/** Publishes what is due: groups that have their turns, and windows that moved. */
export async function publishDue(parts: Parts, tenant: string, signal?: AbortSignal): Promise<number> {
  let count = 0;
  for (let round = 0; round < DUE_ROUNDS_MAX && !signal?.aborted; round += 1) {
    const nowMs = parts.clock.nowMs();
    const found = await parts.db.tx({ tenant }, async (tx) => {
      const due = await store.lockDue(tx, nowMs, DUE_AT_ONCE);
      await write(parts, tx, due, () => nowMs);
      return due.length;
    });
    count += found;
    if (found < DUE_AT_ONCE) break;
  }
  return count;
}

/** Copies go before the commit, while the rows are locked, and once more behind it: somebody may have copied what was there meanwhile. */
export async function drop(parts: Parts, tx: FeaturesTx, names: readonly store.Name[]): Promise<void> {
  if (names.length === 0) return;
  const keys = names.map(({ group, key }) => cacheKey(tx.tenant, group, key));
  await parts.cache.delete(keys);
  tx.afterCommit(() => parts.cache.delete(keys));
}

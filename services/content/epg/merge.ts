import type { Epg, EpgIngestCompleted } from "#contracts/epg";
import type { Received, Tx } from "#kernel";
import {
  arrange,
  type Change,
  compare,
  daysOf,
  isMoved,
  KEPT_AFTER_MS,
  KEPT_BEFORE_MS,
  type Mended,
  merge,
  type Placed,
} from "./domain.ts";
import { isByTitle } from "./identity.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";
import * as guide from "./store-guide.ts";

const LISTINGS_MAX = 50_000;
type EpgTx = Tx<typeof Epg>;

/** Merges the channels whose listings changed, each once; events of a channel come in order, so that nobody else merges it meanwhile. */
export async function mergeChannels(
  parts: Parts,
  tx: EpgTx,
  events: readonly Received<EpgIngestCompleted>[],
): Promise<void> {
  for (const [channelId, told] of Map.groupBy(events, ({ data }) => data.channelId)) {
    const mended = await mergeChannel(parts, tx, channelId);
    for (const importId of new Set(told.map(({ data }) => data.importId)))
      if (importId !== "") await store.noteMerge(tx, importId, channelId, mended);
  }
}

/** Answers how often the rule had to mend something, by word. */
async function mergeChannel(parts: Parts, tx: EpgTx, channelId: string): Promise<Partial<Record<Mended, number>>> {
  const nowMs = parts.clock.nowMs();
  const window = { fromMs: nowMs - KEPT_BEFORE_MS, toMs: nowMs + KEPT_AFTER_MS };
  const mended: Partial<Record<Mended, number>> = {};
  const isThere = await store.lockChannel(tx, channelId);
  const listings = isThere ? await guide.listingsOf(tx, channelId, window, LISTINGS_MAX) : [];
  const sources = [...Map.groupBy(listings, ({ source }) => source).values()].map((own) =>
    arrange(own, (what) => (mended[what] = (mended[what] ?? 0) + 1)),
  );
  const after = await withKnownSeries(
    tx,
    merge(sources).filter(({ stopMs }) => stopMs > window.fromMs),
  );
  const before = (await guide.knownOf(tx, channelId)).filter(({ stopMs }) => !isThere || stopMs > window.fromMs);
  const change = compare(channelId, before, after);
  await guide.applyChange(tx, channelId, change);
  await announce(tx, channelId, change, nowMs);
  const days = daysOf(change).map(({ day }) => day);
  if (days.length > 0) tx.afterCommit(() => parts.grid.forget(tx.tenant, channelId, days));
  return mended;
}

/** What is a series by its title alone is the one that another source knows by an id, where that is one and no more. */
async function withKnownSeries(tx: EpgTx, placed: readonly Placed[]): Promise<Placed[]> {
  const titles = placed.filter(({ seriesId }) => isByTitle(seriesId)).map(({ titleKey }) => titleKey);
  const known = await guide.seriesByTitle(tx, [...new Set(titles)]);
  return placed.map((slot) =>
    isByTitle(slot.seriesId) ? { ...slot, seriesId: known.get(slot.titleKey) ?? slot.seriesId } : slot,
  );
}

/** What was announced before and is over now concerns nobody any more. */
async function announce(tx: EpgTx, channelId: string, change: Change, nowMs: number): Promise<void> {
  for (const { day, added, changed, removed } of daysOf(change))
    tx.emit("scheduleUpdated", { channelId, day, added, changed, removed });
  const ids = [...change.added.map(({ id }) => id), ...change.changed.map(({ known }) => known.id)];
  const restrictions = await guide.restrictionsOf(tx, ids);
  const say = (id: string, what: "moved" | "changed" | "removed", slot: Told, before: Told): void => {
    if (Math.max(before.stopMs, slot.stopMs) < nowMs) return;
    const { title, startMs, stopMs, seriesId, episodeKey } = slot;
    const { blackout = false, no_restart: noRestart = false } = restrictions.get(id) ?? {};
    tx.emit("programChanged", {
      ...{ channelId, programmeId: id, change: what, title, startMs, stopMs, seriesId, episodeKey },
      ...{ previousStartMs: before.startMs, previousStopMs: before.stopMs, blackout, noRestart },
    });
  };
  for (const { known, slot } of change.changed) say(known.id, isMoved(known, slot) ? "moved" : "changed", slot, known);
  for (const known of change.removed) say(known.id, "removed", known, known);
  // One that comes back is as restricted as it was.
  for (const { id, slot } of change.added) if (restrictions.has(id)) say(id, "changed", slot, slot);
}

type Told = Pick<Placed, "title" | "startMs" | "stopMs" | "seriesId" | "episodeKey">;

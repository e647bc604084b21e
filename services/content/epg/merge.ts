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
  const listings = isThere ? await store.listingsOf(tx, channelId, window, LISTINGS_MAX) : [];
  const sources = [...Map.groupBy(listings, ({ source }) => source).values()].map((own) =>
    arrange(own, (what) => (mended[what] = (mended[what] ?? 0) + 1)),
  );
  const after = await withKnownSeries(
    tx,
    merge(sources).filter(({ stopMs }) => stopMs > window.fromMs),
  );
  const before = (await store.knownOf(tx, channelId)).filter(({ stopMs }) => !isThere || stopMs > window.fromMs);
  const change = compare(channelId, before, after);
  await store.applyChange(tx, channelId, change);
  announce(tx, channelId, change, nowMs);
  const days = daysOf(change).map(({ day }) => day);
  if (days.length > 0) tx.afterCommit(() => parts.grid.forget(tx.tenant, channelId, days));
  return mended;
}

/** What is a series by its title alone is the one that another source knows by an id, where that is one and no more. */
async function withKnownSeries(tx: EpgTx, placed: readonly Placed[]): Promise<Placed[]> {
  const titles = placed.filter(({ seriesId }) => isByTitle(seriesId)).map(({ titleKey }) => titleKey);
  const known = await store.seriesByTitle(tx, [...new Set(titles)]);
  return placed.map((slot) =>
    isByTitle(slot.seriesId) ? { ...slot, seriesId: known.get(slot.titleKey) ?? slot.seriesId } : slot,
  );
}

/** What was announced before and is over now concerns nobody any more. */
function announce(tx: EpgTx, channelId: string, change: Change, nowMs: number): void {
  for (const { day, added, changed, removed } of daysOf(change))
    tx.emit("scheduleUpdated", { channelId, day, added, changed, removed });
  for (const { known, slot } of change.changed) {
    if (Math.max(known.stopMs, slot.stopMs) < nowMs) continue;
    tx.emit("programChanged", {
      ...{ channelId, programmeId: known.id, change: isMoved(known, slot) ? "moved" : "changed", title: slot.title },
      ...{ startMs: slot.startMs, stopMs: slot.stopMs, previousStartMs: known.startMs, previousStopMs: known.stopMs },
      ...{ seriesId: slot.seriesId, episodeKey: slot.episodeKey },
    });
  }
  for (const known of change.removed) {
    if (known.stopMs < nowMs) continue;
    tx.emit("programChanged", {
      ...{ channelId, programmeId: known.id, change: "removed", title: known.title, startMs: known.startMs },
      ...{ stopMs: known.stopMs, previousStartMs: known.startMs, previousStopMs: known.stopMs },
      ...{ seriesId: known.seriesId, episodeKey: known.episodeKey },
    });
  }
}

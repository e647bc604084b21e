import type { Catalog } from "#contracts/catalog";
import type { Tx } from "#kernel";
import { type Artwork, isAvailable } from "./domain.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

// Who can be watched now, and what a series takes from its episodes.

type CatalogTx = Tx<typeof Catalog>;

const isAvailableNow = (row: store.TitleRow, nowMs: number): boolean =>
  isAvailable(
    {
      publication: row.publication,
      state: row.state,
      availableFromMs: row.available_from_ms,
      availableUntilMs: row.available_until_ms,
    },
    nowMs,
  );

/** Says so when people can now, or can no longer, watch a title; whether it did. */
export async function announceAvailability(
  parts: Pick<Parts, "clock" | "recent">,
  tx: CatalogTx,
  row: store.TitleRow,
  reasonOf: (isNow: boolean) => string,
): Promise<boolean> {
  const isNow = isAvailableNow(row, parts.clock.nowMs());
  if (isNow === row.available) return false;
  await store.update(parts.recent, tx, row.id, { available: isNow });
  tx.emit("availabilityChanged", { contentId: row.id, available: isNow, reason: reasonOf(isNow) });
  return true;
}

/**
 * A series plays as soon as one episode does, and looks like its lead until an editor says otherwise: the first episode that people can watch and
 * that whoever sees the series may see. Its pictures are the lead's alone, since those of later episodes would tell what comes.
 */
export async function refreshSeries(
  parts: Pick<Parts, "clock" | "recent">,
  tx: CatalogTx,
  seriesId: string,
): Promise<void> {
  const series = seriesId === "" ? undefined : await store.find(tx, seriesId, { lock: true });
  // Films and episodes have trailers below them, and take nothing from these.
  if (series?.kind !== "series") return;
  const children = await store.children(tx, seriesId);
  const playable = children.filter((child) => child.kind === "episode" && child.state === "playable");
  const lead = leadOf(series, playable, parts.clock.nowMs());
  // A picture of an episode that was deleted went with it.
  const isThere = ({ key }: Artwork): boolean =>
    [series, ...children].some((owner) => key.startsWith(`artwork/${owner.id}/`));
  const backdropNow = store.parseArtwork(series.backdrop);
  const next = {
    ...series,
    state: playable.length > 0 ? ("playable" as const) : ("processing" as const),
    backdrop: backdropNow && isThere(backdropNow) ? series.backdrop : (lead?.backdrop ?? null),
    // Nobody chose these, so they always follow the lead.
    artwork: lead?.artwork ?? "[]",
    found_artwork: lead?.found_artwork ?? "[]",
    preview_key: lead?.preview_key ?? "",
    audio_languages: [...new Set(playable.flatMap((episode) => episode.audio_languages))],
    subtitle_languages: [...new Set(playable.flatMap((episode) => episode.subtitle_languages))],
    complete: playable.length > 0 && playable.every((episode) => episode.complete),
  };
  const { state, backdrop, artwork, found_artwork, preview_key, audio_languages, subtitle_languages, complete } = next;
  await store.update(parts.recent, tx, seriesId, {
    ...{ state, backdrop, artwork, found_artwork, preview_key },
    ...{ audio_languages, subtitle_languages, complete },
  });
  if (artwork !== series.artwork || found_artwork !== series.found_artwork)
    tx.emit("titleUpdated", { contentId: seriesId, changed: ["artwork"] });
  await announceAvailability(parts, tx, next, (isNow) => (isNow ? "playable" : "unpublished"));
}

const leadOf = (
  series: store.TitleRow,
  episodes: readonly store.TitleRow[],
  nowMs: number,
): store.TitleRow | undefined =>
  episodes.find((episode) => episode.age_rating <= series.age_rating && isAvailableNow(episode, nowMs));

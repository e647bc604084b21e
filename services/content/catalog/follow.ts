import type { Catalog } from "#contracts/catalog";
import type { EncodingCompleted, EncodingFailed } from "#contracts/encoding";
import type { IngestFailed, IngestStarted } from "#contracts/ingest";
import type { MetadataEnriched } from "#contracts/metadata";
import { type Received, systemContext, type Tx } from "#kernel";
import { announceAvailability, refreshSeries } from "./availability.ts";
import { factsFrom } from "./domain.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

// What the catalogue does when the content pipeline says something.

type CatalogTx = Tx<typeof Catalog>;

/** A file is coming: its title stands in the catalogue from now on, as one that is being prepared. */
export async function ingestStarted(
  parts: Parts,
  tx: CatalogTx,
  events: readonly Received<IngestStarted>[],
): Promise<void> {
  for (const { data } of events) {
    const facts = factsFrom(JSON.parse(data.metadataJson || "{}") as Record<string, unknown>, data.fileName);
    const isNew = await store.insert(parts.recent, tx, data.contentId, facts, {
      publication: data.publish ? "published" : "draft",
      nowMs: parts.clock.nowMs(),
    });
    if (isNew)
      tx.emit("titleAdded", {
        contentId: data.contentId,
        kind: facts.kind,
        title: facts.title,
        genres: [...facts.genres],
      });
    else await store.update(parts.recent, tx, data.contentId, { state: "processing", failure: "" });
  }
}

export async function ingestFailed(
  parts: Parts,
  tx: CatalogTx,
  events: readonly Received<IngestFailed>[],
): Promise<void> {
  for (const { data } of events) await markFailed(parts, tx, data.contentId, data.message);
}

export async function encodingFailed(
  parts: Parts,
  tx: CatalogTx,
  events: readonly Received<EncodingFailed>[],
): Promise<void> {
  for (const { data } of events) await markFailed(parts, tx, data.contentId, data.message);
}

/** A title that plays already goes on playing what it has; one that never did is failed, with the reason. */
async function markFailed(parts: Parts, tx: CatalogTx, contentId: string, message: string): Promise<void> {
  const row = await store.find(tx, contentId, { lock: true });
  if (!row) return;
  const state = row.package_revision > 0 ? row.state : "failed";
  await store.update(parts.recent, tx, contentId, { state, failure: message });
  tx.emit("titleUpdated", { contentId, changed: ["state"] });
  await announceAvailability(parts, tx, { ...row, state }, () => "failed");
}

export async function encodingCompleted(
  parts: Parts,
  tx: CatalogTx,
  events: readonly Received<EncodingCompleted>[],
): Promise<void> {
  for (const { data } of events) {
    const row = await store.find(tx, data.contentId, { lock: true });
    // Deleted meanwhile: what was made goes with the deletion's own event.
    if (!row) continue;
    const candidates = data.artwork.map(({ key, width, height, color, blurDataUrl }) => ({
      key,
      width,
      height,
      color,
      blurDataUrl,
    }));
    const change = {
      state: "playable" as const,
      failure: "",
      complete: data.stage === "complete" || (data.stage === "repackaged" && row.complete),
      package_revision: data.packageRevision,
      index_version: data.indexVersion,
      duration_s: data.durationS,
      audio_languages: [...data.audioLanguages],
      subtitle_languages: [...data.subtitleLanguages],
      artwork: JSON.stringify(candidates),
      preview_key: data.previewKey ?? "",
      // A file without chapters leaves those that were found, and a later package what a person said since.
      chapters: data.chapters.length > 0 && row.package_revision === 0 ? JSON.stringify(data.chapters) : row.chapters,
      backdrop: row.backdrop ?? (candidates[0] ? JSON.stringify(candidates[0]) : null),
    };
    await store.update(parts.recent, tx, row.id, change);
    tx.emit("titleUpdated", { contentId: row.id, changed: ["state", "package"] });
    const next = { ...row, ...change };
    await announceAvailability(parts, tx, next, () => "playable");
    await refreshSeries(parts, tx, row.parent_id);
  }
}

/** Chapters and pictures that were found in the film, or that a person wrote or chose. */
export async function enriched(
  parts: Parts,
  tx: CatalogTx,
  events: readonly Received<MetadataEnriched>[],
): Promise<void> {
  for (const { data } of events) {
    if (data.what !== "chapters" && data.what !== "thumbnails") continue;
    const row = await store.find(tx, data.contentId, { lock: true });
    if (!row) continue;
    const change =
      data.what === "chapters"
        ? { chapters: JSON.stringify(data.chapters) }
        : { found_artwork: JSON.stringify(data.pictures) };
    await store.update(parts.recent, tx, row.id, change);
    tx.emit("titleUpdated", { contentId: row.id, changed: [data.what === "chapters" ? "chapters" : "artwork"] });
    if (data.what === "thumbnails") await refreshSeries(parts, tx, row.parent_id);
  }
}

/** Announces windows that opened or closed since the last look, in every tenant. */
export async function sweepWindows(parts: Parts): Promise<void> {
  const { tenants } = await parts.call.tenant.list({}, systemContext("system", "catalog", { clock: parts.clock }));
  for (const { id } of tenants) {
    await parts.db.tx({ tenant: id }, async (tx) => {
      const nowMs = parts.clock.nowMs();
      for (const row of await store.outOfStep(tx, nowMs)) {
        await announceAvailability(parts, tx, row, (isNow) => (isNow ? "window_opened" : "window_closed"));
        await refreshSeries(parts, tx, row.parent_id);
      }
    });
  }
}

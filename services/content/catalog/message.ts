import type { Chapter } from "./domain.ts";
import { factsOf, parseArtwork, picturesOf, type TitleRow } from "./store.ts";

/** A row as the contract's message. */
export function toTitle(row: TitleRow) {
  const backdrop = parseArtwork(row.backdrop);
  const { availableFromMs, availableUntilMs, genres, credits, markets, ...facts } = factsOf(row);
  return {
    ...facts,
    id: row.id,
    genres: [...genres],
    credits: [...credits],
    markets: [...markets],
    availableFromMs: BigInt(availableFromMs),
    availableUntilMs: BigInt(availableUntilMs),
    durationS: row.duration_s,
    audioLanguages: row.audio_languages,
    subtitleLanguages: row.subtitle_languages,
    ...(backdrop ? { backdrop, poster: backdrop } : {}),
    previewKey: row.preview_key,
    chapters: JSON.parse(row.chapters) as Chapter[],
    artworkCandidates: picturesOf(row),
    publication: row.publication,
    state: row.state,
    failure: row.failure,
    complete: row.complete,
    packageRevision: row.package_revision,
    indexVersion: row.index_version,
    addedAtMs: BigInt(row.added_at_ms),
  };
}

import { BY_TITLE, isByTitle } from "./identity.ts";
import type { Body } from "./listing.ts";
import type { Channel, Import, Source, SourceChannel } from "./store.ts";
import type { Programme } from "./store-guide.ts";

// Rows as messages of the contract.

export function toProgramme(row: Programme) {
  const body = JSON.parse(row.body) as Body;
  return {
    ...{ id: row.id, channelId: row.channel_id, startMs: BigInt(row.start_ms), stopMs: BigInt(row.stop_ms) },
    title: row.title,
    subtitle: body.subtitle ?? body.subtitles[0]?.text ?? "",
    description: body.description ?? body.descriptions[0]?.text ?? "",
    ...{ titles: [...body.titles], subtitles: [...body.subtitles], descriptions: [...body.descriptions] },
    ...{ categories: [...body.categories], credits: [...body.credits], imageUrl: body.imageUrl },
    ...{ ageRating: body.ageRating, rating: body.rating, year: body.year },
    ...{ seasonNumber: body.season, episodeNumber: body.episode },
    ...{ seriesId: row.series_id, episodeKey: row.episode_key, identity: identityOf(row.series_id, body.identity) },
    ...{ new: body.flag === "new", premiere: body.flag === "premiere", repeat: body.flag === "repeat" },
    ...{ blackout: row.blackout, noRestart: row.no_restart, noRecord: row.no_record },
    ...{ stopAssumed: row.stop_assumed, sourceName: row.source },
  };
}

/** A series that was found by its title may be known by an id from elsewhere. */
const identityOf = (seriesId: string, said: string): string =>
  said.startsWith(BY_TITLE) && seriesId !== "" && !isByTitle(seriesId)
    ? said.replace(BY_TITLE, `series '${seriesId}', which alone has its title`)
    : said;

export const toChannel = ({ id, number, name, logo_url, language, playable }: Channel) => ({
  ...{ id, number, name, logoUrl: logo_url, language, playable },
});

export const toSource = (
  row: Source,
  counts: { readonly channels: number; readonly matched: number; readonly importedAtMs: number } | undefined,
) => ({
  ...{ name: row.name, kind: row.kind, location: row.location, zone: row.zone, priority: row.priority },
  ...{ language: row.language, addsChannels: row.adds_channels, refreshS: row.refresh_s },
  ...{ importedAtMs: BigInt(counts?.importedAtMs ?? 0) },
  ...{ channels: counts?.channels ?? 0, matched: counts?.matched ?? 0 },
});

interface Finding {
  readonly code: string;
  readonly count: number;
  readonly first: string;
}

/** An import is whole when all of its channels are merged; what the rule mended is found there. */
export function toImport(
  row: Import,
  merges: { readonly merged: number; readonly findings: readonly string[] } | undefined,
) {
  const merged = merges?.merged ?? 0;
  const mended = new Map<string, number>();
  for (const text of merges?.findings ?? [])
    for (const [code, count] of Object.entries(JSON.parse(text) as Record<string, number>))
      mended.set(code, (mended.get(code) ?? 0) + count);
  const findings = [
    ...(JSON.parse(row.findings) as Finding[]),
    ...[...mended].map(([code, count]) => ({ code, count, first: "" })),
  ];
  const isMerged = merged >= row.channels_matched;
  return {
    ...{ importId: row.import_id, sourceName: row.source },
    state: row.state === "accepted" ? (isMerged ? "completed" : "merging") : row.state,
    ...{ failure: row.failure, failureReason: row.failure_reason },
    ...{ bytesRead: BigInt(row.bytes_read), bytesTotal: BigInt(row.bytes_total) },
    ...{ channels: row.channels, channelsMatched: row.channels_matched, channelsMerged: merged },
    ...{ programmes: row.programmes, programmesKept: row.programmes_kept, findings },
    ...{ createdAtMs: BigInt(row.created_at_ms), finishedAtMs: BigInt(row.finished_at_ms) },
  };
}

export const toMatch = (row: SourceChannel, channelName: string) => ({
  ...{ sourceName: row.source, externalId: row.external_id, names: [...row.names], channelId: row.channel_id },
  ...{ channelName, foundBy: row.found_by, explanation: row.explanation, programmes: row.programmes },
});

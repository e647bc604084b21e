import type { Card, Image, Title as TitlePage } from "#contracts/web";
import type { Artwork, Title } from "#contracts/catalog";
import type { Bookmark } from "#contracts/bookmark";
import type { Encoding } from "#contracts/encoding";
import type { Decision } from "#contracts/entitlement";
import type { Profile as ProfileMessage } from "#contracts/profile";
import type { Profile } from "#contracts/web";

/** What services say, as pages show it. Pure: nothing is asked here. */

const WIDTHS = [320, 640, 960, 1_280, 1_920];

export function imageOf(artwork: Artwork | undefined, alt: string): Image | null {
  if (!artwork) return null;
  const widths = WIDTHS.filter((width, i) => width <= artwork.width || i === 0);
  return {
    sources: widths.map((width) => ({ width, url: `/images/${artwork.key}?w=${width}` })),
    color: artwork.color || "#1a1719",
    blurDataUrl: artwork.blurDataUrl,
    alt,
  };
}

export const previewUrlOf = (title: Title): string | null =>
  title.previewKey === "" ? null : `/images/${title.previewKey}`;

export const chaptersOf = (title: Title): TitlePage["chapters"] =>
  title.chapters.map(({ startS, title: name }) => ({ startS, title: name }));

/** As people say it: `1 h 12 min`, `9 min`. */
export function durationText(durationS: number): string {
  const minutes = Math.max(1, Math.round(durationS / 60));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function factsOf(title: Title, episodes = 0): string {
  const length =
    title.kind === "series"
      ? episodes > 0
        ? `${episodes} ${episodes === 1 ? "episode" : "episodes"}`
        : "Series"
      : title.durationS > 0
        ? durationText(title.durationS)
        : "";
  return [title.year > 0 ? String(title.year) : "", length, title.genres[0] ?? ""].filter(Boolean).join(" · ");
}

/** What keeps somebody from watching, as pages say it; null where nothing does. */
export function lockOf(decision: Decision | undefined): TitlePage["locked"] {
  if (!decision || decision.allowed) return null;
  const reasons: readonly string[] = ["tier", "age", "market", "window"];
  type Reason = NonNullable<TitlePage["locked"]>["reason"];
  return {
    reason: (reasons.includes(decision.reason) ? decision.reason : "window") as Reason,
    message: decision.message,
  };
}

export interface Around {
  readonly bookmarks: ReadonlyMap<string, Bookmark>;
  readonly encodings: ReadonlyMap<string, Encoding>;
}

export const stateOf = (title: Title): Card["state"] =>
  title.state === "playable" ? "playable" : title.state === "processing" ? "processing" : "unavailable";

export const ageText = (age: number): Card["ageRating"] => String(age) as Card["ageRating"];

export const progressOf = (bookmark: Bookmark | undefined): number | null =>
  bookmark && !bookmark.finished && bookmark.durationS > 0
    ? Math.min(1, bookmark.positionS / bookmark.durationS)
    : null;

export function cardOf(
  title: Title,
  { bookmarks, encodings }: Around,
  extra: {
    readonly badge?: string;
    readonly playId?: string | null;
    readonly episodes?: number;
    readonly name?: string;
  } = {},
): Card {
  const state = stateOf(title);
  return {
    id: title.id,
    kind: title.kind === "series" ? "series" : title.kind === "episode" ? "episode" : "film",
    title: extra.name ?? title.title,
    facts: factsOf(title, extra.episodes),
    synopsis: shortened(title.synopsis, 300),
    ageRating: ageText(title.ageRating),
    image: imageOf(title.backdrop, title.title),
    progress: progressOf(bookmarks.get(title.id)),
    playId:
      extra.playId === undefined ? (state === "playable" && title.kind !== "series" ? title.id : null) : extra.playId,
    badge: extra.badge ?? null,
    state,
    processingProgress: state === "processing" ? (encodings.get(title.id)?.progressPlayable ?? 0) : null,
  };
}

export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/\s+\S*$/, "")}…`;
}

export const episodeBadge = (title: Title): string => `S${title.seasonNumber} E${title.episodeNumber}`;

export function seasonsOf(episodes: readonly Title[], around: Around): TitlePage["seasons"] {
  const numbers = [...new Set(episodes.map((episode) => episode.seasonNumber))];
  return numbers.map((number) => ({
    number,
    title: `Season ${number}`,
    episodes: episodes
      .filter((episode) => episode.seasonNumber === number)
      .map((episode) => ({
        id: episode.id,
        number: episode.episodeNumber,
        title: episode.title,
        synopsis: shortened(episode.synopsis, 1_000),
        durationS: episode.durationS,
        image: imageOf(episode.backdrop, episode.title),
        progress: progressOf(around.bookmarks.get(episode.id)),
        state: stateOf(episode),
      })),
  }));
}

/** Which episode a series goes on with: the one under way, else the first one not finished, else the first. */
export function nextEpisode(episodes: readonly Title[], bookmarks: ReadonlyMap<string, Bookmark>): Title | undefined {
  const playable = episodes.filter((episode) => episode.state === "playable");
  const underWay = playable.filter((episode) => progressOf(bookmarks.get(episode.id)) !== null);
  const latest = underWay.toSorted((a, b) =>
    Number((bookmarks.get(b.id)?.updatedAtMs ?? 0n) - (bookmarks.get(a.id)?.updatedAtMs ?? 0n)),
  )[0];
  return latest ?? playable.find((episode) => !bookmarks.get(episode.id)?.finished) ?? playable[0];
}

export const profileOf = (profile: ProfileMessage): Profile => ({
  id: profile.id,
  name: profile.name,
  isKids: profile.isKids,
  hasPin: profile.hasPin,
  avatar: {
    shape: profile.avatarShape % 12,
    color: /^#[0-9a-f]{6}$/.test(profile.avatarColor) ? profile.avatarColor : "#8a5a44",
  },
  language: profile.language,
  ageRatingMax: ageText(profile.ageRatingMax),
});

export const isoOf = (ms: bigint | number): string => new Date(Number(ms)).toISOString();

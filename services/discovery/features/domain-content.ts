import type { Title } from "#contracts/catalog";
import { hashedVector } from "#learning/hashing";
import { amount, count, flag, type Kind, type Value, word } from "./domain.ts";
import { DAY_MS } from "./domain-windows.ts";

/** A title as its features are made of it. What the catalogue says replaces what it said before. */
export interface Metadata {
  readonly values: Readonly<Record<string, Value>>;
  readonly genres: readonly string[];
  /** Of an episode: its series. */
  readonly parentId: string;
  readonly tokens: readonly string[];
}

/** Catalogues change seldom, and the lake forgets: what is still true is said again long before. */
const TTL_MS = 90 * DAY_MS;
const SAID_AGAIN_MS = 30 * DAY_MS;
const changesAt = ({ tokens }: Metadata, atMs: number): number | undefined =>
  tokens.length > 0 ? atMs + SAID_AGAIN_MS : undefined;
const EMPTY: Metadata = { values: {}, genres: [], parentId: "", tokens: [] };
const EVENTS = ["catalog.title.added", "catalog.title.updated", "catalog.availability.changed"];

export const metadata: Kind<Metadata> = {
  group: {
    name: "content_metadata",
    entity: "content",
    description: "What the catalogue says of a title",
    ttlMs: TTL_MS,
    cadenceMs: 0,
    sourceEvents: EVENTS,
    features: [
      word("kind", "film, series, episode, trailer or ad"),
      count("year", "Of the first showing"),
      count("age_rating", "From which age on", "years"),
      amount("duration", "min", "How long it is", null),
      count("genre_count", "Genres"),
      word("primary_genre", "The first genre"),
      word("secondary_genre", "The second genre"),
      flag("is_film", "It is a film"),
      flag("is_series", "It is a series"),
      flag("is_episode", "It is an episode"),
      count("credit_count", "People in its credits"),
      word("director", "The first director"),
      word("lead", "The first of the cast"),
      count("audio_language_count", "Languages of sound"),
      count("subtitle_language_count", "Languages of subtitles"),
      word("first_audio_language", "The first language of sound"),
      count("season_number", "Of an episode"),
      count("episode_number", "Of an episode"),
      flag("is_premium", "It needs the premium plan"),
      count("market_count", "Countries that it is limited to; 0: everywhere"),
      flag("is_available", "It is published and can be played"),
      flag("has_rights_end", "The right to show it ends"),
      count("synopsis_words", "Words of the synopsis"),
      count("title_words", "Words of the title"),
      flag("has_tagline", "It has a tagline"),
      count("artwork_count", "Pictures to choose from"),
      flag("has_poster", "It has a poster"),
      flag("has_preview", "It has a silent clip"),
      count("chapter_count", "Chapters"),
      amount("added_on", "d", "When it came into the catalogue, in days since 1970", null),
    ],
  },
  empty: EMPTY,
  changesAt,
  valuesOf: ({ values }) => values,
};

export const DIMENSIONS = 64;

export const embedding: Kind<Metadata> = {
  group: {
    name: "content_embeddings",
    entity: "content",
    description:
      "Where a title lies among others: a hashed vector of its genres, people and telling words, made here without a model of language",
    ttlMs: TTL_MS,
    cadenceMs: 0,
    sourceEvents: EVENTS,
    features: [
      {
        ...{ name: "embedding", dtype: "vector", unit: "", fallback: null, dimensions: DIMENSIONS },
        description: "Of unit length: the inner product of two is how near they are",
      },
    ],
  },
  empty: EMPTY,
  changesAt,
  valuesOf: ({ tokens }) => ({ embedding: hashedVector(tokens, DIMENSIONS) }),
};

const WORDS = /[\p{L}\p{N}]+/gu;
/** Shorter words say how a language works, and not what a film is about. */
const TELLING_LENGTH_MIN = 5;
const TOKENS_MAX = 200;
const wordsOf = (text: string): string[] => text.toLowerCase().match(WORDS) ?? [];

export function metadataOf(title: Title): Metadata {
  const person = (role: string): string => title.credits.find((credit) => credit.role === role)?.name ?? "";
  const telling = wordsOf(`${title.title} ${title.synopsis} ${title.tagline}`).filter(
    (each) => each.length >= TELLING_LENGTH_MIN,
  );
  const tokens = new Set([
    ...title.genres.map((genre) => `genre:${genre.toLowerCase()}`),
    ...title.credits.map(({ name }) => `person:${name}`),
    ...telling.map((each) => `word:${each}`),
  ]);
  return {
    genres: title.genres,
    parentId: title.kind === "episode" ? title.parentId : "",
    tokens: [...tokens].slice(0, TOKENS_MAX),
    values: {
      ...{ kind: title.kind, year: title.year || Number.NaN, age_rating: title.ageRating },
      duration: title.durationS > 0 ? title.durationS / 60 : Number.NaN,
      ...{ genre_count: title.genres.length, primary_genre: title.genres[0] ?? "" },
      secondary_genre: title.genres[1] ?? "",
      is_film: Number(title.kind === "film"),
      is_series: Number(title.kind === "series"),
      is_episode: Number(title.kind === "episode"),
      ...{ credit_count: title.credits.length, director: person("director"), lead: person("cast") },
      ...{ audio_language_count: title.audioLanguages.length, subtitle_language_count: title.subtitleLanguages.length },
      first_audio_language: title.audioLanguages[0] ?? "",
      ...{ season_number: title.seasonNumber, episode_number: title.episodeNumber },
      ...{ is_premium: Number(title.tierMin === "premium"), market_count: title.markets.length },
      is_available: Number(title.publication === "published" && title.state === "playable"),
      has_rights_end: Number(title.availableUntilMs > 0n),
      ...{ synopsis_words: wordsOf(title.synopsis).length, title_words: wordsOf(title.title).length },
      ...{ has_tagline: Number(title.tagline !== ""), artwork_count: title.artworkCandidates.length },
      ...{ has_poster: Number(title.poster !== undefined), has_preview: Number(title.previewKey !== "") },
      chapter_count: title.chapters.length,
      added_on: title.addedAtMs > 0n ? Number(title.addedAtMs) / DAY_MS : Number.NaN,
    },
  };
}

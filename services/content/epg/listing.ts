import { hash } from "node:crypto";
import type { LocalText, Programme } from "#media/xmltv";
import { identityOf, keyOf } from "./identity.ts";

// A programme of a document as a row of the guide: what the grid shows of it, and everything there is to say.

/** A row of `listings`, named as its columns are. */
export interface Listing {
  readonly seq: number;
  readonly external_id: string;
  readonly start_ms: number;
  readonly stop_ms: number | null;
  readonly length_s: number | null;
  readonly clump_index: number;
  readonly clump_count: number;
  readonly title: string;
  readonly title_key: string;
  readonly series_id: string;
  readonly episode_key: string;
  readonly hash: string;
  readonly card: string;
  readonly body: string;
}

/** What the grid shows, besides id and times; what is not there is left out, because there are thousands of them. */
export interface Card {
  readonly title: string;
  readonly subtitle?: string;
  readonly season?: number;
  readonly episode?: number;
  readonly category?: string;
  readonly age?: number;
  readonly flag?: "new" | "premiere" | "repeat";
  /** In other languages, where there are some. */
  readonly titles?: Readonly<Record<string, string>>;
}

export interface Body {
  readonly titles: readonly LocalText[];
  readonly subtitles: readonly LocalText[];
  readonly descriptions: readonly LocalText[];
  /** In the source's language, where they are not the first ones. */
  readonly subtitle?: string;
  readonly description?: string;
  readonly categories: readonly string[];
  readonly credits: readonly { readonly name: string; readonly role: string; readonly character: string }[];
  readonly imageUrl: string;
  readonly ageRating: number;
  readonly rating: string;
  readonly year: number;
  readonly season: number;
  readonly episode: number;
  readonly identity: string;
  readonly flag: string;
}

const CREDITS_KEPT = 40;
const CATEGORIES_KEPT = 10;

export function listingOf(programme: Programme, seq: number, language: string): Listing {
  const subtitle = pick(programme.subtitles, language);
  const categories = [...new Set(inLanguage(programme.categories, language).map(({ text }) => text))].slice(
    0,
    CATEGORIES_KEPT,
  );
  const title = pick(programme.titles, language) || subtitle || categories[0] || "Untitled";
  const identity = identityOf(programme, title, subtitle);
  const { age, text: rating } = ageOf(programme.ratings);
  const flag = programme.isPremiere
    ? "premiere"
    : programme.isNew
      ? "new"
      : programme.isPreviouslyShown
        ? "repeat"
        : "";
  const others = Object.fromEntries(
    programme.titles.filter((one) => one.language !== "" && one.text !== title).map((one) => [one.language, one.text]),
  );
  const card: Card = {
    title,
    ...(subtitle && subtitle !== title ? { subtitle } : {}),
    ...(identity.season ? { season: identity.season } : {}),
    ...(identity.episode ? { episode: identity.episode } : {}),
    ...(categories[0] ? { category: categories[0] } : {}),
    ...(age ? { age } : {}),
    ...(flag ? { flag } : {}),
    ...(Object.keys(others).length > 0 ? { titles: others } : {}),
  };
  const description = pick(programme.descriptions, language);
  const body: Body = {
    ...{ titles: programme.titles, subtitles: programme.subtitles, descriptions: programme.descriptions },
    ...(subtitle === (programme.subtitles[0]?.text ?? "") ? {} : { subtitle }),
    ...(description === (programme.descriptions[0]?.text ?? "") ? {} : { description }),
    ...{ categories, credits: programme.credits.slice(0, CREDITS_KEPT), imageUrl: imageOf(programme) },
    ...{ ageRating: age, rating, year: yearOf(programme.date) },
    ...{ season: identity.season, episode: identity.episode, identity: identity.explanation, flag },
  };
  const texts = { card: JSON.stringify(card), body: JSON.stringify(body) };
  return {
    ...{ seq, external_id: programme.channelId, start_ms: programme.startMs, stop_ms: programme.stopMs },
    ...{ length_s: programme.lengthS, clump_index: programme.clump.index, clump_count: programme.clump.count },
    ...{ title, title_key: keyOf(title), series_id: identity.seriesId, episode_key: identity.episodeKey },
    hash: hash("sha256", texts.card + texts.body, "base64url").slice(0, 22),
    ...texts,
  };
}

/** Texts in a language, or in the one of the first text where there are none. */
function inLanguage(texts: readonly LocalText[], language: string): readonly LocalText[] {
  const wanted = texts.filter((text) => language !== "" && speaks(text.language, language));
  const first = texts[0]?.language ?? "";
  return wanted.length > 0 ? wanted : texts.filter((text) => text.language === first);
}
const speaks = (tag: string, language: string): boolean =>
  tag.toLowerCase() === language.toLowerCase() || tag.toLowerCase().startsWith(`${language.toLowerCase()}-`);

const pick = (texts: readonly LocalText[], language: string): string => inLanguage(texts, language)[0]?.text ?? "";

/** A picture of the programme that a browser may load: a still before a poster, and by HTTPS or HTTP alone. */
function imageOf({ images, icons }: Programme): string {
  const wide = [...images].sort((a, b) => rank(a.type) - rank(b.type)).map(({ url }) => url);
  const byWidth = icons.toSorted((a, b) => (b.widthPx ?? 0) - (a.widthPx ?? 0)).map(({ url }) => url);
  return [...wide, ...byWidth].find((url) => /^https?:\/\/\S+$/.test(url)) ?? "";
}
const rank = (type: string): number => (["still", "backdrop", "poster"].indexOf(type) + 4) % 4;

const yearOf = (date: string): number => Number(/^(\d{4})/.exec(date)?.[1] ?? 0);

/** Ratings that are no number, in years; several systems agree on what a word means well enough for a label. */
const AGES: Readonly<Record<string, number>> = {
  ...{ "TV-Y": 0, "TV-G": 0, G: 0, U: 0, TVG: 0, TVY: 0, "TV-Y7": 6, TVY7: 6, "TV-PG": 6, TVPG: 6, PG: 6 },
  ...{ "PG-13": 12, "12A": 12, "TV-14": 14, TV14: 14, M: 16, MA: 16, "MA15+": 16, R: 16 },
  ...{ "TV-MA": 18, TVMA: 18, "NC-17": 18, X: 18, R18: 18 },
};

/** The strictest of what ratings say; 0 where none says an age. */
function ageOf(ratings: Programme["ratings"]): { readonly age: number; readonly text: string } {
  const read = ratings.map(({ value }) => {
    const number = /^(?:FSK|PEGI|[A-Z]{0,6})?[\s-]*(\d{1,2})\s*\+?$/i.exec(value)?.[1];
    return { age: AGES[value.toUpperCase()] ?? (number === undefined ? 0 : Math.min(18, Number(number))), text: value };
  });
  return read.toSorted((a, b) => b.age - a.age)[0] ?? { age: 0, text: "" };
}

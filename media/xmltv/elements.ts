/** What stands in a channel or a programme, collected element by element, bounded. */
import type {
  Channel,
  Credit,
  EpisodeNumber,
  FindingCode,
  Icon,
  Image,
  LocalText,
  Programme,
  Rating,
} from "./model.ts";
import { readTime } from "./time.ts";

type Attributes = Readonly<Record<string, string>>;
interface Element {
  readonly name: string;
  readonly attributes: Attributes;
  text: string;
}

export interface Build {
  find(code: FindingCode, detail: string): void;
}

export interface Collected {
  readonly attributes: Attributes;
  /** Elements that are open, below the channel or programme. */
  readonly path: Element[];
  readonly names: LocalText[];
  readonly titles: LocalText[];
  readonly subtitles: LocalText[];
  readonly descriptions: LocalText[];
  readonly credits: Credit[];
  readonly categories: LocalText[];
  readonly keywords: LocalText[];
  readonly languages: string[];
  readonly icons: Icon[];
  readonly images: Image[];
  readonly urls: string[];
  readonly countries: string[];
  readonly episodeNumbers: EpisodeNumber[];
  readonly ratings: Rating[];
  readonly starRatings: Rating[];
  readonly subtitleTypes: string[];
  /** Elements that occur once: the first one counts. */
  readonly once: Map<string, Element>;
}

const LIST_MAX = 50;
const CREDITS_MAX = 200;
const TEXT_CHARS_MAX = 20_000;
const LINE_CHARS_MAX = 1_000;
const ROLES = new Set("director actor writer adapter producer composer editor presenter commentator guest".split(" "));

export const newCollected = (attributes: Attributes): Collected => ({
  ...{ attributes, path: [], names: [], titles: [], subtitles: [], descriptions: [], credits: [], categories: [] },
  ...{ keywords: [], languages: [], icons: [], images: [], urls: [], countries: [], episodeNumbers: [], ratings: [] },
  ...{ starRatings: [], subtitleTypes: [], once: new Map() },
});

/** Takes the innermost open element, which has ended. */
export function take(collected: Collected, build: Build): void {
  const element = collected.path.pop();
  if (!element) return;
  const parent = collected.path.at(-1)?.name;
  if (parent === undefined) takeChild(collected, element, build);
  else if (collected.path.length === 1) takeGrandchild(collected, parent, element, build);
}

function takeChild(collected: Collected, element: Element, build: Build): void {
  const list = LOCAL_LISTS[element.name];
  if (list !== undefined) return put(collected[list], localText(element, build), build, element.name);
  const { attributes } = element;
  switch (element.name) {
    case "icon":
      return put(collected.icons, iconOf(attributes), build, "icon");
    case "image": {
      const url = line(element.text, build);
      return put(collected.images, url === "" ? null : { url, type: attributes["type"] ?? "" }, build, "image");
    }
    case "episode-num": {
      const text = line(element.text, build);
      const system = (attributes["system"] ?? "onscreen").trim().slice(0, 100);
      return put(collected.episodeNumbers, text === "" ? null : { system, text }, build, "episode-num");
    }
    case "url":
    case "country":
    case "language": {
      const lists = { url: collected.urls, country: collected.countries, language: collected.languages };
      return put(lists[element.name], line(element.text, build) || null, build, element.name);
    }
    case "subtitles":
      return put(collected.subtitleTypes, (attributes["type"] ?? "").slice(0, 40) || null, build, "subtitles");
    case "date":
    case "length":
    case "orig-language":
    case "previously-shown":
    case "premiere":
    case "last-chance":
    case "new":
      if (!collected.once.has(element.name))
        collected.once.set(element.name, { ...element, text: line(element.text, build) });
      return;
    default:
  }
}

const LOCAL_LISTS: Readonly<
  Record<string, "names" | "titles" | "subtitles" | "descriptions" | "categories" | "keywords" | undefined>
> = {
  "display-name": "names",
  title: "titles",
  "sub-title": "subtitles",
  desc: "descriptions",
  category: "categories",
  keyword: "keywords",
};

function takeGrandchild(collected: Collected, parent: string, element: Element, build: Build): void {
  const text = line(element.text, build);
  if (parent === "credits") {
    if (!ROLES.has(element.name) || text === "") return;
    const character = line(element.attributes["role"] ?? "", build);
    return put(collected.credits, { name: text, role: element.name, character }, build, "credits", CREDITS_MAX);
  }
  if ((parent === "rating" || parent === "star-rating") && element.name === "value") {
    if (text === "") return;
    const system = (collected.path[0]?.attributes["system"] ?? "").trim().slice(0, 100);
    return put(parent === "rating" ? collected.ratings : collected.starRatings, { system, value: text }, build, parent);
  }
  const known = { "video/aspect": 1, "video/quality": 1, "audio/stereo": 1 };
  const name = `${parent}/${element.name}`;
  if (name in known && !collected.once.has(name)) collected.once.set(name, { ...element, text });
}

function put<T>(list: T[], item: T | null, build: Build, name: string, max = LIST_MAX): void {
  if (item === null) return;
  if (list.length >= max) return build.find("list_shortened", `more than ${max} of '${name}'`);
  list.push(item);
}

/** White space is one space and none at the ends; a text beyond all measure is cut. */
function clean(text: string, max: number, build: Build): string {
  // One space is left alone: nearly every text has nothing else.
  const trimmed = text.replace(/\s{2,}|[^\S ]/g, " ").trim();
  if (trimmed.length <= max) return trimmed;
  build.find("text_shortened", `a text of ${trimmed.length} characters, of which ${max} are kept`);
  // No half of a surrogate pair stays behind.
  return trimmed.slice(0, max).replace(/[\uD800-\uDBFF]$/, "");
}

const line = (text: string, build: Build): string => clean(text, LINE_CHARS_MAX, build);

function localText({ name, text, attributes }: Element, build: Build): LocalText | null {
  const cleaned = clean(text, name === "desc" ? TEXT_CHARS_MAX : LINE_CHARS_MAX, build);
  return cleaned === "" ? null : { text: cleaned, language: languageOf(attributes["lang"]) };
}

/** `fr_FR` as BCP 47 writes it; what is no tag at all is as if nothing were said. */
function languageOf(lang: string | undefined): string {
  const tag = (lang ?? "").trim().replaceAll("_", "-");
  return /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/.test(tag) ? tag : "";
}

function iconOf(attributes: Attributes): Icon | null {
  const url = (attributes["src"] ?? "").trim();
  if (url === "" || url.length > LINE_CHARS_MAX) return null;
  const size = (text: string | undefined): number | null =>
    text !== undefined && /^\d{1,5}$/.test(text.trim()) ? Number(text) : null;
  return { url, widthPx: size(attributes["width"]), heightPx: size(attributes["height"]) };
}

export const buildChannel = (id: string, { names, icons, urls }: Collected): Channel => ({ id, names, icons, urls });

export function buildProgramme(
  channelId: string,
  times: { readonly startMs: number; readonly stopMs: number | null },
  collected: Collected,
  zone: string,
): Programme {
  const { once } = collected;
  const said = (name: string): string => once.get(name)?.text ?? "";
  const previous = once.get("previously-shown")?.attributes["start"];
  const { titles, subtitles, descriptions, credits, categories, keywords, languages, icons, images, urls } = collected;
  const { countries, episodeNumbers, ratings, starRatings, subtitleTypes } = collected;
  return {
    ...{ channelId, ...times, clump: clumpOf(collected.attributes["clumpidx"]) },
    ...{ titles, subtitles, descriptions, credits, categories, keywords, languages, icons, images, urls },
    ...{ countries, episodeNumbers, ratings, starRatings, subtitleTypes },
    date: said("date"),
    originalLanguage: said("orig-language"),
    lengthS: lengthOf(once.get("length")),
    isNew: once.has("new"),
    isPremiere: once.has("premiere"),
    isLastChance: once.has("last-chance"),
    isPreviouslyShown: once.has("previously-shown"),
    previousStartMs: previous === undefined ? null : (readTime(previous, zone)?.instantsMs[0] ?? null),
    aspect: said("video/aspect"),
    quality: said("video/quality"),
    stereo: said("audio/stereo"),
  };
}

function clumpOf(text: string | undefined): { index: number; count: number } {
  const [, index, count] = /^(\d{1,2})\/(\d{1,2})$/.exec(text?.trim() ?? "") ?? [];
  const place = { index: Number(index ?? 0), count: Number(count ?? 1) };
  return place.count >= 1 && place.index < place.count ? place : { index: 0, count: 1 };
}

const UNITS_S: Readonly<Record<string, number>> = { seconds: 1, minutes: 60, hours: 3_600 };

function lengthOf(element: Element | undefined): number | null {
  const unitS = UNITS_S[element?.attributes["units"] ?? ""];
  const number = Number.parseFloat(element?.text ?? "");
  return unitS !== undefined && number > 0 && number < 100_000 ? Math.round(number * unitS) : null;
}

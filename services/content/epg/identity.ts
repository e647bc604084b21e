import { hash } from "node:crypto";
import { type Numbering, numberingOf, parseProgramId, type Programme } from "#media/xmltv";

// Which series and which episode a programme is. Ids of data bases come first, because they are meant for it; a title and a number or
// subtitle are the next best; and how it was found is said, so that a person can see why two airings are taken for one.

export interface Identity {
  /** Empty for a film, and for what has no title. */
  readonly seriesId: string;
  /** Empty where nothing tells one episode from another. */
  readonly episodeKey: string;
  readonly explanation: string;
  readonly season: number;
  readonly episode: number;
}

const TITLE = "its title";
/** How an explanation begins that a title is the reason of. */
export const BY_TITLE = `series by ${TITLE}`;
/** Whether a series is told by its title, for want of an id. */
export const isByTitle = (seriesId: string): boolean => seriesId.startsWith("t-");

const SYSTEMS: readonly { readonly system: RegExp; readonly prefix: string; readonly name: string }[] = [
  { system: /thetvdb/i, prefix: "tvdb", name: "TheTVDB" },
  { system: /themoviedb|tmdb/i, prefix: "tmdb", name: "TMDB" },
  { system: /imdb/i, prefix: "imdb", name: "IMDb" },
];
const SERIES_ID = /(?:series|show|tv)\/(\w{1,20})/i;
const EPISODE_ID = /episode\/(\w{1,20})/i;
const FILM = /\b(film|movie|spielfilm|película|pelicula|feature film)\b/i;
const EPISODIC = /\b(series|serie|soap|sitcom|episode)\b/i;

const keys = new Map<string, string>();
const KEYS_MAX = 5_000;

/** The key of a text; guides say the same titles again and again, so that the last ones are remembered. */
export function keyOf(text: string): string {
  const known = keys.get(text);
  if (known !== undefined) return known;
  const key = makeKey(text);
  if (keys.size >= KEYS_MAX) keys.clear();
  keys.set(text, key);
  return key;
}

/** A text with nothing left but what people mean by it: small letters and digits, one space between words. */
const makeKey = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replace(/&/g, " and ")
    .replace(/['’`]/g, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

const short = (text: string): string => hash("sha256", text, "base64url").slice(0, 16);

export function identityOf(programme: Programme, title: string, subtitle: string): Identity {
  const numbering = numberingOf(programme.episodeNumbers);
  const numbers = { season: numbering?.season ?? 0, episode: numbering?.episode ?? 0 };
  const series = seriesOf(programme, title, subtitle, numbering);
  if (!series) return { seriesId: "", episodeKey: "", explanation: "a film or a single programme", ...numbers };
  const episode = episodeOf(programme, subtitle, numbering);
  return {
    seriesId: series.id,
    episodeKey: episode?.key ?? "",
    explanation: `series by ${series.how}; ${episode ? `episode by ${episode.how}` : "its episodes cannot be told apart: no number, subtitle or id"}`,
    ...numbers,
  };
}

function seriesOf(
  { episodeNumbers, categories }: Programme,
  title: string,
  subtitle: string,
  numbering: Numbering | null,
): { readonly id: string; readonly how: string } | undefined {
  for (const { system, text } of episodeNumbers) {
    const program = system === "dd_progid" ? parseProgramId(text) : null;
    if (program?.kind === "MV") return undefined;
    // An EP and its SH have the same digits.
    if (program && program.kind !== "SP")
      return { id: `dd-${program.series.slice(2)}`, how: `its Gracenote id ${program.series}` };
    const known = SYSTEMS.find((one) => one.system.test(system));
    const id = SERIES_ID.exec(text)?.[1];
    if (known && id !== undefined) return { id: `${known.prefix}-${id}`, how: `its ${known.name} id ${id}` };
  }
  const key = keyOf(title);
  const names = categories.map(({ text }) => text).join(", ");
  const isFilm = FILM.test(names) && !EPISODIC.test(names) && numbering === null;
  if (key === "" || isFilm) return undefined;
  return { id: `t-${short(key)}`, how: `${TITLE} '${title}'${subtitle === "" && numbering === null ? " alone" : ""}` };
}

function episodeOf(
  { episodeNumbers, date, descriptions }: Programme,
  subtitle: string,
  numbering: Numbering | null,
): { readonly key: string; readonly how: string } | undefined {
  if (numbering?.episode) {
    const { season, episode, part } = numbering;
    const key = `${season === null ? "" : `s${season}`}e${episode}${part === null || numbering.parts === 1 ? "" : `p${part}`}`;
    return { key, how: `its number ${key.toUpperCase()}` };
  }
  for (const { system, text } of episodeNumbers) {
    const program = system === "dd_progid" ? parseProgramId(text) : null;
    if (program && program.episode !== "0000") return { key: `dd-${program.episode}`, how: `its Gracenote id ${text}` };
    const known = SYSTEMS.find((one) => one.system.test(system));
    const id = EPISODE_ID.exec(text)?.[1];
    if (known && id !== undefined) return { key: `${known.prefix}-${id}`, how: `its ${known.name} id ${id}` };
  }
  const name = keyOf(subtitle);
  if (name !== "") return { key: `n-${short(name)}`, how: `its subtitle '${subtitle}'` };
  if (/^\d{8}$/.test(date)) return { key: `d-${date}`, how: `its first day ${date}` };
  const [described] = descriptions;
  const text = keyOf(described?.text ?? "");
  // A text of some length is written for one episode; a short one is written for all.
  return text.length >= DESCRIPTION_CHARS_MIN ? { key: `x-${short(text)}`, how: "its description" } : undefined;
}
const DESCRIPTION_CHARS_MIN = 60;

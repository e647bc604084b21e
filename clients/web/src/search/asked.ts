/** What a search page's address says: the query, what narrows it down, and what was taken back of what was understood. */

export interface Asked {
  readonly q: string;
  readonly genres: readonly string[];
  readonly kind: string;
  readonly decade: string;
  readonly language: string;
  /** Ids of what was understood and is not wanted. */
  readonly without: readonly string[];
  /** Whoever asks pressed Enter: the question is whole. */
  readonly finished: boolean;
}

const QUERY_MAX = 200;
const PARTS_MAX = 20;

export function askedIn(search: URLSearchParams): Asked {
  const list = (name: string): string[] => (search.get(name) ?? "").split("|").filter(Boolean).slice(0, PARTS_MAX);
  const decade = search.get("decade") ?? "";
  const kind = search.get("kind") ?? "";
  return {
    q: (search.get("q") ?? "").trim().slice(0, QUERY_MAX),
    genres: list("genres"),
    kind: kind === "film" || kind === "series" ? kind : "",
    decade: /^\d{4}$/.test(decade) ? decade : "",
    language: (search.get("language") ?? "").slice(0, 10),
    without: list("without"),
    finished: search.get("finished") === "true",
  };
}

/** As parameters, for the page's own address and for the API alike; what says nothing is left out. */
export function parametersOf({ genres, without, finished, ...asked }: Asked): URLSearchParams {
  const lists = { genres: genres.join("|"), without: without.join("|") };
  const all = { ...asked, ...lists, finished: finished ? "true" : "" };
  return new URLSearchParams(Object.entries(all).filter(([, value]) => value !== ""));
}

export const pathOf = (asked: Asked): string => `/search?${parametersOf(asked).toString()}`;

/** What the address of a title's page says of the search that found it; empty where none did. */
export const foundBy = (asked: Asked): string => (asked.q === "" ? "" : `?${parametersOf(asked).toString()}`);

export const isNarrowed = ({ genres, kind, decade, language }: Asked): boolean =>
  genres.length > 0 || kind !== "" || decade !== "" || language !== "";

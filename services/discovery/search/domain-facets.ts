import type { Entry } from "./domain-title.ts";

export interface Count {
  readonly value: string;
  readonly count: number;
}
export type Facets = Readonly<Record<"genres" | "kinds" | "decades" | "languages", readonly Count[]>>;

const VALUES_MAX = 30;

/** How many of the titles there are of each, the most frequent first. */
export function facetsOf(found: Iterable<{ readonly entry: Entry; readonly genres: ReadonlySet<string> }>): Facets {
  const [genres, kinds, decades, languages] = [counter(), counter(), counter(), counter()];
  for (const { entry, genres: own } of found) {
    for (const genre of own) genres.count(genre);
    kinds.count(entry.kind);
    if (entry.year > 0) decades.count(String(entry.year - (entry.year % 10)));
    for (const language of entry.languages) languages.count(language);
  }
  return { genres: genres.most(), kinds: kinds.most(), decades: decades.most(), languages: languages.most() };
}

function counter() {
  const counts = new Map<string, number>();
  return {
    count: (value: string): void => void counts.set(value, (counts.get(value) ?? 0) + 1),
    most: (): Count[] =>
      [...counts]
        .map(([value, count]) => ({ value, count }))
        .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
        .slice(0, VALUES_MAX),
  };
}

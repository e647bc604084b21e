import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Random, randomBelow } from "#learning/random";
import { fieldsOf } from "../../services/discovery/search/domain-shelves.ts";
import type { Entry } from "../../services/discovery/search/domain-title.ts";
import { slipsBetween } from "../../services/discovery/search/domain-words.ts";

const Film = z.object({
  title: z.string(),
  year: z.number(),
  cast: z.array(z.string()),
  genres: z.array(z.string()),
  href: z.string().nullish(),
  extract: z.string().nullish(),
});
const Questions = z.array(
  z.object({ kind: z.string().default("tag"), query: z.string(), relevant: z.array(z.string()) }),
);
const DECADES = ["1980s", "1990s", "2000s", "2020s"];

export interface Question {
  readonly kind: string;
  readonly query: string;
  readonly relevant: ReadonlySet<string>;
}

export interface Catalogue {
  readonly entries: readonly Entry[];
  readonly knownItems: readonly Question[];
  readonly tags: readonly Question[];
}

const BLANK = {
  ...{ kind: "film", directors: [], durationS: 0, ageRating: 0, languages: [] },
  ...{ availableFromMs: 0, availableUntilMs: 0 },
};

/** Films with their cast, genres and the first lines of an article, and questions with what should be found. Tags are no part of the films. */
export async function readCatalogue(folder: string): Promise<Catalogue> {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(folder, name), "utf8"));
  const films = await Promise.all(
    DECADES.map(async (decade) => z.array(Film).parse(await read(`wikipedia/movies-${decade}.json`))),
  );
  const entries = films.flat().map(
    ({ title, year, cast, genres, href, extract }, row): Entry => ({
      ...{ ...BLANK, id: href ?? `row-${row}`, title, year, cast, genres, synopsis: extract ?? "" },
    }),
  );
  const questions = async (name: string): Promise<Question[]> =>
    Questions.parse(await read(name)).map((each) => ({ ...each, relevant: new Set(each.relevant) }));
  return {
    entries,
    knownItems: await questions("known-items.json"),
    tags: await questions("tag-relevance.json"),
  };
}

const SYLLABLES =
  "ba be bo da de di ka ke ko la le li lo ma me mi mo na ne no ra re ri ro sa se so ta te ti to va ve vi".split(" ");
const GENRES = ["Comedy", "Drama", "Action", "Thriller", "Horror", "Romance", "Crime", "Western", "Family", "War"];

/** Words whose frequency falls as it does in languages (Zipf): the word of rank r is said 1/r as often as the first. */
function speaker(random: Random, words: number): () => string {
  const vocabulary = Array.from({ length: words }, () =>
    Array.from({ length: 2 + randomBelow(random, 3) }, () => SYLLABLES[randomBelow(random, SYLLABLES.length)]).join(""),
  );
  return () => vocabulary[Math.floor(words ** random()) - 1] ?? "";
}

/** Titles that nobody made, as long as those of real catalogues. */
export function syntheticEntries(count: number, random: Random): Entry[] {
  const say = speaker(random, 60_000);
  const name = speaker(random, 20_000);
  const many = (length: number, one: () => string): string[] => Array.from({ length }, one);
  return many(count, say).map((_, row) => ({
    ...BLANK,
    id: `synthetic-${row}`,
    title: many(1 + randomBelow(random, 4), say).join(" "),
    cast: many(4 + randomBelow(random, 6), () => `${name()} ${name()}`),
    genres: many(1 + randomBelow(random, 3), () => GENRES[randomBelow(random, GENRES.length)] ?? ""),
    synopsis: many(45, say).join(" "),
    year: 1_930 + randomBelow(random, 96),
  }));
}

/** What is asked of titles: beginnings, whole titles, names and slips, as people type them. */
export function questionsOf(entries: readonly Entry[], count: number, random: Random): string[] {
  return Array.from({ length: count }, () => {
    const entry = entries[randomBelow(random, entries.length)];
    const person = entry?.cast[0] ?? "";
    const title = entry?.title ?? "";
    const slip = (text: string): string => {
      const at = randomBelow(random, Math.max(1, text.length));
      return text.slice(0, at) + text.slice(at + 1);
    };
    const forms = [
      title,
      title.slice(0, 2 + randomBelow(random, 6)),
      person,
      slip(title),
      slip(person),
      `${person} ${entry?.genres[0] ?? ""}`,
      `something funny with ${person} from the 80s, not animated`,
    ];
    return forms[randomBelow(random, forms.length)] ?? "";
  });
}

/**
 * Letters by chance, in words of six letters to twelve; none that is a single slip away from a word of the catalogue, which is what search has to
 * forgive. Answers how many of those were left out, too.
 */
export function nonsense(entries: readonly Entry[], count: number, random: Random) {
  const known = new Set(entries.flatMap((entry) => fieldsOf(entry).flat()));
  const isSlip = (text: string): boolean => known.values().some((word) => slipsBetween(text, word, 1) <= 1);
  const words: string[] = [];
  let leftOut = 0;
  while (words.length < count) {
    const letters = Array.from({ length: 6 + randomBelow(random, 7) }, () => 97 + randomBelow(random, 26));
    const text = String.fromCharCode(...letters);
    if (isSlip(text)) leftOut += 1;
    else words.push(text);
  }
  return { words, leftOut };
}

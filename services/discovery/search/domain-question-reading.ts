import { genreWords } from "./domain-genres.ts";
import type { Constraint, Knowledge } from "./domain-question.ts";
import * as known from "./domain-question-words.ts";

/** What the rules of questions have in common: the words at a place, and what was found there. */

const PHRASE_MAX = 5;

/** Phrases by their first word would be faster; questions are short. */
const phrases = (list: readonly string[]): ReadonlySet<string> => new Set(list);
export const MOOD_OF = new Map(
  Object.entries(known.MOODS).flatMap(([mood, { words }]) => words.map((phrase) => [phrase, mood] as const)),
);
export const LANGUAGE_OF = new Map(
  Object.entries(known.LANGUAGES).flatMap(([code, names]) =>
    names.flatMap((name) => ["", "s", "es"].map((plural) => [name + plural, code] as const)),
  ),
);
export const TIME_OF = new Map(
  Object.entries(known.TIMES).flatMap(([time, names]) => names.map((name) => [name, time] as const)),
);
export const KIND_OF = new Map(
  Object.entries(known.KINDS).flatMap(([kind, names]) => names.map((name) => [name, kind] as const)),
);
export const BOTH_OF = new Map(
  known.BOTH.flatMap(({ means, words }) => words.map((phrase) => [phrase, means] as const)),
);
export const SETS = {
  not: phrases(known.NOT),
  under: phrases(known.UNDER),
  over: phrases(known.OVER),
  orLess: phrases(known.OR_LESS),
  orMore: phrases(known.OR_MORE),
  orSo: phrases(known.OR_SO),
  before: phrases(known.BEFORE),
  after: phrases(known.AFTER),
  orEarlier: phrases(known.OR_EARLIER),
  orLater: phrases(known.OR_LATER),
  short: phrases(known.SHORT),
  long: phrases(known.LONG),
  recent: phrases(known.RECENT),
  old: phrases(known.OLD),
  kids: phrases(known.FOR_KIDS),
  toddlers: phrases(known.FOR_TODDLERS),
  teens: phrases(known.FOR_TEENS),
  early: phrases(known.EARLY),
  middle: phrases(known.MIDDLE),
  late: phrases(known.LATE),
  thisYear: phrases(known.THIS_YEAR),
  roughly: phrases(known.ROUGHLY),
  like: phrases(known.LIKE),
  liked: phrases(known.LIKED),
  onAir: phrases(known.ON_AIR),
  onAirWithTime: phrases(known.ON_AIR_WITH_TIME),
  occasions: phrases(known.OCCASIONS),
  yearsOld: phrases(known.YEARS_OLD),
  by: phrases(known.BY),
  with: phrases(known.WITH),
  about: phrases([...known.ABOUT, ...known.WITH_WHAT]),
  topics: phrases(known.TOPICS),
  openers: phrases(known.OPENERS),
};

/** Words that describe, which have forms. */
export const INFLECTED_WORDS: ReadonlySet<string> = new Set(
  [...MOOD_OF.keys(), ...LANGUAGE_OF.keys(), ...genreWords(), ...Object.keys(known.DECADES)].filter(
    (phrase) => !phrase.includes(" "),
  ),
);

/** Every word that says something in a question, apart from names and numbers. */
export const KNOWN_WORDS: ReadonlySet<string> = new Set(
  [
    ...[MOOD_OF.keys(), LANGUAGE_OF.keys(), KIND_OF.keys(), TIME_OF.keys(), BOTH_OF.keys(), known.FILLERS, known.OR],
    ...Object.values(SETS),
    ...[genreWords(), Object.keys(known.UNITS), Object.keys(known.NUMBERS), Object.keys(known.DECADES)],
  ].flatMap((all) => [...all].flatMap((phrase) => phrase.split(" "))),
);

/** What a rule found at a place: how many words, and what they mean. */
export interface Match {
  readonly words: number;
  readonly constraints: readonly Constraint[];
  /** No title would say it so. */
  readonly isStrong: boolean;
}

export interface Reading extends Knowledge {
  readonly words: readonly string[];
  /** As they were written, so that names can be told by their capitals. */
  readonly written: readonly string[];
}

/** How many words from a place on are a phrase of a set; 0 where none is. */
export function phraseAt({ words }: Reading, at: number, set: { has(phrase: string): boolean }): number {
  for (let length = Math.min(PHRASE_MAX, words.length - at); length > 0; length -= 1)
    if (set.has(words.slice(at, at + length).join(" "))) return length;
  return 0;
}

export const range = (min: number | undefined, max: number | undefined): string => `${min ?? ""}-${max ?? ""}`;
export const match = (words: number, isStrong: boolean, ...constraints: Constraint[]): Match => ({
  words,
  isStrong,
  constraints,
});

import { knownGenre } from "./domain-genres.ts";
import type { Constraint } from "./domain-question.ts";
import {
  BOTH_OF,
  KIND_OF,
  KNOWN_WORDS,
  LANGUAGE_OF,
  type Match,
  match,
  MOOD_OF,
  phraseAt,
  type Reading,
  SETS,
  TIME_OF,
} from "./domain-question-reading.ts";
import { durationAt, yearsAt } from "./domain-question-times.ts";
import * as known from "./domain-question-words.ts";

/** The rules that questions are taken apart by: each says what it finds at a place, or nothing. */

export const KIDS_AGE = 6;
const TODDLERS_AGE = 3;
const TEENS_AGE = 12;
const TITLE_MAX = 7;
const NAME_MAX = 4;

const FOR_WHOM =
  /^(?:(?:for|with|fur|mit|para|con|pour|avec) )?(?:(?:a|an|my|our|the|meine[nmr]?|mein|unsere[nmr]?|eine[nmr]?|ein|mi|mis|un|una|ma|mon|mes|une) )?$/;
/** `ages 7 and up`, `aged 4 and 7`, `FSK 12`, `PG-13`. */
const RATED =
  /^(?:(?:for|fur|para|pour|rated) )?(?:(?:ages?|aged|fsk|ab|im alter von) (\d{1,2})(?: (?:and|und|y|et) (\d{1,2}))?(?: years?| jahren?)?(?: (?:and|or|und|oder) (?:up|older|over|above|alter))?|pg (13))(?= |$)/;

const SOMEBODY = `(?:${[...known.CHILDREN].join("|")})`;
const YEARS = "(?: (?:years old|years|jahre alt|jahren?|anos|ans))?(?= |$)";
/** `my daughter is 10`, `mein Sohn ist 6 Jahre alt`. */
const CHILD = new RegExp(
  `^(?:(?:my|our|meine?|mi|ma|mon) )?${SOMEBODY} (?:who )?(?:is|turns|ist|wird|tiene|a) (\\d{1,2})${YEARS}`,
);
/** `for a child of 7`, `pour un enfant de 7 ans`. */
const CHILD_OF = new RegExp(
  `^(?:(?:for|with|fur|mit|para|con|pour|avec) )?(?:(?:a|an|my|our|eine?|einen|meine?|meinen|un|una|une|mi|ma|mon) )?${SOMEBODY} (?:of|aged|age|von|de) (\\d{1,2})${YEARS}`,
);
/** `that my kids could watch` */
const CHILD_WATCHES = new RegExp(`^(?:that )?(?:my|the|our) ${SOMEBODY} (?:can|could|will|would|may|might)(?= |$)`);
const UNDER_AGE =
  /^(?:under|below|over|above|unter|ab|ueber|de menos de|menores de|de moins de) (\d{1,2})(?: (?:years|jahren|anos|ans))?/;

function ageAt(reading: Reading, at: number): Match | undefined {
  const { words } = reading;
  const age = (count: number, value: number): Match => match(count, true, { kind: "age", value: String(value) });
  const skipped =
    [2, 1, 0].find((count) =>
      FOR_WHOM.test(
        words
          .slice(at, at + count)
          .map((word) => `${word} `)
          .join(""),
      ),
    ) ?? 0;
  for (const from of new Set([at + skipped, at])) {
    const word = words[from] ?? "";
    const years = /^\d{1,2}$/.test(word) ? Number(word) : known.NUMBERS[word];
    const old = years === undefined ? 0 : phraseAt(reading, from + 1, SETS.yearsOld);
    if (years === undefined || old === 0) continue;
    let end = from + 1 + old;
    while (known.CHILDREN.has(words[end] ?? "")) end += 1;
    return age(end - at, years);
  }
  const text = words.slice(at, at + 8).join(" ");
  const [child, ofChild] = CHILD.exec(text) ?? CHILD_OF.exec(text) ?? CHILD_WATCHES.exec(text) ?? [];
  if (child !== undefined) return age(child.split(" ").length, ofChild === undefined ? KIDS_AGE : Number(ofChild));
  const rated = RATED.exec(text);
  if (rated) {
    const ages = rated
      .slice(1)
      .filter((each) => each !== undefined)
      .map(Number);
    return age(rated[0].split(" ").length, Math.min(...ages));
  }
  for (const [set, years] of [
    [SETS.toddlers, TODDLERS_AGE],
    [SETS.teens, TEENS_AGE],
    [SETS.kids, KIDS_AGE],
  ] as const) {
    const count = phraseAt(reading, at, set);
    // `for children under 8`
    const [said, under] = UNDER_AGE.exec(words.slice(at + count, at + count + 4).join(" ")) ?? [];
    if (count > 0) return said ? age(count + said.split(" ").length, Number(under)) : age(count, years);
  }
  return undefined;
}

/** Somebody whom the catalogue knows; after `starring`, whoever has a name that is written like one. */
function personAt(reading: Reading, at: number): Match | undefined {
  const { words, written, personNamed, personCalled, personNear } = reading;
  const by = phraseAt(reading, at, SETS.by);
  const from = at + (by || phraseAt(reading, at, SETS.with));
  const person = (length: number, value: string, isStrong: boolean): Match =>
    match(from - at + length, isStrong, { kind: "person", value });
  const nameOf = (length: number): string =>
    written
      .slice(from, from + length)
      .join(" ")
      .replace(POSSESSIVE, "");
  const lengths = Array.from({ length: NAME_MAX - 1 }, (_, index) => NAME_MAX - index).filter(
    (length) => from + length <= words.length,
  );
  for (const length of lengths) {
    const name = personNamed(nameOf(length));
    if (name !== undefined) return person(length, name, by > 0);
  }
  // Who comes after `with`, or whose films are meant, may be misspelt where a word is one that nothing has and none says something. To look for names that
  // are near takes a while among many.
  const isWith = by > 0 || (from > at && known.BY_WHOM.has(words[at] ?? ""));
  for (const length of lengths.filter((each) => each < NAME_MAX)) {
    const isStrange = words.slice(from, from + length).some((word) => !reading.isWord(word));
    if (!isStrange || !(isWith || phraseAt(reading, from + length, KIND_OF) > 0)) continue;
    const isSaid = words.slice(from, from + length).some((word) => KNOWN_WORDS.has(word));
    const name = isSaid ? undefined : personNear(nameOf(length));
    if (name !== undefined) return person(length, name, by > 0);
  }
  let length = 0;
  while (length < NAME_MAX && /^\p{Lu}/u.test(written[from + length] ?? "")) length += 1;
  // `a Spielberg movie`, `Spielberg's latest`, `by Spielberg`: a family name alone says who it is where it can be nothing else.
  const isOwner = POSSESSIVE.test(written[from] ?? "");
  const isBy = by > 0 || known.BY_WHOM.has(from > at ? (words[at] ?? "") : "");
  const isTold = isBy || isOwner || phraseAt(reading, from + 1, KIND_OF) > 0;
  if (length === 1 && (isTold || at === 0) && phraseAt(reading, from, KNOWN_WORDS) === 0) {
    const name = personCalled(isOwner ? (words[from] ?? "").replace(/s$/, "") : (words[from] ?? ""));
    if (name !== undefined) return person(1, name, isTold);
  }
  return by > 0 && length > 0 ? person(length, nameOf(length), true) : undefined;
}

const POSSESSIVE = /['’]s$/u;

/** `like Alien`, `similar to Blade Runner`: a title that the catalogue knows, or that is written like one. */
function likeAt(reading: Reading, at: number): Match | undefined {
  const { words, written, titleNamed } = reading;
  const liked = phraseAt(reading, at, SETS.liked);
  const like = liked || phraseAt(reading, at, SETS.like);
  // `Blade Runner style`
  for (let length = Math.min(TITLE_MAX, words.length - at - 1); length > 0 && like === 0; length -= 1) {
    if (!known.ALIKE.has(words[at + length] ?? "")) continue;
    const value = titleNamed(written.slice(at, at + length).join(" "));
    if (value !== undefined) return match(length + 1, true, { kind: "like", value });
  }
  if (like === 0 || (liked === 0 && known.WISHES.has(words[at - 1] ?? ""))) return undefined;
  const from = at + like;
  for (let length = Math.min(TITLE_MAX, words.length - from); length > 0; length -= 1) {
    const title = titleNamed(written.slice(from, from + length).join(" "));
    if (title !== undefined) return match(like + length, true, { kind: "like", value: title });
  }
  // Of what people like only titles that are known are titles: some like Paris.
  if (liked > 0) return undefined;
  let length = 0;
  while (length < TITLE_MAX && /^[\p{Lu}\p{N}]/u.test(written[from + length] ?? "")) length += 1;
  const value = written.slice(from, from + length).join(" ");
  return length > 0 ? match(like + length, true, { kind: "like", value }) : undefined;
}

/** `what's on TV tonight`, `football on now`: what channels show, and when. */
function airingAt(reading: Reading, at: number): Match | undefined {
  const timeAt = (from: number): number => phraseAt(reading, from, TIME_OF);
  const airing = (from: number, count: number, words: number): Match =>
    match(words, true, {
      kind: "airing",
      value: TIME_OF.get(reading.words.slice(from, from + count).join(" ")) ?? "now",
    });
  const onAir = phraseAt(reading, at, SETS.onAir);
  if (onAir > 0) {
    const count = timeAt(at + onAir);
    // `qué echan hoy en la tele`
    const again = phraseAt(reading, at + onAir + count, SETS.onAir);
    return airing(at + onAir, count, onAir + count + again);
  }
  const on = phraseAt(reading, at, SETS.onAirWithTime);
  const after = on > 0 ? timeAt(at + on) : 0;
  if (after > 0) return airing(at + on, after, on + after);
  const first = timeAt(at);
  const then = first > 0 ? phraseAt(reading, at + first, SETS.onAir) : 0;
  return then > 0 ? airing(at, first, first + then) : undefined;
}

function languageAt(reading: Reading, at: number): Match | undefined {
  const { words } = reading;
  const skipped = /^(in|auf|en)$/.test(words[at] ?? "") ? 1 : 0;
  const code = LANGUAGE_OF.get(words[at + skipped] ?? "");
  return code === undefined ? undefined : match(skipped + 1, skipped > 0, { kind: "language", value: code });
}

const GENRE_LENGTH_MIN = 5;
const ofGenres = (...genres: readonly (string | undefined)[]): Constraint[] =>
  genres.flatMap((value) => (value === undefined ? [] : [{ kind: "genre", value }]));

/** A genre by its name; in German also as a part of a word: `Horrorfilm`, `Krimiserie`, `Actionkomödie`. */
function genresNamed(words: readonly string[]): readonly Constraint[] {
  const whole = ofGenres(knownGenre(words));
  const [word = ""] = words;
  if (whole.length > 0 || words.length > 1) return whole;
  const [, first = "", serial] = /^(.{4,}?)s?(?:filme?n?|(serien?))$/.exec(word) ?? [];
  const compound = ofGenres(knownGenre([first]) ?? knownGenre([`${first}s`]));
  if (compound.length > 0) return serial ? [...compound, { kind: "kind", value: "series" }] : compound;
  for (let at = GENRE_LENGTH_MIN; at <= word.length - GENRE_LENGTH_MIN; at += 1) {
    const both = ofGenres(knownGenre([word.slice(0, at)]), knownGenre([word.slice(at)]));
    if (both.length > 1) return both;
  }
  return [];
}

function genreAt(reading: Reading, at: number): Match | undefined {
  const { words } = reading;
  const mood = phraseAt(reading, at, MOOD_OF);
  const both = phraseAt(reading, at, BOTH_OF);
  // A romantic comedy is both.
  if (both > mood) return match(both, false, ...(BOTH_OF.get(words.slice(at, at + both).join(" ")) ?? []));
  // Who asks for something about families wants no films for them.
  const isTopic = known.OF_CHILDREN.has(words[at] ?? "") && phraseAt(reading, at - 1, SETS.about) === 1;
  for (let length = Math.min(3, words.length - at); length > mood && !isTopic; length -= 1) {
    const genres = genresNamed(words.slice(at, at + length));
    if (genres.length > 0) return match(length, false, ...genres);
  }
  if (mood === 0) return undefined;
  const phrase = words.slice(at, at + mood).join(" ");
  // `make me laugh` is asked of somebody.
  return match(mood, /\b(me|mich)\b/.test(phrase), { kind: "mood", value: MOOD_OF.get(phrase) ?? "" });
}

function kindAt(reading: Reading, at: number): Match | undefined {
  const length = phraseAt(reading, at, KIND_OF);
  const kind = KIND_OF.get(reading.words.slice(at, at + length).join(" "));
  return kind === undefined ? undefined : match(length, false, { kind: "kind", value: kind });
}

const RULES: readonly ((reading: Reading, at: number) => Match | undefined)[] = [
  ...[airingAt, likeAt, ageAt, durationAt, yearsAt, personAt, languageAt, genreAt, kindAt],
];

export function firstMatch(reading: Reading, at: number): Match | undefined {
  for (const rule of RULES) {
    const found = rule(reading, at);
    if (found) return found;
  }
  return undefined;
}

/** `for a rainy Sunday afternoon`, `with my wife`: when somebody watches and with whom, which says nothing of what. How many words. */
export function occasionAt(reading: Reading, at: number): number {
  const { words } = reading;
  const [first = "", second = "", third = ""] = words.slice(at, at + 3);
  if (known.COMPANY_FIRST.has(first) && known.COMPANY_OF.has(second) && known.COMPANY.has(third)) return 3;
  if (known.COMPANY_OF.has(first) && known.COMPANY.has(second)) return 2;
  // At the beginning it needs no `for`.
  const from = known.OCCASION_FIRST.has(first) ? at + 1 : at;
  const rest = from > at || (at === 0 && known.OCCASION_WORDS.has(first)) ? words.slice(from) : [];
  const end = rest.findIndex((word) => !known.OCCASION_WORDS.has(word) && !known.OCCASION_TIMES.has(word));
  const last = rest.slice(0, end < 0 ? rest.length : end).findLastIndex((word) => known.OCCASION_TIMES.has(word));
  return Math.max(phraseAt(reading, at, SETS.occasions), last < 0 ? 0 : from - at + last + 1);
}

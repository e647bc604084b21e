import { genreWords, knownGenre } from "./domain-genres.ts";
import type { Constraint, Knowledge } from "./domain-question.ts";
import * as known from "./domain-question-words.ts";

/** The rules that questions are taken apart by: each says what it finds at a place, or nothing. */

const MINUTE_S = 60;
/** What `short` and `long` mean, and `not too long`. */
const SHORT_MAX_S = 40 * MINUTE_S;
export const LONG_MIN_S = 150 * MINUTE_S;
export const NOT_LONG_MAX_S = 110 * MINUTE_S;
/** How far from `about two hours` is still about two hours. */
const ROUGHLY_SHARE = 1 / 8;
const RECENT_YEARS = 3;
export const OLD_YEARS = 30;
export const KIDS_AGE = 6;
const TODDLERS_AGE = 3;
const TITLE_MAX = 7;
const YEAR_MIN = 1_900;
const PHRASE_MAX = 5;
const NAME_MAX = 4;

/** Phrases by their first word would be faster; questions are short. */
const phrases = (list: readonly string[]): ReadonlySet<string> => new Set(list);
const MOOD_OF = new Map(
  Object.entries(known.MOODS).flatMap(([mood, { words }]) => words.map((phrase) => [phrase, mood] as const)),
);
const LANGUAGE_OF = new Map(
  Object.entries(known.LANGUAGES).flatMap(([code, names]) => names.map((name) => [name, code] as const)),
);
const TIME_OF = new Map(
  Object.entries(known.TIMES).flatMap(([time, names]) => names.map((name) => [name, time] as const)),
);
const KIND_OF = new Map(
  Object.entries(known.KINDS).flatMap(([kind, names]) => names.map((name) => [name, kind] as const)),
);
const ROMANTIC_COMEDIES = phrases(known.ROMANTIC_COMEDIES);
export const SETS = {
  not: phrases(known.NOT),
  under: phrases(known.UNDER),
  over: phrases(known.OVER),
  orLess: phrases(known.OR_LESS),
  before: phrases(known.BEFORE),
  after: phrases(known.AFTER),
  short: phrases(known.SHORT),
  long: phrases(known.LONG),
  recent: phrases(known.RECENT),
  old: phrases(known.OLD),
  kids: phrases(known.FOR_KIDS),
  toddlers: phrases(known.FOR_TODDLERS),
  early: phrases(known.EARLY),
  late: phrases(known.LATE),
  thisYear: phrases(known.THIS_YEAR),
  roughly: phrases(known.ROUGHLY),
  like: phrases(known.LIKE),
  onAir: phrases(known.ON_AIR),
  onAirWithTime: phrases(known.ON_AIR_WITH_TIME),
  occasions: phrases(known.OCCASIONS),
  yearsOld: phrases(known.YEARS_OLD),
  by: phrases(known.BY),
  with: phrases(known.WITH),
  about: phrases([...known.ABOUT, ...known.WITH_WHAT]),
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
    ...[MOOD_OF.keys(), LANGUAGE_OF.keys(), KIND_OF.keys(), TIME_OF.keys(), ROMANTIC_COMEDIES, known.FILLERS, known.OR],
    ...Object.values(SETS),
    ...[genreWords(), Object.keys(known.UNITS), Object.keys(known.NUMBERS), Object.keys(known.DECADES)],
  ].flatMap((all) => [...all].flatMap((phrase) => phrase.split(" "))),
);

/** What a rule found at a place: how many words, and what they mean. */
interface Match {
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
const match = (words: number, isStrong: boolean, ...constraints: Constraint[]): Match => ({
  words,
  isStrong,
  constraints,
});

/** `90 minutes`, `two hours`, `an hour and a half`, `1h30`, `90min`: the length in seconds and how many words say it. */
function lengthAt({ words }: Reading, at: number): { readonly words: number; readonly seconds: number } | undefined {
  const compact = /^(\d{1,2})h(\d{2})?$|^(\d{1,3})(?:min|mins|m)$/.exec(words[at] ?? "");
  if (compact) {
    const [, hours = "0", minutes = "0", alone] = compact;
    return {
      words: 1,
      seconds: (alone === undefined ? Number(hours) * 60 + Number(minutes) : Number(alone)) * MINUTE_S,
    };
  }
  const text = words.slice(at, at + 5).join(" ");
  const half = /^half an? hour|^(?:eine )?halbe stunde|^media hora/.exec(text);
  if (half) return { words: half[0].split(" ").length, seconds: 30 * MINUTE_S };
  const first = words[at] ?? "";
  const number = /^\d{1,3}$/.test(first) ? Number(first) : known.NUMBERS[first];
  const unit = known.UNITS[words[at + 1] ?? ""];
  if (number === undefined || unit === undefined) return undefined;
  const isHalfMore = /^and a half|^y media|^und eine halbe/.exec(words.slice(at + 2, at + 5).join(" "));
  const minutes = number * unit + (isHalfMore ? unit / 2 : 0);
  return { words: 2 + (isHalfMore ? isHalfMore[0].split(" ").length : 0), seconds: minutes * MINUTE_S };
}

/** `between 90 and 120 minutes`, `90 to 120 minutes`, `90-120 min`: both ends in seconds. */
function spanAt(reading: Reading, at: number) {
  const { words } = reading;
  const start = at + (known.BETWEEN.has(words[at] ?? "") ? 1 : 0);
  const first = words[start] ?? "";
  const middle = start + 1 + (known.UNTIL.has(words[start + 1] ?? "") ? 1 : 0);
  const second = lengthAt(reading, middle);
  if (!/^\d{1,3}$/.test(first) || !second || !/^\d{1,3}$/.test(words[middle] ?? "")) return undefined;
  const unitS = second.seconds / Number(words[middle]);
  const ends = [Number(first) * unitS, second.seconds];
  return { words: middle + second.words - at, min: Math.min(...ends), max: Math.max(...ends) };
}

function durationAt(reading: Reading, at: number): Match | undefined {
  const bound = (min: number | undefined, max: number | undefined): Constraint => ({
    kind: "duration",
    value: range(min, max),
  });
  /** `two hours long` */
  const tail = (from: number): number => phraseAt(reading, from, SETS.long);
  const under = phraseAt(reading, at, SETS.under);
  const below = under > 0 ? lengthAt(reading, at + under) : undefined;
  if (below) return match(under + below.words + tail(at + under + below.words), true, bound(undefined, below.seconds));
  const over = phraseAt(reading, at, SETS.over);
  const above = over > 0 ? lengthAt(reading, at + over) : undefined;
  if (above) return match(over + above.words + tail(at + over + above.words), true, bound(above.seconds, undefined));
  const between = spanAt(reading, at);
  if (between) return match(between.words + tail(at + between.words), true, bound(between.min, between.max));
  const roughly = phraseAt(reading, at, SETS.roughly);
  const near = roughly > 0 ? lengthAt(reading, at + roughly) : undefined;
  if (near) {
    const { words, seconds } = near;
    const [min, max] = [seconds * (1 - ROUGHLY_SHARE), seconds * (1 + ROUGHLY_SHARE)];
    return match(roughly + words + tail(at + roughly + words), true, bound(min, max));
  }
  const alone = lengthAt(reading, at);
  if (alone) {
    const end = at + alone.words;
    const more = phraseAt(reading, end, SETS.orLess) || tail(end);
    return match(alone.words + more, true, bound(undefined, alone.seconds));
  }
  const short = phraseAt(reading, at, SETS.short);
  if (short > 0) return match(short, false, bound(undefined, SHORT_MAX_S));
  const long = phraseAt(reading, at, SETS.long);
  return long > 0 ? match(long, false, bound(LONG_MIN_S, undefined)) : undefined;
}

/** `90s`, `1990s`, `nineties`, `80er`, `anos 80`: the first year of the decade. */
function decadeAt({ words }: Reading, at: number): { readonly words: number; readonly year: number } | undefined {
  const word = words[at] ?? "";
  const spanish = known.YEARS_OF.has(word) ? /^\d0$/.exec(words[at + 1] ?? "") : null;
  const digits = spanish?.[0] ?? /^(\d0|\d{3}0)(?:s|er|ern)$/.exec(word)?.[1];
  const count = spanish ? 2 : 1;
  if (digits?.length === 4) return { words: count, year: Number(digits) };
  if (digits !== undefined) return { words: count, year: Number(digits) + (Number(digits) < 30 ? 2_000 : 1_900) };
  for (const length of [2, 1]) {
    const year = known.DECADES[words.slice(at, at + length).join(" ")];
    if (year !== undefined) return { words: length, year };
  }
  return undefined;
}

interface Moment {
  readonly words: number;
  readonly from: number;
  readonly to: number;
}

/** `1994`, `the year 1994`, `the 80s`, `early nineties`: from when to when. */
function momentAt(reading: Reading, at: number): Moment | undefined {
  const { words, year: now } = reading;
  const articles = (from: number): number => (known.ARTICLES.has(words[from] ?? "") ? 1 : 0);
  let skipped = articles(at);
  const [early, late] = [phraseAt(reading, at + skipped, SETS.early), phraseAt(reading, at + skipped, SETS.late)];
  skipped += early + late;
  if (early + late > 0) skipped += articles(at + skipped);
  const decade = decadeAt(reading, at + skipped);
  if (decade) {
    const [from, to] = [decade.year + (late > 0 ? 5 : 0), decade.year + (early > 0 ? 4 : 9)];
    return { words: skipped + decade.words, from, to };
  }
  if (early + late > 0) return undefined;
  if (known.YEAR.has(words[at + skipped] ?? "")) skipped += 1;
  const word = words[at + skipped] ?? "";
  if (!/^\d{4}$/.test(word) || Number(word) < YEAR_MIN || Number(word) > now + 1) return undefined;
  return { words: skipped + 1, from: Number(word), to: Number(word) };
}

function yearsAt(reading: Reading, at: number): Match | undefined {
  const { words, year: now } = reading;
  const years = (count: number, min: number | undefined, max: number | undefined, isStrong = true): Match =>
    match(count, isStrong, { kind: "years", value: range(min, max) });
  const between = known.BETWEEN.has(words[at] ?? "") ? 1 : 0;
  const first = momentAt(reading, at + between);
  const joint = first ? (words[at + between + first.words] ?? "") : "";
  const second = first && momentAt(reading, at + between + first.words + 1);
  if (first && second && ((between > 0 && known.UNTIL.has(joint)) || isNext(first, second, joint)))
    return years(
      between + first.words + 1 + second.words,
      Math.min(first.from, second.from),
      Math.max(first.to, second.to),
    );
  const before = phraseAt(reading, at, SETS.before);
  const until = before > 0 ? momentAt(reading, at + before) : undefined;
  if (until) return years(before + until.words, undefined, until.from - 1);
  const after = phraseAt(reading, at, SETS.after);
  const since = after > 0 ? momentAt(reading, at + after) : undefined;
  if (since) {
    const from = known.SINCE.has(words[at] ?? "") ? since.from : since.to + 1;
    return years(after + since.words, from, undefined);
  }
  const alone = momentAt(reading, at);
  if (alone) return years(alone.words, alone.from, alone.to, alone.from !== alone.to);
  const last = /^(?:the )?(?:last|past) (\w+) years/.exec(words.slice(at, at + 4).join(" "));
  const count = last && (known.NUMBERS[last[1] ?? ""] ?? Number(last[1]));
  if (last && count) return years(last[0].split(" ").length, now - count, undefined);
  const thisYear = phraseAt(reading, at, SETS.thisYear);
  if (thisYear > 0) return years(thisYear, now, now);
  const recent = phraseAt(reading, at, SETS.recent);
  if (recent > 0) return years(recent, now - RECENT_YEARS, undefined, false);
  const old = phraseAt(reading, at, SETS.old);
  return old > 0 ? years(old, undefined, now - OLD_YEARS, false) : undefined;
}

/** `1985 or 1986`, `the 80s or 90s`: one after the other is one stretch. */
const isNext = (first: Moment, second: Moment, joint: string): boolean =>
  (known.OR.has(joint) || joint === "and") && (second.from === first.to + 1 || first.from === second.to + 1);

function ageAt(reading: Reading, at: number): Match | undefined {
  const { words } = reading;
  const skipped = /^(for|with) (a|an|my|our)$/.test(words.slice(at, at + 2).join(" "))
    ? 2
    : words[at] === "for"
      ? 1
      : 0;
  const word = words[at + skipped] ?? "";
  const age = /^\d{1,2}$/.test(word) ? Number(word) : known.NUMBERS[word];
  const old = age === undefined ? 0 : phraseAt(reading, at + skipped + 1, SETS.yearsOld);
  if (age !== undefined && old > 0) return match(skipped + 1 + old, true, { kind: "age", value: String(age) });
  const toddlers = phraseAt(reading, at, SETS.toddlers);
  if (toddlers > 0) return match(toddlers, true, { kind: "age", value: String(TODDLERS_AGE) });
  const kids = phraseAt(reading, at, SETS.kids);
  return kids > 0 ? match(kids, true, { kind: "age", value: String(KIDS_AGE) }) : undefined;
}

/** Somebody whom the catalogue knows; after `starring`, whoever has a name that is written like one. */
function personAt(reading: Reading, at: number): Match | undefined {
  const { words, written, personNamed, personCalled } = reading;
  const by = phraseAt(reading, at, SETS.by);
  const from = at + (by || phraseAt(reading, at, SETS.with));
  for (let length = Math.min(NAME_MAX, words.length - from); length >= 2; length -= 1) {
    const name = personNamed(written.slice(from, from + length).join(" "));
    if (name !== undefined) return match(from - at + length, by > 0, { kind: "person", value: name });
  }
  let length = 0;
  while (length < NAME_MAX && /^\p{Lu}/u.test(written[from + length] ?? "")) length += 1;
  // `a Spielberg movie`, `by Spielberg`: a family name alone says who it is where it can be nothing else.
  const isTold = by > 0 || (length === 1 && phraseAt(reading, from + 1, KIND_OF) > 0);
  if (length === 1 && isTold && phraseAt(reading, from, KNOWN_WORDS) === 0) {
    const name = personCalled(words[from] ?? "");
    if (name !== undefined) return match(from - at + 1, true, { kind: "person", value: name });
  }
  const name = written.slice(from, from + length).join(" ");
  return by > 0 && length > 0 ? match(by + length, true, { kind: "person", value: name }) : undefined;
}

/** `like Alien`, `similar to Blade Runner`: a title that the catalogue knows, or that is written like one. */
function likeAt(reading: Reading, at: number): Match | undefined {
  const { words, written, titleNamed } = reading;
  const like = phraseAt(reading, at, SETS.like);
  if (like === 0 || known.WISHES.has(words[at - 1] ?? "")) return undefined;
  const from = at + like;
  for (let length = Math.min(TITLE_MAX, words.length - from); length > 0; length -= 1) {
    const title = titleNamed(written.slice(from, from + length).join(" "));
    if (title !== undefined) return match(like + length, true, { kind: "like", value: title });
  }
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
  if (onAir > 0) return airing(at + onAir, timeAt(at + onAir), onAir + timeAt(at + onAir));
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

/** A genre by its name; in German also as the first part of a word: `Horrorfilm`. */
function genreNamed(words: readonly string[]): string | undefined {
  const compound = words.length === 1 ? /^(.{4,}?)s?(?:filme?n?|serien?)$/.exec(words[0] ?? "") : null;
  return (
    knownGenre(words) ?? (compound ? (knownGenre([compound[1] ?? ""]) ?? knownGenre([`${compound[1]}s`])) : undefined)
  );
}

function genreAt(reading: Reading, at: number): Match | undefined {
  const { words } = reading;
  const mood = phraseAt(reading, at, MOOD_OF);
  const both = phraseAt(reading, at, ROMANTIC_COMEDIES);
  // A romantic comedy is both.
  if (both > mood) return match(both, false, { kind: "genre", value: "romance" }, { kind: "genre", value: "comedy" });
  for (let length = Math.min(3, words.length - at); length > mood; length -= 1) {
    const genre = genreNamed(words.slice(at, at + length));
    if (genre !== undefined) return match(length, false, { kind: "genre", value: genre });
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

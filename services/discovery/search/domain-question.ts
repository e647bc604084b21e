import { knownGenre } from "./domain-genres.ts";
import * as known from "./domain-question-words.ts";
import { wordsOf } from "./domain-words.ts";

/**
 * Questions in everyday words, taken apart by rules: `something short and funny with a robot, not animated` is short, funny, about a robot, and not
 * animation. The same question always comes to the same; what was understood is shown, and each part of it can be taken back.
 */

export const CONSTRAINT_KINDS = [
  ...(["genre", "not-genre", "mood", "not-mood", "topic", "not-topic", "duration", "years"] as const),
  ...(["person", "not-person", "age", "language", "not-language", "kind"] as const),
] as const;
export type ConstraintKind = (typeof CONSTRAINT_KINDS)[number];

export interface Constraint {
  readonly kind: ConstraintKind;
  /** A canonical name, `MIN-MAX` with either end open (seconds, years), a name, an age, an ISO 639-1 code, or words. */
  readonly value: string;
}

export const idOf = ({ kind, value }: Constraint): string => `${kind}:${value}`;

export interface Understood {
  readonly constraints: readonly Constraint[];
  /** Whether it is put as a question, or holds what no title would; the words of a title may mean something, too. */
  readonly isQuestion: boolean;
}

export interface Knowledge {
  /** Whether somebody of that name is in the catalogue. */
  readonly isPerson: (name: string) => boolean;
  readonly year: number;
}

const MINUTE_S = 60;
/** What `short` and `long` mean, and `not too long`. */
const SHORT_MAX_S = 40 * MINUTE_S;
const LONG_MIN_S = 150 * MINUTE_S;
const NOT_LONG_MAX_S = 110 * MINUTE_S;
const RECENT_YEARS = 3;
const OLD_YEARS = 30;
const KIDS_AGE = 6;
const YEAR_MIN = 1_900;
const PHRASE_MAX = 5;
const NAME_MAX = 4;
const WORDS_MAX = 60;

/** Phrases by their first word would be faster; questions are short. */
const phrases = (list: readonly string[]): ReadonlySet<string> => new Set(list);
const MOOD_OF = new Map(
  Object.entries(known.MOODS).flatMap(([mood, { words }]) => words.map((phrase) => [phrase, mood] as const)),
);
const LANGUAGE_OF = new Map(
  Object.entries(known.LANGUAGES).flatMap(([code, names]) => names.map((name) => [name, code] as const)),
);
const KIND_OF = new Map(
  Object.entries(known.KINDS).flatMap(([kind, names]) => names.map((name) => [name, kind] as const)),
);
const SETS = {
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
  yearsOld: phrases(known.YEARS_OLD),
  by: phrases(known.BY),
  with: phrases(known.WITH),
  about: phrases([...known.ABOUT, ...known.WITH_WHAT]),
  openers: phrases(known.OPENERS),
};

/** What a rule found at a place: how many words, and what they mean. */
interface Match {
  readonly words: number;
  readonly constraints: readonly Constraint[];
  /** No title would say it so. */
  readonly isStrong: boolean;
}

interface Reading extends Knowledge {
  readonly words: readonly string[];
  /** As they were written, so that names can be told by their capitals. */
  readonly written: readonly string[];
}

/** How many words from a place on are a phrase of a set; 0 where none is. */
function phraseAt({ words }: Reading, at: number, set: { has(phrase: string): boolean }): number {
  for (let length = Math.min(PHRASE_MAX, words.length - at); length > 0; length -= 1)
    if (set.has(words.slice(at, at + length).join(" "))) return length;
  return 0;
}

const range = (min: number | undefined, max: number | undefined): string => `${min ?? ""}-${max ?? ""}`;
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
  const spanish = word === "anos" ? /^\d0$/.exec(words[at + 1] ?? "") : null;
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

function yearsAt(reading: Reading, at: number): Match | undefined {
  const { words, year: now } = reading;
  const yearOf = (index: number): number | undefined => {
    const word = words[index] ?? "";
    return /^\d{4}$/.test(word) && Number(word) >= YEAR_MIN && Number(word) <= now + 1 ? Number(word) : undefined;
  };
  const years = (count: number, min: number | undefined, max: number | undefined, isStrong = true): Match =>
    match(count, isStrong, { kind: "years", value: range(min, max) });
  const first = yearOf(at + 1);
  const second = yearOf(at + 3);
  if (/^(between|from|zwischen|entre|von|de)$/.test(words[at] ?? "") && first !== undefined && second !== undefined)
    return years(4, Math.min(first, second), Math.max(first, second));
  const moment = (
    index: number,
  ): { readonly words: number; readonly from: number; readonly to: number } | undefined => {
    const skipped = /^(the|los|den|die|de)$/.test(words[index] ?? "") ? 1 : 0;
    const decade = decadeAt(reading, index + skipped);
    if (decade) return { words: skipped + decade.words, from: decade.year, to: decade.year + 9 };
    const year = yearOf(index);
    return year === undefined ? undefined : { words: 1, from: year, to: year };
  };
  const before = phraseAt(reading, at, SETS.before);
  const until = before > 0 ? moment(at + before) : undefined;
  if (until) return years(before + until.words, undefined, until.from - 1);
  const after = phraseAt(reading, at, SETS.after);
  const since = after > 0 ? moment(at + after) : undefined;
  if (since)
    return years(
      after + since.words,
      /^(since|seit|desde)$/.test(words[at] ?? "") ? since.from : since.to + 1,
      undefined,
    );
  const decade = decadeAt(reading, at);
  if (decade) return years(decade.words, decade.year, decade.year + 9);
  const year = yearOf(at);
  if (year !== undefined) return years(1, year, year, false);
  const last = /^(?:the )?(?:last|past) (\w+) years/.exec(words.slice(at, at + 4).join(" "));
  const count = last && (known.NUMBERS[last[1] ?? ""] ?? Number(last[1]));
  if (last && count) return years(last[0].split(" ").length, now - count, undefined);
  const recent = phraseAt(reading, at, SETS.recent);
  if (recent > 0) return years(recent, now - RECENT_YEARS, undefined, false);
  const old = phraseAt(reading, at, SETS.old);
  return old > 0 ? years(old, undefined, now - OLD_YEARS, false) : undefined;
}

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
  const kids = phraseAt(reading, at, SETS.kids);
  return kids > 0 ? match(kids, true, { kind: "age", value: String(KIDS_AGE) }) : undefined;
}

/** Somebody whom the catalogue knows; after `starring`, whoever has a name that is written like one. */
function personAt(reading: Reading, at: number): Match | undefined {
  const { words, written, isPerson } = reading;
  const by = phraseAt(reading, at, SETS.by);
  const from = at + (by || phraseAt(reading, at, SETS.with));
  for (let length = Math.min(NAME_MAX, words.length - from); length >= 2; length -= 1) {
    const name = written.slice(from, from + length).join(" ");
    if (isPerson(name)) return match(from - at + length, by > 0, { kind: "person", value: name });
  }
  if (by === 0) return undefined;
  let length = 0;
  while (length < NAME_MAX && /^\p{Lu}/u.test(written[from + length] ?? "")) length += 1;
  const name = written.slice(from, from + length).join(" ");
  return length > 0 ? match(by + length, true, { kind: "person", value: name }) : undefined;
}

function languageAt(reading: Reading, at: number): Match | undefined {
  const { words } = reading;
  const skipped = /^(in|auf|en)$/.test(words[at] ?? "") ? 1 : 0;
  const code = LANGUAGE_OF.get(words[at + skipped] ?? "");
  return code === undefined ? undefined : match(skipped + 1, skipped > 0, { kind: "language", value: code });
}

function genreAt(reading: Reading, at: number): Match | undefined {
  const { words } = reading;
  const mood = phraseAt(reading, at, MOOD_OF);
  for (let length = Math.min(3, words.length - at); length > 0; length -= 1) {
    const phrase = words.slice(at, at + length);
    if (length <= mood) break;
    // A romantic comedy is both.
    if (/^(romantic comed(y|ies)|rom ?coms?|romcoms?)$/.test(phrase.join(" ")))
      return match(length, false, { kind: "genre", value: "romance" }, { kind: "genre", value: "comedy" });
    const genre = knownGenre(phrase);
    if (genre !== undefined) return match(length, false, { kind: "genre", value: genre });
  }
  if (mood === 0) return undefined;
  return match(mood, false, { kind: "mood", value: MOOD_OF.get(words.slice(at, at + mood).join(" ")) ?? "" });
}

function kindAt(reading: Reading, at: number): Match | undefined {
  const length = phraseAt(reading, at, KIND_OF);
  const kind = KIND_OF.get(reading.words.slice(at, at + length).join(" "));
  return kind === undefined ? undefined : match(length, false, { kind: "kind", value: kind });
}

const RULES = [ageAt, durationAt, yearsAt, personAt, languageAt, genreAt, kindAt];

/** The opposite of what was found: `not animated`, `nothing scary`, `not too long`. */
function denied(constraint: Constraint, { year }: Knowledge): Constraint | undefined {
  const { kind, value } = constraint;
  if (kind === "genre" || kind === "mood" || kind === "language" || kind === "person")
    return { kind: `not-${kind}`, value };
  if (kind === "duration" && value === range(LONG_MIN_S, undefined))
    return { kind, value: range(undefined, NOT_LONG_MAX_S) };
  if (kind === "duration" || kind === "years") {
    const [min = "", max = ""] = value.split("-");
    if (kind === "years" && min !== "" && max !== "") return undefined;
    if (kind === "years" && Number(max) === year - OLD_YEARS) return { kind, value: range(Number(max) + 1, undefined) };
    return { kind, value: min === "" ? range(Number(max) + 1, undefined) : range(undefined, Number(min) - 1) };
  }
  if (kind === "kind") return { kind, value: value === "film" ? "series" : "film" };
  return undefined;
}

/** Takes a question apart. What no rule knows is what it is about. */
export function understand(text: string, knowledge: Knowledge): Understood {
  // Names keep their capitals: words as written are folded one by one, so that both lists have the same places.
  const written = text
    .split(/[\s,.;:!?()"“”/-]+/u)
    .flatMap((word) => (wordsOf(word).length === 1 ? [word] : wordsOf(word)))
    .slice(0, WORDS_MAX);
  const reading: Reading = { ...knowledge, written, words: written.map((word) => wordsOf(word)[0] ?? "") };
  const found = new Map<string, Constraint>();
  const topic: string[] = [];
  const unwanted: string[] = [];
  let [isQuestion, isDenied, isAbout] = [false, false, false];
  for (let at = 0; at < reading.words.length; ) {
    const word = reading.words[at] ?? "";
    const rule = firstMatch(reading, at);
    const opener = phraseAt(reading, at, SETS.openers);
    if (rule && rule.words >= opener) {
      for (const constraint of rule.constraints) {
        const meant = isDenied ? denied(constraint, knowledge) : constraint;
        if (meant) found.set(idOf(meant), meant);
      }
      isQuestion ||= rule.isStrong || isDenied;
      at += rule.words;
      // `no horror or thriller` denies both.
      if (isDenied && known.OR.has(reading.words[at] ?? "")) at += 1;
      else isDenied = false;
      continue;
    }
    const not = phraseAt(reading, at, SETS.not);
    const about = phraseAt(reading, at, SETS.about);
    if (not > 0 || about > 0 || opener > 0) {
      isDenied = not > 0;
      isAbout ||= about > 0;
      isQuestion ||= opener > 0;
      at += Math.max(not, about, opener);
      continue;
    }
    if (isDenied && known.NOT_FILLERS.has(word)) {
      at += 1;
      continue;
    }
    if (!known.FILLERS.has(word)) (isDenied ? unwanted : topic).push(word);
    isDenied = false;
    at += 1;
  }
  const constraints = [...found.values()];
  if (topic.length > 0) constraints.push({ kind: "topic", value: topic.join(" ") });
  // A title may have a `not` of its own: what it denies counts where there is more.
  if (unwanted.length > 0) constraints.push({ kind: "not-topic", value: unwanted.join(" ") });
  const isTold = topic.length === 0 || isAbout;
  // Who says `films` speaks of films, and means what else is said of them.
  const isOfKind = constraints.some(({ kind }) => kind === "kind");
  const count = constraints.filter(({ kind }) => isTold || (isOfKind && !kind.endsWith("topic"))).length;
  return { constraints, isQuestion: isQuestion || count >= 2 };
}

function firstMatch(reading: Reading, at: number): Match | undefined {
  for (const rule of RULES) {
    const found = rule(reading, at);
    if (found) return found;
  }
  return undefined;
}

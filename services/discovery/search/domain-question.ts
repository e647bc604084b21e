import * as known from "./domain-question-words.ts";
import { createVocabulary } from "./domain-vocabulary.ts";
import {
  INFLECTED_WORDS,
  KNOWN_WORDS,
  type Match,
  phraseAt,
  range,
  type Reading,
  SETS,
} from "./domain-question-reading.ts";
import { firstMatch, KIDS_AGE, occasionAt } from "./domain-question-rules.ts";
import { LONG_MIN_S, NOT_LONG_MAX_S, OLD_YEARS } from "./domain-question-times.ts";
import { stemOf, wordsOf } from "./domain-words.ts";

/**
 * Questions in everyday words, taken apart by rules: `something short and funny with a robot, not animated` is short, funny, about a robot, and not
 * animation. The same question always comes to the same; what was understood is shown, and each part of it can be taken back.
 */

export const CONSTRAINT_KINDS = [
  ...(["genre", "not-genre", "mood", "not-mood", "topic", "not-topic", "duration", "years"] as const),
  ...(["person", "not-person", "age", "language", "not-language", "kind"] as const),
  ...(["like", "airing"] as const),
] as const;
export type ConstraintKind = (typeof CONSTRAINT_KINDS)[number];

export interface Constraint {
  readonly kind: ConstraintKind;
  /**
   * A canonical name, several with `|` between them, of which one is enough; `MIN-MAX` with either end open (seconds, years), a name, an age, an ISO 639-1
   * code, a title, now, tonight, today or tomorrow; or words.
   */
  readonly value: string;
}

export const idOf = ({ kind, value }: Constraint): string => `${kind}:${value}`;

export interface Understood {
  readonly constraints: readonly Constraint[];
  /** Whether it is put as a question, or holds what no title would; the words of a title may mean something, too. */
  readonly isQuestion: boolean;
}

export interface Knowledge {
  /** Somebody of that name who is in the catalogue, as it writes them. */
  readonly personNamed: (name: string) => string | undefined;
  /** Somebody whose name is a slip or two away from it. */
  readonly personNear: (name: string) => string | undefined;
  /** Whom a family name alone means. */
  readonly personCalled: (familyName: string) => string | undefined;
  /** A title that is called so, as the catalogue writes it. */
  readonly titleNamed: (title: string) => string | undefined;
  /** Whether a word is in the catalogue. */
  readonly isWord: (word: string) => boolean;
  readonly year: number;
}

const WORDS_MAX = 60;
/** Titles that have the name of a genre in them are shorter, or known. */
const PLAIN_WORDS_MIN = 5;

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
    // A year that is not wanted is left out; a length is a bound, whichever way it is put.
    const step = kind === "years" ? 1 : 0;
    return { kind, value: min === "" ? range(Number(max) + step, undefined) : range(undefined, Number(min) - step) };
  }
  if (kind === "kind") return { kind, value: value === "film" ? "series" : "film" };
  return undefined;
}

const SLIP_LENGTH_MIN = 4;
/** Shorter stems are those of too many words. */
const STEM_LENGTH_MIN = 5;
const vocabulary = createVocabulary();
for (const word of KNOWN_WORDS) if (word.length >= SLIP_LENGTH_MIN) vocabulary.add(word);

/** What has forms in German, French and Spanish: `lustiger`, `siebzigern`. */
const byStem = new Map([...INFLECTED_WORDS].map((word) => [stemOf(word), word]));

/** A word that nobody has is one that questions are made of, a slip or two away. */
function corrected(word: string, written: string, isFirst: boolean, { isWord }: Knowledge): string {
  const isName = !isFirst && /^\p{Lu}/u.test(written);
  if (word.length < SLIP_LENGTH_MIN || isName || KNOWN_WORDS.has(word) || /\d/.test(word)) return word;
  const stem = stemOf(word);
  const form = stem.length < STEM_LENGTH_MIN ? undefined : byStem.get(stem);
  if (form !== undefined) return form;
  if (isWord(word)) return word;
  const [nearest] = vocabulary
    .near(word, word.length < SLIP_LENGTH_MIN * 2 ? 1 : 2)
    .map((near) => ({ ...near, term: vocabulary.term(near.number) }))
    // Letters are left out more often than they are wrong, and the first one seldom.
    .sort(
      (a, b) =>
        a.slips - b.slips ||
        Number(b.term[0] === word[0]) - Number(a.term[0] === word[0]) ||
        b.term.length - a.term.length,
    );
  return nearest?.term ?? word;
}

/** The words of a question as they were written, and as rules read them, both at the same places. */
function readingOf(text: string, knowledge: Knowledge): Reading {
  // Names keep their capitals: words as written are folded one by one. What French leaves out before a vowel stands for a word.
  const written = text
    .replaceAll(/(?<![\p{L}'’])(qu|[dljnsmc])['’](?=\p{L})/giu, "$1 ")
    // `2.5 hours`, and the year `'94`.
    .replaceAll(/\b(\d)[.,]5(?=\s*(?:h|st|ho|heu))/giu, "$1 and a half")
    .replaceAll(/(?<![\p{L}\d])['’](\d\d)\b(?!s)/gu, (_, digits: string) =>
      String(Number(digits) + (Number(digits) > knowledge.year % 100 ? 1_900 : 2_000)),
    )
    .split(/[\s,.;:!?()"“”/-]+/u)
    .flatMap((word) => (wordsOf(word).length === 1 ? [word] : wordsOf(word)))
    .slice(0, WORDS_MAX);
  return {
    ...knowledge,
    written,
    words: written.map((word, at) => corrected(wordsOf(word)[0] ?? "", word, at === 0, knowledge)),
  };
}

/** What was understood so far, and what the next words mean because of it. */
interface Sofar {
  readonly reading: Reading;
  readonly found: Map<string, Constraint>;
  readonly topic: string[];
  readonly unwanted: string[];
  isQuestion: boolean;
  /** Whether what comes is what is not wanted. */
  isDenied: boolean;
  /** Whether it was said what it is to be about. */
  isAbout: boolean;
  /** A genre that the next one is another choice to. */
  eitherOf: Constraint | undefined;
  /** Behind the last word that says of what kind it is. */
  kindEnd: number;
}

/** Takes a question apart. What no rule knows is what it is about. */
export function understand(text: string, knowledge: Knowledge): Understood {
  const reading = readingOf(text, knowledge);
  const sofar: Sofar = {
    ...{ reading, found: new Map(), topic: [], unwanted: [] },
    ...{ isQuestion: false, isDenied: false, isAbout: false, eitherOf: undefined, kindEnd: -1 },
  };
  for (let at = 0; at < reading.words.length; ) at += step(sofar, at);
  return conclude(sofar);
}

/** Takes what is at a place into account; how many words it was. */
function step(sofar: Sofar, at: number): number {
  const { reading } = sofar;
  const rule = firstMatch(reading, at);
  const ruled = rule?.words ?? 0;
  const phrase = phraseAt(reading, at, SETS.topics);
  if (phrase > 0 && phrase >= ruled) return takeTopic(sofar, at, phrase);
  const occasion = occasionAt(reading, at);
  if (occasion > ruled) return occasion;
  if (sofar.isDenied && known.SUBGENRES.has(reading.words[at] ?? "")) return takeTopic(sofar, at, 1);
  const opener = phraseAt(reading, at, SETS.openers);
  if (rule && ruled >= opener) return takeMatch(sofar, at, rule);
  return takeHinge(sofar, at, opener) || takeWord(sofar, at);
}

function takeTopic(sofar: Sofar, at: number, count: number): number {
  const { words } = sofar.reading;
  // `violence free`
  const isFree = words[at + count] === "free";
  (sofar.isDenied || isFree ? sofar.unwanted : sofar.topic).push(...words.slice(at, at + count));
  sofar.isDenied = false;
  return isFree ? count + 1 : count;
}

function takeMatch(sofar: Sofar, at: number, { constraints, words: count, isStrong }: Match): number {
  const { reading, found, isDenied, eitherOf } = sofar;
  const [first] = constraints;
  const isEither = known.OR.has(reading.words[at + count] ?? "");
  for (const constraint of constraints) {
    // Who wants no crime series may want series, and no films.
    if (isDenied && constraint.kind === "kind" && first?.kind === "genre") continue;
    const meant = isDenied ? denied(constraint, reading) : withEither(constraint, eitherOf, found);
    if (meant) found.set(idOf(meant), meant);
  }
  // `a comedy or drama` is either, `no horror or thriller` denies both.
  sofar.eitherOf = !isDenied && isEither && first?.kind === "genre" ? first : undefined;
  sofar.isDenied = isDenied && isEither;
  sofar.isQuestion ||= isStrong || isDenied;
  if (first?.kind === "genre" || first?.kind === "kind") sofar.kindEnd = at + count;
  return isDenied && isEither ? count + 1 : count;
}

/** A genre together with the one that it is another choice to, whose place it takes. */
function withEither(
  constraint: Constraint,
  before: Constraint | undefined,
  found: Map<string, Constraint>,
): Constraint {
  const own = before && [...found.values()].find(({ kind, value }) => kind === "genre" && value.endsWith(before.value));
  if (!own || constraint.kind !== "genre") return constraint;
  found.delete(idOf(own));
  return { kind: "genre", value: `${own.value}|${constraint.value}` };
}

/** What says how the next words are meant: `not`, `about`, `show me`. */
function takeHinge(sofar: Sofar, at: number, opener: number): number {
  const { reading } = sofar;
  const not = phraseAt(reading, at, SETS.not);
  const isBehindKind = at === sofar.kindEnd && known.ABOUT_AFTER_KIND.has(reading.words[at] ?? "");
  const about = phraseAt(reading, at, SETS.about) || (isBehindKind ? 1 : 0);
  // `I don't want anything sad`, `not about war`: what comes after both is denied.
  sofar.isDenied ||= not > 0;
  sofar.isAbout ||= about > 0;
  sofar.isQuestion ||= opener > 0;
  return Math.max(not, about, opener);
}

function takeWord(sofar: Sofar, at: number): number {
  const word = sofar.reading.words[at] ?? "";
  if (sofar.isDenied && known.NOT_FILLERS.has(word)) return 1;
  if (!known.FILLERS.has(word)) return takeTopic(sofar, at, 1);
  sofar.isDenied = false;
  return 1;
}

function conclude({ reading, found, topic, unwanted, isQuestion, isAbout }: Sofar): Understood {
  const ages = [...found.values()].filter(({ kind }) => kind === "age");
  // `for children of 5 years` is for those of 5.
  if (ages.length > 1) found.delete(idOf({ kind: "age", value: String(KIDS_AGE) }));
  // `what's on tonight on TV` is said twice.
  if ([...found.values()].filter(({ kind }) => kind === "airing").length > 1) found.delete("airing:now");
  const constraints = [...found.values()];
  // Two things are said, `tense courtroom drama`, or one and what it is about, `a thriller in Berlin`.
  const isPlain = known.INDEFINITE.has(reading.words[0] ?? "") || reading.words.length >= PLAIN_WORDS_MIN;
  const isOf = constraints.some(({ kind }) => kind === "genre" || kind === "mood" || kind === "kind");
  const isTold = topic.length === 0 || isAbout || (isPlain && isOf);
  if (topic.length > 0) constraints.push({ kind: "topic", value: topic.join(" ") });
  // A title may have a `not` of its own: what it denies counts where there is more.
  if (unwanted.length > 0) constraints.push({ kind: "not-topic", value: unwanted.join(" ") });
  const count = constraints.filter(({ kind }) => isTold || !kind.endsWith("topic")).length;
  return { constraints, isQuestion: isQuestion || count >= 2 };
}

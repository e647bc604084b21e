import * as known from "./domain-question-words.ts";
import { createVocabulary } from "./domain-vocabulary.ts";
import {
  firstMatch,
  LONG_MIN_S,
  NOT_LONG_MAX_S,
  OLD_YEARS,
  phraseAt,
  range,
  type Reading,
  SETS,
  INFLECTED_WORDS,
  KIDS_AGE,
  KNOWN_WORDS,
} from "./domain-question-rules.ts";
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
  /** Whom a family name alone means. */
  readonly personCalled: (familyName: string) => string | undefined;
  /** A title that is called so, as the catalogue writes it. */
  readonly titleNamed: (title: string) => string | undefined;
  /** Whether a word is in the catalogue. */
  readonly isWord: (word: string) => boolean;
  readonly year: number;
}

const WORDS_MAX = 60;

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
function corrected(word: string, written: string, { isWord }: Knowledge): string {
  const isName = /^\p{Lu}/u.test(written);
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
    .split(/[\s,.;:!?()"“”/-]+/u)
    .flatMap((word) => (wordsOf(word).length === 1 ? [word] : wordsOf(word)))
    .slice(0, WORDS_MAX);
  return { ...knowledge, written, words: written.map((word) => corrected(wordsOf(word)[0] ?? "", word, knowledge)) };
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

/** Takes a question apart. What no rule knows is what it is about. */
export function understand(text: string, knowledge: Knowledge): Understood {
  const reading = readingOf(text, knowledge);
  const found = new Map<string, Constraint>();
  const topic: string[] = [];
  const unwanted: string[] = [];
  let [isQuestion, isDenied, isAbout] = [false, false, false];
  /** A genre that the next one is another choice to. */
  let eitherOf: Constraint | undefined;
  for (let at = 0; at < reading.words.length; ) {
    const word = reading.words[at] ?? "";
    const rule = firstMatch(reading, at);
    const opener = phraseAt(reading, at, SETS.openers);
    const occasion = phraseAt(reading, at, SETS.occasions);
    if (occasion > (rule?.words ?? 0)) {
      at += occasion;
      continue;
    }
    if (rule && rule.words >= opener) {
      const [first] = rule.constraints;
      const before = eitherOf;
      eitherOf = undefined;
      for (const constraint of rule.constraints) {
        const meant = isDenied ? denied(constraint, knowledge) : withEither(constraint, before, found);
        if (meant) found.set(idOf(meant), meant);
      }
      // `a comedy or drama` is either.
      if (!isDenied && first?.kind === "genre" && known.OR.has(reading.words[at + rule.words] ?? "")) eitherOf = first;
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
      // `I don't want anything sad` denies what comes after both.
      isDenied = not > 0 || (isDenied && about === 0);
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
  const ages = [...found.values()].filter(({ kind }) => kind === "age");
  // `for children of 5 years` is for those of 5.
  if (ages.length > 1) found.delete(idOf({ kind: "age", value: String(KIDS_AGE) }));
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

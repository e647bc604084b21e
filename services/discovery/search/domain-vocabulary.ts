import { bitsIn, lettersOf, repeatedLettersOf, slipsBetween } from "./domain-words.ts";
import { createNumbers, type Numbers } from "./domain-numbers.ts";

/** Terms with numbers of their own, found whole, by their beginning, or in spite of slips of the pen. */
export interface Vocabulary {
  /** The number of a term; -1 where there is none. */
  find(term: string): number;
  /** The number of a term, which is taken in where it is new. Terms are never taken out: their owner knows which are in use. */
  add(term: string): number;
  term(number: number): string;
  /** Terms that begin so, in the order of the alphabet. */
  beginningWith(prefix: string, limit: number): number[];
  /** Terms that are up to `slipsMax` slips away, the word itself left out. */
  near(word: string, slipsMax: number): Near[];
  readonly size: number;
}

export interface Near {
  readonly number: number;
  readonly slips: number;
}

/** So many new terms are looked at one by one before they are sorted in among the others. */
const UNSORTED_MAX = 2_000;

/** Terms of one length: their numbers and, at the same places, which letters they have and which they have more than once. */
interface Length {
  readonly numbers: Numbers;
  readonly letters: Numbers;
  readonly repeated: Numbers;
}

/**
 * Beginnings are found in a sorted list. Slips are found by looking at every term of nearly the same length: a slip changes how often two letters
 * are there, by one each, so that most terms are told apart by two words of bits and only the rest is compared letter by letter. That needs no table
 * of deletions, which would take twenty times the memory of the terms.
 */
export function createVocabulary(): Vocabulary {
  const numbers = new Map<string, number>();
  const terms: string[] = [];
  const byLength: Length[] = [];
  let sorted = new Uint32Array(0);

  const textOf = (number: number): string => terms[number] ?? "";
  const compare = (a: number, b: number): number => (textOf(a) < textOf(b) ? -1 : 1);

  /** Sorts what is new, and merges it with what was sorted. */
  function sortIn(): void {
    if (terms.length - sorted.length <= (sorted.length === 0 ? 0 : UNSORTED_MAX)) return;
    const fresh = Array.from({ length: terms.length - sorted.length }, (_, place) => sorted.length + place);
    fresh.sort(compare);
    const merged = new Uint32Array(terms.length);
    for (let at = 0, left = 0, right = 0; at < merged.length; at += 1) {
      const isOld =
        right >= fresh.length || (left < sorted.length && compare(sorted[left] ?? 0, fresh[right] ?? 0) < 0);
      merged[at] = (isOld ? sorted[left] : fresh[right]) ?? 0;
      if (isOld) left += 1;
      else right += 1;
    }
    sorted = merged;
  }

  /** Adds those of one length that are near. */
  function nearOfLength(of: Length, word: string, slipsMax: number, found: Near[]): void {
    const [letters, repeated, changesMax] = [lettersOf(word), repeatedLettersOf(word), 2 * slipsMax];
    const [theirs, theirRepeated, theirNumbers] = [of.letters.values, of.repeated.values, of.numbers.values];
    for (let place = 0; place < of.numbers.length; place += 1) {
      const changes = bitsIn(letters ^ (theirs[place] ?? 0));
      if (changes > changesMax || changes + bitsIn(repeated ^ (theirRepeated[place] ?? 0)) > changesMax) continue;
      const number = theirNumbers[place] ?? 0;
      const slips = slipsBetween(word, textOf(number), slipsMax);
      if (slips > 0 && slips <= slipsMax) found.push({ number, slips });
    }
  }

  return {
    get size() {
      return terms.length;
    },
    find: (term) => numbers.get(term) ?? -1,
    add(term) {
      const known = numbers.get(term);
      if (known !== undefined) return known;
      const number = terms.length;
      terms.push(term);
      numbers.set(term, number);
      while (byLength.length <= term.length)
        byLength.push({ numbers: createNumbers(), letters: createNumbers(), repeated: createNumbers() });
      const of = byLength[term.length];
      of?.numbers.push(number);
      of?.letters.push(lettersOf(term));
      of?.repeated.push(repeatedLettersOf(term));
      return number;
    },
    term: textOf,
    beginningWith(prefix, limit) {
      sortIn();
      let [low, high] = [0, sorted.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (textOf(sorted[middle] ?? 0) < prefix) low = middle + 1;
        else high = middle;
      }
      const found: number[] = [];
      for (; low < sorted.length && found.length < limit; low += 1) {
        const number = sorted[low] ?? 0;
        if (!textOf(number).startsWith(prefix)) break;
        found.push(number);
      }
      for (let number = sorted.length; number < terms.length && found.length < limit; number += 1)
        if (textOf(number).startsWith(prefix)) found.push(number);
      return found;
    },
    near(word, slipsMax) {
      const found: Near[] = [];
      if (slipsMax <= 0) return found;
      for (let length = Math.max(1, word.length - slipsMax); length <= word.length + slipsMax; length += 1) {
        const of = byLength[length];
        if (of) nearOfLength(of, word, slipsMax, found);
      }
      return found;
    },
  };
}

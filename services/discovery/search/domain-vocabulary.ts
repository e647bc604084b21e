import { bitsIn, lettersOf, slipsBetween } from "./domain-words.ts";

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

/**
 * Beginnings are found in a sorted list. Slips are found by looking at every term of nearly the same length, and comparing letter by letter those
 * with nearly the same letters: no table of deletions, which would take twenty times the memory of the terms, and fast enough for some 100,000.
 */
export function createVocabulary(): Vocabulary {
  const numbers = new Map<string, number>();
  const terms: string[] = [];
  /** By length: numbers of terms and, at the same places, their letters. */
  const byLength: { readonly numbers: number[]; readonly letters: number[] }[] = [];
  let sorted: number[] = [];
  let sortedUntil = 0;

  const textOf = (number: number): string => terms[number] ?? "";
  const compare = (a: number, b: number): number => (textOf(a) < textOf(b) ? -1 : 1);

  function sortIn(): void {
    if (terms.length - sortedUntil <= (sortedUntil === 0 ? 0 : UNSORTED_MAX)) return;
    sorted = terms.map((_, number) => number).sort(compare);
    sortedUntil = terms.length;
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
      while (byLength.length <= term.length) byLength.push({ numbers: [], letters: [] });
      byLength[term.length]?.numbers.push(number);
      byLength[term.length]?.letters.push(lettersOf(term));
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
      for (let number = sortedUntil; number < terms.length && found.length < limit; number += 1)
        if (textOf(number).startsWith(prefix)) found.push(number);
      return found;
    },
    near(word, slipsMax) {
      const found: Near[] = [];
      if (slipsMax <= 0) return found;
      const letters = lettersOf(word);
      for (let length = Math.max(1, word.length - slipsMax); length <= word.length + slipsMax; length += 1) {
        const bucket = byLength[length];
        if (!bucket) continue;
        for (let place = 0; place < bucket.numbers.length; place += 1) {
          if (bitsIn(letters ^ (bucket.letters[place] ?? 0)) > 2 * slipsMax) continue;
          const number = bucket.numbers[place] ?? 0;
          const slips = slipsBetween(word, textOf(number), slipsMax);
          if (slips > 0 && slips <= slipsMax) found.push({ number, slips });
        }
      }
      return found;
    },
  };
}

import { createVocabulary } from "./domain-vocabulary.ts";
import { joined, titleSlipsMax, wordsOf } from "./domain-words.ts";

/** Titles as a whole, without their blanks, so that it does not matter where those stand. */
export interface WholeTitles {
  put(slot: number, title: string): void;
  delete(slot: number, title: string): void;
  /** Titles that the words are, begin, or are a slip away from. */
  like(words: readonly string[], isTyping: boolean): ReadonlyMap<number, Likeness>;
  /** The slot of the title that is called so, -1 where none is; of several the first. */
  slotOf(title: string): number;
  /** Whether a title is called so, or begins so. */
  begins(text: string): boolean;
}

export interface Likeness {
  /** What it adds to the score of the words. */
  readonly bonus: number;
  readonly slips: number;
  /** It is the whole title that is meant, and not how one begins. */
  readonly isWhole: boolean;
}

const BONUS = { exact: 40, near: [40, 30, 24, 20], begins: 14 } as const;
const BEGINNINGS_MAX = 300;

export function createWholeTitles(): WholeTitles {
  const keys = createVocabulary();
  /** By the number of the key. */
  const slots: Set<number>[] = [];
  const keyOf = (title: string): string => joined(wordsOf(title));
  return {
    put: (slot, title) => void (slots[keys.add(keyOf(title))] ??= new Set()).add(slot),
    delete: (slot, title) => void slots[keys.find(keyOf(title))]?.delete(slot),
    like(words, isTyping) {
      const found = new Map<number, Likeness>();
      const key = joined(words);
      const take = (number: number, bonus: number, slips: number, isWhole: boolean): void => {
        for (const slot of slots[number] ?? [])
          if ((found.get(slot)?.bonus ?? 0) < bonus) found.set(slot, { bonus, slips, isWhole });
      };
      take(keys.find(key), BONUS.exact, 0, true);
      if (isTyping && key !== "")
        for (const number of keys.beginningWith(key, BEGINNINGS_MAX))
          take(number, BONUS.begins * (1 + key.length / keys.term(number).length), 0, false);
      if (found.size === 0)
        for (const { number, slips } of keys.near(key, titleSlipsMax(key.length)))
          take(number, BONUS.near[slips] ?? 0, slips, true);
      return found;
    },
    slotOf: (title) => [...(slots[keys.find(keyOf(title))] ?? [])][0] ?? -1,
    begins: (text) => keys.beginningWith(keyOf(text), 1).some((number) => (slots[number]?.size ?? 0) > 0),
  };
}

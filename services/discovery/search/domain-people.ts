import { createTextIndex, type FindOptions, type Found } from "./domain-index.ts";
import { createVocabulary } from "./domain-vocabulary.ts";
import { joined, titleSlipsMax, wordsOf } from "./domain-words.ts";

/** Everybody who is in some title, by any part of their name and by the whole of it. Titles are named by their slots. */
export interface People {
  add(slot: number, names: readonly string[]): void;
  remove(slot: number, names: readonly string[]): void;
  /** Whoever is called so. */
  named(name: string): Person | undefined;
  /** Whoever is called nearly so: a slip away, two where the name is long. */
  near(name: string): Person | undefined;
  /** Those whose whole name is in the words, perhaps misspelt or not finished, with how much of them is the name: 0 to 1. */
  namedIn(words: readonly string[], options: FindOptions): readonly Named[];
  /** Those whom somebody who types may mean, the likeliest first; of equals those who are in most. */
  like(words: readonly string[], isForgiving: boolean, limit: number): readonly Person[];
}

export interface Person {
  readonly name: string;
  readonly slots: readonly number[];
}

export interface Named {
  readonly slots: readonly number[];
  readonly share: number;
}

const NAMED_MAX = 5;
/** There are several times as many names as titles, and more slips make too many of them alike. */
const NAME_SLIPS_MAX = 2;
const LONG_NAME_LENGTH_MIN = 12;
/** Of names that are equally near the one is meant that is in most titles: nobody is in so many. */
const MANY_TITLES = 100_000;
const BEGUN_MAX = 200;
/** Of several whole names in a text only those count that are nearly as good as the best. */
const SCORE_MIN_OF_BEST = 0.9;

const keyOf = (name: string): string => joined(wordsOf(name));

interface Kept {
  readonly name: string;
  slots: number[];
}

export function createPeople(): People {
  const index = createTextIndex({ fields: [{ weight: 1, b: 0 }], k1: 1.2 });
  /** Whole names without blanks. */
  const keys = createVocabulary();
  const byKey = new Map<string, Kept>();
  /** By their slots in the index of names. */
  const bySlot: (Kept | undefined)[] = [];
  const slotsBy = (key: string): readonly number[] => byKey.get(key)?.slots ?? [];

  const isWhole = ({ slots, words }: Found, place: number): boolean => {
    const there = words[place] ?? 0;
    return there >= 2 && there >= index.lengthOf(slots[place] ?? 0, 0);
  };

  /** The places of those that fit, the best first, of equals who is in most titles. */
  function bestOf(found: Found, isFit: (place: number) => boolean, limit: number): number[] {
    const best: number[] = [];
    const sizeAt = (place: number): number => bySlot[found.slots[place] ?? 0]?.slots.length ?? 0;
    const isBetter = (a: number, b: number): boolean => {
      const [left, right] = [found.scores[a] ?? 0, found.scores[b] ?? 0];
      return left > right || (left === right && sizeAt(a) > sizeAt(b));
    };
    for (let place = 0; place < found.slots.length; place += 1) {
      if (!isFit(place) || (best.length >= limit && !isBetter(place, best.at(-1) ?? 0))) continue;
      let at = best.length;
      while (at > 0 && isBetter(place, best[at - 1] ?? 0)) at -= 1;
      best.splice(at, 0, place);
      if (best.length > limit) best.pop();
    }
    return best;
  }

  return {
    add(slot, names) {
      for (const name of names) {
        const key = keyOf(name);
        if (key === "") continue;
        const known = byKey.get(key);
        if (known) {
          if (!known.slots.includes(slot)) known.slots.push(slot);
          continue;
        }
        const kept = { name, slots: [slot] };
        byKey.set(key, kept);
        bySlot[index.put(key, [wordsOf(name)])] = kept;
        keys.add(key);
      }
    },
    remove(slot, names) {
      for (const key of names.map(keyOf)) {
        const known = byKey.get(key);
        if (!known) continue;
        known.slots = known.slots.filter((each) => each !== slot);
        if (known.slots.length > 0) continue;
        byKey.delete(key);
        bySlot[index.slotOf(key) ?? -1] = undefined;
        index.delete(key);
      }
    },
    named: (name) => byKey.get(keyOf(name)),
    near(name) {
      const key = keyOf(name);
      const slipsMax = key.length < LONG_NAME_LENGTH_MIN ? 1 : NAME_SLIPS_MAX;
      const near = keys.near(key, slipsMax).map(({ number, slips }) => ({ kept: byKey.get(keys.term(number)), slips }));
      const rank = ({ kept, slips }: (typeof near)[number]): number => slips - (kept?.slots.length ?? 0) / MANY_TITLES;
      return near.filter(({ kept }) => kept).sort((a, b) => rank(a) - rank(b))[0]?.kept;
    },
    namedIn(words, { isTyping, isForgiving }) {
      const found = index.find(words, { isTyping: false, isForgiving, wordsMin: 2 });
      const named = bestOf(found, (place) => isWhole(found, place), NAMED_MAX);
      const best = found.scores[named[0] ?? -1] ?? 0;
      if (named.length > 0)
        return named
          .filter((place) => (found.scores[place] ?? 0) >= best * SCORE_MIN_OF_BEST)
          .map((place) => ({
            slots: bySlot[found.slots[place] ?? 0]?.slots ?? [],
            share: found.coverages[place] ?? 0,
          }));
      // `robertduvall` and `mi afarrow` have no word that is right, and are right but for a blank.
      const key = joined(words);
      const slipsMax = Math.min(NAME_SLIPS_MAX, titleSlipsMax(key.length));
      const near = isForgiving ? keys.near(key, slipsMax).sort((a, b) => a.slips - b.slips) : [];
      const [whole] = [keys.find(key), ...near.map(({ number }) => number)].filter(
        (number) => slotsBy(keys.term(number)).length > 0,
      );
      if (whole !== undefined) return [{ slots: slotsBy(keys.term(whole)), share: 1 }];
      const begun = isTyping && words.length > 1 ? keys.beginningWith(key, BEGUN_MAX) : [];
      return begun
        .map((number) => ({ slots: slotsBy(keys.term(number)), share: 1 }))
        .sort((a, b) => b.slots.length - a.slots.length)
        .slice(0, NAMED_MAX);
    },
    like(words, isForgiving, limit) {
      if (words.length === 0) return [];
      const meant = (mayBeMisspelt: boolean): Person[] => {
        const wordsMin = Math.min(2, words.length);
        const found = index.find(words, { isTyping: true, isForgiving: mayBeMisspelt, wordsMin });
        const isFit = (place: number): boolean => (found.words[place] ?? 0) >= words.length || isWhole(found, place);
        return bestOf(found, isFit, limit).flatMap((place) => bySlot[found.slots[place] ?? 0] ?? []);
      };
      const exact = meant(false);
      return exact.length > 0 || !isForgiving ? exact : meant(true);
    },
  };
}

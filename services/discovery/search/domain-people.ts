import { createTextIndex, type FindOptions, type Hit } from "./domain-index.ts";
import { createVocabulary } from "./domain-vocabulary.ts";
import { joined, titleSlipsMax, wordsOf } from "./domain-words.ts";

/** Everybody who is in some title, by any part of their name and by the whole of it. */
export interface People {
  add(titleId: string, names: readonly string[]): void;
  remove(titleId: string, names: readonly string[]): void;
  /** The titles of whoever is called so. */
  titlesOf(name: string): ReadonlySet<string>;
  /** Those whose whole name is in the words, perhaps misspelt or not finished, with how much of them is the name: 0 to 1. */
  namedIn(words: readonly string[], options: FindOptions): readonly Named[];
  /** Those whom somebody who types may mean, the likeliest first; of equals those who are in most. */
  like(words: readonly string[], isForgiving: boolean, limit: number): readonly Person[];
}

export interface Person {
  readonly name: string;
  readonly titleIds: ReadonlySet<string>;
}

export interface Named {
  readonly titleIds: ReadonlySet<string>;
  readonly share: number;
}

const NOBODY: ReadonlySet<string> = new Set();
const NAMED_MAX = 5;
const BEGUN_MAX = 200;
/** Of several whole names in a text only those count that are nearly as good as the best. */
const SCORE_MIN_OF_BEST = 0.9;

const keyOf = (name: string): string => joined(wordsOf(name));

export function createPeople(): People {
  const index = createTextIndex({ fields: [{ weight: 1, b: 0 }], k1: 1.2 });
  /** Whole names without blanks. */
  const keys = createVocabulary();
  const byKey = new Map<string, { readonly name: string; readonly titleIds: Set<string> }>();

  const isWhole = ({ slot, words }: Hit): boolean => words >= 2 && words >= index.lengthOf(slot, 0);
  const titlesBy = (key: string): ReadonlySet<string> => byKey.get(key)?.titleIds ?? NOBODY;

  return {
    add(titleId, names) {
      for (const name of names) {
        const key = keyOf(name);
        if (key === "") continue;
        const known = byKey.get(key);
        if (known) known.titleIds.add(titleId);
        else {
          byKey.set(key, { name, titleIds: new Set([titleId]) });
          index.put(key, [wordsOf(name)]);
          keys.add(key);
        }
      }
    },
    remove(titleId, names) {
      for (const key of names.map(keyOf)) {
        const known = byKey.get(key);
        known?.titleIds.delete(titleId);
        if (known?.titleIds.size !== 0) continue;
        byKey.delete(key);
        index.delete(key);
      }
    },
    titlesOf: (name) => titlesBy(keyOf(name)),
    namedIn(words, { isTyping, isForgiving }) {
      const { hits } = index.find(words, { isTyping: false, isForgiving });
      const named = hits.filter(isWhole).sort((a, b) => b.score - a.score);
      const best = named[0]?.score ?? 0;
      if (named.length > 0)
        return named
          .filter(({ score }) => score >= best * SCORE_MIN_OF_BEST)
          .slice(0, NAMED_MAX)
          .map(({ slot, coverage }) => ({ titleIds: titlesBy(index.idOf(slot)), share: coverage }));
      // `robertduvall` and `mi afarrow` have no word that is right, and are right but for a blank.
      const key = joined(words);
      const near = isForgiving ? keys.near(key, titleSlipsMax(key.length)) : [];
      const [whole] = [keys.find(key), ...near.map(({ number }) => number)].filter((number) => number >= 0);
      if (whole !== undefined) return [{ titleIds: titlesBy(keys.term(whole)), share: 1 }];
      const begun = isTyping && words.length > 1 ? keys.beginningWith(key, BEGUN_MAX) : [];
      return begun
        .map((number) => ({ titleIds: titlesBy(keys.term(number)), share: 1 }))
        .sort((a, b) => b.titleIds.size - a.titleIds.size)
        .slice(0, NAMED_MAX);
    },
    like(words, isForgiving, limit) {
      if (words.length === 0) return [];
      const meant = (mayBeMisspelt: boolean): Hit[] =>
        index
          .find(words, { isTyping: true, isForgiving: mayBeMisspelt })
          .hits.filter((hit) => hit.words >= words.length || isWhole(hit));
      const exact = meant(false);
      return (exact.length > 0 || !isForgiving ? exact : meant(true))
        .flatMap(({ slot, score }) => {
          const person = byKey.get(index.idOf(slot));
          return person ? [{ ...person, score }] : [];
        })
        .sort((a, b) => b.score - a.score || b.titleIds.size - a.titleIds.size)
        .slice(0, limit);
    },
  };
}

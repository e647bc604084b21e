import { genreOf } from "./domain-genres.ts";
import { createTextIndex, type Hit, type TextIndex } from "./domain-index.ts";
import { type Entry, type Filters, isSeen, type Sight, suits } from "./domain-title.ts";
import { createVocabulary, type Vocabulary } from "./domain-vocabulary.ts";
import { topK } from "#learning/ranking";
import { joined, titleSlipsMax, wordsOf } from "./domain-words.ts";

/** All that one tenant has to be found: titles, by their words and as a whole, and the people in them. */
export interface Library {
  put(entry: Entry): void;
  delete(id: string): void;
  find(asked: Asked, sight: Sight): FoundTitles;
  people(text: string, sight: Sight, limit: number): FoundPerson[];
  suggest(text: string, sight: Sight, limit: number): Suggestion[];
  /** Whether somebody of that name is in a title. */
  isPerson(name: string): boolean;
  /** Whether a title is called so, or begins so. */
  isTitle(text: string): boolean;
  readonly size: number;
}

export interface Asked {
  readonly text: string;
  /** The last word may not be finished. */
  readonly isTyping: boolean;
  readonly filters: Filters;
  /** Everybody of these is in it, and nobody of those. */
  readonly people: readonly string[];
  readonly withoutPeople: readonly string[];
  /** None of these words is in it. */
  readonly withoutText: string;
  readonly offset: number;
  readonly limit: number;
}

export interface FoundTitles {
  readonly ids: readonly string[];
  readonly total: number;
  readonly facets: Facets;
  /** What the text was taken for, where nothing is written as it was asked for; empty otherwise. */
  readonly corrected: string;
}

export interface Count {
  readonly value: string;
  readonly count: number;
}
export type Facets = Readonly<Record<"genres" | "kinds" | "decades" | "languages", readonly Count[]>>;

export interface FoundPerson {
  readonly name: string;
  readonly titles: number;
}

export interface Suggestion {
  readonly kind: "title" | "person";
  readonly text: string;
  /** Of the title. */
  readonly id: string;
}

/** In the order of the index's fields. Weights were looked at on half of the questions of bench/search.ts; the other half is what it reports. */
export const FIELDS = [
  { weight: 6, b: 0.4 },
  { weight: 3, b: 0.3 },
  { weight: 3, b: 0.3 },
  { weight: 2, b: 0.2 },
  { weight: 1, b: 0.6 },
] as const;
const K1 = 1.2;

/** What a whole title that fits adds to the score of its words. */
const BONUS = { exact: 40, near: [40, 30, 24, 20], beginsWith: 14, person: 12 } as const;
/** Less than this of what was asked for is no answer; nor is what is so much worse than the best. */
const COVERAGE_MIN = 0.55;
const WORTH_MIN_OF_BEST = 0.12;
const WORDS_ASKED_MAX = 12;
const FACET_VALUES_MAX = 30;
const BEGINNINGS_MAX = 300;
const PEOPLE_TAKEN = 5;
const PEOPLE_LOOKED_AT = 200;
/** The index is made anew when so many slots are empty, and more than are not. */
const EMPTY_SLOTS_MIN = 1_000;

interface Shelf {
  readonly entry: Entry;
  readonly genres: ReadonlySet<string>;
  /** The title without blanks. */
  readonly key: string;
}

export const fieldsOf = ({ title, cast, directors, genres, synopsis }: Entry): readonly (readonly string[])[] => [
  wordsOf(title),
  wordsOf(cast.join(" ")),
  wordsOf(directors.join(" ")),
  [...new Set(genres.flatMap((genre) => [...wordsOf(genre), ...wordsOf(genreOf(genre))]))],
  wordsOf(synopsis),
];

/** Words and nothing else. */
export const PLAIN: Omit<Asked, "text" | "limit"> = {
  ...{ isTyping: true, filters: {}, people: [], withoutPeople: [], withoutText: "", offset: 0 },
};

export function createLibrary(): Library {
  const shelves = new Map<string, Shelf>();
  let index: TextIndex = createTextIndex({ fields: FIELDS, k1: K1 });
  /** By slot of the index. */
  let bySlot: (Shelf | undefined)[] = [];
  let titles: Vocabulary = createVocabulary();
  let titleSlots: Set<number>[] = [];
  let people = createTextIndex({ fields: [{ weight: 1, b: 0 }], k1: K1 });
  let names = createVocabulary();
  const credits = new Map<string, { readonly name: string; readonly ids: Set<string> }>();

  const keyOf = (text: string): string => joined(wordsOf(text));

  function shelve(shelf: Shelf): void {
    const { entry, key } = shelf;
    shelves.set(entry.id, shelf);
    const slot = index.put(entry.id, fieldsOf(entry));
    bySlot[slot] = shelf;
    const number = titles.add(key);
    (titleSlots[number] ??= new Set()).add(slot);
    for (const name of [...entry.cast, ...entry.directors]) {
      const person = keyOf(name);
      if (person === "") continue;
      const known = credits.get(person);
      if (known) known.ids.add(entry.id);
      else {
        credits.set(person, { name, ids: new Set([entry.id]) });
        people.put(person, [wordsOf(name)]);
        names.add(person);
      }
    }
  }

  function remove(id: string): void {
    const shelf = shelves.get(id);
    const slot = index.slotOf(id);
    if (!shelf || slot === undefined) return;
    shelves.delete(id);
    index.delete(id);
    bySlot[slot] = undefined;
    titleSlots[titles.find(shelf.key)]?.delete(slot);
    for (const name of [...shelf.entry.cast, ...shelf.entry.directors]) {
      const person = keyOf(name);
      const known = credits.get(person);
      known?.ids.delete(id);
      if (known?.ids.size !== 0) continue;
      credits.delete(person);
      people.delete(person);
    }
  }

  function makeAnew(): void {
    const all = [...shelves.values()];
    index = createTextIndex({ fields: FIELDS, k1: K1 });
    people = createTextIndex({ fields: [{ weight: 1, b: 0 }], k1: K1 });
    [bySlot, titles, names, titleSlots] = [[], createVocabulary(), createVocabulary(), []];
    credits.clear();
    for (const shelf of all) shelve(shelf);
  }

  /** What whole titles that are like the text add to the scores of their slots. */
  function wholeTitles(words: readonly string[], isTyping: boolean): Map<number, { bonus: number; slips: number }> {
    const found = new Map<number, { bonus: number; slips: number }>();
    const key = joined(words);
    const take = (number: number, bonus: number, slips: number): void => {
      for (const slot of titleSlots[number] ?? [])
        if ((found.get(slot)?.bonus ?? 0) < bonus) found.set(slot, { bonus, slips });
    };
    take(titles.find(key), BONUS.exact, 0);
    if (isTyping && key !== "")
      for (const number of titles.beginningWith(key, BEGINNINGS_MAX))
        take(number, BONUS.beginsWith * (1 + key.length / titles.term(number).length), 0);
    if (found.size === 0)
      for (const { number, slips } of titles.near(key, titleSlipsMax(key.length)))
        take(number, BONUS.near[slips] ?? 0, slips);
    return found;
  }

  /** People whose whole name is in the text, perhaps misspelt, with how much of it is their name. */
  function peopleIn(words: readonly string[], isForgiving: boolean): Map<string, number> {
    const { hits } = people.find(words, { isTyping: false, isForgiving });
    const named = hits
      .filter(({ slot, words: there }) => there >= 2 && there >= people.lengthOf(slot, 0))
      .sort((a, b) => b.score - a.score);
    const best = named[0]?.score ?? 0;
    // `robertduvall` and `mi afarrow` have no word that is right, and are right but for a blank.
    const key = joined(words);
    const whole = !isForgiving || named.length > 0 ? [] : names.near(key, titleSlipsMax(key.length));
    const [nearest] = [names.find(key), ...whole.map(({ number }) => number)].filter((number) => number >= 0);
    if (nearest !== undefined && named.length === 0) return new Map([[names.term(nearest), 1]]);
    return new Map(
      named
        .filter(({ score }) => score >= best * 0.9)
        .slice(0, PEOPLE_TAKEN)
        .map(({ slot, coverage }) => [people.idOf(slot), coverage]),
    );
  }

  interface Ranked {
    readonly slot: number;
    readonly score: number;
    /** What its words alone are worth; infinite where it is meant as a whole. */
    readonly worth: number;
  }

  function rank(words: readonly string[], isTyping: boolean, isForgiving: boolean) {
    const { hits, corrections } = index.find(words, { isTyping, isForgiving });
    const whole = wholeTitles(words, isTyping);
    const named = new Map<number, number>();
    for (const [person, coverage] of peopleIn(words, isForgiving)) {
      for (const id of credits.get(person)?.ids ?? []) {
        const slot = index.slotOf(id);
        if (slot !== undefined) named.set(slot, Math.max(named.get(slot) ?? 0, BONUS.person * coverage));
      }
    }
    const ranked: Ranked[] = [];
    const seen = new Set<number>();
    let coverageMax = 0;
    const take = ({ slot, score, coverage }: Pick<Hit, "slot" | "score" | "coverage">): void => {
      const bonus = (whole.get(slot)?.bonus ?? 0) + (named.get(slot) ?? 0);
      seen.add(slot);
      coverageMax = Math.max(coverageMax, coverage);
      if (coverage < COVERAGE_MIN && bonus === 0) return;
      const worth = score * coverage ** 2;
      ranked.push({ slot, score: worth + bonus, worth: bonus > 0 ? Number.POSITIVE_INFINITY : worth });
    };
    for (const hit of hits) take(hit);
    for (const slot of [...whole.keys(), ...named.keys()]) if (!seen.has(slot)) take({ slot, score: 0, coverage: 0 });
    return { ranked, corrections, coverageMax, whole };
  }

  function everything(): Ranked[] {
    const all: Ranked[] = [];
    for (const [slot, shelf] of bySlot.entries()) if (shelf) all.push({ slot, score: shelf.entry.year, worth: 0 });
    return all;
  }

  const isIn = (name: string, id: string): boolean => credits.get(keyOf(name))?.ids.has(id) ?? false;

  /** Slots that have one of these words, in any form. */
  function slotsWith(text: string): ReadonlySet<number> {
    const { hits } = index.find(wordsOf(text), { isTyping: false, isForgiving: false });
    return new Set(hits.map(({ slot }) => slot));
  }

  function find(asked: Asked, sight: Sight): FoundTitles {
    const { text, isTyping, filters, offset, limit } = asked;
    const unwanted = slotsWith(asked.withoutText);
    const words = wordsOf(text).slice(0, WORDS_ASKED_MAX);
    const fits = ({ slot }: Ranked): boolean => {
      const shelf = bySlot[slot];
      return (
        shelf !== undefined &&
        isSeen(shelf.entry, sight) &&
        suits(shelf.entry, shelf.genres, filters) &&
        !unwanted.has(slot) &&
        asked.people.every((name) => isIn(name, shelf.entry.id)) &&
        !asked.withoutPeople.some((name) => isIn(name, shelf.entry.id))
      );
    };
    let corrected = "";
    let ranked: Ranked[];
    if (words.length === 0) ranked = text.trim() === "" ? everything() : [];
    else {
      let tried = rank(words, isTyping, false);
      // Only what is not there as it was written is taken for a slip of the pen.
      if (tried.coverageMax < 0.99 && ![...tried.whole.values()].some(({ slips }) => slips === 0)) {
        tried = rank(words, isTyping, true);
        const best = tried.ranked.reduce<Ranked | undefined>(
          (most, each) => (!most || each.score > most.score ? each : most),
          undefined,
        );
        const nearest = best && tried.whole.get(best.slot);
        corrected =
          nearest && nearest.slips > 0
            ? (bySlot[best.slot]?.entry.title ?? "")
            : tried.corrections.some(Boolean)
              ? words.map((word, place) => tried.corrections[place] ?? word).join(" ")
              : "";
      }
      ({ ranked } = tried);
    }
    const fitting = ranked.filter(fits);
    const best = fitting.reduce((most, { worth }) => (Number.isFinite(worth) ? Math.max(most, worth) : most), 0);
    const found = fitting.filter(({ worth }) => worth >= best * WORTH_MIN_OF_BEST);
    const order = topK(
      Float64Array.from(found, ({ score }) => score),
      offset + limit,
    );
    return {
      ids: order.slice(offset).map((place) => bySlot[found[place]?.slot ?? -1]?.entry.id ?? ""),
      total: found.length,
      facets: facetsOf(found.map(({ slot }) => bySlot[slot])),
      corrected: found.length > 0 ? corrected : "",
    };
  }

  function seenTitlesOf(person: string, sight: Sight): number {
    let count = 0;
    for (const id of credits.get(person)?.ids ?? []) {
      const entry = shelves.get(id)?.entry;
      if (entry && isSeen(entry, sight)) count += 1;
    }
    return count;
  }

  function findPeople(text: string, sight: Sight, limit: number): FoundPerson[] {
    const words = wordsOf(text).slice(0, WORDS_ASKED_MAX);
    if (words.length === 0) return [];
    /** All that was typed is of the name, or the whole name is in it. */
    const isMeant = ({ slot, words: there }: Hit): boolean =>
      there >= words.length || (there >= 2 && there >= people.lengthOf(slot, 0));
    const hitsOf = (isForgiving: boolean): Hit[] =>
      people.find(words, { isTyping: true, isForgiving }).hits.filter(isMeant);
    const exact = hitsOf(false);
    // Of many who are called so, those who are in most come first; whether somebody may see them is looked up for a few alone.
    return (exact.length > 0 ? exact : hitsOf(true))
      .map(({ slot, score }) => ({ person: people.idOf(slot), score }))
      .map(({ person, score }) => ({ person, score, size: credits.get(person)?.ids.size ?? 0 }))
      .sort((a, b) => b.score - a.score || b.size - a.size)
      .slice(0, PEOPLE_LOOKED_AT)
      .map(({ person }) => ({ name: credits.get(person)?.name ?? "", titles: seenTitlesOf(person, sight) }))
      .filter(({ titles: count }) => count > 0)
      .slice(0, limit);
  }

  return {
    put(entry) {
      remove(entry.id);
      shelve({ entry, genres: new Set(entry.genres.map(genreOf)), key: keyOf(entry.title) });
      if (index.slots - index.size > Math.max(EMPTY_SLOTS_MIN, index.size)) makeAnew();
    },
    delete: remove,
    find,
    people: findPeople,
    suggest(text, sight, limit) {
      const { ids } = find({ ...PLAIN, text, limit }, sight);
      const persons = findPeople(text, sight, 3).map(
        ({ name }): Suggestion => ({ kind: "person", text: name, id: "" }),
      );
      const named = ids.map((id): Suggestion => ({ kind: "title", text: shelves.get(id)?.entry.title ?? "", id }));
      return [...named.slice(0, limit - Math.min(persons.length, limit >> 1)), ...persons].slice(0, limit);
    },
    isPerson: (name) => credits.has(keyOf(name)),
    isTitle(text) {
      const key = keyOf(text);
      return titles.beginningWith(key, 1).some((number) => (titleSlots[number]?.size ?? 0) > 0);
    },
    get size() {
      return shelves.size;
    },
  };
}

function facetsOf(found: readonly (Shelf | undefined)[]): Facets {
  const counts = { genres: new Map<string, number>(), kinds: new Map<string, number>() };
  const more = { decades: new Map<string, number>(), languages: new Map<string, number>() };
  const count = (map: Map<string, number>, value: string): void => void map.set(value, (map.get(value) ?? 0) + 1);
  for (const shelf of found) {
    if (!shelf) continue;
    for (const genre of shelf.genres) count(counts.genres, genre);
    count(counts.kinds, shelf.entry.kind);
    if (shelf.entry.year > 0) count(more.decades, String(Math.floor(shelf.entry.year / 10) * 10));
    for (const language of shelf.entry.languages) count(more.languages, language);
  }
  const most = (map: ReadonlyMap<string, number>): Count[] =>
    [...map]
      .map(([value, times]) => ({ value, count: times }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, FACET_VALUES_MAX);
  return {
    genres: most(counts.genres),
    kinds: most(counts.kinds),
    decades: most(more.decades),
    languages: most(more.languages),
  };
}

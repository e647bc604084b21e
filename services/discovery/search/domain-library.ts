import { topK } from "#learning/ranking";
import { type Facets, facetsOf } from "./domain-facets.ts";
import { genreOf } from "./domain-genres.ts";
import { createTextIndex, type Hit } from "./domain-index.ts";
import { createPeople } from "./domain-people.ts";
import { type Entry, type Filters, isSeen, type Sight, suits } from "./domain-title.ts";
import { createWholeTitles, type Likeness } from "./domain-whole.ts";
import { wordsOf } from "./domain-words.ts";

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

/** What somebody whose whole name is asked for adds to the score of their titles. */
const PERSON_BONUS = 12;
/** Less than this of what was asked for is no answer; nor is what is so much worse than the best. */
const COVERAGE_MIN = 0.55;
const WORTH_MIN_OF_BEST = 0.12;
/** As good as all of it. */
const COVERED = 0.99;
const WORDS_ASKED_MAX = 12;
const PEOPLE_LOOKED_AT = 200;
const PEOPLE_SUGGESTED = 3;
/** The index is made anew when so many slots are empty, and more than are not. */
const EMPTY_SLOTS_MIN = 1_000;

export const fieldsOf = ({ title, cast, directors, genres, synopsis }: Entry): readonly (readonly string[])[] => [
  wordsOf(title),
  wordsOf(cast.join(" ")),
  wordsOf(directors.join(" ")),
  [...new Set(genres.flatMap((genre) => [...wordsOf(genre), ...wordsOf(genreOf(genre))]))],
  wordsOf(synopsis),
];

const namesIn = ({ cast, directors }: Entry): readonly string[] => [...cast, ...directors];

/** Words and nothing else. */
export const PLAIN: Omit<Asked, "text" | "limit"> = {
  ...{ isTyping: true, filters: {}, people: [], withoutPeople: [], withoutText: "", offset: 0 },
};

interface Shelf {
  readonly entry: Entry;
  readonly genres: ReadonlySet<string>;
}

interface Ranked {
  readonly slot: number;
  readonly score: number;
  /** What its words alone are worth; infinite where it is meant as a whole. */
  readonly worth: number;
}

/** How the words of a text were matched. */
interface Match {
  readonly ranked: readonly Ranked[];
  /** The most that a title has of what was asked for. */
  readonly coverage: number;
  readonly corrections: readonly (string | undefined)[];
  readonly whole: ReadonlyMap<number, Likeness>;
}

/** Everything that is searched, which slots of one index hold together. */
function createShelves() {
  const index = createTextIndex({ fields: FIELDS, k1: K1 });
  const bySlot: (Shelf | undefined)[] = [];
  const [whole, people] = [createWholeTitles(), createPeople()];
  return {
    ...{ index, bySlot, whole, people },
    put(shelf: Shelf): void {
      const { entry } = shelf;
      const slot = index.put(entry.id, fieldsOf(entry));
      bySlot[slot] = shelf;
      whole.put(slot, entry.title);
      people.add(entry.id, namesIn(entry));
    },
    delete(id: string): void {
      const slot = index.slotOf(id);
      const entry = slot === undefined ? undefined : bySlot[slot]?.entry;
      if (slot === undefined || !entry) return;
      index.delete(id);
      bySlot[slot] = undefined;
      whole.delete(slot, entry.title);
      people.remove(id, namesIn(entry));
    },
    entryOf(id: string): Entry | undefined {
      const slot = index.slotOf(id);
      return slot === undefined ? undefined : bySlot[slot]?.entry;
    },
  };
}
type Shelves = ReturnType<typeof createShelves>;

/** Titles by their words, as a whole, and by whose whole name is asked for. */
function match(
  { index, whole, people }: Shelves,
  words: readonly string[],
  isTyping: boolean,
  isForgiving: boolean,
): Match {
  const { hits, corrections } = index.find(words, { isTyping, isForgiving, coverageMin: COVERAGE_MIN });
  const likenesses = whole.like(words, isTyping);
  const named = new Map<number, number>();
  for (const { titleIds, share } of people.namedIn(words, { isTyping, isForgiving })) {
    for (const id of titleIds) {
      const slot = index.slotOf(id);
      if (slot !== undefined) named.set(slot, Math.max(named.get(slot) ?? 0, PERSON_BONUS * share));
    }
  }
  const ranked: Ranked[] = [];
  const seen = new Set<number>();
  let most = 0;
  const take = ({ slot, score, coverage }: Pick<Hit, "slot" | "score" | "coverage">): void => {
    const bonus = (likenesses.get(slot)?.bonus ?? 0) + (named.get(slot) ?? 0);
    if (bonus > 0) seen.add(slot);
    most = Math.max(most, coverage);
    if (coverage < COVERAGE_MIN && bonus === 0) return;
    const worth = score * coverage ** 2;
    ranked.push({ slot, score: worth + bonus, worth: bonus > 0 ? Number.POSITIVE_INFINITY : worth });
  };
  for (const hit of hits) take(hit);
  for (const slot of new Set([...likenesses.keys(), ...named.keys()]))
    if (!seen.has(slot)) take({ slot, score: 0, coverage: 0 });
  return { ranked, coverage: most, corrections, whole: likenesses };
}

/** What the words were taken for, as the best title that was found has it; empty where it has them as they are. */
function correctedBy(shelf: Shelf | undefined, slot: number, words: readonly string[], of: Match): string {
  if (!shelf) return "";
  if ((of.whole.get(slot)?.slips ?? 0) > 0) return shelf.entry.title;
  // A correction that it does not have may be of a title that this viewer must not see.
  const there = new Set(fieldsOf(shelf.entry).flat());
  const corrected = words.map((word, place) => {
    const correction = of.corrections[place];
    return correction !== undefined && there.has(correction) ? correction : word;
  });
  return corrected.every((word, place) => word === words[place]) ? "" : corrected.join(" ");
}

export function createLibrary(): Library {
  let shelves = createShelves();

  /** Without words all titles are as good, the newest first; of somebody, their own. */
  function withoutWords([name]: readonly string[]): Ranked[] {
    const { index, people, bySlot } = shelves;
    const slots =
      name === undefined ? bySlot.keys() : [...people.titlesOf(name)].flatMap((id) => index.slotOf(id) ?? []);
    return [...slots].flatMap((slot) => {
      const shelf = bySlot[slot];
      return shelf ? [{ slot, score: shelf.entry.year, worth: 0 }] : [];
    });
  }

  /** Only what is not there as it was written is taken for a slip of the pen. */
  function matchOf(words: readonly string[], isTyping: boolean): Match {
    const strict = match(shelves, words, isTyping, false);
    const isThere = strict.coverage >= COVERED || [...strict.whole.values()].some(({ slips }) => slips === 0);
    return isThere ? strict : match(shelves, words, isTyping, true);
  }

  /** Whether a slot holds what was asked for besides its words, for one who may see it. */
  function fitting({ filters, people: names, withoutPeople, withoutText }: Asked, sight: Sight) {
    const { index, people, bySlot } = shelves;
    const { hits } = index.find(wordsOf(withoutText), { isTyping: false, isForgiving: false });
    const unwanted = new Set(hits.map(({ slot }) => slot));
    const [wanted, others] = [names, withoutPeople].map((all) => all.map((name) => people.titlesOf(name)));
    return ({ slot }: Ranked): boolean => {
      const shelf = bySlot[slot];
      return (
        shelf !== undefined &&
        isSeen(shelf.entry, sight) &&
        suits(shelf.entry, shelf.genres, filters) &&
        !unwanted.has(slot) &&
        (wanted ?? []).every((ids) => ids.has(shelf.entry.id)) &&
        !(others ?? []).some((ids) => ids.has(shelf.entry.id))
      );
    };
  }

  function find(asked: Asked, sight: Sight): FoundTitles {
    const { text, isTyping, offset, limit } = asked;
    const words = wordsOf(text).slice(0, WORDS_ASKED_MAX);
    const matched = words.length > 0 ? matchOf(words, isTyping) : undefined;
    // Signs alone say nothing; nothing at all says everything.
    const ranked = matched?.ranked ?? (text.trim() === "" ? withoutWords(asked.people) : []);
    const fit = ranked.filter(fitting(asked, sight));
    const best = fit.reduce((most, { worth }) => (Number.isFinite(worth) ? Math.max(most, worth) : most), 0);
    const found = fit.filter(({ worth }) => worth >= best * WORTH_MIN_OF_BEST);
    const scores = Float64Array.from(found, ({ score }) => score);
    const slots = topK(scores, offset + limit).map((place) => found[place]?.slot ?? -1);
    const [first = -1] = slots;
    return {
      ids: slots.slice(offset).map((slot) => shelves.bySlot[slot]?.entry.id ?? ""),
      total: found.length,
      facets: facetsOf(found.flatMap(({ slot }) => shelves.bySlot[slot] ?? [])),
      corrected: matched ? correctedBy(shelves.bySlot[first], first, words, matched) : "",
    };
  }

  function findPeople(text: string, sight: Sight, limit: number): FoundPerson[] {
    const isSeenBy = (id: string): boolean => {
      const entry = shelves.entryOf(id);
      return entry !== undefined && isSeen(entry, sight);
    };
    const words = wordsOf(text).slice(0, WORDS_ASKED_MAX);
    // `robot` is a word, and no slip of somebody called Root.
    const isForgiving = words.some((word) => shelves.index.frequencyOf(word) === 0);
    return shelves.people
      .like(words, isForgiving, PEOPLE_LOOKED_AT)
      .map(({ name, titleIds }) => ({ name, titles: [...titleIds].filter(isSeenBy).length }))
      .filter(({ titles }) => titles > 0)
      .slice(0, limit);
  }

  return {
    put(entry) {
      shelves.delete(entry.id);
      shelves.put({ entry, genres: new Set(entry.genres.map(genreOf)) });
      const { index, bySlot } = shelves;
      if (index.slots - index.size <= Math.max(EMPTY_SLOTS_MIN, index.size)) return;
      shelves = createShelves();
      for (const shelf of bySlot) if (shelf) shelves.put(shelf);
    },
    delete: (id) => shelves.delete(id),
    find,
    people: findPeople,
    suggest(text, sight, limit) {
      const { ids } = find({ ...PLAIN, text, limit }, sight);
      const people = findPeople(text, sight, PEOPLE_SUGGESTED);
      const titles = ids.map((id): Suggestion => ({ kind: "title", text: shelves.entryOf(id)?.title ?? "", id }));
      const persons = people.map(({ name }): Suggestion => ({ kind: "person", text: name, id: "" }));
      // Two words of a name mean somebody; one alone may be anything.
      const isName = persons.length > 0 && wordsOf(text).length > 1 && !shelves.whole.begins(text);
      const room = Math.max(0, limit - persons.length);
      return (isName ? [...persons, ...titles] : [...titles.slice(0, room), ...persons]).slice(0, limit);
    },
    isPerson: (name) => shelves.people.titlesOf(name).size > 0,
    isTitle: (text) => shelves.whole.begins(text),
    get size() {
      return shelves.index.size;
    },
  };
}

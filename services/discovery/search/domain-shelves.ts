import { createColumns } from "./domain-columns.ts";
import { genreOf } from "./domain-genres.ts";
import { createTextIndex } from "./domain-index.ts";
import { createMeaning, type MeaningModel } from "./domain-meaning.ts";
import { createPeople } from "./domain-people.ts";
import type { Entry } from "./domain-title.ts";
import { createWholeTitles, type Likeness } from "./domain-whole.ts";
import { wordsOf } from "./domain-words.ts";

/** In the order of the index's fields. Weights were looked at on half of the questions of bench/search.ts; the other half is what it reports. */
export const FIELDS = [
  { weight: 6, b: 0.4 },
  { weight: 3, b: 0.3 },
  { weight: 3, b: 0.3 },
  { weight: 2, b: 0.2 },
  { weight: 1, b: 0.6 },
] as const;
/** Which of them are names of people. */
export const NAME_FIELDS = [1, 2];
const K1 = 1.2;

/** What somebody whose whole name is asked for adds to the score of their titles. */
const PERSON_BONUS = 12;
/** Less than this of what was asked for is no answer. */
const COVERAGE_MIN = 0.55;
/** As good as all of it. */
export const COVERED = 0.99;

export const fieldsOf = ({ title, cast, directors, genres, synopsis }: Entry): readonly (readonly string[])[] => [
  wordsOf(title),
  wordsOf(cast.join(" ")),
  wordsOf(directors.join(" ")),
  [...new Set(genres.flatMap((genre) => [...wordsOf(genre), ...wordsOf(genreOf(genre))]))],
  wordsOf(synopsis),
];

const namesIn = ({ cast, directors }: Entry): readonly string[] => [...cast, ...directors];

/** Titles that were matched, a title at each place of the lists. */
export interface Ranked {
  readonly slots: Uint32Array;
  readonly scores: Float64Array;
  /** What the words alone are worth; infinite where it is meant as a whole. */
  readonly worths: Float64Array;
  readonly length: number;
}

/** How the words of a text were matched. */
export interface Match {
  readonly ranked: Ranked;
  /** The most that a title has of what was asked for. */
  readonly coverage: number;
  readonly corrections: readonly (string | undefined)[];
  readonly whole: ReadonlyMap<number, Likeness>;
  /** How much of the words is somebody's name: 0 where they name nobody. */
  readonly named: number;
}

/** Everything that is searched, which slots of one index hold together. */
export function createShelves(model?: MeaningModel) {
  const index = createTextIndex({ fields: FIELDS, k1: K1 });
  const bySlot: (Entry | undefined)[] = [];
  const [whole, people, columns] = [createWholeTitles(), createPeople(), createColumns()];
  const meaning = createMeaning(index, { names: NAME_FIELDS, model });
  let bonuses = new Float64Array(0);
  return {
    ...{ index, bySlot, whole, people, columns, meaning },
    /** A zero for each slot, to be left so. */
    bonusRoom(slots: number): Float64Array {
      if (bonuses.length < slots) bonuses = new Float64Array(Math.ceil(slots * 1.25));
      return bonuses;
    },
    put(entry: Entry): void {
      const slot = index.put(entry.id, fieldsOf(entry));
      bySlot[slot] = entry;
      columns.put(slot, entry);
      whole.put(slot, entry.title);
      people.add(slot, namesIn(entry));
      meaning.put(slot);
    },
    delete(id: string): void {
      const slot = index.slotOf(id);
      const entry = slot === undefined ? undefined : bySlot[slot];
      if (slot === undefined || !entry) return;
      index.delete(id);
      bySlot[slot] = undefined;
      whole.delete(slot, entry.title);
      people.remove(slot, namesIn(entry));
    },
  };
}
type Shelves = ReturnType<typeof createShelves>;

/** Titles by their words, as a whole, and by whose whole name is asked for. */
export function match(
  { index, whole, people, bonusRoom }: Shelves,
  words: readonly string[],
  isTyping: boolean,
  isForgiving: boolean,
): Match {
  const hits = index.find(words, { isTyping, isForgiving, coverageMin: COVERAGE_MIN });
  const likenesses = whole.like(words, isTyping);
  const bonuses = new Map<number, number>();
  let named = 0;
  for (const { slots, share } of people.namedIn(words, { isTyping, isForgiving })) {
    named = Math.max(named, share);
    for (const slot of slots) bonuses.set(slot, Math.max(bonuses.get(slot) ?? 0, PERSON_BONUS * share));
  }
  for (const [slot, { bonus }] of likenesses) bonuses.set(slot, (bonuses.get(slot) ?? 0) + bonus);
  // By slot, since there may be a hit for every title; it is left as it was found, which is empty.
  const extra = bonusRoom(index.slots);
  for (const [slot, bonus] of bonuses) extra[slot] = bonus;
  const room = hits.slots.length + bonuses.size;
  const [slots, scores, worths] = [new Uint32Array(room), new Float64Array(room), new Float64Array(room)];
  let [length, most] = [0, 0];
  const take = (slot: number, score: number, worth: number): void => {
    slots[length] = slot;
    scores[length] = score;
    worths[length] = worth;
    length += 1;
  };
  for (let place = 0; place < hits.slots.length; place += 1) {
    const slot = hits.slots[place] ?? 0;
    const coverage = hits.coverages[place] ?? 0;
    if (coverage > most) most = coverage;
    const bonus = extra[slot] ?? 0;
    if (coverage < COVERAGE_MIN && bonus === 0) continue;
    const worth = (hits.scores[place] ?? 0) * coverage ** 2;
    take(slot, worth + bonus, bonus > 0 ? Number.POSITIVE_INFINITY : worth);
    if (bonus > 0) {
      bonuses.delete(slot);
      extra[slot] = 0;
    }
  }
  for (const [slot, bonus] of bonuses) {
    take(slot, bonus, Number.POSITIVE_INFINITY);
    extra[slot] = 0;
  }
  const ranked: Ranked = { slots, scores, worths, length };
  return { ranked, coverage: most, corrections: hits.corrections, whole: likenesses, named };
}

/** What the words were taken for, as the best title that was found has it; empty where it has them as they are. */
export function correctedBy(entry: Entry | undefined, slot: number, words: readonly string[], of: Match): string {
  if (!entry) return "";
  if ((of.whole.get(slot)?.slips ?? 0) > 0) return entry.title;
  // A correction that it does not have may be of a title that this viewer must not see.
  const there = new Set(fieldsOf(entry).flat());
  const corrected = words.map((word, place) => {
    const correction = of.corrections[place];
    return correction !== undefined && there.has(correction) ? correction : word;
  });
  return corrected.every((word, place) => word === words[place]) ? "" : corrected.join(" ");
}

import { grown } from "./domain-numbers.ts";
import { createVocabulary } from "./domain-vocabulary.ts";
import { slipsMax, stemOf } from "./domain-words.ts";

/** Four bits for how often a word stands in each field. */
const BITS = 4;
export const FIELDS_MAX = 8;
const TIMES_MAX = 15;
/** Texts that are longer count as if they were so long. */
const LENGTH_MAX = 1_023;
/**
 * An inverted index of documents with several fields, ranked by BM25F (Robertson, Zaragoza, Taylor, "Simple BM25 extension to multiple weighted
 * fields", CIKM 2004): how often a word stands in the fields is weighted and summed before it is saturated, so that two fields that say the same
 * count less than two words that are asked for.
 *
 * Documents have slots, which are small numbers. What was deleted leaves its slot, until whoever has many of them makes the index anew.
 */
export interface TextIndex {
  /** Puts a document, or replaces it. Words of each field, in the order of the fields. */
  put(id: string, fields: readonly (readonly string[])[]): number;
  delete(id: string): void;
  slotOf(id: string): number | undefined;
  idOf(slot: number): string;
  /** Pairs of the number of a word and how often it stands in each field (`timesIn`), each word once; none where a document was deleted. */
  wordsAt(slot: number): Uint32Array;
  /** The word of a number. */
  wordAt(number: number): string;
  /** How many words a field of a document has. */
  lengthOf(slot: number, field: number): number;
  find(words: readonly string[], options: FindOptions): Found;
  /** How often a word is there, as it is written. */
  frequencyOf(word: string): number;
  readonly size: number;
  /** Above all slots that are in use. */
  readonly slots: number;
}

export interface Field {
  readonly weight: number;
  /** How much a long text must make up for its length: 0 not at all, 1 in full. */
  readonly b: number;
}

export interface IndexOptions {
  readonly fields: readonly Field[];
  readonly k1: number;
}

export interface FindOptions {
  /** The last word may be the beginning of one. */
  readonly isTyping: boolean;
  /** Words may be misspelt. */
  readonly isForgiving: boolean;
  /** Documents that cannot have so much of what was asked for may be left out: without it, what is common is looked at in all of them. */
  readonly coverageMin?: number;
  /** So may those that cannot have so many of the words. */
  readonly wordsMin?: number;
}

/** How often a word stands in a field of a document, given what the index keeps of it. */
export const timesIn = (packed: number, field: number): number => (packed >>> (field * BITS)) & TIMES_MAX;

/** What was found, a document at each place of the lists, in no order that means anything. */
export interface Found {
  readonly slots: Uint32Array;
  readonly scores: Float64Array;
  /** 0 to 1: how much of what was asked for is there, rare words counting more. */
  readonly coverages: Float64Array;
  /** How many of the words that were asked for are there. */
  readonly words: Uint8Array;
  /** What each word was taken for where it is not there as it was written: the commonest of the nearest. */
  readonly corrections: readonly (string | undefined)[];
}

/** So many words may stand for a beginning of so many letters: what one or two letters begin is nearly everything. */
const prefixesMax = (length: number): number => (length < 3 ? 20 : 100);
const NEAR_MAX = 40;
/** What a word may stand for besides itself is looked through until so many places of it were: a limit on what one word costs. */
const PLACES_MAX = 100_000;
/** What is left of a match that is not to the letter. */
const WEIGHTS = { exact: 1, stem: 0.8, prefix: 0.85, slips: [1, 0.7, 0.45] } as const;

/** Where a word stands: pairs of a slot and how often in each of its fields, in the order of the slots. */
interface Postings {
  pairs: Uint32Array;
  length: number;
  /** How many of the slots are of living documents. */
  documents: number;
}

const NO_WORDS = new Uint32Array(0);

interface Alternative {
  readonly postings: Postings;
  readonly weight: number;
}

interface AskedWord {
  readonly alternatives: readonly Alternative[];
  readonly correction: string | undefined;
  /** What it counts for where it is there to the letter. */
  readonly worth: number;
}

/** Numbers by slot that one search adds up; whoever is done leaves zeros where it had been. */
function createSums() {
  const sums = {
    scores: new Float64Array(0),
    covered: new Float64Array(0),
    best: new Float64Array(0),
    bestShare: new Float64Array(0),
    counts: new Uint8Array(0),
    /** Slots that have a count, and those that the word at hand has. */
    touched: new Uint32Array(0),
    touchedNow: new Uint32Array(0),
    touchedCount: 0,
    makeRoom(slots: number): void {
      sums.touchedCount = 0;
      if (sums.scores.length >= slots) return;
      const room = Math.ceil(slots * 1.25);
      for (const name of ["scores", "covered", "best", "bestShare"] as const) sums[name] = new Float64Array(room);
      for (const name of ["touched", "touchedNow"] as const) sums[name] = new Uint32Array(room);
      sums.counts = new Uint8Array(room);
    },
  };
  return sums;
}

export function createTextIndex({ fields, k1 }: IndexOptions): TextIndex {
  if (fields.length > FIELDS_MAX) throw new RangeError(`an index has at most ${FIELDS_MAX} fields`);
  const words = createVocabulary();
  /** The numbers of the words that have a stem in common. */
  const forms = new Map<string, number[]>();
  /** By the number of the word. */
  const postings: Postings[] = [];
  const ids: (string | undefined)[] = [];
  /** The words of each document, each once, with how often they stand in its fields. */
  const contents: Uint32Array[] = [];
  const slotsById = new Map<string, number>();
  /** Of each field of each slot. */
  let lengths = new Uint16Array(0);
  const totals: number[] = fields.map(() => 0);
  const sums = createSums();

  function postingsOf(number: number): Postings {
    const known = postings[number];
    if (known) return known;
    const stem = stemOf(words.term(number));
    const alike = forms.get(stem);
    if (alike) alike.push(number);
    else forms.set(stem, [number]);
    return (postings[number] = { pairs: new Uint32Array(0), length: 0, documents: 0 });
  }

  function put(id: string, texts: readonly (readonly string[])[]): number {
    remove(id);
    const slot = ids.length;
    const times = new Map<number, number>();
    if (lengths.length < (slot + 1) * fields.length) {
      const larger = new Uint16Array(Math.ceil((slot + 1) * fields.length * 1.5));
      larger.set(lengths);
      lengths = larger;
    }
    for (const [field, text] of texts.entries()) {
      for (const word of text) {
        const number = words.add(word);
        const before = times.get(number) ?? 0;
        if (timesIn(before, field) < TIMES_MAX) times.set(number, before + 2 ** (field * BITS));
      }
      const length = Math.min(text.length, LENGTH_MAX);
      lengths[slot * fields.length + field] = length;
      totals[field] = (totals[field] ?? 0) + length;
    }
    for (const [number, packed] of times) {
      const where = postingsOf(number);
      if (where.length + 2 > where.pairs.length) where.pairs = grown(where.pairs);
      where.pairs[where.length] = slot;
      where.pairs[where.length + 1] = packed;
      where.length += 2;
      where.documents += 1;
    }
    ids.push(id);
    contents.push(Uint32Array.from([...times].flat()));
    slotsById.set(id, slot);
    return slot;
  }

  function remove(id: string): void {
    const slot = slotsById.get(id);
    if (slot === undefined) return;
    const content = contents[slot] ?? NO_WORDS;
    for (let at = 0; at < content.length; at += 2) postingsOf(content[at] ?? 0).documents -= 1;
    for (const field of fields.keys())
      totals[field] = (totals[field] ?? 0) - (lengths[slot * fields.length + field] ?? 0);
    ids[slot] = undefined;
    contents[slot] = NO_WORDS;
    slotsById.delete(id);
  }

  const idfOf = (documents: number): number => Math.log(1 + (slotsById.size - documents + 0.5) / (documents + 0.5));

  /** What a word may stand for. Nearer ones shut out those that are further away: who writes `love` does not mean `glove`. */
  function alternativesOf(word: string, { isPrefix, isForgiving }: { isPrefix: boolean; isForgiving: boolean }) {
    /** By the number of the word: nothing is looked through twice. */
    const weights = new Map<number, number>();
    const take = (number: number, weight: number): void => {
      if ((postings[number]?.documents ?? 0) > 0 && weight > (weights.get(number) ?? 0)) weights.set(number, weight);
    };
    const exact = words.find(word);
    take(exact, WEIGHTS.exact);
    const isThere = weights.size > 0;
    for (const number of forms.get(stemOf(word)) ?? []) take(number, WEIGHTS.stem);
    if (isPrefix)
      for (const number of words.beginningWith(word, prefixesMax(word.length))) take(number, WEIGHTS.prefix);
    let correction: string | undefined;
    if (isForgiving) {
      const near = words
        .near(word, slipsMax(word.length))
        .filter(({ number }) => (postings[number]?.documents ?? 0) > 0)
        .sort(
          (a, b) => a.slips - b.slips || (postings[b.number]?.documents ?? 0) - (postings[a.number]?.documents ?? 0),
        )
        .slice(0, NEAR_MAX);
      for (const { number, slips } of near) take(number, WEIGHTS.slips[slips] ?? 0);
      if (!isThere && near[0]) correction = words.term(near[0].number);
    }
    return { alternatives: affordable(weights), correction };
  }

  /** The nearest of what a word may stand for, within the limit; itself always. */
  function affordable(weights: ReadonlyMap<number, number>): Alternative[] {
    let places = 0;
    return [...weights]
      .sort(([, a], [, b]) => b - a)
      .flatMap(([number, weight]): Alternative[] => {
        const where = postings[number];
        if (!where) return [];
        const cost = weight < WEIGHTS.exact ? where.length / 2 : 0;
        if (places + cost > PLACES_MAX) return [];
        places += cost;
        return [{ postings: where, weight }];
      });
  }

  /** What a word adds to a field's frequency for each time that it is there, by the length of the field's text. */
  function shares(): Float64Array {
    const each = new Float64Array(fields.length * (LENGTH_MAX + 1));
    for (const [field, { weight, b }] of fields.entries()) {
      const average = (totals[field] ?? 0) / Math.max(1, slotsById.size);
      const slope = average > 0 ? b / average : 0;
      for (let length = 0; length <= LENGTH_MAX; length += 1)
        each[field * (LENGTH_MAX + 1) + length] = weight / (1 - b + slope * length);
    }
    return each;
  }

  /** Adds the best of a word's alternatives to each document; only to those that were seen before where no others are wanted any more. */
  function addWord({ alternatives, worth }: AskedWord, isClosed: boolean, each: Float64Array): void {
    const { scores, covered, best, bestShare, counts, touched, touchedNow } = sums;
    const hasGaps = ids.length > slotsById.size;
    let now = 0;
    for (const { postings: where, weight } of alternatives) {
      const factor = weight * idfOf(where.documents);
      const { pairs, length } = where;
      for (let place = 0; place < length; place += 2) {
        const slot = pairs[place] ?? 0;
        if ((isClosed && counts[slot] === 0) || (hasGaps && ids[slot] === undefined)) continue;
        let frequency = 0;
        let at = slot * fields.length;
        for (let row = 0, packed = pairs[place + 1] ?? 0; packed !== 0; row += LENGTH_MAX + 1, packed >>>= BITS) {
          const count = packed & TIMES_MAX;
          if (count !== 0) frequency += count * (each[row + (lengths[at] ?? 0)] ?? 0);
          at += 1;
        }
        const score = (factor * frequency) / (k1 + frequency);
        if (best[slot] === 0) touchedNow[now++] = slot;
        if (score > (best[slot] ?? 0)) best[slot] = score;
        if (weight > (bestShare[slot] ?? 0)) bestShare[slot] = weight;
      }
    }
    for (let place = 0; place < now; place += 1) {
      const slot = touchedNow[place] ?? 0;
      if (counts[slot] === 0) touched[sums.touchedCount++] = slot;
      scores[slot] = (scores[slot] ?? 0) + (best[slot] ?? 0);
      covered[slot] = (covered[slot] ?? 0) + worth * (bestShare[slot] ?? 0);
      counts[slot] = (counts[slot] ?? 0) + 1;
      best[slot] = 0;
      bestShare[slot] = 0;
    }
  }

  /** Takes what was added up, and leaves zeros. */
  function takeSums(wanted: number): Omit<Found, "corrections"> {
    const slots = sums.touched.slice(0, sums.touchedCount);
    const [scores, coverages] = [new Float64Array(slots.length), new Float64Array(slots.length)];
    const counts = new Uint8Array(slots.length);
    for (let place = 0; place < slots.length; place += 1) {
      const slot = slots[place] ?? 0;
      scores[place] = sums.scores[slot] ?? 0;
      coverages[place] = wanted > 0 ? (sums.covered[slot] ?? 0) / wanted : 0;
      counts[place] = sums.counts[slot] ?? 0;
      sums.scores[slot] = 0;
      sums.covered[slot] = 0;
      sums.counts[slot] = 0;
    }
    return { slots, scores, coverages, words: counts };
  }

  function find(asked: readonly string[], options: FindOptions): Found {
    const { isTyping, isForgiving, coverageMin = 0, wordsMin = 1 } = options;
    sums.makeRoom(ids.length);
    const all = asked.map((word, index): AskedWord => {
      const isPrefix = isTyping && index === asked.length - 1;
      const { alternatives, correction } = alternativesOf(word, { isPrefix, isForgiving });
      // A word is worth what it is to the letter; one that nobody wrote, what the commonest that it may stand for is, or as much as can be.
      const exact = postings[words.find(word)]?.documents ?? 0;
      const documents = exact > 0 ? exact : Math.max(0, ...alternatives.map((each) => each.postings.documents));
      return { alternatives, correction, worth: idfOf(documents) };
    });
    const wanted = all.reduce((sum, { worth }) => sum + worth, 0);
    // The rarest first: who has none of them cannot have enough by the common ones, which most documents have.
    const each = shares();
    let left = wanted;
    for (const [place, word] of all.toSorted((a, b) => b.worth - a.worth).entries()) {
      addWord(word, left < coverageMin * wanted || all.length - place < wordsMin, each);
      left -= word.worth;
    }
    return { ...takeSums(wanted), corrections: all.map(({ correction }) => correction) };
  }

  return {
    put,
    delete: remove,
    find,
    slotOf: (id) => slotsById.get(id),
    idOf: (slot) => ids[slot] ?? "",
    wordsAt: (slot) => contents[slot] ?? NO_WORDS,
    wordAt: words.term,
    lengthOf: (slot, field) => lengths[slot * fields.length + field] ?? 0,
    frequencyOf: (word) => postings[words.find(word)]?.documents ?? 0,
    get size() {
      return slotsById.size;
    },
    get slots() {
      return ids.length;
    },
  };
}

import { slipsMax, stemOf } from "./domain-words.ts";
import { createVocabulary } from "./domain-vocabulary.ts";

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
}

export interface Found {
  readonly hits: readonly Hit[];
  /** What each word was taken for where it is not there as it was written: the commonest of the nearest. */
  readonly corrections: readonly (string | undefined)[];
}

export interface Hit {
  readonly slot: number;
  readonly score: number;
  /** 0 to 1: how much of what was asked for is there, rare words counting more. */
  readonly coverage: number;
  /** How many of the words that were asked for are there. */
  readonly words: number;
}

/** Four bits for how often a word stands in each field. */
const BITS = 4;
const FIELDS_MAX = 8;
const TIMES_MAX = 15;
/** So many words may stand for a beginning of so many letters: what one or two letters begin is nearly everything. */
const prefixesMax = (length: number): number => (length < 3 ? 20 : 100);
const NEAR_MAX = 40;
/** What is left of a match that is not to the letter. */
const WEIGHTS = { exact: 1, stem: 0.8, prefix: 0.85, slips: [1, 0.7, 0.45] } as const;

interface Postings {
  slots: number[];
  /** How often, in each field. */
  times: number[];
  /** How many of the slots are of living documents. */
  documents: number;
}

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

export function createTextIndex({ fields, k1 }: IndexOptions): TextIndex {
  if (fields.length > FIELDS_MAX) throw new RangeError(`an index has at most ${FIELDS_MAX} fields`);
  const words = createVocabulary();
  const stems = new Map<string, Postings>();
  /** By the number of the word. */
  const stemsOfWords: Postings[] = [];
  const postings: Postings[] = [];
  const ids: (string | undefined)[] = [];
  /** The words of each document, each once. */
  const contents: Uint32Array[] = [];
  const slotsById = new Map<string, number>();
  const lengths: number[][] = fields.map(() => []);
  const totals: number[] = fields.map(() => 0);
  let scores = new Float64Array(0);
  let covered = new Float64Array(0);
  let best = new Float64Array(0);
  let bestShare = new Float64Array(0);
  let counts = new Uint8Array(0);

  const postingsOf = (number: number): Postings => (postings[number] ??= { slots: [], times: [], documents: 0 });
  function stemPostingsOf(number: number): Postings {
    const known = stemsOfWords[number];
    if (known) return known;
    const stem = stemOf(words.term(number));
    const where = stems.get(stem) ?? { slots: [], times: [], documents: 0 };
    stems.set(stem, where);
    stemsOfWords[number] = where;
    return where;
  }

  function put(id: string, texts: readonly (readonly string[])[]): number {
    remove(id);
    const slot = ids.length;
    const times = new Map<Postings, number>();
    const numbers = new Set<number>();
    const count = (where: Postings, field: number): void => {
      const before = times.get(where) ?? 0;
      if (((before >>> (field * BITS)) & TIMES_MAX) < TIMES_MAX) times.set(where, before + 2 ** (field * BITS));
    };
    for (const [field, text] of texts.entries()) {
      for (const word of text) {
        const number = words.add(word);
        numbers.add(number);
        count(postingsOf(number), field);
        count(stemPostingsOf(number), field);
      }
      lengths[field]?.push(text.length);
      totals[field] = (totals[field] ?? 0) + text.length;
    }
    for (const [where, packed] of times) {
      where.slots.push(slot);
      where.times.push(packed);
      where.documents += 1;
    }
    ids.push(id);
    contents.push(Uint32Array.from(numbers));
    slotsById.set(id, slot);
    return slot;
  }

  function remove(id: string): void {
    const slot = slotsById.get(id);
    if (slot === undefined) return;
    const left = new Set<Postings>();
    for (const number of contents[slot] ?? []) left.add(postingsOf(number)).add(stemPostingsOf(number));
    for (const where of left) where.documents -= 1;
    for (const field of fields.keys()) totals[field] = (totals[field] ?? 0) - (lengths[field]?.[slot] ?? 0);
    ids[slot] = undefined;
    contents[slot] = new Uint32Array(0);
    slotsById.delete(id);
  }

  const idfOf = (documents: number): number => Math.log(1 + (slotsById.size - documents + 0.5) / (documents + 0.5));

  /** What a word may stand for. Nearer ones shut out those that are further away: who writes `love` does not mean `glove`. */
  function alternativesOf(word: string, { isPrefix, isForgiving }: { isPrefix: boolean; isForgiving: boolean }) {
    const found: Alternative[] = [];
    const take = (where: Postings | undefined, weight: number): void => {
      if (where && where.documents > 0) found.push({ postings: where, weight });
    };
    const exact = words.find(word);
    if (exact >= 0) take(postings[exact], WEIGHTS.exact);
    const isThere = found.length > 0;
    const stem = stems.get(stemOf(word));
    // A stem that stands in no other document than its word says nothing more.
    if (stem && stem.documents !== postings[exact]?.documents) take(stem, WEIGHTS.stem);
    if (isPrefix)
      for (const number of words.beginningWith(word, prefixesMax(word.length))) take(postings[number], WEIGHTS.prefix);
    let correction: string | undefined;
    if (isForgiving) {
      const near = words
        .near(word, slipsMax(word.length))
        .filter(({ number }) => (postings[number]?.documents ?? 0) > 0)
        .sort(
          (a, b) => a.slips - b.slips || (postings[b.number]?.documents ?? 0) - (postings[a.number]?.documents ?? 0),
        )
        .slice(0, NEAR_MAX);
      for (const { number, slips } of near) take(postings[number], WEIGHTS.slips[slips] ?? 0);
      if (!isThere && near[0]) correction = words.term(near[0].number);
    }
    return { alternatives: found, correction };
  }

  function clear(): void {
    if (scores.length < ids.length) {
      const room = Math.ceil(ids.length * 1.25);
      [scores, covered] = [new Float64Array(room), new Float64Array(room)];
      [best, bestShare] = [new Float64Array(room), new Float64Array(room)];
      counts = new Uint8Array(room);
    }
    for (const each of [scores, covered, counts]) each.fill(0);
  }

  /** Adds the best of a word's alternatives to each document; only to those that were seen before where no others are wanted any more. */
  function addWord({ alternatives, worth }: AskedWord, isClosed: boolean): void {
    const norms = fields.map(({ b }, field) => {
      const average = (totals[field] ?? 0) / Math.max(1, slotsById.size);
      return { base: 1 - b, slope: average > 0 ? b / average : 0 };
    });
    const touched: number[] = [];
    for (const { postings: where, weight } of alternatives) {
      const idf = idfOf(where.documents);
      const { slots, times } = where;
      for (let place = 0; place < slots.length; place += 1) {
        const slot = slots[place] ?? 0;
        if ((isClosed && counts[slot] === 0) || ids[slot] === undefined) continue;
        let frequency = 0;
        for (let field = 0, packed = times[place] ?? 0; packed !== 0; field += 1, packed >>>= BITS) {
          const count = packed & TIMES_MAX;
          if (count === 0) continue;
          const { base, slope } = norms[field] ?? { base: 1, slope: 0 };
          frequency += ((fields[field]?.weight ?? 0) * count) / (base + slope * (lengths[field]?.[slot] ?? 0));
        }
        const score = (weight * idf * frequency) / (k1 + frequency);
        if (best[slot] === 0) touched.push(slot);
        if (score > (best[slot] ?? 0)) best[slot] = score;
        if (weight > (bestShare[slot] ?? 0)) bestShare[slot] = weight;
      }
    }
    for (const slot of touched) {
      scores[slot] = (scores[slot] ?? 0) + (best[slot] ?? 0);
      covered[slot] = (covered[slot] ?? 0) + worth * (bestShare[slot] ?? 0);
      counts[slot] = (counts[slot] ?? 0) + 1;
      best[slot] = 0;
      bestShare[slot] = 0;
    }
  }

  function find(asked: readonly string[], { isTyping, isForgiving, coverageMin = 0 }: FindOptions): Found {
    clear();
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
    let left = wanted;
    for (const word of all.toSorted((a, b) => b.worth - a.worth)) {
      addWord(word, left < coverageMin * wanted);
      left -= word.worth;
    }
    const corrections = all.map(({ correction }) => correction);
    const hits: Hit[] = [];
    for (let slot = 0; slot < ids.length; slot += 1) {
      const count = counts[slot] ?? 0;
      if (count === 0) continue;
      const coverage = wanted > 0 ? (covered[slot] ?? 0) / wanted : 0;
      hits.push({ slot, score: scores[slot] ?? 0, coverage, words: count });
    }
    return { hits, corrections };
  }

  return {
    put,
    delete: remove,
    find,
    slotOf: (id) => slotsById.get(id),
    idOf: (slot) => ids[slot] ?? "",
    lengthOf: (slot, field) => lengths[field]?.[slot] ?? 0,
    frequencyOf: (word) => postings[words.find(word)]?.documents ?? 0,
    get size() {
      return slotsById.size;
    },
    get slots() {
      return ids.length;
    },
  };
}

import { seededRandom } from "#learning/random";
import { type SparseMatrix, truncatedSvd } from "#learning/svd";
import { FIELDS_MAX, type TextIndex, timesIn } from "./domain-index.ts";
import { createNumbers } from "./domain-numbers.ts";
import { stemOf } from "./domain-words.ts";

/**
 * What titles are about, beyond the words that they say it with: latent semantic analysis (Deerwester and others, "Indexing by latent semantic
 * analysis", JASIS 1990). Words that stand beside the same words come to lie near each other, so that `space` finds what speaks of astronauts. A model
 * is learnt from a sample of the catalogue elsewhere; titles and questions are folded into it by the words that they have.
 */
export interface Meaning {
  /** What a model is learnt from, a few titles at each step; undefined where there are too few titles to learn from. */
  lesson(): Generator<void, Lesson | undefined>;
  /** Takes a model in, a few titles at each step; what was known before holds until the last. */
  learn(model: MeaningModel): Generator<void, void>;
  /** Folds a title in that is new. */
  put(slot: number): void;
  /** How near titles are to words, -1 to 1; undefined where no model is there, or none of the words is in it. */
  nearWords(words: readonly string[], slots: Uint32Array): Float64Array | undefined;
  /** How near titles are to a title. */
  nearTitle(slot: number, slots: Uint32Array): Float64Array | undefined;
  /** Titles that the model was learnt from, or would have been: 0 without one. */
  readonly learntOf: number;
}

export interface Lesson {
  readonly titles: number;
  readonly matrix: SparseMatrix;
  /** By the columns of the matrix: stems of words, and parts of names (`NAME`). */
  readonly stems: readonly string[];
  readonly idf: Float32Array;
}

export interface MeaningModel extends Pick<Lesson, "titles" | "stems" | "idf"> {
  readonly rank: number;
  /** A row of `rank` numbers for each stem. */
  readonly right: Float32Array;
}

/** With fewer titles words are beside each other by chance. */
const TITLES_MIN = 200;
/** A model is learnt from no more: it is as good, and made in seconds. */
const SAMPLE_MAX = 10_000;
const STEMS_MAX = 24_000;
const FREQUENCY_MIN = 2;
const SHARE_MAX = 0.2;
/** How many numbers say what a word means: fewer than there are titles and words by so much, or each would have a meaning of its own. */
const RANK_MAX = 128;
const TITLES_FOR_EACH = 8;
const STEMS_FOR_EACH = 4;
const ITERATIONS = 1;
/** The same catalogue always comes to the same. */
const SEED = 25;
/** A step is a few milliseconds, so that answers find their way between two. */
const TITLES_AT_ONCE = 200;
const BYTE_MAX = 127;
/** Before the parts of names, which mean nobody's trade: `Baker` bakes nothing. */
const NAME = "@";

interface Vectors {
  readonly model: MeaningModel;
  readonly columnOf: ReadonlyMap<string, number>;
  /** By the numbers of words: their columns as words of texts and of names, -1 where they have none. */
  readonly columns: number[];
  readonly columnsOfNames: number[];
  /** A row of `rank` bytes for each slot: 128 of them say which way it points as well as numbers eight times as long. */
  bytes: Int8Array;
  norms: Float32Array;
  folded: number;
}

export interface MeaningOptions {
  /** Fields of the index that hold names. */
  readonly names: readonly number[];
  /** A model that holds before the first lesson. */
  readonly model?: MeaningModel | undefined;
}

/** What a title says, and how loudly: a word that stands there twice says more than once, and less than twice as much. */
function* saidAt(
  index: TextIndex,
  slot: number,
  names: readonly number[],
): Generator<readonly [number, boolean, number]> {
  const content = index.wordsAt(slot);
  for (let at = 0; at < content.length; at += 2) {
    let [inTexts, inNames] = [0, 0];
    for (let field = 0, packed = content[at + 1] ?? 0; field < FIELDS_MAX; field += 1)
      if (names.includes(field)) inNames += timesIn(packed, field);
      else inTexts += timesIn(packed, field);
    if (inTexts > 0) yield [content[at] ?? 0, false, 1 + Math.log(inTexts)];
    if (inNames > 0) yield [content[at] ?? 0, true, 1 + Math.log(inNames)];
  }
}

const unfolded = (model: MeaningModel, slots: number): Vectors => ({
  ...{ model, columnOf: new Map(model.stems.map((stem, column) => [stem, column])), columns: [], columnsOfNames: [] },
  ...{ bytes: new Int8Array(slots * model.rank), norms: new Float32Array(slots), folded: 0 },
});

export function createMeaning(index: TextIndex, { names, model: known }: MeaningOptions): Meaning {
  let current = known && unfolded(known, 0);

  function columnOf(vectors: Vectors, number: number, isName: boolean): number {
    const columns = isName ? vectors.columnsOfNames : vectors.columns;
    const word = index.wordAt(number);
    return (columns[number] ??= vectors.columnOf.get(isName ? NAME + word : stemOf(word)) ?? -1);
  }

  function addColumn({ model: { rank, right, idf } }: Vectors, column: number, times: number, to: Float64Array): void {
    const weight = times * (idf[column] ?? 0);
    for (let k = 0; k < rank; k += 1) to[k] = (to[k] ?? 0) + weight * (right[column * rank + k] ?? 0);
  }

  function fold(vectors: Vectors, slot: number): void {
    const { rank } = vectors.model;
    if (vectors.norms.length <= slot) {
      const room = Math.ceil((slot + 1) * 1.25);
      const [bytes, norms] = [new Int8Array(room * rank), new Float32Array(room)];
      bytes.set(vectors.bytes);
      norms.set(vectors.norms);
      Object.assign(vectors, { bytes, norms });
    }
    const sum = new Float64Array(rank);
    for (const [number, isName, times] of saidAt(index, slot, names)) {
      const column = columnOf(vectors, number, isName);
      if (column >= 0) addColumn(vectors, column, times, sum);
    }
    const largest = sum.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    let square = 0;
    for (let k = 0; k < rank; k += 1) {
      const byte = largest > 0 ? Math.round(((sum[k] ?? 0) / largest) * BYTE_MAX) : 0;
      vectors.bytes[slot * rank + k] = byte;
      square += byte * byte;
    }
    vectors.norms[slot] = Math.sqrt(square);
  }

  function near({ model: { rank }, bytes, norms }: Vectors, to: Float64Array, slots: Uint32Array): Float64Array {
    const length = Math.sqrt(to.reduce((sum, value) => sum + value * value, 0)) || 1;
    const cosines = new Float64Array(slots.length);
    for (let place = 0; place < slots.length; place += 1) {
      const slot = slots[place] ?? 0;
      let sum = 0;
      for (let k = 0, at = slot * rank; k < rank; k += 1, at += 1) sum += (to[k] ?? 0) * (bytes[at] ?? 0);
      cosines[place] = sum / (length * (norms[slot] || 1));
    }
    return cosines;
  }

  return {
    get learntOf() {
      return current?.model.titles ?? 0;
    },
    lesson: () => lessonOf(index, names),
    *learn(model) {
      const vectors = unfolded(model, index.slots);
      for (; vectors.folded < index.slots; vectors.folded += 1) {
        fold(vectors, vectors.folded);
        if (vectors.folded % TITLES_AT_ONCE === 0) yield;
      }
      current = vectors;
    },
    put(slot) {
      if (current) fold(current, slot);
    },
    nearWords(words, slots) {
      if (!current) return undefined;
      const sum = new Float64Array(current.model.rank);
      const columns = words
        .flatMap((word) => [stemOf(word), NAME + word])
        .flatMap((stem) => current?.columnOf.get(stem) ?? []);
      for (const column of columns) addColumn(current, column, 1, sum);
      return columns.length > 0 ? near(current, sum, slots) : undefined;
    },
    nearTitle(slot, slots) {
      if (!current) return undefined;
      const { rank } = current.model;
      return near(current, Float64Array.from(current.bytes.subarray(slot * rank, (slot + 1) * rank)), slots);
    },
  };
}

/** Learns from a lesson: seconds of work, for a thread that answers nobody. */
export function modelOf({ titles, matrix, stems, idf }: Lesson): MeaningModel {
  const wanted = Math.floor(
    Math.min(RANK_MAX, (matrix.starts.length - 1) / TITLES_FOR_EACH, stems.length / STEMS_FOR_EACH),
  );
  const { rank, right } = truncatedSvd(matrix, {
    rank: Math.max(1, wanted),
    iterations: ITERATIONS,
    random: seededRandom(SEED),
  });
  return { titles, stems, idf, rank, right: Float32Array.from(right) };
}

/** Takes all steps at once, where nobody waits. */
export function allStepsOf<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The words of a sample of titles as a matrix: a row for each, as long as one, a word weighing the more the fewer have it. */
function* lessonOf(index: TextIndex, names: readonly number[]): Generator<void, Lesson | undefined> {
  if (index.size < TITLES_MIN) return undefined;
  const step = Math.max(1, Math.ceil(index.slots / SAMPLE_MAX));
  const stemsOfWords: string[] = [];
  const sample: ReadonlyMap<string, number>[] = [];
  const frequencies = new Map<string, number>();
  for (let slot = 0; slot < index.slots; slot += step) {
    if (sample.length % TITLES_AT_ONCE === 0) yield;
    if (index.idOf(slot) === "") continue;
    const said = new Map<string, number>();
    for (const [number, isName, times] of saidAt(index, slot, names)) {
      const word = index.wordAt(number);
      const stem = isName ? NAME + word : (stemsOfWords[number] ??= stemOf(word));
      said.set(stem, Math.max(said.get(stem) ?? 0, times));
    }
    sample.push(said);
    for (const stem of said.keys()) frequencies.set(stem, (frequencies.get(stem) ?? 0) + 1);
  }
  const kept = [...frequencies]
    .filter(([, count]) => count >= FREQUENCY_MIN && count <= SHARE_MAX * sample.length)
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .slice(0, STEMS_MAX);
  if (kept.length === 0) return undefined;
  const stems = kept.map(([stem]) => stem);
  const idf = Float32Array.from(kept, ([, count]) => Math.log(sample.length / count));
  return { titles: index.size, matrix: yield* matrixOf(sample, stems, idf), stems, idf };
}

/** A row for each title, as long as one. */
function* matrixOf(
  sample: readonly ReadonlyMap<string, number>[],
  stems: readonly string[],
  idf: Float32Array,
): Generator<void, SparseMatrix> {
  const columnOf = new Map(stems.map((stem, column) => [stem, column]));
  const [starts, columns] = [new Uint32Array(sample.length + 1), createNumbers()];
  const values: number[] = [];
  for (const [row, said] of sample.entries()) {
    if (row % TITLES_AT_ONCE === 0) yield;
    const own = [...said].flatMap(([stem, times]) => {
      const column = columnOf.get(stem);
      return column === undefined ? [] : [{ column, weight: times * (idf[column] ?? 0) }];
    });
    const length = Math.sqrt(own.reduce((sum, { weight }) => sum + weight ** 2, 0)) || 1;
    for (const { column, weight } of own) {
      columns.push(column);
      values.push(weight / length);
    }
    starts[row + 1] = columns.length;
  }
  const width = stems.length;
  return { width, starts, columns: columns.values.slice(0, columns.length), values: Float32Array.from(values) };
}

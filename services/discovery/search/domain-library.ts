import { topK } from "#learning/ranking";
import type { Facets } from "./domain-columns.ts";
import { fusedOrder } from "./domain-fusion.ts";
import type { Lesson, MeaningModel } from "./domain-meaning.ts";
import { correctedBy, COVERED, createShelves, fieldsOf, type Match, match, type Ranked } from "./domain-shelves.ts";
import type { Entry, Filters, Sight } from "./domain-title.ts";
import { wordsOf } from "./domain-words.ts";

/** All that one tenant has to be found: titles, by their words and as a whole, and the people in them. */
export interface Library {
  put(entry: Entry): void;
  delete(id: string): void;
  find(asked: Asked, sight: Sight): FoundTitles;
  people(text: string, sight: Sight, limit: number): FoundPerson[];
  suggest(text: string, sight: Sight, limit: number): Suggestion[];
  /** Somebody of that name, as they are written. */
  personNamed(name: string): string | undefined;
  /** Somebody whose name is nearly so. */
  personNear(name: string): string | undefined;
  /** Whom a family name alone means: who is in more titles than all others of that name together, and in most of those that have the word. */
  personCalled(familyName: string): string | undefined;
  /** The title that is called so, as it is written. */
  titleNamed(title: string): string | undefined;
  /** Whether a word is there as it is written. */
  isWord(word: string): boolean;
  /** Whether a title is called so, or begins so. */
  isTitle(text: string): boolean;
  /** Whether these are nearly a title's name, or all of them are in the name of the title that fits best, in whatever order. */
  isOfTitle(text: string): boolean;
  /** What a model of what words mean is learnt from, how it is taken in, and of how many titles the last one was made. */
  lesson(): Generator<void, Lesson | undefined>;
  learn(model: MeaningModel): Generator<void, void>;
  readonly learntOf: number;
  readonly size: number;
}

export interface Asked {
  readonly text: string;
  /** The last word may not be finished. */
  readonly isTyping: boolean;
  /** Nobody types any more: what the words mean counts, where they are no name. */
  readonly isFinished: boolean;
  /** The title that others should be like; empty: none. */
  readonly like: string;
  readonly filters: Filters;
  /** Everybody of these is in it, and nobody of those. */
  readonly people: readonly string[];
  readonly withoutPeople: readonly string[];
  /** None of these words is in it. */
  readonly withoutText: string;
  readonly offset: number;
  readonly limit: number;
  /** Whether facets are wanted. */
  readonly isCounted: boolean;
}

export interface FoundTitles {
  readonly ids: readonly string[];
  /** Of each: how well it has the words, and how near it is in meaning; NaN where that was not asked or looked at. */
  readonly marks: readonly Marks[];
  /** So many of the first are called as the words say: they stay where they are, whoever puts others in order. */
  readonly pinned: number;
  readonly total: number;
  readonly facets: Facets;
  /** What the text was taken for, where nothing is written as it was asked for; empty otherwise. */
  readonly corrected: string;
}

export interface Marks {
  readonly score: number;
  readonly nearness: number;
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

/** What is so much worse than the best is no answer. */
const WORTH_MIN_OF_BEST = 0.12;
const WORDS_ASKED_MAX = 12;
/** So many of the best by their words are put in order by what they mean, too. */
const FUSED_MAX = 100;
/** What is less near than this, or than so much of the nearest, is not like a title. */
const LIKENESS_MIN = 0.2;
const LIKENESS_MIN_OF_BEST = 0.5;
const PEOPLE_LOOKED_AT = 200;
const PEOPLE_SUGGESTED = 3;
/** The index is made anew when so many slots are empty, and more than are not. */
const EMPTY_SLOTS_MIN = 1_000;

/** Words and nothing else. */
export const PLAIN: Omit<Asked, "text" | "limit"> = {
  ...{ isTyping: true, isFinished: false, like: "", filters: {}, people: [], withoutPeople: [], withoutText: "" },
  ...{ offset: 0, isCounted: true },
};

const NOTHING: Ranked = {
  ...{ slots: new Uint32Array(0), scores: new Float64Array(0), worths: new Float64Array(0), length: 0 },
};
const NO_FACETS: Facets = { genres: [], kinds: [], decades: [], languages: [] };

interface Shown extends Marks {
  readonly slot: number;
}

interface Kept extends Pick<Ranked, "slots" | "scores"> {
  /** How many are meant as a whole, by their own name or somebody's: they score more than all others. */
  readonly meant: number;
}

export function createLibrary(): Library {
  let shelves = createShelves();
  let model: MeaningModel | undefined;

  /** Without words all titles are as good, the newest first; of somebody, their own. */
  function withoutWords([name]: readonly string[]): Ranked {
    const { people, bySlot, columns } = shelves;
    const all = name === undefined ? bySlot.keys() : (people.named(name)?.slots ?? []);
    const slots = Uint32Array.from([...all].filter((slot) => bySlot[slot] !== undefined));
    const scores = Float64Array.from(slots, (slot) => columns.yearOf(slot));
    return { slots, scores, worths: new Float64Array(slots.length), length: slots.length };
  }

  /** Only what is not there as it was written is taken for a slip of the pen. */
  function matchOf(words: readonly string[], isTyping: boolean): Match {
    const strict = match(shelves, words, isTyping, false);
    const isThere = strict.coverage >= COVERED || [...strict.whole.values()].some(({ slips }) => slips === 0);
    return isThere ? strict : match(shelves, words, isTyping, true);
  }

  /** Whether a slot holds what was asked for besides its words, for one who may see it. */
  function fitting({ filters, people: names, withoutPeople, withoutText }: Asked, sight: Sight) {
    const { index, people, columns } = shelves;
    const slotsOf = (name: string): ReadonlySet<number> => new Set(people.named(name)?.slots);
    const fits = columns.fitting(filters, sight);
    const wanted = names.map(slotsOf);
    const unwanted = withoutPeople.map(slotsOf);
    if (withoutText !== "")
      unwanted.push(new Set(index.find(wordsOf(withoutText), { isTyping: false, isForgiving: false }).slots));
    if (wanted.length + unwanted.length === 0) return fits;
    return (slot: number): boolean =>
      fits(slot) && wanted.every((slots) => slots.has(slot)) && !unwanted.some((slots) => slots.has(slot));
  }

  /** Those that fit, without those that are so much worse than the best. */
  function kept({ slots, scores, worths, length }: Ranked, fits: (slot: number) => boolean): Kept {
    const fit = new Uint32Array(length);
    let [count, best] = [0, 0];
    for (let place = 0; place < length; place += 1) {
      if (!fits(slots[place] ?? 0)) continue;
      fit[count++] = place;
      const worth = worths[place] ?? 0;
      if (worth > best && Number.isFinite(worth)) best = worth;
    }
    const [keptSlots, keptScores] = [new Uint32Array(count), new Float64Array(count)];
    let [kept, meant] = [0, 0];
    for (let nth = 0; nth < count; nth += 1) {
      const place = fit[nth] ?? 0;
      const worth = worths[place] ?? 0;
      if (worth < best * WORTH_MIN_OF_BEST) continue;
      if (worth === Number.POSITIVE_INFINITY) meant += 1;
      keptSlots[kept] = slots[place] ?? 0;
      keptScores[kept] = scores[place] ?? 0;
      kept += 1;
    }
    return { meant, slots: keptSlots.subarray(0, kept), scores: keptScores.subarray(0, kept) };
  }

  /** The best by their score, the first of them also by what words mean, unless those are all in a title's name, or by the title to be like. */
  function inOrder(words: readonly string[], found: Kept, asked: Asked): Shown[] {
    const { slots, scores, meant } = found;
    const best = topK(scores, Math.max(asked.offset + asked.limit, FUSED_MAX)).map(
      (place): Shown => ({ slot: slots[place] ?? 0, score: scores[place] ?? Number.NaN, nearness: Number.NaN }),
    );
    const ofTitle = new Set(wordsOf(shelves.bySlot[best[0]?.slot ?? -1]?.title ?? ""));
    const isOfTitle = words.length > 1 && words.every((word) => ofTitle.has(word));
    // Somebody's own titles stay before all others.
    const fused = best.slice(0, meant > 0 ? Math.min(meant, FUSED_MAX) : FUSED_MAX);
    const first = Uint32Array.from(fused, ({ slot }) => slot);
    const like = shelves.whole.slotOf(asked.like);
    const nearness =
      like >= 0
        ? shelves.meaning.nearTitle(like, first)
        : words.length > 0 && !isOfTitle
          ? shelves.meaning.nearWords(words, first)
          : undefined;
    if (!nearness) return best;
    const near = fused.map((one, place) => ({ ...one, nearness: nearness[place] ?? Number.NaN }));
    return [...fusedOrder(nearness).flatMap((place) => near[place] ?? []), ...best.slice(first.length)];
  }

  /** Titles that are like one: by what both are about or, before that was learnt, by the words that both have. */
  function alike(title: string): Ranked {
    const { index, bySlot, whole, meaning } = shelves;
    const slot = whole.slotOf(title);
    const entry = bySlot[slot];
    if (!entry) return NOTHING;
    const slots = Uint32Array.from(bySlot.keys()).filter((each) => each !== slot && bySlot[each] !== undefined);
    const cosines = meaning.nearTitle(slot, slots);
    if (!cosines) {
      const rarest = [...new Set(fieldsOf(entry).flat())]
        .sort((a, b) => index.frequencyOf(a) - index.frequencyOf(b))
        .filter((word) => index.frequencyOf(word) > 1)
        .slice(0, WORDS_ASKED_MAX);
      const found = index.find(rarest, { isTyping: false, isForgiving: false });
      const scores = found.scores.map((score, place) => (found.slots[place] === slot ? 0 : score));
      return { slots: found.slots, scores, worths: scores, length: scores.length };
    }
    const least = Math.max(
      LIKENESS_MIN,
      LIKENESS_MIN_OF_BEST * cosines.reduce((most, value) => Math.max(most, value), 0),
    );
    const near = Uint32Array.from(cosines.keys()).filter((place) => (cosines[place] ?? 0) >= least);
    const scores = Float64Array.from(near, (place) => cosines[place] ?? 0);
    return { slots: near.map((place) => slots[place] ?? 0), scores, worths: scores, length: scores.length };
  }

  function find(asked: Asked, sight: Sight): FoundTitles {
    const { text, isFinished, offset, limit } = asked;
    const words = wordsOf(text).slice(0, WORDS_ASKED_MAX);
    // Whoever has finished with a word that there is does not mean what begins so.
    const isTyping = asked.isTyping && !(isFinished && shelves.index.frequencyOf(words.at(-1) ?? "") > 0);
    const matched = words.length > 0 ? matchOf(words, isTyping) : undefined;
    // Signs alone say nothing; nothing at all says everything.
    const others = asked.like !== "" ? alike(asked.like) : text.trim() === "" ? withoutWords(asked.people) : NOTHING;
    const fits = fitting(asked, sight);
    const found = kept(matched?.ranked ?? others, fits);
    const { slots } = found;
    // A title's own name means that title, and somebody with something else means what has both: their words say all of it.
    const isTitle = [...(matched?.whole.keys() ?? [])].some(fits);
    const isAbout =
      isFinished && !isTitle && matched !== undefined && (matched.named === 0 || matched.named >= COVERED);
    const shown = inOrder(isAbout ? words : [], found, asked).slice(0, offset + limit);
    const first = shown[0]?.slot ?? -1;
    const unlike = shown.findIndex(({ slot }) => !matched?.whole.get(slot)?.isWhole);
    return {
      ids: shown.slice(offset).map(({ slot }) => shelves.bySlot[slot]?.id ?? ""),
      marks: shown.slice(offset).map(({ score, nearness }) => ({ score: matched ? score : Number.NaN, nearness })),
      pinned: unlike < 0 ? shown.length : unlike,
      total: slots.length,
      facets: asked.isCounted ? shelves.columns.facetsOf(slots) : NO_FACETS,
      corrected: matched ? correctedBy(shelves.bySlot[first], first, words, matched) : "",
    };
  }

  function findPeople(text: string, sight: Sight, limit: number): FoundPerson[] {
    const words = wordsOf(text).slice(0, WORDS_ASKED_MAX);
    // `robot` is a word, and no slip of somebody called Root.
    const isForgiving = words.some((word) => shelves.index.frequencyOf(word) === 0);
    const found: FoundPerson[] = [];
    for (const { name, slots } of shelves.people.like(words, isForgiving, PEOPLE_LOOKED_AT)) {
      const titles = slots.reduce((count, slot) => count + (shelves.columns.isSeen(slot, sight) ? 1 : 0), 0);
      if (titles > 0 && found.push({ name, titles }) >= limit) break;
    }
    return found;
  }

  const titleOf = (id: string): string => shelves.bySlot[shelves.index.slotOf(id) ?? -1]?.title ?? "";

  return {
    put(entry) {
      shelves.delete(entry.id);
      shelves.put(entry);
      const { index, bySlot } = shelves;
      if (index.slots - index.size <= Math.max(EMPTY_SLOTS_MIN, index.size)) return;
      shelves = createShelves(model);
      for (const each of bySlot) if (each) shelves.put(each);
    },
    delete: (id) => shelves.delete(id),
    find,
    people: findPeople,
    suggest(text, sight, limit) {
      const { ids } = find({ ...PLAIN, text, limit, isCounted: false }, sight);
      const people = findPeople(text, sight, PEOPLE_SUGGESTED);
      const titles = ids.map((id): Suggestion => ({ kind: "title", text: titleOf(id), id }));
      const persons = people.map(({ name }): Suggestion => ({ kind: "person", text: name, id: "" }));
      // Two words of a name mean somebody; one alone may be anything.
      const isName = persons.length > 0 && wordsOf(text).length > 1 && !shelves.whole.begins(text);
      const room = Math.max(0, limit - persons.length);
      return (isName ? [...persons, ...titles] : [...titles.slice(0, room), ...persons]).slice(0, limit);
    },
    personNamed: (name) => shelves.people.named(name)?.name,
    personNear: (name) => shelves.people.near(name)?.name,
    personCalled(familyName) {
      const [first, ...others] = shelves.people
        .like(wordsOf(familyName), false, PEOPLE_LOOKED_AT)
        .filter(({ name }) => wordsOf(name).at(-1) === familyName)
        .sort((a, b) => b.slots.length - a.slots.length);
      const rest = others.reduce((sum, { slots }) => sum + slots.length, 0);
      // More titles speak of Berlin than Irving Berlin is in.
      const spoken = shelves.index.frequencyOf(familyName);
      return first && first.slots.length > rest && first.slots.length * 2 > spoken ? first.name : undefined;
    },
    titleNamed: (title) => shelves.bySlot[shelves.whole.slotOf(title)]?.title,
    isWord: (word) => shelves.index.frequencyOf(word) > 0,
    isTitle: (text) => shelves.whole.begins(text),
    isOfTitle(text) {
      const words = wordsOf(text).slice(0, WORDS_ASKED_MAX);
      const { ranked, whole } = matchOf(words, false);
      if ([...whole.values()].some(({ isWhole }) => isWhole)) return true;
      const { slots, scores, length } = ranked;
      const [best = -1] = topK(scores.subarray(0, length), 1);
      const name = new Set(wordsOf(shelves.bySlot[slots[best] ?? -1]?.title ?? ""));
      return words.length > 0 && words.every((word) => name.has(word));
    },
    lesson: () => shelves.meaning.lesson(),
    *learn(learnt) {
      model = learnt;
      yield* shelves.meaning.learn(learnt);
    },
    get learntOf() {
      return shelves.meaning.learntOf;
    },
    get size() {
      return shelves.index.size;
    },
  };
}

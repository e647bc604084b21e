import { createNumbers } from "./domain-numbers.ts";
import { genreOf } from "./domain-genres.ts";
import type { Entry, Filters, Sight } from "./domain-title.ts";

/**
 * What titles are besides their words, by slot and column by column, so that a hundred thousand of them are filtered and counted without looking at
 * each as a whole.
 */
export interface Columns {
  put(slot: number, entry: Entry): void;
  /** Whether a slot may be seen, and is what is wanted. */
  fitting(filters: Filters, sight: Sight): (slot: number) => boolean;
  isSeen(slot: number, sight: Sight): boolean;
  yearOf(slot: number): number;
  /** How many of these there are of each, the most frequent first. */
  facetsOf(slots: readonly number[] | Uint32Array): Facets;
}

interface Count {
  readonly value: string;
  readonly count: number;
}
const FACETS = ["genres", "kinds", "decades", "languages"] as const;
export type Facets = Readonly<Record<(typeof FACETS)[number], readonly Count[]>>;

const VALUES_MAX = 30;

/** Values of which a slot has any number, such as genres. Values have numbers, and the numbers of a slot stand side by side. */
function createTags() {
  const numbers = new Map<string, number>();
  const values: string[] = [];
  const pool = createNumbers();
  const starts: number[] = [];
  const ends: number[] = [];
  return {
    put(slot: number, own: readonly string[]): void {
      starts[slot] = pool.length;
      for (const value of new Set(own)) {
        const number = numbers.get(value) ?? values.push(value) - 1;
        numbers.set(value, number);
        pool.push(number);
      }
      ends[slot] = pool.length;
    },
    /** Whether a slot has any of these. */
    hasAny(wanted: readonly string[]): (slot: number) => boolean {
      const isWanted = new Uint8Array(values.length);
      for (const value of wanted) {
        const number = numbers.get(value);
        if (number !== undefined) isWanted[number] = 1;
      }
      const all = pool.values;
      return (slot) => {
        for (let at = starts[slot] ?? 0; at < (ends[slot] ?? 0); at += 1) if (isWanted[all[at] ?? 0] === 1) return true;
        return false;
      };
    },
    most(slots: readonly number[] | Uint32Array): Count[] {
      const counts = new Uint32Array(values.length);
      const all = pool.values;
      for (let place = 0; place < slots.length; place += 1) {
        const slot = slots[place] ?? 0;
        for (let at = starts[slot] ?? 0; at < (ends[slot] ?? 0); at += 1) {
          const number = all[at] ?? 0;
          counts[number] = (counts[number] ?? 0) + 1;
        }
      }
      return values
        .flatMap((value, number) => (counts[number] ? [{ value, count: counts[number] ?? 0 }] : []))
        .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
        .slice(0, VALUES_MAX);
    },
  };
}

/** Whether a number is known and within bounds. One that is not known fits none: nobody is told that something is short who does not know it. */
function within(values: readonly number[], min: number | undefined, max: number | undefined) {
  if (min === undefined && max === undefined) return undefined;
  const [least, most] = [min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY];
  return (slot: number): boolean => {
    const value = values[slot] ?? 0;
    return value !== 0 && value >= least && value <= most;
  };
}

export function createColumns(): Columns {
  const tags = { genres: createTags(), kinds: createTags(), decades: createTags(), languages: createTags() };
  const years: number[] = [];
  const durationsS: number[] = [];
  const ageRatings: number[] = [];
  const fromMs: number[] = [];
  const untilMs: number[] = [];

  const isSeen = (slot: number, { ageRatingMax, nowMs }: Sight): boolean =>
    (ageRatings[slot] ?? 0) <= ageRatingMax &&
    nowMs >= (fromMs[slot] ?? 0) &&
    (untilMs[slot] === 0 || nowMs < (untilMs[slot] ?? 0));

  return {
    isSeen,
    yearOf: (slot) => years[slot] ?? 0,
    put(slot, { kind, genres, year, durationS, languages, ageRating, availableFromMs, availableUntilMs }) {
      tags.genres.put(slot, genres.map(genreOf));
      tags.kinds.put(slot, [kind]);
      tags.decades.put(slot, year > 0 ? [String(year - (year % 10))] : []);
      tags.languages.put(slot, languages);
      years[slot] = year;
      durationsS[slot] = durationS;
      ageRatings[slot] = ageRating;
      fromMs[slot] = availableFromMs;
      untilMs[slot] = availableUntilMs;
    },
    fitting(filters, sight) {
      const { kinds = [], genres = [], withoutGenres = [], language, withoutLanguage } = filters;
      const not =
        (is: (slot: number) => boolean) =>
        (slot: number): boolean =>
          !is(slot);
      const ageMax = Math.min(sight.ageRatingMax, filters.ageRatingMax ?? Number.POSITIVE_INFINITY);
      const seen: Sight = { ...sight, ageRatingMax: ageMax };
      const all = [
        (slot: number) => isSeen(slot, seen),
        kinds.length > 0 ? tags.kinds.hasAny(kinds) : undefined,
        ...genres.map((group) => tags.genres.hasAny(group)),
        withoutGenres.length > 0 ? not(tags.genres.hasAny(withoutGenres)) : undefined,
        language === undefined ? undefined : tags.languages.hasAny([language]),
        withoutLanguage === undefined ? undefined : not(tags.languages.hasAny([withoutLanguage])),
        within(years, filters.yearMin, filters.yearMax),
        within(durationsS, filters.durationMinS, filters.durationMaxS),
      ].filter((each) => each !== undefined);
      const [only, ...others] = all;
      return others.length === 0 && only ? only : (slot) => all.every((fits) => fits(slot));
    },
    facetsOf: (slots) => ({
      genres: tags.genres.most(slots),
      kinds: tags.kinds.most(slots),
      decades: tags.decades.most(slots),
      languages: tags.languages.most(slots),
    }),
  };
}

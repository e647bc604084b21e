/** A title as it is searched: what people may look for, and what decides whether and where it is shown. */
export interface Entry {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly cast: readonly string[];
  readonly directors: readonly string[];
  readonly genres: readonly string[];
  readonly synopsis: string;
  readonly year: number;
  /** 0 where it is not known, or where it is a series. */
  readonly durationS: number;
  readonly ageRating: number;
  /** ISO 639-1, of its sound. */
  readonly languages: readonly string[];
  readonly availableFromMs: number;
  /** 0: for ever. */
  readonly availableUntilMs: number;
}

/** What a title must be, all of it; members that are left out say nothing. Bounds are inclusive. */
export interface Filters {
  readonly kinds?: readonly string[];
  /** One of each group, by their canonical names. */
  readonly genres?: readonly (readonly string[])[];
  readonly withoutGenres?: readonly string[];
  readonly yearMin?: number | undefined;
  readonly yearMax?: number | undefined;
  readonly durationMinS?: number | undefined;
  readonly durationMaxS?: number | undefined;
  readonly ageRatingMax?: number | undefined;
  readonly language?: string;
  readonly withoutLanguage?: string;
}

/** Who looks, and when. */
export interface Sight {
  readonly ageRatingMax: number;
  readonly nowMs: number;
}

export const isSeen = (entry: Entry, { ageRatingMax, nowMs }: Sight): boolean =>
  entry.ageRating <= ageRatingMax &&
  nowMs >= entry.availableFromMs &&
  (entry.availableUntilMs === 0 || nowMs < entry.availableUntilMs);

const isWithin = (value: number, min: number | undefined, max: number | undefined): boolean =>
  (min === undefined || value >= min) && (max === undefined || value <= max);

/** A year or a length that is not known fits no bounds: nobody is told that something is short who does not know it. */
export function suits(entry: Entry, genres: ReadonlySet<string>, filters: Filters): boolean {
  const { kinds, genres: wanted, withoutGenres, language, withoutLanguage } = filters;
  if (kinds && kinds.length > 0 && !kinds.includes(entry.kind)) return false;
  if (wanted?.some((group) => !group.some((genre) => genres.has(genre)))) return false;
  if (withoutGenres?.some((genre) => genres.has(genre))) return false;
  if (language !== undefined && !entry.languages.includes(language)) return false;
  if (withoutLanguage !== undefined && entry.languages.includes(withoutLanguage)) return false;
  const { yearMin, yearMax, durationMinS, durationMaxS, ageRatingMax } = filters;
  const boundsYear = yearMin !== undefined || yearMax !== undefined;
  if (boundsYear && (entry.year === 0 || !isWithin(entry.year, yearMin, yearMax))) return false;
  const boundsDuration = durationMinS !== undefined || durationMaxS !== undefined;
  if (boundsDuration && (entry.durationS === 0 || !isWithin(entry.durationS, durationMinS, durationMaxS))) return false;
  return ageRatingMax === undefined || entry.ageRating <= ageRatingMax;
}

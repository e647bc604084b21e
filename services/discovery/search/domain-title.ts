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

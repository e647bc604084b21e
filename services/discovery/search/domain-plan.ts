import type { Constraint } from "./domain-question.ts";
import { MOODS } from "./domain-question-words.ts";
import type { Filters } from "./domain-title.ts";

/** What constraints ask of the index. */
export interface Plan {
  readonly filters: Filters;
  readonly people: readonly string[];
  readonly withoutPeople: readonly string[];
  readonly text: string;
  readonly withoutText: string;
  /** The title that others should be like; empty: none. */
  readonly like: string;
}

export function planOf(constraints: readonly Constraint[]): Plan {
  const genres: string[][] = [];
  const withoutGenres: string[] = [];
  const people: string[] = [];
  const withoutPeople: string[] = [];
  let text = "";
  let withoutText = "";
  let like = "";
  let filters: Filters = {};
  const bounds = (value: string): readonly (number | undefined)[] =>
    value.split("-").map((bound) => (bound === "" ? undefined : Number(bound)));
  for (const { kind, value } of constraints) {
    const [min, max] = bounds(value);
    switch (kind) {
      case "genre":
        genres.push(value.split("|"));
        break;
      case "mood":
        genres.push([...(MOODS[value]?.genres ?? [])]);
        break;
      case "not-genre":
        withoutGenres.push(value);
        break;
      case "not-mood":
        withoutGenres.push(...(MOODS[value]?.genres ?? []));
        break;
      case "duration":
        filters = {
          ...filters,
          ...(min === undefined ? {} : { durationMinS: min }),
          ...(max === undefined ? {} : { durationMaxS: max }),
        };
        break;
      case "years":
        filters = {
          ...filters,
          ...(min === undefined ? {} : { yearMin: min }),
          ...(max === undefined ? {} : { yearMax: max }),
        };
        break;
      case "person":
        people.push(value);
        break;
      case "not-person":
        withoutPeople.push(value);
        break;
      case "age":
        filters = { ...filters, ageRatingMax: Number(value) };
        break;
      case "language":
        filters = { ...filters, language: value };
        break;
      case "not-language":
        filters = { ...filters, withoutLanguage: value };
        break;
      case "kind":
        filters = { ...filters, kinds: [value] };
        break;
      case "topic":
        text = value;
        break;
      case "like":
        like = value;
        break;
      case "airing":
        // Programmes are the guide's, and no titles.
        break;
      case "not-topic":
        withoutText = value;
        break;
    }
  }
  return { filters: { ...filters, genres, withoutGenres }, people, withoutPeople, text, withoutText, like };
}

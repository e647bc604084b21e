import { type Asked, type FoundPerson, type FoundTitles, type Library, PLAIN } from "./domain-library.ts";
import { planOf } from "./domain-plan.ts";
import { type Constraint, idOf, understand } from "./domain-question.ts";
import type { Filters, Sight } from "./domain-title.ts";

export interface Question {
  readonly text: string;
  readonly filters: Filters;
  /** Ids of constraints that were taken back. */
  readonly without: readonly string[];
  /** Nobody types any more. */
  readonly isFinished: boolean;
  /** What somebody better than the rules understood, where somebody did. */
  readonly constraints?: readonly Constraint[];
  readonly offset: number;
  readonly limit: number;
}

export interface Answer extends FoundTitles {
  readonly people: readonly FoundPerson[];
  readonly understood: readonly Constraint[];
  /** Whether it was put as a question. */
  readonly isQuestion: boolean;
}

const PEOPLE_MAX = 6;
const NOTHING_FOUND: FoundTitles = {
  ...{
    ids: [],
    marks: [],
    pinned: 0,
    total: 0,
    corrected: "",
    facets: { genres: [], kinds: [], decades: [], languages: [] },
  },
};

/** What is found for a text: by its words, or, where it is a question and no title's name, by what it asks for. */
export function answer(library: Library, question: Question, sight: Sight): Answer {
  const { text, filters, without, isFinished, offset, limit } = question;
  const year = new Date(sight.nowMs).getUTCFullYear();
  const people = library.people(text, sight, PEOPLE_MAX);
  const byWords = (): FoundTitles => library.find({ ...PLAIN, text, filters, isFinished, offset, limit }, sight);
  const own = understand(text, { ...library, year });
  const isQuestion = own.isQuestion || question.constraints !== undefined;
  const plain = (found: FoundTitles): Answer => ({ ...found, people, understood: [], isQuestion });
  // Words that mean nothing else may be a title's, and then so are all of them.
  const isOfTitle = own.constraints.some(({ kind }) => kind === "topic") && library.isOfTitle(text);
  if (!isQuestion || isOfTitle || library.isTitle(text)) return plain(byWords());
  const understood = (question.constraints ?? own.constraints).filter((each) => !without.includes(idOf(each)));
  const plan = planOf(understood);
  // What is on is the guide's to say.
  if (understood.length > 0 && understood.every(({ kind }) => kind === "airing"))
    return { ...NOTHING_FOUND, people, understood, isQuestion };
  const asked: Asked = { ...PLAIN, ...plan, isFinished, offset, limit, filters: both(plan.filters, filters) };
  const found = library.find(asked, sight);
  // What was understood wrongly must not hide what the words would have found.
  if (found.total === 0 && without.length === 0) {
    const instead = byWords();
    if (instead.total > 0) return plain(instead);
  }
  return { ...found, people, understood, isQuestion };
}

/** What fits both. */
function both(a: Filters, b: Filters): Filters {
  const larger = (x: number | undefined, y: number | undefined) =>
    x === undefined ? y : y === undefined ? x : Math.max(x, y);
  const smaller = (x: number | undefined, y: number | undefined) =>
    x === undefined ? y : y === undefined ? x : Math.min(x, y);
  const bounds = {
    yearMin: larger(a.yearMin, b.yearMin),
    yearMax: smaller(a.yearMax, b.yearMax),
    durationMinS: larger(a.durationMinS, b.durationMinS),
    durationMaxS: smaller(a.durationMaxS, b.durationMaxS),
    ageRatingMax: smaller(a.ageRatingMax, b.ageRatingMax),
  };
  return {
    ...a,
    ...b,
    ...bounds,
    genres: [...(a.genres ?? []), ...(b.genres ?? [])],
    withoutGenres: [...(a.withoutGenres ?? []), ...(b.withoutGenres ?? [])],
  };
}

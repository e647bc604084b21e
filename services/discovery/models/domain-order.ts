/**
 * The order of what a person is shown: how likely each title of a list is chosen, learned from lists that somebody chose from.
 *
 * What stands first is seen first and chosen sooner, whatever it is worth. So the place at which a title was shown is a feature of training and the
 * first one whenever a version is judged or asked: the question is who would be chosen there. (Weights by propensity would need a share of people
 * who are shown worse orders.) The present order's rank is no feature: until a model serves it is the place, and would take its part.
 */
import { genreName } from "#contracts/features";
import { GBDT_DEFAULTS } from "#learning/gbdt";
import { isInCanary } from "./domain.ts";
import type { Examples, Recipe } from "./domain-recipe.ts";

export const ORDERS = ["home-order", "search-order"] as const;
export type Order = (typeof ORDERS)[number];
/** No longer list is asked about. */
export const TITLES_MAX = 50;
/** Of the present order so many are shown without scrolling: others are not such as a model has learned from. */
export const SHOWN_FIRST = 12;

/** What whoever made the list knows of a title. */
export interface Listed {
  readonly contentId: string;
  readonly score: number;
  readonly nearness: number;
}

/** A list that was shown, in the order in which it was, and what was chosen of it. */
export interface ShownList {
  readonly listId: string;
  readonly userId: string;
  readonly profileId: string;
  readonly atMs: number;
  /** Empty where it follows from what is known of the viewer. */
  readonly segment: string;
  readonly titles: readonly (Listed & { readonly rank: number })[];
  readonly chosen: ReadonlySet<string>;
}

/** What the feature store knows of one entity, by GROUP:FEATURE: NaN and empty words where nothing. */
export interface Known {
  number(name: string): number;
  word(name: string): string;
}

interface Seen {
  readonly position: number;
  readonly listed: Listed;
  /** The highest score of the list. */
  readonly best: number;
  readonly atMs: number;
  readonly title: Known;
  readonly viewer: Known;
}
type Column = readonly [name: string, of: (seen: Seen) => number];

const DAY_MS = 86_400_000;
const titleColumns = (group: string, names: readonly string[]): Column[] =>
  names.map((name) => [name, ({ title }) => title.number(`${group}:${name}`)]);
const METADATA = ["year", "age_rating", "duration", "is_series", "genre_count", "credit_count", "has_preview"];
const POPULARITY = [
  ...["starts_24h", "starts_7d", "starts_28d", "completion_ratio_28d", "click_through_7d", "liked_ratio_28d", "trend"],
];
const HISTORY = ["sessions_7d", "sessions_28d", "titles_28d"];
const TASTE = ["top_share", "breadth"];

const COMMON: readonly Column[] = [
  ["position", ({ position }) => position],
  ["score", ({ listed }) => listed.score],
  ["score_of_best", ({ listed, best }) => (best > 0 ? listed.score / best : Number.NaN)],
  ["days_since_added", ({ title, atMs }) => atMs / DAY_MS - title.number("content_metadata:added_on")],
  ...titleColumns("content_metadata", METADATA),
  ...titleColumns("content_popularity", POPULARITY),
];

const COLUMNS: Readonly<Record<Order, readonly Column[]>> = {
  "home-order": [
    ...COMMON,
    ["genre_share", ({ title, viewer }) => genreShareOf(title, viewer)],
    ...HISTORY.map((name): Column => [name, ({ viewer }) => viewer.number(`user_viewing_history:${name}`)]),
    ...TASTE.map((name): Column => [name, ({ viewer }) => viewer.number(`user_genre_preferences:${name}`)]),
  ],
  // Nothing of the person: whoever wants nothing learned of them may search, too.
  "search-order": [...COMMON, ["nearness", ({ listed }) => listed.nearness]],
};

const GENRES = ["content_metadata:primary_genre", "content_metadata:secondary_genre"];

/** Which share of what a profile watched is of a title's first genres. */
function genreShareOf(title: Known, viewer: Known): number {
  const names = new Set(GENRES.map((name) => genreName(title.word(name))).filter(Boolean));
  const shares = [...names].map((name) => viewer.number(`user_genre_preferences:share_${name}`));
  const known = shares.filter((share) => !Number.isNaN(share));
  return known.length === 0 ? Number.NaN : known.reduce((sum, share) => sum + share, 0);
}

/** What the feature store is asked for. */
export const TITLE_FEATURES: readonly string[] = [
  ...["added_on", ...METADATA].map((name) => `content_metadata:${name}`),
  ...GENRES,
  ...POPULARITY.map((name) => `content_popularity:${name}`),
];
export const VIEWER_FEATURES: readonly string[] = [
  ...HISTORY.map((name) => `user_viewing_history:${name}`),
  "user_genre_preferences",
];
export const knowsViewer = (order: Order): boolean => order === "home-order";

export const columnsOf = (order: Order): readonly string[] => COLUMNS[order].map(([name]) => name);

export const FIRST = 0;

/** The features of each title of a list, as if each was shown at its place of `positions`. */
export function featuresOf(
  order: Order,
  list: { readonly titles: readonly Listed[]; readonly positions: readonly number[]; readonly atMs: number },
  known: { readonly titles: readonly Known[]; readonly viewer: Known },
): number[][] {
  const { titles, positions, atMs } = list;
  const best = titles.reduce((most, { score }) => (score > most ? score : most), Number.NEGATIVE_INFINITY);
  return titles.map((listed, at) => {
    const [title, position = FIRST] = [known.titles[at] ?? NOTHING_KNOWN, positions[at]];
    const seen: Seen = { listed, position, best, atMs, title, viewer: known.viewer };
    return COLUMNS[order].map(([, of]) => of(seen));
  });
}

export const NOTHING_KNOWN: Known = { number: () => Number.NaN, word: () => "" };

/** A flat answer of the feature store, row by row. */
export function knownOf(flat: {
  readonly numberFeatures: readonly string[];
  readonly wordFeatures: readonly string[];
  readonly numbers: readonly number[];
  readonly words: readonly string[];
}): (row: number) => Known {
  const placesOf = (names: readonly string[]) => new Map(names.map((name, place) => [name, place]));
  const [numbers, words] = [placesOf(flat.numberFeatures), placesOf(flat.wordFeatures)];
  return (row) => ({
    number: (name) => flat.numbers[row * numbers.size + (numbers.get(name) ?? Number.NaN)] ?? Number.NaN,
    word: (name) => flat.words[row * words.size + (words.get(name) ?? Number.NaN)] ?? "",
  });
}

const REGULAR_SESSIONS = 4;

/** Of whom a list is, where that must not be served much worse: who is new, or how somebody searched. */
export const segmentOf = (list: Pick<ShownList, "segment">, viewer: Known): string =>
  list.segment ||
  (viewer.number("user_viewing_history:sessions_28d") >= REGULAR_SESSIONS ? "viewer=regular" : "viewer=new");

/** A list with what was known of it when it was shown. */
export interface KnownList extends ShownList {
  readonly rows: readonly (readonly number[])[];
}

const TEST_PERCENT = 30;
const POSITION = 0;

/** A row for each title that was shown. People are judged by or learned from with all of their lists, so that nobody is recognised. */
export function listsToLearn(order: Order, lists: readonly KnownList[]): Examples {
  const rows = lists.flatMap(({ titles, profileId, segment, chosen, ...list }, number) => {
    const isTest = isInCanary("test lists", profileId, TEST_PERCENT);
    return titles
      .map(({ contentId, rank }, at) => {
        const features = list.rows[at] ?? [];
        const isChosen = chosen.has(contentId);
        return {
          number,
          rank,
          isTest,
          isChosen,
          segment,
          features: isTest ? features.with(POSITION, FIRST) : features,
        };
      })
      .toSorted((a, b) => a.rank - b.rank);
  });
  return {
    table: { values: Float32Array.from(rows.flatMap(({ features }) => features)), columns: columnsOf(order).length },
    labels: Float32Array.from(rows, ({ isChosen }) => (isChosen ? 1 : 0)),
    rule: Float32Array.from(rows, ({ rank }) => 1 / (rank + 2)),
    isTest: rows.map(({ isTest }) => isTest),
    segments: rows.map(({ segment }) => [segment]),
    lists: { of: Int32Array.from(rows, ({ number }) => number), people: lists.map(({ profileId }) => profileId) },
  };
}

const recipeOf = (name: Order): Recipe => ({
  ...{ name, features: columnsOf(name), refreshMs: DAY_MS },
  // Clicks are few and noisy: small trees with broad leaves.
  options: {
    ...{ ...GBDT_DEFAULTS, loss: "logistic", trees: 80, leavesMax: 8, learningRate: 0.06 },
    ...{ leastRows: 40, penalty: 1 },
  },
  // What it is asked about is what it put in order itself: only what is wholly different is a drift.
  psiMax: 1,
});
export const orders: Readonly<Record<Order, Recipe>> = {
  "home-order": recipeOf("home-order"),
  "search-order": recipeOf("search-order"),
};

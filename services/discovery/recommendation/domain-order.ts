/**
 * The last step of a ranking: what was shown in which order and chosen teaches in which order to show. It looks at features of the title and of the profile
 * as they were known when the list was shown, and is used only where it puts what is chosen higher than the order that there was.
 */
import { genreName } from "#contracts/features";
import { auc } from "#learning/auc";
import { pairedDifference } from "#learning/bootstrap";
import { fnv1a } from "#learning/hashing";
import { fitLogistic, predictLogistic } from "#learning/logistic";
import { seededRandom } from "#learning/random";
import type { Table } from "#learning/table";

export const TITLE_FEATURES = [
  ...["starts_7d", "trend", "completion_ratio_28d", "click_through_7d", "liked_ratio_28d"].map(
    (name) => `content_popularity:${name}`,
  ),
  "content_metadata:added_on",
] as const;
export const PROFILE_FEATURES = ["user_genre_preferences"] as const;

/** What is known of something, by the feature's name; what is not known is not in it. */
export type Facts = ReadonlyMap<string, number>;

export const COLUMNS = [
  ...["rank", "affinity", "starts", "trend", "completion", "click_through", "liked", "age"],
] as const;

const DAY_MS = 86_400_000;
/** What stands for what nobody knows: a title like any other. */
const USUAL = { trend: 1, completion: 0.5, clickThrough: 0.05, liked: 0.5, ageDays: 365 };
const TREND_MAX = 7;

/** @param rank where it stands without this, from 0 */
export function rowOf(
  rank: number,
  title: { readonly genres: readonly string[]; readonly facts: Facts },
  profile: Facts,
  atMs: number,
): number[] {
  const of = (name: string): number | undefined => title.facts.get(name);
  const shares = title.genres.map((genre) => profile.get(`user_genre_preferences:share_${genreName(genre)}`) ?? 0);
  const addedOn = of("content_metadata:added_on");
  return [
    Math.log2(2 + rank),
    shares.reduce((sum, share) => sum + share, 0),
    Math.log1p(of("content_popularity:starts_7d") ?? 0),
    Math.min(TREND_MAX, of("content_popularity:trend") ?? USUAL.trend),
    of("content_popularity:completion_ratio_28d") ?? USUAL.completion,
    of("content_popularity:click_through_7d") ?? USUAL.clickThrough,
    of("content_popularity:liked_ratio_28d") ?? USUAL.liked,
    Math.log1p(addedOn === undefined ? USUAL.ageDays : Math.max(0, atMs / DAY_MS - addedOn)),
  ];
}

/** What a profile was shown at once, and what it chose of that. */
export interface Shown {
  readonly profileId: string;
  readonly atMs: number;
  /** In the order in which they stood. */
  readonly contentIds: readonly string[];
  readonly chosen: ReadonlySet<string>;
}

/** Whoever chooses later chose from something else. */
const VISIT_MS = 30 * 60_000;

/** Lists from which something was chosen, the latest first: the others say nothing about order. */
export function shownOf(
  served: readonly {
    readonly profileId: string;
    readonly contentIds: readonly string[];
    readonly servedAtMs: number;
  }[],
  clicked: readonly { readonly profileId: string; readonly contentId: string; readonly clickedAtMs: number }[],
  max: number,
): Shown[] {
  const clicks = Map.groupBy(clicked, ({ profileId }) => profileId);
  return served
    .map(({ profileId, contentIds, servedAtMs: atMs }) => ({
      ...{ profileId, atMs, contentIds },
      chosen: new Set(
        (clicks.get(profileId) ?? [])
          .filter(({ clickedAtMs }) => clickedAtMs >= atMs && clickedAtMs < atMs + VISIT_MS)
          .map(({ contentId }) => contentId)
          .filter((id) => contentIds.includes(id)),
      ),
    }))
    .filter(({ chosen, contentIds }) => chosen.size > 0 && chosen.size < contentIds.length)
    .toSorted((a, b) => b.atMs - a.atMs)
    .slice(0, max);
}

/** How to order, and how good that was on lists that it was not learned from. */
export interface Order {
  readonly weights: readonly number[];
  readonly intercept: number;
  readonly lists: number;
  /** How often what was chosen stands above what was not, by this order and by the one that there was. */
  readonly auc: number;
  readonly aucBefore: number;
}

export interface Lesson {
  readonly profileId: string;
  /** A row for each title of a list, in the order in which they stood. */
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly number[];
}

const LISTS_MIN = 60;

/** @returns an order that is better with 95 %, or why there is none; people are either learned from or judged by */
export function learnOrder(lessons: readonly Lesson[]): Order | string {
  if (lessons.length < LISTS_MIN) return `${lessons.length} lists with a choice are fewer than ${LISTS_MIN}`;
  const isJudge = ({ profileId }: Lesson): boolean => fnv1a(profileId) % 2 === 1;
  const [judges, teachers] = [lessons.filter(isJudge), lessons.filter((lesson) => !isJudge(lesson))];
  if (Math.min(judges.length, teachers.length) < LISTS_MIN / 4) return "too few people chose something";
  const labels = Float32Array.from(teachers.flatMap((lesson) => lesson.labels));
  const { weights, intercept } = fitLogistic(tableOf(teachers.flatMap(({ rows }) => rows)), labels);
  const order = { weights: [...weights], intercept };
  const now = judges.map(({ rows, labels: own }) => auc(worthOf(order, rows), own));
  const before = judges.map(({ rows, labels: own }) =>
    auc(
      rows.map((_, rank) => -rank),
      own,
    ),
  );
  const { estimate, low } = pairedDifference(now, before, { random: seededRandom(judges.length) });
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const figures = { lists: lessons.length, auc: mean(now), aucBefore: mean(before) };
  return low > 0
    ? { ...order, ...figures }
    : `an AUC of ${figures.auc.toFixed(3)} within lists is not above ${figures.aucBefore.toFixed(3)} for certain (by ${estimate.toFixed(3)}, at least ${low.toFixed(3)})`;
}

const tableOf = (rows: readonly (readonly number[])[]): Table => ({
  values: Float32Array.from(rows.flat()),
  columns: COLUMNS.length,
});

export const worthOf = (
  { weights, intercept }: Pick<Order, "weights" | "intercept">,
  rows: readonly (readonly number[])[],
): Float64Array => predictLogistic({ weights: Float64Array.from(weights), intercept }, tableOf(rows));

/** Gives the best scores to what is worth most: what comes after this goes by scores, and their spread stays as it was. */
export function reordered<C extends { readonly score: number }>(
  candidates: readonly C[],
  worth: ArrayLike<number>,
): C[] {
  const scores = candidates.map(({ score }) => score).toSorted((a, b) => b - a);
  return candidates
    .map((candidate, index) => ({ candidate, worth: worth[index] ?? 0, index }))
    .toSorted((a, b) => b.worth - a.worth || a.index - b.index)
    .map(({ candidate }, place) => ({ ...candidate, score: scores[place] ?? candidate.score }));
}

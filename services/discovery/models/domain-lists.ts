/** Models that order what somebody is shown: what their lists are worth, and when a new one is better. */
import { meanAt, pairedDifference } from "#learning/bootstrap";
import { seededRandom } from "#learning/random";
import { ndcgAt } from "#learning/ranking";
import type { Judgement } from "./domain-recipe.ts";

/** Which rows are a list, and who was shown it. */
export interface Lists {
  /** Of each row. */
  readonly of: Int32Array;
  /** Of each list. */
  readonly people: readonly string[];
}

export interface JudgedLists {
  /** NDCG@10, the mean over people of the mean of their lists: who looks often counts once. */
  readonly ndcg: number;
  /** That of each, in the order in which their lists come: the same for everything that is judged on the same rows. */
  readonly people: readonly number[];
}

const K = 10;
/** Fewer people say nothing that is beyond doubt. */
const PEOPLE_MIN = 20;
const SEED = 20_260_520;
/** Of one segment. */
const SEGMENT_LOSS_MAX = 0.05;

/** The lists of some rows, which become rows of their own. */
export const listsOf = ({ of, people }: Lists, rows: readonly number[]): Lists => ({
  of: Int32Array.from(rows, (row) => of[row] ?? -1),
  people,
});

/** What the order of lists by scores is worth, of some rows; of equal scores the earlier row comes first. */
export function judgeLists(
  scores: ArrayLike<number>,
  labels: Float32Array,
  { of, people }: Lists,
  rows: readonly number[],
): JudgedLists {
  const byPerson = new Map<string, number[]>();
  for (const [list, own] of Map.groupBy(rows, (row) => of[row] ?? -1)) {
    const ranked = own.toSorted((a, b) => (scores[b] ?? Number.NaN) - (scores[a] ?? Number.NaN) || a - b);
    const chosen = new Set(own.filter((row) => labels[row] === 1));
    const who = people[list] ?? "";
    byPerson.set(who, [...(byPerson.get(who) ?? []), ndcgAt(ranked, chosen, K)]);
  }
  const means = [...byPerson.values()].map((gains) => meanAt(gains, [...gains.keys()]));
  return { ndcg: meanAt(means, [...means.keys()]), people: means };
}

/**
 * Why an order may not go on. Clicks are few and noisy, so half of all useless orders would be above the present one by chance: the interval of
 * the difference has to be above 0.
 */
export function refusalOfLists(
  candidate: Judgement & { readonly lists: JudgedLists },
  incumbent: Judgement & { readonly name: string },
): string | undefined {
  const { name } = incumbent;
  const [ours, theirs] = [candidate.lists, incumbent.lists];
  const people = ours.people.length;
  if (!theirs || people < PEOPLE_MIN) return `${people} people to judge by are fewer than ${PEOPLE_MIN}`;
  const { estimate, low, high } = pairedDifference(ours.people, theirs.people, { random: seededRandom(SEED) });
  if (!(low > 0))
    return `NDCG@10 ${shown(ours.ndcg)} is not above ${shown(theirs.ndcg)} of ${name} beyond doubt: ${shown(estimate)} more, 95 % interval ${shown(low)} to ${shown(high)}`;
  for (const { segment, ndcg = 0 } of candidate.segments) {
    const before = incumbent.segments.find((one) => one.segment === segment)?.ndcg ?? 0;
    if (before - ndcg > SEGMENT_LOSS_MAX)
      return `segment ${segment} has NDCG@10 ${shown(ndcg)}, with ${name} it has ${shown(before)}`;
  }
  return undefined;
}

const shown = (value: number): string => value.toFixed(4);

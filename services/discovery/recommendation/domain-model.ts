import { blend, fitBlend, standardise } from "#learning/blend";
import { meanAt } from "#learning/bootstrap";
import { fitContent } from "#learning/content";
import { fitEase } from "#learning/ease";
import { fitIals } from "#learning/ials";
import { type Interactions, interactionsOf, type Ranker, rowOf } from "#learning/interactions";
import { fitPopularity } from "#learning/popularity";
import { seededRandom, shuffle } from "#learning/random";
import { ndcgAt, topK } from "#learning/ranking";

/** What a model is made of. Nobody is named in it: profiles are rows. */
export interface TrainingSet {
  readonly titles: readonly { readonly id: string; readonly features: readonly string[]; readonly ageRating: number }[];
  /** What each profile likes, the latest last, as places in `titles`. */
  readonly histories: readonly (readonly number[])[];
}

/** The best titles for somebody who likes some, without these and without what is excluded or not for their age. */
export interface Wish {
  readonly liked: readonly string[];
  readonly excluded: readonly string[];
  readonly ageRatingMax: number;
  readonly count: number;
}

export interface Candidate {
  readonly id: string;
  /** Of one ranking, 1 for the best and 0 for the worst of all titles. */
  readonly score: number;
  /** The title of the history that gave most to the score, where anything did and gave more than popularity; else empty. */
  readonly becauseOfId: string;
}

export interface Reason {
  readonly kind: "watched" | "shared" | "popular";
  readonly id: string;
  readonly name: string;
  readonly share: number;
}

export interface Report {
  readonly profiles: number;
  readonly titles: number;
  readonly interactions: number;
  readonly algorithm: "ease" | "ials" | "none";
  /** NDCG@10 of the last title of profiles that had no part in finding weights, and that of popularity for the same. */
  readonly ndcg: number;
  readonly ndcgOfPopularity: number;
  readonly cases: number;
}

export interface Model {
  readonly report: Report;
  recommend(wish: Wish): Candidate[];
  explain(liked: readonly string[], id: string): Reason[];
}

const K = 10;
/** EASE takes the cube of the smaller side: this many are some seconds. */
const EASE_SIDE_MAX = 3_000;
const EASE_REGULARISATION = 60;
const IALS = { dimensions: 64, epochs: 8, unobservedWeight: 0.1, regularisation: 0.01, regularisationExponent: 1 };
const CASES_MAX = 1_000;
/** With fewer, weights would be chance. */
const CASES_MIN = 40;
const BLEND_ROUNDS = 20;
/** A history this short is served by weights of its own. */
const SHORT_HISTORY = 5;
const SEED = 1;
/** Of collaborative, content and popularity, as long as there is too little to find them by. */
const WEIGHTS_UNKNOWN = [0.4, 0.4, 0.2];
/** A title that nobody has watched yet can only be found by what it is made of, so that this always has a part. */
const CONTENT_MIN = 0.15;
const REASONS_MAX = 5;

interface Case {
  readonly history: Uint32Array;
  readonly seen: ReadonlySet<number>;
  readonly chosen: ReadonlySet<number>;
}

export function fitModel({ titles, histories }: TrainingSet): Model {
  const names = new Map([...new Set(titles.flatMap(({ features }) => features))].map((name, at) => [name, at]));
  const features = interactionsOf(
    titles.map((title) => title.features.map((name) => names.get(name) ?? 0)),
    names.size,
  );
  const all = interactionsOf(histories, titles.length);
  const { weights, quality } = findWeights(histories, features, titles.length);
  const rankers = rankersOf(all, features);
  const weightsOf = (history: Uint32Array): readonly number[] =>
    history.length <= SHORT_HISTORY ? weights.short : weights.long;
  const ranker = blend(rankers, titles.length, weightsOf);
  const algorithm = all.items.length === 0 ? "none" : isSmall(all) ? "ease" : "ials";
  return {
    report: {
      ...{ profiles: histories.length, titles: titles.length, interactions: all.items.length },
      ...{ algorithm, ...quality },
    },
    ...asker({ titles, features, names: [...names.keys()], ranker, popularity: fitPopularity(all), weightsOf }),
  };
}

const isSmall = ({ rows, columns }: Interactions): boolean => Math.min(rows, columns) <= EASE_SIDE_MAX;

/** Collaborative, content and popularity, in the order of weights. */
function rankersOf(matrix: Interactions, features: Interactions): readonly Ranker[] {
  const collaborative = isSmall(matrix)
    ? fitEase(matrix, { regularisation: EASE_REGULARISATION })
    : fitIals(matrix, IALS, seededRandom(SEED));
  return [collaborative, fitContent(features), fitPopularity(matrix)];
}

interface Weights {
  readonly short: readonly number[];
  readonly long: readonly number[];
}

/**
 * Takes the latest title of some profiles away, learns the rest, and finds the weights that put what was taken highest for half of these
 * profiles; the other half says how good that is.
 */
function findWeights(histories: readonly (readonly number[])[], features: Interactions, items: number) {
  const random = seededRandom(SEED);
  const rows = shuffle(
    histories.flatMap((own, row) => (own.length > 1 ? [row] : [])),
    random,
  ).slice(0, CASES_MAX);
  const quality = { ndcg: 0, ndcgOfPopularity: 0, cases: 0 };
  if (rows.length < CASES_MIN) return { weights: { short: WEIGHTS_UNKNOWN, long: WEIGHTS_UNKNOWN }, quality };
  const held = new Set(rows);
  const past = interactionsOf(
    histories.map((own, row) => (held.has(row) ? own.slice(0, -1) : own)),
    items,
  );
  const rankers = rankersOf(past, features);
  const cases = rows.map((row): Case => {
    const history = rowOf(past, row);
    return { history, seen: new Set(history), chosen: new Set(histories[row]?.slice(-1)) };
  });
  const half = cases.length >> 1;
  const known = cases.slice(0, half);
  const options = { items, k: K, rounds: BLEND_ROUNDS };
  const cut = known.map((one) => ({
    ...one,
    history: shuffle(one.history.slice(), random).slice(0, SHORT_HISTORY).sort(),
  }));
  const weights: Weights = {
    short: withContent(fitBlend(rankers, cut, options)),
    long: withContent(fitBlend(rankers, known, options)),
  };
  const blended = blend(rankers, items, ({ length }) => (length <= SHORT_HISTORY ? weights.short : weights.long));
  const judged = cases.slice(half);
  const [, , popularity] = rankers;
  return {
    weights,
    quality: {
      ndcg: ndcgOf(blended, judged, items),
      ndcgOfPopularity: popularity ? ndcgOf(popularity, judged, items) : 0,
      cases: judged.length,
    },
  };
}

const withContent = (weights: Float64Array): number[] =>
  Array.from(weights, (weight, at) => weight * (1 - CONTENT_MIN) + (at === 1 ? CONTENT_MIN : 0));

function ndcgOf(ranker: Ranker, cases: readonly Case[], items: number): number {
  const scores = new Float64Array(items);
  const found = cases.map(({ history, seen, chosen }) => {
    ranker.score(history, scores);
    return ndcgAt(
      topK(scores, K, (item) => seen.has(item)),
      chosen,
      K,
    );
  });
  return meanAt(found, [...found.keys()]);
}

interface Asked extends Pick<TrainingSet, "titles"> {
  readonly features: Interactions;
  readonly names: readonly string[];
  readonly ranker: Ranker;
  readonly popularity: Ranker;
  readonly weightsOf: (history: Uint32Array) => readonly number[];
}

/** Answers by ids what a blend answers by places. */
function asker({
  titles,
  features,
  names,
  ranker,
  popularity,
  weightsOf,
}: Asked): Pick<Model, "recommend" | "explain"> {
  const placeOf = new Map(titles.map(({ id }, at) => [id, at]));
  const places = (ids: readonly string[]): Uint32Array =>
    Uint32Array.from(ids.flatMap((id) => placeOf.get(id) ?? [])).sort();
  const idOf = (place: number | undefined): string => titles[place ?? -1]?.id ?? "";
  const scores = new Float64Array(titles.length);
  const popular = new Float64Array(titles.length);
  /** What popularity gives to each score, above the mean of all titles. */
  function weighPopularity(history: Uint32Array): void {
    popularity.score(history, popular);
    standardise(popular);
    const weight = weightsOf(history).at(-1) ?? 0;
    for (const [at, value] of popular.entries()) popular[at] = value * weight;
  }
  return {
    recommend({ liked, excluded, ageRatingMax, count }) {
      const history = places(liked);
      const seen = new Set([...history, ...places(excluded)]);
      ranker.score(history, scores);
      weighPopularity(history);
      const [low, high] = rangeOf(scores);
      const best = topK(
        scores,
        count,
        (item) => seen.has(item) || (titles[item]?.ageRating ?? Infinity) > ageRatingMax,
      );
      const contributions = ranker.contributions(history, best);
      return best.map((item, at) => {
        const parts = contributions[at] ?? new Float64Array();
        const most = parts.reduce((highest, part, of) => (part > (parts[highest] ?? 0) ? of : highest), 0);
        const isDue = (parts[most] ?? 0) > Math.max(0, popular[item] ?? 0);
        return {
          id: idOf(item),
          score: high > low ? ((scores[item] ?? 0) - low) / (high - low) : 0,
          becauseOfId: isDue ? idOf(history[most]) : "",
        };
      });
    },
    explain(liked, id) {
      const item = placeOf.get(id);
      if (item === undefined) return [];
      const history = places(liked).filter((one) => one !== item);
      weighPopularity(history);
      const parts = [...(ranker.contributions(history, [item])[0] ?? [])].map((part, at) => ({
        part,
        place: history[at] ?? 0,
      }));
      const found = [
        ...parts.map(({ part, place }) => ({ kind: "watched" as const, id: idOf(place), part })),
        { kind: "popular" as const, id: "", part: popular[item] ?? 0 },
      ].filter(({ part }) => part > 0);
      const sum = found.reduce((all, { part }) => all + part, 0);
      const reasons = found
        .toSorted((a, b) => b.part - a.part)
        .slice(0, REASONS_MAX)
        .map(({ kind, id: because, part }): Reason => ({ kind, id: because, name: "", share: part / sum }));
      const liking = new Set(history.length === 0 ? [] : [...history].flatMap((place) => [...rowOf(features, place)]));
      const shared = [...rowOf(features, item)]
        .filter((feature) => liking.has(feature))
        .map((feature) => names[feature] ?? "")
        .filter((name) => /^(genre|person):/.test(name))
        .slice(0, REASONS_MAX)
        .map((name): Reason => ({ kind: "shared", id: "", name: name.replace(/^\w+:/, ""), share: 0 }));
      return [...reasons, ...shared];
    },
  };
}

function rangeOf(values: Float64Array): readonly [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

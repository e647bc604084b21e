/**
 * How well rankers find what people liked, on ratings of films. Bars: NDCG@10 at least 1.5 times that of popularity, EASE above shrunk
 * item-kNN with an interval that excludes 0, the blend not below the best single ranker and above it for people with few ratings; all are
 * trained in 30 s, and one ranking takes 10 ms at the 99th percentile.
 *
 * Each figure is the mean of six splits, one by each person's time and five by chance, with 95 % intervals by paired bootstrap over people.
 * Settings and weights are chosen anew for each split, on a part of what is learned from; the test part decides nothing.
 *
 *   MARQUEE_TESTDATA=folder-with-ratings npm run bench -- ratings [--picture FILE]
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { blend, fitBlend } from "#learning/blend";
import { type Interval, pairedDifference, pairedRatio } from "#learning/bootstrap";
import { fitContent } from "#learning/content";
import { fitEase } from "#learning/ease";
import { fitIals } from "#learning/ials";
import { type Interactions, type Ranker, rowOf } from "#learning/interactions";
import { fitItemKnn } from "#learning/item-knn";
import { fitPopularity } from "#learning/popularity";
import { seededRandom, shuffle } from "#learning/random";
import { coverage, diversity, ndcgAt, recallAt, topK } from "#learning/ranking";
import { drawPanels, writePicture } from "./charts.ts";
import { type Measure, percentile, table, writeResults } from "./harness.ts";
import { type Order, type Ratings, readRatings, type Split, splitAgain, splitBy } from "./ratings/data.ts";

const K = 10;
const ORDERS: readonly Order[] = ["time", 1, 2, 3, 4, 5];
const FEW_RATINGS = 20;
/** A history this short is served by weights of its own, found on histories that were cut to it. */
const SHORT_HISTORY = 12;
const BLEND_ROUNDS = 20;
const SEED = 42;

type Fit = (train: Interactions) => Ranker;

/** The settings that are tried, of each ranker. */
function candidates({ features }: Ratings): Readonly<Record<string, readonly Fit[]>> {
  return {
    popularity: [fitPopularity],
    content: [() => fitContent(features)],
    "item-kNN": [50, 100, 200].flatMap((neighbours) =>
      [5, 20].map(
        (shrinkage): Fit =>
          (train) =>
            fitItemKnn(train, { neighbours, shrinkage }),
      ),
    ),
    EASE: [30, 60, 120].map(
      (regularisation): Fit =>
        (train) =>
          fitEase(train, { regularisation }),
    ),
    iALS: [0.1, 0.3].flatMap((unobservedWeight) =>
      [0.01].map(
        (regularisation): Fit =>
          (train) =>
            fitIals(
              train,
              { dimensions: 32, epochs: 8, unobservedWeight, regularisation, regularisationExponent: 1 },
              seededRandom(SEED),
            ),
      ),
    ),
  };
}

/** The first places for each person who has something to find; empty for others. */
function rank(ranker: Ranker, { train, seen, wanted }: Split): readonly (readonly number[])[] {
  const scores = new Float64Array(train.columns);
  return wanted.map((items, person) => {
    if (items.size === 0) return [];
    ranker.score(rowOf(train, person), scores);
    return topK(scores, K, (item) => seen[person]?.has(item) ?? false);
  });
}

const NOBODY: ReadonlySet<number> = new Set();
const worth = (
  lists: readonly (readonly number[])[],
  { wanted }: Split,
  metric: (list: readonly number[], wanted: ReadonlySet<number>, k: number) => number,
): Float64Array => Float64Array.from(lists, (list, person) => metric(list, wanted[person] ?? NOBODY, K));
const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

interface Result {
  readonly ndcg: Float64Array;
  readonly recall: Float64Array;
  readonly lists: readonly (readonly number[])[];
}

/** Chooses settings and weights on a part of what may be learned from, learns all of it, and ranks what was kept back. */
function examine(ratings: Ratings, order: Order): Map<string, Result> {
  const [inner, outer] = [splitAgain(ratings, order), splitBy(ratings, order)];
  const chosen = Object.entries(candidates(ratings)).map(([name, fits]) => {
    const tried = fits.map((fit) => {
      const ranker = fit(inner.train);
      return { fit, ranker, ndcg: total(worth(rank(ranker, inner), inner, ndcgAt)) };
    });
    return { name, ...tried.reduce((best, each) => (each.ndcg > best.ndcg ? each : best)) };
  });
  const rankers = chosen.map(({ ranker }) => ranker);
  const random = seededRandom(SEED);
  const options = { items: ratings.items, k: K, rounds: BLEND_ROUNDS };
  const people = inner.wanted
    .map((found, person) => ({
      history: rowOf(inner.train, person),
      seen: inner.seen[person] ?? NOBODY,
      chosen: found,
    }))
    .filter(({ chosen: found }) => found.size > 0);
  const long = fitBlend(rankers, people, options);
  const short = fitBlend(
    rankers,
    people.map((one) => ({ ...one, history: shuffle(one.history.slice(), random).slice(0, SHORT_HISTORY).sort() })),
    options,
  );
  console.log(
    `${order}: weights of ${chosen.map(({ name }) => name).join(", ")}: ${long.join(" ")}, of short histories ${short.join(" ")}`,
  );
  const final = chosen.map(({ name, fit }) => ({ name, ranker: fit(outer.train) }));
  const blended = blend(
    final.map(({ ranker }) => ranker),
    ratings.items,
    (history) => (history.length <= SHORT_HISTORY ? short : long),
  );
  return new Map(
    [...final, { name: "blend", ranker: blended }].map(({ name, ranker }) => {
      const lists = rank(ranker, outer);
      return [name, { lists, ndcg: worth(lists, outer, ndcgAt), recall: worth(lists, outer, recallAt) }];
    }),
  );
}

/** Each person's mean over the splits in which they had something to find. */
function meansOf(
  all: readonly Float64Array[],
  counted: readonly Uint8Array[],
  people: readonly number[],
): Float64Array {
  return Float64Array.from(people, (person) => {
    const own = all.filter((_, split) => counted[split]?.[person] === 1);
    return own.reduce((sum, values) => sum + (values[person] ?? 0), 0) / own.length;
  });
}

/** How long it takes to learn everything from everybody, and to rank for one. */
function timing(ratings: Ratings): readonly [trainingS: number, servingMs: number[]] {
  const { train } = splitBy(ratings, "time");
  const beganMs = performance.now();
  const rankers = Object.values(candidates(ratings)).map((fits) => (fits.at(-1) ?? fitPopularity)(train));
  const trainingS = (performance.now() - beganMs) / 1_000;
  const all = blend(rankers, ratings.items, () => new Float64Array(rankers.length).fill(1));
  const scores = new Float64Array(ratings.items);
  const takenMs = Array.from({ length: 4 * train.rows }, (_, n) => {
    const startMs = performance.now();
    all.score(rowOf(train, n % train.rows), scores);
    topK(scores, 100);
    return performance.now() - startMs;
  });
  return [trainingS, takenMs.slice(train.rows)];
}

const folder = process.env["MARQUEE_TESTDATA"];
if (folder === undefined)
  throw new Error("MARQUEE_TESTDATA is not set: it names a folder with ratings/ml-latest-small");
const ratings = await readRatings(join(folder, "ratings", "ml-latest-small"));
const splits = ORDERS.map((order) => splitBy(ratings, order));
const results = ORDERS.map((order) => examine(ratings, order));
const counted = splits.map(({ wanted }) => Uint8Array.from(wanted, (items) => Number(items.size > 0)));
const everybody = ratings.people.flatMap((_, person) => (counted.some((of) => of[person] === 1) ? [person] : []));
const few = everybody.filter((person) => (ratings.people[person]?.length ?? 0) < FEW_RATINGS);
const names = [...(results[0]?.keys() ?? [])];
const random = seededRandom(SEED);

const distance = (() => {
  const { similarity } = fitContent(ratings.features);
  return (a: number, b: number): number => 1 - similarity(a, b);
})();
const of = (name: string, people: readonly number[] = everybody, metric: "ndcg" | "recall" = "ndcg"): Float64Array =>
  meansOf(
    results.map((result) => result.get(name)?.[metric] ?? new Float64Array()),
    counted,
    people,
  );
const mean = (values: Float64Array): number => total(values) / values.length;
const listsOf = (name: string) => results.map((result) => result.get(name)?.lists ?? []);

console.log(
  `\n${everybody.length} people, ${few.length} of them with fewer than ${FEW_RATINGS} ratings, ${ratings.items} films`,
);
console.log(`${"ranker".padEnd(12)}NDCG@10  [95 %]              few     recall  coverage  diversity`);
const found: {
  readonly name: string;
  readonly ndcg: Interval;
  readonly coverage: number;
  readonly diversity: number;
}[] = [];
for (const name of names) {
  const interval = pairedDifference(of(name), new Float64Array(everybody.length), { random });
  const lists = listsOf(name);
  const shares = lists.map((own) => coverage(own, ratings.items));
  const apart = lists.map((own) => {
    const shown = own.filter((list) => list.length > 1);
    return shown.reduce((sum, list) => sum + diversity(list, distance), 0) / shown.length;
  });
  const text = (value: number): string => value.toFixed(4);
  const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  found.push({ name, ndcg: interval, coverage: average(shares), diversity: average(apart) });
  console.log(
    `${name.padEnd(12)}${text(interval.estimate)}   [${text(interval.low)}, ${text(interval.high)}]   ${text(mean(of(name, few)))}  ${text(mean(of(name, everybody, "recall")))}  ${text(average(shares))}    ${text(average(apart))}`,
  );
}

const bestOf = (people: readonly number[]): string =>
  names
    .filter((name) => name !== "blend")
    .reduce((best, name) => (mean(of(name, people)) > mean(of(best, people)) ? name : best));
const ratio = pairedRatio(of("blend"), of("popularity"), { random });
const easeRatio = pairedRatio(of("EASE"), of("popularity"), { random });
const overKnn = pairedDifference(of("EASE"), of("item-kNN"), { random });
const overBest = pairedDifference(of("blend"), of(bestOf(everybody)), { random });
const overBestFew = pairedDifference(of("blend", few), of(bestOf(few), few), { random });
const [trainingS, servingMs] = timing(ratings);
const interval = ({ low, high }: { low: number; high: number }): readonly number[] => [low, high];
const measures: readonly Measure[] = [
  {
    name: "ratings.ease.over.popularity",
    value: easeRatio.estimate,
    unit: "ratio",
    bar: 1.5,
    samples: interval(easeRatio),
  },
  { name: "ratings.blend.over.popularity", value: ratio.estimate, unit: "ratio", bar: 1.5, samples: interval(ratio) },
  { name: "ratings.ease.over.knn", value: overKnn.estimate, unit: "NDCG", bar: null, samples: interval(overKnn) },
  {
    name: "ratings.ease.over.knn.low",
    value: overKnn.low,
    unit: "NDCG",
    bar: 0,
    samples: [overKnn.low],
  },
  {
    name: `ratings.blend.over.${bestOf(everybody)}`,
    value: overBest.estimate,
    unit: "NDCG",
    bar: 0,
    samples: interval(overBest),
  },
  {
    name: `ratings.blend.over.${bestOf(few)}.few`,
    value: overBestFew.estimate,
    unit: "NDCG",
    bar: 0,
    samples: interval(overBestFew),
  },
  { name: "ratings.training", value: trainingS, unit: "s", bar: 30, better: "lower", samples: [trainingS] },
  {
    name: "ratings.serving.p99",
    value: percentile(servingMs, 0.99),
    unit: "ms",
    bar: 10,
    better: "lower",
    samples: servingMs,
  },
];
console.log(`\n${table(measures)}`);
await writeResults("ratings", measures);

const { picture } = parseArgs({ options: { picture: { type: "string" } } }).values;
const isBaseline = (name: string): boolean => name === "popularity";
const three = (value: number): string => value.toFixed(3);
const drawn = drawPanels(
  "How well rankers find what people liked",
  `${everybody.length} people, ${ratings.items} films; means over six splits, 95 % intervals by bootstrap over people`,
  [
    {
      ...{ title: "NDCG@10 of films that were kept back", shown: three },
      marks: found.map(({ name, ndcg: { estimate: value, low, high } }) => ({
        ...{ name, value, low, high, isBaseline: isBaseline(name) },
      })),
    },
    {
      ...{ title: "Films that are shown to anybody", shown: (value) => `${(100 * value).toFixed(1)} %` },
      marks: found.map(({ name, coverage: value }) => ({ name, value, isBaseline: isBaseline(name) })),
    },
    {
      ...{ title: "How unlike each other the ten films of a list are", shown: three },
      marks: found.map(({ name, diversity: value }) => ({ name, value, isBaseline: isBaseline(name) })),
    },
  ],
);
await writePicture("ratings", picture, drawn);

/**
 * What small models do for people whose tastes they do not see: the order of homes and of searches, the order of channels, and the choice of pictures, each by the
 * functions that the product runs, on people who are drawn here. Beside each what is shown without it, and what somebody would do who knew the tastes (but not what stood first).
 * Bar: better than without, with an interval over people that excludes 0.
 *
 *   node bench/orders.ts [--picture FILE]
 */
import { parseArgs } from "node:util";
import { bootstrap } from "#learning/bootstrap";
import { predictGbdt, trainGbdt } from "#learning/gbdt";
import { type Random, randomBelow, randomNormal, seededRandom } from "#learning/random";
import { rowsOf } from "#learning/table";
import { judgeLists, listsOf } from "../services/discovery/models/domain-lists.ts";
import {
  featuresOf,
  type Known,
  type KnownList,
  listsToLearn,
  NOTHING_KNOWN,
  type Order,
  ORDERS,
  orders,
} from "../services/discovery/models/domain-order.ts";
import { type Arm, chooseArtwork } from "../services/discovery/recommendation/domain-artwork.ts";
import {
  type ChannelView,
  HALF_LIFE_MS,
  orderChannels,
  quarterOf,
} from "../services/discovery/recommendation/domain-channels.ts";
import { drawPanels, type Mark, type Panel, writePicture } from "./charts.ts";
import { type Measure, table, writeResults } from "./harness.ts";

const SEED = 7;
const DAY_MS = 86_400_000;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** One of some, as likely as its weight. */
function draw(random: Random, weights: readonly number[]): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return at;
  }
  return weights.length - 1;
}

interface Compared {
  readonly measures: readonly Measure[];
  readonly panel: Panel;
}

/** What each person gets with and without, and what somebody would give them who knows their tastes. */
interface Gains {
  readonly ours: readonly number[];
  readonly without: readonly number[];
  readonly best: readonly number[];
}

function compare(name: string, title: string, unit: string, gains: Gains, ruleName: string): Compared {
  const { ours, without, best } = gains;
  const interval = bootstrap(
    ours.length,
    (at) => mean(Array.from(at, (one) => (ours[one] ?? 0) - (without[one] ?? 0))),
    {
      random: seededRandom(SEED),
    },
  );
  const { estimate, low, high } = interval;
  console.log(
    `${name}: ${mean(ours).toFixed(3)}, without ${mean(without).toFixed(3)}, at best ${mean(best).toFixed(3)}; above by ${estimate.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}), ${ours.length} people`,
  );
  const marks: Mark[] = [
    { name: "ours", value: mean(ours) },
    { name: ruleName, value: mean(without), isBaseline: true },
    { name: "who knows the tastes", value: mean(best), isBaseline: true },
  ];
  return {
    measures: [
      { name: `${name}.ours`, value: mean(ours), unit, bar: null, samples: ours },
      { name: `${name}.without`, value: mean(without), unit, bar: null, samples: without },
      { name: `${name}.above.low`, value: low, unit, bar: 0.0001, samples: [low, estimate, high] },
    ],
    panel: { title, marks, shown: (value) => value.toFixed(3) },
  };
}

const [PEOPLE, LISTS, TITLES, SHOWN] = [400, 12, 200, 12];
/** How likely somebody looks at a place at all, as the field's click models have it: the second half as seldom as a third of the first. */
const looksAt = (place: number): number => 1 / (1 + place / 4);

/** Lists that people choose from by tastes, and by what stands first. */
function order(name: Order): Compared {
  const random = seededRandom(SEED);
  const titles = range(TITLES).map((at) => ({
    id: `t${at}`,
    genre: randomBelow(random, 6),
    year: 1980 + randomBelow(random, 45),
    trend: randomNormal(random),
    score: randomNormal(random),
  }));
  const titleKnown = ({ genre, year, trend }: (typeof titles)[number]): Known => ({
    number: (of) => ({ "content_metadata:year": year, "content_popularity:trend": trend })[of] ?? Number.NaN,
    word: (of) => (of === "content_metadata:primary_genre" ? `Genre ${genre}` : ""),
  });
  const lists: KnownList[] = [];
  const worth = new Map<string, number>();
  for (const person of range(PEOPLE)) {
    const shares = range(6).map(() => random() ** 3);
    const all = shares.reduce((sum, share) => sum + share, 0);
    const viewer: Known = {
      number: (of) => {
        const at = /^user_genre_preferences:share_genre_(\d)$/.exec(of)?.[1];
        return at === undefined ? Number.NaN : (shares[Number(at)] ?? 0) / all;
      },
      word: () => "",
    };
    for (const number of range(LISTS)) {
      const shown = range(SHOWN)
        .map(() => titles[randomBelow(random, TITLES)])
        .filter((title) => title !== undefined)
        .toSorted((a, b) => b.score - a.score);
      const likes = shown.map(({ genre, year, trend, score }) => {
        const taste = name === "home-order" ? (3 * (shares[genre] ?? 0)) / all : 0;
        return Math.exp(taste * 2 + (year - 2000) / 20 + 0.8 * trend + 0.3 * score);
      });
      const chosen = draw(
        random,
        likes.map((like, place) => like * looksAt(place)),
      );
      const listed = shown.map(({ id, score }, rank) => ({ contentId: id, score, nearness: Number.NaN, rank }));
      const listId = `${person}/${number}`;
      for (const [place, like] of likes.entries()) worth.set(`${lists.length}/${place}`, like);
      const known = { titles: shown.map(titleKnown), viewer: name === "home-order" ? viewer : NOTHING_KNOWN };
      const positions = range(shown.length);
      lists.push({
        ...{ listId, userId: `u${person}`, profileId: `p${person}`, atMs: number * DAY_MS, segment: "all" },
        titles: listed,
        chosen: new Set([shown[chosen]?.id ?? ""]),
        rows: featuresOf(name, { titles: listed, positions, atMs: number * DAY_MS }, known),
      });
    }
  }
  const { table: rows, labels, isTest, rule, lists: own } = listsToLearn(name, lists);
  if (!own) throw new Error("these are lists");
  const [training, judged] = [false, true].map((side) => [...isTest.keys()].filter((row) => isTest[row] === side));
  const labelsOf = (of: readonly number[] = []) => Float32Array.from(of, (row) => labels[row] ?? 0);
  const model = trainGbdt(rowsOf(rows, training ?? []), labelsOf(training), orders[name].options);
  const scores = predictGbdt(model, rowsOf(rows, judged ?? []));
  const of = listsOf(own, judged ?? []);
  const gainsOf = (by: ArrayLike<number>) => judgeLists(by, labelsOf(judged), of, [...(judged ?? []).keys()]).people;
  const places = judged?.map((row) => worth.get(`${own.of[row] ?? 0}/${row % SHOWN}`) ?? 0) ?? [];
  const gains = {
    ours: gainsOf(scores),
    without: gainsOf((judged ?? []).map((row) => rule[row] ?? 0)),
    best: gainsOf(places),
  };
  const what = name === "home-order" ? "homes" : "searches";
  return compare(name, `Order of ${what}: NDCG@10 of what was chosen`, "NDCG", gains, "the present order");
}

const [CHANNELS, DAYS, VIEWS_A_DAY] = [40, 28, 3];

/** Habits by the time of day; the last week is what is judged. */
function channels(): Compared {
  const random = seededRandom(SEED);
  const ours: number[] = [];
  const without: number[] = [];
  const best: number[] = [];
  for (const _ of range(200)) {
    const habits = range(4).map(() => range(CHANNELS).map(() => random() ** 12));
    const views = new Map<string, ChannelView>();
    const ranks = { ours: [] as number[], without: [] as number[], best: [] as number[] };
    for (const day of range(DAYS))
      for (const view of range(VIEWS_A_DAY)) {
        const atMs = day * DAY_MS + view * 8 * 3_600_000 + randomBelow(random, 8 * 3_600_000);
        const quarter = quarterOf(atMs);
        const weights = habits[quarter] ?? [];
        const watched = draw(random, weights);
        if (day >= DAYS - 7) {
          const known = orderChannels([...views.values()], atMs).map(Number);
          const shown = [...known, ...range(CHANNELS).filter((channel) => !known.includes(channel))];
          const likely = range(CHANNELS).toSorted((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
          ranks.ours.push(1 / (shown.indexOf(watched) + 1));
          ranks.without.push(1 / (watched + 1));
          ranks.best.push(1 / (likely.indexOf(watched) + 1));
        }
        const key = `${watched}/${quarter}`;
        const before = views.get(key);
        const kept = before ? before.seconds * 2 ** (-(atMs - before.lastAtMs) / HALF_LIFE_MS) : 0;
        const seconds = kept + 600 + randomBelow(random, 3_600);
        views.set(key, { channelId: String(watched), quarter, seconds, lastAtMs: atMs });
      }
    ours.push(mean(ranks.ours));
    without.push(mean(ranks.without));
    best.push(mean(ranks.best));
  }
  const title = "Order of channels: reciprocal rank of the one that is watched next, after three weeks";
  return compare("channels", title, "MRR", { ours, without, best }, "by number");
}

const [PICTURES, TASTES, ROUNDS] = [4, 3, 12];

/** Pictures that people of three tastes follow more or less; what is judged is how likely each would go to a title, in the last third of the time. */
function artwork(): Compared {
  const random = seededRandom(SEED);
  const films = range(30).map((at) => ({
    id: `f${at}`,
    keys: range(PICTURES).map((key) => `f${at}/${key}`),
    rates: range(TASTES).map(() => range(PICTURES).map(() => 0.03 + 0.15 * random() ** 2)),
  }));
  const arms = new Map<string, Arm>();
  const people = range(600).map((at) => ({ id: `p${at}`, taste: at % TASTES, ours: [0], without: [0], best: [0] }));
  for (const person of people) [person.ours, person.without, person.best] = [[], [], []];
  for (const round of range(ROUNDS))
    for (const { id: profileId, taste, ours, without, best } of people)
      for (const { id: contentId, keys, rates } of films.filter(() => random() < 0.2)) {
        const wish = { profileId: `${profileId}/${round}`, contentId, keys, taste: String(taste) };
        const own = keys.flatMap((key) => range(TASTES).flatMap((one) => arms.get(`${key}/${one}`) ?? []));
        const key = chooseArtwork(wish, own);
        const own_ = rates[taste] ?? [];
        const rate = own_[keys.indexOf(key)] ?? 0;
        const name = `${key}/${taste}`;
        const before = arms.get(name) ?? { contentId, key, taste: String(taste), shown: 0, chosen: 0 };
        arms.set(name, { ...before, shown: before.shown + 1, chosen: before.chosen + Number(random() < rate) });
        if (round < (2 * ROUNDS) / 3) continue;
        ours.push(rate);
        without.push(own_[0] ?? 0);
        best.push(Math.max(...own_));
      }
  const of = (pick: (one: (typeof people)[number]) => readonly number[]) => people.map((one) => mean(pick(one)));
  const gains = { ours: of(({ ours }) => ours), without: of(({ without }) => without), best: of(({ best }) => best) };
  const title = "Pictures: how likely people go to a title that they are shown";
  return compare("artwork", title, "chance", gains, "the editor’s picture");
}

const { picture } = parseArgs({ options: { picture: { type: "string" } } }).values;
const all = [...ORDERS.map(order), channels(), artwork()];
const measures = all.flatMap((one) => one.measures);
console.log(`\n${table(measures)}`);
await writeResults("orders", measures);
const about = "people who are drawn here, with tastes that no model sees; each judged on what it was not trained on";
await writePicture(
  "orders",
  picture,
  drawPanels(
    "What small models do",
    about,
    all.map(({ panel }) => panel),
  ),
);

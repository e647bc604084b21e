/**
 * Homes of 200 personas with tastes that no model sees, on real engines with 2,000 titles of metadata: NDCG@20 of what they are shown, by what they
 * would like best, beside what is popular; round by round, as they watch. Bar: above popularity in the last round, with an interval that excludes 0.
 *
 * A persona looks at its home, or at times hears of a title elsewhere, and chooses by its taste, sooner what stands further ahead. How long it stays
 * follows from its taste too. Titles say little of what they are: a genre is right three times in four. The encoder and the player are stood in for;
 * what they say goes the product's way: events, consumers, training, sets, rails.
 *
 *   npm run bench -- homes [rounds]
 */
import { Catalog } from "#contracts/catalog";
import { Profile } from "#contracts/profile";
import { Recommendation } from "#contracts/recommendation";
import { Session } from "#contracts/session";
import { User } from "#contracts/user";
import { type Db, defineService, problem, type Viewer } from "#kernel";
import { pairedDifference } from "#learning/bootstrap";
import { type Random, randomBelow, randomNormal, seededRandom } from "#learning/random";
import { ndcgAt, topK } from "#learning/ranking";
import catalog from "../services/content/catalog/service.ts";
import recommendation from "../services/discovery/recommendation/service.ts";
import profile from "../services/identity/profile/service.ts";
import tenant from "../services/identity/tenant/service.ts";
import user from "../services/identity/user/service.ts";
import { startTestHost, type TestHost } from "../tests/host.ts";
import { openStudio } from "../tests/playback/setup.ts";
import { type Measure, table, writeResults } from "./harness.ts";

const TITLES = 2_000;
const PERSONAS = 200;
const ROUNDS = Number(process.argv[2] ?? 10);
const WATCHED_A_ROUND = 2;
const FACTORS = 8;
const K = 20;
/** So many of all titles are the ones that a persona would like best. */
const BEST = 100;
const HEARD_ELSEWHERE = 0.3;
const GENRE_IS_RIGHT = 0.75;
const DURATION_S = 6_000;
const AT_ONCE = 50;
const SEED = 11;

const random = seededRandom(SEED);
const idOf = (title: number): string => `t${title}`;
const placeOf = (id: string): number => Number(id.slice(1));

/** What nobody but this file knows: what titles are, and who likes what. */
const mainOf = Array.from({ length: TITLES }, () => randomBelow(random, FACTORS));
const titles = mainOf.map((main) => ({
  factors: Array.from({ length: FACTORS }, (_, factor) => (factor === main ? 1 : 0) + 0.3 * randomNormal(random)),
  quality: randomNormal(random),
}));
const tastes = Array.from({ length: PERSONAS }, () => {
  const likes = Array.from({ length: FACTORS }, () => 0.3 * randomNormal(random));
  for (let n = 0; n < 2; n++) likes[randomBelow(random, FACTORS)] = 1.5;
  return Float64Array.from(
    titles,
    ({ factors, quality }) => factors.reduce((sum, value, at) => sum + value * (likes[at] ?? 0), 0) + 0.4 * quality,
  );
});

/** One of some titles: sooner what is liked more and stands further ahead. */
function choose(shown: readonly number[], taste: Float64Array, chance: Random): number | undefined {
  const weights = shown.map((title, at) => Math.exp(2 * (taste[title] ?? 0)) / (1 + at / 5));
  let left = chance() * weights.reduce((sum, weight) => sum + weight, 0);
  return shown.find((_, at) => (left -= weights[at] ?? 0) <= 0);
}

const never = async (): Promise<never> => {
  throw problem.unavailable("nothing is played in this bench");
};
let player: Db<typeof Session>;
const studio = openStudio();
const session = defineService({
  contract: Session,
  uses: {},
  slo: { p99Ms: 1, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: ({ db }) => (player = db),
  rpc: () => Object.fromEntries(Session.rpc.methods.map(({ localName }) => [localName, never])) as never,
  ready: async () => {},
});

/** Runs `work` for all numbers below `count`, some at a time. */
async function forAll(count: number, work: (n: number) => Promise<void>): Promise<void> {
  for (let at = 0; at < count; at += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, n) => work(at + n)));
}

async function openCinema(host: TestHost): Promise<Viewer[]> {
  await forAll(TITLES, async (title) => {
    const main = random() < GENRE_IS_RIGHT ? (mainOf[title] ?? 0) : randomBelow(random, FACTORS);
    const facts = { id: idOf(title), kind: "film", title: `Title ${title}`, genres: [`Genre ${main}`] };
    await host
      .client(Catalog, "bench")
      .add({ title: { ...facts, tierMin: "basic", publication: "published" } }, host.context());
    await studio.complete(idOf(title), DURATION_S);
  });
  const viewers: Viewer[] = [];
  await forAll(PERSONAS, async (n) => {
    const email = `persona-${n}@mail.example`;
    const { user: made } = await host
      .client(User, "bench")
      .create({ email, name: "Persona", language: "en" }, host.context());
    viewers[n] = { userId: made?.id ?? "", profileId: "", tier: "basic", deviceId: "tv", entitlements: [] };
  });
  await host.settled();
  await forAll(PERSONAS, async (n) => {
    const { userId = "" } = viewers[n] ?? {};
    const { profiles } = await host.client(Profile, "bench").list({ userId }, host.context());
    viewers[n] = { userId, profileId: profiles[0]?.id ?? "", tier: "basic", deviceId: "tv", entitlements: [] };
  });
  return viewers;
}

/** What a persona is shown, in the order of the page, and whether what is popular stood in for something. */
async function homeOf(
  host: TestHost,
  viewer: Viewer,
): Promise<{ readonly shown: number[]; readonly partial: boolean }> {
  const context = host.context({ viewer });
  const { rails, partial } = await host.client(Recommendation, "bench").home({ profileId: viewer.profileId }, context);
  return { shown: [...new Set(rails.flatMap(({ contentIds }) => contentIds.map(placeOf)))], partial };
}

async function watch({ userId, profileId }: Viewer, title: number, taste: number): Promise<void> {
  const share = 1 / (1 + Math.exp(-2 * (taste - 1)));
  const stopped = { userId, profileId, contentId: idOf(title), sessionId: `ses-${profileId}-${title}`, deviceId: "tv" };
  const times = { startedAtMs: Date.now(), endedAtMs: Date.now() + 1, sequence: 1, presentedS: -1 };
  await player.tx({ tenant: "demo" }, async (tx) =>
    tx.emit("stopped", {
      ...{ ...stopped, ...times, deviceType: "tv", reason: "asked" },
      ...{ positionS: share * DURATION_S, durationS: DURATION_S },
    }),
  );
}

const host = await startTestHost({
  services: [tenant, user, profile, catalog, studio.service, session, recommendation],
  roundTrip: false,
});
try {
  const viewers = await openCinema(host);
  const watched = viewers.map(() => new Set<number>());
  const fans = new Float64Array(TITLES);
  const newest = Array.from({ length: K }, (_, n) => TITLES - 1 - n);
  let last = { own: new Float64Array(), popular: new Float64Array(), homes: [] as number[][] };
  console.log("round  home    popular  difference [95 %]           partial");
  for (let round = 0; round <= ROUNDS; round++) {
    const homes: number[][] = [];
    let partials = 0;
    await forAll(PERSONAS, async (n) => {
      const viewer = viewers[n];
      if (!viewer) return;
      const { shown, partial } = await homeOf(host, viewer);
      homes[n] = shown;
      if (partial) partials++;
    });
    const worth = (list: readonly number[], n: number): number => {
      const taste = (tastes[n] ?? new Float64Array()).slice();
      const best = topK(taste, BEST, (title) => watched[n]?.has(title) ?? false);
      return ndcgAt(list, new Set(best), K);
    };
    const own = Float64Array.from(homes, (list, n) => worth(list, n));
    const popular = Float64Array.from(homes, (_, n) =>
      worth(
        topK(fans, K, (title) => watched[n]?.has(title) ?? false),
        n,
      ),
    );
    last = { own, popular, homes };
    const { estimate, low, high } = pairedDifference(own, popular, { random });
    const mean = (values: Float64Array): string =>
      (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(4);
    console.log(
      `${String(round).padEnd(7)}${mean(own)}  ${mean(popular)}   ${estimate.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]  ${partials}`,
    );
    if (round === ROUNDS) break;
    for (const [n, viewer] of viewers.entries()) {
      const taste = tastes[n] ?? new Float64Array();
      for (let time = 0; time < WATCHED_A_ROUND; time++) {
        const all =
          random() < HEARD_ELSEWHERE
            ? Array.from({ length: K }, () => randomBelow(random, TITLES))
            : [...(homes[n] ?? []), ...newest];
        const title = choose(
          all.filter((one) => !watched[n]?.has(one)),
          taste,
          random,
        );
        if (title === undefined) continue;
        watched[n]?.add(title);
        fans[title] = (fans[title] ?? 0) + 1;
        await watch(viewer, title, taste[title] ?? 0);
      }
    }
    await host.settled();
    await host.client(Recommendation, "bench").train({}, host.context());
  }
  const gain = pairedDifference(last.own, last.popular, { random });
  const alike = last.homes.slice(1).map((home, n) => {
    const [a, b] = [new Set(home.slice(0, K)), new Set((last.homes[n] ?? []).slice(0, K))];
    return a.intersection(b).size / a.union(b).size;
  });
  const measures: readonly Measure[] = [
    { name: "homes.over.popularity", value: gain.estimate, unit: "NDCG", bar: null, samples: [gain.low, gain.high] },
    { name: "homes.over.popularity.low", value: gain.low, unit: "NDCG", bar: 0, samples: [gain.low] },
    {
      ...{ name: "homes.alike", value: alike.reduce((sum, value) => sum + value, 0) / alike.length, unit: "Jaccard" },
      ...{ bar: 0.5, better: "lower" as const, samples: alike },
    },
  ];
  console.log(`\n${table(measures)}`);
  await writeResults("homes", measures);
} finally {
  await host.stop();
}

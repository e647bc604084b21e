// What people get while something is away: an answer in time, marked as partial, and the whole again as soon as it is back.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { LRUCache } from "lru-cache";
import { problem, systemContext } from "#kernel";
import { silentLogger } from "#kernel/telemetry";
import type { Past, Title } from "./domain.ts";
import { home } from "./home.ts";
import { openModel, openModels } from "./models.ts";
import type { Parts } from "./parts.ts";

const ANSWER_MS_MAX = 200;
const titles: readonly Title[] = ["a", "b", "c", "d"].map((id, at) => ({
  ...{ id, genres: [at < 2 ? "Space" : "Love"], ageRating: id === "b" ? 16 : 0, addedAtMs: 0, fans: 10 - at },
}));
const past: Past = {
  isPersonalised: true,
  watched: [{ id: "a", stage: 2 }],
  ...{ opinions: new Map(), exposures: new Map() },
};
const hangs = (): Promise<never> => new Promise(() => {});
const viewer = { userId: "u", profileId: "p", tier: "basic", deviceId: "d", entitlements: [] };
const context = { ...systemContext("demo", "test"), viewer };

/** The service's parts, of which each can be taken away. */
function openParts(take: Partial<Record<"model" | "cache" | "past" | "profile", () => Promise<never>>>) {
  const model = {
    ...{ report: {} as never, trainedAtMs: 5, isOpen: () => true, explain: hangs, close: () => undefined },
    recommend: async () => ["d", "c"].map((id) => ({ id, score: 1, becauseOfId: "a" })),
  };
  const parts = {
    clock: { nowMs: () => 0 },
    logger: silentLogger,
    homes: new LRUCache({ max: 10, ttl: 30_000 }),
    told: new LRUCache({ max: 10 }),
    tell: () => undefined,
    ...{ composed: () => undefined, shown: () => undefined },
    shelves: { of: async () => ({ titles, byId: new Map(titles.map((title) => [title.id, title])) }) },
    db: { read: () => (take.past ?? (async () => past))() },
    cache: { get: () => (take.cache ?? (async () => undefined))(), set: async () => undefined },
    call: {
      profile: { get: () => (take.profile ?? (async () => ({ profile: { userId: "u", ageRatingMax: 18 } })))() },
    },
    models: { load: () => (take.model ?? (async () => model))() },
  };
  return parts as unknown as Parts;
}

/** The rails, where they are there when so much time has passed. */
async function inTime(parts: Parts) {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let answer: Awaited<ReturnType<typeof home>> | undefined;
    void home(parts, { profileId: "p" }, context).then((found) => (answer = found));
    for (let waitedMs = 0; waitedMs < ANSWER_MS_MAX && !answer; waitedMs += 10) {
      mock.timers.tick(10);
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
    return answer;
  } finally {
    mock.timers.reset();
  }
}

test("with everything at hand a home is whole", async () => {
  const found = await inTime(openParts({}));
  assert.equal(found?.partial, false);
  assert.deepEqual(found.rails[0]?.contentIds, ["d", "c"]);
});

const refuses = async (): Promise<never> => {
  throw problem.unavailable("away");
};
for (const part of ["model", "past", "profile"] as const) {
  for (const [how, away] of [
    ["hangs", hangs],
    ["refuses", refuses],
  ] as const)
    test(`where the ${part} ${how}, what is popular comes within ${ANSWER_MS_MAX} ms, and the mark`, async () => {
      const take: Parameters<typeof openParts>[0] = { [part]: away };
      const parts = openParts(take);
      const found = await inTime(parts);
      assert.equal(found?.partial, true);
      const popular = found.rails.find(({ kind }) => kind === "popular");
      assert.ok((popular?.contentIds.length ?? 0) > 0);
      // Nobody's age is known without the profile: what is not for everybody is not shown.
      if (part === "profile") assert.ok(!found.rails.some(({ contentIds }) => contentIds.includes("b")));
      delete take[part];
      parts.homes.clear();
      assert.equal((await inTime(parts))?.partial, false, "it comes back without a restart");
    });
}

test("a cache that hangs costs a moment and no more", async () => {
  const found = await inTime(openParts({ cache: hangs }));
  assert.equal(found?.partial, false);
});

test("a model whose worker died is made anew for the next one who asks", async () => {
  const set = {
    titles: titles.map(({ id, genres, ageRating }) => ({ id, features: genres, ageRating })),
    histories: [[0, 1]],
  };
  let made = 0;
  const models = openModels(() => openModel(set, ++made));
  const [first, same] = await Promise.all([models.load("demo"), models.load("demo")]);
  assert.equal(first, same);
  const wish = { liked: ["a"], excluded: [], ageRatingMax: 18, count: 2 };
  assert.equal((await first.recommend(wish))[0]?.id, "b");
  first.close();
  await assert.rejects(first.recommend(wish));
  const second = await models.load("demo");
  assert.equal(second.trainedAtMs, 2);
  assert.equal((await second.recommend(wish)).length, 2);
  models.close();
});

// Home recommendations: the model's rails, and without it what is popular in the genres that a profile likes, marked. Time is the test's own.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { LRUCache } from "lru-cache";
import { problem, systemContext } from "#kernel";
import { silentLogger } from "#kernel/telemetry";
import { BUDGET_MS } from "./load.ts";
import type { Past, Title } from "../../services/discovery/recommendation/domain.ts";
import { home } from "../../services/discovery/recommendation/home.ts";
import type { Parts } from "../../services/discovery/recommendation/parts.ts";

const ASKERS = 40;
const TICK_MS = 5;
const titles: readonly Title[] = ["a", "b", "c", "d"].map((id, at) => ({
  ...{ id, genres: [at < 2 ? "Space" : "Love"], ageRating: id === "b" ? 16 : 0, addedAtMs: 0, fans: 10 - at },
}));
const past: Past = {
  isPersonalised: true,
  watched: [{ id: "a", stage: 2 }],
  ...{ opinions: new Map(), exposures: new Map() },
};
const hangs = (): Promise<never> => new Promise(() => {});
const contextOf = (profileId: string) => ({
  ...systemContext("demo", "test"),
  viewer: { userId: "u", profileId, tier: "basic", deviceId: "d", entitlements: [] },
});

/** The service's parts, of which each can be taken away. */
type Part = "model" | "cache" | "past" | "profile" | "order";
/** By this clock the service knows how long its parts have taken. */
const time = { nowMs: 0 };
/** The model of orders puts them the other way round. */
const reversed = async ({ titles: listed }: { readonly titles: readonly unknown[] }) => ({
  scores: listed.map((_, at) => at),
  partial: false,
});

function openParts(take: Partial<Record<Part, () => Promise<never>>>, isOrdered = true) {
  const model = {
    ...{ report: {} as never, trainedAtMs: 5, isOpen: () => true, explain: hangs, close: () => undefined },
    recommend: async () => ["d", "c"].map((id) => ({ id, score: 1, becauseOfId: "a" })),
  };
  const parts = {
    clock: { nowMs: () => time.nowMs },
    config: { MARQUEE_ORDER_DEADLINE_MS: 60 },
    isOrdered: () => isOrdered,
    logger: silentLogger,
    homes: new LRUCache({ max: 10, ttl: 30_000 }),
    told: new LRUCache({ max: 10 }),
    tell: () => undefined,
    ...{ composed: () => undefined, shown: () => undefined },
    shelves: { of: async () => ({ titles, byId: new Map(titles.map((title) => [title.id, title])) }) },
    db: { read: () => (take.past ?? (async () => past))() },
    cache: { get: () => (take.cache ?? (async () => undefined))(), set: async () => undefined },
    call: {
      models: {
        order: (request: { readonly titles: readonly unknown[] }) => (take.order ?? (() => reversed(request)))(),
      },
      profile: { get: () => (take.profile ?? (async () => ({ profile: { userId: "u", ageRatingMax: 18 } })))() },
    },
    models: { load: () => (take.model ?? (async () => model))() },
  };
  return parts as unknown as Parts;
}

/** What forty profiles got, one of whom begins to ask every five milliseconds, and how long each waited, by a clock that only the test moves. */
async function underLoad(parts: Parts, visit: string) {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const answers: { readonly answer: Awaited<ReturnType<typeof home>>; readonly waitedMs: number }[] = [];
    let nowMs = 0;
    time.nowMs = 0;
    for (let asked = 0; answers.length < ASKERS && nowMs < 10 * BUDGET_MS; nowMs += TICK_MS) {
      if (asked < ASKERS) {
        const [profileId, startedMs] = [`${visit}-${asked}`, nowMs];
        asked += 1;
        void home(parts, { profileId }, contextOf(profileId)).then((answer) =>
          answers.push({ answer, waitedMs: nowMs - startedMs }),
        );
      }
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      mock.timers.tick(TICK_MS);
      time.nowMs = nowMs + TICK_MS;
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
    assert.equal(answers.length, ASKERS, "everybody was answered");
    return answers;
  } finally {
    mock.timers.reset();
  }
}

test("home: with everything at hand all homes are whole", async () => {
  const answers = await underLoad(openParts({}), "whole");
  for (const { answer } of answers) {
    assert.equal(answer.partial, false);
    assert.deepEqual(answer.rails[0]?.contentIds, ["c", "d"], "as the model of orders has them");
  }
});

test("home: where no model of orders is served, none is asked, and nothing is missing", async () => {
  const asked = mock.fn(hangs);
  for (const { answer, waitedMs } of await underLoad(openParts({ order: asked }, false), "unordered")) {
    assert.deepEqual([answer.partial, answer.rails[0]?.contentIds, waitedMs], [false, ["d", "c"], 0]);
  }
  assert.equal(asked.mock.callCount(), 0);
});

const refuses = async (): Promise<never> => {
  throw problem.unavailable("away");
};
for (const part of ["model", "past", "profile"] as const)
  for (const [how, away] of [
    ["hangs", hangs],
    ["refuses", refuses],
  ] as const)
    test(`home: where the ${part} ${how}, what is popular comes within ${BUDGET_MS} ms, marked, and the model again without a restart`, async (t) => {
      const take: Parameters<typeof openParts>[0] = { [part]: away };
      const parts = openParts(take);
      const answers = await underLoad(parts, "away");
      const waits = answers.map(({ waitedMs }) => waitedMs);
      t.diagnostic(
        `home, ${part} ${how}: ${ASKERS} answers after ${Math.max(...waits)} ms at most; budget ${BUDGET_MS} ms`,
      );
      assert.ok(Math.max(...waits) <= BUDGET_MS, waits.join(" "));
      for (const { answer } of answers) {
        assert.equal(answer.partial, true);
        const popular = answer.rails.find(({ kind }) => kind === "popular");
        assert.ok((popular?.contentIds.length ?? 0) > 0);
        // Nobody's age is known without the profile: what is not for everybody is not shown.
        if (part === "profile") assert.ok(!answer.rails.some(({ contentIds }) => contentIds.includes("b")));
      }
      delete take[part];
      for (const { answer } of await underLoad(parts, "back")) assert.equal(answer.partial, false);
    });

test("home: a cache that hangs costs a moment and no more", async () => {
  for (const { answer, waitedMs } of await underLoad(openParts({ cache: hangs }), "cacheless")) {
    assert.equal(answer.partial, false);
    assert.ok(waitedMs <= BUDGET_MS, `${waitedMs} ms`);
  }
});

for (const [how, away] of [
  ["hangs", hangs],
  ["refuses", refuses],
] as const)
  test(`home: where the model of orders ${how}, the blend's own order comes, marked, and the model's again without a restart`, async () => {
    const take: Parameters<typeof openParts>[0] = { order: away };
    const parts = openParts(take);
    for (const { answer, waitedMs } of await underLoad(parts, "away")) {
      assert.ok(waitedMs <= BUDGET_MS, `${waitedMs} ms`);
      assert.deepEqual([answer.partial, answer.rails[0]?.contentIds], [true, ["d", "c"]]);
    }
    delete take.order;
    for (const { answer } of await underLoad(parts, "back"))
      assert.deepEqual([answer.partial, answer.rails[0]?.contentIds], [false, ["c", "d"]]);
  });

test(`home: however slow each part is, ${BUDGET_MS} ms are enough`, async () => {
  const parts = openParts({ order: hangs });
  const slow =
    <T>(work: () => Promise<T>) =>
    () =>
      new Promise<void>((resolve) => setTimeout(resolve, 85)).then(work);
  const { db, models } = parts;
  Object.assign(parts, {
    db: { read: slow(() => db.read({ tenant: "demo" }, async () => past)) },
    models: { load: slow(() => models.load("demo")) },
  });
  for (const { answer, waitedMs } of await underLoad(parts, "slow")) {
    assert.ok(waitedMs <= BUDGET_MS, `${waitedMs} ms`);
    assert.deepEqual([answer.partial, answer.rails[0]?.contentIds], [true, ["d", "c"]]);
  }
});

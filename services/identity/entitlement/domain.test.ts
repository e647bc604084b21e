import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decide,
  difference,
  entitlementsOf,
  type Plan,
  type Reason,
  type Rules,
  tierOf,
  type Watcher,
} from "./domain.ts";

const PLANS: readonly Plan[] = [
  { tier: "basic", label: "Basic", streamsMax: 2 },
  { tier: "premium", label: "Premium", streamsMax: 4 },
];
const NOW = Date.parse("2026-06-01T12:00:00Z");
const HOUR = 3_600_000;
const film: Rules = {
  contentId: "f",
  kind: "film",
  parentId: "",
  isPublished: true,
  ageRating: 12,
  tierMin: "basic",
  markets: [],
  fromMs: 0,
  untilMs: 0,
};
const adult: Watcher = { tier: "basic", ageRatingMax: 18, market: "" };

test("one rule after another", () => {
  const cases: readonly (readonly [string, Partial<Rules>, Partial<Watcher>, Reason])[] = [
    ["nothing stands in the way", {}, {}, ""],
    ["no tier said", { tierMin: "" }, {}, ""],
    ["not published", { isPublished: false }, {}, "unknown"],
    ["the window opens later", { fromMs: NOW + 1 }, {}, "window"],
    ["the window opens now", { fromMs: NOW }, {}, ""],
    ["the window closes now", { untilMs: NOW }, {}, "window"],
    ["the window is open", { fromMs: NOW - HOUR, untilMs: NOW + 1 }, {}, ""],
    ["sold there", { markets: ["DE", "AT"] }, { market: "AT" }, ""],
    ["sold elsewhere", { markets: ["DE", "AT"] }, { market: "FR" }, "market"],
    ["nobody knows where they are", { markets: ["DE"] }, {}, "market"],
    ["old enough", {}, { ageRatingMax: 12 }, ""],
    ["too young", {}, { ageRatingMax: 6 }, "age"],
    ["the plan is too small", { tierMin: "premium" }, {}, "tier"],
    ["the plan is big enough", { tierMin: "premium" }, { tier: "premium" }, ""],
    ["a big plan opens small titles", {}, { tier: "premium" }, ""],
    ["a plan that nobody sells opens nothing", {}, { tier: "gold" }, "tier"],
    ["a title of no plan", { tierMin: "gold" }, { tier: "premium" }, "tier"],
    [
      "a trailer is for every plan, market and time",
      { kind: "trailer", tierMin: "premium", markets: ["FR"], untilMs: 1 },
      {},
      "",
    ],
    ["but not for every age", { kind: "trailer", ageRating: 18 }, { ageRatingMax: 12 }, "age"],
    ["what nobody can change is told first", { fromMs: NOW + 1, tierMin: "premium" }, { ageRatingMax: 0 }, "window"],
    ["age before money", { tierMin: "premium" }, { ageRatingMax: 0 }, "age"],
  ];
  for (const [what, rules, watcher, reason] of cases) {
    const decision = decide({ ...film, ...rules }, undefined, { ...adult, ...watcher }, PLANS, NOW);
    assert.equal(decision.reason, reason, what);
    assert.equal(decision.allowed, reason === "", what);
    assert.equal(decision.message === "", decision.allowed, what);
  }
});

test("what closes a series closes its episodes", () => {
  const episode: Rules = { ...film, contentId: "e", kind: "episode", parentId: "s", ageRating: 0 };
  const series: Rules = { ...film, contentId: "s", kind: "series" };
  const reasonOf = (parent: Partial<Rules>): Reason =>
    decide(episode, { ...series, ...parent }, { ...adult, ageRatingMax: 12 }, PLANS, NOW).reason;
  assert.equal(reasonOf({}), "");
  assert.equal(reasonOf({ isPublished: false }), "unknown");
  assert.equal(reasonOf({ untilMs: NOW }), "window");
  assert.equal(reasonOf({ markets: ["FR"] }), "market");
  assert.equal(reasonOf({ ageRating: 16 }), "age");
  assert.equal(reasonOf({ tierMin: "premium" }), "tier");
});

test("a refusal says what would unlock the title", () => {
  const message = (rules: Partial<Rules>, watcher: Partial<Watcher> = {}): string =>
    decide({ ...film, ...rules }, undefined, { ...adult, ...watcher }, PLANS, NOW).message;
  assert.match(message({ tierMin: "premium" }), /Premium plan/);
  assert.match(message({ fromMs: Date.parse("2026-12-24T00:00:00Z") }), /24 December 2026|December 24, 2026/);
  assert.match(message({ ageRating: 16 }, { ageRatingMax: 12 }), /rated 16/);
});

test("a plan opens what the smaller ones do, and grants lead back to it", () => {
  assert.deepEqual(entitlementsOf("basic", PLANS), ["tier:basic"]);
  assert.deepEqual(entitlementsOf("premium", PLANS), ["tier:basic", "tier:premium"]);
  assert.deepEqual(entitlementsOf("gold", PLANS), []);
  for (const { tier } of PLANS) assert.equal(tierOf(entitlementsOf(tier, PLANS), PLANS), tier);
  assert.equal(tierOf([], PLANS), "basic");
});

test("what is granted and revoked turns one set into the other", () => {
  const set = fc.uniqueArray(fc.constantFrom<string>("a", "b", "c", "d", "e"));
  fc.assert(
    fc.property(set, set, (before, after) => {
      const { granted, revoked } = difference(before, after);
      const made = [...before.filter((one) => !revoked.includes(one)), ...granted];
      assert.deepEqual(made.toSorted(), after.toSorted());
      assert.ok(granted.every((one) => !before.includes(one)));
    }),
  );
});

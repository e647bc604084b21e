import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  arrange,
  excludedOf,
  fatigueOf,
  featuresOf,
  likedOf,
  opinionOf,
  ownRails,
  type Past,
  popularFor,
  STAGES,
  stageOf,
  type Title,
} from "./domain.ts";

const DAY_MS = 86_400_000;
const nowMs = 1_000 * DAY_MS;
const title = (id: string, more: Partial<Title> = {}): Title => ({
  ...{ id, genres: ["Drama"], ageRating: 0, addedAtMs: 0, fans: 1 },
  ...more,
});
const past = (more: Partial<Past>): Past => ({
  ...{ isPersonalised: true, watched: [], opinions: new Map(), exposures: new Map() },
  ...more,
});

test("who stayed likes it, who looked in does not, and what people say counts more", () => {
  assert.equal(stageOf({ positionS: 100, durationS: 6_000 }), STAGES.begun);
  assert.equal(stageOf({ positionS: 1_200, durationS: 60_000 }), STAGES.stayed);
  assert.equal(stageOf({ positionS: 150, durationS: 600 }), STAGES.stayed);
  assert.equal(stageOf({ positionS: -1, durationS: 0 }), STAGES.begun);
  assert.equal(stageOf({ positionS: 599, durationS: 600, finished: true }), STAGES.finished);
  const of = past({
    watched: [
      { id: "new", stage: STAGES.stayed },
      { id: "bad", stage: STAGES.finished },
      { id: "peeked", stage: STAGES.begun },
    ],
    opinions: new Map([
      ["bad", "down"],
      ["loved", "up"],
    ]),
  });
  assert.deepEqual(likedOf(of), ["loved", "new"]);
  assert.deepEqual(excludedOf(of).toSorted(), ["bad", "loved", "new", "peeked"]);
  assert.throws(() => opinionOf("great"), /'great' is no opinion: say up, down, not_interested or none/);
});

test("a title is made of its genres, people and telling words", () => {
  const features = featuresOf({
    ...{ title: "The Robot", synopsis: "A robot in Köln.", genres: ["Drama"] },
    credits: [{ name: "Ada" }, { name: "Ada" }],
  });
  assert.deepEqual(features, ["genre:Drama", "person:Ada", "word:robot", "word:köln"]);
});

const candidates = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 3 }),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
    genres: fc.subarray(["Drama", "Comedy", "Horror"]),
    shown: fc.nat(20),
  }),
  { selector: ({ id }) => id, maxLength: 15 },
);

test("property: what is arranged is what there was, each once, and no more than wanted", () => {
  fc.assert(
    fc.property(candidates, fc.nat(20), (all, count) => {
      const titles = new Map(all.map(({ id, genres }) => [id, title(id, { genres })]));
      const exposures = new Map(all.map(({ id, shown }) => [id, { shown, lastShownAtMs: nowMs }]));
      const arranged = arrange(all, titles, exposures, nowMs, count);
      assert.equal(new Set(arranged).size, Math.min(all.length, count));
      for (const one of arranged) assert.ok(all.includes(one));
    }),
  );
});

test("property: the more often a title was shown and not chosen, the lower it stands, until that is forgotten", () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.nat(100), (shown, more, days) => {
      const at = (times: number, nowAtMs = nowMs): number => fatigueOf({ shown: times, lastShownAtMs: nowMs }, nowAtMs);
      assert.ok(at(shown + more) <= at(shown));
      assert.ok(at(shown, nowMs + days * DAY_MS) >= at(shown) && at(shown) <= 1 && at(shown) >= 0);
    }),
  );
  const all = [
    { id: "a", score: 1 },
    { id: "b", score: 0.9 },
  ];
  const titles = new Map([
    ["a", title("a")],
    ["b", title("b", { genres: ["Comedy"] })],
  ]);
  const exposures = new Map([["a", { shown: 3, lastShownAtMs: nowMs }]]);
  const order = (with_: typeof exposures): string[] => arrange(all, titles, with_, nowMs, 2).map(({ id }) => id);
  assert.deepEqual(order(new Map()), ["a", "b"]);
  assert.deepEqual(order(exposures), ["b", "a"]);
});

test("of two that are nearly as good, the one that is unlike what stands before comes first", () => {
  const all = [
    { id: "a", score: 1 },
    { id: "b", score: 0.95 },
    { id: "c", score: 0.9 },
  ];
  const titles = new Map([
    ["a", title("a")],
    ["b", title("b")],
    ["c", title("c", { genres: ["Comedy"] })],
  ]);
  assert.deepEqual(
    arrange(all, titles, new Map(), nowMs, 3).map(({ id }) => id),
    ["a", "c", "b"],
  );
});

test("a rail about a title holds what that title speaks for most, and is not made of two", () => {
  const of = (becauseOfIds: readonly string[]) =>
    becauseOfIds.map((becauseOfId, at) => ({ id: `t${at}`, becauseOfId }));
  const rails = ownRails(of(["", "", "", "", "", "", "x", "y", "y", "y"]), ["x", "y"]);
  assert.deepEqual(
    rails.map(({ kind, becauseOfId, contentIds }) => [kind, becauseOfId, contentIds.length]),
    [
      ["for_you", "", 6],
      ["because", "y", 3],
    ],
  );
  assert.deepEqual(ownRails([], ["x"]), []);
});

test("popular is what most like in the genres that somebody likes, and then what most like at all", () => {
  const titles = [
    title("best", { genres: ["Comedy"] }),
    title("drama1"),
    title("horror", { genres: ["Horror"] }),
    title("drama2"),
    title("seen"),
    title("untouched", { fans: 0 }),
  ];
  assert.deepEqual(popularFor(titles, ["seen"], new Set(["seen"])), ["drama1", "drama2", "best", "horror"]);
  assert.deepEqual(popularFor(titles, [], new Set()), ["best", "drama1", "horror", "drama2", "seen"]);
});

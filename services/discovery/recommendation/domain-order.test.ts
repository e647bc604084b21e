import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Random, randomBelow, seededRandom } from "#learning/random";
import { COLUMNS, type Facts, learnOrder, type Lesson, reordered, rowOf, shownOf, worthOf } from "./domain-order.ts";

const NOTHING: Facts = new Map();

/** Somebody is shown ten titles and chooses one: by taste, or by where it stands. */
function lessonOf(random: Random, person: number, goesBy: "taste" | "place"): Lesson {
  const liked = randomBelow(random, 10);
  const chosen =
    goesBy === "taste" && random() < 0.8 ? liked : Math.min(randomBelow(random, 10), randomBelow(random, 10));
  const rows = Array.from({ length: 10 }, (_, rank) => {
    const profile = new Map([["user_genre_preferences:share_drama", 0.7]]);
    const facts: Facts = new Map([["content_popularity:starts_7d", randomBelow(random, 50)]]);
    return rowOf(rank, { genres: [rank === liked ? "Drama" : "Horror"], facts }, profile, 0);
  });
  return { profileId: `p${person % 60}`, rows, labels: rows.map((_, at) => Number(at === chosen)) };
}
const lessons = (goesBy: "taste" | "place", count: number): Lesson[] => {
  const random = seededRandom(7);
  return Array.from({ length: count }, (_, person) => lessonOf(random, person, goesBy));
};

test("a row has its columns, whatever is not known", () => {
  const row = rowOf(0, { genres: ["Sci-Fi", "Drama"], facts: NOTHING }, NOTHING, 0);
  assert.equal(row.length, COLUMNS.length);
  assert.ok(row.every(Number.isFinite));
  const profile = new Map([["user_genre_preferences:share_science_fiction", 0.4]]);
  assert.equal(rowOf(0, { genres: ["Sci-Fi", "Drama"], facts: NOTHING }, profile, 0)[COLUMNS.indexOf("affinity")], 0.4);
});

test("an order is learned where people go by something else than the place", () => {
  const order = learnOrder(lessons("taste", 300));
  assert.ok(typeof order !== "string", String(order));
  assert.ok(order.auc > order.aucBefore + 0.1, `${order.auc} and ${order.aucBefore} before`);
  assert.ok((order.weights[COLUMNS.indexOf("affinity")] ?? 0) > 0);
});

test("no order is learned where there is nothing to learn, with the reason", () => {
  assert.match(
    String(learnOrder(lessons("place", 300))),
    /^an AUC of 0\.\d+ within lists is not above 0\.\d+ for certain/,
  );
  assert.match(String(learnOrder(lessons("taste", 10))), /^10 lists with a choice are fewer than 60$/);
});

test("what was chosen within the visit is what the list was chosen from", () => {
  const served = [
    { profileId: "p", contentIds: ["a", "b"], servedAtMs: 1_000 },
    { profileId: "q", contentIds: ["a", "b"], servedAtMs: 2_000 },
    { profileId: "p", contentIds: ["a", "b"], servedAtMs: 9_000_000 },
  ];
  const click = (profileId: string, contentId: string, clickedAtMs: number) => ({ profileId, contentId, clickedAtMs });
  const clicked = [click("p", "b", 5_000), click("p", "x", 6_000), click("q", "a", 1_999), click("p", "a", 90_000_000)];
  const lists = shownOf(served, clicked, 10);
  assert.deepEqual(
    lists.map(({ profileId, atMs, chosen }) => [profileId, atMs, [...chosen]]),
    [["p", 1_000, ["b"]]],
  );
});

test("candidates change places and nothing else: the scores are the same ones, in the order of worth", () => {
  const candidate = fc.record({ id: fc.string(), score: fc.double({ noNaN: true, min: 0, max: 1 }) });
  fc.assert(
    fc.property(fc.array(fc.tuple(candidate, fc.nat(5)), { maxLength: 30 }), (pairs) => {
      const candidates = pairs.map(([one]) => ({ ...one }));
      const worth = pairs.map(([, each]) => each);
      const made = reordered(candidates, worth);
      const scores = (all: readonly { readonly score: number }[]) => all.map(({ score }) => score);
      assert.deepEqual(
        scores(made),
        scores(candidates).toSorted((a, b) => b - a),
      );
      assert.deepEqual(made.map(({ id }) => id).toSorted(), candidates.map(({ id }) => id).toSorted());
    }),
  );
  const [first] = reordered(
    [
      { id: "a", score: 1 },
      { id: "b", score: 0 },
    ],
    [0, 1],
  );
  assert.deepEqual(first, { id: "b", score: 1 });
  assert.equal(worthOf({ weights: COLUMNS.map(() => 0), intercept: 0 }, [COLUMNS.map(() => 1)])[0], 0.5);
});

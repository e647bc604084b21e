import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom } from "#learning/random";
import { fitModel, type TrainingSet } from "./domain-model.ts";

/** Two tastes: whoever likes one half of the titles does not like the other. */
function twoTastes(profiles: number, perProfile: number): TrainingSet {
  const random = seededRandom(5);
  const titles = Array.from({ length: 40 }, (_, at) => ({
    id: `t${at}`,
    features: [at < 20 ? "genre:Space" : "genre:Love", `word:w${at % 7}`],
    ageRating: at % 4 === 0 ? 16 : 0,
  }));
  const histories = Array.from({ length: profiles }, (_, row) => {
    const from = row % 2 === 0 ? 0 : 20;
    return [...new Set(Array.from({ length: perProfile }, () => from + Math.floor(random() * 20)))];
  });
  return { titles, histories };
}

test("who likes one kind is recommended that kind, with the title that gave most as the reason", () => {
  const model = fitModel(twoTastes(100, 8));
  assert.equal(model.report.algorithm, "ease");
  assert.ok(model.report.cases > 0);
  assert.ok(model.report.ndcg > model.report.ndcgOfPopularity, JSON.stringify(model.report));
  const liked = ["t1", "t2", "t3"];
  const found = model.recommend({ liked, excluded: [], ageRatingMax: 18, count: 10 });
  assert.equal(found.length, 10);
  for (const { id, becauseOfId } of found) {
    assert.ok(Number(id.slice(1)) < 20, id);
    assert.ok(liked.includes(becauseOfId), becauseOfId);
    const [reason] = model.explain(liked, id);
    assert.deepEqual([reason?.kind, reason?.id], ["watched", becauseOfId], "the page says the same as the rail");
  }
  const reasons = model.explain(liked, found[0]?.id ?? "");
  assert.ok(reasons.some(({ kind, name }) => kind === "shared" && name === "Space"));
  const shares = reasons.filter(({ kind }) => kind !== "shared").map(({ share }) => share);
  assert.ok(
    shares.every((share) => share > 0 && share <= 1) && shares.reduce((sum, share) => sum + share, 0) <= 1 + 1e-9,
  );
});

test("a title that nobody has watched is found by what it is made of", () => {
  const set = twoTastes(60, 6);
  const cold = { id: "cold", features: ["genre:Love", "word:w1"], ageRating: 0 };
  const model = fitModel({ ...set, titles: [...set.titles, cold] });
  const place = (liked: readonly string[]): number =>
    model.recommend({ liked, excluded: [], ageRatingMax: 18, count: 41 }).findIndex(({ id }) => id === "cold");
  assert.ok(place(["t21", "t22", "t23"]) < place(["t1", "t2", "t3"]));
});

test("property: nobody is recommended what they have, what they do not want or what is not for their age", () => {
  const model = fitModel(twoTastes(50, 5));
  const ids = fc.uniqueArray(
    fc.nat(45).map((at) => `t${at}`),
    { maxLength: 10 },
  );
  fc.assert(
    fc.property(ids, ids, fc.constantFrom(0, 12, 16), fc.nat(60), (liked, excluded, ageRatingMax, count) => {
      const found = model.recommend({ liked, excluded, ageRatingMax, count });
      assert.ok(found.length <= count && new Set(found.map(({ id }) => id)).size === found.length);
      for (const { id, score, becauseOfId } of found) {
        assert.ok(![...liked, ...excluded].includes(id));
        assert.ok(ageRatingMax >= 16 || Number(id.slice(1)) % 4 !== 0);
        assert.ok(score >= 0 && score <= 1);
        assert.ok(becauseOfId === "" || liked.includes(becauseOfId));
      }
    }),
    { numRuns: 50 },
  );
});

test("with nothing to learn from there is still what titles are made of", () => {
  const { titles } = twoTastes(0, 0);
  const model = fitModel({ titles, histories: [] });
  assert.equal(model.report.algorithm, "none");
  const found = model.recommend({ liked: ["t25"], excluded: [], ageRatingMax: 18, count: 5 });
  // Of the same kind, and with the same word.
  assert.deepEqual(
    found.slice(0, 2).map(({ id }) => id),
    ["t32", "t39"],
  );
  assert.deepEqual(
    fitModel({ titles: [], histories: [] }).recommend({ liked: ["x"], excluded: [], ageRatingMax: 18, count: 5 }),
    [],
  );
});

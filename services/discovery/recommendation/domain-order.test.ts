import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arrange, ownRails, type Title } from "./domain.ts";
import { ORDERED_MAX, placesOf, reordered } from "./domain-order.ts";

const count = ORDERED_MAX + 10;
const candidates = Array.from({ length: count }, (_, at) => ({
  ...{ id: `vod_${at}`, score: 1 - at / count, becauseOfId: `liked_${at % 3}` },
}));
const titles = new Map(
  candidates.map(({ id }): [string, Title] => [id, { id, genres: [], ageRating: 0, addedAtMs: 0, fans: 0 }]),
);
const NOW_MS = 365 * 86_400_000;
const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: ORDERED_MAX, maxLength: ORDERED_MAX });

test("property: a model moves the first candidates and nothing else: no score, no reason, nobody in or out", () => {
  fc.assert(
    fc.property(scores, (said) => {
      const after = reordered(candidates, said);
      assert.deepEqual(
        after.map(({ score }) => score),
        candidates.map(({ score }) => score),
        "what scores there are stays",
      );
      assert.deepEqual(after.slice(ORDERED_MAX), candidates.slice(ORDERED_MAX));
      const reasons = new Map(candidates.map(({ id, becauseOfId }) => [id, becauseOfId]));
      assert.deepEqual(new Set(after.map(({ id }) => id)), new Set(reasons.keys()));
      for (const { id, becauseOfId } of after) assert.equal(becauseOfId, reasons.get(id));
      const saidOf = (at: number): number => said[Number(after[at]?.id.slice("vod_".length))] ?? -1;
      for (let at = 1; at < ORDERED_MAX; at += 1) assert.ok(saidOf(at - 1) >= saidOf(at));
      const because = ownRails(arrange(after, titles, new Map(), NOW_MS, 60), ["liked_1"]).find(
        ({ kind }) => kind === "because",
      );
      for (const id of because?.contentIds ?? [])
        assert.equal(reasons.get(id), "liked_1", "the rail's reason stays true");
    }),
  );
});

test("what tires sinks whatever the model says, and alike titles do not stand together", () => {
  const [first = { id: "", score: 0, becauseOfId: "" }] = candidates;
  const loved = reordered(
    candidates,
    candidates.slice(0, ORDERED_MAX).map(({ id }) => Number(id === "vod_7")),
  );
  assert.equal(loved[0]?.id, "vod_7");
  assert.equal(loved[0]?.score, first.score);
  const exposures = new Map([["vod_7", { shown: 12, lastShownAtMs: NOW_MS }]]);
  const tired = arrange(loved, titles, exposures, NOW_MS, 60).map(({ id }) => id);
  assert.ok(tired.indexOf("vod_7") > 20, String(tired));
  const alike = new Map(
    [...titles].map(([id, title]) => [id, { ...title, genres: Number(id.slice(4)) < 12 ? ["Space"] : [] }]),
  );
  const shown = arrange(candidates, alike, new Map(), NOW_MS, 20).map(({ id }) => Number(id.slice(4)));
  assert.ok(
    shown.slice(0, 12).some((at) => at >= 12),
    String(shown),
  );
});

test("an answer of another length changes nothing, and places are the blend's", () => {
  assert.deepEqual(reordered(candidates, []), candidates);
  const places = placesOf(candidates);
  assert.deepEqual([places.size, places.get("vod_3")], [ORDERED_MAX, { rank: 3, score: candidates[3]?.score }]);
  assert.equal(places.get(`vod_${ORDERED_MAX}`), undefined);
});

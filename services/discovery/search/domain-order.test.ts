import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answer } from "./domain-answer.ts";
import { createLibrary } from "./domain-library.ts";
import { movable, ORDERED_MAX, pageOf, placed, reordered } from "./domain-order.ts";
import type { Entry } from "./domain-title.ts";

const SIGHT = { ageRatingMax: 18, nowMs: 1 };
const NAMES = [
  "heat",
  "dead heat",
  "heat wave",
  "city heat",
  "the heat",
  "white heat",
  "red heat",
  "harbour",
  "the last harbour",
];
const entry = (id: number, title: string): Entry => ({
  ...{ id: `vod_${id}`, kind: "film", title, cast: ["Harbour Heat"], directors: [], genres: ["Drama"] },
  ...{ synopsis: "heat over the harbour city", year: 2000, durationS: 5_400, ageRating: 0, languages: ["en"] },
  ...{ availableFromMs: 0, availableUntilMs: 0 },
});
const titles = fc.array(fc.constantFrom(...NAMES), { minLength: 2, maxLength: 12 });
const scores = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));

test("property: whatever a model says, a title that is called as somebody searched keeps its place, and nothing is lost", () => {
  fc.assert(
    fc.property(titles, fc.constantFrom(...NAMES), fc.boolean(), scores, (all, text, isFinished, stream) => {
      const library = createLibrary();
      for (const [id, title] of all.entries()) library.put(entry(id, title));
      const question = { text, filters: {}, without: [], isFinished, offset: 0, limit: ORDERED_MAX };
      const found = placed(answer(library, question, SIGHT));
      const after = reordered(found, [...stream.take(movable(found).length)]);
      const called = all.flatMap((title, id) => (title === text ? [`vod_${id}`] : []));
      assert.deepEqual(
        after.ids.slice(0, called.length).toSorted(),
        called.toSorted(),
        String([after.ids, found.pinned]),
      );
      assert.deepEqual(after.ids.toSorted(), found.ids.toSorted());
      assert.deepEqual(
        after.ids.map((_, place) => found.ids[after.ranks[place] ?? -1]),
        after.ids,
        "ranks are those of before",
      );
    }),
    { numRuns: 300 },
  );
});

test("others go where the model puts them, page by page, and marks go with them", () => {
  const ids = ["exact", "a", "b", "c"];
  const marks = ids.map((_, at) => ({ score: 10 - at, nearness: Number.NaN }));
  const facets = { genres: [], kinds: [], decades: [], languages: [] };
  const found = placed({ ids, marks, pinned: 1, total: 4, facets, corrected: "" });
  const after = reordered(found, [0.1, 0.9, 0.9]);
  assert.deepEqual(after.ids, ["exact", "b", "c", "a"]);
  assert.deepEqual(
    after.marks.map(({ score }) => score),
    [10, 8, 7, 9],
  );
  assert.deepEqual(
    [pageOf(after, 0, 2).ids, pageOf(after, 2, 2).ids],
    [
      ["exact", "b"],
      ["c", "a"],
    ],
  );
  assert.equal(reordered(found, [1]), found, "what does not fit changes nothing");
});

test("what was found beyond the first stays behind them", () => {
  const ids = Array.from({ length: ORDERED_MAX + 10 }, (_, at) => `vod_${at}`);
  const facets = { genres: [], kinds: [], decades: [], languages: [] };
  const found = placed({
    ...{ ids, marks: ids.map(() => ({ score: 1, nearness: 0 })), pinned: 0, total: ids.length, facets, corrected: "" },
  });
  const after = reordered(found, movable(found));
  assert.equal(after.ids[0], `vod_${ORDERED_MAX - 1}`);
  assert.deepEqual(after.ids.slice(ORDERED_MAX), ids.slice(ORDERED_MAX));
});

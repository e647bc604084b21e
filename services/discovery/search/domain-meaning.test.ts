import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBelow, seededRandom } from "#learning/random";
import { fusedOrder } from "./domain-fusion.ts";
import { createTextIndex } from "./domain-index.ts";
import { createLibrary, PLAIN } from "./domain-library.ts";
import { allStepsOf, createMeaning, type MeaningModel, modelOf } from "./domain-meaning.ts";
import type { Entry } from "./domain-title.ts";

const sight = { ageRatingMax: 18, nowMs: Date.UTC(2026, 0, 1) };
const SUBJECTS = [
  ["astronaut", "rocket", "orbit", "planet", "galaxy", "starship"],
  ["cowboy", "saloon", "sheriff", "ranch", "desert", "outlaw"],
  ["vampire", "castle", "blood", "midnight", "coffin", "curse"],
];
const LIKE_EACH = 100;

/** Titles of three subjects, of whose words each has three; nothing else tells them apart. */
function entries(): Entry[] {
  const random = seededRandom(3);
  return SUBJECTS.flatMap((words, subject) =>
    Array.from({ length: LIKE_EACH }, (_, n): Entry => {
      const said = Array.from({ length: 3 }, () => words[randomBelow(random, words.length)]);
      return {
        ...{ id: `${subject}-${n}`, kind: "film", title: `Number ${subject}x${n}`, synopsis: `The ${said.join(" ")}.` },
        ...{ cast: [`Ada Rocket${n % 2}`], directors: [], genres: ["Drama"], year: 2000, durationS: 5_400 },
        ...{ ageRating: 0, languages: ["en"], availableFromMs: 0, availableUntilMs: 0 },
      };
    }),
  );
}

/** Has the library learn, at once. */
function teach(library: ReturnType<typeof createLibrary>): MeaningModel {
  const lesson = allStepsOf(library.lesson());
  assert.ok(lesson);
  const model = modelOf(lesson);
  allStepsOf(library.learn(model));
  return model;
}

function learnt(count = Number.POSITIVE_INFINITY) {
  const index = createTextIndex({ fields: [{ weight: 1, b: 0 }], k1: 1.2 });
  const all = entries();
  for (const { id, synopsis } of all.slice(0, count)) index.put(id, [synopsis.toLowerCase().slice(0, -1).split(" ")]);
  return { index, meaning: createMeaning(index, { names: [] }) };
}

test("titles are near words that they do not have, where others of their subject have them", () => {
  const { index, meaning } = learnt();
  const lesson = allStepsOf(meaning.lesson());
  assert.ok(lesson);
  allStepsOf(meaning.learn(modelOf(lesson)));
  const slots = Uint32Array.from({ length: index.slots }, (_, slot) => slot);
  const near = meaning.nearWords(["galaxy"], slots) ?? new Float64Array(0);
  const mean = (subject: number): number =>
    near.subarray(subject * LIKE_EACH, (subject + 1) * LIKE_EACH).reduce((sum, value) => sum + value, 0) / LIKE_EACH;
  assert.ok(mean(0) > 0.3 && mean(0) > 3 * Math.abs(mean(1)) && mean(0) > 3 * Math.abs(mean(2)), `${mean(0)}`);
  assert.equal(meaning.nearWords(["unheard"], slots), undefined, "what no title says means nothing");
  const likeFirst = meaning.nearTitle(0, slots) ?? [];
  assert.ok(Math.abs((likeFirst[0] ?? 0) - 1) < 0.01, "a title is like itself");
});

test("without a model nothing is near, and few titles are no lesson", () => {
  const { meaning } = learnt(20);
  assert.equal(allStepsOf(meaning.lesson()), undefined);
  assert.deepEqual(
    [meaning.nearWords(["galaxy"], new Uint32Array(1)), meaning.nearTitle(0, new Uint32Array(1))],
    [undefined, undefined],
  );
});

test("a title that comes later lies where it would have been from the beginning", () => {
  const { index, meaning } = learnt();
  const lesson = allStepsOf(meaning.lesson());
  assert.ok(lesson);
  const steps = meaning.learn(modelOf(lesson));
  const put = (id: string): number => index.put(id, [["astronaut", "planet", "galaxy"]]);
  const during = put("during");
  allStepsOf(steps);
  const after = put("after");
  meaning.put(after);
  const near = meaning.nearTitle(during, Uint32Array.of(after, 0)) ?? [];
  assert.ok((near[0] ?? 0) > 0.999);
});

test("a title is like those of its subject, before and after that was learnt, and they may be narrowed down", () => {
  const library = createLibrary();
  for (const each of entries()) library.put(each);
  const like = (more: object = {}) =>
    library.find({ ...PLAIN, text: "", like: "Number 1x7", limit: 20, ...more }, sight).ids;
  const subjects = (ids: readonly string[]): number => ids.filter((id) => id.startsWith("1-")).length;
  assert.ok(subjects(like()) > 12, "by the words that both have");
  teach(library);
  assert.equal(subjects(like()), 20);
  assert.ok(!like().includes("1-7"), "not itself");
  assert.deepEqual(like({ filters: { yearMin: 2001 } }), []);
  assert.deepEqual(library.find({ ...PLAIN, text: "", like: "No such film", limit: 20 }, sight).ids, []);
});

test("meaning orders what words found and finds nothing by itself; it is kept when the index is made anew", () => {
  const library = createLibrary();
  const all = entries();
  for (const each of all) library.put(each);
  const found = (text: string, isFinished: boolean) =>
    library.find({ ...PLAIN, text, isFinished, limit: 300 }, sight).ids;
  const before = found("planet", true);
  teach(library);
  assert.deepEqual(found("planet", true).toSorted(), before.toSorted());
  assert.deepEqual(found("planet", false), before, "whoever types is shown words");
  assert.deepEqual(found("qwertzuiop", true), []);
  const after = found("planet", true);
  // More empty slots than titles: the index is made anew.
  for (let n = 0; n < 5; n += 1) for (const each of all) library.put(each);
  assert.equal(library.learntOf, all.length);
  assert.deepEqual(found("planet", true).toSorted(), after.toSorted());
});

test("fused by reciprocal ranks, what both orders like comes first, and nothing is lost", () => {
  assert.deepEqual(fusedOrder(Float64Array.of(0.1, 0.9, 0.9, 0.2)), [1, 2, 3, 0]);
  assert.deepEqual(fusedOrder(new Float64Array(3)), [0, 1, 2], "where meaning says nothing words do");
  assert.deepEqual(fusedOrder(new Float64Array(0)), []);
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { predictGbdt, trainGbdt } from "#learning/gbdt";
import { type Random, seededRandom } from "#learning/random";
import { rowsOf } from "#learning/table";
import { refusal } from "./domain.ts";
import { judgeLists, listsOf } from "./domain-lists.ts";
import {
  columnsOf,
  featuresOf,
  type Known,
  type KnownList,
  knownOf,
  listsToLearn,
  NOTHING_KNOWN,
  ORDERS,
  orders,
} from "./domain-order.ts";
import { judge } from "./domain-recipe.ts";

const SHOWN = 10;

/**
 * Lists of films with a length, shown in the order of a score that says little. People look down the list and tire of it, and take the first that they
 * like: short ones, whatever the score, or, where `isRandom`, any.
 */
function listsOfPeople(count: number, random: Random, isRandom: boolean): KnownList[] {
  return Array.from({ length: count }, (_, at): KnownList => {
    const titles = Array.from({ length: SHOWN }, (__, rank) => ({
      ...{ contentId: `vod_${at}_${rank}`, rank, score: 1 - rank / 20, nearness: Number.NaN },
      duration: 60 + Math.floor(120 * random()),
    }));
    const taken = titles.find(({ duration }) => random() < 0.7 && (isRandom || duration < 90) && random() < 0.8);
    const known = {
      titles: titles.map(
        ({ duration }): Known => ({
          ...NOTHING_KNOWN,
          number: (name) => (name === "content_metadata:duration" ? duration : Number.NaN),
        }),
      ),
      viewer: NOTHING_KNOWN,
    };
    const positions = titles.map((title) => title.rank);
    return {
      ...{ listId: `l${at}`, userId: `usr_${at}`, profileId: `prf_${at}`, atMs: 0, segment: "type=text", titles },
      chosen: new Set(taken ? [taken.contentId] : []),
      rows: featuresOf("search-order", { titles, positions, atMs: 0 }, known),
    };
  }).filter(({ chosen }) => chosen.size > 0);
}

/** What the trainer's thread does with rows. */
function judged(lists: readonly KnownList[]) {
  const { table, labels, isTest, rule, lists: of, segments } = listsToLearn("search-order", lists);
  assert.ok(of);
  const rows = [...labels.keys()];
  const [training, testing] = [rows.filter((row) => !isTest[row]), rows.filter((row) => isTest[row])];
  const at = (all: Float32Array, chosen: readonly number[]) => Float32Array.from(chosen, (row) => all[row] ?? 0);
  const model = trainGbdt(rowsOf(table, training), at(labels, training), orders["search-order"].options);
  const test = {
    ...{ labels: at(labels, testing), lists: listsOf(of, testing) },
    segments: testing.map((row) => segments[row] ?? []),
  };
  const scores = predictGbdt(model, rowsOf(table, testing));
  return {
    candidate: judge(scores, test),
    incumbent: { ...judge(at(rule, testing), test), name: "the present order" },
  };
}

describe("the order of lists", () => {
  it("is learned from what people choose, in spite of where it stood", () => {
    const { candidate, incumbent } = judged(listsOfPeople(1_500, seededRandom(3), false));
    assert.equal(refusal(candidate, incumbent), undefined);
    assert.ok(
      (candidate.lists?.ndcg ?? 0) > (incumbent.lists?.ndcg ?? 1) + 0.1,
      JSON.stringify([candidate, incumbent]),
    );
  });

  it("is refused where people choose without any, and where nothing was learned at all", () => {
    for (const seed of [1, 2, 3, 4]) {
      const { candidate, incumbent } = judged(listsOfPeople(800, seededRandom(seed), true));
      assert.match(refusal(candidate, incumbent) ?? "", /NDCG@10 .* beyond doubt: .* 95 % interval/);
      assert.match(refusal(incumbent, incumbent) ?? "", /0.0000 more/);
    }
  });

  it("is refused where some are served much worse, or where hardly anybody says what it is worth", () => {
    const { candidate, incumbent } = judged(listsOfPeople(1_500, seededRandom(3), false));
    const better = incumbent.segments.map((one) => ({ ...one, ndcg: 0.99 }));
    assert.match(refusal(candidate, { ...incumbent, segments: better }) ?? "", /segment type=text has NDCG@10/);
    const few = { ...candidate, lists: { ndcg: 1, people: [1, 1, 1] } };
    assert.match(refusal(few, incumbent) ?? "", /3 people to judge by are fewer than 20/);
  });

  it("is judged as if each title stood first, and learned from where it stood", () => {
    const lists = listsOfPeople(60, seededRandom(5), false);
    const { table, isTest, lists: of } = listsToLearn("search-order", lists);
    const positions = isTest.map((_, row) => table.values[row * table.columns]);
    assert.ok(isTest.some(Boolean) && !isTest.every(Boolean));
    assert.ok(positions.every((position, row) => (isTest[row] ? position === 0 : position === row % SHOWN)));
    const sides = new Map<string, boolean>();
    for (const [row, side] of isTest.entries()) {
      const who = of?.people[of.of[row] ?? -1] ?? "";
      assert.equal(sides.get(who) ?? side, side, "all that somebody was shown is on one side");
      sides.set(who, side);
    }
  });

  it("counts each person once, and leaves what is equal as it was", () => {
    const labels = Float32Array.of(0, 1, 1, 0, 0, 1);
    const lists = { of: Int32Array.of(0, 0, 1, 1, 2, 2), people: ["a", "a", "b"] };
    const same = judgeLists(new Float64Array(6), labels, lists, [0, 1, 2, 3, 4, 5]);
    const second = 1 / Math.log2(3);
    assert.deepEqual(same.people, [(second + 1) / 2, second]);
    assert.equal(same.ndcg, ((second + 1) / 2 + second) / 2);
  });

  it("has a feature for each column, whatever is known", () => {
    const number = fc.oneof(fc.double(), fc.constant(Number.NaN));
    const title = fc.record({ contentId: fc.string(), score: number, nearness: number });
    fc.assert(
      fc.property(fc.constantFrom(...ORDERS), fc.array(title, { maxLength: 5 }), number, (order, titles, value) => {
        const known: Known = { number: () => value, word: () => "Drama" };
        const rows = featuresOf(
          order,
          { titles, positions: [], atMs: 1 },
          { titles: titles.map(() => known), viewer: known },
        );
        assert.equal(rows.length, titles.length);
        assert.ok(rows.every((row) => row.length === columnsOf(order).length));
      }),
    );
  });

  it("reads flat answers of the feature store by name, and knows what share of somebody's viewing a title's genres are", () => {
    const titles = knownOf({
      ...{
        numberFeatures: ["content_metadata:year", "content_metadata:duration"],
        numbers: [1990, 90, 2020, Number.NaN],
      },
      wordFeatures: ["content_metadata:primary_genre", "content_metadata:secondary_genre"],
      words: ["Sci-Fi", "Drama", "Western", ""],
    });
    const viewer = knownOf({
      ...{ numberFeatures: ["user_genre_preferences:share_science_fiction", "user_genre_preferences:share_drama"] },
      ...{ numbers: [0.5, 0.25], wordFeatures: [], words: [] },
    })(0);
    assert.deepEqual(
      [titles(1).number("content_metadata:year"), titles(0).word("content_metadata:nothing")],
      [2020, ""],
    );
    const listed = [0, 1].map((at) => ({ contentId: `vod_${at}`, score: 1 - at / 2, nearness: 0 }));
    const rows = featuresOf(
      "home-order",
      { titles: listed, positions: [0, 1], atMs: 0 },
      { titles: [titles(0), titles(1)], viewer },
    );
    const column = (name: string) => rows.map((row) => row[columnsOf("home-order").indexOf(name)]);
    assert.deepEqual(column("genre_share"), [0.75, Number.NaN]);
    assert.deepEqual(column("score_of_best"), [1, 0.5]);
    assert.deepEqual(column("duration"), [90, Number.NaN]);
  });
});

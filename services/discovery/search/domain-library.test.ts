import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answer } from "./domain-answer.ts";
import { createTextIndex, type Found } from "./domain-index.ts";
import { createLibrary, type Library, PLAIN } from "./domain-library.ts";
import type { Entry } from "./domain-title.ts";

const sight = { ageRatingMax: 18, nowMs: Date.UTC(2026, 0, 1) };
const entry = (id: string, title: string, more: Partial<Entry> = {}): Entry => ({
  ...{ id, title, kind: "film", cast: [], directors: [], genres: [], synopsis: "", year: 2000, durationS: 5_400 },
  ...{ ageRating: 0, languages: ["en"], availableFromMs: 0, availableUntilMs: 0, ...more },
});
function libraryOf(...entries: readonly Entry[]): Library {
  const library = createLibrary();
  for (const each of entries) library.put(each);
  return library;
}
const found = (library: Library, text: string, more = {}): readonly string[] =>
  library.find({ ...PLAIN, text, limit: 20, ...more }, sight).ids;

const hitsOf = ({ slots, scores, coverages }: Found) =>
  Array.from(slots, (slot, place) => ({ slot, score: scores[place] ?? 0, coverage: coverages[place] ?? 0 }));

const films = libraryOf(
  entry("amelie", "Amélie", { cast: ["Audrey Tautou"], genres: ["Romance", "Comedy"], languages: ["fr"], year: 2001 }),
  entry("spyhard", "Spy Hard", { cast: ["Leslie Nielsen"], genres: ["Comedy"], year: 1996 }),
  entry("naked", "The Naked Gun", { cast: ["Leslie Nielsen", "Priscilla Presley"], genres: ["Comedy"], year: 1988 }),
  entry("alien", "Alien", {
    cast: ["Sigourney Weaver"],
    genres: ["Horror", "Sci-Fi"],
    ageRating: 16,
    durationS: 7_000,
  }),
  entry("aliens", "Aliens", {
    cast: ["Sigourney Weaver"],
    genres: ["Action", "Sci-Fi"],
    ageRating: 16,
    durationS: 8_200,
  }),
  entry("short", "Tin", {
    synopsis: "A small robot plays.",
    genres: ["Animation", "Comedy"],
    durationS: 300,
    year: 1988,
  }),
);

test("a title is found whole, begun, misspelt, joined and without accents, and comes first", () => {
  const asked = ["amelie", "AMÉLIE", "ameli", "amleie", "spyhard", "spy hrad", "spyfhard", "alien", "the nakedgun"];
  const first = asked.map((text) => found(films, text)[0]);
  assert.deepEqual(first, ["amelie", "amelie", "amelie", "amelie", "spyhard", "spyhard", "spyhard", "alien", "naked"]);
});

test("people bring their titles, by their whole name before others of that name", () => {
  assert.deepEqual(found(films, "lesley neilsen").toSorted(), ["naked", "spyhard"]);
  assert.deepEqual(found(films, "leslienielsen").toSorted(), ["naked", "spyhard"]);
  assert.deepEqual(films.people("sigorney", sight, 5), [{ name: "Sigourney Weaver", titles: 2 }]);
  const roots = libraryOf(entry("x", "Office", { cast: ["Stephen Root"] }), entry("y", "I, Robot"));
  assert.deepEqual(roots.people("robot", sight, 5), []);
  assert.deepEqual(films.people("sigourney", { ...sight, ageRatingMax: 6 }, 5), []);
});

test("nonsense finds nothing", () => {
  for (const text of ["qwertzuiop", "xkcd vbnm", "zzzzqqqq", "hjkl uiop sdfg", "!!!", "😀"])
    assert.deepEqual([found(films, text), films.people(text, sight, 5)], [[], []], text);
});

test("filters hold, facets count what is found, and bounds shut out what is not known", () => {
  assert.deepEqual(found(films, "", { filters: { genres: [["comedy"]], yearMax: 1990 } }).toSorted(), [
    "naked",
    "short",
  ]);
  assert.deepEqual(found(films, "", { filters: { durationMaxS: 600 } }), ["short"]);
  const unknown = libraryOf(entry("x", "Tin", { durationS: 0, year: 0 }));
  assert.deepEqual(found(unknown, "tin", { filters: { durationMaxS: 600 } }), []);
  const { facets } = films.find({ ...PLAIN, text: "sigourney weaver", limit: 1 }, sight);
  assert.deepEqual(facets.genres[0], { value: "science-fiction", count: 2 });
});

test("a title's name is no question, and a question that finds nothing is asked by its words", () => {
  const asked = (text: string, without: readonly string[] = []) =>
    answer(films, { text, filters: {}, without, isFinished: true, offset: 0, limit: 20 }, sight);
  const robot = asked("something short and funny with a robot");
  assert.deepEqual([robot.ids, robot.understood.length], [["short"], 3]);
  assert.deepEqual(asked("something short and funny with a robot, not animated", ["not-genre:animation"]).ids, [
    "short",
  ]);
  const named = libraryOf(entry("wild", "Something Wild"), entry("funny", "Funny Girl"));
  const wild = answer(
    named,
    { text: "something wild", filters: {}, without: [], isFinished: true, offset: 0, limit: 20 },
    sight,
  );
  assert.deepEqual([wild.ids, wild.understood], [["wild"], []]);
});

test("whatever was put, replaced and deleted, a library finds what one made anew finds", () => {
  const words = fc.constantFrom("red", "blue", "green", "moon", "river");
  const step = fc.record({
    id: fc.constantFrom("a", "b", "c", "d"),
    title: fc.array(words, { maxLength: 4 }),
    isGone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), words, (steps, asked) => {
      const library = createLibrary();
      const kept = new Map<string, Entry>();
      for (const { id, title, isGone } of steps) {
        if (isGone) kept.delete(id);
        else kept.set(id, entry(id, title.join(" "), { cast: title }));
        if (isGone) library.delete(id);
        else library.put(entry(id, title.join(" "), { cast: title }));
      }
      const again = libraryOf(...kept.values());
      assert.equal(library.size, again.size);
      assert.deepEqual(found(library, asked).toSorted(), found(again, asked).toSorted());
      assert.deepEqual(library.people(asked, sight, 9), again.people(asked, sight, 9));
    }),
  );
});

test("BM25F: a word in two fields counts once more, but less than two words, and long texts make up for their length", () => {
  const index = createTextIndex({
    fields: [
      { weight: 2, b: 0.5 },
      { weight: 1, b: 0.5 },
    ],
    k1: 1.2,
  });
  index.put("both", [["moon"], ["moon"]]);
  index.put("one", [["moon"], ["sea"]]);
  index.put("two", [["moon", "river"], []]);
  index.put("long", [["moon", ..."abcdefgh"], []]);
  index.put("none", [["sun"], []]);
  const hits = hitsOf(index.find(["moon", "river"], { isTyping: false, isForgiving: false }));
  const order = hits.toSorted((a, b) => b.score - a.score).map(({ slot }) => index.idOf(slot));
  assert.deepEqual(order, ["two", "both", "one", "long"]);
  // By hand for `both`: 5 documents, 4 with the word; lengths 1 of 13/5 and 1 of 2/5.
  const frequency = 2 / (0.5 + (0.5 * 1) / (14 / 5)) + 1 / (0.5 + (0.5 * 1) / (2 / 5));
  const idf = Math.log(1 + (5 - 4 + 0.5) / (4 + 0.5));
  const both = hits.find(({ slot }) => index.idOf(slot) === "both");
  assert.ok(Math.abs((both?.score ?? 0) - (idf * frequency) / (1.2 + frequency)) < 1e-9);
});

test("leaving out documents that cannot have enough changes nothing for those that can", () => {
  const index = createTextIndex({ fields: [{ weight: 1, b: 0.5 }], k1: 1.2 });
  const words = "the the the the a a moon river night sea".split(" ");
  for (let n = 0; n < 300; n += 1)
    index.put(`d${n}`, [[0, 1, 2, 3].map((place) => words[(n * (place + 3) + place) % words.length] ?? "")]);
  const word = fc.constantFrom(...new Set(words), "moonn");
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (asked) => {
      const enough = (coverageMin: number) =>
        hitsOf(index.find(asked, { isTyping: false, isForgiving: true, coverageMin }))
          .filter(({ coverage }) => coverage >= 0.55)
          .sort((a, b) => a.slot - b.slot);
      assert.deepEqual(enough(0.55), enough(0));
    }),
  );
});

test("words of one title are that title, whatever they mean in a question", () => {
  const musicals = libraryOf(
    entry("senior", "High School Musical 3: Senior Year", { genres: ["Musical"] }),
    entry("high", "High Notes", { genres: ["Musical"], synopsis: "A school of singers." }),
  );
  const asked = (text: string): readonly string[] =>
    answer(musicals, { text, filters: {}, without: [], isFinished: true, offset: 0, limit: 10 }, sight).ids;
  assert.deepEqual(asked("musical 3 high senior year school").slice(0, 1), ["senior"]);
  assert.deepEqual(asked("hgih school musical 3 senior yaer").slice(0, 1), ["senior"]);
  assert.deepEqual(asked("a musical about singers"), ["high"]);
});

test("a family name means somebody, and a slip in a name too, but no town", () => {
  const library = libraryOf(
    entry("a", "Jaws", { directors: ["Steven Spielberg"] }),
    entry("b", "Hook", { directors: ["Steven Spielberg"], cast: ["Robin Williams"] }),
    entry("c", "Holiday Inn", { cast: ["Irving Berlin"] }),
    entry("d", "The Wall", { synopsis: "Berlin before the wall fell." }),
    entry("e", "Two Halves", { synopsis: "A family in Berlin." }),
  );
  assert.equal(library.personCalled("spielberg"), "Steven Spielberg");
  assert.equal(library.personCalled("berlin"), undefined);
  assert.equal(library.personNear("robin wiliams"), "Robin Williams");
  assert.equal(library.personNear("steven speilburg"), "Steven Spielberg");
  assert.equal(library.personNear("robin hood"), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planOf } from "./domain-plan.ts";
import { FIRST_QUESTIONS, SECOND_QUESTIONS, THIRD_QUESTIONS } from "./domain-question-cases.ts";
import { idOf, understand } from "./domain-question.ts";

const PEOPLE = [
  ...["Tom Hanks", "Robin Williams", "Meryl Streep", "Steven Spielberg", "Sigourney Weaver", "Bill Murray"],
  ...["Penélope Cruz", "Jackie Chan", "Emma Thompson"],
];
const TITLES = ["Alien", "Blade Runner", "The Naked Gun", "Something Wild", "Toy Story"];
const MISSPELT = new Set(["somthing", "funy", "scarry", "movei", "comdy", "thriler", "movis", "romanitc", "wihtout"]);
const folded = (name: string): string => name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
const knowledge = {
  year: 2026,
  personNamed: (name: string) => PEOPLE.find((each) => folded(each) === folded(name)),
  personCalled: (name: string) => PEOPLE.find((each) => folded(each).endsWith(` ${name}`)),
  titleNamed: (title: string) => TITLES.find((each) => folded(each) === folded(title)),
  // As if the catalogue had what the questions are about, and no word that is misspelt.
  isWord: (word: string) => !MISSPELT.has(word),
};

for (const [name, questions, count] of [
  ["the rules were written with", FIRST_QUESTIONS, 40],
  ["were written for the rules to be tried on", SECOND_QUESTIONS, 60],
  ["nothing was mended for", THIRD_QUESTIONS, 30],
] as const)
  test(`at least nine of ten questions that ${name} are understood as whoever wrote them meant`, (t) => {
    const wrong = questions.flatMap(([question, meaning]) => {
      const { constraints, isQuestion } = understand(question, knowledge);
      const found = constraints.map(idOf).toSorted();
      const isRight = isQuestion && found.join() === [...meaning].toSorted().join();
      return isRight
        ? []
        : [`${question}\n  is ${isQuestion ? "" : "no question, "}${found.join(", ")}\n  not ${meaning.join(", ")}`];
    });
    t.diagnostic(`${questions.length - wrong.length} of ${questions.length} right`);
    for (const each of wrong) t.diagnostic(each);
    assert.equal(questions.length, count);
    assert.ok(wrong.length <= questions.length * 0.1, wrong.join("\n"));
  });

test("words that a title may have make no question of it", () => {
  for (const title of [
    "The Thing",
    "robots",
    "comedy",
    "Tom Hanks",
    "Midnight Run",
    "christmas carol",
    "Blade Runner 2049",
    "Alien",
  ])
    assert.ok(!understand(title, knowledge).isQuestion, title);
});

test("anything can be asked, the same always means the same, and a plan is made of it", () => {
  const words = fc.constantFrom(
    "not",
    "without",
    "90",
    "minutes",
    "two",
    "hours",
    "with",
    "Tom",
    "Hanks",
    "or",
    "funny",
    "the",
    "80s",
    "before",
    "in",
    "French",
    "under",
    "’",
    "ß",
    "of",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(words, { maxLength: 30 }).map((all) => all.join(" ")),
        fc.string({ unit: "grapheme" }),
      ),
      (text) => {
        const once = understand(text, knowledge);
        assert.deepEqual(understand(text, knowledge), once);
        planOf(once.constraints);
        assert.equal(new Set(once.constraints.map(idOf)).size, once.constraints.length);
      },
    ),
  );
});

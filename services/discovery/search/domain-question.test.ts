import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planOf } from "./domain-plan.ts";
import { type Case, FIRST_QUESTIONS, SECOND_QUESTIONS, THIRD_QUESTIONS } from "./domain-question-cases.ts";
import { TRIED } from "./domain-question-tried.ts";
import { CONSTRAINT_KINDS, idOf, understand } from "./domain-question.ts";
import { slipsBetween } from "./domain-words.ts";

const PEOPLE = [
  ...["Tom Hanks", "Robin Williams", "Meryl Streep", "Steven Spielberg", "Sigourney Weaver", "Bill Murray"],
  ...["Penélope Cruz", "Jackie Chan", "Emma Thompson"],
];
const TITLES = ["Alien", "Blade Runner", "The Naked Gun", "Something Wild", "Toy Story"];
const MISSPELT = new Set([
  ...["somthing", "funy", "scarry", "movei", "comdy", "thriler", "movis", "romanitc", "wihtout"],
  ...["horor", "eightys", "sifi", "comdey", "wiliams", "romantc", "withot", "documentry", "comedys", "muray", "murry"],
  ...[
    "sience",
    "documantaire",
    "willams",
    "romatic",
    "kommodie",
    "avneturas",
    "thiller",
    "childern",
    "ficton",
    "sigorney",
  ],
]);
const folded = (name: string): string => name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
const knowledge = {
  year: 2026,
  personNamed: (name: string) => PEOPLE.find((each) => folded(each) === folded(name)),
  personNear: (name: string) => PEOPLE.find((each) => slipsBetween(folded(each), folded(name), 2) <= 2),
  personCalled: (name: string) => PEOPLE.find((each) => folded(each).endsWith(` ${name}`)),
  titleNamed: (title: string) => TITLES.find((each) => folded(each) === folded(title)),
  // As if the catalogue had what the questions are about, and no word that is misspelt.
  isWord: (word: string) => !MISSPELT.has(word),
};

/** Whether it was understood to be a question, with each of its parts and nothing more. */
function wrongIn(question: string, meaning: readonly (readonly string[])[]): string[] {
  const { constraints, isQuestion } = understand(question, knowledge);
  const found = constraints.map(idOf);
  const isRight = found.length === meaning.length && meaning.every((part) => part.some((each) => found.includes(each)));
  if (isQuestion && isRight) return [];
  const meant = meaning.map((part) => part.join(" or ")).join(", ");
  return [`${question}\n  is ${isQuestion ? "" : "no question, "}${found.join(", ")}\n  not ${meant}`];
}

const alone = (questions: readonly Case[]) =>
  questions.map(([question, meaning]) => [question, meaning.map((part) => [part])] as const);
const PARTS = new RegExp(` (?=(?:${CONSTRAINT_KINDS.join("|")}):)`);
const linesOf = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => {
      const [question = "", meaning = ""] = line.split(" => ");
      return [question, meaning.split(PARTS).map((part) => part.split("|"))] as const;
    });

for (const [name, count, questions] of [
  ["the rules were written with", 40, alone(FIRST_QUESTIONS)],
  ["were written for the rules to be tried on", 60, alone(SECOND_QUESTIONS)],
  ["were the third that they were tried on", 30, alone(THIRD_QUESTIONS)],
  ...TRIED.map(
    (tried) =>
      [
        `were the ${tried.name} that they were tried on, ${tried.rightAtFirst} of them right at first,`,
        tried.count,
        linesOf(tried.questions),
      ] as const,
  ),
] as const)
  test(`at least nine of ten questions that ${name} are understood as whoever wrote them meant`, (t) => {
    const wrong = questions.flatMap(([question, meaning]) => wrongIn(question, meaning));
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

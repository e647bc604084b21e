import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planOf } from "./domain-plan.ts";
import { idOf, understand } from "./domain-question.ts";

const PEOPLE = new Set([
  "tom hanks",
  "robin williams",
  "meryl streep",
  "steven spielberg",
  "sigourney weaver",
  "bill murray",
  "penelope cruz",
]);
const folded = (name: string): string => name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
const knowledge = { year: 2026, isPerson: (name: string) => PEOPLE.has(folded(name)) };

/** What is asked, and everything that it means: nothing less and nothing more. */
const QUESTIONS: readonly (readonly [question: string, meaning: readonly string[]])[] = [
  [
    "something short and funny with a robot, not animated",
    ["duration:-2400", "mood:funny", "not-genre:animation", "topic:robot"],
  ],
  ["a scary movie from the 80s", ["mood:scary", "kind:film", "years:1980-1989"]],
  ["comedies with Tom Hanks", ["genre:comedy", "person:Tom Hanks"]],
  ["films directed by Steven Spielberg before 1990", ["kind:film", "person:Steven Spielberg", "years:-1989"]],
  ["something under 90 minutes for kids", ["duration:-5400", "age:6"]],
  ["I want to watch a thriller set in space", ["genre:thriller", "topic:space"]],
  ["show me romantic comedies from the nineties", ["genre:romance", "genre:comedy", "years:1990-1999"]],
  ["a documentary about penguins", ["genre:documentary", "topic:penguins"]],
  ["no horror or thriller, something feel-good", ["not-genre:horror", "not-genre:thriller", "mood:feel-good"]],
  ["war movies after 2000 but not documentaries", ["genre:war", "kind:film", "years:2001-", "not-genre:documentary"]],
  ["something in French, not too long", ["language:fr", "duration:-6600"]],
  ["a western less than two hours long", ["genre:western", "duration:-7200"]],
  ["movies between 1994 and 1998 with Meryl Streep", ["kind:film", "years:1994-1998", "person:Meryl Streep"]],
  ["what can I watch with my 6 year old", ["age:6"]],
  ["sci-fi series about time travel", ["genre:science-fiction", "kind:series", "topic:time travel"]],
  ["a sad film with dogs", ["mood:sad", "kind:film", "topic:dogs"]],
  ["animated movies for the whole family", ["genre:animation", "kind:film", "age:6"]],
  ["something funny but nothing scary", ["mood:funny", "not-mood:scary"]],
  ["a mystery without violence", ["genre:mystery", "not-topic:violence"]],
  ["crime dramas from the 1970s", ["genre:crime", "genre:drama", "years:1970-1979"]],
  ["a movie starring Sigourney Weaver about aliens", ["kind:film", "person:Sigourney Weaver", "topic:aliens"]],
  ["half an hour of comedy", ["duration:-1800", "genre:comedy"]],
  ["I have an hour and a half, something exciting", ["duration:-5400", "mood:exciting"]],
  ["old westerns", ["years:-1996", "genre:western"]],
  ["recent superhero movies", ["years:2023-", "genre:superhero", "kind:film"]],
  ["a Spanish thriller", ["language:es", "genre:thriller"]],
  ["based on a true story, not a war film", ["mood:true", "not-genre:war", "kind:film"]],
  ["movies longer than three hours", ["kind:film", "duration:10800-"]],
  ["a musical from the 60s", ["genre:music", "years:1960-1969"]],
  ["something mind-bending", ["mood:mind-bending"]],
  ["give me a heist movie that isn't a comedy", ["kind:film", "not-genre:comedy", "topic:heist"]],
  ["Christmas movies for children", ["kind:film", "age:6", "topic:christmas"]],
  ["action movies since 2020", ["genre:action", "kind:film", "years:2020-"]],
  ["a fantasy film not in English", ["genre:fantasy", "kind:film", "not-language:en"]],
  ["funny horror with vampires", ["mood:funny", "genre:horror", "topic:vampires"]],
  ["anything with Robin Williams that is not sad", ["person:Robin Williams", "not-mood:sad"]],
  ["eine kurze Komödie über Roboter", ["duration:-2400", "genre:comedy", "topic:roboter"]],
  ["etwas Lustiges für Kinder, nicht animiert", ["mood:funny", "age:6", "not-genre:animation"]],
  ["una comedia de los años 90 con Penélope Cruz", ["genre:comedy", "years:1990-1999", "person:Penélope Cruz"]],
  ["quiero una película de terror de menos de dos horas", ["kind:film", "genre:horror", "duration:-7200"]],
];

test("written questions are understood as whoever wrote them meant", (t) => {
  const wrong = QUESTIONS.flatMap(([question, meaning]) => {
    const { constraints, isQuestion } = understand(question, knowledge);
    const found = constraints.map(idOf).toSorted();
    const isRight = isQuestion && found.join() === [...meaning].toSorted().join();
    return isRight
      ? []
      : [`${question}\n  is ${isQuestion ? "" : "no question, "}${found.join(", ")}\n  not ${meaning.join(", ")}`];
  });
  t.diagnostic(`${QUESTIONS.length - wrong.length} of ${QUESTIONS.length} right`);
  assert.equal(QUESTIONS.length, 40);
  assert.ok(wrong.length <= QUESTIONS.length * 0.1, wrong.join("\n"));
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

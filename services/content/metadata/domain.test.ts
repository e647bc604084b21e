import assert from "node:assert/strict";
import { test } from "node:test";
import { correctionOf, effective } from "./domain.ts";
import { chaptersOf, scenesOf } from "./domain-chapters.ts";
import { doubtedOf, isDecided, languageIn, meanOf, nudityIn } from "./domain-moderation.ts";
import { extract } from "./domain-text.ts";
import { packHashes, twinOf, unpackHashes } from "./domain-twins.ts";
import { seededRandom } from "#learning/random";

test("scenes lie between cuts and cover the film, without slivers", () => {
  const scenes = scenesOf({ cutsS: [5, 5.2, 12, 29.9], blacks: [{ startS: 20, endS: 21 }], silences: [] }, 30);
  assert.deepEqual(scenes, [
    { startS: 0, endS: 5 },
    { startS: 5, endS: 12 },
    { startS: 12, endS: 20.5 },
    { startS: 20.5, endS: 30 },
  ]);
});

test("chapters begin where it is black and silent rather than at any cut, and are long enough for a menu", () => {
  const cutsS = Array.from({ length: 59 }, (_, index) => (index + 1) * 10);
  const breaks = [150, 300, 450];
  const survey = {
    cutsS,
    blacks: breaks.map((atS) => ({ startS: atS - 0.4, endS: atS + 0.4 })),
    silences: breaks.map((atS) => ({ startS: atS - 1, endS: atS + 1 })),
  };
  const { chapters, confidence } = chaptersOf(scenesOf(survey, 600), survey, 600);
  const starts = chapters.map(({ startS }) => startS);
  for (const atS of breaks)
    assert.ok(
      starts.some((startS) => Math.abs(startS - atS) <= 0.5),
      starts.join(", "),
    );
  assert.ok(starts.length <= 6 && starts[0] === 0 && confidence > 0 && confidence <= 1);
  for (const [index, startS] of starts.entries())
    assert.ok((starts[index + 1] ?? 600) - startS >= 18, "each is at least a thirtieth of the film");
});

test("a film of one shot has no chapters, and neither has one that is too short for two", () => {
  for (const [survey, durationS] of [
    [{ cutsS: [], blacks: [], silences: [] }, 600],
    [{ cutsS: [2, 4], blacks: [], silences: [] }, 6],
  ] as const)
    assert.deepEqual(chaptersOf(scenesOf(survey, durationS), survey, durationS).chapters, []);
});

test("a person's words stand in place of the model's, member by member", () => {
  const value = { tags: ["a"], summary: "By a model." };
  const said = new Map([["tags", ["b"]]] as const);
  assert.deepEqual(effective("text", value, said), {
    value: { tags: ["b"], summary: "By a model." },
    corrected: true,
  });
  assert.deepEqual(effective("scenes", { chapters: [] }, said), { value: { chapters: [] }, corrected: false });
});

const found = { key: "artwork/a/found-1.jpg", width: 1, height: 1, color: "#000000", blurDataUrl: "" };
const known = { durationS: 60, made: { pictures: [found, { ...found, key: "artwork/a/found-2.jpg" }] } };

test("what a person says is bounded, and what is wrong with it is told", () => {
  const wrong: readonly (readonly [Parameters<typeof correctionOf>[0], unknown, RegExp])[] = [
    [
      "chapters",
      [
        { startS: 5, title: "" },
        { startS: 5, title: "" },
      ],
      /chapter 2 starts at 5 s/,
    ],
    ["chapters", [{ startS: 100, title: "" }], /chapter 1 starts at 100 s/],
    ["chapters", [{ startS: 0, title: "x".repeat(121) }], /more than 120/],
    ["chapters", "all of it", /list/],
    ["subtitles", { language: "English!", cues: [] }, /language tag/],
    ["subtitles", { language: "en", cues: [{ startS: 2, endS: 1, text: "a" }] }, /cue 1 lasts from 2 to 1/],
    ["subtitles", { language: "en", cues: [{ startS: 2, endS: 3, text: " " }] }, /cue 1 must have/],
    ["thumbnails", ["artwork/b/found-1.jpg"], /'artwork\/b\/found-1.jpg' is none of the frames/],
    ["thumbnails", { first: found.key }, /at most the 2 that were found/],
    ["tags", ["x".repeat(61)], /at most 60/],
    ["tags", [1], /a tag must be a word/],
    ["summary", 3, /must be a text/],
    ["summary", "a\u0000b", /null character/],
  ];
  for (const [what, value, message] of wrong)
    assert.throws(() => correctionOf(what, JSON.stringify(value), known), message, `${what} ${JSON.stringify(value)}`);
  assert.deepEqual(correctionOf("thumbnails", JSON.stringify([found.key, found.key]), known), [found]);
  assert.deepEqual(correctionOf("tags", '[" sea ", "sea", "night"]', known), ["sea", "night"]);
});

const random = seededRandom(3);
const hashes = (count: number): string[] =>
  Array.from({ length: count }, () =>
    Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join(""),
  );
/** Some bits of each hash turned over, as another encode does. */
const reencoded = (all: readonly string[], bits: number): string[] =>
  all.map((hash) => {
    let value = BigInt(`0x${hash}`);
    for (let count = 0; count < bits; count += 1) value ^= 1n << BigInt(Math.floor(random() * 64));
    return value.toString(16).padStart(16, "0");
  });

test("a film is known again in another encode, cut and shifted, and another film is not", () => {
  const film = hashes(600);
  const own = unpackHashes(packHashes(film));
  const cut = twinOf(own, unpackHashes(packHashes([...hashes(30), ...reencoded(film.slice(100, 500), 6)])));
  assert.ok(cut && cut.similarity > 0.9, JSON.stringify(cut));
  assert.equal(cut.offsetS, -70);
  const other = twinOf(own, unpackHashes(packHashes(hashes(600))));
  assert.ok(other === undefined || other.similarity < 0.3, JSON.stringify(other));
  const black = unpackHashes(packHashes(Array.from({ length: 600 }, () => "0".repeat(16))));
  assert.equal(twinOf(own, black), undefined);
  assert.equal(twinOf(black, black), undefined, "black says nothing");
});

const seen = (timeS: number, porn: number) => ({
  timeS,
  classes: { drawing: 0, hentai: 0, neutral: 1 - porn, porn, sexy: 0 },
});
/** A frame that was looked at closer. */
const closer = (timeS: number, single: number, around: number) => ({
  ...seen(timeS, single),
  around: seen(timeS, around).classes,
});

test("frames that are doubtful deserve a closer look, the likeliest first", () => {
  const frames = [seen(0, 0.6), seen(1, 0.75), seen(2, 0.97)];
  assert.deepEqual(
    doubtedOf(frames).map(({ timeS }) => timeS),
    [2, 1],
  );
  assert.deepEqual(meanOf([seen(0, 0.5).classes, seen(0, 1).classes]), seen(0, 0.75).classes);
});

test("what stays harmful in closer looks is one finding in a row, a single frame is none, and a person's verdict holds", () => {
  const frames = [
    seen(0, 0),
    closer(1, 0.75, 0.3),
    seen(2, 0.1),
    closer(10, 0.8, 0.86),
    closer(11, 0.95, 0.95),
    closer(12, 0.72, 0.87),
    closer(20, 0.97, 0.8),
    closer(30, 0.97, 0.97),
  ];
  const found = nudityIn(frames, 1);
  assert.deepEqual(
    found.map(({ startS, endS, score }) => [startS, endS, score]),
    [
      [10, 13, 0.95],
      [30, 31, 0.97],
    ],
  );
  const [first, second] = found;
  assert.ok(first && second);
  assert.ok(isDecided(first, [{ kind: "nudity", startS: 9, endS: 12 }]));
  assert.ok(!isDecided(second, [{ kind: "nudity", startS: 9, endS: 12 }]));
  assert.ok(!isDecided(first, [{ kind: "language", startS: 9, endS: 12 }]));
});

test("strong words are pointed at in the language that they belong to, and innocent ones are not", () => {
  const cue = (text: string, confidence = 1) => ({ startS: 1, endS: 2, text, confidence });
  assert.deepEqual(
    languageIn([cue("You fucking liar."), cue("A bitch of a day.", 0.5)], "en-GB").map(({ score }) => score),
    [1, 0.375],
  );
  assert.deepEqual(languageIn([cue("Shiitake mushrooms, please. A putative heir.")], "en"), []);
  assert.deepEqual(languageIn([cue("You fucking liar.")], "de"), []);
});

test("tags are words that tell, genres first, and the summary is sentences of the description", () => {
  const { tags, summary } = extract({
    ...{ title: "The Keeper", tagline: "", genres: ["Drama"], spoken: "lighthouse lighthouse" },
    synopsis:
      "A keeper counts ships at the lighthouse. It rains. The lighthouse goes dark when the ships need it most.",
  });
  assert.deepEqual(tags.slice(0, 2), ["drama", "lighthouse"]);
  assert.ok(!tags.includes("keeper") && !tags.includes("the"));
  assert.equal(
    summary,
    "A keeper counts ships at the lighthouse. The lighthouse goes dark when the ships need it most.",
  );
});

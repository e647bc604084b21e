import assert from "node:assert/strict";
import { test } from "node:test";
import { nextToken, segmentsOf, textOf, vocabularyOf } from "./whisper-tokens.ts";

const WORDS = [
  "Ġhello",
  "Ġworld",
  "Ã©",
  "!",
  "(",
  "<|endoftext|>",
  "<|startoftranscript|>",
  "<|nocaptions|>",
  "<|notimestamps|>",
];
const TIMES = Array.from({ length: 101 }, (_, at) => `<|${(at * 0.02).toFixed(2)}|>`);
const vocabulary = vocabularyOf([...WORDS, ...TIMES], { suppressed: [4], suppressedFirst: [] });
const { firstTime, end } = vocabulary;
const logits = (likely: Readonly<Record<number, number>>): Float32Array => {
  const all = new Float32Array(WORDS.length + TIMES.length).fill(-10);
  for (const [token, value] of Object.entries(likely)) all[Number(token)] = value;
  return all;
};

test("a text begins with a time, goes on with words, and never with what is no speech", () => {
  assert.ok(nextToken(logits({ 0: 9, [firstTime + 2]: 1 }), [], vocabulary).token === firstTime + 2);
  assert.equal(nextToken(logits({ 4: 9, 1: 5 }), [firstTime, 0], vocabulary).token, 1);
  assert.equal(
    nextToken(logits({ [firstTime + 9]: 9, 0: 1 }), [firstTime], vocabulary).token,
    0,
    "what begins goes on with words",
  );
});

test("times come in pairs, never go back, and stand where they are likelier than any word", () => {
  const said = [firstTime, 0, firstTime + 50];
  const { token } = nextToken(logits({ 0: 9, [firstTime + 20]: 5, [firstTime + 50]: 3 }), said, vocabulary);
  assert.equal(token, firstTime + 50);
  const spread = logits(Object.fromEntries(TIMES.map((_, at) => [firstTime + at, 0])));
  spread[1] = 1;
  assert.ok(nextToken(spread, [firstTime, 0], vocabulary).token > firstTime);
  assert.equal(nextToken(logits({ [end]: 8 }), [firstTime, 0, firstTime + 50], vocabulary).token, end);
});

test("words are spelled byte by byte, and cut at their times", () => {
  assert.equal(textOf([0, 2, 3, firstTime], vocabulary), " helloé!");
  const said = [firstTime + 10, 0, 1, firstTime + 60, firstTime + 70, 0].map((token) => ({
    token,
    logProbability: -0.5,
  }));
  assert.deepEqual(segmentsOf(said, vocabulary, 1.9), [
    { startS: 0.2, endS: 1.2, text: "hello world", logProbability: -0.5 },
    { startS: 1.4000000000000001, endS: 1.9, text: "hello", logProbability: -0.5 },
  ]);
});

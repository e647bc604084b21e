import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cuesOf, languageOf, piecesOf, speechOf, WINDOW_S, wordErrorRate } from "./domain-speech.ts";

test("speech is where it is likely for long enough, with the breath before it", () => {
  const likelihoods = new Float32Array(400);
  likelihoods.fill(0.9, 100, 160);
  likelihoods.fill(0.4, 130, 135); // A word that is swallowed.
  likelihoods.fill(0.9, 300, 303); // A click.
  const speech = speechOf(likelihoods, 400 * WINDOW_S);
  assert.equal(speech.length, 1);
  const [only] = speech;
  assert.ok(only && Math.abs(only.startS - (100 * WINDOW_S - 0.7)) < 1e-6 && only.endS >= 160 * WINDOW_S);
});

test("pieces hold all speech, none longer than a recogniser hears, and pauses part them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 0, max: 20, noNaN: true }), fc.double({ min: 0.3, max: 70, noNaN: true })), {
        maxLength: 40,
      }),
      (steps) => {
        let atS = 0;
        const speech = steps.map(([pauseS, lengthS]) => {
          const startS = atS + pauseS;
          atS = startS + lengthS;
          return { startS, endS: atS };
        });
        const pieces = piecesOf(speech);
        for (const { startS, endS } of pieces) assert.ok(endS > startS && endS - startS <= 28 + 1e-9);
        for (const each of speech) {
          const covered = pieces
            .map(({ startS, endS }) => Math.max(0, Math.min(endS, each.endS) - Math.max(startS, each.startS)))
            .reduce((sum, lengthS) => sum + lengthS, 0);
          assert.ok(Math.abs(covered - (each.endS - each.startS)) < 1e-6);
        }
      },
    ),
  );
  assert.equal(
    piecesOf([
      { startS: 0, endS: 2 },
      { startS: 3, endS: 5 },
      { startS: 9, endS: 10 },
    ]).length,
    2,
  );
});

test("cues are read in passing: two lines at most, in order, none over the next", () => {
  const text =
    "It was a bright cold day in April, and the clocks were striking thirteen, while he slipped quickly through the glass doors of the house.";
  const cues = cuesOf(
    [
      { startS: 1, endS: 7, text, confidence: 0.8 },
      { startS: 7.1, endS: 7.3, text: "Yes.", confidence: 0.9 },
    ],
    20,
  );
  assert.equal(cues.map((cue) => cue.text.replaceAll("\n", " ")).join(" "), `${text} Yes.`);
  for (const [index, cue] of cues.entries()) {
    assert.ok(cue.text.split("\n").length <= 2 && cue.text.split("\n").every((line) => line.length <= 42), cue.text);
    assert.ok(cue.endS > cue.startS && cue.endS <= (cues[index + 1]?.startS ?? 20) + 1e-9);
  }
});

test("a word error rate counts what was left out, put in and exchanged", () => {
  assert.equal(wordErrorRate("I'm searching for someone.", "im searching FOR someone"), 0);
  assert.equal(wordErrorRate("a dangerous quest for a lone hunter", "a dangerous quest for a no-man too"), 3 / 7);
  assert.equal(wordErrorRate("one two three four", "one three four five"), 0.5);
  assert.equal(wordErrorRate("one two", ""), 1);
});

test("a language is told by its small words, and nothing is told of a few", () => {
  assert.equal(
    languageOf("What brings you to the land of the gatekeepers? I have been alone for as long as I can remember."),
    "en",
  );
  assert.equal(
    languageOf("Ich bin allein, so lange ich denken kann, und es ist nicht gut für mich und die anderen."),
    "de",
  );
  assert.equal(languageOf("Hola."), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { problem } from "#kernel/errors";
import type { Harm, Judgement } from "#kernel/ports/moderation";
import { CLOSER_MAX, flaggedIn, type Judged, judgedIn, lookedOf, replacedBy, saidIn } from "./domain-judged.ts";

/** A judgement in which some harms have a score, flagged from .5 on; violence always has one. */
const judgement = (scores: Partial<Record<Harm, number>>): Judgement => {
  const opinions = Object.entries(scores).map(([harm, score]) => [harm, { isFlagged: score >= 0.5, score }]);
  return { violence: { isFlagged: false, score: 0.01 }, ...Object.fromEntries(opinions) };
};
const calm = judgement({ sexual: 0.01, graphic: 0.01 });
const frame = (timeS: number, scores: Partial<Record<Harm, number>>, around?: readonly Judgement[]): Judged => ({
  ...{ timeS, judgement: judgement(scores) },
  ...(around ? { around } : {}),
});

test("what is flagged and stays so around it is a stretch, of its own kind and called by its worst", () => {
  const both = [judgement({ violence: 0.8 }), judgement({ violence: 0.6 }), calm, calm];
  const frames = [
    frame(0, {}),
    frame(2, { violence: 0.7 }, both),
    frame(
      4,
      { violence: 0.9, graphic: 0.8 },
      both.map(() => judgement({ graphic: 0.9 })),
    ),
    // One look alone: a flash.
    frame(12, { violence: 0.9 }, [judgement({ violence: 0.9 }), calm, calm, calm]),
    frame(20, { sexual: 0.6 }, [judgement({ sexual: 0.7 })]),
  ];
  assert.deepEqual(judgedIn(frames, 2), [
    { kind: "violence", startS: 2, endS: 6, score: 0.9, label: "graphic violence" },
    { kind: "nudity", startS: 20, endS: 22, score: 0.7, label: "sexual content" },
  ]);
  assert.deepEqual(judgedIn([], 2), []);
});

test("closer looks are bounded, go to the worst, and what is one too many is pointed at all the same", () => {
  const frames = Array.from({ length: CLOSER_MAX + 5 }, (_, index) =>
    frame(index * 10, { violence: 0.5 + index / 100 }),
  );
  const closer = flaggedIn([...frames, frame(999, {})]);
  assert.equal(closer.length, CLOSER_MAX);
  assert.equal(closer[0]?.timeS, frames.at(-1)?.timeS);
  assert.equal(judgedIn(frames, 1).length, frames.length);
});

test("words that threaten are told from words that tell and words that hate", () => {
  const cues = [
    { startS: 1, endS: 2, text: "a", confidence: 1 },
    { startS: 3, endS: 4, text: "b", confidence: 0.5 },
    { startS: 5, endS: 6, text: "c", confidence: 1 },
    { startS: 7, endS: 8, text: "not judged any more", confidence: 1 },
  ];
  const judged = [judgement({ threat: 0.7, violence: 0.9 }), judgement({ violence: 0.8 }), judgement({ hate: 0.6 })];
  assert.deepEqual(saidIn(cues, judged), [
    { kind: "threats", startS: 1, endS: 2, score: 0.9, label: "a threat" },
    { kind: "threats", startS: 3, endS: 4, score: 0.4, label: "violence in words" },
    { kind: "language", startS: 5, endS: 6, score: 0.6, label: "hate" },
  ]);
});

test("what was looked for is said exactly, and of all else why it was not", () => {
  const none = { hasDetector: false, verdicts: undefined, language: undefined, isListed: false };
  const alone = lookedOf(none);
  assert.deepEqual(alone.looked, { nudity: false, violence: false, language: false, threats: false });
  assert.match(alone.notLooked.violence ?? "", /MARQUEE_MODERATION_URL/);
  assert.match(alone.notLooked.threats ?? "", /no subtitles/);
  assert.match(lookedOf({ ...none, language: "nl" }).notLooked.language ?? "", /'nl'/);

  const seen = { frames: [frame(1, {})], words: [], hasSeenAll: true, hasReadAll: true, fault: undefined };
  const pictures = lookedOf({ ...none, verdicts: seen });
  assert.deepEqual(pictures.looked, { nudity: false, violence: true, language: false, threats: false });
  const read = { ...seen, frames: [frame(1, { sexual: 0 })], words: [judgement({ hate: 0 })] };
  const all = lookedOf({ ...none, verdicts: read, language: "nl" });
  assert.deepEqual(all, { looked: { nudity: true, violence: true, language: true, threats: true }, notLooked: {} });
  // A server that knows no hate has read for threats alone.
  const some = lookedOf({ ...none, verdicts: { ...read, words: [calm] }, language: "nl" });
  assert.deepEqual([some.looked.threats, some.looked.language], [true, false]);

  const fault = problem.unavailable("it is away");
  const half = lookedOf({
    ...none,
    hasDetector: true,
    verdicts: { ...seen, hasSeenAll: false, hasReadAll: false, fault },
  });
  assert.deepEqual([half.looked.nudity, half.looked.violence, half.notLooked.violence], [true, false, "it is away"]);
  assert.deepEqual(replacedBy(half, fault), ["nudity"]);
  assert.deepEqual(replacedBy(alone, undefined), ["language", "threats"]);
  assert.deepEqual(replacedBy(all, undefined), ["nudity", "violence", "language", "threats"]);
});

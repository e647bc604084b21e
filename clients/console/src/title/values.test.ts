import assert from "node:assert/strict";
import { test } from "node:test";
import type { EnrichedTitle, Step } from "../api.ts";
import { chaptersIn, currentOf, framesIn, lookedIn, noneOf, subtitlesIn, wordsIn } from "./values.ts";

const step = (name: string, value: unknown, corrected = false): Step => ({
  ...{
    name,
    state: "done",
    progress: 1,
    model: "m",
    version: "1",
    confidence: 0.5,
    atMs: "0",
    message: "",
    reason: "",
  },
  ...{ corrected, valueJson: value === undefined ? "" : JSON.stringify(value) },
});
const title = (...steps: Step[]): EnrichedTitle => ({
  ...{ contentId: "vod_1", durationS: 60, begunAtMs: "0", findingsWaiting: 0, subtitlesShown: "", steps },
});

test("values are read as far as they have the form that is expected", () => {
  const found = title(
    step("scenes", { scenes: [], chapters: [{ startS: 0, title: "" }, "no chapter", { startS: "3" }] }),
    step("subtitles", { language: "en", cues: [{ startS: 1, endS: 2, text: "Hello", confidence: 0.4 }] }, true),
    step("text", { tags: ["harbour", 7], summary: "A keeper." }),
    step("thumbnails", { pictures: [{ key: "artwork/vod_1/found-3500.jpg", timeS: 3.5, score: 0.8, faces: null }] }),
  );
  assert.deepEqual(chaptersIn(found), {
    value: [
      { startS: 0, title: "" },
      { startS: 0, title: "" },
    ],
    corrected: false,
  });
  assert.deepEqual(subtitlesIn(found)?.value.cues, [{ startS: 1, endS: 2, text: "Hello", confidence: 0.4 }]);
  assert.equal(subtitlesIn(found)?.corrected, true);
  assert.deepEqual(wordsIn(found)?.value, { tags: ["harbour"], summary: "A keeper." });
  assert.deepEqual(framesIn(found)?.value, [
    { key: "artwork/vod_1/found-3500.jpg", timeS: 3.5, score: 0.8, faces: null },
  ]);
  assert.deepEqual(currentOf(found, "thumbnails"), ["artwork/vod_1/found-3500.jpg"]);
  assert.deepEqual(currentOf(found, "tags"), ["harbour"]);
  assert.deepEqual(noneOf(found, "subtitles"), { language: "en", cues: [] });
  assert.deepEqual([noneOf(found, "chapters"), noneOf(found, "summary")], [[], ""]);
});

test("a step without a result, or with one that is no JSON, has no value", () => {
  const broken = { ...step("scenes", undefined), valueJson: "{" };
  for (const found of [title(), title(step("scenes", undefined)), title(broken), undefined]) {
    assert.equal(chaptersIn(found), undefined);
    assert.equal(currentOf(found, "chapters"), undefined);
    assert.equal(framesIn(found), undefined);
  }
});

test("what moderation looked for is told from what it did not, with the reason where there is one", () => {
  const value = {
    looked: { nudity: true, violence: false, language: true, threats: false, odd: "yes" },
    notLooked: { violence: "it is away", threats: 7 },
  };
  assert.deepEqual(lookedIn(step("moderation", value)), {
    looked: ["nudity", "language"],
    notLooked: [
      { names: ["violence"], reason: "it is away" },
      { names: ["violent words"], reason: "" },
    ],
  });
  const away = { looked: { violence: false, threats: false }, notLooked: { violence: "away", threats: "away" } };
  assert.deepEqual(lookedIn(step("moderation", away))?.notLooked, [
    { names: ["violence", "violent words"], reason: "away" },
  ]);
  // As results were before they gave reasons, and none at all.
  assert.deepEqual(lookedIn(step("moderation", { looked: { violence: false } }))?.notLooked, [
    { names: ["violence"], reason: "" },
  ]);
  assert.equal(lookedIn(step("moderation", undefined)), undefined);
  assert.equal(lookedIn(undefined), undefined);
});

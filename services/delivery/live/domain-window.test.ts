import assert from "node:assert/strict";
import { test } from "node:test";
import { entriesOf, runEndsOf, type WindowSegment } from "./domain-window.ts";

const TIMESCALE = 1_000;
const segment = (number: number, run: number, durationTicks = 2_000): WindowSegment => ({
  ...{ number, run, runFirst: 0, dayIndex: 1, init: "init-1.mp4", durationTicks, isWhole: true, parts: [] },
});
const track = (segments: readonly WindowSegment[]) => ({
  ...{ name: "t", keyClass: "SD" as const, segments, next: null, timescale: TIMESCALE },
});
const told = (of: ReturnType<typeof track>, all: readonly ReturnType<typeof track>[]) =>
  entriesOf(of, { timescale: TIMESCALE }, () => ({ kid: "", ivHex: "" }), runEndsOf(all)).map(
    ({ number, runSerial, isGap, durationS }) => `${number}/${runSerial}${isGap ? " gap" : ""} ${durationS}`,
  );

test("renditions break off and go on at the same numbers, whatever single encoders made of the end of a run", () => {
  // Pictures stopped in the middle of the twelfth, sound went on for another two; then both came back.
  const picture = track([segment(10, 1), segment(11, 1), segment(12, 1, 500), segment(16, 2), segment(17, 2, 500)]);
  const sound = track(
    [10, 11, 12, 13].map((number) => segment(number, 1, 2_005)).concat(segment(15, 2), segment(16, 2)),
  );
  const gaps = ["12/2 gap 2", "13/2 gap 2", "14/2 gap 2"];
  // What is made at this moment is as long as it is.
  assert.deepEqual(told(picture, [picture, sound]), ["10/1 2", "11/1 2", ...gaps, "15/2 gap 2", "16/2 2", "17/2 0.5"]);
  assert.deepEqual(told(sound, [picture, sound]), ["10/1 2.005", "11/1 2.005", ...gaps, "15/2 2", "16/2 2"]);
});

test("a track that has nothing of a run does not end it for the others", () => {
  const picture = track([segment(10, 1), segment(11, 1), segment(14, 2)]);
  const late = track([segment(14, 2)]);
  assert.deepEqual(told(picture, [picture, late]), ["10/1 2", "11/1 2", "12/2 gap 2", "13/2 gap 2", "14/2 2"]);
});

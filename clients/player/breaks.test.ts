import assert from "node:assert/strict";
import { test } from "node:test";
import { leftOfBreak, onClock, placeOf, spansOf } from "./breaks.ts";

const breaks = [
  { atS: 0, durationS: 15 },
  { atS: 60, durationS: 30 },
];

test("places of the film are found again on the clock and back", () => {
  for (const [placeS, clockS] of [
    [0, 0],
    [1, 16],
    [60, 75],
    [61, 106],
  ] as const)
    assert.equal(onClock(breaks, placeS), clockS, `${placeS} s of the film`);
  for (const [clockS, placeS] of [
    [7, 0],
    [16, 1],
    [75, 60],
    [104, 60],
    [106, 61],
  ] as const)
    assert.equal(placeOf(breaks, clockS), placeS, `${clockS} s on the clock`);
  assert.equal(placeOf([], 42), 42);
});

test("a break says how long it lasts, and the film says nothing", () => {
  assert.deepEqual(
    [0, 14, 15, 75, 105].map((clockS) => leftOfBreak(breaks, clockS)),
    [15, 1, null, 30, null],
  );
  assert.deepEqual(
    spansOf(breaks).map(({ startS, endS }) => [startS, endS]),
    [
      [0, 15],
      [75, 105],
    ],
  );
});

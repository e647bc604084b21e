import assert from "node:assert/strict";
import { test } from "node:test";
import { clockText, difference, figure, plainText, pValue, secondsOf } from "./format.ts";

test("differences carry their sign, and none where they round to nothing", () => {
  assert.deepEqual([difference(0.01234), difference(-0.5, 2), difference(0.000001)], ["+0.0123", "−0.50", "0.0000"]);
  assert.deepEqual([figure(undefined), figure(Number.NaN), figure(0.5, 1)], ["–", "–", "0.5"]);
  assert.deepEqual([pValue(0.00001), pValue(0.0432)], ["p < 0.001", "p 0.043"]);
});

test("times are read as they are written, to a tenth of a second", () => {
  for (const seconds of [0, 0.5, 59.9, 60, 61.5, 3_599.9, 3_600, 7_325.3]) {
    assert.equal(secondsOf(clockText(seconds)), seconds, clockText(seconds));
  }
  assert.deepEqual([clockText(61.5), clockText(3_725)], ["1:01.5", "1:02:05.0"]);
  assert.equal(secondsOf("12"), 12);
  assert.equal(secondsOf("1:30,25"), 90.25);
  for (const wrong of ["", "a", "1:", "1:2:3:4", "-1", "1.5:20", "1e3"])
    assert.equal(secondsOf(wrong), undefined, wrong);
});

test("what the inventory says is shown without its Markdown", () => {
  assert.equal(plainText("by `x`, see [search](guides/search.md)"), "by x, see search");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { newId } from "./ids.ts";

test("ids say what they name and fit where ids are asked for", () => {
  assert.match(newId("ses", 1_700_000_000_000), /^ses_[0-9a-hjkmnp-tv-z]{26}$/);
});

test("property: ids sort as their times do", () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  fc.assert(
    fc.property(time, time, (a, b) => {
      fc.pre(a !== b);
      assert.equal(newId("x", a) < newId("x", b), a < b);
    }),
  );
});

test("ids of one moment differ", () => {
  assert.equal(new Set(Array.from({ length: 10_000 }, () => newId("x", 1))).size, 10_000);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { similarity } from "./index.ts";

const FLAT = "0".repeat(16);
const hash = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }).map((bits) => bits.toString(16).padStart(16, "0"));
const print = fc.record({ durationS: fc.constant(60), frames: fc.array(hash, { minLength: 32, maxLength: 32 }) });

test("a film is like itself, in either order, and never beyond 0 to 1", () => {
  fc.assert(
    fc.property(print, print, (a, b) => {
      assert.equal(similarity(a, a), 1);
      const value = similarity(a, b);
      assert.equal(value, similarity(b, a));
      assert.ok(value >= 0 && value < 0.8, String(value));
    }),
  );
});

test("flat frames say nothing", () => {
  const black = { durationS: 60, frames: new Array<string>(32).fill(FLAT) };
  assert.equal(similarity(black, black), 0);
});

test("another length is another film", () => {
  const frames = Array.from({ length: 32 }, (_, index) => (index + 1).toString(16).padStart(16, "7"));
  assert.equal(similarity({ durationS: 60, frames }, { durationS: 60.9, frames }), 1);
  assert.equal(similarity({ durationS: 60, frames }, { durationS: 75, frames }), 0);
});

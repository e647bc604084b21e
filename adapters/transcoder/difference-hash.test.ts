import assert from "node:assert/strict";
import { test } from "node:test";
import { differenceHash, FLAT } from "./difference-hash.ts";

test("the hash ignores brightness and contrast, and a flat frame says nothing", () => {
  const ramp = Uint8Array.from({ length: 72 }, (_, index) => (index * 37) % 100);
  const brighter = ramp.map((value) => value * 2 + 20);
  assert.equal(differenceHash(ramp), differenceHash(brighter));
  assert.notEqual(differenceHash(ramp), FLAT);
  assert.equal(differenceHash(new Uint8Array(72).fill(16)), FLAT);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countDistinct, withNames } from "./distinct.ts";
import { hashedVector } from "./hashing.ts";

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
const named = (prefix: string, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `${prefix}${from + index}`);

test("a vector has unit length, whatever the order of tokens, and none of nothing", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 30 }), (tokens) => {
      const vector = hashedVector(tokens, 64);
      const length = Math.sqrt(dot(vector, vector));
      // Two tokens may meet in a place with opposite signs, and all of them may.
      assert.ok(Math.abs(length - 1) < 1e-6 || vector.every((value) => value === 0), String(length));
      assert.deepEqual(hashedVector(tokens.toReversed(), 64), vector);
    }),
  );
  assert.deepEqual(hashedVector([], 4), [0, 0, 0, 0]);
});

test("vectors are as near to each other as their tokens, in the mean", () => {
  const cosines = Array.from({ length: 300 }, (_, round) => {
    const own = named(`${round}-`, 0, 20);
    return dot(hashedVector(own, 64), hashedVector([...own.slice(0, 10), ...named(`${round}-`, 100, 110)], 64));
  });
  const mean = cosines.reduce((sum, one) => sum + one, 0) / cosines.length;
  assert.ok(Math.abs(mean - 0.5) < 0.05, `half of the tokens are the same, and the mean cosine is ${mean}`);
});

test("different ones are counted exactly up to k, nearly above, and however often and in whatever batches they come", () => {
  const k = 256;
  const all = named("session-", 0, 5_000);
  assert.equal(countDistinct(withNames([], all.slice(0, 255), k), k), 255);
  const estimate = countDistinct(withNames([], all, k), k);
  assert.ok(
    Math.abs(estimate - 5_000) < 5_000 * 0.25,
    `${estimate} is no estimate of 5,000: that is four standard errors`,
  );
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: 300, maxLength: 600 }), fc.nat(500), (some, at) => {
      const once = withNames([], some, k);
      const inBatches = withNames(withNames(withNames([], some.slice(at), k), some.slice(0, at), k), some, k);
      assert.deepEqual(inBatches, once);
    }),
    { numRuns: 30 },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bootstrap, meanAt, pairedDifference } from "./bootstrap.ts";
import { randomNormal, seededRandom, shuffle } from "./random.ts";
import { coverage, diversity, ndcgAt, recallAt, reciprocalRank, topK } from "./ranking.ts";

const scores = fc.array(fc.oneof(fc.constantFrom(0, 1, 2), fc.double({ noNaN: true })), { maxLength: 40 });

test("property: the best are those of a sort, equals in their order", () => {
  fc.assert(
    fc.property(scores, fc.nat(12), fc.nat(3), (values, k, modulus) => {
      const excluded = (item: number): boolean => modulus > 0 && item % modulus === 0;
      const wanted = [...values.keys()]
        .filter((item) => !excluded(item))
        .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
        .slice(0, k);
      assert.deepEqual(topK(Float64Array.from(values), k, excluded), wanted);
    }),
  );
});

test("metrics of known rankings", () => {
  const relevant = new Set([1, 2]);
  assert.equal(ndcgAt([1, 2, 3], relevant, 3), 1);
  assert.equal(ndcgAt([3, 4], relevant, 2), 0);
  // Found at the third place alone: 1/log2(4) of 1 + 1/log2(3).
  assert.ok(Math.abs(ndcgAt([3, 4, 1], relevant, 3) - 0.5 / (1 + 1 / Math.log2(3))) < 1e-12);
  assert.equal(recallAt([3, 1], relevant, 2), 0.5);
  assert.equal(reciprocalRank([3, 1], relevant), 0.5);
  assert.equal(reciprocalRank([3], relevant), 0);
  assert.equal(
    coverage(
      [
        [1, 2],
        [2, 3],
      ],
      6,
    ),
    0.5,
  );
  assert.equal(
    diversity([0, 1, 3], (a, b) => Math.abs(a - b)),
    2,
  );
});

test("property: NDCG lies between 0 and 1, and moving something relevant up never lowers it", () => {
  const list = fc.uniqueArray(fc.nat(20), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(list, fc.uniqueArray(fc.nat(20)), fc.integer({ min: 1, max: 12 }), (ranked, wanted, k) => {
      const relevant = new Set(wanted);
      const before = ndcgAt(ranked, relevant, k);
      assert.ok(before >= 0 && before <= 1 + 1e-12);
      const at = ranked.findIndex((item, place) => place > 0 && relevant.has(item));
      if (at < 1) return;
      const moved = ranked.with(at, ranked[at - 1] ?? 0).with(at - 1, ranked[at] ?? 0);
      assert.ok(ndcgAt(moved, relevant, k) >= before - 1e-12);
    }),
  );
});

test("a 95 % interval holds the true mean about 95 times in 100", () => {
  const random = seededRandom(3);
  let held = 0;
  for (let round = 0; round < 200; round++) {
    const sample = Float64Array.from({ length: 60 }, () => 1 + randomNormal(random));
    const { low, high } = bootstrap(sample.length, (drawn) => meanAt(sample, drawn), { random, repeats: 200 });
    if (low <= 1 && high >= 1) held++;
  }
  assert.ok(held > 175 && held < 200, `${held} of 200`);
});

test("pairs stay together: a constant difference has no spread", () => {
  const random = seededRandom(4);
  const a = Float64Array.from({ length: 20 }, () => random());
  const { estimate, low, high } = pairedDifference(
    a.map((value) => value + 0.1),
    a,
    { random },
  );
  for (const value of [estimate, low, high]) assert.ok(Math.abs(value - 0.1) < 1e-12);
});

test("what is left to chance can be had again, and is even", () => {
  const [a, b] = [seededRandom(9), seededRandom(9)];
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const value = a();
    assert.equal(value, b());
    const at = Math.floor(value * 10);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(count > 850 && count < 1_150, String(counts));
  assert.deepEqual(
    shuffle([...Array(9).keys()], seededRandom(1)).toSorted((a, b) => a - b),
    [...Array(9).keys()],
  );
});

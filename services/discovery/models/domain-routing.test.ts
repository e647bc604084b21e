import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { badByRule, featuresOf, isBad, type Minute, minutesToLearn, ROUTING_FEATURES } from "./domain-routing.ts";

const minute = (at: number, more: Partial<Minute> = {}): Minute => ({
  ...{ minute: at, beats: 10, throughputKbps: 8_000, troubleRatio: 0, scoreP25: 90, latencyMs: 20, isUp: true },
  ...more,
});
const minutes = fc
  .uniqueArray(
    fc.record({
      minute: fc.integer({ min: 1_000, max: 1_060 }),
      beats: fc.nat(40),
      throughputKbps: fc.nat(30_000),
      troubleRatio: fc.double({ min: 0, max: 1, noNaN: true }),
      scoreP25: fc.double({ min: 0, max: 100, noNaN: true }),
      latencyMs: fc.nat(2_000),
      isUp: fc.boolean(),
    }),
    { selector: (one) => one.minute, maxLength: 40 },
  )
  .map((all) => all.toSorted((a, b) => a.minute - b.minute));
const line = (all: readonly Minute[]) => ({ networkId: "a", region: "DE", minutes: all });

test("property: a row to learn from is what would have been asked about when its minute was over", () => {
  fc.assert(
    fc.property(minutes, (all) => {
      const { table, labels, isTest, segments } = minutesToLearn([line(all)]);
      assert.equal(table.values.length, labels.length * ROUTING_FEATURES.length);
      assert.deepEqual([isTest.length, segments.length], [labels.length, labels.length]);
      const known = all.filter((one) => {
        const next = all.find((other) => other.minute === one.minute + 1);
        return next !== undefined && next.beats >= 3 && one.beats > 0;
      });
      assert.equal(known.length, labels.length);
      for (const [row, one] of known.entries()) {
        const seen = all.filter((other) => other.minute <= one.minute);
        const asked = Float32Array.from(featuresOf(seen.slice(-15)));
        const columns = ROUTING_FEATURES.length;
        assert.deepEqual([...table.values.subarray(row * columns, (row + 1) * columns)], [...asked]);
      }
      assert.ok(!table.values.some((value) => value === Infinity || value === -Infinity));
    }),
  );
});

test("what is judged by comes after all that is learned from", () => {
  const all = Array.from({ length: 400 }, (_, at) => minute(at));
  const { isTest } = minutesToLearn([line(all), { ...line(all), networkId: "b" }]);
  assert.equal(isTest.lastIndexOf(false) + 1, isTest.indexOf(true));
  assert.ok(Math.abs(isTest.filter(Boolean).length / isTest.length - 0.25) < 0.01);
});

test("a bad minute is one of trouble or of too little for a picture, and silence is none", () => {
  for (const [more, expected] of [
    [{}, false],
    [{ troubleRatio: 0.05 }, true],
    [{ throughputKbps: 1_499 }, true],
    [{ throughputKbps: 0 }, false],
  ] as const)
    assert.equal(isBad(minute(1, more)), expected, JSON.stringify(more));
  assert.ok(featuresOf([]).every(Number.isNaN));
});

test("the rule says that the next minute is as the last ones were", () => {
  const calm = badByRule(featuresOf([minute(1), minute(2)]));
  const slow = badByRule(featuresOf([minute(1), minute(2, { throughputKbps: 500 })]));
  const troubled = badByRule(featuresOf([minute(1), minute(2, { troubleRatio: 0.4 })]));
  assert.ok(calm < slow && slow < troubled && troubled < 1, `${calm} ${slow} ${troubled}`);
  assert.equal(badByRule(featuresOf([])), calm);
});

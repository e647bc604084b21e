import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { countInto, driftOf, referenceOf } from "./drift.ts";
import { randomNormal, seededRandom } from "./random.ts";
import { sampleRatioPValue } from "./sample-ratio.ts";
import { addSample, type Arm, compare, LEAST_SAMPLES, mean, NO_SAMPLES } from "./sequential.ts";

const armOf = (values: readonly number[]): Arm => values.reduce(addSample, NO_SAMPLES);
const TEST = { alpha: 0.05, scale: 0.5 };

describe("the sequential test", () => {
  it("rejects at alpha exactly where the interval leaves out none", () => {
    const samples = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), {
      minLength: LEAST_SAMPLES,
      maxLength: 130,
    });
    const alpha = fc.double({ min: 0.001, max: 0.4, noNaN: true });
    fc.assert(
      fc.property(samples, samples, alpha, fc.double({ min: 0.01, max: 5, noNaN: true }), (a, b, level, scale) => {
        const { pValue, low, high, effect } = compare(armOf(a), armOf(b), { alpha: level, scale });
        assert.ok(low <= effect && effect <= high && pValue > 0 && pValue <= 1);
        if (Math.abs(pValue - level) > 1e-9) assert.equal(pValue < level, low > 0 || high < 0);
      }),
    );
  });

  it("keeps a p-value that was reached, and says nothing of few samples", () => {
    const same = armOf(Array.from({ length: 200 }, (_, index) => index % 2));
    assert.equal(compare(same, same, TEST, 0.01).pValue, 0.01);
    const few = armOf([0, 1, 0, 1]);
    assert.deepEqual(compare(few, same, TEST), { effect: 0, pValue: 1, low: -Infinity, high: Infinity });
    assert.equal(mean(NO_SAMPLES), 0);
  });

  it("errs at most as often as alpha says where each sample is looked at", () => {
    const random = seededRandom(11);
    let alarms = 0;
    for (let repeat = 0; repeat < 200; repeat += 1) {
      let [control, treatment, pValue] = [NO_SAMPLES, NO_SAMPLES, 1];
      for (let sample = 0; sample < 600 && pValue >= 0.05; sample += 1) {
        control = addSample(control, randomNormal(random));
        treatment = addSample(treatment, randomNormal(random));
        pValue = compare(control, treatment, TEST, pValue).pValue;
      }
      if (pValue < 0.05) alarms += 1;
    }
    // 5 % are 10; 200 tosses give more than 20 with a chance of one in a thousand, and the seed is fixed.
    assert.ok(alarms <= 20, `${alarms} of 200`);
  });
});

describe("the sample ratio", () => {
  it("has the p-values of the chi-square distribution", () => {
    // With one degree of freedom 1 - erf(sqrt(x/2)), with two exp(-x/2): 3.841 and 5.991 are the 5 % points, 6.635 and 9.210 those of 1 %.
    for (const [statistic, expected] of [
      [3.841459, 0.05],
      [6.634897, 0.01],
      [0.454936, 0.5],
    ] as const) {
      const off = Math.sqrt((statistic * 10_000) / 4);
      assert.ok(Math.abs(sampleRatioPValue([5_000 + off, 5_000 - off], [1, 1]) - expected) < 1e-6);
    }
    const [a, b, c] = [1_000 + 50, 1_000 - 20, 1_000 - 30];
    const statistic = (50 ** 2 + 20 ** 2 + 30 ** 2) / 1_000;
    assert.ok(Math.abs(sampleRatioPValue([a, b, c], [1, 1, 1]) - Math.exp(-statistic / 2)) < 1e-12);
  });

  it("is 1 where shares are as meant, falls as they leave them, and refuses what does not go together", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 1e6 }), fc.integer({ min: 0, max: 50 }), (count, more) => {
        const near = sampleRatioPValue([count, count + more], [50, 50]);
        assert.ok(near <= 1 && near >= sampleRatioPValue([count, count + 2 * more], [50, 50]));
        assert.ok(Math.abs(sampleRatioPValue([count, 9 * count], [10, 90]) - 1) < 1e-9);
      }),
    );
    assert.equal(sampleRatioPValue([0, 0], [1, 1]), 1);
    assert.throws(() => sampleRatioPValue([1], [1]), RangeError);
    assert.throws(() => sampleRatioPValue([1, 2], [1, 0]), RangeError);
  });
});

describe("drift", () => {
  const samples = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 20, maxLength: 300 });

  it("is none from itself, and never below none", () => {
    fc.assert(
      fc.property(samples, samples, fc.integer({ min: 2, max: 20 }), (then, now, bins) => {
        const reference = referenceOf(then, bins);
        assert.ok(reference.bounds.length < bins && reference.counts.every((count) => count > 0));
        assert.equal(
          reference.counts.reduce((sum, count) => sum + count, 0),
          then.length,
        );
        const same = driftOf(reference, reference.counts);
        assert.ok(Math.abs(same.psi) < 1e-12 && Math.abs(same.kl) < 1e-12);
        const { psi, kl } = driftOf(reference, countInto(reference.bounds, now));
        assert.ok(psi >= -1e-12 && kl >= -1e-12 && Number.isFinite(psi) && psi >= kl - 1e-9);
      }),
    );
  });

  it("is what the definition says, and tells a shift from chance", () => {
    const random = seededRandom(3);
    const normal = (shift: number) => Array.from({ length: 5_000 }, () => randomNormal(random) + shift);
    const reference = referenceOf(normal(0));
    assert.ok(driftOf(reference, countInto(reference.bounds, normal(0))).psi < 0.02);
    // Between normal densities a standard deviation apart it is 1; bins lose a little of it.
    const { psi } = driftOf(reference, countInto(reference.bounds, normal(1)));
    assert.ok(psi > 0.8 && psi < 1.05, `${psi}`);
    assert.throws(() => driftOf(reference, [1]), RangeError);
  });
});

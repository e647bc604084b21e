import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openRateLimit } from "./rate-limit.ts";

test("a burst at once, then the rate; the wait that is told is enough, and no less would be", () => {
  const limit = openRateLimit({ perS: 2, burst: 3 });
  assert.deepEqual(
    [0, 0, 0].map(() => limit.take("a", 1_000)),
    [0, 0, 0],
  );
  assert.equal(limit.take("a", 1_000), 0.5);
  assert.ok(limit.take("a", 1_499) > 0);
  assert.equal(limit.take("a", 1_500), 0);
  assert.equal(limit.take("b", 1_500), 0, "somebody else has a bucket of their own");
});

test("a clock that is set back gives nothing away", () => {
  const limit = openRateLimit({ perS: 1, burst: 1 });
  assert.equal(limit.take("a", 10_000), 0);
  assert.ok(limit.take("a", 5_000) > 0);
  assert.equal(limit.take("a", 6_000), 0);
});

test("however requests fall, no stretch of time has more than its burst and its rate", () => {
  const rate = { perS: 5, burst: 4 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 60 }), (gapsMs) => {
      const limit = openRateLimit(rate);
      let nowMs = 0;
      const takenMs: number[] = [];
      for (const gapMs of gapsMs) {
        nowMs += gapMs;
        if (limit.take("a", nowMs) === 0) takenMs.push(nowMs);
      }
      for (let from = 0; from < takenMs.length; from += 1)
        for (let to = from; to < takenMs.length; to += 1) {
          const passedS = ((takenMs[to] ?? 0) - (takenMs[from] ?? 0)) / 1_000;
          assert.ok(to - from + 1 <= rate.burst + rate.perS * passedS + 1e-6);
        }
    }),
  );
});

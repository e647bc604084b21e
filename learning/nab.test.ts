import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bestThreshold, type Labelled, probationRows, rawScore, scaled } from "./nab.ts";

const ROWS = 200;
const series = (...windows: (readonly [number, number])[]): Labelled => ({ values: new Float64Array(ROWS), windows });
const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

test("no alarm is 0, the first row of each window 100", () => {
  const one = series([50, 69], [120, 139]);
  close(scaled([one], [rawScore(one, () => false)]), 0);
  close(scaled([one], [rawScore(one, (row) => row === 50 || row === 120)]), 100);
  assert.equal(probationRows(ROWS), 30);
  assert.equal(probationRows(20_000), 750);
});

test("a false alarm costs .11, less right behind a window, and nothing while the detector may learn", () => {
  const one = series([50, 69]);
  close(
    rawScore(one, (row) => row === 40),
    -1 - 0.11,
  );
  close(
    rawScore(one, (row) => row === 199),
    -1 - 0.11,
  );
  close(
    rawScore(one, (row) => row === 10),
    -1,
  );
  const behind = rawScore(one, (row) => row === 71);
  assert.ok(behind < -1 && behind > -1.11, String(behind));
});

test("of several alarms in a window the earliest counts, and the last row of a window is worth little", () => {
  const one = series([50, 69]);
  const early = rawScore(one, (row) => row === 52);
  close(
    rawScore(one, (row) => row === 52 || row === 60),
    early,
  );
  // By hand: the last row stands at -1/20 of the window, 2 / (1 + e^-.25) - 1 over 2 / (1 + e^-5) - 1.
  close(
    rawScore(one, (row) => row === 69),
    (2 / (1 + Math.exp(-0.25)) - 1) / (2 / (1 + Math.exp(-5)) - 1),
  );
});

test("property: the best threshold comes to what is said, and no other to more", () => {
  const scores = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: ROWS, maxLength: ROWS });
  fc.assert(
    fc.property(scores, scores, (a, b) => {
      const all = [series([50, 69], [120, 139]), series([100, 119])];
      const said = [Float64Array.from(a), Float64Array.from(b)];
      const at = (threshold: number): number =>
        scaled(
          all,
          all.map((one, index) => rawScore(one, (row) => (said[index]?.[row] ?? 0) >= threshold)),
        );
      const best = bestThreshold(all, said);
      close(at(best.threshold), best.score);
      for (let threshold = 0; threshold <= 10; threshold += 1) assert.ok(at(threshold) <= best.score + 1e-9);
    }),
    { numRuns: 30 },
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { ANOMALY_DEFAULTS, ANOMALY_THRESHOLD, anomalyScores, openAnomalyDetector } from "./anomaly.ts";
import { randomNormal, seededRandom } from "./random.ts";

const SMALL = { ...ANOMALY_DEFAULTS, reference: 300, calibration: 300 };
const alarms = (values: readonly number[]): number[] =>
  [...anomalyScores(values, SMALL).entries()].filter(([, score]) => score >= ANOMALY_THRESHOLD).map(([row]) => row);
const noisy = (rows: number, of: (row: number) => number, seed = 1): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: rows }, (_, row) => of(row) + 0.1 * randomNormal(random));
};
const wave = (row: number): number => 3 * Math.sin((2 * Math.PI * row) / 48);

test("a break in a season is an alarm although its values are usual ones, and what follows is quiet", () => {
  const calm = noisy(700, wave);
  const broken = calm.map((value, row) => (row >= 600 && row < 630 ? 0.1 * value : value));
  const found = alarms(broken).filter((row) => row >= 600);
  assert.ok(found.length >= 1 && found.length <= SMALL.lags, found.join(" "));
  assert.ok((found[0] ?? 0) < 640, found.join(" "));
});

test("a spike and a change of level are alarms, whatever the scale", () => {
  for (const scale of [1e-6, 1, 1e6]) {
    const spiked = noisy(500, () => 5).map((value, row) => scale * (row === 450 ? 8 : value));
    assert.ok(alarms(spiked).includes(450), `scale ${scale}`);
    const shifted = noisy(500, (row) => (row < 400 ? 5 : 7)).map((value) => scale * value);
    assert.ok(alarms(shifted).some((row) => row >= 400 && row < 406));
  }
});

test("what is usual is quiet: at most one row in a hundred of noise, and none of what never moves", () => {
  const found = [1, 2, 3, 4, 5].flatMap((seed) => alarms(noisy(800, wave, seed)).filter((row) => row >= 200));
  assert.ok(found.length <= 30, `${found.length} alarms in 3,000 rows`);
  assert.deepEqual(alarms(Array.from({ length: 500 }, () => 7)), []);
  const moved = Array.from({ length: 500 }, (_, row) => (row < 400 ? 7 : 7.5));
  assert.deepEqual(alarms(moved)[0], 400, "but the first move is one");
});

test("a score is made of what came before it, and of nothing after", () => {
  const values = noisy(400, wave);
  const whole = anomalyScores(values, SMALL);
  const part = anomalyScores(values.slice(0, 250), SMALL);
  assert.deepEqual([...part], [...whole.subarray(0, 250)]);
  assert.throws(() => openAnomalyDetector().push(Number.NaN), /NaN is no value/);
});

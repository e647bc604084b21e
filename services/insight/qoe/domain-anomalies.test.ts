import assert from "node:assert/strict";
import { test } from "node:test";
import { look, type Point, ROWS_MIN, seriesOf } from "./domain-anomalies.ts";

const point = (more: Partial<Point> = {}): Point => ({
  ...{ dimension: "network", value: "a", measure: "rebuffering", minute: 1, sessions: 50, figure: 0.015 },
  ...more,
});
const said = (score: number, usual: number, rows = ROWS_MIN) => new Map([[seriesOf(point()), { score, usual, rows }]]);
const NONE = new Map<string, never>();

test("the detector says what is unusual, where it is worse and matters", () => {
  const found = look([point()], said(0.9, 0.001), NONE);
  assert.deepEqual([found.opened.length, found.opened[0]?.isPartial, found.isPartial], [1, false, false]);
  assert.equal(look([point()], said(0.3, 0.001), NONE).opened.length, 0, "it is not unusual");
  assert.equal(look([point({ figure: 0.004 })], said(0.9, 0.001), NONE).opened.length, 0, "it does not matter");
  assert.equal(look([point({ figure: 0.001 })], said(0.9, 0.02), NONE).opened.length, 0, "it is better than usual");
  assert.equal(look([point({ sessions: 3 })], said(0.9, 0.001), NONE).opened.length, 0, "it is three people");
  const fell = point({ measure: "sessions", figure: 40 });
  const verdicts = new Map([[seriesOf(fell), { score: 0.9, usual: 100, rows: ROWS_MIN }]]);
  assert.equal(look([fell], verdicts, NONE).opened.length, 1, "most have gone");
  assert.equal(look([{ ...fell, figure: 160 }], verdicts, NONE).opened.length, 0, "many have come");
});

test("fixed thresholds decide in its place, and say so", () => {
  const bad = point({ figure: 0.03 });
  for (const verdicts of [undefined, said(0, 0.001, ROWS_MIN - 1)]) {
    const found = look([bad], verdicts, NONE);
    assert.deepEqual([found.opened[0]?.isPartial, found.isPartial], [true, verdicts === undefined]);
    assert.equal(look([point()], verdicts, NONE).opened.length, 0, "below the threshold");
  }
});

test("what is open is not opened again, and ends when the figure is back, or nobody watches", () => {
  const open = new Map([[seriesOf(point()), { measure: "rebuffering" as const, endsAt: 0.008 }]]);
  const still = look([point()], said(0.9, 0.001), open);
  assert.deepEqual([still.opened, still.closed], [[], []]);
  assert.deepEqual(look([point({ figure: 0.002 })], said(0, 0.001), open).closed, [seriesOf(point())]);
  assert.deepEqual(look([], NONE, open).closed, [seriesOf(point())]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  advance,
  type Beat,
  factorsOf,
  isDue,
  type Measures,
  measuresOf,
  type Rolling,
  scoreOf,
  UNKNOWN,
  WEIGHTS,
} from "./domain.ts";

const perfect: Measures = {
  ...{ videoStartTimeMs: 800, elapsedMs: 60_000, rebufferMs: 0, watchedMs: 59_000, averageBitrateKbps: 8_000 },
  ...{ bitrateMaxKbps: 8_000, resolutionDrops: 0, hasError: false },
};
const counter = fc.integer({ min: 0, max: 2_147_483_647 });
const measures: fc.Arbitrary<Measures> = fc.record({
  videoStartTimeMs: fc.oneof(fc.constant(-1), fc.nat(8_000), counter),
  elapsedMs: fc.nat(10_000_000),
  rebufferMs: fc.oneof(fc.nat(2_000), counter),
  watchedMs: fc.nat(10_000_000),
  averageBitrateKbps: counter,
  bitrateMaxKbps: fc.oneof(fc.constant(0), counter),
  resolutionDrops: fc.nat(30),
  hasError: fc.boolean(),
});

test("each factor is what ARCH-001 says at its corners and half-way", () => {
  const of = (more: Partial<Measures>) => factorsOf({ ...perfect, ...more });
  assert.deepEqual(of({}), { start: 100, rebuffer: 100, bitrate: 100, stability: 100, errorFree: 100 });
  for (const [ms, expected] of [
    [0, 100],
    [2_000, 100],
    [3_500, 50],
    [5_000, 0],
    [9_000, 0],
  ] as const)
    assert.equal(of({ videoStartTimeMs: ms }).start, expected, `${ms} ms`);
  assert.equal(of({ videoStartTimeMs: -1, elapsedMs: 3_500 }).start, 50, "who still waits has waited so long at least");
  for (const [rebufferMs, expected] of [
    [0, 100],
    [500, 50],
    [1_000, 0],
    [60_000, 0],
  ] as const)
    assert.ok(Math.abs(of({ rebufferMs, watchedMs: 100_000 }).rebuffer - expected) < 1e-9, `${rebufferMs} of 100 s`);
  assert.equal(of({ rebufferMs: 10, watchedMs: 0 }).rebuffer, 0);
  assert.equal(of({ averageBitrateKbps: 2_000 }).bitrate, 25);
  assert.equal(of({ averageBitrateKbps: 9_000 }).bitrate, 100);
  assert.equal(of({ bitrateMaxKbps: 0 }).bitrate, UNKNOWN);
  assert.deepEqual([of({ resolutionDrops: 3 }).stability, of({ resolutionDrops: 11 }).stability], [70, 0]);
  assert.equal(of({ hasError: true }).errorFree, 0);
});

test("the weights are those of ARCH-001, and what is unknown does not weigh", () => {
  const all = { start: 0, rebuffer: 0, bitrate: 0, stability: 0, errorFree: 0 };
  for (const [name, weight] of Object.entries({ start: 25, rebuffer: 30, bitrate: 20, stability: 15, errorFree: 10 }))
    assert.ok(Math.abs(scoreOf({ ...all, [name]: 100 }) - weight) < 1e-9, name);
  assert.ok(Math.abs(Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0) - 1) < 1e-9);
  assert.ok(Math.abs(scoreOf({ ...all, start: 100, bitrate: UNKNOWN }) - 31.25) < 1e-9);
});

test("property: a score is from 0 to 100", () => {
  fc.assert(
    fc.property(measures, (of) => {
      const factors = factorsOf(of);
      for (const [name, value] of Object.entries(factors))
        assert.ok((value >= 0 && value <= 100) || (name === "bitrate" && value === UNKNOWN), `${name} ${value}`);
      const score = scoreOf(factors);
      assert.ok(score >= 0 && score <= 100 + 1e-9, String(score));
    }),
  );
});

test("property: whoever suffers more, in whatever way, has no better score", () => {
  const worse = fc.record({
    videoStartTimeMs: fc.nat(5_000),
    rebufferMs: fc.nat(5_000),
    averageBitrateKbps: fc.nat(5_000),
    resolutionDrops: fc.nat(5),
    hasError: fc.boolean(),
  });
  fc.assert(
    fc.property(measures, worse, (of, by) => {
      fc.pre(of.videoStartTimeMs >= 0);
      const changes: Partial<Measures>[] = [
        { videoStartTimeMs: of.videoStartTimeMs + by.videoStartTimeMs },
        { rebufferMs: of.rebufferMs + by.rebufferMs, watchedMs: of.watchedMs },
        { averageBitrateKbps: Math.max(0, of.averageBitrateKbps - by.averageBitrateKbps) },
        { resolutionDrops: of.resolutionDrops + by.resolutionDrops },
        { hasError: of.hasError || by.hasError },
      ];
      for (const change of changes)
        assert.ok(scoreOf(factorsOf({ ...of, ...change })) <= scoreOf(factorsOf(of)) + 1e-9, JSON.stringify(change));
    }),
  );
});

const beat = (sequence: number, more: Partial<Beat> = {}): Beat => ({
  ...{
    userId: "u",
    sessionId: "s",
    contentId: "c",
    contentType: "vod",
    deviceType: "tv",
    market: "DE",
    networkId: "a",
  },
  ...{
    startedAtMs: 1_000_000,
    sequence,
    timeMs: 1_000_000 + sequence * 10_000,
    state: "playing",
    videoStartTimeMs: 900,
  },
  ...{
    rebufferDurationMs: 0,
    bitrateKbps: 4_000,
    averageBitrateKbps: 4_000,
    bitrateMaxKbps: 8_000,
    resolutionDrops: 0,
  },
  ...{ droppedFrames: 0, height: 1_080, throughputKbps: 20_000, bufferS: 20, errorCount: 0 },
  ...more,
});
const after = (beats: readonly Beat[]): Rolling | undefined =>
  beats.reduce<Rolling | undefined>((known, each) => advance(known, each).next, undefined);

test("what was watched adds up without pauses and silences", () => {
  assert.equal(after([beat(1), beat(2)])?.watchedMs, 20_000);
  assert.equal(after([beat(1), beat(2, { state: "paused" }), beat(3, { state: "buffering" })])?.watchedMs, 20_000);
  assert.equal(
    after([beat(1), beat(2, { timeMs: 9_000_000 })])?.watchedMs,
    40_000,
    "half a minute is the most between two",
  );
  const { growth } = advance(
    after([beat(1, { rebufferDurationMs: 200 })]),
    beat(2, { rebufferDurationMs: 500, droppedFrames: 4 }),
  );
  assert.deepEqual(growth, { rebufferMs: 300, droppedFrames: 4 });
});

test("property: beats that come again or late change nothing, but an error is never forgotten", () => {
  const stream = fc.array(
    fc.record({ sequence: fc.integer({ min: 1, max: 6 }), errorCount: fc.constantFrom(0, 0, 1) }),
    {
      minLength: 1,
      maxLength: 20,
    },
  );
  fc.assert(
    fc.property(stream, (all) => {
      const beats = all.map(({ sequence, errorCount }) => beat(sequence, { errorCount }));
      let highest = 0;
      const inOrder = beats.filter(({ sequence }) => {
        if (sequence <= highest) return false;
        highest = sequence;
        return true;
      });
      const hasError = beats.some(({ errorCount }) => errorCount > 0);
      assert.deepEqual(after(beats), { ...(after(inOrder) as Rolling), hasError });
    }),
  );
});

test("a score is told every half minute, and with all that comes after the end", () => {
  const first = after([beat(1)]);
  assert.ok(first && isDue(first));
  const told = { ...first, toldAtMs: first.timeMs };
  const due = [2, 3, 4].map((sequence) => isDue(advance(told, beat(sequence)).next));
  assert.deepEqual(due, [false, false, true]);
  assert.ok(isDue(advance({ ...told, isOver: true }, beat(2)).next));
  assert.equal(scoreOf(factorsOf(measuresOf(told))), 90, "half of the best bitrate costs ten points");
});

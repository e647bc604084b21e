// What is kept of an entity does not depend on the order in which events come, nor on how they are cut into batches.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { genreName } from "#contracts/features";
import { beaten, channel, diagnosed, tuned } from "./domain-channel.ts";
import { device, startedOn } from "./domain-device.ts";
import { tastes, watchedOf } from "./domain-genres.ts";
import { failed, history, started, stopped } from "./domain-history.ts";
import { measured, network } from "./domain-network.ts";
import { happened, popularity } from "./domain-popularity.ts";
import type { Kind } from "./domain.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "./domain-windows.ts";

const FIRST = Date.UTC(2026, 4, 1);
const time = (spanMs: number): fc.Arbitrary<number> => fc.integer({ min: FIRST, max: FIRST + spanMs });

/** Close enough for sums of fractions, which differ in their last bits by order. */
function assertAlike(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): void {
  assert.deepEqual(Object.keys(a), Object.keys(b));
  for (const [name, value] of Object.entries(a)) {
    const other = b[name];
    if (typeof value === "number" && typeof other === "number" && !Number.isNaN(value))
      assert.ok(Math.abs(value - other) <= 1e-9 * Math.max(1, Math.abs(value)), `${name}: ${value} and ${other}`);
    else assert.deepEqual(value, other, name);
  }
}

function assertOrderless<S>(kind: Kind<S>, folds: fc.Arbitrary<(state: S) => S>, atMs: number): void {
  fc.assert(
    fc.property(
      fc
        .array(folds, { maxLength: 25 })
        .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        const made = (each: readonly ((state: S) => S)[]) =>
          kind.valuesOf(
            // As it is written and read between two batches.
            each.reduce<S>((state, fold) => JSON.parse(JSON.stringify(fold(state))) as S, kind.empty),
            atMs,
          );
        assertAlike(made(all), made(shuffled));
      },
    ),
  );
}

const content = fc.constantFrom("a", "b", "c");

test("viewing history", () => {
  const session = fc.record({
    ...{ startedAtMs: time(60 * DAY_MS), lengthMs: fc.nat(3 * HOUR_MS), isLive: fc.boolean() },
    ...{ positionS: fc.nat(100), durationS: fc.constantFrom(0, 100) },
  });
  const folds = fc.oneof(
    fc.record({ contentId: content, startedAtMs: time(60 * DAY_MS) }).map(started),
    session.map((one) => stopped({ ...one, endedAtMs: one.startedAtMs + one.lengthMs })),
    time(60 * DAY_MS).map(failed),
  );
  assertOrderless(history, folds, FIRST + 60 * DAY_MS);
});

test("devices, tastes, popularity", () => {
  const word = fc.constantFrom("x", "y", "z");
  const start = fc.record({ startedAtMs: time(20 * DAY_MS), deviceId: word, deviceType: word, networkId: word });
  assertOrderless(device, start.map(startedOn), FIRST + 20 * DAY_MS);
  const watched = fc.tuple(fc.subarray(["Drama", "Comedy", "Sci-Fi"]), fc.nat(5_000), time(60 * DAY_MS));
  assertOrderless(
    tastes,
    watched.map((of) => watchedOf(...of)),
    FIRST + 60 * DAY_MS,
  );
  const what = fc.record({
    starts: fc.nat(2),
    watchedS: fc.nat(100),
    ended: fc.nat(2),
    shown: fc.nat(5),
    up: fc.nat(1),
  });
  assertOrderless(
    popularity,
    fc.tuple(what, time(20 * DAY_MS)).map((of) => happened(...of)),
    FIRST + 20 * DAY_MS,
  );
});

test("channels, but for beats that are minutes late", () => {
  const beat = fc.record({
    ...{ sessionId: content, timeMs: time(MINUTE_MS), bitrateKbps: fc.nat(5_000), throughputKbps: fc.nat(9_000) },
    ...{ liveLatencyMs: fc.integer({ min: -1, max: 9_000 }), state: fc.constantFrom("playing", "buffering") },
    height: fc.constantFrom(360, 1_080),
  });
  const folds = fc.oneof(
    fc.array(beat, { minLength: 1, maxLength: 5 }).map((beats) => beaten(beats as never)),
    time(50 * MINUTE_MS).map((at) => tuned("started", at)),
    time(50 * MINUTE_MS).map((at) => tuned("failed", at)),
    fc.tuple(fc.constantFrom("live", "no_input"), time(50 * MINUTE_MS)).map((of) => diagnosed(...of)),
  );
  assertOrderless(channel, folds, FIRST + 52 * MINUTE_MS);
});

test("networks, and a window that is told twice", () => {
  const window = fc.integer({ min: 0, max: 40 }).map((at) => {
    const fromMs = FIRST + at * 30_000;
    const figures = { sessions: 1 + at, beats: 10, throughputKbps: 1_000 * at, troubleRatio: at / 100, scoreP25: at };
    return measured({ networkId: "a", region: "DE", fromMs, toMs: fromMs + 30_000, ...figures });
  });
  assertOrderless(network, window, FIRST);
});

test("what watching is worth halves in thirty days, and shares stay", () => {
  const state = [watchedOf(["Drama"], 100, FIRST), watchedOf(["Comedy"], 100, FIRST + 30 * DAY_MS)].reduce(
    (before, fold) => fold(before),
    tastes.empty,
  );
  const shares = (atMs: number) => tastes.valuesOf(state, atMs);
  const now = shares(FIRST + 30 * DAY_MS);
  assert.ok(Math.abs(Number(now["share_comedy"]) - 2 / 3) < 1e-9, String(now["share_comedy"]));
  assertAlike(now, shares(FIRST + 80 * DAY_MS));
  assert.deepEqual(
    [now["top_genre"], genreName("Science-Fiction"), genreName("Animación")],
    ["comedy", "science_fiction", "animacion"],
  );
});

test("a channel counts those who were there in the last whole minute, each once", () => {
  const beats = (from: number, to: number, timeMs: number) =>
    Array.from({ length: to - from }, (_, index) => ({
      ...{ sessionId: `s${from + index}`, timeMs, bitrateKbps: 1, throughputKbps: 0, liveLatencyMs: -1 },
      ...{ state: "playing", height: 1 },
    })) as never;
  const folds = [beats(0, 100, FIRST), beats(50, 150, FIRST + 30_000), beats(0, 5, FIRST + MINUTE_MS)].map(beaten);
  const state = folds.reduce((before, fold) => fold(before), channel.empty);
  const at = (timeMs: number) => channel.valuesOf(state, timeMs)["viewers"];
  assert.deepEqual([at(FIRST + MINUTE_MS), at(FIRST + 2 * MINUTE_MS), at(FIRST + 3 * MINUTE_MS)], [150, 5, 0]);
});

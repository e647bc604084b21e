import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type EntityTime, joinPointInTime, type Observation } from "./point-in-time.ts";

interface Seen extends Observation {
  readonly value: number;
}

/** As the definition says it, one comparison after the other; it shares no thought with the join. */
function byBruteForce(rows: readonly EntityTime[], observations: readonly Seen[], ttlMs: number): (Seen | undefined)[] {
  return rows.map((row) => {
    let best: Seen | undefined;
    for (const one of observations) {
      if (one.key !== row.key) continue;
      if (one.eventTimeMs > row.timeMs) continue;
      if (row.timeMs - one.eventTimeMs > ttlMs) continue;
      if (best && one.eventTimeMs < best.eventTimeMs) continue;
      if (best && one.eventTimeMs === best.eventTimeMs && one.createdAtMs <= best.createdAtMs) continue;
      best = one;
    }
    return best;
  });
}

// Few keys and few times, so that ties, repetitions and ends of lives are the rule and not the exception.
const key = fc.constantFrom("a", "b", "c");
const time = fc.integer({ min: 0, max: 12 });
const observation: fc.Arbitrary<Seen> = fc.record({ key, eventTimeMs: time, createdAtMs: time, value: fc.nat(1_000) });
const row: fc.Arbitrary<EntityTime> = fc.record({ key: fc.constantFrom("a", "b", "c", "nobody"), timeMs: time });
/** Some come again, anywhere. */
const observations = fc
  .array(observation, { maxLength: 40 })
  .chain((all) => fc.shuffledSubarray([...all, ...all.slice(0, 5)]));

test("it is what the definition says, with ties, late values, repetitions, missing ones and lives that end", () => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 20 }),
      observations,
      fc.integer({ min: 0, max: 15 }),
      (rows, seen, ttlMs) => {
        assert.deepEqual(joinPointInTime(rows, seen, ttlMs), byBruteForce(rows, seen, ttlMs));
      },
    ),
    { numRuns: 2_000 },
  );
});

test("what becomes known later changes nothing that was joined before", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), observations, time, (rows, seen, nowMs) => {
      const past = rows.filter(({ timeMs }) => timeMs <= nowMs);
      const known = seen.filter(({ eventTimeMs }) => eventTimeMs <= nowMs);
      assert.deepEqual(joinPointInTime(past, seen, 100), joinPointInTime(past, known, 100));
    }),
  );
});

test("repeating observations changes nothing, and their order only what is the same in time and making", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), observations, (rows, seen) => {
      assert.deepEqual(joinPointInTime(rows, [...seen, ...seen], 100), joinPointInTime(rows, seen, 100));
      const timesOf = (joined: readonly (Seen | undefined)[]) =>
        joined.map((one) => one && [one.eventTimeMs, one.createdAtMs]);
      assert.deepEqual(
        timesOf(joinPointInTime(rows, seen.toReversed(), 100)),
        timesOf(joinPointInTime(rows, seen, 100)),
      );
    }),
  );
});

test("a value is good at its own time and until the end of its life, inclusive", () => {
  const seen = [{ key: "a", eventTimeMs: 100, createdAtMs: 500, value: 1 }];
  const at = (timeMs: number) => joinPointInTime([{ key: "a", timeMs }], seen, 50)[0]?.value;
  assert.deepEqual([99, 100, 150, 151].map(at), [undefined, 1, 1, undefined]);
});

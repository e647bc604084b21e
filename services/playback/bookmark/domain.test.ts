import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { advance, type Beat, isFinished, keyOf } from "./domain.ts";

/** Reports of a few sessions on a few titles; no two reports of a title are equally new. */
const beats = fc
  .uniqueArray(
    fc.record({ title: fc.constantFrom("t1", "t2"), startedAtMs: fc.integer({ min: 1, max: 4 }), sequence: fc.nat(8) }),
    { selector: (beat) => JSON.stringify(beat), maxLength: 30 },
  )
  .map((all) =>
    all.map(
      ({ title, startedAtMs, sequence }, i): Beat => ({
        ...{ userId: "u", profileId: "p", contentId: title, positionS: i, durationS: 100 },
        ...{ sessionStartedAtMs: startedAtMs, sequence, updatedAtMs: i },
      }),
    ),
  );

/** What is kept after batches, as the store keeps it. */
function keep(batches: readonly (readonly Beat[])[]): ReadonlyMap<string, object> {
  const kept = new Map<string, ReturnType<typeof advance>[number]>();
  for (const batch of batches) for (const next of advance(kept, batch, () => {})) kept.set(keyOf(next), next);
  return new Map([...kept].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

test("property: any order, any repetition and any batches of reports come to the same", () => {
  const told = beats.chain((all) =>
    fc.record({
      all: fc.constant(all),
      // Every report at least once, some of them again.
      shuffled: fc.array(fc.nat(Math.max(0, all.length - 1)), { maxLength: 20 }).chain((repeated) =>
        fc.shuffledSubarray([...all, ...repeated.flatMap((i) => all[i] ?? [])], {
          minLength: all.length === 0 ? 0 : all.length + repeated.length,
        }),
      ),
      size: fc.integer({ min: 1, max: 7 }),
    }),
  );
  fc.assert(
    fc.property(told, ({ all, shuffled, size }) => {
      const batches = Array.from({ length: Math.ceil(shuffled.length / size) }, (_, i) =>
        shuffled.slice(i * size, (i + 1) * size),
      );
      assert.deepEqual(keep(batches), keep([all]));
    }),
  );
});

test("property: what is kept is the newest of the latest session", () => {
  fc.assert(
    fc.property(beats, (all) => {
      for (const [key, kept] of keep([all])) {
        const own = all.filter((beat) => keyOf(beat) === key);
        const best = own.toSorted((a, b) => b.sessionStartedAtMs - a.sessionStartedAtMs || b.sequence - a.sequence)[0];
        assert.equal((kept as Beat).positionS, best?.positionS);
      }
    }),
  );
});

test("what comes too late is counted and changes nothing", () => {
  const beat = { userId: "u", profileId: "p", contentId: "t", positionS: 50, durationS: 100, updatedAtMs: 1 };
  const known = new Map([["p/t", { sessionStartedAtMs: 5, sequence: 3 }]]);
  let ignored = 0;
  const late = [
    { ...beat, sessionStartedAtMs: 5, sequence: 3 },
    { ...beat, sessionStartedAtMs: 4, sequence: 99 },
  ];
  assert.deepEqual(
    advance(known, late, () => ignored++),
    [],
  );
  assert.equal(ignored, 2);
  assert.equal(advance(known, [{ ...beat, sessionStartedAtMs: 6, sequence: 0 }], () => ignored++).length, 1);
});

test("a film is finished when its credits roll, a long one only near its end", () => {
  for (const [positionS, durationS, expected] of [
    [0, 0, false],
    [94, 100, false],
    [95, 100, true],
    [120, 100, true],
    [5_700, 6_000, true],
    [9_600, 10_000, false],
    [9_700, 10_000, true],
  ] as const) {
    assert.equal(isFinished(positionS, durationS), expected, `${positionS} of ${durationS}`);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { daysFor, gather, neighbour, programmesOf, segmentsOf } from "./guide-model.ts";

const HOUR_MS = 3_600_000;
const at = (hour: number) => Date.UTC(2026, 10, 26, hour);
const programme = (id: string, from: number, to: number) => ({ id, title: id, startMs: at(from), stopMs: at(to) });

test("property: segments are a chain without holes that holds what is asked for", () => {
  const programmes = fc
    .uniqueArray(fc.integer({ min: 0, max: 48 }), { maxLength: 12 })
    .map((hours) => hours.toSorted((a, b) => a - b))
    .chain((hours) =>
      fc.tuple(
        ...hours.map((hour, i) =>
          fc
            .integer({ min: 1, max: Math.max(1, (hours[i + 1] ?? hour + 3) - hour) })
            .map((length) => programme(String(i), hour, hour + length)),
        ),
      ),
    );
  fc.assert(
    fc.property(programmes, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 8 }), (all, from, hours) => {
      const segments = segmentsOf(all, at(from), at(from + hours));
      assert.ok((segments[0]?.startMs ?? Number.NaN) <= at(from));
      assert.ok((segments.at(-1)?.stopMs ?? Number.NaN) >= at(from + hours));
      for (const [i, segment] of segments.entries()) {
        assert.ok(segment.stopMs > segment.startMs);
        if (i > 0) assert.equal(segment.startMs, segments[i - 1]?.stopMs);
      }
      const wanted = all.filter(({ startMs, stopMs }) => stopMs > at(from) && startMs < at(from + hours));
      assert.deepEqual(
        segments.flatMap((segment) => segment.programme ?? []),
        wanted,
      );
    }),
  );
});

test("programmes without room for words are one up to the half hour, named by what is on", () => {
  const minute = (n: number) => at(10) + n * 60_000;
  const short = Array.from({ length: 40 }, (_, n) => ({
    ...{ id: `s${n}`, title: "", startMs: minute(n), stopMs: minute(n + 1) },
  }));
  const long = { id: "long", title: "", startMs: minute(40), stopMs: minute(100) };
  const segments = segmentsOf([...short, long], at(10), minute(100));
  const shown = gather(segments, 10 * 60_000, minute(4));
  assert.deepEqual(
    shown.map(({ startMs, stopMs, programme: one, others = 0 }) => [
      ...[(startMs - at(10)) / 60_000, (stopMs - at(10)) / 60_000, one?.id, others],
    ]),
    [
      [0, 30, "s4", 29],
      [30, 40, "s30", 9],
      [40, 100, "long", 0],
    ],
  );
  assert.deepEqual(gather(segments, 0, minute(4)), segments, "nothing is short");
});

test("the days of a stretch begin a day before it, for what goes on past midnight", () => {
  assert.deepEqual(daysFor(at(22), at(26)), ["2026-11-25", "2026-11-26", "2026-11-27"]);
});

test("arrows go to what is beside, and nowhere from the end", () => {
  const segments = segmentsOf([programme("a", 10, 11), programme("b", 12, 13)], at(10), at(13));
  assert.deepEqual(
    segments.map((segment) => segment.programme?.id ?? null),
    ["a", null, "b"],
  );
  assert.equal(neighbour(segments, at(10) + HOUR_MS / 2, 1)?.programme, null);
  assert.equal(neighbour(segments, at(12), -1)?.programme, null);
  assert.equal(neighbour(segments, at(12), 0)?.programme?.id, "b");
  assert.equal(neighbour(segments, at(12), 1), undefined);
});

test("a row is not shown before all of its days are there", () => {
  const days = new Map([["c/1", [programme("a", 1, 2)]]]);
  const loaded = { channels: new Map(), days, total: 1 };
  assert.equal(programmesOf(loaded, "c", ["1", "2"]), null);
  assert.equal(programmesOf(loaded, "c", ["1"])?.length, 1);
});

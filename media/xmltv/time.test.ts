import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readTime } from "./time.ts";

const iso = (text: string, zone = "UTC"): string[] | null =>
  readTime(text, zone)?.instantsMs.map((at) => new Date(at).toISOString().replace(/:00\.000Z$/, "Z")) ?? null;

test("times are read as the DTD has them, from a year to a second", () => {
  for (const [text, expected] of [
    ["200007281733 BST", "2000-07-28T16:33Z"],
    ["200209", "2002-09-01T00:00Z"],
    ["1988", "1988-01-01T00:00Z"],
    ["19880523083000 +0300", "1988-05-23T05:30Z"],
    ["20260301120000", "2026-03-01T12:00Z"],
    ["20260301120000 Z", "2026-03-01T12:00Z"],
    ["20260301120000+01:00", "2026-03-01T11:00Z"],
    ["20260301120000 +0545", "2026-03-01T06:15Z"],
    ["20260301120000 -0330", "2026-03-01T15:30Z"],
    ["2026-03-01T12:00:00+0100", "2026-03-01T11:00Z"],
    ["20260301240000 +0000", "2026-03-02T00:00Z"],
    ["20260701120000 Europe/Berlin", "2026-07-01T10:00Z"],
  ] as const)
    assert.deepEqual(iso(text), [expected], text);
});

test("what is no time is none", () => {
  for (const text of [
    "",
    "soon",
    "20261301",
    "20260230",
    "202603012460",
    "20260301250000",
    "20260301120000 +9900",
    "1899",
  ])
    assert.equal(readTime(text, "UTC"), null, text);
});

test("a zone that nobody knows is told, and the source's own is taken", () => {
  assert.deepEqual(readTime("20260701120000 XYZ", "Europe/Berlin"), {
    instantsMs: [Date.UTC(2026, 6, 1, 10)],
    unknownZone: "XYZ",
  });
});

test("days on which clocks change are right, in zones of every kind", () => {
  // Clocks go from 02:00 to 03:00: 02:30 is the moment at which a clock that was not put forward shows it.
  assert.deepEqual(iso("20260329013000", "Europe/Berlin"), ["2026-03-29T00:30Z"]);
  assert.deepEqual(iso("20260329023000", "Europe/Berlin"), ["2026-03-29T01:30Z"]);
  assert.deepEqual(iso("20260329033000", "Europe/Berlin"), ["2026-03-29T01:30Z"]);
  // Clocks go from 03:00 to 02:00: half past two comes twice.
  assert.deepEqual(iso("20261025023000", "Europe/Berlin"), ["2026-10-25T00:30Z", "2026-10-25T01:30Z"]);
  assert.deepEqual(iso("20261025033000", "Europe/Berlin"), ["2026-10-25T02:30Z"]);
  assert.deepEqual(iso("20261101013000", "America/New_York"), ["2026-11-01T05:30Z", "2026-11-01T06:30Z"]);
  // Half an hour of daylight saving, on the other half of the world.
  assert.deepEqual(iso("20260405014500", "Australia/Lord_Howe"), ["2026-04-04T14:45Z", "2026-04-04T15:15Z"]);
  // No daylight saving at all, at three quarters of an hour.
  assert.deepEqual(iso("20260701120000", "Asia/Kathmandu"), ["2026-07-01T06:15Z"]);
});

test("property: the clocks of a zone show what was read", () => {
  const zones = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
  ];
  fc.assert(
    fc.property(
      fc.date({ min: new Date("1971-01-01"), max: new Date("2037-12-31"), noInvalidDate: true }),
      fc.constantFrom(...zones),
      (at, zone) => {
        const minute = Math.floor(at.getTime() / 60_000) * 60_000;
        const shown = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
        const wall = shown.format(minute);
        const instants = readTime(wall.replace(/[- :]/g, ""), zone)?.instantsMs ?? [];
        assert.ok(instants.includes(minute), `${wall} in ${zone}`);
        for (const instant of instants) assert.equal(shown.format(instant), wall);
      },
    ),
    { numRuns: 300 },
  );
});

test("property: no text is a time of no instant, or costs much", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      const read = readTime(text, "UTC");
      assert.ok(read === null || (read.instantsMs.length > 0 && read.instantsMs.every(Number.isFinite)));
    }),
  );
});

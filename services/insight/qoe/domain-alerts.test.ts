import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { judge, keyOf, RECOVERED, type Segment, SESSIONS_MIN, THRESHOLD } from "./domain-alerts.ts";

const segment = (p25: number, more: Partial<Segment> = {}): Segment => ({
  ...{ dimension: "network", value: "a", sessions: SESSIONS_MIN, mean: 80 },
  p25,
  ...more,
});
const keys = (segments: readonly Segment[]) => segments.map(keyOf);

test("an alert opens below 70, once, and ends at 75", () => {
  let open = new Set<string>();
  const seen: string[] = [];
  for (const p25 of [71, 69.9, 65, 72, 69, 74.9, 75, 70, 69]) {
    const { opened, closed } = judge(open, [segment(p25)]);
    open = new Set([...[...open].filter((key) => !closed.includes(key)), ...keys(opened)]);
    seen.push(`${p25}${opened.length > 0 ? " opens" : ""}${closed.length > 0 ? " ends" : ""}`);
  }
  assert.deepEqual(seen, ["71", "69.9 opens", "65", "72", "69", "74.9", "75 ends", "70", "69 opens"]);
});

test("few sessions, and those of nobody knows where, open none; a segment that is gone ends its own", () => {
  assert.deepEqual(
    judge(new Set(), [segment(10, { sessions: SESSIONS_MIN - 1 }), segment(10, { value: "" })]).opened,
    [],
  );
  assert.deepEqual(judge(new Set(["network:a", "region:DE"]), [segment(10)]).closed, ["region:DE"]);
});

test("property: nothing opens and ends at once, and what is open stays between the two", () => {
  const any = fc.record({
    p25: fc.double({ min: 0, max: 100, noNaN: true }),
    sessions: fc.nat(30),
    value: fc.constantFrom("a", "b", "c"),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(any, { selector: ({ value }) => value }),
      fc.subarray(["network:a", "network:b", "network:c"]),
      (all, before) => {
        const segments = all.map((each) => segment(each.p25, each));
        const { opened, closed } = judge(new Set(before), segments);
        for (const each of opened)
          assert.ok(each.p25 < THRESHOLD && !before.includes(keyOf(each)) && !closed.includes(keyOf(each)));
        for (const each of segments)
          if (each.sessions >= SESSIONS_MIN && each.p25 < RECOVERED) assert.ok(!closed.includes(keyOf(each)));
      },
    ),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assertMoment, assertSpan, type Restriction, windowFromMs } from "./domain-restrictions.ts";

const NOW_MS = 1_000_000_000;
const MINUTE_MS = 60_000;
const restriction = (from: number, to: number, what: "blackout" | "noRestart"): Restriction => ({
  ...{ startMs: NOW_MS + from * MINUTE_MS, stopMs: NOW_MS + to * MINUTE_MS },
  ...{ blackout: what === "blackout", noRestart: what === "noRestart" },
});

test("a blackout gives nothing away while it lasts, and nothing of it or before it afterwards", () => {
  assert.throws(() => windowFromMs([restriction(-1, 1, "blackout")], NOW_MS), { reason: "blackout" });
  assert.equal(windowFromMs([restriction(-9, -3, "blackout")], NOW_MS), NOW_MS - 3 * MINUTE_MS);
  assert.equal(windowFromMs([restriction(1, 9, "blackout")], NOW_MS), 0, "it has not begun");
});

test("a programme without restart has its last minute, and is out of reach when it is over for as long", () => {
  assert.equal(windowFromMs([restriction(-30, 30, "noRestart")], NOW_MS), NOW_MS - MINUTE_MS);
  assert.equal(windowFromMs([restriction(-30, -10, "noRestart")], NOW_MS), NOW_MS - 10 * MINUTE_MS);
  const running = [restriction(-30, 30, "noRestart")];
  assertMoment(running, NOW_MS - 4_000, NOW_MS - 2_000, NOW_MS);
  assert.throws(() => assertMoment(running, NOW_MS - 2 * MINUTE_MS, NOW_MS - 2 * MINUTE_MS + 2_000, NOW_MS), {
    reason: "no_restart",
  });
  assertMoment(running, NOW_MS - 40 * MINUTE_MS, NOW_MS - 40 * MINUTE_MS + 2_000, NOW_MS);
  assert.throws(() => assertSpan(running, NOW_MS - 31 * MINUTE_MS, NOW_MS - 29 * MINUTE_MS), { reason: "no_restart" });
  assertSpan(running, NOW_MS - 40 * MINUTE_MS, NOW_MS - 30 * MINUTE_MS);
});

test("property: what a window gives away its segments give away, and nothing of a blackout", () => {
  const minutes = fc.tuple(fc.integer({ min: -120, max: 10 }), fc.integer({ min: 1, max: 60 }));
  const some = fc.array(fc.tuple(minutes, fc.constantFrom("blackout" as const, "noRestart" as const)), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(some, fc.integer({ min: 0, max: 7_200_000 }), (spans, agoMs) => {
      const all = spans.map(([[from, length], what]) => restriction(from, from + length, what));
      const atMs = NOW_MS - agoMs;
      let fromMs: number;
      try {
        fromMs = windowFromMs(all, NOW_MS);
      } catch {
        assert.ok(all.some(({ startMs, stopMs, blackout }) => blackout && startMs <= NOW_MS && NOW_MS < stopMs));
        return;
      }
      if (atMs < fromMs) return;
      assertMoment(all, atMs, Math.min(atMs + 2_000, NOW_MS), NOW_MS);
      assert.ok(all.every(({ startMs, stopMs, blackout }) => !blackout || atMs < startMs || atMs >= stopMs));
    }),
  );
});

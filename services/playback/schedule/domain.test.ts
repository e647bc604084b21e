import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkLead, dueAtMs, fateOf, follow, LATE_MS_MAX, type Reminder, SHIFT_MS_MIN } from "./domain.ts";

const MINUTE_MS = 60_000;
const reminder: Reminder = {
  ...{ id: "rem_1", userId: "u", profileId: "p", channelId: "ch-one", channelName: "One", programmeId: "prg_1" },
  ...{ titles: { en: "News" }, startMs: 100 * MINUTE_MS, stopMs: 160 * MINUTE_MS, leadS: 300, state: "waiting" },
};

test("a reminder is told from its lead on, and no later than it is worth", () => {
  assert.equal(dueAtMs(reminder), 95 * MINUTE_MS);
  assert.equal(fateOf(reminder, reminder.startMs + LATE_MS_MAX), "triggered");
  assert.equal(fateOf(reminder, reminder.startMs + LATE_MS_MAX + 1), "late");
  assert.equal(fateOf({ ...reminder, stopMs: 105 * MINUTE_MS }, 106 * MINUTE_MS), "late", "a short one is over");
  assert.equal(checkLead(86_400), 86_400);
  assert.throws(() => checkLead(86_401), /86401 s is longer than a day/);
});

const airing = fc.record({
  titles: fc.constantFrom({ en: "News" }, { en: "News", de: "Nachrichten" }, { en: "Late news" }),
  startMs: fc.integer({ min: 0, max: 300 }).map((minutes) => minutes * MINUTE_MS),
  stopMs: fc.integer({ min: 301, max: 400 }).map((minutes) => minutes * MINUTE_MS),
});
const state = fc.constantFrom("waiting" as const, "triggered" as const, "late" as const);

test("property: whatever the guide says, who was told hears again only of what really moved, and nobody of what is over", () => {
  fc.assert(
    fc.property(
      fc.option(airing, { nil: undefined }),
      state,
      fc.nat(200).map((minutes) => minutes * MINUTE_MS),
      (now, before, nowMs) => {
        const known = { ...reminder, state: before };
        const change = follow(known, now, nowMs);
        if (known.stopMs <= nowMs) return assert.equal(change.kind, "none");
        if (!now) return assert.equal(change.kind, "cancelled");
        const shiftMs = Math.abs(now.startMs - known.startMs);
        if (change.kind === "moved") {
          assert.ok(shiftMs >= SHIFT_MS_MIN);
          assert.equal(change.next.state, "waiting");
          assert.equal(fateOf(now, nowMs), "triggered");
        }
        if (change.kind === "kept") {
          assert.ok(change.next.state === before || change.next.state === "late");
          assert.equal(change.next.startMs, now.startMs);
        }
        // The same word again changes nothing.
        if (change.kind === "kept" || change.kind === "moved")
          assert.equal(follow(change.next, now, nowMs).kind, "none");
      },
    ),
  );
});

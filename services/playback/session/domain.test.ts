import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { admit, DEAD_AFTER_MS, isAlive, resumePosition } from "./domain.ts";

test("property: with every start admitted by the rule there are never more living devices than the plan has", () => {
  const start = fc.record({ device: fc.constantFrom("a", "b", "c", "d"), afterMs: fc.nat(20_000) });
  fc.assert(
    fc.property(fc.array(start, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (starts, streamsMax) => {
      let nowMs = 0;
      let sessions: { id: string; deviceId: string; lastBeatAtMs: number }[] = [];
      for (const [i, { device, afterMs }] of starts.entries()) {
        nowMs += afterMs;
        const admission = admit(sessions, device, streamsMax, nowMs);
        if (admission.admitted) {
          sessions = sessions.filter(({ id }) => !admission.replaces.includes(id));
          sessions.push({ id: String(i), deviceId: device, lastBeatAtMs: nowMs });
        } else {
          assert.equal(admission.holders.length >= streamsMax, true);
        }
        const alive = sessions.filter((session) => isAlive(session, nowMs));
        assert.ok(alive.length <= streamsMax);
        assert.equal(new Set(alive.map(({ deviceId }) => deviceId)).size, alive.length, "one stream a device");
      }
    }),
  );
});

test("a session is dead at its third missed beat, not before", () => {
  assert.equal(isAlive({ lastBeatAtMs: 0 }, DEAD_AFTER_MS - 1), true);
  assert.equal(isAlive({ lastBeatAtMs: 0 }, DEAD_AFTER_MS), false);
});

test("a start goes on where the profile stopped, unless it was through", () => {
  assert.equal(resumePosition(undefined, 100), 0);
  assert.equal(resumePosition({ positionS: 40, finished: false }, 100), 40);
  assert.equal(resumePosition({ positionS: 99, finished: true }, 100), 0);
  assert.equal(resumePosition({ positionS: 140, finished: false }, 100), 0, "a shorter cut took its place");
  assert.equal(resumePosition({ positionS: 40, finished: false }, 0), 40, "nobody knows how long it is");
});

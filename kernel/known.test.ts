import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { testClock } from "./clock.ts";
import { openKnown } from "./known.ts";

test("what is known is told at once and found out behind, once for all who ask", async () => {
  const clock = testClock(1_000);
  let [asked, isThere] = [0, true];
  let answer: () => Promise<boolean> = async () => isThere;
  const known = openKnown({ clock, freshMs: 100, keysMax: 10, unknown: false }, () => {
    asked += 1;
    return answer();
  });
  assert.deepEqual([known("a"), known("a")], [false, false], "nobody has found out yet");
  await turn();
  assert.deepEqual([known("a"), asked], [true, 1]);
  isThere = false;
  await clock.advance(101);
  assert.equal(known("a"), true, "as it was known last");
  await turn();
  assert.deepEqual([known("a"), asked], [false, 2]);

  isThere = true;
  await clock.advance(101);
  known("a");
  await turn();
  answer = () => Promise.reject(new Error("away"));
  await clock.advance(101);
  assert.deepEqual([known("a"), known("b")], [true, false]);
  await turn();
  assert.deepEqual([known("a"), known("b")], [true, false], "who cannot be asked has not changed their mind");
});

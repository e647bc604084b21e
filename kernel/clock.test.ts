import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock, testClock } from "./clock.ts";

test("a test clock stands still until it is moved, and wakes sleepers in their order", async () => {
  const clock = testClock(1_000);
  const woken: string[] = [];
  const sleep = (name: string, ms: number): Promise<unknown> => clock.sleep(ms).then(() => woken.push(name));
  const all = [sleep("late", 30), sleep("early", 10), sleep("never", 100)];
  await clock.advance(9);
  assert.deepEqual([clock.nowMs(), woken], [1_009, []]);
  await clock.advance(21);
  assert.deepEqual([clock.nowMs(), woken], [1_030, ["early", "late"]]);
  await clock.advance(70);
  await Promise.all(all);
  assert.deepEqual(woken, ["early", "late", "never"]);
});

test("both clocks let a sleeper go when it is no longer wanted", async () => {
  for (const clock of [testClock(), systemClock]) {
    const giving = new AbortController();
    const sleeping = clock.sleep(60_000, giving.signal);
    giving.abort();
    await assert.rejects(sleeping, { name: "AbortError" });
    await assert.rejects(clock.sleep(60_000, giving.signal), { name: "AbortError" });
  }
});

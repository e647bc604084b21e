import assert from "node:assert/strict";
import { test } from "node:test";
import { endure, isPassing, type Outage } from "./outage.ts";

test("who waits in vain leaps to the edge every three seconds, and gives up after a minute", () => {
  let outage: Outage | null = null;
  const said: string[] = [];
  for (let nowMs = 0; nowMs <= 62_000; nowMs += 500) {
    const next = endure(outage, nowMs);
    outage = next.outage;
    if (next.what !== "wait") said.push(`${next.what} ${nowMs / 1_000}`);
  }
  assert.deepEqual(said.slice(0, 3), ["leap 3", "leap 6", "leap 9"]);
  assert.deepEqual(said.slice(-2), ["give up 61.5", "give up 62"]);
  assert.equal(said.filter((each) => each.startsWith("leap")).length, 20);
});

test("a failure long after the last one begins anew", () => {
  const first = endure(null, 0);
  const second = endure({ ...first.outage, lastMs: 59_000 }, 80_000);
  assert.deepEqual(second, { outage: { sinceMs: 80_000, lastMs: 80_000, leaptMs: 80_000 }, what: "wait" });
});

test("only what is the network's passes by itself", () => {
  assert.equal(isPassing({ category: 1, code: 1_001, data: [] }), true);
  assert.equal(isPassing({ category: 6, code: 6_007, data: [] }), false);
  assert.equal(isPassing(new TypeError("nothing")), false);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Breaker, openBreaker, type Outcome } from "./breaker.ts";
import { testClock } from "./clock.ts";

function open() {
  const clock = testClock(1_000_000);
  const changes: string[] = [];
  const breaker = openBreaker({ name: "catalog", clock, onChange: (state) => changes.push(state) });
  const calls = (count: number, outcome: Outcome): void => {
    for (let n = 0; n < count; n++) breaker.admit()(outcome);
  };
  return { clock, breaker, calls, changes };
}

const refuses = (breaker: Breaker): void =>
  assert.throws(() => breaker.admit(), { code: "unavailable", reason: "circuit_open" });

test("half of the calls of a window must fail, and few calls prove nothing", () => {
  const { breaker, calls } = open();
  calls(19, "failed");
  assert.equal(breaker.state, "closed");
  calls(19, "ok");
  // 20 of 39: more than half.
  calls(1, "failed");
  assert.equal(breaker.state, "open");
  refuses(breaker);
});

test("what happened before the window is forgotten", async () => {
  const { breaker, calls, clock } = open();
  calls(19, "failed");
  await clock.advance(10_000);
  calls(10, "failed");
  assert.equal(breaker.state, "closed");
});

test("calls whose caller gave up prove nothing", () => {
  const { breaker, calls } = open();
  calls(100, "unknown");
  calls(10, "failed");
  assert.equal(breaker.state, "closed");
});

test("after a while one call may probe; its success closes, and the past is forgotten", async () => {
  const { breaker, calls, clock, changes } = open();
  calls(20, "failed");
  await clock.advance(1_999);
  refuses(breaker);
  await clock.advance(1);
  const probe = breaker.admit();
  refuses(breaker);
  probe("ok");
  calls(19, "failed");
  assert.equal(breaker.state, "closed");
  assert.deepEqual(changes, ["open", "half-open", "closed"]);
});

test("a probe that fails opens it for longer; one that nobody waited for lets the next one try", async () => {
  const { breaker, calls, clock } = open();
  calls(20, "failed");
  await clock.advance(2_000);
  breaker.admit()("failed");
  await clock.advance(3_999);
  refuses(breaker);
  await clock.advance(1);
  breaker.admit()("unknown");
  breaker.admit()("ok");
  assert.equal(breaker.state, "closed");
});

test("what was admitted before it opened says nothing afterwards", async () => {
  const { breaker, calls, clock } = open();
  const late = breaker.admit();
  calls(20, "failed");
  await clock.advance(2_000);
  const probe = breaker.admit();
  late("ok");
  assert.equal(breaker.state, "half-open");
  probe("failed");
  probe("ok");
  assert.equal(breaker.state, "open");
});

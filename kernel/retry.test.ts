import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { testClock } from "./clock.ts";
import { backoffMs, openBudget, type RetryOptions, TRIES_MAX, withRetries } from "./retry.ts";

const NEVER = new AbortController().signal;

function options(change: Partial<Omit<RetryOptions, "clock">> = {}) {
  return {
    clock: testClock(0),
    deadlineMs: 10_000,
    signal: NEVER,
    budget: openBudget(),
    random: () => 0.5,
    waitMsOf: () => 0,
    ...change,
  };
}

test("a budget grants its reserve and then a tenth of the first sends, whatever their order", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 400 }), (steps) => {
      const budget = openBudget({ perMille: 100, tokensMax: 10 });
      let first = 0;
      let extra = 0;
      for (const isFirst of steps) {
        if (isFirst) {
          first++;
          budget.deposit();
        } else if (budget.withdraw()) extra++;
      }
      assert.ok(extra <= 10 + first / 10);
    }),
  );
  const empty = openBudget({ perMille: 100, tokensMax: 1 });
  assert.equal(empty.withdraw(), true);
  assert.equal(empty.withdraw(), false);
  for (let n = 0; n < 9; n++) empty.deposit();
  assert.equal(empty.withdraw(), false);
  empty.deposit();
  assert.equal(empty.withdraw(), true);
});

test("waits double and are spread over their upper half", () => {
  const spread = [2, 3, 4, 9].map((n) => [backoffMs(n, () => 0), backoffMs(n, () => 1)]);
  assert.deepEqual(spread, [
    [10, 20],
    [20, 40],
    [40, 80],
    [500, 1_000],
  ]);
});

test("it tries again after the wait and not before", async () => {
  const given = options();
  let tries = 0;
  const work = withRetries(async () => {
    if (++tries < 3) throw new Error("not yet");
    return "done";
  }, given);
  // The first try fails before time begins to pass.
  await given.clock.advance(0);
  await given.clock.advance(14);
  assert.equal(tries, 1);
  await given.clock.advance(1);
  assert.equal(tries, 2);
  await given.clock.advance(30);
  assert.equal(await work, "done");
});

test("a final failure, a spent budget, too many tries and a near deadline end it with the last failure", async () => {
  const counted = async (change: Parameters<typeof options>[0]) => {
    const given = options(change);
    let tries = 0;
    const work = withRetries(async () => {
      throw new Error(`try ${++tries}`);
    }, given);
    const caught = work.catch((error: Error) => error.message);
    for (let n = 0; n < 20; n++) await given.clock.advance(1_000);
    assert.equal(await caught, `try ${tries}`);
    return tries;
  };
  assert.equal(await counted({ waitMsOf: () => undefined }), 1);
  assert.equal(await counted({ budget: openBudget({ tokensMax: 1 }) }), 2);
  assert.equal(await counted({}), TRIES_MAX);
  assert.equal(await counted({ deadlineMs: 15 }), 1);
  assert.equal(await counted({ waitMsOf: () => 10_000 }), 1);
});

test("who gives up while it waits gets the failure", async () => {
  const giving = new AbortController();
  const given = options({ signal: giving.signal });
  const work = withRetries(() => Promise.reject(new Error("down")), given);
  await given.clock.advance(1);
  giving.abort();
  await assert.rejects(work, /down/);
});

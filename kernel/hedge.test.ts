import assert from "node:assert/strict";
import { test } from "node:test";
import { testClock } from "./clock.ts";
import { hedged, type HedgeOptions, openLatencyBook } from "./hedge.ts";
import { openBudget } from "./retry.ts";

interface Sent {
  readonly signal: AbortSignal;
  answer(value: string): void;
  fail(message: string): void;
}

function open(change: Partial<HedgeOptions> = {}) {
  const clock = testClock(0);
  const sends: Sent[] = [];
  let hedges = 0;
  const work = hedged<string>(
    (signal) =>
      new Promise((answer, reject) => sends.push({ signal, answer, fail: (text) => reject(new Error(text)) })),
    {
      clock,
      budget: openBudget(),
      signal: new AbortController().signal,
      afterMs: 50,
      isFinal: (error) => (error as Error).message === "final",
      onHedge: () => hedges++,
      ...change,
    },
  );
  work.catch(() => {});
  const at = (n: number): Sent => {
    const sent = sends[n];
    assert.ok(sent, `send ${n} was not made`);
    return sent;
  };
  return { clock, sends, at, work, hedges: () => hedges };
}

test("the 95th percentile of the last calls, when there are enough", () => {
  const book = openLatencyBook();
  for (let n = 1; n < 32; n++) book.add(n);
  assert.equal(book.p95Ms(), undefined);
  book.add(32);
  assert.equal(book.p95Ms(), 31);
  for (let n = 0; n < 128; n++) book.add(500);
  assert.equal(book.p95Ms(), 500);
});

test("what answers in time is sent once", async () => {
  const { clock, sends, at, work } = open();
  await clock.advance(49);
  at(0).answer("in time");
  assert.equal(await work, "in time");
  await clock.advance(1_000);
  assert.equal(sends.length, 1);
});

test("what is late is sent again, once; the first answer counts and the loser is cancelled", async () => {
  const { clock, sends, at, work, hedges } = open();
  await clock.advance(50);
  await clock.advance(5_000);
  assert.equal(sends.length, 2);
  assert.equal(hedges(), 1);
  at(1).answer("second");
  assert.equal(await work, "second");
  assert.equal(at(0).signal.aborted, true);
  assert.equal(at(1).signal.aborted, false);
});

test("no budget, no second send", async () => {
  const budget = openBudget({ tokensMax: 1 });
  budget.withdraw();
  const { clock, sends, at, work } = open({ budget });
  await clock.advance(50);
  assert.equal(sends.length, 1);
  at(0).answer("first");
  assert.equal(await work, "first");
});

test("a failure leaves the word to the other send, unless it is an answer", async () => {
  const first = open();
  await first.clock.advance(50);
  first.at(0).fail("connection lost");
  first.at(1).answer("second");
  assert.equal(await first.work, "second");

  const final = open();
  await final.clock.advance(50);
  final.at(0).fail("final");
  await assert.rejects(final.work, /final/);
  assert.equal(final.at(1).signal.aborted, true);

  const both = open();
  await both.clock.advance(50);
  both.at(1).fail("one");
  both.at(0).fail("two");
  await assert.rejects(both.work, /two/);

  const early = open();
  early.at(0).fail("early");
  await assert.rejects(early.work, /early/);
  await early.clock.advance(1_000);
  assert.equal(early.sends.length, 1);
});

test("who gives up ends both sends, and begins no second one", async () => {
  const giving = new AbortController();
  const { clock, sends, at } = open({ signal: giving.signal });
  await clock.advance(50);
  giving.abort();
  assert.deepEqual(
    sends.map(({ signal }) => signal.aborted),
    [true, true],
  );
  const early = new AbortController();
  const other = open({ signal: early.signal });
  early.abort();
  await other.clock.advance(1_000);
  assert.equal(other.sends.length, 1);
  assert.equal(other.at(0).signal.aborted, true);
  assert.equal(at(0).signal.aborted, true);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { openBatch } from "./batch.ts";
import { Problem, problem } from "./errors.ts";

/** A batch whose runs end when the test says so. */
function setUp({ itemsMax = 10, waitingMax = 100 } = {}) {
  const runs: { key: string; items: readonly number[]; end(error?: Error): void }[] = [];
  const add = openBatch<number, string>({
    itemsMax,
    waitingMax,
    run: (key, items) =>
      new Promise((resolve, reject) => {
        runs.push({
          key,
          items,
          end: (error) => (error ? reject(error) : resolve(items.map((item) => `${key}${item}`))),
        });
      }),
  });
  return { add, runs };
}
/** Lets whatever is due run; two turns, because a batch is taken in the turn after the one before it ended. */
const tick = async (): Promise<void> => {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test("what comes in one turn goes together, and so does what comes meanwhile", async () => {
  const { add, runs } = setUp();
  const results = [add("a", 1), add("a", 2)];
  await tick();
  assert.deepEqual(runs[0]?.items, [1, 2]);
  results.push(add("a", 3), add("a", 4));
  await tick();
  assert.equal(runs.length, 1);
  runs[0].end();
  await tick();
  assert.deepEqual(runs[1]?.items, [3, 4]);
  runs[1].end();
  assert.deepEqual(await Promise.all(results), ["a1", "a2", "a3", "a4"]);
});

test("keys do not wait for each other, and a batch has a size", async () => {
  const { add, runs } = setUp({ itemsMax: 2 });
  const results = [add("a", 1), add("b", 2), add("a", 3), add("a", 4), add("a", 5)];
  await tick();
  assert.deepEqual(
    runs.map(({ key, items }) => [key, items]),
    [
      ["a", [1, 3]],
      ["b", [2]],
    ],
  );
  for (let i = 0; i < 3; i += 1) {
    runs[i]?.end();
    await tick();
  }
  assert.deepEqual(
    runs.slice(2).map(({ items }) => items),
    [[4, 5]],
  );
  assert.deepEqual(await Promise.all(results), ["a1", "b2", "a3", "a4", "a5"]);
});

test("a failure is that of its batch and of no other", async () => {
  const { add, runs } = setUp();
  const first = add("a", 1);
  await tick();
  const second = add("a", 2);
  runs[0]?.end(new Error("away"));
  await assert.rejects(first, /away/);
  await tick();
  runs[1]?.end();
  assert.equal(await second, "a2");
});

test("one that cannot be done costs its neighbours nothing", async () => {
  const { add, runs } = setUp();
  const first = add("a", 1);
  await tick();
  const others = [add("a", 2), add("a", 3)];
  runs[0]?.end();
  await first;
  await tick();
  assert.deepEqual(runs[1]?.items, [2, 3]);
  runs[1].end(problem.invalid("3 is no number that can be done"));
  await tick();
  assert.deepEqual(runs[2]?.items, [2]);
  runs[2].end();
  await tick();
  runs[3]?.end(problem.invalid("3 is no number that can be done"));
  assert.equal(await others[0], "a2");
  await assert.rejects(others[1] ?? Promise.resolve(), /3 is no number/);
});

test("where the engine is away, a batch is not tried piece by piece", async () => {
  const { add, runs } = setUp();
  const first = add("a", 1);
  await tick();
  const others = Promise.allSettled([add("a", 2), add("a", 3)]);
  runs[0]?.end();
  await first;
  await tick();
  runs[1]?.end(Object.assign(new Error("connect"), { code: "ECONNREFUSED" }));
  assert.deepEqual(
    (await others).map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.equal(runs.length, 2);
});

test("what waits is bounded", async () => {
  const { add, runs } = setUp({ waitingMax: 2 });
  const first = add("a", 1);
  await tick();
  const waiting = [add("a", 2), add("a", 3)];
  await assert.rejects(add("a", 4), (error) => error instanceof Problem && error.code === "resource_exhausted");
  runs[0]?.end();
  await tick();
  runs[1]?.end();
  assert.deepEqual(await Promise.all([first, ...waiting]), ["a1", "a2", "a3"]);
});

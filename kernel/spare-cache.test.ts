import assert from "node:assert/strict";
import { test } from "node:test";
import { openEmbeddedCache } from "#adapters/cache/embedded";
import { problem } from "./errors.ts";
import type { Cache } from "./ports/cache.ts";
import { sparing } from "./spare-cache.ts";
import { testClock } from "./clock.ts";

/** A cache that can be away, and counts who asked it. */
function openFlaky() {
  const inner = openEmbeddedCache();
  const state = { isAway: false, asked: 0 };
  const through =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      state.asked += 1;
      if (state.isAway) throw problem.unavailable("the cache is away");
      return work(...args);
    };
  const cache: Cache = {
    ...inner,
    get: through(inner.get),
    getMany: through(inner.getMany),
    set: through(inner.set),
    delete: through(inner.delete),
    increment: through(inner.increment),
    lock: through(inner.lock),
  };
  return { cache, state };
}

test("a cache that is away is an empty one, and fails those who rely on it", async () => {
  const { cache, state } = openFlaky();
  const spared = sparing(cache, testClock());
  await spared.set("k", "v", 1_000);
  assert.equal(await spared.get("k"), "v");
  await assert.rejects(spared.get(""), { code: "invalid_argument" });
  state.isAway = true;
  assert.equal(await spared.get("k"), undefined);
  assert.deepEqual(await spared.getMany(["k", "l"]), [undefined, undefined]);
  await spared.set("k", "w", 1_000);
  for (const relying of [spared.increment("n", 1, 1_000), spared.lock("l", 1_000), spared.delete(["k"])])
    await assert.rejects(relying, { code: "unavailable" });
});

test("one that keeps failing is left alone for a second, and asked again after it", async () => {
  const { cache, state } = openFlaky();
  const clock = testClock();
  const spared = sparing(cache, clock);
  await spared.set("k", "v", 60_000);
  state.isAway = true;
  for (let n = 0; n < 10; n += 1) await spared.get("k");
  const { asked } = state;
  assert.ok(asked < 6, `it was asked ${asked} times`);
  for (let n = 0; n < 10; n += 1) assert.equal(await spared.get("k"), undefined);
  assert.equal(state.asked, asked);
  state.isAway = false;
  await clock.advance(1_001);
  assert.equal(await spared.get("k"), "v");
});

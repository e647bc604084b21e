import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Problem } from "#kernel/errors";
import type { Cache } from "#kernel/ports/cache";

/** A cache under test, and a way to let time pass: an injected clock steps, a remote engine really waits. */
export interface CacheUnderTest {
  readonly cache: Cache;
  pass(ms: number): Promise<void>;
}

/** What every cache does. Times are short, so that engines with a clock of their own need not be waited for long. */
export function cacheContract(name: string, open: () => Promise<CacheUnderTest>): void {
  describe(`cache contract: ${name}`, () => {
    let cache: Cache;
    let pass: (ms: number) => Promise<void>;
    before(async () => {
      const opened = await open();
      cache = opened.cache;
      pass = (ms) => opened.pass(ms);
    });
    after(() => cache.close());

    test("values come back until they expire or are deleted", async () => {
      const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
      assert.equal(await cache.get(one), undefined);
      await cache.set(one, "first \u{1F3AC}", 200);
      await cache.set(two, "", 5_000);
      await cache.set(three, "third", 5_000);
      assert.deepEqual(await cache.getMany([three, randomUUID(), one, two]), [
        "third",
        undefined,
        "first \u{1F3AC}",
        "",
      ]);
      await pass(250);
      assert.equal(await cache.get(one), undefined);
      assert.equal(await cache.get(two), "");
      await cache.delete([two, randomUUID()]);
      assert.deepEqual(await cache.getMany([two, three]), [undefined, "third"]);
      await cache.set(three, "changed", 200);
      await pass(250);
      assert.equal(await cache.get(three), undefined, "a new value brings its own time");
      assert.deepEqual(await cache.getMany([]), []);
    });

    test("counters grow, and vanish some time after the first increment", async () => {
      const key = randomUUID();
      assert.equal(await cache.increment(key, 2, 300), 2);
      await pass(200);
      assert.equal(await cache.increment(key, 3, 300), 5);
      assert.equal(await cache.increment(key, -1, 300), 4);
      assert.equal(await cache.get(key), "4");
      await pass(200);
      assert.equal(await cache.increment(key, 1, 300), 1, "later increments do not prolong it");
      const many = await Promise.all(Array.from({ length: 50 }, () => cache.increment(`${key}-many`, 1, 5_000)));
      assert.deepEqual(
        many.toSorted((a, b) => a - b),
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
    });

    test("a lock is one's until it is released or expires, and fences grow", async () => {
      const key = randomUUID();
      const first = await cache.lock(key, 200);
      assert.ok(first);
      assert.equal(await cache.lock(key, 200), undefined);
      assert.ok(await cache.lock(`${key}-other`, 200), "another key is another lock");
      await first.release();
      const second = await cache.lock(key, 200);
      assert.ok(second && second.fence > first.fence);
      await pass(250);
      const third = await cache.lock(key, 5_000);
      assert.ok(third && third.fence > second.fence);
      await second.release();
      assert.equal(await cache.lock(key, 200), undefined, "a late release does not free somebody else's lock");
      const rivals = await Promise.all(Array.from({ length: 20 }, () => cache.lock(`${key}-race`, 5_000)));
      assert.equal(rivals.filter((lock) => lock !== undefined).length, 1);
    });

    test("what makes no sense is refused", async () => {
      const isInvalid = (error: unknown) => error instanceof Problem && error.code === "invalid_argument";
      for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        await assert.rejects(cache.set("k", "v", ttlMs), isInvalid);
        await assert.rejects(cache.lock("k", ttlMs), isInvalid);
      }
      await assert.rejects(cache.get(""), isInvalid);
      await assert.rejects(cache.increment("k", 0.5, 1000), isInvalid);
      const key = randomUUID();
      await cache.set(key, "text", 5_000);
      await assert.rejects(
        cache.increment(key, 1, 1000),
        (error) => error instanceof Problem && error.code === "failed_precondition",
      );
    });

    test("state says that it is well", async () => {
      assert.equal((await cache.state()).ok, true);
    });
  });
}

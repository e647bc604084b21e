import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheContract } from "./contract.ts";
import { openEmbeddedCache } from "./embedded.ts";

const START_MS = Date.UTC(2026, 0, 1);

cacheContract("embedded", async () => {
  let nowMs = START_MS;
  return {
    cache: openEmbeddedCache({ clock: { now: () => nowMs } }),
    async pass(ms) {
      nowMs += ms;
    },
  };
});

test("memory is bounded: the least recently used go first", async () => {
  const cache = openEmbeddedCache({ bytesMax: 10_000 });
  for (let index = 0; index < 100; index += 1) {
    await cache.set(`key-${index}`, "x".repeat(100), 60_000);
    await cache.get("key-0");
  }
  assert.notEqual(await cache.get("key-0"), undefined);
  assert.notEqual(await cache.get("key-99"), undefined);
  assert.equal(await cache.get("key-1"), undefined);
  await cache.set("huge", "x".repeat(20_000), 60_000);
  assert.equal(await cache.get("huge"), undefined);
});

test("fences grow across restarts", async () => {
  let nowMs = START_MS;
  const open = () => openEmbeddedCache({ clock: { now: () => nowMs } });
  const before = await open().lock("a", 1000);
  nowMs += 1;
  const after = await open().lock("a", 1000);
  assert.ok(before && after && after.fence > before.fence);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { problem } from "#kernel";
import { testClock } from "#kernel/clock";
import type { Secret, Secrets } from "#kernel/ports/secrets";
import { openKeys, publicJwks } from "./keys.ts";

/** One shared place, as several processes see it. */
function sharedSecrets(): Pick<Secrets, "get" | "put"> & { readonly versions: () => number } {
  let secret: Secret | undefined;
  return {
    versions: () => secret?.version ?? 0,
    get: async () => secret && { version: secret.version, value: structuredClone(secret.value) },
    async put(_, value, options) {
      await Promise.resolve();
      const version = secret?.version ?? 0;
      if (options?.expectedVersion !== version) throw problem.aborted("somebody was faster");
      secret = { version: version + 1, value: structuredClone(value) };
      return version + 1;
    },
  };
}

test("processes that start together agree on one key", async () => {
  const [secrets, clock] = [sharedSecrets(), testClock()];
  const rings = await Promise.all([1, 2].map(() => openKeys(secrets, clock).load()));
  assert.equal(rings[0]?.keys[0]?.jwk.kid, rings[1]?.keys[0]?.jwk.kid);
  assert.equal(secrets.versions(), 1);
});

test("another process sees a rotation within seconds, and the old key stays published for its tokens", async () => {
  const [secrets, clock] = [sharedSecrets(), testClock()];
  const [here, there] = [openKeys(secrets, clock), openKeys(secrets, clock)];
  const before = await here.load();
  await there.load();
  const after = await here.rotate();
  assert.deepEqual(
    after.keys.map(({ jwk }) => jwk.kid),
    [after.keys[0]?.jwk.kid, before.keys[0]?.jwk.kid],
  );
  assert.notEqual(after.keys[0]?.jwk.kid, before.keys[0]?.jwk.kid);
  assert.deepEqual(after.cookieKeys, before.cookieKeys);
  await clock.advance(5_000);
  assert.equal((await there.load()).version, after.version);
  await clock.advance(20 * 60_000);
  await there.rotateWhenDue();
  assert.equal((await there.load()).keys.length, 1);
});

test("a key is replaced when it is a month old, and not before", async () => {
  const [secrets, clock] = [sharedSecrets(), testClock()];
  const keys = openKeys(secrets, clock);
  const { version } = await keys.load();
  await keys.rotateWhenDue();
  assert.equal((await keys.load()).version, version);
  await clock.advance(30 * 86_400_000);
  await keys.rotateWhenDue();
  assert.equal((await keys.load()).version, version + 1);
});

test("what is published is public", async () => {
  const ring = await openKeys(sharedSecrets(), testClock()).load();
  for (const key of publicJwks(ring).keys)
    assert.deepEqual(Object.keys(key).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
});

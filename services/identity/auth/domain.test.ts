import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ACCESS_TOKEN_S,
  asksWhoIsWatching,
  checkPassword,
  deviceOf,
  keysToKeep,
  mayTry,
  NETWORK_MAX,
  networkOf,
  normalizeUserCode,
  PAIR_KNOWN_MAX,
  PAIR_MAX,
  SKEW_S,
  STORM_MIN,
  USER_CODE,
  verifiedEmail,
} from "./domain.ts";
import { boundedQueue } from "./passwords.ts";

test("a device asks who is watching where a profile is a child's or behind a PIN", () => {
  const free = { isKids: false, hasPin: false };
  assert.equal(asksWhoIsWatching([]), false);
  assert.equal(asksWhoIsWatching([free, free]), false);
  assert.equal(asksWhoIsWatching([free, { isKids: true, hasPin: false }]), true);
  assert.equal(asksWhoIsWatching([{ isKids: false, hasPin: true }, free]), true);
});

test("a network is an IPv4 address or an IPv6 /64, however it is written", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002:ffff:0:0:1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["", "unknown"],
    ["me", "unknown"],
  ];
  for (const [ip, network] of cases) assert.equal(networkOf(ip), network, ip);
});

test("any text is some network of bounded length", () => {
  fc.assert(fc.property(fc.string({ maxLength: 80 }), (ip) => networkOf(ip).length <= 80));
});

test("a storm from elsewhere never locks a known device out, and leaves a stranger one try", () => {
  const attempts = fc.record({ account: fc.nat(1_000_000), network: fc.nat(1_000_000) });
  fc.assert(
    fc.property(attempts, fc.integer({ min: 1, max: PAIR_KNOWN_MAX }), (shared, pair) =>
      mayTry({ ...shared, pair }, true),
    ),
  );
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: NETWORK_MAX }), (account, network) =>
      mayTry({ pair: 1, account, network }, false),
    ),
  );
});

test("wrong passwords end where the rules say", () => {
  const quiet = { account: 1, network: 1 };
  assert.equal(mayTry({ ...quiet, pair: PAIR_MAX }, false), true);
  assert.equal(mayTry({ ...quiet, pair: PAIR_MAX + 1 }, false), false);
  assert.equal(mayTry({ ...quiet, pair: PAIR_KNOWN_MAX + 1 }, true), false);
  assert.equal(mayTry({ pair: 2, account: STORM_MIN + 1, network: 1 }, false), false);
  assert.equal(mayTry({ pair: 1, account: 1, network: NETWORK_MAX + 1 }, false), false);
});

test("passwords: at least eight characters of any kind, the same in every composition", () => {
  assert.throws(() => checkPassword("1234567"), { reason: "password_short" });
  assert.throws(() => checkPassword("x".repeat(201)), { reason: "password_long" });
  assert.equal(checkPassword("cafe\u0301 au lait"), checkPassword("caf\u00e9 au lait"));
  assert.equal(checkPassword("🎬🎬🎬🎬🎬🎬🎬🎬"), "🎬🎬🎬🎬🎬🎬🎬🎬");
});

test("a retired key stays for the longest token and the skew, the signing key for ever", () => {
  const keys = [
    { createdAtMs: 2_000, retiredAtMs: 0 },
    { createdAtMs: 1_000, retiredAtMs: 2_000 },
  ];
  const endMs = 2_000 + (ACCESS_TOKEN_S + SKEW_S) * 1_000;
  assert.equal(keysToKeep(keys, endMs - 1).length, 2);
  assert.deepEqual(keysToKeep(keys, endMs), [keys[0]]);
});

test("user codes are read as people type them", () => {
  for (const typed of ["BCD-FGH", "bcd fgh", " bcdfgh "]) assert.equal(normalizeUserCode(typed), "BCDFGH");
  assert.match("BCDFGH", USER_CODE);
  assert.doesNotMatch("AEIOUY", USER_CODE);
});

test("a device is what it says, and what its client is where it says nothing", () => {
  assert.deepEqual(
    deviceOf({ device_id: "d", device_name: "TV in the kitchen", device_type: "tizen" }, "marquee-tv", () => "made"),
    { id: "d", name: "TV in the kitchen", type: "tizen" },
  );
  assert.deepEqual(
    deviceOf({}, "marquee-tv", () => "made"),
    { id: "made", name: "TV", type: "android_tv" },
  );
});

test("only an address that the provider verified counts", () => {
  assert.equal(verifiedEmail({ email: "a@b.test", email_verified: true }), "a@b.test");
  assert.equal(verifiedEmail({ email: "a@b.test", email_verified: "true" }), "a@b.test");
  for (const claims of [{ email: "a@b.test" }, { email: "a@b.test", email_verified: false }, { email_verified: true }])
    assert.equal(verifiedEmail(claims), undefined);
});

test("a queue runs two at a time, in order, and turns away what does not fit", async () => {
  const queue = boundedQueue(2, 3);
  const order: number[] = [];
  const gates: (() => void)[] = [];
  const task = (n: number) =>
    queue(async () => {
      order.push(n);
      await new Promise<void>((resolve) => gates.push(resolve));
      return n;
    });
  const all = [1, 2, 3, 4, 5].map(task);
  await assert.rejects(task(6), { code: "resource_exhausted", reason: "busy" });
  assert.deepEqual(order, [1, 2]);
  for (let done = 0; done < 5; done++) {
    gates.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await Promise.all(all), [1, 2, 3, 4, 5]);
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
  await assert.rejects(
    queue(async () => Promise.reject(new Error("failed"))),
    /failed/,
  );
  assert.equal(await queue(async () => "a failure frees its place"), "a failure frees its place");
});

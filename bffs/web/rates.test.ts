import assert from "node:assert/strict";
import { test } from "node:test";
import { testClock } from "#kernel/clock";
import { readConfig } from "#kernel/config";
import { Problem } from "#kernel";
import { openMetrics } from "#kernel/metrics";
import { openRates } from "./rates.ts";

function ratesOf(env: Readonly<Record<string, string>> = {}) {
  const clock = testClock();
  const rates = openRates({ config: readConfig(env), clock, metrics: openMetrics() });
  /** How many of `count` requests at once are let in. */
  const passes = (count: number, asker: Partial<Parameters<typeof rates>[0]>): number =>
    Array.from({ length: count }).filter(() => {
      try {
        rates({ tenant: "demo", viewer: null, ip: "203.0.113.7", ...asker });
        return true;
      } catch (error) {
        assert.ok(error instanceof Problem);
        assert.equal(error.status, 429);
        assert.ok((error.retryAfterS ?? 0) >= 1);
        return false;
      }
    }).length;
  return { clock, passes };
}
const viewer = (userId: string) => ({ viewer: { userId } });

test("an account that asks without end is told to wait, and nobody else is", async () => {
  const { clock, passes } = ratesOf({ MARQUEE_RATE_VIEWER: "10" });
  assert.equal(passes(100, viewer("a")), 30);
  assert.equal(passes(10, viewer("b")), 10);
  assert.equal(passes(10, { ...viewer("a"), tenant: "other" }), 10, "the same id elsewhere is somebody else");
  await clock.advance(1_000);
  assert.equal(passes(100, viewer("a")), 10);
});

test("strangers are limited by their address, where it is theirs", () => {
  assert.equal(ratesOf({ MARQUEE_RATE_VIEWER: "10" }).passes(200, {}), 120);
  assert.equal(ratesOf({ MARQUEE_RATE_VIEWER: "10" }).passes(200, { ip: "127.0.0.1" }), 200);
  const front = { MARQUEE_RATE_VIEWER: "10", MARQUEE_PUBLIC_URL: "https://cinema.example.test" };
  assert.equal(ratesOf(front).passes(200, {}), 200);
});

test("a tenant has a limit where one is set, and another tenant does not feel it", () => {
  const { passes } = ratesOf({ MARQUEE_RATE_TENANT: "5" });
  assert.equal(passes(10, viewer("a")) + passes(10, viewer("b")), 15);
  assert.equal(passes(10, { ...viewer("c"), tenant: "other" }), 10);
});

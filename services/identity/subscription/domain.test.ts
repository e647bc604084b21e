import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planOf, renewsAtMs } from "./domain.ts";

const at = (text: string): number => Date.parse(`${text}T12:00:00Z`);

test("a plan renews on its day, or the month's last", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["2026-01-15", "2026-01-15", "2026-02-15"],
    ["2026-01-15", "2026-02-14", "2026-02-15"],
    ["2026-01-15", "2026-02-15", "2026-03-15"],
    ["2026-01-31", "2026-02-01", "2026-02-28"],
    ["2026-01-31", "2026-03-01", "2026-03-31"],
    ["2027-12-31", "2028-02-10", "2028-02-29"],
    ["2025-12-05", "2026-12-04", "2026-12-05"],
  ];
  for (const [since, now, renews] of cases)
    assert.equal(new Date(renewsAtMs(at(since), at(now))).toISOString().slice(0, 10), renews, `${since} at ${now}`);
});

test("a renewal is always ahead, and never more than 31 days and the rest of one", () => {
  const time = fc.integer({ min: at("2020-01-01"), max: at("2040-01-01") });
  fc.assert(
    fc.property(time, fc.nat(400 * 86_400_000), (since, passed) => {
      const leftMs = renewsAtMs(since, since + passed) - (since + passed);
      return leftMs > 0 && leftMs <= 31 * 86_400_000;
    }),
  );
});

test("a plan that is not sold is named", () => {
  assert.equal(planOf("premium").streamsMax, 4);
  assert.equal(planOf("basic").streamsMax, 2);
  assert.throws(() => planOf("gold"), /'gold' is not a plan: choose one of basic, premium/);
});

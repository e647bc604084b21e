import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionText, parseCondition } from "./flag-conditions.ts";

test("conditions are read as they are written, and shown the same way", () => {
  const cases: readonly (readonly [string, string, readonly string[], boolean])[] = [
    ["tier=premium,basic", "IN", ["premium", "basic"], false],
    ["market!=US", "IN", ["US"], true],
    ["appVersion>=2.1.0", "SEMVER_GTE", ["2.1.0"], false],
    ["appVersion!>2.1.0", "SEMVER_GT", ["2.1.0"], true],
    ["osVersion<17", "NUM_LT", ["17"], false],
    ["osVersion<=17.5", "NUM_LTE", ["17.5"], false],
    ["currentTime>2026-12-24T20:15:00Z", "DATE_AFTER", ["2026-12-24T20:15:00Z"], false],
    ["userId^=usr_,dev_", "STR_STARTS_WITH", ["usr_", "dev_"], false],
    ["userId$=7", "STR_ENDS_WITH", ["7"], false],
    ["userId*=a=b", "STR_CONTAINS", ["a=b"], false],
    ["userId~^a{1,3}$", "REGEX", ["^a{1,3}$"], false],
    ["remoteAddress=10.0.0.0/8,::1", "IN_CIDR", ["10.0.0.0/8", "::1"], false],
  ];
  for (const [text, operator, values, isInverted] of cases) {
    const condition = parseCondition(text);
    assert.deepEqual(
      [condition.operator, condition.values, condition.isInverted],
      [operator, values, isInverted],
      text,
    );
    assert.equal(conditionText(condition), text);
  }
  assert.equal(
    conditionText({ attribute: "market", operator: "NOT_IN", values: ["US"], isInverted: false }),
    "market!=US",
  );
});

test("what is no condition is refused with examples", () => {
  for (const text of ["", "tier", "=premium", "tier=", "currentTime>=2026", "tier premium"])
    assert.throws(() => parseCondition(text), { code: "invalid_argument", message: /tier=premium,basic/ });
});

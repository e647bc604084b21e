import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "../ui/messages/en.ts";
import { httpStatusOf, isFailedTransfer, playerErrorOf } from "./errors.ts";

const error = (category: number, code: number, ...data: unknown[]) => ({ severity: 2, category, code, data });

test("each family of errors gets its own words", () => {
  const kind = (value: unknown, isSecure = true) => playerErrorOf(value, isSecure).kind;
  assert.equal(kind(error(1, 1_001, "http://e/s", 403)), "forbidden");
  assert.equal(kind(error(1, 1_001, "http://e/s", 502)), "network");
  assert.equal(kind(error(1, 1_003, "http://e/s")), "network");
  assert.equal(kind(error(6, 6_007)), "license");
  assert.equal(kind(error(6, 6_001)), "drm");
  assert.equal(kind(error(6, 6_001), false), "insecure");
  assert.equal(kind(error(4, 4_032)), "unsupported");
  assert.equal(kind(error(4, 4_001)), "media");
  assert.equal(kind(error(3, 3_016)), "media");
  assert.equal(kind(new Error("boom")), "unknown");
  for (const value of [error(1, 1_001, "", 403), error(6, 6_007), error(4, 4_032), null]) {
    assert.ok(kind(value) in en.player.errors);
  }
});

test("no token leaves with an error", () => {
  const { detail } = playerErrorOf(error(1, 1_001, "http://e/s.m4s?CMCD=x&CAT=secret&b=1", 403), true);
  assert.doesNotMatch(detail, /secret/);
  assert.match(detail, /b=1 403/);
});

test("another network is asked after a failure, not after a refusal", () => {
  assert.equal(isFailedTransfer(error(1, 1_002)), true);
  assert.equal(isFailedTransfer(error(1, 1_001, "", 503)), true);
  assert.equal(isFailedTransfer(error(1, 1_001, "", 403)), false);
  assert.equal(isFailedTransfer(error(6, 6_007)), false);
  assert.equal(httpStatusOf(error(1, 1_002, "", 403)), null);
});

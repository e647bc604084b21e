import assert from "node:assert/strict";
import { test } from "node:test";
import { toProblem } from "./errors.ts";

test("what passes by itself is told apart from what is broken", () => {
  const codeOf = (code: string) => toProblem(Object.assign(new Error("from below"), { code }));
  for (const code of ["ECONNREFUSED", "57P01", "53300"]) assert.equal(codeOf(code).reason, "connection_lost", code);
  for (const code of ["ENOSPC", "53100"]) {
    const { status, reason, message } = codeOf(code);
    assert.deepEqual([status, reason], [503, "disk_full"], code);
    assert.match(message, /the disk is full/);
  }
  const other = codeOf("23505");
  assert.deepEqual([other.code, other.message], ["internal", "something went wrong on our side"]);
});

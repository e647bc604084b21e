import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isMatch, isRangeFresh, parseRange } from "./index.ts";

describe("byte ranges", () => {
  it("reads the forms of RFC 9110, section 14.1.2", () => {
    assert.deepEqual(parseRange("bytes=0-499", 10_000), { startBytes: 0, endBytes: 499 });
    assert.deepEqual(parseRange("bytes=9500-", 10_000), { startBytes: 9500, endBytes: 9999 });
    assert.deepEqual(parseRange("bytes=-500", 10_000), { startBytes: 9500, endBytes: 9999 });
    assert.deepEqual(parseRange("bytes=-20000", 10_000), { startBytes: 0, endBytes: 9999 });
    assert.deepEqual(parseRange("bytes=9000-99999", 10_000), { startBytes: 9000, endBytes: 9999 });
  });

  it("answers none beyond the end, and all for what may be ignored", () => {
    assert.equal(parseRange("bytes=10-", 10), "none");
    assert.equal(parseRange("bytes=-0", 10), "none");
    assert.equal(parseRange("bytes=0-", 0), "none");
    for (const odd of ["bytes=5-4", "bytes=-", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=0-1; x"]) {
      assert.equal(parseRange(odd, 10), "all", odd);
    }
    assert.equal(parseRange(undefined, 10), "all");
  });

  it("property: a range that is given lies inside", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1200), fc.option(fc.nat(1200)), (size, first, last) => {
        const span = parseRange(`bytes=${first}-${last ?? ""}`, size);
        if (typeof span === "string") return;
        assert.ok(span.startBytes === first && span.endBytes >= first && span.endBytes < size);
      }),
    );
  });

  it("compares entity tags", () => {
    assert.equal(isMatch('"a", W/"b"', '"b"'), true);
    assert.equal(isMatch("*", '"b"'), true);
    assert.equal(isMatch('"a"', '"b"'), false);
    assert.equal(isMatch(undefined, '"b"'), false);
    assert.equal(isRangeFresh(undefined, '"b"'), true);
    assert.equal(isRangeFresh('"b"', '"b"'), true);
    assert.equal(isRangeFresh('W/"b"', '"b"'), false);
  });
});

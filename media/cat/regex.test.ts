import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import { compileRegex } from "./regex.ts";

describe("cat regular expressions", () => {
  it("matches as POSIX extended expressions do", () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ["^/vod/[0-9a-f-]{36}/", "/vod/0f8fad5b-d9cb-469f-a165-70867728950e/v1/seg.m4s", true],
      ["^/vod/[0-9a-f-]{36}/", "/vod/0f8fad5b/v1/seg.m4s", false],
      ["\\.(m4s|mp4|m3u8|mpd)$", "/a/b.m4s", true],
      ["\\.(m4s|mp4|m3u8|mpd)$", "/a/b.m4s.exe", false],
      ["^(a|ab)(c|bcd)$", "abcd", true],
      ["", "anything", true],
      ["^$", "", true],
      ["^$", "x", false],
      ["a{2,3}$", "caa", true],
      ["^a{2,3}$", "aaaa", false],
      ["^a{2,}$", "aaaa", true],
      ["^a{0}$", "", true],
      ["[]]", "]", true],
      ["[^]]", "]", false],
      ["[a-]", "-", true],
      ["[[:digit:]]+x", "12x", true],
      ["[[:digit:]x]$", "ax", true],
      ["(^a|b$)", "xb", true],
      ["x*", "", true],
      ["a]", "a]", true],
      ["(a*)*b", "aaab", true],
    ];
    for (const [pattern, subject, expected] of cases) {
      assert.equal(compileRegex(pattern)(subject), expected, `${pattern} on ${subject}`);
    }
  });

  it("refuses what it does not know, and what is too large", () => {
    const refused = [
      "(",
      ")",
      "[",
      "[a",
      "*a",
      "a**",
      "a{",
      "a{1",
      "a{x}",
      "a{3,2}",
      "a{999}",
      "(a)\\1",
      "\\d",
      "(?=a)",
      "[[:nope:]]",
      "[b-a]",
      "[[.a.]]",
      "^*",
      "a".repeat(257),
      `${"(".repeat(20)}${")".repeat(20)}`,
      "\\",
      "((a{255}){255}){255}",
      `${"(".repeat(9)}${"){255}".repeat(9)}`,
    ];
    for (const pattern of refused) assert.throws(() => compileRegex(pattern), FormatError, pattern);
    assert.equal(compileRegex("a")("a".repeat(9000)), false);
  });

  it("property: agrees with the engine of the language on their common subset", () => {
    const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "(a|b)", "(ab)", "\\.");
    const piece = fc.tuple(atom, fc.constantFrom("", "*", "+", "?", "{1,2}")).map(([a, repeat]) => a + repeat);
    const pattern = fc
      .tuple(fc.constantFrom("", "^"), fc.array(piece, { maxLength: 5 }), fc.constantFrom("", "$"))
      .map(([start, pieces, end]) => start + pieces.join("") + end);
    const subject = fc.string({ unit: fc.constantFrom("a", "b", ".", "c"), maxLength: 10 });
    fc.assert(
      fc.property(pattern, subject, (source, text) => {
        assert.equal(compileRegex(source)(text), new RegExp(source).test(text), `${source} on ${text}`);
      }),
      { numRuns: 2000 },
    );
  });

  it("takes steps in proportion to the subject where a backtracking engine explodes", () => {
    // A backtracking engine needs 2^8000 steps here: the test would never end.
    assert.equal(compileRegex("^(a+)+$")(`${"a".repeat(8000)}b`), false);
    assert.equal(compileRegex("^(a|a)*$")(`${"a".repeat(8000)}b`), false);
    assert.equal(compileRegex("^(a?){30}a{30}$")("a".repeat(30)), true);
  });

  it("fuzz: any pattern compiles or fails with a FormatError", () => {
    const chars = fc.constantFrom(..."ab[]()*+?{}1,2^$|\\.-:".split(""));
    fc.assert(
      fc.property(fc.string({ unit: chars, maxLength: 24 }), (pattern) => {
        try {
          compileRegex(pattern)("aabb");
        } catch (error) {
          assert.ok(error instanceof FormatError, `${pattern}: ${String(error)}`);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

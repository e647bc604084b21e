import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import { type CborValue, CborWriter, decode, encode } from "./index.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

/** RFC 8949, appendix A: the encodings that are deterministic. */
const EXAMPLES: readonly (readonly [string, CborValue])[] = [
  ["00", 0],
  ["17", 23],
  ["1818", 24],
  ["1903e8", 1000],
  ["1a000f4240", 1_000_000],
  ["1b000000e8d4a51000", 1_000_000_000_000],
  ["1bffffffffffffffff", 18_446_744_073_709_551_615n],
  ["c249010000000000000000", 18_446_744_073_709_551_616n],
  ["3bffffffffffffffff", -18_446_744_073_709_551_616n],
  ["c349010000000000000000", -18_446_744_073_709_551_617n],
  ["20", -1],
  ["3863", -100],
  ["3903e7", -1000],
  ["f98000", -0],
  ["fb3ff199999999999a", 1.1],
  ["f93e00", 1.5],
  ["fa7f7fffff", 3.4028234663852886e38],
  ["fb7e37e43c8800759c", 1.0e300],
  ["f90001", 5.960464477539063e-8],
  ["f90400", 0.00006103515625],
  ["fbc010666666666666", -4.1],
  ["f97c00", Number.POSITIVE_INFINITY],
  ["f97e00", Number.NaN],
  ["f9fc00", Number.NEGATIVE_INFINITY],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["f7", undefined],
  ["f0", { simple: 16 }],
  ["f8ff", { simple: 255 }],
  ["c11a514b67b0", { tag: 1, value: 1_363_896_240 }],
  ["d74401020304", { tag: 23, value: unhex("01020304") }],
  ["40", new Uint8Array()],
  ["60", ""],
  ["62225c", '"\\'],
  ["62c3bc", "ü"],
  ["64f0908591", "\u{10151}"],
  ["80", []],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["a0", new Map()],
  [
    "a201020304",
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
  [
    "a26161016162820203",
    new Map<CborValue, CborValue>([
      ["a", 1],
      ["b", [2, 3]],
    ]),
  ],
];

describe("cbor", () => {
  it("writes and reads the examples of RFC 8949, appendix A", () => {
    for (const [bytes, value] of EXAMPLES) {
      assert.equal(hex(encode(value)), bytes);
      assert.deepEqual(decode(unhex(bytes), { deterministic: true }), value);
    }
  });

  it("reads indefinite lengths and wide heads, unless asked for the deterministic form", () => {
    const lenient: readonly (readonly [string, CborValue])[] = [
      ["5f42010243030405ff", unhex("0102030405")],
      ["7f657374726561646d696e67ff", "streaming"],
      ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
      [
        "bf6161019f0203ff6162ff",
        new Map<CborValue, CborValue>([
          ["a", 1],
          [[2, 3], "b"],
        ]),
      ],
      ["1b0000000000000001", 1],
      ["fb3ff8000000000000", 1.5],
      ["c24101", 1],
      [
        "a203040102",
        new Map([
          [3, 4],
          [1, 2],
        ]),
      ],
    ];
    for (const [bytes, value] of lenient) {
      assert.deepEqual(decode(unhex(bytes)), value);
      assert.throws(() => decode(unhex(bytes), { deterministic: true }), FormatError, bytes);
    }
  });

  it("refuses what is not well-formed", () => {
    // RFC 8949, appendix F: one of each kind.
    const broken = [
      "",
      "18",
      "19",
      "1a000000",
      "1b00000000000000",
      "38",
      "58",
      "78",
      "98",
      "9a01ff00",
      "b8",
      "d8",
      "f8",
      "f900",
      "41",
      "61",
      "5affffffff00",
      "5bffffffffffffffff010203",
      "7bffffffffffffffff",
      "81",
      "8181",
      "a1",
      "a101",
      "c0",
      "bf",
      "9f",
      "5f",
      "7f",
      "bfff00",
      "1c",
      "1d",
      "1e",
      "3c",
      "5c",
      "7e",
      "9d",
      "bc",
      "de",
      "fc",
      "f800",
      "f81f",
      "5f00ff",
      "5f6100ff",
      "7f4100ff",
      "5f5f4100ffff",
      "ff",
      "81ff",
      "bf01ff",
      "1f",
      "3f",
      "df00",
      "0000",
      "61ff",
      "9bffffffffffffffff",
      "bbffffffffffffffff",
      "c201",
    ];
    for (const bytes of broken) assert.throws(() => decode(unhex(bytes)), FormatError, bytes);
  });

  it("refuses duplicate keys of every type", () => {
    for (const bytes of ["a201010102", "a2616101616102", "a2410101410102", "a2810101810102", "bf01010102ff"]) {
      assert.throws(() => decode(unhex(bytes)), /one key twice/, bytes);
    }
    assert.throws(() => decode(unhex("a20101180102")), /one key twice/);
    assert.throws(
      () =>
        encode(
          new Map([
            [[1], 1],
            [[1], 2],
          ]),
        ),
      /one key twice/,
    );
  });

  it("keeps its limits", () => {
    assert.throws(() => decode(unhex(`${"81".repeat(33)}00`)), /too deeply/);
    assert.deepEqual(decode(unhex(`${"81".repeat(2)}00`), { depthMax: 2 }), [[0]]);
    assert.throws(() => decode(unhex(`${"c1".repeat(100_000)}00`)), /too deeply/);
    assert.throws(() => decode(unhex("83000000"), { itemsMax: 3 }), /items/);
    assert.throws(() => decode(new Uint8Array(17), { bytesMax: 16 }), /limit is 16/);
    assert.throws(() => encode("a".repeat(40), { bytesMax: 16 }), /longer than 16/);
    assert.throws(() => encode("\ud800"), /lone surrogate/);
    let nested: CborValue = 0;
    for (let depth = 0; depth < 40; depth += 1) nested = [nested];
    assert.throws(() => encode(nested), /too deeply/);
  });

  it("names the offset at fault", () => {
    assert.throws(
      () => decode(unhex("820161ff")),
      (error) => error instanceof FormatError && error.offsetBytes === 2,
    );
  });

  const { value: anyValue } = fc.letrec<{ value: CborValue; key: CborValue }>((tie) => ({
    key: fc.oneof(fc.maxSafeInteger(), fc.string({ unit: "grapheme" }), fc.bigInt({ min: 1n << 54n, max: 1n << 90n })),
    value: fc.oneof(
      { maxDepth: 4 },
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(1n << 100n), max: -(1n << 54n) }),
      fc.double(),
      fc.string({ unit: "grapheme" }),
      fc.uint8Array(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.array(fc.tuple(tie("key"), tie("value")), { maxLength: 4 }).map((entries) => new Map(entries)),
      fc.record({ tag: fc.integer({ min: 4, max: 1 << 30 }), value: tie("value") }),
    ),
  }));

  it("property: decoding inverts encoding, and encoding is deterministic", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = encode(value);
        const decoded = decode(bytes, { deterministic: true });
        assert.equal(hex(encode(decoded)), hex(bytes));
        assert.deepEqual(normal(decoded), normal(value));
      }),
    );
  });

  it("fuzz: any bytes decode or fail with a FormatError, and what decodes encodes to what decodes to the same", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        let value: CborValue;
        try {
          value = decode(bytes);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
          return;
        }
        assert.deepEqual(normal(decode(encode(value), { deterministic: true })), normal(value));
      }),
      { numRuns: 3000 },
    );
  });

  it("fuzz: every truncation of a valid item fails", () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), (value, cut) => {
        const bytes = encode(value);
        assert.throws(() => decode(bytes.subarray(0, cut % bytes.length)), FormatError);
      }),
    );
  });

  it("a writer can be used again and grows", () => {
    const writer = new CborWriter(4);
    for (const text of ["short", "x".repeat(300), "ü".repeat(100)]) {
      writer.reset();
      writer.text(text);
      assert.equal(decode(writer.view()), text);
    }
  });
});

/** Floats that are integers decode as integers, as JavaScript has one number type; compare what is left. */
function normal(value: CborValue): CborValue {
  return decode(encode(value));
}

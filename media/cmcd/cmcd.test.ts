import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { encodeCmcd } from "@svta/cml-cmcd";
import fc from "fast-check";
import { type CmcdRecord, readCmcd, stripCmcd, withoutParameters } from "./index.ts";

const testData = process.env["MARQUEE_TESTDATA"];
const folder = join(testData ?? "", "tokens-cmcd");
const skip = testData !== undefined && existsSync(folder) ? false : "MARQUEE_TESTDATA has no tokens-cmcd folder";

const read = (text: string): CmcdRecord => {
  const reading = readCmcd(`CMCD=${encodeURIComponent(text)}`);
  assert.equal(reading.kind, "read", text);
  return reading.kind === "read" ? reading.record : { v: 1, droppedKeys: -1 };
};

describe("cmcd", () => {
  it("reads versions 1 and 2 into one shape", () => {
    const v1 =
      'bl=21300,br=3200,bs,cid="faec5fc2",d=4004,dl=18500,mtp=25400,ot=v,pr=1.08,sf=d,sid="6e2fb550",st=v,su,tb=6000';
    assert.deepEqual(read(v1), {
      v: 1,
      bl: 21300,
      br: 3200,
      bs: true,
      cid: "faec5fc2",
      d: 4004,
      dl: 18500,
      mtp: 25400,
      ot: "v",
      pr: 1.08,
      sf: "d",
      sid: "6e2fb550",
      st: "v",
      su: true,
      tb: 6000,
      droppedKeys: 0,
    });
    assert.deepEqual(read("br=(3000;v 128;a),ltc=1500,sn=7,sta=p,v=2"), {
      v: 2,
      br: 3000,
      ltc: 1500,
      sn: 7,
      sta: "p",
      droppedKeys: 0,
    });
  });

  it("drops and counts what is unknown or of another type", () => {
    assert.deepEqual(read('br="fast",bl=-1,ot=z,sid=5,com.example-x=1,su=?0'), {
      v: 1,
      su: false,
      droppedKeys: 5,
    });
    assert.deepEqual(read(`sid="${"x".repeat(65)}",cid="ok"`), { v: 1, cid: "ok", droppedKeys: 1 });
  });

  it("refuses what is too long or no dictionary, and never throws", () => {
    assert.deepEqual(readCmcd("a=b"), { kind: "absent" });
    assert.deepEqual(readCmcd(""), { kind: "absent" });
    assert.deepEqual(readCmcd(`CMCD=${"a".repeat(5000)}`), { kind: "refused", reason: "too_long" });
    assert.deepEqual(readCmcd(`CMCD=${Array.from({ length: 65 }, (_, index) => `a${index}`).join(",")}`), {
      kind: "refused",
      reason: "too_long",
    });
    assert.deepEqual(readCmcd("CMCD=%zz"), { kind: "refused", reason: "malformed" });
    assert.deepEqual(readCmcd("CMCD=br%3D%28"), { kind: "refused", reason: "malformed" });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map(encodeURIComponent),
          fc.string({ unit: fc.constantFrom(...'abr=(),;"?12. %28v') }),
        ),
        (text) => {
          const reading = readCmcd(`x=1&CMCD=${text}`);
          assert.ok(["read", "refused", "absent"].includes(reading.kind));
          for (const value of reading.kind === "read" ? Object.values(reading.record) : []) {
            assert.ok(typeof value !== "string" || value.length <= 128);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("property: reads what the other implementation writes", () => {
    const data = fc.record({
      br: fc.integer({ min: 1, max: 50_000 }),
      sid: fc.string({ unit: fc.constantFrom(...'abc-\\" 019'), minLength: 1, maxLength: 20 }),
      su: fc.constant(true),
      ot: fc.constantFrom("v", "a", "m"),
    });
    fc.assert(
      fc.property(data, ({ br, sid, su, ot }) => {
        const record = read(encodeCmcd({ br: [br], sid, su, ot, v: 2 }));
        assert.deepEqual(record, { v: 2, br, sid, su, ot, droppedKeys: 0 });
      }),
    );
  });

  it("strips itself from a cache key and leaves the rest alone", () => {
    assert.equal(stripCmcd("?a=1&CMCD=br%3D1&b=%20+x"), "a=1&b=%20+x");
    assert.equal(stripCmcd("CMCD=x"), "");
    assert.equal(stripCmcd("%43MCD=x&cmcd=y&CMCD&CMCDX=1"), "cmcd=y&CMCDX=1");
    assert.equal(
      withoutParameters("_HLS_msn=4&cat=T&CMCD=x&_HLS_part=1", new Set(["cat", "CMCD"])),
      "_HLS_msn=4&_HLS_part=1",
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("a", "CMCD", "b"), fc.string().map(encodeURIComponent))),
        (pairs) => {
          const query = pairs.map(([name, value]) => `${name}=${value}`).join("&");
          const expected = pairs.filter(([name]) => name !== "CMCD").map(([name, value]) => `${name}=${value}`);
          assert.equal(stripCmcd(query), expected.join("&"));
          assert.equal(stripCmcd(stripCmcd(query)), stripCmcd(query));
        },
      ),
    );
  });

  it("reads the published cases", { skip }, () => {
    const shared: { CMCD_QUERY: string; CMCD_STRING_V1: string } = JSON.parse(
      readFileSync(join(folder, "cmcd-cmsd-cml.json"), "utf8"),
    );
    const reading = readCmcd(shared.CMCD_QUERY);
    assert.ok(reading.kind === "read");
    const { droppedKeys, ...record } = reading.record;
    assert.deepEqual(record, {
      v: 2,
      bg: true,
      bl: 5000,
      br: 200,
      bs: true,
      cid: "content-id",
      d: 325,
      dl: 10_000,
      ltc: 1500,
      msd: 2500,
      mtp: 10_000,
      ot: "m",
      rtp: 8000,
      sf: "d",
      sid: "session-id",
      sn: 1,
      st: "v",
      sta: "p",
      su: true,
      tb: 5000,
    });
    assert.ok(droppedKeys > 0);
    assert.equal(stripCmcd(`${shared.CMCD_QUERY}&x=1`), "x=1");
    const cases: readonly { file: string; strings: readonly string[] }[] = JSON.parse(
      readFileSync(join(folder, "cmcd-case-strings.json"), "utf8"),
    );
    let strings = 0;
    for (const each of cases) {
      for (const text of each.file === "decodeCmcd" ? each.strings : []) {
        read(text);
        strings += 1;
      }
      for (const text of each.file === "fromCmcdQuery" ? each.strings : []) {
        assert.equal(readCmcd(text).kind, "read");
        strings += 1;
      }
    }
    assert.ok(strings >= 10);
    assert.equal(
      read("br=(3000;ot=v 6000),com.example-tok=abc,com.example-x=1;p=2,ot=v,su,tab=(3000);p=2,v=2").br,
      3000,
    );
  });
});

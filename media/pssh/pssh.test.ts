import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import {
  commonPssh,
  parsePlayReadyObject,
  parsePssh,
  parseWidevineData,
  playReadyObject,
  playReadyProBase64,
  playReadyPssh,
  SYSTEM_IDS,
  widevinePssh,
  writePssh,
  writeWidevineData,
} from "./index.ts";

const kidArbitrary = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const kidsArbitrary = fc.array(kidArbitrary, { minLength: 1, maxLength: 8 });

test("the W3C common box is the published one, byte for byte", () => {
  const box = Buffer.from(commonPssh(["7e571d037e571d037e571d037e571d03", "7e571d047e571d047e571d047e571d04"]));
  const published = "AAAARHBzc2gBAAAAEHfv7MCyTQKs4zweUuL7SwAAAAJ+Vx0DflcdA35XHQN+Vx0DflcdBH5XHQR+Vx0EflcdBAAAAAA=";
  assert.equal(box.toString("base64"), published);
});

test("boxes that follow each other are read back as they were written", () => {
  const psshArbitrary = fc.record({
    version: fc.constantFrom(0 as const, 1 as const),
    systemId: fc.constantFrom(...Object.values(SYSTEM_IDS)),
    kids: kidsArbitrary,
    data: fc.uint8Array({ maxLength: 64 }),
  });
  fc.assert(
    fc.property(fc.array(psshArbitrary, { maxLength: 4 }), (drawn) => {
      const boxes = drawn.map((box) => (box.version === 0 ? { ...box, kids: [] } : { ...box }));
      const bytes = Buffer.concat(boxes.map(writePssh));
      const parsed = parsePssh(bytes).map((box) => ({ ...box, data: new Uint8Array(box.data) }));
      assert.deepEqual(parsed, boxes);
    }),
  );
});

test("Widevine data carry keys, content and scheme", () => {
  fc.assert(
    fc.property(
      kidsArbitrary,
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ maxLength: 20 }),
      (kids, contentId, provider) => {
        const box = parsePssh(widevinePssh({ kids, contentId, provider }))[0];
        assert.equal(box?.systemId, SYSTEM_IDS.widevine);
        const data = parseWidevineData(box?.data ?? new Uint8Array());
        assert.deepEqual(data.kids, kids);
        assert.equal(data.provider, provider);
        assert.deepEqual(new Uint8Array(data.contentId ?? []), contentId);
        assert.equal(data.protectionScheme, "cbcs");
      },
    ),
  );
});

test("scheme cbcs is the number 0x63626373 in field 9", () => {
  const data = Buffer.from(writeWidevineData({ kids: [], protectionScheme: "cbcs" })).toString("hex");
  assert.equal(data, "48f3c6899b06");
});

test("the PlayReady header is version 4.3 with AESCBC and little-endian KIDs", () => {
  const kid = "00112233445566778899aabbccddeeff";
  const object = parsePlayReadyObject(playReadyObject({ kids: [kid], licenseUrl: "https://l.example/a?b=1&c=<2>" }));
  assert.equal(object.version, "4.3.0.0");
  assert.equal(object.algorithm, "AESCBC");
  assert.deepEqual(object.kids, [kid]);
  assert.equal(object.licenseUrl, "https://l.example/a?b=1&c=<2>");
  const guid = Buffer.from("33221100554477668899aabbccddeeff", "hex").toString("base64");
  assert.ok(object.header.includes(`VALUE="${guid}"`));
  const pro = Buffer.from(playReadyProBase64({ kids: [kid] }), "base64");
  assert.deepEqual(new Uint8Array(parsePssh(playReadyPssh({ kids: [kid] }))[0]?.data ?? []), new Uint8Array(pro));
});

test("no KIDs, upper-case KIDs and short KIDs are refused", () => {
  for (const kids of [[], ["00112233445566778899AABBCCDDEEFF"], ["0011"]]) {
    assert.throws(() => commonPssh(kids), FormatError);
    assert.throws(() => widevinePssh({ kids }), FormatError);
    assert.throws(() => playReadyPssh({ kids }), FormatError);
  }
});

test("broken boxes throw FormatError and nothing else", () => {
  const kids = ["00112233445566778899aabbccddeeff"];
  const whole = Buffer.concat([commonPssh(kids), widevinePssh({ kids }), playReadyPssh({ kids })]);
  const readAll = (bytes: Uint8Array) => {
    for (const { systemId, data } of parsePssh(bytes)) {
      if (systemId === SYSTEM_IDS.widevine) parseWidevineData(data);
      if (systemId === SYSTEM_IDS.playready) parsePlayReadyObject(data);
    }
  };
  readAll(whole);
  const boundaries = new Set([0, commonPssh(kids).length, commonPssh(kids).length + widevinePssh({ kids }).length]);
  for (let length = 0; length < whole.length; length++) {
    if (!boundaries.has(length)) assert.throws(() => readAll(whole.subarray(0, length)), FormatError);
  }
  for (let at = 0; at < whole.length * 8; at++) {
    const flipped = Buffer.from(whole);
    flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (1 << (at & 7));
    try {
      readAll(flipped);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }
});

interface Vector {
  readonly pssh_base64: string;
  readonly version: number;
  readonly system_id: string;
  readonly kids: readonly string[];
  readonly data_size: number;
  readonly widevine_key_ids?: readonly string[];
  readonly playready_header?: string;
}

const dataFolder = process.env.MARQUEE_TESTDATA;

test("published boxes of all systems", { skip: dataFolder === undefined && "MARQUEE_TESTDATA is not set" }, () => {
  const vectors: readonly Vector[] = JSON.parse(
    readFileSync(join(dataFolder ?? "", "drm", "pssh", "pssh-vectors.json"), "utf8"),
  );
  assert.ok(vectors.length > 5);
  for (const vector of vectors) {
    const bytes = Buffer.from(vector.pssh_base64, "base64");
    const boxes = parsePssh(bytes);
    const box = boxes[0];
    assert.ok(box !== undefined && boxes.length === 1);
    assert.equal(box.version, vector.version);
    assert.equal(box.systemId.replaceAll("-", ""), vector.system_id);
    assert.deepEqual(box.kids, vector.kids);
    assert.equal(box.data.length, vector.data_size);
    assert.deepEqual(Buffer.from(writePssh(box)), bytes);
    if (vector.widevine_key_ids !== undefined) {
      assert.deepEqual(parseWidevineData(box.data).kids, vector.widevine_key_ids);
    }
    if (vector.playready_header !== undefined) {
      const object = parsePlayReadyObject(box.data);
      assert.equal(object.header, vector.playready_header);
      assert.ok(object.kids.length > 0);
    }
  }
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import { testIdentity } from "./certificate.testing.ts";
import {
  type ContentKey,
  type CpixDocument,
  checkCpix,
  contentKeyFor,
  EMPTY_CPIX,
  readCpix,
  type Signer,
  writeCpix,
} from "./index.ts";
import { parseXml } from "#media/xml";

const kidAt = (index: number): string => `0196f1c2-5a3e-7d1b-9f00-${index.toString(16).padStart(12, "0")}`;
const keyAt = (index: number): ContentKey => ({
  kid: kidAt(index),
  value: { kind: "clear", bytes: Uint8Array.from({ length: 16 }, (_, at) => (index * 17 + at) & 0xff) },
});

/** What the platform writes for a title: audio, SD, HD and UHD keys with their rules. */
const TITLE: CpixDocument = {
  ...EMPTY_CPIX,
  contentId: "0f8fad5b-d9cb-469f-a165-70867728950e",
  version: "2.3",
  contentKeys: [keyAt(1), { ...keyAt(2), explicitIv: new Uint8Array(16).fill(7), id: "sd" }, keyAt(3), keyAt(4)],
  drmSystems: [
    {
      systemId: "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
      kid: kidAt(1),
      name: "Widevine",
      pssh: Uint8Array.of(0, 0, 0, 8, 0x70, 0x73, 0x73, 0x68),
      contentProtectionData: '<cenc:pssh xmlns:cenc="urn:mpeg:cenc:2013">AAAACHBzc2g=</cenc:pssh>',
      hlsSignalingData: { master: "#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES", media: "#EXT-X-KEY:METHOD=SAMPLE-AES ü\n" },
    },
    {
      systemId: "9a04f079-9840-4286-ab92-e65be0885f95",
      kid: kidAt(1),
      smoothStreamingProtectionHeaderData: "AAAA & <x>",
      uriExtXKey: "skd://key",
      hdsSignalingData: "x",
    },
  ],
  usageRules: [
    { kid: kidAt(1), intendedTrackType: "AUDIO", audio: [{}] },
    { kid: kidAt(2), intendedTrackType: "SD", video: [{ maxPixels: 589_824 }] },
    { kid: kidAt(3), intendedTrackType: "HD", video: [{ minPixels: 589_825, maxPixels: 2_073_600, hdr: false }] },
    {
      kid: kidAt(4),
      intendedTrackType: "UHD",
      labels: ['main <&> "quoted"\ttab'],
      video: [{ minPixels: 2_073_601, minFps: 10, maxFps: 60, wcg: true }],
      bitrate: [{ minBitrate: 1, maxBitrate: 100_000_000 }],
    },
  ],
  updateHistory: [{ updateVersion: 1, index: "1", source: "keys", date: "2026-11-23T02:00:00Z", id: "update-1" }],
};
const WITH_PERIODS: CpixDocument = {
  ...EMPTY_CPIX,
  contentKeys: [keyAt(1), keyAt(2)],
  periods: [
    { id: "first", index: 1 },
    { id: "second", start: "2026-11-23T02:00:00Z", end: "2026-11-23T03:00:00.5+01:00" },
  ],
  usageRules: [
    { kid: kidAt(1), periodIds: ["first"] },
    { kid: kidAt(2), periodIds: ["second"] },
  ],
};
// 02:00Z to 03:00+01:00 would be empty; the half second makes it a period.

const alice = testIdentity("alice", 3072);
const signerOf = (target: Signer["target"], hash?: "sha256"): Signer => ({
  ...alice,
  target,
  ...(hash === undefined ? {} : { hash }),
});

const testData = process.env["MARQUEE_TESTDATA"];
const folder = join(testData ?? "", "drm", "cpix");
const skip = testData !== undefined && existsSync(folder) ? false : "MARQUEE_TESTDATA has no drm/cpix folder";
const schemaFile = join(testData ?? "", "drm", "cpix-xsd", "cpix.xsd");
const XMLLINT = process.env["XMLLINT_PATH"] ?? "xmllint";
const hasXmllint = spawnSync(XMLLINT, ["--version"]).status === 0;
const skipSchema = skip !== false ? skip : hasXmllint ? false : "xmllint (package libxml2-utils) is not on the PATH";
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const skipKeys = skip !== false ? skip : hasOpenssl ? false : "openssl is not on the PATH";

const vector = (name: string): Uint8Array => readFileSync(join(folder, name));

/** The vectors keep their private keys in PKCS#12 files, which node:crypto does not read. */
function vectorKey(name: string): KeyObject {
  const args = ["pkcs12", "-in", join(folder, `${name}.pfx`), "-nodes", "-nocerts", "-passin", `pass:${name}`];
  const found = [[], ["-legacy"]].map((more) => spawnSync("openssl", [...args, ...more], { encoding: "utf8" }).stdout);
  const pem = found.find((text) => text.includes("PRIVATE KEY"));
  assert.ok(pem);
  return createPrivateKey(pem.slice(pem.indexOf("-----BEGIN")));
}

describe("cpix vectors", () => {
  it("accepts and refuses every vector as it should be", { skip }, () => {
    const names = readdirSync(folder).filter((name) => name.endsWith(".xml"));
    assert.ok(names.length >= 9);
    for (const name of names) {
      if (name.startsWith("Invalid_"))
        assert.throws(() => readCpix(vector(name)), /the signature of the .* is wrong/, name);
      else assert.doesNotThrow(() => readCpix(vector(name)), name);
    }
  });

  it("reads what the signed and complex vector says, and who signed it", { skip }, () => {
    const { document, signatures } = readCpix(vector("Complex.xml"));
    assert.equal(document.contentKeys.length, 4);
    assert.equal(document.drmSystems.length, 12);
    assert.equal(signatures.length, 9);
    assert.equal(document.usageRules[0]?.labels?.[2]?.startsWith("滆 柦柋牬"), true);
    assert.deepEqual(document.usageRules[1]?.video?.[0], {
      minPixels: 1000,
      maxPixels: 2_073_600,
      hdr: true,
      wcg: false,
      minFps: 10,
      maxFps: 30,
    });
    const cert4 = new X509Certificate(vector("Cert4.cer"));
    const trust = (certificate: X509Certificate): boolean => certificate.fingerprint256 === cert4.fingerprint256;
    assert.doesNotThrow(() => readCpix(vector("Complex.xml"), { trust, requiredSignatures: ["document"] }));
    const distrust = { trust: () => false, requiredSignatures: ["ContentKeyList"] } as const;
    assert.throws(() => readCpix(vector("Complex.xml"), distrust), /no trusted signer has signed the ContentKeyList/);
    assert.throws(
      () => readCpix(vector("ClearContentKeysOnly.xml"), { trust: () => true, requiredSignatures: ["document"] }),
      /no trusted signer/,
    );
  });

  it("decrypts the encrypted vector with its recipient's key to the published values", { skip: skipKeys }, () => {
    const { document } = readCpix(vector("EncryptedContentKeys.xml"), { privateKey: vectorKey("Cert1") });
    const values = document.contentKeys.map(({ kid, value }) => {
      assert.equal(value?.kind, "clear");
      return [kid, Buffer.from(value?.kind === "clear" ? value.bytes : []).toString("base64")];
    });
    assert.deepEqual(values, [
      ["bd5adf51-cf04-410f-aac3-ec63a69e929e", "3rWoHYasQubO6HbJGrGtLw=="],
      ["d2920429-87ab-41e6-a4c5-a8c836b6312e", "O5w9FdZiwmQK4uIXzAziaQ=="],
      ["e17ba4b8-faff-4d30-bcba-7485e3f2e884", "Cwu/3hSBBRQ7SurBdZD5ow=="],
      ["0ae6b9ad-92d2-4ebe-882b-1d07dee70715", "FB6/Eck9Y9SXy6bY8UU/Mw=="],
    ]);
    const stranger = vectorKey("Cert2");
    assert.throws(() => readCpix(vector("EncryptedContentKeys.xml"), { privateKey: stranger }), /not for the holder/);
    const complex = readCpix(vector("Complex.xml"), { privateKey: vectorKey("Cert2") });
    assert.equal(
      complex.document.contentKeys.every((key) => key.value?.kind === "clear"),
      true,
    );
  });

  it("entrusts no keys to the weak certificates", { skip }, () => {
    for (const [name, reason] of [
      ["WeakCert_Sha1", /SHA-256 is the least/],
      ["WeakCert_SmallKey", /2048 bits/],
    ] as const) {
      assert.throws(() => writeCpix(TITLE, { recipients: [vector(`${name}.cer`)] }), reason);
    }
    assert.doesNotThrow(() => writeCpix(TITLE, { recipients: [vector("Cert1.cer"), vector("Cert2.cer")] }));
  });

  it("reads a document in UTF-16", { skip }, () => {
    const text = Buffer.from(vector("Complex.xml"))
      .toString("utf8")
      .replace(/^\ufeff/u, "")
      .replace('"utf-8"', '"utf-16"');
    const { signatures } = readCpix(Buffer.concat([Uint8Array.of(0xff, 0xfe), Buffer.from(text, "utf16le")]));
    assert.equal(signatures.length, 9);
  });
});

describe("cpix schema", () => {
  const validate = (xml: string, schema: string): string => {
    const result = spawnSync(XMLLINT, ["--noout", "--nonet", "--schema", schema, "-"], {
      input: xml,
      encoding: "utf8",
    });
    return result.status === 0 ? "valid" : result.stderr;
  };

  it("validates what we write: clear, encrypted, signed, encrypted and signed", { skip: skipSchema }, () => {
    const options = [
      {},
      { recipients: [alice.certificate] },
      { signers: [signerOf("document")] },
      {
        recipients: [alice.certificate],
        signers: [signerOf("ContentKeyList"), signerOf("DeliveryDataList"), signerOf("document")],
      },
    ];
    for (const each of options) assert.equal(validate(writeCpix(TITLE, each), schemaFile), "valid");
    assert.equal(validate(writeCpix(EMPTY_CPIX), schemaFile), "valid");
    assert.match(validate(writeCpix(TITLE).replace("<ContentKey ", "<ContentKeys "), schemaFile), /ContentKeys/);
  });

  it("validates key periods under the schema's correction", { skip: skipSchema }, () => {
    // The published schema types periodId as xs:ID, so that no rule can refer to a period; later ones have xs:IDREF.
    // Version 2.3 also added commonEncryptionScheme.
    const scratch = mkdtempSync(join(tmpdir(), "cpix-"));
    try {
      for (const name of ["pskc.xsd", "xenc-schema.xsd", "xmldsig-core-schema.xsd"]) {
        writeFileSync(join(scratch, name), readFileSync(join(schemaFile, "..", name)));
      }
      const schema = readFileSync(schemaFile, "utf8");
      const corrected = schema
        .replace('name="periodId" type="xs:ID"', 'name="periodId" type="xs:IDREF"')
        .replace(
          '<xs:attribute name="dependsOnKey"',
          '<xs:attribute name="commonEncryptionScheme" type="xs:string"/><xs:attribute name="dependsOnKey"',
        );
      writeFileSync(join(scratch, "cpix.xsd"), corrected);
      const keys = WITH_PERIODS.contentKeys.map((key) => ({ ...key, commonEncryptionScheme: "cbcs" }) as const);
      const xml = writeCpix({ ...WITH_PERIODS, contentKeys: keys });
      assert.equal(validate(xml, join(scratch, "cpix.xsd")), "valid");
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

describe("cpix documents", () => {
  it("read back as they were written", () => {
    for (const document of [TITLE, WITH_PERIODS, EMPTY_CPIX]) {
      assert.deepEqual(readCpix(writeCpix(document)).document, document);
      assert.deepEqual(readCpix(Buffer.from(writeCpix(document))).document, document);
    }
  });

  it("property: any document that is right reads back as it was written", () => {
    const text = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
      // XML has no place for control characters; U+FFFD is refused as the trace of an encoding that was read wrongly.
      .filter((s) => !/[\u0000-\u001f\ufffd-\uffff]/u.test(s));
    const count = fc.nat(10_000_000);
    const document = fc
      .record({ size: fc.integer({ min: 1, max: 4 }), label: text, bound: count, signaling: text, name: text })
      .map(
        ({ size, label, bound, signaling, name }): CpixDocument => ({
          ...EMPTY_CPIX,
          name,
          contentKeys: Array.from({ length: size }, (_, index) => keyAt(index)),
          drmSystems: [{ systemId: kidAt(99), kid: kidAt(0), contentProtectionData: signaling, name: label }],
          usageRules: [{ kid: kidAt(size - 1), labels: [label, signaling], bitrate: [{ minBitrate: bound }] }],
        }),
      );
    fc.assert(
      fc.property(document, (each) => {
        assert.deepEqual(readCpix(writeCpix(each)).document, each);
      }),
    );
  });

  it("encrypts for a recipient, who alone can decrypt", () => {
    const xml = writeCpix(TITLE, { recipients: [alice.certificate] });
    for (const key of TITLE.contentKeys) {
      if (key.value?.kind === "clear") assert.ok(!xml.includes(Buffer.from(key.value.bytes).toString("base64")));
    }
    assert.equal(readCpix(xml).document.contentKeys[0]?.value?.kind, "encrypted");
    const { document } = readCpix(xml, { privateKey: alice.privateKey });
    assert.deepEqual(document.contentKeys, TITLE.contentKeys);
    assert.deepEqual(readCpix(writeCpix(TITLE), { privateKey: alice.privateKey }).document, TITLE);
    assert.throws(() => writeCpix(TITLE, { recipients: [] }), /no recipient/);
  });

  it("notices a changed ciphertext by its MAC, and only when it decrypts", () => {
    const xml = writeCpix(TITLE, { recipients: [alice.certificate] });
    const values = [...xml.matchAll(/<enc:CipherValue>([A-Za-z0-9+/=]{64})<\/enc:CipherValue>/gu)].map(
      (match) => match[1] ?? "",
    );
    assert.equal(values.length, 4);
    const [first = ""] = values;
    const changed = xml.replace(first, (first.startsWith("A") ? "B" : "A") + first.slice(1));
    assert.doesNotThrow(() => readCpix(changed));
    assert.throws(() => readCpix(changed, { privateKey: alice.privateKey }), /the MAC of key .* is wrong/);
  });

  it("signs lists and the document, in both hashes, and notices every change", () => {
    const trust = (certificate: X509Certificate): boolean => certificate.raw.equals(alice.certificate);
    const xml = writeCpix(TITLE, {
      signers: [signerOf("document"), signerOf("ContentKeyList", "sha256"), signerOf("DRMSystemList")],
    });
    const { signatures, document } = readCpix(xml, { trust, requiredSignatures: ["document", "ContentKeyList"] });
    assert.deepEqual(
      signatures.map(({ target }) => target).sort(),
      ["ContentKeyList", "DRMSystemList", "document"].sort(),
    );
    assert.deepEqual(document, TITLE);
    assert.throws(() => readCpix(xml.replace('maxPixels="589824"', 'maxPixels="589825"')), /document is wrong/);
    assert.throws(() => readCpix(xml.replace(kidAt(1), kidAt(9))), /is wrong/);
    const list = writeCpix(TITLE, { signers: [signerOf("ContentKeyList")] });
    // The rules are not covered by the list's signature, so that they may change; the keys are covered.
    assert.doesNotThrow(() => readCpix(list.replace('maxPixels="589824"', 'maxPixels="589000"')));
    assert.throws(() => readCpix(list.replace(kidAt(1), kidAt(9))), /ContentKeyList is wrong/);
    assert.throws(() => writeCpix(TITLE, { signers: [signerOf("document"), signerOf("document")] }), /as a whole once/);
    const impostor = testIdentity("mallory", 3072);
    assert.throws(
      () => writeCpix(TITLE, { signers: [{ ...signerOf("document"), privateKey: impostor.privateKey }] }),
      /not of its private key/,
    );
  });

  it("refuses signatures of other forms: wrapped, moved, doubled, weak", () => {
    const xml = writeCpix(TITLE, { signers: [signerOf("ContentKeyList")] });
    const list = /<ContentKeyList id="ContentKeyList">.*<\/ContentKeyList>/u.exec(xml)?.[0] ?? "";
    assert.ok(list);
    // The signed list is moved into an extension, and another one takes its place: the classic wrapping attack.
    const other = list.replace(' id="ContentKeyList"', "").replace(kidAt(4), kidAt(9));
    const wrapped = xml.replace(list, `${other}<x:e xmlns:x="urn:x">${list}</x:e>`);
    assert.throws(() => readCpix(wrapped), /neither the document nor one of its lists/);
    const doubled = xml.replace(list, `${list}<x:e xmlns:x="urn:x" ID="ContentKeyList"/>`);
    assert.throws(() => readCpix(doubled), /not one element/);
    const signature = /<Signature .*<\/Signature>/u.exec(xml)?.[0] ?? "";
    const moved = xml.replace(signature, `<x:e xmlns:x="urn:x">${signature}</x:e>`);
    assert.throws(() => readCpix(moved), /inside of another element/);
    for (const [from, to] of [
      ["xmldsig-more#rsa-sha512", "xmldsig-more#hmac-sha512"],
      ["xmldsig-more#rsa-sha512", "xmldsig#rsa-sha1"],
      ["xmlenc#sha512", "xmldsig#sha1"],
      ["REC-xml-c14n-20010315", "REC-xslt-19991116"],
      ['URI="#ContentKeyList"', 'URI="#nothing"'],
      ['URI="#ContentKeyList"', 'URI=""'],
      ['URI="#ContentKeyList"', "URI=\"#x' or '1'='1\""],
    ] as const) {
      assert.notEqual(xml.replace(from, to), xml);
      assert.throws(() => readCpix(xml.replace(from, to)), FormatError, to);
    }
    const weak = testIdentity("weak", 2048);
    assert.throws(() => writeCpix(TITLE, { signers: [{ ...weak, target: "document" }] }), /2048 bits/);
  });

  it("names everything that is wrong between the parts of a document", () => {
    const wrong: readonly (readonly [RegExp, Partial<CpixDocument>])[] = [
      [/kid .* stands twice/, { contentKeys: [keyAt(1), keyAt(1)] }],
      [/15 bytes/, { contentKeys: [{ kid: kidAt(1), value: { kind: "clear", bytes: new Uint8Array(15) } }] }],
      [/not a UUID/, { contentKeys: [{ kid: "KID" }] }],
      [/IV of key/, { contentKeys: [{ ...keyAt(1), explicitIv: new Uint8Array(8) }] }],
      [/depends on/, { contentKeys: [{ ...keyAt(1), dependsOnKey: kidAt(2) }] }],
      [
        /no recipient/,
        {
          contentKeys: [
            { kid: kidAt(1), value: { kind: "encrypted", cipherValue: new Uint8Array(48), mac: new Uint8Array(64) } },
          ],
        },
      ],
      [/usage rule names key/, { usageRules: [{ kid: kidAt(1) }] }],
      [/DRM system names key/, { drmSystems: [{ systemId: kidAt(1), kid: kidAt(1) }] }],
      [
        /DRM system .* stands twice/,
        {
          contentKeys: [keyAt(1)],
          drmSystems: [
            { systemId: kidAt(2), kid: kidAt(1) },
            { systemId: kidAt(2), kid: kidAt(1) },
          ],
        },
      ],
      [/names period "p"/, { contentKeys: [keyAt(1)], usageRules: [{ kid: kidAt(1), periodIds: ["p"] }] }],
      [
        /reversed/,
        { contentKeys: [keyAt(1)], usageRules: [{ kid: kidAt(1), video: [{ minPixels: 2, maxPixels: 1 }] }] },
      ],
      [/no limit/, { contentKeys: [keyAt(1)], usageRules: [{ kid: kidAt(1), bitrate: [{ minBitrate: -1 }] }] }],
      [/neither an index/, { periods: [{ id: "p" }] }],
      [/ends before/, { periods: [{ start: "2026-01-02T00:00:00Z", end: "2026-01-01T00:00:00Z" }] }],
      [/no xs:dateTime/, { updateHistory: [{ updateVersion: 1, index: "1", source: "s", date: "yesterday" }] }],
      [/id "a" stands twice/, { id: "a", periods: [{ id: "a", index: 1 }] }],
      [/not an XML name/, { id: "1 a" }],
    ];
    for (const [finding, changes] of wrong) {
      const document = { ...EMPTY_CPIX, ...changes };
      assert.match(checkCpix(document).join("; "), finding);
      assert.throws(() => writeCpix(document), finding);
    }
    assert.deepEqual(checkCpix(TITLE), []);
    assert.deepEqual(checkCpix(WITH_PERIODS), []);
  });

  it("refuses elements and values that would change the meaning if they were passed over", () => {
    const xml = writeCpix(TITLE);
    const cases: readonly (readonly [string | RegExp, string])[] = [
      ["<AudioFilter/>", "<LanguageFilter/>"],
      ["<AudioFilter/>", '<x:f xmlns:x="urn:x"/>'],
      ['maxPixels="589824"', 'maxPixels="many"'],
      ['hdr="false"', 'hdr="maybe"'],
      [/<pskc:PlainValue>[^<]*/u, "<pskc:PlainValue>!!!!"],
      ["urn:dashif:org:cpix", "urn:another"],
      ["<DRMSystemList>", "<DRMSystems>"],
      [/ kid="[^"]*"/u, ""],
      ['playlist="master"', 'playlist="media"'],
      ["</CPIX>", "<ContentKeyList/></CPIX>"],
      ["</CPIX>", "<Extra/></CPIX>"],
    ];
    for (const [from, to] of cases) {
      assert.notEqual(xml.replace(from, to), xml, String(from));
      assert.throws(() => readCpix(xml.replace(from, to)), FormatError, to);
    }
  });

  it("finds the key of a track by the rules", () => {
    const kidOf = (track: Parameters<typeof contentKeyFor>[1]): string => contentKeyFor(TITLE, track).kid;
    assert.equal(kidOf({ kind: "audio", channels: 2 }), kidAt(1));
    assert.equal(kidOf({ kind: "video", pixels: 640 * 360 }), kidAt(2));
    assert.equal(kidOf({ kind: "video", pixels: 1024 * 576 }), kidAt(2));
    assert.equal(kidOf({ kind: "video", pixels: 1920 * 1080 }), kidAt(3));
    const uhd = {
      kind: "video",
      pixels: 3840 * 2160,
      fps: 25,
      isWcg: true,
      bitrateBps: 12_000_000,
      labels: ['main <&> "quoted"\ttab'],
    } as const;
    assert.equal(kidOf(uhd), kidAt(4));
    assert.throws(() => kidOf({ ...uhd, fps: 10 }), /no usage rule/);
    assert.throws(() => kidOf({ ...uhd, labels: [] }), /no usage rule/);
    assert.throws(() => kidOf({ kind: "video" }), /no usage rule/);
    const both = { ...TITLE, usageRules: [{ kid: kidAt(1) }, { kid: kidAt(2) }] };
    assert.throws(() => contentKeyFor(both, { kind: "audio" }), /both apply/);
    assert.equal(contentKeyFor(WITH_PERIODS, { kind: "video", periodId: "second" }).kid, kidAt(2));
  });

  it("fuzz: a document with any bytes changed is read or fails with a FormatError", () => {
    const bytes = Buffer.from(writeCpix(TITLE));
    const edit = fc.record({ at: fc.nat(bytes.length - 1), cut: fc.nat(20), put: fc.uint8Array({ maxLength: 8 }) });
    const markup = fc
      .constantFrom("<", ">", "&", "</", "<!--", "]]>", '"', "&#0;", "<![CDATA[", "<?x", "xmlns=''")
      .map((s) => Buffer.from(s));
    fc.assert(
      fc.property(edit, fc.option(markup), ({ at, cut, put }, text) => {
        const changed = Buffer.concat([bytes.subarray(0, at), text ?? put, bytes.subarray(at + cut)]);
        try {
          readCpix(changed);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("xml from outside", () => {
  it("fuzz: any text is a document or a FormatError", () => {
    const token = fc.constantFrom(
      "<a>",
      "</a>",
      "<a/>",
      "<b x='1'",
      ' y="2"',
      ">",
      "text",
      "&amp;",
      "&x;",
      "&#x41;",
      "<!--c-->",
      "<![CDATA[d]]>",
      "<?p i?>",
      "<!DOCTYPE a>",
      "\u0000",
      "ü",
      "<xml:a>",
      "<p:a>",
      " xmlns:p='u'",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 10 }), (tokens) => {
        try {
          parseXml(tokens.join(""));
        } catch (error) {
          assert.ok(error instanceof FormatError, `${tokens.join("")}: ${String(error)}`);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it("keeps its limits, and refuses every document type", () => {
    assert.throws(() => parseXml(`${"<a>".repeat(33)}${"</a>".repeat(33)}`), /deeper than 32/);
    assert.throws(() => parseXml(`<a>${"<b/>".repeat(60_000)}</a>`), /50000 elements/);
    assert.throws(() => parseXml("<a/>", { bytesMax: 3 }), /over 3/);
    assert.throws(
      () => parseXml(`<a ${Array.from({ length: 65 }, (_, index) => `x${index}=""`).join(" ")}/>`),
      /64 attributes/,
    );
    assert.throws(() => parseXml('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'), /document type/);
    assert.equal(parseXml("<a>&lt;&#x41;&amp;</a>").documentElement?.textContent, "<A&");
  });

  const hostile = join(testData ?? "", "hostile", "xml");
  const skipHostile =
    testData !== undefined && existsSync(hostile) ? false : "MARQUEE_TESTDATA has no hostile/xml folder";
  it("withstands the hostile files as is expected", { skip: skipHostile }, () => {
    const expected: Readonly<Record<string, readonly string[] | string>> = JSON.parse(
      readFileSync(join(hostile, "EXPECTED.json"), "utf8"),
    );
    const read = (name: string): string =>
      parseXml(readFileSync(join(hostile, name))).documentElement?.textContent?.trim() ?? "";
    const refused = [
      "must_reject_or_not_expand",
      "must_not_read_file_or_network",
      "must_not_crash_stack",
      "not_well_formed",
    ];
    for (const group of refused) {
      for (const name of expected[group] ?? []) assert.throws(() => read(name), FormatError, name);
    }
    for (const name of expected["must_parse_to_Zürich"] ?? []) assert.equal(read(name), "Zürich", name);
    assert.equal(read("declared-latin1-but-utf8.xml"), "ZÃ¼rich");
    assert.equal(read("cdata-end-in-text.xml"), "a ]]> b");
  });
});

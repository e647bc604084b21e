import assert from "node:assert/strict";
import { createHash, createPublicKey, createSecretKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CAT } from "@eyevinn/cat";
import fc from "fast-check";
import { type CborValue, decode, encode } from "#media/cbor";
import { COSE_ALGORITHMS, type CoseVerify, signMessage } from "#media/cose";
import { nodeSigner, nodeVerifier } from "#media/cose/node";
import { FormatError } from "#media/format";
import { fromBase64url, toBase64url } from "./base64url.ts";
import {
  type CatClaims,
  type CatRequest,
  type CatVerdict,
  decodeClaims,
  encodeClaims,
  type MatchRule,
  parseNetwork,
  renewalDue,
  renewalField,
  renewedClaims,
  signToken,
  TOKEN_LENGTH_MAX,
  type UriPart,
  type ValidateOptions,
  validate,
} from "./index.ts";
import { isInNetwork, networkFromCbor, networkToCbor, parseIp } from "./ip.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const kid = Buffer.from("cat-2026-w47");
const algorithm = COSE_ALGORITHMS.ES256;
const sign = nodeSigner({ kid, algorithm, key: privateKey });
const verify = nodeVerifier([{ kid, algorithm, key: publicKey }]);
const NOW_S = 1_795_000_000;

const uri = (rules: Partial<Record<UriPart, MatchRule>>): ReadonlyMap<UriPart, MatchRule> =>
  new Map(Object.entries(rules) as [UriPart, MatchRule][]);

const CLAIMS: CatClaims = {
  iss: "marquee",
  sub: "u_7Qm1x0pW9vK2",
  exp: NOW_S + 300,
  iat: NOW_S,
  cti: Uint8Array.from({ length: 16 }, (_, index) => index),
  catnip: [parseNetwork("192.0.2.0/24"), parseNetwork("2001:db8::/32")],
  catu: uri({
    host: { exact: "edge-a.example" },
    port: { exact: "8443" },
    path: { prefix: "/vod/0f8fad5b-d9cb-469f-a165-70867728950e/" },
  }),
  catr: { type: "automatic", expaddS: 300, deadlineS: 60 },
  sid: "0196f1c2-5a3e-7d1b-9f00-3b1c8d2e4f5a",
  cid: "0f8fad5b-d9cb-469f-a165-70867728950e",
};
const REQUEST: CatRequest = {
  method: "GET",
  url: {
    scheme: "https",
    host: "edge-a.example",
    port: 8443,
    path: "/vod/0f8fad5b-d9cb-469f-a165-70867728950e/v1/seg-1.m4s",
  },
  ip: "192.0.2.77",
};
const OPTIONS: ValidateOptions = { verify, nowS: NOW_S + 10, issuer: "marquee" };

const at = (url: Partial<CatRequest["url"]>): CatRequest => ({ ...REQUEST, url: { ...REQUEST.url, ...url } });

async function judge(
  changes: CatClaims,
  request: CatRequest = REQUEST,
  options: Partial<ValidateOptions> = {},
): Promise<CatVerdict> {
  const token = await signToken({ ...CLAIMS, ...changes }, { kid, sign });
  return validate(token, request, { ...OPTIONS, ...options });
}

function reasonOf(verdict: CatVerdict): string {
  return verdict.ok ? "ok" : verdict.reason;
}

describe("cat claims", () => {
  it("survive their encoding, all of them, in the deterministic form", () => {
    const all: CatClaims = {
      ...CLAIMS,
      aud: ["one", "two"],
      nbf: NOW_S - 1,
      cnf: new Map([[3, randomBytes(32)]]),
      geohash: "u6sc",
      catreplay: 1,
      catpor: [0.25, "list"],
      catv: 1,
      catnip: [...(CLAIMS.catnip ?? []), parseNetwork("198.51.100.7"), 64_496],
      catu: uri({
        scheme: { exact: "https" },
        host: { suffix: ".example" },
        port: { exact: "443" },
        path: { prefix: "/a", suffix: "z", contains: "m", regex: "^/a.*z$" },
        query: { exact: "a=b" },
        "parent-path": { sha256: createHash("sha256").update("x").digest() },
        filename: { sha512_256: createHash("sha512-256").update("x").digest() },
        stem: { prefix: "s" },
        extension: { exact: ".m4s" },
      }),
      catm: ["GET", "HEAD"],
      catalpn: [Buffer.from("h2")],
      cath: new Map([["user-agent", { contains: "TV" }]]),
      catgeoiso3166: ["SE", "NO"],
      catgeocoord: [59.5, 18.25, 1000],
      catgeoalt: [10, 5],
      cattpk: randomBytes(32),
      catifdata: ["a"],
      catdpop: new Map([[0, 300]]),
      catif: new Map([[4, { status: 302, headers: new Map([["Location", "https://login.example/"]]), kid: "k" }]]),
      catr: {
        type: "redirect",
        expaddS: 60,
        deadlineS: 30,
        cookieName: "c",
        headerName: "h",
        cookieParams: ["Secure"],
        headerParams: ["p"],
        status: 307,
      },
      others: new Map([["x-private", 1]]),
    };
    const bytes = encodeClaims(all);
    const plain = (claims: CatClaims): string =>
      Buffer.from(encode(Object.entries(claims).map(([name, value]) => [name, valueOf(value)]))).toString("hex");
    const sorted = (claims: CatClaims): CatClaims =>
      Object.fromEntries(Object.entries(claims).sort(([a], [b]) => a.localeCompare(b)));
    assert.equal(plain(sorted(decodeClaims(bytes))), plain(sorted(all)));
    assert.doesNotThrow(() => decode(bytes, { deterministic: true }));
    assert.doesNotThrow(() => decode(encodeClaims(CLAIMS), { deterministic: true }));
  });

  it("refuses a claim of another shape, and rules that say nothing", () => {
    const wrong: readonly [number, CborValue][] = [
      [1, 5],
      [4, "soon"],
      [4, Number.NaN],
      [7, "text"],
      [308, -1],
      [310, "1"],
      [311, []],
      [311, ["10.0.0.0/8"]],
      [311, [{ tag: 52, value: new Uint8Array(5) }]],
      [311, [{ tag: 52, value: [33, new Uint8Array(4)] }]],
      [312, new Map()],
      [312, new Map([[9, new Map([[0, "x"]])]])],
      [312, new Map([[1, new Map()]])],
      [312, new Map([[1, new Map([[7, "x"]])]])],
      [312, new Map([[1, new Map([[4, ["a", "i"]]])]])],
      [312, new Map([[1, new Map([[-1, new Uint8Array(31)]])]])],
      [313, "GET"],
      [315, new Map([[1, new Map([[0, "a"]])]])],
      [322, new Map([["a", [302, new Map([["a", "b"]])]]])],
      [
        323,
        new Map([
          [0, 9],
          [1, 60],
        ]),
      ],
      [323, new Map([[0, 0]])],
    ];
    for (const [label, value] of wrong) {
      assert.throws(() => decodeClaims(encode(new Map([[label, value]]))), FormatError, `${label}`);
    }
    assert.throws(() => encodeClaims({ catu: uri({ host: {} }) }), /would match everything/);
    assert.throws(() => encodeClaims({ iss: "x".repeat(5000) }), /longer than 4096/);
    assert.throws(() => decodeClaims(encode(["iss"])), FormatError);
  });

  it("fuzz: any bytes are claims or a FormatError", () => {
    const label = fc.constantFrom(
      1,
      2,
      3,
      4,
      7,
      8,
      282,
      308,
      309,
      310,
      311,
      312,
      313,
      315,
      316,
      320,
      322,
      323,
      -65_537,
    );
    const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.integer({ min: -3, max: 60 }),
        fc.string({ maxLength: 4 }),
        fc.uint8Array({ maxLength: 5 }),
        fc.array(tie("value"), { maxLength: 3 }),
        fc
          .array(fc.tuple(fc.integer({ min: -3, max: 9 }), tie("value")), { maxLength: 3 })
          .map((list) => new Map(list)),
        fc.record({ tag: fc.constantFrom(52, 54, 259), value: tie("value") }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(fc.tuple(label, value), { maxLength: 3 }), (entries) => {
        let claims: CatClaims;
        try {
          claims = decodeClaims(encode(new Map(entries)));
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
          return;
        }
        assert.deepEqual(decodeClaims(encodeClaims(claims)), claims);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeClaims(bytes);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
    );
  });
});

/** Maps and records as CBOR values, so that two claim sets compare by their encoding. */
function valueOf(value: unknown): CborValue {
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key as CborValue, valueOf(item)]));
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value as CborValue;
  if (Array.isArray(value)) return value.map(valueOf);
  return new Map(Object.entries(value).map(([key, item]) => [key, valueOf(item)]));
}

describe("cat tokens", () => {
  it("is accepted where it is meant to be, and is under 600 bytes", async () => {
    const token = await signToken(CLAIMS, { kid, sign });
    assert.ok(token.length < 600, `${token.length} characters`);
    assert.match(token, /^[A-Za-z0-9_-]+$/u);
    const verdict = await validate(token, REQUEST, OPTIONS);
    assert.ok(verdict.ok);
    assert.equal(verdict.claims.sid, CLAIMS.sid);
    assert.equal(verdict.claims.cid, CLAIMS.cid);
    assert.equal(reasonOf(await validate(token, { ...REQUEST, ip: "::ffff:192.0.2.1" }, OPTIONS)), "ok");
    assert.equal(reasonOf(await validate(token, { ...REQUEST, ip: "2001:db8::1" }, OPTIONS)), "ok");
    assert.equal(reasonOf(await validate(token, at({ host: "EDGE-A.example" }), OPTIONS)), "ok");
  });

  it("is refused elsewhere, with the reason", async () => {
    const cases: readonly (readonly [string, CatClaims, CatRequest, Partial<ValidateOptions>])[] = [
      ["expired", {}, REQUEST, { nowS: NOW_S + 300 }],
      ["expired", { exp: 0 }, REQUEST, {}],
      ["not_yet_valid", { nbf: NOW_S + 60 }, REQUEST, {}],
      ["issuer", { iss: "someone" }, REQUEST, {}],
      ["audience", { aud: ["b"] }, REQUEST, { audience: "a" }],
      ["audience", { aud: ["b"] }, REQUEST, {}],
      ["version", { catv: 2 }, REQUEST, {}],
      ["url", {}, at({ host: "127.0.0.1" }), {}],
      ["url", {}, at({ port: 443 }), {}],
      ["url", {}, at({ path: "/vod/another/v1/seg-1.m4s" }), {}],
      ["url", {}, at({ path: "/vod/0f8fad5b-d9cb-469f-a165-70867728950e/../another/seg.m4s" }), {}],
      ["url", {}, at({ path: "/vod/0f8fad5b-d9cb-469f-a165-70867728950e/%2e%2E/another/seg.m4s" }), {}],
      ["url", {}, at({ path: "/vod/0f8fad5b-d9cb-469f-a165-70867728950e/.%2e%2fanother" }), {}],
      ["url", {}, at({ path: "/vod/0f8fad5b-d9cb-469f-a165-70867728950e/..\\another" }), {}],
      ["ip", {}, { ...REQUEST, ip: "192.0.3.1" }, {}],
      ["ip", {}, { method: "GET", url: REQUEST.url }, {}],
      ["ip", {}, { ...REQUEST, ip: "not an address" }, {}],
      ["ip", { catnip: [64_496] }, { ...REQUEST, asn: 64_497 }, {}],
      ["method", { catm: ["GET"] }, { ...REQUEST, method: "POST" }, {}],
      ["header", { cath: new Map([["x-device", { exact: "tv" }]]) }, REQUEST, {}],
      [
        "header",
        { cath: new Map([["x-device", { exact: "tv" }]]) },
        { ...REQUEST, headers: { "x-device": "web" } },
        {},
      ],
      ["place", { catgeoiso3166: ["SE"] }, REQUEST, {}],
      ["place", { catgeoiso3166: ["SE"] }, { ...REQUEST, places: ["NO", "NO-03"] }, {}],
      ["url", { catu: uri({ extension: { exact: ".mp4" } }) }, REQUEST, {}],
      ["url", { catu: uri({ path: { regex: "^/live/" } }) }, REQUEST, {}],
      ["url", { catu: uri({ path: { prefix: "/vod/", suffix: ".mpd" } }) }, REQUEST, {}],
      ["unsupported_claim", { catu: uri({ path: { regex: "(?=x)" } }) }, REQUEST, {}],
      ["unsupported_claim", { catu: uri({ path: { sha256: randomBytes(32) } }) }, REQUEST, {}],
      ["unsupported_claim", { catreplay: 1 }, REQUEST, {}],
      ["unsupported_claim", { catpor: [0.5, "x"] }, REQUEST, {}],
      ["unsupported_claim", { cnf: new Map([[3, randomBytes(32)]]) }, REQUEST, {}],
      ["unsupported_claim", { catdpop: new Map([[0, 1]]) }, REQUEST, {}],
      ["unsupported_claim", { geohash: "u6sc" }, REQUEST, {}],
      ["unsupported_claim", { cattpk: randomBytes(32) }, REQUEST, {}],
      ["unsupported_claim", { others: new Map([[324, []]]) }, REQUEST, {}],
      ["rejected", { catreplay: 1 }, REQUEST, { evaluate: { catreplay: () => false } }],
      ["algorithm", {}, REQUEST, { algorithms: [COSE_ALGORITHMS["HMAC 256/256"]] }],
      ["signature", {}, REQUEST, { verify: nodeVerifier([]) }],
    ];
    for (const [reason, changes, request, options] of cases) {
      assert.equal(
        reasonOf(await judge(changes, request, options)),
        reason,
        JSON.stringify([reason, request.url.path]),
      );
    }
  });

  it("is accepted when each limit holds", async () => {
    const digest: ValidateOptions["digest"] = (name, bytes) =>
      createHash(name === "SHA-256" ? "sha256" : "sha512-256")
        .update(bytes)
        .digest();
    const path = { sha256: createHash("sha256").update(REQUEST.url.path).digest() };
    const cases: readonly (readonly [CatClaims, CatRequest, Partial<ValidateOptions>])[] = [
      [{ catm: ["GET"], catv: 1, catreplay: 0 }, REQUEST, {}],
      [{}, REQUEST, { nowS: NOW_S + 303, clockToleranceS: 5 }],
      [{ nbf: NOW_S + 12 }, REQUEST, { clockToleranceS: 5 }],
      [{ aud: ["a", "b"] }, REQUEST, { audience: "b" }],
      [{ cath: new Map([["x-device", { prefix: "t" }]]) }, { ...REQUEST, headers: { "x-device": "tv" } }, {}],
      [{ catgeoiso3166: ["se-ab"] }, { ...REQUEST, places: ["SE", "SE-AB"] }, {}],
      [{ catnip: [64_496] }, { ...REQUEST, asn: 64_496 }, {}],
      [
        {
          catu: uri({ path, filename: { exact: "seg-1.m4s" }, stem: { contains: "-" }, extension: { exact: ".m4s" } }),
        },
        REQUEST,
        { digest },
      ],
      [{ catu: uri({ "parent-path": { suffix: "/v1" }, query: { exact: "" } }) }, REQUEST, {}],
      [{ catreplay: 1 }, REQUEST, { evaluate: { catreplay: () => true } }],
      [{ catu: uri({ path: { regex: "^/vod/[0-9a-f-]{36}/v[0-9]+/seg-[0-9]+\\.m4s$" } }) }, REQUEST, {}],
    ];
    for (const [changes, request, options] of cases) {
      assert.equal(reasonOf(await judge(changes, request, options)), "ok", JSON.stringify(Object.keys(changes)));
    }
  });

  it("refuses tokens that are not tokens", async () => {
    const good = await signToken(CLAIMS, { kid, sign });
    const wrongKind = await signMessage(encodeClaims(CLAIMS), { kind: "mac0", algorithm, kid, sign });
    for (const [token, reason] of [
      ["", "malformed"],
      ["not a token!", "malformed"],
      ["A".repeat(TOKEN_LENGTH_MAX + 1), "malformed"],
      [good.slice(0, -8), "malformed"],
      [`${good.slice(0, -4)}AAAA`, "signature"],
      [toBase64url(wrongKind), "algorithm"],
      [toBase64url(await signMessage(Buffer.from("text"), { kind: "sign1", algorithm, kid, sign })), "malformed"],
    ] as const) {
      assert.equal(reasonOf(await validate(token, REQUEST, OPTIONS)), reason, token.slice(0, 20));
    }
    const everlasting = await signToken({ iss: "marquee" }, { kid, sign });
    assert.equal(reasonOf(await validate(everlasting, REQUEST, OPTIONS)), "expired");
    assert.equal(reasonOf(await validate(everlasting, REQUEST, { ...OPTIONS, isExpiryOptional: true })), "ok");
    await assert.rejects(signToken({ iss: "x".repeat(3500) }, { kid, sign }), /limit is 4096/);
  });

  it("property: no changed character is accepted as another token", async () => {
    const token = await signToken(CLAIMS, { kid, sign });
    const chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...chars), async (index, char) => {
        fc.pre(token[index] !== char);
        const changed = token.slice(0, index) + char + token.slice(index + 1);
        assert.notEqual(reasonOf(await validate(changed, REQUEST, OPTIONS)), "ok");
      }),
    );
  });

  it("passes verify the key identifier, and hands back what catif asks for", async () => {
    const seen: string[] = [];
    const spy: CoseVerify = (id, ...rest) => {
      seen.push(Buffer.from(id ?? []).toString());
      return verify(id, ...rest);
    };
    const action = { status: 302, headers: new Map([["Location", "https://login.example/"]]) };
    const verdict = await judge({ catif: new Map([[4, action]]) }, REQUEST, { verify: spy, nowS: NOW_S + 400 });
    assert.ok(!verdict.ok);
    assert.deepEqual(verdict.action, action);
    assert.deepEqual(seen, ["cat-2026-w47"]);
  });

  it("accepts the keys of this week and of the last one", async () => {
    const old = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const oldKid = Buffer.from("cat-2026-w46");
    const both = nodeVerifier([
      { kid, algorithm, key: publicKey },
      { kid: oldKid, algorithm, key: old.publicKey },
    ]);
    const oldToken = await signToken(CLAIMS, {
      kid: oldKid,
      sign: nodeSigner({ kid: oldKid, algorithm, key: old.privateKey }),
    });
    assert.equal(reasonOf(await validate(oldToken, REQUEST, { ...OPTIONS, verify: both })), "ok");
    assert.equal(reasonOf(await validate(oldToken, REQUEST, OPTIONS)), "signature");
    const forged = await signToken(CLAIMS, { kid, sign: nodeSigner({ kid, algorithm, key: old.privateKey }) });
    assert.equal(reasonOf(await validate(forged, REQUEST, { ...OPTIONS, verify: both })), "signature");
  });
});

describe("cat renewal", () => {
  it("is due from the deadline until the expiry, and keeps the limits", () => {
    assert.equal(renewalDue(CLAIMS, NOW_S + 239), false);
    assert.equal(renewalDue(CLAIMS, NOW_S + 240), true);
    assert.equal(renewalDue(CLAIMS, NOW_S + 300), false);
    const renewed = renewedClaims(CLAIMS, NOW_S + 250, Uint8Array.of(1));
    assert.deepEqual(renewed, { ...CLAIMS, cti: Uint8Array.of(1), iat: NOW_S + 250, exp: NOW_S + 550 });
    assert.equal(renewedClaims({ exp: NOW_S + 1 }, NOW_S, Uint8Array.of(1)), undefined);
  });

  it("goes back the way the token came, and writes no other header", () => {
    const automatic = { type: "automatic", expaddS: 1, cookieParams: ["Secure", "Path=/"] } as const;
    assert.deepEqual(renewalField(automatic, "cookie", "T"), {
      kind: "field",
      name: "Set-Cookie",
      value: "CTA-Common-Access-Token=T; Secure; Path=/",
    });
    assert.deepEqual(renewalField(automatic, "header", "T"), {
      kind: "field",
      name: "CTA-Common-Access-Token",
      value: "T",
    });
    assert.deepEqual(renewalField(automatic, "query", "T"), { kind: "redirect", status: 302 });
    assert.throws(
      () => renewalField({ ...automatic, cookieParams: ["a\r\nSet-Cookie: b"] }, "cookie", "T"),
      FormatError,
    );
    assert.throws(() => renewalField({ ...automatic, cookieName: "a=b" }, "cookie", "T"), FormatError);
    assert.throws(() => renewalField({ type: "redirect", expaddS: 1, status: 200 }, "query", "T"), FormatError);
  });
});

describe("cat networks and base64url", () => {
  it("parses addresses and prefixes, and refuses look-alikes", () => {
    assert.deepEqual(
      parseIp("2001:db8::192.0.2.1"),
      Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]),
    );
    for (const text of [
      "",
      "1.2.3",
      "1.2.3.256",
      "01.2.3.4",
      "::1::",
      ":::",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "g::",
      "1.2.3.4:80",
    ]) {
      assert.equal(parseIp(text), undefined, text);
    }
    assert.throws(() => parseNetwork("10.0.0.0/33"), FormatError);
    assert.throws(() => parseNetwork("10.0.0.0/8/8"), FormatError);
    const network = parseNetwork("10.128.0.0/9");
    assert.equal(isInNetwork(Uint8Array.of(10, 200, 1, 1), network), true);
    assert.equal(isInNetwork(Uint8Array.of(10, 1, 1, 1), network), false);
  });

  it("property: a network survives CBOR and holds the addresses that share its prefix", () => {
    const bytes = fc.constantFrom(4, 16).chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));
    fc.assert(
      fc.property(bytes, fc.nat(128), fc.nat(127), (address, bits, flipped) => {
        const prefixBits = Math.min(bits, address.length * 8);
        const network = networkFromCbor(networkToCbor({ address, prefixBits }));
        assert.equal(isInNetwork(address, network), true);
        const bit = flipped % (address.length * 8);
        const other = address.slice();
        other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        assert.equal(isInNetwork(other, network), bit >= prefixBits);
      }),
    );
  });

  it("property: base64url is Buffer's, and is read strictly", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = toBase64url(bytes);
        assert.equal(text, Buffer.from(bytes).toString("base64url"));
        assert.deepEqual(fromBase64url(text), bytes);
        assert.deepEqual(fromBase64url(Buffer.from(bytes).toString("base64")), bytes);
      }),
    );
    for (const text of ["A", "AB", "A=", "AA A", "AA\n", "AA===", "é"])
      assert.throws(() => fromBase64url(text), FormatError, text);
  });
});

const testData = process.env["MARQUEE_TESTDATA"];
const vectorFile = join(testData ?? "", "tokens-cmcd", "cat-eyevinn-tokens.json");
const skip = testData !== undefined && existsSync(vectorFile) ? false : "MARQUEE_TESTDATA has no tokens-cmcd folder";

describe("cat beside another implementation", () => {
  const secret = Buffer.from("403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388", "hex");
  const macKey = {
    kid: Buffer.from("Symmetric256"),
    algorithm: COSE_ALGORITHMS["HMAC 256/256"],
    key: createSecretKey(secret),
  };

  it("verifies and judges its published tokens", { skip }, async () => {
    const { tokens }: { tokens: readonly { token: string; payload_is_text: boolean }[] } = JSON.parse(
      readFileSync(vectorFile, "utf8"),
    );
    const isText = tokens.filter((vector) => vector.payload_is_text).map((vector) => vector.token);
    const [akamai, audience, withUri, renewable] = tokens
      .filter((each) => !each.payload_is_text)
      .map((each) => each.token);
    assert.ok(akamai && audience && withUri && renewable);
    const mac = { algorithm: macKey.algorithm, key: macKey.key };
    const verifyAll = nodeVerifier([macKey, { ...mac, kid: Buffer.from("akamai_key_hs256") }]);
    const judgeAt = async (
      token: string,
      nowS: number,
      changes: Partial<ValidateOptions> = {},
      url = {},
    ): Promise<string> =>
      reasonOf(
        await validate(token, at({ host: "h", path: "/content/path/file.m3u8", ...url }), {
          verify: verifyAll,
          nowS,
          issuer: undefined,
          algorithms: [COSE_ALGORITHMS["HMAC 256/256"], COSE_ALGORITHMS["HMAC 256/64"], COSE_ALGORITHMS.ES256],
          ...changes,
        }),
      );

    // An old form whose payload is text; COSE has a byte string there (RFC 9052, section 4.1).
    assert.equal(isText.length, 3);
    for (const token of isText) assert.equal(await judgeAt(token, NOW_S), "malformed");

    assert.equal(await judgeAt(akamai, 1_742_200_000), "ok");
    assert.equal(await judgeAt(akamai, 1_963_080_379), "expired");
    assert.equal(await judgeAt(akamai, 1_742_161_067), "not_yet_valid");
    assert.equal(await judgeAt(akamai, 1_742_200_000, { verify: nodeVerifier([macKey]) }), "signature");
    assert.equal(await judgeAt(akamai, 1_742_200_000, { algorithms: [COSE_ALGORITHMS.ES256] }), "algorithm");

    assert.equal(await judgeAt(audience, NOW_S, { audience: "two" }), "expired");
    assert.equal(await judgeAt(audience, NOW_S, { audience: "two", isExpiryOptional: true }), "ok");
    assert.equal(await judgeAt(audience, NOW_S, { audience: "three", isExpiryOptional: true }), "audience");

    // Its kid stands under the text "4", so that there is none: only a verifier with a single key tries it.
    const single = { verify: nodeVerifier([macKey]), isExpiryOptional: true, issuer: "eyevinn" };
    assert.equal(await judgeAt(withUri, NOW_S, { isExpiryOptional: true }), "signature");
    assert.equal(await judgeAt(withUri, NOW_S, single), "ok");
    assert.equal(await judgeAt(withUri, NOW_S, { ...single, issuer: "marquee" }), "issuer");
    for (const url of [{ path: "/other/file.m3u8" }, { path: "/content/file.mpd" }, { scheme: "http" }]) {
      assert.equal(await judgeAt(withUri, NOW_S, single, url), "url");
    }

    assert.equal(await judgeAt(renewable, 1_747_983_250, { issuer: "eyevinn" }), "ok");
    assert.equal(await judgeAt(renewable, 1_747_983_301, { issuer: "eyevinn" }), "expired");
  });

  it("issues MACed tokens that it accepts, and accepts its", async () => {
    const other = new CAT({ keys: { Symmetric256: secret }, expectCwtTag: true });
    const url = new URL("https://edge-a.example:8443/vod/x/v1/seg-1.m4s");
    const claims: CatClaims = {
      iss: "marquee",
      exp: Math.floor(Date.now() / 1000) + 300,
      catu: uri({
        scheme: { exact: "https" },
        host: { exact: "edge-a.example" },
        port: { exact: "8443" },
        path: { prefix: "/vod/x/" },
        extension: { exact: ".m4s" },
      }),
      catnip: [parseNetwork("192.0.2.9")],
      catr: { type: "header", expaddS: 60, deadlineS: 10 },
    };
    const token = await signToken(claims, { kid: macKey.kid, algorithm: macKey.algorithm, sign: nodeSigner(macKey) });
    const accepted = await other.validate(token, "mac", { issuer: "marquee", url, ip: "192.0.2.9" });
    assert.equal(accepted.error, undefined);
    assert.equal(accepted.cat?.claims.iss, "marquee");
    const refused = await other.validate(token, "mac", {
      issuer: "marquee",
      url: new URL("https://edge-b.example/vod/x/a.m4s"),
      ip: "192.0.2.9",
    });
    assert.ok(refused.error);

    const issued = await other.generateFromJson(
      {
        iss: "marquee",
        exp: NOW_S + 300,
        cti: "00ff",
        catnip: ["192.0.2.0/24", "2001:db8::/32", 64_496],
        catu: { path: { "prefix-match": "/vod/" }, host: { "regex-match": ["^edge-[ab]\\.example$"] } },
        catm: ["GET"],
        catr: { type: "cookie", expadd: 60, deadline: 10, "cookie-params": ["Secure"] },
      },
      { type: "mac", alg: "HS256", kid: "Symmetric256" },
    );
    assert.ok(issued);
    const options = { ...OPTIONS, verify: nodeVerifier([macKey]), algorithms: [macKey.algorithm] };
    const verdict = await validate(issued, REQUEST, options);
    assert.equal(reasonOf(verdict), "ok");
    assert.deepEqual(verdict.claims?.catr, { type: "cookie", expaddS: 60, deadlineS: 10, cookieParams: ["Secure"] });
    assert.equal(reasonOf(await validate(issued, at({ host: "edge-c.example" }), options)), "url");
    assert.equal(reasonOf(await validate(issued, { ...REQUEST, ip: "192.0.3.1" }, options)), "ip");
  });

  it("verifies its ES256 key set's public key as a key of the right kind", { skip }, () => {
    const { es256_public: point }: { es256_public: { x: string; y: string } } = JSON.parse(
      readFileSync(vectorFile, "utf8"),
    );
    const part = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");
    const key = createPublicKey({
      format: "jwk",
      key: { kty: "EC", crv: "P-256", x: part(point.x), y: part(point.y) },
    });
    assert.doesNotThrow(() => nodeVerifier([{ kid, algorithm, key }]));
  });
});

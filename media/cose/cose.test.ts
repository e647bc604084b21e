import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, createSecretKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encode } from "#media/cbor";
import { FormatError } from "#media/format";
import { COSE_ALGORITHMS, decodeMessage, signMessage, toBeSigned, verifyMessage } from "./index.ts";
import { type CoseKey, nodeSigner, nodeVerifier } from "./node/index.ts";

const testData = process.env["MARQUEE_TESTDATA"];
const vectorFolder = testData === undefined ? undefined : join(testData, "tokens-cmcd", "cose-wg");
const skip =
  vectorFolder !== undefined && existsSync(vectorFolder)
    ? false
    : "MARQUEE_TESTDATA is not set to a folder with tokens-cmcd/cose-wg";

interface Jwk {
  readonly kty: string;
  readonly kid?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly x_hex?: string;
  readonly y_hex?: string;
  readonly k?: string;
  readonly k_hex?: string;
}
interface VectorBody {
  readonly key?: Jwk;
  readonly external?: string;
  readonly recipients?: readonly { readonly key: Jwk }[];
}
interface Vector {
  readonly title: string;
  readonly fail?: boolean;
  readonly input: { readonly plaintext?: string; readonly sign0?: VectorBody; readonly mac0?: VectorBody };
  readonly intermediates: { readonly ToBeSign_hex?: string; readonly ToMac_hex?: string };
  readonly output: { readonly cbor: string };
}

const base64url = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");
const unhex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

function keysOf(vector: Vector, algorithm: number): CoseKey[] {
  const jwk = vector.input.sign0?.key ?? vector.input.mac0?.recipients?.[0]?.key;
  assert.ok(jwk);
  const kid = Buffer.from(jwk.kid ?? "");
  if (jwk.kty === "EC") {
    const x = jwk.x ?? base64url(jwk.x_hex ?? "");
    const y = jwk.y ?? base64url(jwk.y_hex ?? "");
    const key = createPublicKey({ format: "jwk", key: { kty: "EC", crv: jwk.crv ?? "P-256", x, y } });
    return [{ kid, algorithm: COSE_ALGORITHMS.ES256, key }];
  }
  const secret = jwk.k === undefined ? Buffer.from(jwk.k_hex ?? "", "hex") : Buffer.from(jwk.k, "base64url");
  return [{ kid, algorithm, key: createSecretKey(secret) }];
}

async function isAccepted(vector: Vector): Promise<boolean> {
  try {
    const kind = vector.input.sign0 ? "sign1" : "mac0";
    const message = decodeMessage(unhex(vector.output.cbor), { untaggedKind: kind });
    if (message.kind !== kind || typeof message.algorithm !== "number") return false;
    const external = vector.input.sign0?.external ?? vector.input.mac0?.external;
    const context = external === undefined ? {} : { externalAad: unhex(external) };
    const expected = vector.intermediates.ToBeSign_hex ?? vector.intermediates.ToMac_hex;
    if (vector.fail !== true && expected !== undefined && message.payload !== undefined) {
      const signed = toBeSigned(kind, message.protectedBytes, message.payload, context.externalAad);
      assert.equal(Buffer.from(signed).toString("hex"), expected.toLowerCase());
    }
    const verify = nodeVerifier(keysOf(vector, message.algorithm));
    return await verifyMessage(message, verify, context);
  } catch (error) {
    assert.ok(error instanceof FormatError, String(error));
    return false;
  }
}

/** COSE_Mac, COSE_Sign, COSE_Encrypt0, AES-MAC and ES512: this platform has no use for them, so they must be refused. */
const UNSUPPORTED = /^(?:97|98|16)\(|A1010F|A1013823/u;

describe("cose", () => {
  it("accepts and refuses the cose-wg vectors as they are marked", { skip }, async () => {
    let accepted = 0;
    let refused = 0;
    for (const folder of readdirSync(vectorFolder ?? "", { withFileTypes: true })) {
      if (!folder.isDirectory()) continue;
      for (const file of readdirSync(join(vectorFolder ?? "", folder.name))) {
        const vector: Vector & { output: { cbor_diag: string } } = JSON.parse(
          readFileSync(join(vectorFolder ?? "", folder.name, file), "utf8"),
        );
        const isUnsupported = UNSUPPORTED.test(vector.output.cbor_diag);
        const expected = vector.fail !== true && !isUnsupported;
        assert.equal(await isAccepted(vector), expected, `${folder.name}/${file}: ${vector.title}`);
        if (expected) accepted += 1;
        else refused += 1;
      }
    }
    assert.ok(accepted >= 9 && refused >= 9, `${accepted} accepted, ${refused} refused`);
  });

  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const secret = createSecretKey(Buffer.alloc(32, 7));
  const kid = Buffer.from("2026-w47");
  const algorithms = [
    { kind: "sign1", algorithm: COSE_ALGORITHMS.ES256, signing: privateKey, verifying: publicKey },
    { kind: "mac0", algorithm: COSE_ALGORITHMS["HMAC 256/256"], signing: secret, verifying: secret },
    { kind: "mac0", algorithm: COSE_ALGORITHMS["HMAC 256/64"], signing: secret, verifying: secret },
  ] as const;

  it("verifies what it signed, and nothing else", async () => {
    for (const { kind, algorithm, signing, verifying } of algorithms) {
      const sign = nodeSigner({ kid, algorithm, key: signing });
      const verify = nodeVerifier([{ kid, algorithm, key: verifying }]);
      const payload = Buffer.from("payload");
      const bytes = await signMessage(payload, { kind, algorithm, kid, sign });
      const message = decodeMessage(bytes);
      assert.equal(message.isAlgorithmProtected, true);
      assert.equal(await verifyMessage(message, verify), true);
      assert.equal(await verifyMessage(message, verify, { externalAad: Buffer.from("x") }), false);
      const stranger = nodeVerifier([{ kid: Buffer.from("other"), algorithm, key: verifying }]);
      assert.equal(await verifyMessage(message, stranger), false);
      const detached = await signMessage(undefined, { kind, algorithm, kid, sign, detachedPayload: payload });
      assert.equal(await verifyMessage(decodeMessage(detached), verify, { detachedPayload: payload }), true);
      await assert.rejects(verifyMessage(decodeMessage(detached), verify), /detached/);
    }
  });

  it("property: no changed bit verifies", async () => {
    const algorithm = COSE_ALGORITHMS["HMAC 256/256"];
    const sign = nodeSigner({ kid, algorithm, key: secret });
    const verify = nodeVerifier([{ kid, algorithm, key: secret }]);
    const bytes = await signMessage(Buffer.from("payload"), { kind: "mac0", algorithm, kid, sign });
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const changed = bytes.slice();
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        try {
          assert.equal(await verifyMessage(decodeMessage(changed), verify), false);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
    );
  });

  it("fuzz: any bytes are a message or a FormatError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(0, 0xd1, 0xd2), (bytes, tag) => {
        try {
          decodeMessage(tag === 0 ? bytes : Uint8Array.from([tag, 0x84, ...bytes]));
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses headers that are critical and unknown, doubled, or not maps", () => {
    const message = (protectedHeader: unknown, unprotected: Map<number, Uint8Array | number | number[]>): Uint8Array =>
      encode({ tag: 18, value: [protectedHeader as Uint8Array, unprotected, new Uint8Array(), new Uint8Array(64)] });
    const protectedOf = (entries: [number, number | number[]][]): Uint8Array => encode(new Map(entries));
    assert.throws(
      () =>
        decodeMessage(
          message(
            protectedOf([
              [1, -7],
              [2, [99]],
              [99, 1],
            ]),
            new Map(),
          ),
        ),
      /99 is not under/,
    );
    assert.throws(() => decodeMessage(message(protectedOf([[1, -7]]), new Map([[1, -7]]))), /both headers/);
    assert.throws(() => decodeMessage(message(protectedOf([[1, -7]]), new Map([[2, [1]]]))), /not protected/);
    assert.throws(() => decodeMessage(message(encode([1]), new Map())), /not a map/);
    assert.throws(() => decodeMessage(message("text", new Map())), /not a byte string/);
    assert.throws(() => decodeMessage(encode([new Uint8Array(), new Map(), null, new Uint8Array()])), /no tag/);
  });

  it("keeps keys to their algorithm", async () => {
    assert.throws(() => nodeSigner({ kid, algorithm: COSE_ALGORITHMS.ES256, key: secret }), /does not fit/);
    assert.throws(
      () => nodeVerifier([{ kid, algorithm: COSE_ALGORITHMS["HMAC 256/256"], key: publicKey }]),
      FormatError,
    );
    const p384 = createPrivateKey(
      generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ type: "pkcs8", format: "pem" }),
    );
    assert.throws(() => nodeSigner({ kid, algorithm: COSE_ALGORITHMS.ES256, key: p384 }), /does not fit/);
    const sign = nodeSigner({ kid, algorithm: COSE_ALGORITHMS.ES256, key: privateKey });
    await assert.rejects(
      signMessage(Buffer.from("x"), { kind: "mac0", algorithm: COSE_ALGORITHMS["HMAC 256/64"], kid, sign }),
      /not for algorithm 4/,
    );
  });
});

/**
 * `sign` and `verify` for COSE on node:crypto: ES256 (RFC 9053, section 2.1: the signature is r || s) and HMAC
 * (section 3.1). Keys are KeyObjects that are made once; each belongs to one algorithm, so that a public key can
 * never serve as a MAC secret.
 */
import { createHmac, type KeyObject, sign as signBytes, timingSafeEqual, verify as verifyBytes } from "node:crypto";
import { FormatError } from "#media/format";
import { COSE_ALGORITHMS, type CoseSign, type CoseVerify } from "../index.ts";

export interface CoseKey {
  readonly kid: Uint8Array;
  readonly algorithm: number;
  /** ES256: a P-256 key, private to sign. HMAC: a secret. */
  readonly key: KeyObject;
}

const HMACS: ReadonlyMap<number, { readonly hash: string; readonly tagBytes: number }> = new Map([
  [COSE_ALGORITHMS["HMAC 256/64"], { hash: "sha256", tagBytes: 8 }],
  [COSE_ALGORITHMS["HMAC 256/256"], { hash: "sha256", tagBytes: 32 }],
  [COSE_ALGORITHMS["HMAC 384/384"], { hash: "sha384", tagBytes: 48 }],
  [COSE_ALGORITHMS["HMAC 512/512"], { hash: "sha512", tagBytes: 64 }],
]);
const ES256_SIGNATURE_BYTES = 64;

function checkKey({ algorithm, key }: CoseKey): void {
  const isEcdsa = algorithm === COSE_ALGORITHMS.ES256;
  if (!isEcdsa && !HMACS.has(algorithm)) throw new FormatError("cose", `algorithm ${algorithm} is not supported`);
  const isRight = isEcdsa
    ? key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1"
    : key.type === "secret";
  if (!isRight) throw new FormatError("cose", `a key does not fit its algorithm (${algorithm})`);
}

function mac(algorithm: number, key: KeyObject, bytes: Uint8Array): Uint8Array {
  const hmac = HMACS.get(algorithm);
  if (hmac === undefined) throw new FormatError("cose", `algorithm ${algorithm} is not an HMAC`);
  return createHmac(hmac.hash, key).update(bytes).digest().subarray(0, hmac.tagBytes);
}

/** A `sign` for one key. It throws FormatError when asked for another algorithm. */
export function nodeSigner(key: CoseKey): CoseSign {
  checkKey(key);
  // The options object is made once: crypto.sign reads it without copying.
  const ecdsa = { key: key.key, dsaEncoding: "ieee-p1363" } as const;
  return (_kid, algorithm, bytes) => {
    if (algorithm !== key.algorithm) throw new FormatError("cose", `the key is not for algorithm ${algorithm}`);
    return algorithm === COSE_ALGORITHMS.ES256 ? signBytes("sha256", bytes, ecdsa) : mac(algorithm, key.key, bytes);
  };
}

function identifier(kid: Uint8Array): string {
  let text = "";
  for (const byte of kid) text += String.fromCharCode(byte);
  return text;
}

/**
 * A `verify` over a set of keys, such as this week's and last week's. A message without a kid is tried only when
 * there is a single key.
 */
export function nodeVerifier(keys: readonly CoseKey[]): CoseVerify {
  const byKid = new Map(
    keys.map((key) => {
      checkKey(key);
      return [identifier(key.kid), { ...key, ecdsa: { key: key.key, dsaEncoding: "ieee-p1363" } as const }] as const;
    }),
  );
  const single = byKid.size === 1 ? [...byKid.values()][0] : undefined;
  return (kid, algorithm, bytes, signature) => {
    const key = kid === undefined ? single : byKid.get(identifier(kid));
    if (key === undefined || key.algorithm !== algorithm) return false;
    if (algorithm === COSE_ALGORITHMS.ES256) {
      return signature.length === ES256_SIGNATURE_BYTES && verifyBytes("sha256", bytes, key.ecdsa, signature);
    }
    const expected = mac(algorithm, key.key, bytes);
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  };
}

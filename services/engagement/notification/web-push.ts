/**
 * What a push service is sent: a body that only the browser can read (RFC 8291, content coding aes128gcm of RFC 8188), and a proof of who
 * sends it (VAPID, RFC 8292).
 *
 *   body   = salt(16) | record size(4) | 65 | our public key(65) | ciphertext | tag(16)      one record
 *   secret = HKDF(auth, ECDH(ours, theirs), "WebPush: info" 0 theirs ours, 32)
 *   key    = HKDF(salt, secret, "Content-Encoding: aes128gcm" 0, 16), nonce likewise with "nonce", 12
 *   plain  = message | 2
 */
import { createCipheriv, createECDH, createPrivateKey, hkdfSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { problem } from "#kernel";

const POINT_BYTES = 65;
const AUTH_BYTES = 16;
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const RECORD_BYTES = 4_096;
/** What a push service must carry at least (RFC 8030, section 7.2), without what encryption adds. */
export const MESSAGE_BYTES_MAX = 3_993;

/** What a browser gave to be reached by. */
export interface Receiver {
  readonly p256dh: string;
  readonly auth: string;
}

/** One message's own key pair and salt; a test hands over those of the RFC. */
export interface Ephemeral {
  readonly privateKey: Buffer;
  readonly salt: Buffer;
}

const hkdf = (salt: Uint8Array, secret: Uint8Array, info: Uint8Array, bytes: number): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, salt, info, bytes));

/** Bytes of a browser's base64url; `invalid_argument` where their number is wrong. */
function bytesOf(text: string, bytes: number, what: string): Buffer {
  const decoded = /^[A-Za-z0-9_-]{1,200}={0,2}$/.test(text) ? Buffer.from(text, "base64url") : Buffer.alloc(0);
  if (decoded.length !== bytes)
    throw problem.invalid(`${what} is not ${bytes} bytes as base64url: send what the browser's PushSubscription says`);
  return decoded;
}

/** Refuses keys that nothing could be encrypted for. */
export function assertReceiver({ p256dh, auth }: Receiver): void {
  bytesOf(auth, AUTH_BYTES, "auth");
  const point = bytesOf(p256dh, POINT_BYTES, "p256dh");
  const ecdh = createECDH("prime256v1");
  ecdh.generateKeys();
  try {
    ecdh.computeSecret(point);
  } catch {
    throw problem.invalid("p256dh is no point of P-256: send what the browser's PushSubscription says");
  }
}

export function encrypt(message: Buffer, receiver: Receiver, given?: Ephemeral): Buffer {
  if (message.length > MESSAGE_BYTES_MAX)
    throw problem.invalid(`a push message of ${message.length} bytes is longer than ${MESSAGE_BYTES_MAX}`);
  const theirs = bytesOf(receiver.p256dh, POINT_BYTES, "p256dh");
  const ecdh = createECDH("prime256v1");
  if (given) ecdh.setPrivateKey(given.privateKey);
  else ecdh.generateKeys();
  const ours = ecdh.getPublicKey();
  const salt = given?.salt ?? randomBytes(SALT_BYTES);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), theirs, ours]);
  const secret = hkdf(bytesOf(receiver.auth, AUTH_BYTES, "auth"), ecdh.computeSecret(theirs), info, 32);
  const key = hkdf(salt, secret, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
  const nonce = hkdf(salt, secret, Buffer.from("Content-Encoding: nonce\0"), 12);
  const cipher = createCipheriv("aes-128-gcm", key, nonce, { authTagLength: TAG_BYTES });
  const head = Buffer.alloc(SALT_BYTES + 5);
  salt.copy(head);
  head.writeUInt32BE(RECORD_BYTES, SALT_BYTES);
  head[SALT_BYTES + 4] = ours.length;
  const sealed = [cipher.update(message), cipher.update(Buffer.from([2])), cipher.final()];
  return Buffer.concat([head, ours, ...sealed, cipher.getAuthTag()]);
}

/** The key pair that we prove ourselves by. */
export interface VapidKey {
  /** An uncompressed point, base64url. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export function newVapidKey(): { readonly publicKey: string; readonly privateKey: string } {
  const ecdh = createECDH("prime256v1");
  ecdh.generateKeys();
  return {
    publicKey: ecdh.getPublicKey("base64url"),
    // Leading zeros belong to the number.
    privateKey: Buffer.from(ecdh.getPrivateKey("hex").padStart(64, "0"), "hex").toString("base64url"),
  };
}

export function vapidKeyOf(stored: { readonly publicKey: string; readonly privateKey: string }): VapidKey {
  const point = Buffer.from(stored.publicKey, "base64url");
  const jwk = {
    ...{ kty: "EC", crv: "P-256", d: stored.privateKey },
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  return { publicKey: stored.publicKey, privateKey: createPrivateKey({ key: jwk, format: "jwk" }) };
}

const PROOF_S = 12 * 3_600;

/** The Authorization header for a push service. `contact` is where its operator can reach ours: a mailto: or https: address. */
export function vapidHeader(key: VapidKey, endpoint: string, contact: string, nowMs: number): string {
  const claims = { aud: new URL(endpoint).origin, exp: Math.floor(nowMs / 1_000) + PROOF_S, sub: contact };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode({ typ: "JWT", alg: "ES256" })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(input), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  return `vapid t=${input}.${signature.toString("base64url")}, k=${key.publicKey}`;
}

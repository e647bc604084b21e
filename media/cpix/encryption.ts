/**
 * The encryption of content keys (CPIX 2.3, "Key management"): a random document key encrypts the keys (AES-256-CBC), a
 * random MAC key authenticates each encrypted value (HMAC-SHA512), and both go to each recipient under RSA-OAEP.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHmac,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  timingSafeEqual,
  X509Certificate,
} from "node:crypto";
import { FormatError } from "#media/format";
import type { ContentKey, CpixDocument, DeliveryData } from "./model.ts";

const DOCUMENT_KEY_BYTES = 32;
const MAC_KEY_BYTES = 64;
const BLOCK_BYTES = 16;
/** Shorter keys and older digests are refused, for recipients and for signers. */
const RSA_BITS_MIN = 3072;
const WEAK_DIGEST = /(?:sha-?1|md[245])(?![0-9])/iu;

function fail(message: string): never {
  throw new FormatError("cpix", message);
}

/** Parses a certificate and refuses one that is too weak to entrust keys to. */
export function strongCertificate(der: Uint8Array): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    return fail("a certificate is not X.509");
  }
  const { publicKey } = certificate;
  if (publicKey.asymmetricKeyType !== "rsa") return fail("a certificate's key is not RSA");
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < RSA_BITS_MIN) return fail(`a certificate's RSA key has ${bits} bits; ${RSA_BITS_MIN} are the least`);
  if (WEAK_DIGEST.test(certificate.signatureAlgorithm ?? "")) {
    return fail(`a certificate is signed with ${certificate.signatureAlgorithm}; SHA-256 is the least`);
  }
  return certificate;
}

const oaep = (key: KeyObject) => ({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" }) as const;

export interface EncryptOptions {
  /** A source of random bytes, for tests; node:crypto's when absent. */
  readonly random?: (count: number) => Uint8Array;
}

/** Replaces clear keys by encrypted ones for these recipients (X.509, DER). */
export function encryptContentKeys(
  document: CpixDocument,
  recipients: readonly Uint8Array[],
  options: EncryptOptions = {},
): CpixDocument {
  if (recipients.length === 0) return fail("there is no recipient to encrypt for");
  const random = options.random ?? randomBytes;
  const documentKey = random(DOCUMENT_KEY_BYTES);
  const macKey = random(MAC_KEY_BYTES);
  const deliveryData = recipients.map((der): DeliveryData => {
    const { publicKey } = strongCertificate(der);
    return {
      certificate: der,
      documentKey: publicEncrypt(oaep(publicKey), documentKey),
      macKey: publicEncrypt(oaep(publicKey), macKey),
    };
  });
  const contentKeys = document.contentKeys.map((key): ContentKey => {
    if (key.value === undefined) return key;
    if (key.value.kind === "encrypted") return fail(`key ${key.kid} is encrypted already`);
    const iv = random(BLOCK_BYTES);
    const cipher = createCipheriv("aes-256-cbc", documentKey, iv);
    const cipherValue = Buffer.concat([iv, cipher.update(key.value.bytes), cipher.final()]);
    return { ...key, value: { kind: "encrypted", cipherValue, mac: macOf(macKey, cipherValue) } };
  });
  return { ...document, deliveryData, contentKeys };
}

function macOf(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return createHmac("sha512", key).update(bytes).digest();
}

function decryptOaep(privateKey: KeyObject, bytes: Uint8Array, expectedBytes: number | undefined): Uint8Array {
  let plain: Uint8Array;
  try {
    plain = privateDecrypt(oaep(privateKey), bytes);
  } catch {
    return fail("the document key cannot be decrypted with this private key");
  }
  if (expectedBytes !== undefined && plain.length !== expectedBytes) fail("the document key has a wrong length");
  return plain;
}

/** XML Encryption pads with any bytes and a last one that counts them (section 5.2). */
function withoutPadding(plain: Uint8Array): Uint8Array {
  const padding = plain.at(-1) ?? 0;
  if (padding < 1 || padding > BLOCK_BYTES || padding > plain.length) return fail("an encrypted key has wrong padding");
  return plain.subarray(0, plain.length - padding);
}

/** Replaces encrypted keys by clear ones, with one recipient's private key. Each MAC is checked before decryption. */
export function decryptContentKeys(document: CpixDocument, privateKey: KeyObject): CpixDocument {
  if (!document.contentKeys.some((key) => key.value?.kind === "encrypted")) return document;
  const mine = document.deliveryData.find((data) => strongCertificate(data.certificate).checkPrivateKey(privateKey));
  if (mine === undefined) return fail("the document is not for the holder of this private key");
  if (mine.macKey === undefined) return fail("the document has no MAC key, so that its keys cannot be trusted");
  const documentKey = decryptOaep(privateKey, mine.documentKey, DOCUMENT_KEY_BYTES);
  const macKey = decryptOaep(privateKey, mine.macKey, undefined);
  const contentKeys = document.contentKeys.map((key): ContentKey => {
    if (key.value?.kind !== "encrypted") return key;
    const { cipherValue, mac } = key.value;
    const expected = macOf(macKey, cipherValue);
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) fail(`the MAC of key ${key.kid} is wrong`);
    const decipher = createDecipheriv("aes-256-cbc", documentKey, cipherValue.subarray(0, BLOCK_BYTES));
    decipher.setAutoPadding(false);
    const plain = Buffer.concat([decipher.update(cipherValue.subarray(BLOCK_BYTES)), decipher.final()]);
    return { ...key, value: { kind: "clear", bytes: new Uint8Array(withoutPadding(plain)) } };
  });
  return { ...document, contentKeys };
}

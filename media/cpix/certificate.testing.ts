/** Self-signed X.509 certificates (RFC 5280) for tests, because node:crypto reads certificates and makes none. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

const der = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from(head), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts);
const oid = (hex: string): Uint8Array => der(0x06, Buffer.from(hex, "hex"));
const NULL = der(0x05);
const SIGNATURE_OIDS = {
  sha1: "2a864886f70d010105",
  sha256: "2a864886f70d01010b",
  sha512: "2a864886f70d01010d",
} as const;

export interface TestIdentity {
  readonly privateKey: KeyObject;
  readonly certificate: Uint8Array;
}

export function testIdentity(name: string, bits: number, hash: keyof typeof SIGNATURE_OIDS = "sha512"): TestIdentity {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const algorithm = sequence(oid(SIGNATURE_OIDS[hash]), NULL);
  const subject = sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(name)))));
  const validity = sequence(der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("491231235959Z")));
  const spki = publicKey.export({ type: "spki", format: "der" });
  const body = sequence(der(0x02, Uint8Array.of(1)), algorithm, subject, validity, subject, spki);
  const signature = sign(hash, body, privateKey);
  const certificate = sequence(body, algorithm, der(0x03, Uint8Array.of(0), signature));
  return { privateKey, certificate: new Uint8Array(certificate) };
}

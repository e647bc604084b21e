/**
 * X.509 certificates for an authority of our own, its servers and its peers (RFC 5280), with P-256 keys and ECDSA with SHA-256 (RFC 5758).
 *
 *   Certificate    ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
 *   TBSCertificate ::= SEQUENCE { [0] version, serialNumber INTEGER, signature AlgorithmIdentifier, issuer Name,
 *                                 validity SEQUENCE { notBefore, notAfter }, subject Name,
 *                                 subjectPublicKeyInfo, [3] SEQUENCE OF Extension }
 *   Extension      ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
 */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";

export interface Identity {
  readonly certificatePem: string;
  readonly key: KeyObject;
}

export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A certificate authority of its own. It may sign servers and peers, and no further authorities. */
export function makeAuthority(name: string, validity: Validity): Identity {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const extensions = [
    extension(OID.basicConstraints, true, sequence(TRUE, integer(Buffer.from([0])))),
    // keyCertSign (5) and cRLSign (6).
    extension(OID.keyUsage, true, bits([0x06], 1)),
    extension(OID.subjectKeyIdentifier, false, octets(keyId(publicKey))),
  ];
  const subject = commonName(name);
  return {
    key: privateKey,
    certificatePem: certificate({ subject, issuer: subject, validity, publicKey, extensions, signer: privateKey }),
  };
}

/** A server's certificate for host names and addresses, signed by an authority. */
export const makeServer = (hosts: readonly string[], authority: Identity, validity: Validity): Identity =>
  makeLeaf(
    { name: hosts[0] ?? "localhost", usages: [OID.serverAuth], names: hosts.map(hostName) },
    authority,
    validity,
  );

/** The certificate of a process that calls and is called, named by URIs (RFC 5280, section 4.2.1.6), signed by an authority. */
export const makePeer = (name: string, uris: readonly string[], authority: Identity, validity: Validity): Identity =>
  makeLeaf(
    {
      name,
      usages: [OID.serverAuth, OID.clientAuth],
      names: uris.map((uri) => tagged(0x86, Buffer.from(uri, "ascii"))),
    },
    authority,
    validity,
  );

interface Leaf {
  readonly name: string;
  readonly usages: readonly string[];
  /** GeneralNames. */
  readonly names: readonly Buffer[];
}

function makeLeaf({ name, usages, names }: Leaf, authority: Identity, validity: Validity): Identity {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const extensions = [
    extension(OID.basicConstraints, true, sequence()),
    // digitalSignature (0): all that ECDHE with ECDSA needs.
    extension(OID.keyUsage, true, bits([0x80], 7)),
    extension(OID.extendedKeyUsage, false, sequence(...usages.map(oid))),
    extension(OID.subjectAlternativeName, false, sequence(...names)),
    extension(OID.subjectKeyIdentifier, false, octets(keyId(publicKey))),
    extension(OID.authorityKeyIdentifier, false, sequence(tagged(0x80, keyId(createPublicKey(authority.key))))),
  ];
  const issuer = subjectOf(authority.certificatePem);
  const subject = commonName(name);
  return {
    key: privateKey,
    certificatePem: certificate({ subject, issuer, validity, publicKey, extensions, signer: authority.key }),
  };
}

const OID = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

interface Parts {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly signer: KeyObject;
}

function certificate({ subject, issuer, validity, publicKey, extensions, signer }: Parts): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const signed = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    // 20 octets at most, and positive (section 4.1.2.2).
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    issuer,
    sequence(time(validity.fromMs), time(validity.untilMs)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensions)),
  );
  const der = sequence(signed, algorithm, bits(sign("sha256", signed, signer), 0));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** The subject that a certificate names, byte for byte, as an issuer must repeat it. */
function subjectOf(pem: string): Buffer {
  const { subject } = new X509Certificate(pem);
  const name = /^CN=(.*)$/m.exec(subject)?.[1];
  if (name === undefined)
    throw new Error(`the authority's certificate has the subject '${subject}', which is not one of ours`);
  return commonName(name);
}

/** The leftmost 160 bits of the key's SHA-256 (RFC 7093, method 1). An uncompressed P-256 point ends its key info. */
function keyId(publicKey: KeyObject): Buffer {
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-65);
  return createHash("sha256").update(point).digest().subarray(0, 20);
}

function hostName(host: string): Buffer {
  if (isIPv4(host)) return tagged(0x87, Buffer.from(host.split(".").map(Number)));
  if (isIPv6(host)) return tagged(0x87, ipv6(host));
  return tagged(0x82, Buffer.from(host, "ascii"));
}

function ipv6(text: string): Buffer {
  // The URL parser writes any IPv6 address in its canonical form, without embedded IPv4.
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const words = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  const left = words(head);
  const right = tail === undefined ? [] : words(tail);
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]));
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(isCritical ? [TRUE] : []), octets(value));
}

const commonName = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(oid(OID.commonName), tagged(0x0c, Buffer.from(name, "utf8")))));

/** UTCTime up to 2049, GeneralizedTime from then on (section 4.1.2.5). */
function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;
  return new Date(ms).getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2)))
    : tagged(0x18, Buffer.from(digits));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const base128 = (value: number): number[] => {
    const out = [value & 127];
    for (let high = Math.floor(value / 128); high > 0; high = Math.floor(high / 128)) out.unshift((high & 127) | 128);
    return out;
  };
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

const TRUE = Buffer.from([0x01, 0x01, 0xff]);
const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const octets = (bytes: Buffer): Buffer => tagged(0x04, bytes);
const bits = (bytes: readonly number[] | Buffer, unused: number): Buffer =>
  tagged(0x03, Buffer.concat([Buffer.from([unused]), Buffer.from(bytes)]));

/** Tag, length, value; lengths from 128 on are written with the number of their octets first (X.690, 8.1.3). */
function tagged(tag: number, value: Buffer): Buffer {
  if (value.length < 128) return Buffer.concat([Buffer.from([tag, value.length]), value]);
  const length = [value.length & 255];
  for (let high = value.length >> 8; high > 0; high >>= 8) length.unshift(high & 255);
  return Buffer.concat([Buffer.from([tag, 128 | length.length, ...length]), value]);
}

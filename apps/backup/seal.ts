import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { problem } from "#kernel";
import { readerOf } from "./reader.ts";

/**
 * The outside of a backup: authenticated encryption of a stream, after the STREAM construction (Hoang et al., 2015) as age uses it.
 *
 *     file   = header LF *chunk last
 *     header = JSON {"format": "marquee-backup", "version": 1, "kdf": "scrypt", "n", "r", "p", "salt": base64, "cipher": "aes-256-gcm"}
 *     chunk  = 65,536 bytes of ciphertext, tag of 16 bytes
 *     last   = 0 to 65,536 bytes of ciphertext, tag of 16 bytes
 *
 * The key is scrypt of the passphrase and the salt, which is new for every file. A chunk's nonce is its number in 11 bytes, big-endian, and
 * a byte that is 1 for the last one alone; its additional data are the header. So nothing can be changed, left out, put elsewhere or cut off.
 */
const FORMAT = "marquee-backup";
export const VERSION = 1;
const CHUNK_BYTES = 65_536;
const TAG_BYTES = 16;
const HEADER_BYTES_MAX = 1_024;
/** 128 MB and some tenths of a second, once a file. */
const SCRYPT = { n: 2 ** 17, r: 8, p: 1 } as const;
/** Who can choose these numbers can make us slow, so they are bounded. */
const SCRYPT_N_MAX = 2 ** 20;
export const PASSPHRASE_CHARACTERS_MIN = 16;

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

const keyOf = (passphrase: string, salt: Buffer, { n, r, p }: { n: number; r: number; p: number }): Promise<Buffer> =>
  derive(passphrase, salt, 32, { N: n, r, p, maxmem: 256 * n * r });

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(number), 3);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

export function assertPassphrase(passphrase: string): string {
  if (passphrase.length >= PASSPHRASE_CHARACTERS_MIN) return passphrase;
  throw problem.invalid(
    `the key has ${passphrase.length} characters, and it guards every secret of the product: use at least ${PASSPHRASE_CHARACTERS_MIN}`,
  );
}

/** Encrypts what comes, in chunks that have come whole. */
export async function* seal(plain: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Buffer> {
  const salt = randomBytes(16);
  const about = { format: FORMAT, version: VERSION, kdf: "scrypt", ...SCRYPT, salt: salt.toString("base64") };
  const header = Buffer.from(`${JSON.stringify({ ...about, cipher: "aes-256-gcm" })}\n`);
  const key = await keyOf(assertPassphrase(passphrase), salt, SCRYPT);
  yield header;
  const source = readerOf(plain);
  for (let number = 0, isLast = false; !isLast; number += 1) {
    const chunk = await source.upTo(CHUNK_BYTES);
    isLast = await source.isAtEnd();
    const cipher = createCipheriv("aes-256-gcm", key, nonceOf(number, isLast)).setAAD(header);
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  }
}

/** Decrypts a file. Rejects with what is wrong with it: another format, a newer one, the wrong key, damage. */
export async function* unseal(file: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Buffer> {
  const source = readerOf(file);
  const { line, salt, costs } = parseHeader(await source.line(HEADER_BYTES_MAX));
  const key = await keyOf(passphrase, salt, costs);
  for (let number = 0, isLast = false; !isLast; number += 1) {
    const sealed = await source.upTo(CHUNK_BYTES + TAG_BYTES);
    isLast = await source.isAtEnd();
    if (sealed.length < TAG_BYTES) throw damaged(number);
    const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(number, isLast)).setAAD(line);
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const chunk = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      throw damaged(number);
    }
    yield chunk;
  }
}

function parseHeader(line: Buffer | undefined): {
  line: Buffer;
  salt: Buffer;
  costs: { n: number; r: number; p: number };
} {
  const header = line === undefined ? undefined : readJson(line);
  if (line === undefined || header?.["format"] !== FORMAT)
    throw problem.invalid("this is no backup of Marquee: its first line is another one", { reason: "no_backup" });
  if (header["version"] !== VERSION)
    throw problem.precondition(
      `the backup has format ${String(header["version"])}, and this Marquee reads ${VERSION}: restore it with a newer one`,
      { reason: "newer_backup" },
    );
  const { n, r, p, salt } = header;
  const isCost = (value: unknown, max: number): value is number => Number.isInteger(value) && Number(value) <= max;
  if (typeof salt !== "string" || !isCost(n, SCRYPT_N_MAX) || !isCost(r, 16) || !isCost(p, 4)) throw damaged(0);
  return { line, salt: Buffer.from(salt, "base64"), costs: { n, r, p } };
}

function readJson(line: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The first chunk says the same for a wrong key and for a damaged beginning: nobody can tell them apart. */
function damaged(number: number): Error {
  const text =
    number === 0
      ? "the backup cannot be decrypted: the key is another one, or the file is damaged at its beginning"
      : `the backup is damaged or cut off after ${number} chunks of ${CHUNK_BYTES} bytes: use another copy`;
  return problem.invalid(text, { reason: number === 0 ? "wrong_key" : "damaged_backup" });
}

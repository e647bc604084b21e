/** Unique programme identifiers of segments (ANSI/SCTE 35 2023, table 22), by type and in the form in which people know them. */
import { fail, fromHex, toHex } from "./bits.ts";
import type { Upid } from "./model.ts";

export type UpidMeaning =
  | { readonly kind: "none" }
  /** Characters: Ad-ID, ISCI, TID, ADI, ADS information, URI, SCR and user defined. */
  | { readonly kind: "text"; readonly name: string; readonly text: string }
  | { readonly kind: "eidr"; readonly name: string; readonly text: string }
  | { readonly kind: "uuid"; readonly name: string; readonly text: string }
  | { readonly kind: "number"; readonly name: string; readonly value: bigint }
  | { readonly kind: "mpu"; readonly name: string; readonly formatIdentifier: string; readonly privateHex: string }
  | {
      readonly kind: "atsc";
      readonly name: string;
      readonly tsid: number;
      readonly endOfDay: number;
      readonly uniqueFor: number;
      readonly contentId: string;
    }
  | { readonly kind: "multiple"; readonly name: string; readonly upids: readonly Upid[] }
  /** UMID, ISAN and types of later editions. */
  | { readonly kind: "bytes"; readonly name: string; readonly bytesHex: string };

/** Name and, where the table fixes it, size in bytes. */
const TYPES: Readonly<
  Record<number, { readonly name: string; readonly kind: UpidMeaning["kind"]; readonly sizeBytes?: number }>
> = {
  0x00: { name: "Not Used", kind: "none", sizeBytes: 0 },
  0x01: { name: "User Defined", kind: "text" },
  0x02: { name: "ISCI", kind: "text", sizeBytes: 8 },
  0x03: { name: "Ad-ID", kind: "text", sizeBytes: 12 },
  0x04: { name: "UMID", kind: "bytes", sizeBytes: 32 },
  0x05: { name: "ISAN", kind: "bytes", sizeBytes: 8 },
  0x06: { name: "ISAN", kind: "bytes", sizeBytes: 12 },
  0x07: { name: "TID", kind: "text", sizeBytes: 12 },
  0x08: { name: "TI", kind: "number", sizeBytes: 8 },
  0x09: { name: "ADI", kind: "text" },
  0x0a: { name: "EIDR", kind: "eidr", sizeBytes: 12 },
  0x0b: { name: "ATSC Content Identifier", kind: "atsc" },
  0x0c: { name: "MPU", kind: "mpu" },
  0x0d: { name: "MID", kind: "multiple" },
  0x0e: { name: "ADS Information", kind: "text" },
  0x0f: { name: "URI", kind: "text" },
  0x10: { name: "UUID", kind: "uuid", sizeBytes: 16 },
  0x11: { name: "SCR", kind: "text" },
};

export const upidName = (type: number): string => TYPES[type]?.name ?? `type 0x${type.toString(16).padStart(2, "0")}`;

/** What a UPID means. Throws FormatError where its bytes are not of its type; the splice that carries it is none the worse. */
export function readUpid(upid: Upid): UpidMeaning {
  const bytes = fromHex(upid.bytesHex);
  const type = TYPES[upid.type];
  const name = upidName(upid.type);
  if (type === undefined) return { kind: "bytes", name, bytesHex: toHex(bytes) };
  if (type.sizeBytes !== undefined && type.sizeBytes !== bytes.length)
    throw fail(`a UPID ${name} has ${type.sizeBytes} bytes, not ${bytes.length}`);
  switch (type.kind) {
    case "none":
      return { kind: "none" };
    case "text":
      return { kind: "text", name, text: textOf(bytes) };
    case "number":
      return { kind: "number", name, value: BigInt(`0x${toHex(bytes)}`) };
    case "eidr":
      return { kind: "eidr", name, text: eidrOf(bytes) };
    case "uuid":
      return { kind: "uuid", name, text: toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") };
    case "mpu":
      if (bytes.length < 4)
        throw fail(`a UPID ${name} begins with an identifier of four bytes; it has ${bytes.length}`);
      return {
        kind: "mpu",
        name,
        formatIdentifier: textOf(bytes.subarray(0, 4)),
        privateHex: toHex(bytes.subarray(4)),
      };
    case "atsc":
      return atscOf(name, bytes);
    case "multiple":
      return { kind: "multiple", name, upids: partsOf(bytes) };
    case "bytes":
      return { kind: "bytes", name, bytesHex: toHex(bytes) };
  }
}

const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** The compact binary form of a DOI 10.5240/…: a prefix of 16 bits and 80 bits of suffix, whose check character is computed. */
function eidrOf(bytes: Uint8Array): string {
  const prefix = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const digits = toHex(bytes.subarray(2)).toUpperCase();
  return `10.${prefix}/${digits.match(/.{4}/g)?.join("-") ?? ""}-${checkCharacter(digits)}`;
}

/** ISO/IEC 7064, MOD 37,36. */
function checkCharacter(digits: string): string {
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  let sum = 36;
  for (const digit of digits) {
    const added = (sum + alphabet.indexOf(digit)) % 36;
    sum = ((added === 0 ? 36 : added) * 2) % 37;
  }
  return alphabet[(37 - sum) % 36] ?? "";
}

/** ATSC A/57B: TSID(16) · reserved(2) end_of_day(5) unique_for(9) · content_id. */
function atscOf(name: string, bytes: Uint8Array): UpidMeaning {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  if (bytes.length < 4) throw fail(`a UPID ${name} has at least 4 bytes, not ${bytes.length}`);
  return {
    ...{ kind: "atsc", name, tsid: (a << 8) | b, endOfDay: (c >> 1) & 0x1f, uniqueFor: ((c & 1) << 8) | d },
    contentId: textOf(bytes.subarray(4)),
  };
}

/** A MID is a list of UPIDs: type(8) · length(8) · bytes. */
function partsOf(bytes: Uint8Array): Upid[] {
  const parts: Upid[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [type = 0, lengthBytes] = bytes.subarray(at, at + 2);
    if (lengthBytes === undefined || at + 2 + lengthBytes > bytes.length)
      throw fail(`a UPID within a MID runs over its end`, at);
    parts.push({ type, bytesHex: toHex(bytes.subarray(at + 2, at + 2 + lengthBytes)) });
    at += 2 + lengthBytes;
  }
  return parts;
}

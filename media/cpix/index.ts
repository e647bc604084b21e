/**
 * CPIX 2.3 (DASH-IF Content Protection Information Exchange): content keys, what DRM systems need to signal them, and
 * which key encrypts which track.
 *
 *   CPIX = DeliveryDataList? ContentKeyList? DRMSystemList? ContentKeyPeriodList? ContentKeyUsageRuleList?
 *          UpdateHistoryItemList? ds:Signature*
 *
 * Reading checks form, meaning and every signature; writing checks meaning, encrypts for recipients and signs. XML is
 * bounded and has no document type (media/xml). Nothing here does I/O.
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import { FormatError } from "#media/format";
import { decryptContentKeys, encryptContentKeys } from "./encryption.ts";
import { assertCpix, type CpixDocument } from "./model.ts";
import { LISTS, type ListName } from "./names.ts";
import { readDocument } from "./read.ts";
import {
  type SignatureTarget,
  type Signer,
  signDocument,
  type VerifiedSignature,
  verifySignatures,
} from "./signature.ts";
import { writeDocument } from "./write.ts";
import { decodeXmlText, parseXml } from "#media/xml";

export { decryptContentKeys, encryptContentKeys } from "./encryption.ts";
export type {
  AudioFilter,
  BitrateFilter,
  ContentKey,
  ContentKeyPeriod,
  ContentKeyValue,
  CpixDocument,
  DeliveryData,
  DrmSystem,
  Track,
  UpdateHistoryItem,
  UsageRule,
  VideoFilter,
} from "./model.ts";
export { assertCpix, checkCpix, contentKeyFor, EMPTY_CPIX } from "./model.ts";
export type { ListName } from "./names.ts";
export type { SignatureTarget, Signer, VerifiedSignature } from "./signature.ts";

const BYTES_MAX = 4 << 20;

export interface ReadCpixOptions {
  /** Decrypts the content keys. Without it, encrypted keys stay encrypted. */
  readonly privateKey?: KeyObject;
  /** Says which signers are trusted; needed for `requiredSignatures`. */
  readonly trust?: (certificate: X509Certificate) => boolean;
  /** What a trusted signer must have signed. A signature of the document stands for all of its lists. */
  readonly requiredSignatures?: readonly SignatureTarget[];
}

export interface ReadCpix {
  readonly document: CpixDocument;
  /** All signatures of the document, each of them right. */
  readonly signatures: readonly VerifiedSignature[];
}

/** Reads a document from bytes in any encoding that XML names. Throws FormatError. */
export function readCpix(input: Uint8Array | string, options: ReadCpixOptions = {}): ReadCpix {
  const text = typeof input === "string" ? input : decodeXmlText(input, BYTES_MAX);
  const xml = text.replace(/^\ufeff/u, "");
  const parsed = parseXml(xml, { bytesMax: BYTES_MAX });
  const signatures = verifySignatures(xml, parsed);
  const trusted = new Set(
    signatures.filter(({ certificate }) => options.trust?.(certificate) ?? false).map(({ target }) => target),
  );
  for (const target of options.requiredSignatures ?? []) {
    if (!trusted.has(target) && !trusted.has("document")) {
      throw new FormatError("cpix", `no trusted signer has signed the ${target}`);
    }
  }
  const read = readDocument(parsed);
  assertCpix(read);
  if (options.privateKey === undefined) return { document: read, signatures };
  const document = decryptContentKeys(read, options.privateKey);
  assertCpix(document);
  return { document, signatures };
}

export interface WriteCpixOptions {
  /** Encrypts the content keys for these (X.509, DER). */
  readonly recipients?: readonly Uint8Array[];
  readonly signers?: readonly Signer[];
  /** A source of random bytes for the keys of encryption, for tests; node:crypto's when absent. */
  readonly random?: (count: number) => Uint8Array;
}

/** Writes a document. Lists that are signed get their element's name for an identifier. Throws FormatError. */
export function writeCpix(document: CpixDocument, options: WriteCpixOptions = {}): string {
  const random = options.random === undefined ? {} : { random: options.random };
  const prepared =
    options.recipients === undefined ? document : encryptContentKeys(document, options.recipients, random);
  assertCpix(prepared);
  const signers = options.signers ?? [];
  const signed = LISTS.filter((name) => signers.some((signer) => signer.target === name));
  const listIds: Partial<Record<ListName, string>> = Object.fromEntries(signed.map((name) => [name, name]));
  return signDocument(writeDocument(prepared, listIds), signers);
}

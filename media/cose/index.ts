/**
 * COSE (RFC 9052, RFC 9053): single signatures and MACs.
 *
 *   COSE_Sign1 = #6.18([protected: bstr .cbor header_map, unprotected: header_map, payload: bstr / nil, signature: bstr])
 *   COSE_Mac0  = #6.17([protected: bstr .cbor header_map, unprotected: header_map, payload: bstr / nil, tag: bstr])
 *   Sig_structure = ["Signature1", protected, external_aad, payload]
 *   MAC_structure = ["MAC0", protected, external_aad, payload]
 *
 * The module holds no key and no cryptography: `sign` and `verify` are arguments, so that it runs on node:crypto
 * (`#media/cose/node`), on WebCrypto at an edge, or inside a CDN's function.
 */
import { type CborMap, type CborValue, CborWriter, decode, encode, isArray, isBytes, isMap, isTag } from "#media/cbor";
import { FormatError } from "#media/format";

/** IANA's COSE algorithm numbers that this platform knows by name. */
export const COSE_ALGORITHMS = {
  ES256: -7,
  "HMAC 256/64": 4,
  "HMAC 256/256": 5,
  "HMAC 384/384": 6,
  "HMAC 512/512": 7,
} as const;

export type CoseAlgorithmName = keyof typeof COSE_ALGORITHMS;
export type CoseKind = "sign1" | "mac0";

/** Signs (or MACs) the bytes with the key that `kid` names; `algorithm` is an IANA COSE number. */
export type CoseSign = (
  kid: Uint8Array | undefined,
  algorithm: number,
  toBeSigned: Uint8Array,
) => Uint8Array | Promise<Uint8Array>;

/**
 * Says whether the signature (or MAC) is right. It must answer false for a `kid` it does not know and for an
 * algorithm that is not the key's own, or a public key could be passed off as a MAC key. A MAC is compared in
 * constant time.
 */
export type CoseVerify = (
  kid: Uint8Array | undefined,
  algorithm: number,
  toBeSigned: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>;

export interface CoseMessage {
  readonly kind: CoseKind;
  /** The tags in front of the message, outermost first; a CWT has 61 (RFC 8392, section 6). */
  readonly tags: readonly number[];
  readonly protectedBytes: Uint8Array;
  readonly protectedHeader: CborMap;
  readonly unprotectedHeader: CborMap;
  /** Undefined when the payload is detached. */
  readonly payload: Uint8Array | undefined;
  readonly signature: Uint8Array;
  readonly algorithm: number | string | undefined;
  /** Whether the algorithm stands in the protected header, where a middleman cannot change it. */
  readonly isAlgorithmProtected: boolean;
  readonly kid: Uint8Array | undefined;
}

export interface CoseDecodeOptions {
  readonly bytesMax?: number;
  /** What an untagged message is; without it, a message must carry its tag (RFC 9052, section 2). */
  readonly untaggedKind?: CoseKind;
}

export interface CoseContext {
  readonly externalAad?: Uint8Array;
  readonly detachedPayload?: Uint8Array;
}

const HEADER = { algorithm: 1, critical: 2, kid: 4 } as const;
/** The labels a `crit` header may name here: those that the module itself acts on (RFC 9052, section 3.1). */
const UNDERSTOOD_LABELS: ReadonlySet<CborValue> = new Set([HEADER.algorithm, HEADER.critical, HEADER.kid]);
const TAG = { mac0: 17, sign1: 18, cwt: 61 } as const;
const BYTES_MAX = 64 * 1024;
const DEPTH_MAX = 16;
const EMPTY = new Uint8Array();

function fail(message: string): never {
  throw new FormatError("cose", message);
}

function unwrapTags(item: CborValue): { tags: number[]; inner: CborValue } {
  const tags: number[] = [];
  let inner = item;
  while (isTag(inner)) {
    tags.push(Number(inner.tag));
    inner = inner.value;
  }
  return { tags, inner };
}

function kindOf(tags: readonly number[], untaggedKind: CoseKind | undefined): CoseKind {
  const [first, ...rest] = tags[0] === TAG.cwt ? tags.slice(1) : tags;
  if (rest.length > 0) fail(`tags ${tags.join(", ")} do not belong in front of a message`);
  if (first === TAG.sign1) return "sign1";
  if (first === TAG.mac0) return "mac0";
  if (first === undefined && untaggedKind !== undefined) return untaggedKind;
  return fail(first === undefined ? "the message has no tag" : `tag ${first} is neither COSE_Sign1 nor COSE_Mac0`);
}

/** Reads a message and checks its shape, not its signature. Throws FormatError. */
export function decodeMessage(bytes: Uint8Array, options: CoseDecodeOptions = {}): CoseMessage {
  const { tags, inner } = unwrapTags(decode(bytes, { bytesMax: options.bytesMax ?? BYTES_MAX, depthMax: DEPTH_MAX }));
  const kind = kindOf(tags, options.untaggedKind);
  if (!isArray(inner) || inner.length !== 4) return fail("the message is not an array of four");
  const [protectedBytes, unprotectedHeader, payload, signature] = inner;
  if (!isBytes(protectedBytes)) return fail("the protected header is not a byte string");
  if (!isMap(unprotectedHeader)) return fail("the unprotected header is not a map");
  if (payload !== null && !isBytes(payload)) return fail("the payload is neither a byte string nor nil");
  if (!isBytes(signature)) return fail("the signature is not a byte string");
  const protectedHeader = decodeProtected(protectedBytes);
  for (const label of unprotectedHeader.keys()) {
    if (protectedHeader.has(label)) fail(`header ${String(label)} stands in both headers`);
  }
  checkCritical(protectedHeader, unprotectedHeader);
  const isAlgorithmProtected = protectedHeader.has(HEADER.algorithm);
  const algorithm = (isAlgorithmProtected ? protectedHeader : unprotectedHeader).get(HEADER.algorithm);
  if (algorithm !== undefined && typeof algorithm !== "number" && typeof algorithm !== "string") {
    return fail("the algorithm is neither an integer nor a text string");
  }
  const kid = protectedHeader.get(HEADER.kid) ?? unprotectedHeader.get(HEADER.kid);
  if (kid !== undefined && !isBytes(kid)) return fail("the key identifier is not a byte string");
  return {
    kind,
    tags,
    protectedBytes,
    protectedHeader,
    unprotectedHeader,
    payload: payload ?? undefined,
    signature,
    algorithm,
    isAlgorithmProtected,
    kid,
  };
}

function decodeProtected(bytes: Uint8Array): CborMap {
  if (bytes.length === 0) return new Map();
  const header = decode(bytes, { depthMax: DEPTH_MAX });
  return isMap(header) ? header : fail("the protected header is not a map");
}

function checkCritical(protectedHeader: CborMap, unprotectedHeader: CborMap): void {
  if (unprotectedHeader.has(HEADER.critical)) fail("the crit header is not protected");
  if (!protectedHeader.has(HEADER.critical)) return;
  const critical = protectedHeader.get(HEADER.critical);
  if (!isArray(critical) || critical.length === 0) return fail("the crit header is not a list of labels");
  for (const label of critical) {
    if (!UNDERSTOOD_LABELS.has(label)) fail(`critical header ${String(label)} is not understood`);
    if (!protectedHeader.has(label)) fail(`critical header ${String(label)} is absent`);
  }
}

const STRUCTURE_NAMES = { sign1: "Signature1", mac0: "MAC0" } as const;

/** Written synchronously and copied out, so that one buffer serves every call. */
const scratch = new CborWriter(1024, BYTES_MAX * 2);

/** The bytes that are signed (section 4.4) or MACed (section 6.3). The payload is their tail. */
export function toBeSigned(
  kind: CoseKind,
  protectedBytes: Uint8Array,
  payload: Uint8Array,
  externalAad: Uint8Array = EMPTY,
): Uint8Array {
  scratch.reset();
  scratch.array(4);
  scratch.text(STRUCTURE_NAMES[kind]);
  // An empty map and an empty string mean the same; the empty string is what is signed (section 4.4, step 2).
  scratch.byteString(protectedBytes.length === 1 && protectedBytes[0] === 0xa0 ? EMPTY : protectedBytes);
  scratch.byteString(externalAad);
  scratch.byteString(payload);
  return scratch.bytes();
}

/** Verifies a message that was read. False for an algorithm without a number, and whenever `verify` says so. */
export async function verifyMessage(
  message: CoseMessage,
  verify: CoseVerify,
  context: CoseContext = {},
): Promise<boolean> {
  const payload = message.payload ?? context.detachedPayload;
  if (payload === undefined) return fail("the payload is detached and was not given");
  if (message.payload !== undefined && context.detachedPayload !== undefined) fail("there are two payloads");
  if (typeof message.algorithm !== "number") return false;
  const signed = toBeSigned(message.kind, message.protectedBytes, payload, context.externalAad);
  return verify(message.kid, message.algorithm, signed, message.signature);
}

export interface CoseSignOptions extends CoseContext {
  readonly kind: CoseKind;
  readonly algorithm: number;
  /** Written into the protected header, so that it is signed too. */
  readonly kid?: Uint8Array;
  readonly sign: CoseSign;
  /** Puts the CWT tag (61) in front. */
  readonly isCwt?: boolean;
}

/** The protected header {1: algorithm, 4: kid}, in the deterministic form. */
export function protectedHeaderOf(algorithm: number, kid: Uint8Array | undefined): Uint8Array {
  const header = new Map<CborValue, CborValue>([[HEADER.algorithm, algorithm]]);
  if (kid !== undefined) header.set(HEADER.kid, kid);
  return encode(header);
}

/** Writes a tagged message: what was signed, and its signature. */
export function writeMessage(
  writer: CborWriter,
  kind: CoseKind,
  protectedBytes: Uint8Array,
  payload: Uint8Array | undefined,
  signature: Uint8Array,
  isCwt: boolean,
): void {
  if (isCwt) writer.tag(TAG.cwt);
  writer.tag(TAG[kind]);
  writer.array(4);
  writer.byteString(protectedBytes);
  writer.map(0);
  if (payload === undefined) writer.value(null);
  else writer.byteString(payload);
  writer.byteString(signature);
}

/** Signs (or MACs) a payload. With `detachedPayload`, `payload` is undefined and the message carries nil. */
export async function signMessage(payload: Uint8Array | undefined, options: CoseSignOptions): Promise<Uint8Array> {
  const content = payload ?? options.detachedPayload;
  if (content === undefined || (payload !== undefined && options.detachedPayload !== undefined)) {
    return fail("a message has exactly one payload, its own or a detached one");
  }
  const protectedBytes = protectedHeaderOf(options.algorithm, options.kid);
  const signed = toBeSigned(options.kind, protectedBytes, content, options.externalAad);
  const signature = await options.sign(options.kid, options.algorithm, signed);
  scratch.reset();
  writeMessage(scratch, options.kind, protectedBytes, payload, signature, options.isCwt ?? false);
  return scratch.bytes();
}

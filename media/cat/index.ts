/**
 * Common Access Tokens (CTA-5007-B): issue, validate, renew.
 *
 *   token = base64url( #6.61( COSE_Sign1 / COSE_Mac0 over the claims ) )
 *
 * A token that restricts a request in a way that cannot be judged here is refused (it fails closed). The module holds
 * no key, reads no clock and does no I/O: `sign`, `verify` and the time are arguments.
 */
import { CborWriter } from "#media/cbor";
import {
  COSE_ALGORITHMS,
  type CoseMessage,
  type CoseSign,
  type CoseVerify,
  decodeMessage,
  protectedHeaderOf,
  toBeSigned,
  verifyMessage,
  writeMessage,
} from "#media/cose";
import { FormatError } from "#media/format";
import { fromBase64url, toBase64url } from "./base64url.ts";
import {
  CLAIM_LABELS,
  type CatClaims,
  type CatIfAction,
  type ClaimName,
  decodeClaims,
  encodeClaims,
  writeClaims,
} from "./claims.ts";
import { isInNetwork, parseIp } from "./ip.ts";
import { type Digest, isPlainPath, matchesHeaders, matchesUri, type RequestUrl } from "./match.ts";

export { CLAIM_LABELS, decodeClaims, encodeClaims } from "./claims.ts";
export type { CatClaims, CatIfAction, CatRenewal, ClaimName, MatchRule, UriPart } from "./claims.ts";
export { type IpNetwork, parseNetwork } from "./ip.ts";
export type { Digest, RequestUrl } from "./match.ts";
export { compileRegex } from "./regex.ts";
export { renewalDue, renewalField, renewedClaims } from "./renewal.ts";

/** CTA-5007-B, section 4.3.1: no token is longer than this, in characters. */
export const TOKEN_LENGTH_MAX = 4096;

export interface TokenIssuerOptions {
  readonly kid: Uint8Array;
  readonly sign: CoseSign;
  /** An IANA COSE number; ES256 when absent. MACs are written as COSE_Mac0. */
  readonly algorithm?: number;
}

/**
 * Makes a function that issues tokens with one key. What does not change from token to token, such as the protected
 * header, is made once.
 */
export function tokenIssuer(options: TokenIssuerOptions): (claims: CatClaims) => Promise<string> {
  const algorithm = options.algorithm ?? COSE_ALGORITHMS.ES256;
  const kind = algorithm === COSE_ALGORITHMS.ES256 ? "sign1" : "mac0";
  const protectedBytes = protectedHeaderOf(algorithm, options.kid);
  return async (claims) => {
    scratch.reset();
    if (claims.others === undefined) writeClaims(scratch, claims);
    else scratch.raw(encodeClaims(claims));
    const payloadBytes = scratch.lengthBytes;
    const signed = toBeSigned(kind, protectedBytes, scratch.view());
    const signature = await options.sign(options.kid, algorithm, signed);
    // Another token may have been written while this one was being signed, so the payload is taken from its copy.
    scratch.reset();
    writeMessage(scratch, kind, protectedBytes, signed.subarray(signed.length - payloadBytes), signature, true);
    const token = toBase64url(scratch.view());
    if (token.length > TOKEN_LENGTH_MAX) {
      throw new FormatError("cat", `the token has ${token.length} characters, the limit is ${TOKEN_LENGTH_MAX}`);
    }
    return token;
  };
}

/** Issues one token. Where many are issued, keep the function that `tokenIssuer` makes. */
export function signToken(claims: CatClaims, options: TokenIssuerOptions): Promise<string> {
  return tokenIssuer(options)(claims);
}

export interface CatRequest {
  readonly method: string;
  readonly url: RequestUrl;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** The client's address, as text. */
  readonly ip?: string;
  /** The client's autonomous system. */
  readonly asn?: number;
  /** Where the client is, as ISO 3166 codes from coarse to fine: ["SE", "SE-AB"]. */
  readonly places?: readonly string[];
}

export type CatFailure =
  | "malformed"
  | "algorithm"
  | "signature"
  | "issuer"
  | "audience"
  | "expired"
  | "not_yet_valid"
  | "version"
  | "unsupported_claim"
  | "ip"
  | "url"
  | "method"
  | "header"
  | "place"
  | "rejected";

export type CatVerdict =
  | { readonly ok: true; readonly claims: CatClaims }
  | {
      readonly ok: false;
      readonly reason: CatFailure;
      /** The claim at fault, where there is one. */
      readonly claim?: string;
      /** Present once the signature held. */
      readonly claims?: CatClaims;
      /** What the token's `catif` asks to answer for this claim. */
      readonly action?: CatIfAction;
    };

/** Claims that restrict and that the request alone cannot settle: they need a store, a proof, or the connection. */
export type EvaluatedClaim =
  | "cnf"
  | "geohash"
  | "catreplay"
  | "catpor"
  | "catalpn"
  | "catgeocoord"
  | "catgeoalt"
  | "cattpk"
  | "catdpop";

export interface ValidateOptions {
  readonly verify: CoseVerify;
  readonly nowS: number;
  /** The only issuer that is accepted; undefined accepts a token of any issuer whose key is known. */
  readonly issuer: string | undefined;
  readonly clockToleranceS?: number;
  /** Who we are. A token with an audience is refused where this is absent or not among it. */
  readonly audience?: string;
  /** COSE algorithms that are accepted; ES256 when absent. */
  readonly algorithms?: readonly number[];
  /** Accept a token that never expires; refused when absent. */
  readonly isExpiryOptional?: boolean;
  readonly digest?: Digest;
  /** Judges of restricting claims. A token with such a claim and no judge here is refused. */
  readonly evaluate?: Readonly<
    Partial<Record<EvaluatedClaim, (claims: CatClaims, request: CatRequest) => boolean | Promise<boolean>>>
  >;
}

/** What judging claims needs once their signature held. */
export type JudgeOptions = Omit<ValidateOptions, "verify" | "algorithms">;

const EVALUATED: readonly EvaluatedClaim[] = [
  "cnf",
  "geohash",
  "catreplay",
  "catpor",
  "catalpn",
  "catgeocoord",
  "catgeoalt",
  "cattpk",
  "catdpop",
];
const CAT_VERSION = 1;
/** Written synchronously and copied out, so that one buffer serves every token. */
const scratch = new CborWriter(2048, TOKEN_LENGTH_MAX * 2);
const DEFAULT_ALGORITHMS: readonly number[] = [COSE_ALGORITHMS.ES256];

type Refusal = { readonly reason: CatFailure; readonly claim?: ClaimName };

/**
 * Says whether the token allows the request. It throws only what `verify`, `digest` or a judge throws; whatever is
 * wrong with the token is in the verdict.
 */
export async function validate(token: string, request: CatRequest, options: ValidateOptions): Promise<CatVerdict> {
  if (token.length > TOKEN_LENGTH_MAX) return { ok: false, reason: "malformed" };
  const message = attempt(() => decodeMessage(fromBase64url(token)));
  if (message?.payload === undefined) return { ok: false, reason: "malformed" };
  if (!isAlgorithmAllowed(message, options.algorithms ?? DEFAULT_ALGORITHMS)) return { ok: false, reason: "algorithm" };
  if (!(await verifyMessage(message, options.verify))) return { ok: false, reason: "signature" };
  const { payload } = message;
  const claims = attempt(() => decodeClaims(payload));
  if (claims === undefined) return { ok: false, reason: "malformed" };
  return validateClaims(claims, request, options);
}

/**
 * The rest of `validate`, for claims whose signature was verified before: a cache that keeps verified claims by the hash of
 * their token judges every request anew, at a tenth of the cost. Claims from anywhere else must not come here.
 */
export async function validateClaims(
  claims: CatClaims,
  request: CatRequest,
  options: JudgeOptions,
): Promise<CatVerdict> {
  const refusal =
    checkToken(claims, options) ??
    checkConnection(claims, request) ??
    (await checkMatches(claims, request, options.digest)) ??
    (await checkEvaluated(claims, request, options));
  if (refusal === undefined) return { ok: true, claims };
  const action = refusal.claim === undefined ? undefined : claims.catif?.get(CLAIM_LABELS[refusal.claim]);
  return { ok: false, ...refusal, claims, ...(action === undefined ? {} : { action }) };
}

/** FormatError is an answer here; anything else is a defect and goes on. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function isAlgorithmAllowed(message: CoseMessage, allowed: readonly number[]): boolean {
  const { algorithm, kind } = message;
  if (typeof algorithm !== "number" || !message.isAlgorithmProtected || !allowed.includes(algorithm)) return false;
  return (algorithm === COSE_ALGORITHMS.ES256) === (kind === "sign1");
}

/** What the token says about itself: its version, issuer, audience and time. */
function checkToken(claims: CatClaims, options: JudgeOptions): Refusal | undefined {
  if (claims.others !== undefined) return { reason: "unsupported_claim" };
  if (claims.catv !== undefined && claims.catv !== CAT_VERSION) return { reason: "version", claim: "catv" };
  if (options.issuer !== undefined && claims.iss !== options.issuer) return { reason: "issuer", claim: "iss" };
  if (claims.aud !== undefined && (options.audience === undefined || !claims.aud.includes(options.audience))) {
    return { reason: "audience", claim: "aud" };
  }
  const toleranceS = options.clockToleranceS ?? 0;
  if (claims.exp === undefined) {
    if (options.isExpiryOptional !== true) return { reason: "expired", claim: "exp" };
  } else if (options.nowS >= claims.exp + toleranceS) {
    return { reason: "expired", claim: "exp" };
  }
  if (claims.nbf !== undefined && options.nowS < claims.nbf - toleranceS) {
    return { reason: "not_yet_valid", claim: "nbf" };
  }
  return undefined;
}

/** What follows from the request's method, address and place. */
function checkConnection(claims: CatClaims, request: CatRequest): Refusal | undefined {
  if (!isPlainPath(request.url.path)) return { reason: "url", claim: "catu" };
  if (claims.catm !== undefined && !claims.catm.includes(request.method)) return { reason: "method", claim: "catm" };
  if (claims.catnip !== undefined && !isNetworkAllowed(claims.catnip, request))
    return { reason: "ip", claim: "catnip" };
  if (claims.catgeoiso3166 === undefined) return undefined;
  const places = new Set(request.places?.map((place) => place.toUpperCase()));
  const isHere = claims.catgeoiso3166.some((code) => places.has(code.toUpperCase()));
  return isHere ? undefined : { reason: "place", claim: "catgeoiso3166" };
}

async function checkEvaluated(
  claims: CatClaims,
  request: CatRequest,
  options: JudgeOptions,
): Promise<Refusal | undefined> {
  for (const claim of EVALUATED) {
    if (claims[claim] === undefined || (claim === "catreplay" && claims.catreplay === 0)) continue;
    const judge = options.evaluate?.[claim];
    if (judge === undefined) return { reason: "unsupported_claim", claim };
    if (!(await judge(claims, request))) return { reason: "rejected", claim };
  }
  return undefined;
}

async function checkMatches(
  claims: CatClaims,
  request: CatRequest,
  digest: Digest | undefined,
): Promise<Refusal | undefined> {
  try {
    if (claims.catu !== undefined) {
      const result = await matchesUri(claims.catu, request.url, digest);
      if (result !== true) return { reason: result === false ? "url" : "unsupported_claim", claim: "catu" };
    }
    if (claims.cath !== undefined) {
      const result = await matchesHeaders(claims.cath, request.headers ?? {}, digest);
      if (result !== true) return { reason: result === false ? "header" : "unsupported_claim", claim: "cath" };
    }
    return undefined;
  } catch (error) {
    // A regular expression outside of what regex.ts can do is a restriction that cannot be judged.
    if (error instanceof FormatError) return { reason: "unsupported_claim" };
    throw error;
  }
}

function isNetworkAllowed(catnip: NonNullable<CatClaims["catnip"]>, request: CatRequest): boolean {
  const address = request.ip === undefined ? undefined : parseIp(request.ip);
  return catnip.some((entry) =>
    typeof entry === "number" ? entry === request.asn : address !== undefined && isInNetwork(address, entry),
  );
}

import { LRUCache } from "lru-cache";
import {
  type CatClaims,
  type CatFailure,
  type CatRequest,
  renewalDue,
  TOKEN_LENGTH_MAX,
  validate,
  validateClaims,
} from "#media/cat";
import type { CoseVerify } from "#media/cose";
import type { KeyStore } from "./keys.ts";

export type Carrier = "query" | "header" | "cookie";

export interface Carried {
  readonly carrier: Carrier;
  readonly token: string;
}

export interface Admission {
  readonly ok: true;
  readonly token: string;
  readonly carrier: Carrier;
  readonly claims: CatClaims;
  readonly isRenewalDue: boolean;
}
export interface Refusal {
  readonly ok: false;
  readonly reason: CatFailure | "missing" | "unknown_key" | "not_ready";
  readonly sessionId?: string;
}

export interface Gate {
  /** Judges the tokens that a request carries; the first good one that has not to be renewed wins, then the first good one. */
  admit(tokens: readonly Carried[], request: CatRequest): Promise<Admission | Refusal>;
}

const VERDICTS_MAX = 20_000;
const VERDICT_CHARS_MAX = 16 * 1024 * 1024;
/** What claims take beside their token. */
const CLAIMS_CHARS = 1_000;
const TOKEN = /^[A-Za-z0-9_-]+$/;

/** A token whose signature was checked: its claims, or why it is bad for good. */
type Known = { readonly claims: CatClaims } | { readonly reason: CatFailure };

/**
 * Enforces Common Access Tokens. The signature is verified once a token; issuer, time, method, host, port and path are judged
 * on every request, so that a verdict never leaks from one path to another.
 */
export function openGate(keys: KeyStore, nowMs: () => number): Gate {
  // By the token as it is: a hash of it would cost as much as all that is judged on every request. Entries need no time of their own:
  // expiry is judged then too, and what is not asked for falls out.
  const known = new LRUCache<string, Known>({
    ...{ max: VERDICTS_MAX, maxSize: VERDICT_CHARS_MAX },
    sizeCalculation: (_, token) => token.length + CLAIMS_CHARS,
  });
  let generation = keys.generation();

  async function verifyOnce(token: string, request: CatRequest): Promise<Known | "unknown_key"> {
    for (let isRetry = false; ; isRetry = true) {
      let isKeyUnknown = false;
      const verify: CoseVerify = (kid, algorithm, bytes, signature) => {
        isKeyUnknown = !keys.has(kid);
        return !isKeyUnknown && keys.verify(kid, algorithm, bytes, signature);
      };
      const options = { verify, nowS: Math.floor(nowMs() / 1_000), issuer: keys.issuer() };
      const verdict = await validate(token, request, options);
      if (isKeyUnknown) {
        // The issuer may have begun to use a new key a moment ago.
        if (isRetry) return "unknown_key";
        await keys.refreshSoon();
        continue;
      }
      const { claims } = verdict;
      const found: Known = claims ? { claims } : { reason: verdict.ok ? "malformed" : verdict.reason };
      // A copy: the token is a piece of a longer address, which would be kept with it.
      known.set(Buffer.from(token, "latin1").toString("latin1"), found);
      return found;
    }
  }

  async function judge({ token, carrier }: Carried, request: CatRequest): Promise<Admission | Refusal> {
    if (token.length > TOKEN_LENGTH_MAX) return { ok: false, reason: "malformed" };
    let verified: Known | "unknown_key" | undefined = known.get(token);
    if (verified === undefined) {
      // What is no base64url cannot be a token, and must not come near a manifest.
      if (!TOKEN.test(token)) return { ok: false, reason: "malformed" };
      verified = await verifyOnce(token, request);
    }
    if (verified === "unknown_key") return { ok: false, reason: "unknown_key" };
    if ("reason" in verified) return { ok: false, reason: verified.reason };
    const nowS = Math.floor(nowMs() / 1_000);
    const verdict = await validateClaims(verified.claims, request, { nowS, issuer: keys.issuer() });
    const { claims } = verified;
    if (!verdict.ok)
      return { ok: false, reason: verdict.reason, ...(claims.sid === undefined ? {} : { sessionId: claims.sid }) };
    return { ok: true, token, carrier, claims, isRenewalDue: renewalDue(claims, nowS) };
  }

  return {
    async admit(tokens, request) {
      // Without an issuer any would do, and without keys nobody can be judged.
      if (keys.issuer() === undefined) await keys.refreshSoon();
      if (keys.issuer() === undefined) return { ok: false, reason: "not_ready" };
      if (generation !== keys.generation()) {
        known.clear();
        generation = keys.generation();
      }
      let best: Admission | Refusal | undefined;
      for (const carried of tokens) {
        const judged = await judge(carried, request);
        if (judged.ok && !judged.isRenewalDue) return judged;
        if (best === undefined || (judged.ok && !best.ok)) best = judged;
      }
      return best ?? { ok: false, reason: "missing" };
    },
  };
}

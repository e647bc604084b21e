import { hash } from "node:crypto";
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

/** A token whose signature was checked: its claims, or why it is bad for good. The token itself is not kept, only its hash. */
type Known = { readonly claims: CatClaims } | { readonly reason: CatFailure };

/**
 * Enforces Common Access Tokens. The signature is verified once a token; issuer, time, method, host, port and path are judged
 * on every request, so that a verdict never leaks from one path to another.
 */
export function openGate(keys: KeyStore, nowMs: () => number): Gate {
  // Entries need no time of their own: expiry is judged on every request, and what is not asked for falls out.
  const known = new LRUCache<string, Known>({ max: VERDICTS_MAX });
  let generation = keys.generation();

  async function verifyOnce(token: string, digest: string, request: CatRequest): Promise<Known | "unknown_key"> {
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
      known.set(digest, found);
      return found;
    }
  }

  async function judge({ token, carrier }: Carried, request: CatRequest): Promise<Admission | Refusal> {
    if (token.length > TOKEN_LENGTH_MAX) return { ok: false, reason: "malformed" };
    const digest = hash("sha256", token, "base64url");
    const verified = known.get(digest) ?? (await verifyOnce(token, digest, request));
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

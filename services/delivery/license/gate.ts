import { createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";
import type { Session } from "#contracts/session";
import { type Clock, type Context, problem, systemContext } from "#kernel";
import { validate } from "#media/cat";
import type { LicensePlatform } from "./service.ts";

/** Who may have a licence: the holder of a fresh token of a living session, whose right to the title still stands. */
export interface Gate {
  admit(sessionId: string, token: string): Promise<{ readonly session: Session; readonly context: Context }>;
}

const KEYS_FRESH_MS = 30_000;

export function openGate(call: LicensePlatform["call"], clock: Clock): Gate {
  let known:
    | { readonly atMs: number; readonly issuer: string; readonly keys: ReadonlyMap<string, KeyObject> }
    | undefined;

  async function keys(): Promise<NonNullable<typeof known>> {
    const nowMs = clock.nowMs();
    if (known && nowMs - known.atMs < KEYS_FRESH_MS) return known;
    const { jwksJson, issuer } = await call.token.keys({}, systemContext("system", "license", { clock }));
    const { keys: list } = JSON.parse(jwksJson) as { keys: (JsonWebKey & { kid: string })[] };
    known = {
      atMs: nowMs,
      issuer,
      keys: new Map(list.map((key) => [key.kid, createPublicKey({ key, format: "jwk" })])),
    };
    return known;
  }

  return {
    async admit(sessionId, token) {
      const { issuer, keys: publicKeys } = await keys();
      // The token speaks of media addresses; here its signature, age and session are what counts.
      const verdict = await validate(
        token,
        { method: "GET", url: { scheme: "https", host: "license", port: 443, path: "/" } },
        {
          nowS: Math.floor(clock.nowMs() / 1_000),
          issuer,
          verify: (kid, _algorithm, bytes, signature) => {
            const key = kid && publicKeys.get(Buffer.from(kid).toString());
            return key !== undefined && verify("sha256", bytes, { key, dsaEncoding: "ieee-p1363" }, signature);
          },
        },
      );
      const isJudged = verdict.ok || (verdict.reason === "url" && verdict.claims !== undefined);
      if (!isJudged || verdict.claims?.sid !== sessionId) {
        throw problem.denied("the licence needs the session's fresh access token", { reason: "token_invalid" });
      }
      const tenant = verdict.claims.sub?.split(":", 1)[0] ?? "";
      const context = systemContext(tenant, "license", { clock });
      const { session } = await call.session.get({ sessionId }, context);
      if (!session) throw problem.notFound(`playback session '${sessionId}' is over: start a new one`);
      const { decision } = await call.entitlement.check(
        { userId: session.userId, profileId: session.profileId, contentId: session.contentId, market: session.market },
        context,
      );
      if (!decision?.allowed)
        throw problem.denied(decision?.message || "this title is not part of your plan", {
          reason: decision?.reason ?? "not_entitled",
        });
      return { session, context };
    },
  };
}

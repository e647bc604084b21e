import { LRUCache } from "lru-cache";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import type { Auth } from "#contracts/auth";
import { type Client, type Clock, problem, systemContext, type Viewer } from "#kernel";

/** Verifies access tokens here, without asking the auth service: only its public keys are fetched, and again when a key is unknown. */
export interface TokenVerifier {
  /** The viewer of a good token; undefined for one that is not, whatever the reason. */
  verify(token: string): Promise<VerifiedToken | undefined>;
}

export interface VerifiedToken {
  readonly tenant: string;
  readonly viewer: Viewer;
  readonly expiresAtMs: number;
}

const AUDIENCE = "urn:marquee:api";
/** An unknown key id makes us look again, but not more often: strangers must not make us busy. */
const REFRESH_MS_MIN = 5_000;
/** Players send the same token every few seconds, and its signature does not change. */
const VERDICTS_MAX = 20_000;

export function openTokenVerifier(auth: Client<(typeof Auth)["rpc"]>, tenant: string, clock: Clock): TokenVerifier {
  let known: { readonly keys: ReturnType<typeof createLocalJWKSet>; readonly issuer: string } | undefined;
  /** Good tokens by their text, until they end or the keys change. */
  const verdicts = new LRUCache<string, VerifiedToken>({ max: VERDICTS_MAX });
  let fetchedAtMs = Number.NEGATIVE_INFINITY;

  async function fetchKeys(): Promise<NonNullable<typeof known>> {
    fetchedAtMs = clock.nowMs();
    const { jwksJson, issuer } = await auth.jwks({}, systemContext(tenant, "web", { clock }));
    verdicts.clear();
    known = { keys: createLocalJWKSet(JSON.parse(jwksJson) as JSONWebKeySet), issuer };
    return known;
  }

  async function check(token: string, { keys, issuer }: NonNullable<typeof known>) {
    return jwtVerify(token, keys, {
      issuer,
      audience: AUDIENCE,
      algorithms: ["RS256"],
      currentDate: new Date(clock.nowMs()),
      clockTolerance: 5,
    });
  }

  return {
    async verify(token) {
      if (token.length > 8_192) return undefined;
      const verdict = verdicts.get(token);
      if (verdict && clock.nowMs() < verdict.expiresAtMs) return verdict;
      const current = known ?? (await fetchKeys());
      const verified = await check(token, current).catch(async (error: { code?: string }) => {
        const isUnknownKey = error.code === "ERR_JWKS_NO_MATCHING_KEY";
        if (!isUnknownKey || clock.nowMs() - fetchedAtMs < REFRESH_MS_MIN) return undefined;
        return check(token, await fetchKeys()).catch(() => undefined);
      });
      if (!verified) return undefined;
      const { sub, exp, tenant: of, profile, tier, device, ent } = verified.payload;
      if (typeof sub !== "string" || typeof of !== "string" || exp === undefined)
        throw problem.unauthenticated("the access token lacks its claims");
      const good: VerifiedToken = {
        tenant: of,
        expiresAtMs: exp * 1_000,
        viewer: {
          userId: sub,
          profileId: typeof profile === "string" ? profile : "",
          tier: typeof tier === "string" ? tier : "basic",
          deviceId: typeof device === "string" ? device : "",
          entitlements: Array.isArray(ent) ? ent.filter((item) => typeof item === "string") : [],
        },
      };
      verdicts.set(token, good);
      return good;
    },
  };
}

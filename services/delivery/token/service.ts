// Token: issues Common Access Tokens (CTA-5007), one per delivery network, five minutes long.
import { randomBytes } from "node:crypto";
import { Session } from "#contracts/session";
import { Token } from "#contracts/token";
import { type Clock, type Context, defineService, type Platform, problem } from "#kernel";
import { renewedClaims, validate } from "#media/cat";
import { claimsOf, ISSUER, subjectOf, TOKEN_LIFETIME_S, tenantOfSubject } from "./domain.ts";
import { type Keyring, openKeyring } from "./keyring.ts";

const NETWORKS_MAX = 4;
const DAY_MS = 86_400_000;
/** Without characters that mean something else in an expression. */
const PLAIN_FOLDER = /^[A-Za-z0-9_/-]{1,120}$/;

const uses = { session: Session };
type TokenPlatform = Platform<typeof Token, typeof uses>;
interface Parts extends Pick<TokenPlatform, "call" | "tell"> {
  readonly issued: (networkId: string) => void;
  readonly keyring: Keyring;
  readonly clock: Clock;
}

export default defineService({
  contract: Token,
  uses,
  slo: { p99Ms: 20, availability: 0.9999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },

  async start({ secrets, clock, call, tell, metrics }: TokenPlatform): Promise<Parts> {
    const issued = metrics.counter(
      "tokens_issued_total",
      "Access tokens for media that were issued, renewals among them",
      ["network"],
    );
    const keyring = await openKeyring(secrets, clock);
    return { keyring, clock, call, tell, issued: (network) => issued.inc({ network }) };
  },

  rpc: (parts) => ({
    async issue({ sessionId, userId, contentId, pathPrefix, networks, ipNetwork, withAds }, context) {
      if (!pathPrefix.startsWith("/") || !pathPrefix.endsWith("/") || pathPrefix === "/")
        throw problem.invalid(`pathPrefix '${pathPrefix.slice(0, 80)}' is not a folder such as /vod/abc/r1/`);
      if (withAds && !PLAIN_FOLDER.test(pathPrefix))
        throw problem.invalid(
          `pathPrefix '${pathPrefix.slice(0, 80)}' has characters that a token with ads cannot name`,
        );
      if (networks.length > NETWORKS_MAX)
        throw problem.invalid(`${networks.length} networks are more than ${NETWORKS_MAX}`);
      const { keyring, clock } = parts;
      const nowS = Math.floor(clock.nowMs() / 1_000);
      const subject = subjectOf(context.tenant, keyring.pseudonym(userId));
      const tokens = await Promise.all(
        networks.map(async (network) => ({
          networkId: network.id,
          baseUrl: network.baseUrl,
          token: await keyring.issue(
            claimsOf({
              ...{ subject, sessionId, contentId, pathPrefix, withAds, network, ipNetwork, nowS },
              tokenId: randomBytes(16),
            }),
          ),
        })),
      );
      for (const { id } of networks) parts.issued(id);
      const expiresAtMs = (nowS + TOKEN_LIFETIME_S) * 1_000;
      parts.tell(
        "issued",
        [{ userId, sessionId, contentId, networks: networks.map(({ id }) => id), expiresAtMs }],
        context,
      );
      return { tokens, expiresAtMs: BigInt(expiresAtMs) };
    },
    renew: ({ token, networkBaseUrl }, context) => renew(parts, token, networkBaseUrl, context),
    async keys() {
      return { jwksJson: parts.keyring.publicJwks(), issuer: ISSUER };
    },
    async rotate() {
      return { kid: await parts.keyring.rotate({ force: true }) };
    },
  }),

  periodic: ({ keyring }) => [
    {
      name: "rotate the access token key",
      everyMs: DAY_MS / 24,
      run: async () => {
        await keyring.rotate({ force: false });
      },
    },
  ],

  ready: async () => {},
});

/** A token that is still good becomes one with a new expiry, as long as its session lives. The edge asks; it holds no private key. */
async function renew({ keyring, clock, call }: Parts, token: string, networkBaseUrl: string, context: Context) {
  const { hostname, port, protocol } = new URL(networkBaseUrl);
  const nowS = Math.floor(clock.nowMs() / 1_000);
  const portText = port || (protocol === "https:" ? "443" : "80");
  // The path was judged by the edge; here the network is what matters, so that A cannot renew what belongs to B.
  const { claims } = await validate(
    token,
    {
      method: "GET",
      url: { scheme: protocol.slice(0, -1), host: hostname, port: Number(portText), path: "/", query: "" },
    },
    { verify: keyring.verify, nowS, issuer: ISSUER },
  );
  const host = claims?.catu?.get("host")?.exact;
  if (!claims?.sid || host !== hostname || claims.catu?.get("port")?.exact !== portText || (claims.exp ?? 0) <= nowS) {
    throw problem.denied("this token cannot be renewed: start playback again", { reason: "token_invalid" });
  }
  await call.session.get({ sessionId: claims.sid }, { ...context, tenant: tenantOfSubject(claims.sub) });
  const renewed = renewedClaims(claims, nowS, randomBytes(16));
  if (!renewed) throw problem.denied("this token is not due for renewal yet", { reason: "not_due" });
  return { token: await keyring.issue(renewed), expiresAtMs: BigInt((renewed.exp ?? nowS) * 1_000) };
}

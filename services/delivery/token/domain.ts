import type { CatClaims, MatchRule } from "#media/cat";
import { parseNetwork } from "#media/cat";

/** ARCH-001 section 5: five minutes, refreshed by the player after four. */
export const TOKEN_LIFETIME_S = 300;
export const RENEW_BEFORE_S = 60;
/** Signing keys are rotated weekly; edges accept the previous one until its last token expired. */
export const KEY_LIFETIME_MS = 7 * 86_400_000;
export const ISSUER = "marquee";
/** The cookie in which an edge hands a renewed token to players that cannot ask for one. */
export const RENEWAL_COOKIE = "CAT";

export interface Grant {
  /** A stable name for the person that tells nothing about them. */
  readonly subject: string;
  readonly sessionId: string;
  readonly contentId: string;
  readonly pathPrefix: string;
  /** Ads are packages of their own, of which a session may read any. */
  readonly withAds: boolean;
  readonly network: { readonly id: string; readonly baseUrl: string };
  readonly ipNetwork: string;
  readonly nowS: number;
  /** 16 random bytes. */
  readonly tokenId: Uint8Array;
}

/** The claims of one token: this session, this title's package, this network, five minutes. */
export function claimsOf(grant: Grant): CatClaims {
  const { protocol, hostname, port } = new URL(grant.network.baseUrl);
  return {
    iss: ISSUER,
    sub: grant.subject,
    exp: grant.nowS + TOKEN_LIFETIME_S,
    iat: grant.nowS,
    cti: grant.tokenId,
    catv: 1,
    catu: new Map([
      ["host", { exact: hostname }],
      ["port", { exact: port || (protocol === "https:" ? "443" : "80") }],
      ["path", pathRuleOf(grant)],
    ]),
    catm: ["GET", "HEAD", "OPTIONS"],
    ...(grant.ipNetwork === "" ? {} : { catnip: [parseNetwork(grant.ipNetwork)] }),
    catr: { type: "cookie", expaddS: TOKEN_LIFETIME_S, deadlineS: RENEW_BEFORE_S, cookieName: RENEWAL_COOKIE },
    sid: grant.sessionId,
    cid: grant.contentId,
  };
}

/** A token has room for one rule about paths: with ads it is a POSIX extended expression, in which a package's folder means itself. */
const pathRuleOf = ({ withAds, pathPrefix }: Grant): MatchRule =>
  withAds ? { regex: `^(${pathPrefix}|/vod/ad-[A-Za-z0-9_-]+/r[0-9]+/)` } : { prefix: pathPrefix };

/** The tenant stands before the pseudonym, so that an edge's question can be answered without a search. */
export const subjectOf = (tenant: string, pseudonym: string): string => `${tenant}:${pseudonym}`;
export const tenantOfSubject = (subject: string | undefined): string => subject?.split(":", 1)[0] ?? "";

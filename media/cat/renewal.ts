/** Renewal of tokens by an edge (`catr`, CTA-5007-B): when, with which claims, and in which field of the answer. */
import { FormatError } from "#media/format";
import type { CatClaims, CatRenewal } from "./claims.ts";

const DEFAULT_NAME = "CTA-Common-Access-Token";
const DEFAULT_DEADLINE_S = 60;
const DEFAULT_REDIRECT = 302;

/** True from the deadline before the expiry until the expiry; false for a token that is not renewable. */
export function renewalDue(claims: CatClaims, nowS: number): boolean {
  if (claims.catr === undefined || claims.exp === undefined) return false;
  return nowS < claims.exp && nowS >= claims.exp - (claims.catr.deadlineS ?? DEFAULT_DEADLINE_S);
}

/** The claims of the successor: a new id and time, all limits as they were. Undefined where renewal is not due. */
export function renewedClaims(claims: CatClaims, nowS: number, cti: Uint8Array): CatClaims | undefined {
  if (claims.catr === undefined || !renewalDue(claims, nowS)) return undefined;
  return { ...claims, cti, iat: nowS, exp: nowS + claims.catr.expaddS };
}

/** How the request brought its token, which is what `automatic` renews by. */
export type TokenCarrier = "cookie" | "header" | "query";

export type RenewalField =
  | { readonly kind: "field"; readonly name: string; readonly value: string }
  | { readonly kind: "redirect"; readonly status: number };

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;
const PARAMETER = /^[\x20-\x3a\x3c-\x7e]*$/u;

function parameters(list: readonly string[] | undefined): string {
  const joined: string[] = [];
  for (const item of list ?? []) {
    // A parameter that could end the field or begin another one would let a token write the answer's headers.
    if (!PARAMETER.test(item))
      throw new FormatError("cat", "a renewal parameter holds a semicolon or a control character");
    joined.push(`; ${item}`);
  }
  return joined.join("");
}

function nameOf(name: string | undefined): string {
  if (name === undefined) return DEFAULT_NAME;
  if (!TOKEN.test(name)) throw new FormatError("cat", "a renewal name is not a token of RFC 9110");
  return name;
}

/** Where the new token goes. Throws FormatError when the claim's names or parameters do not fit into a field. */
export function renewalField(catr: CatRenewal, carrier: TokenCarrier, token: string): RenewalField {
  const type =
    catr.type === "automatic"
      ? ({ cookie: "cookie", header: "header", query: "redirect" } as const)[carrier]
      : catr.type;
  switch (type) {
    case "cookie":
      return {
        kind: "field",
        name: "Set-Cookie",
        value: `${nameOf(catr.cookieName)}=${token}${parameters(catr.cookieParams)}`,
      };
    case "header":
      return { kind: "field", name: nameOf(catr.headerName), value: `${token}${parameters(catr.headerParams)}` };
    case "redirect": {
      const status = catr.status ?? DEFAULT_REDIRECT;
      if (![301, 302, 303, 307, 308].includes(status)) throw new FormatError("cat", `${status} is no redirect`);
      return { kind: "redirect", status };
    }
  }
}

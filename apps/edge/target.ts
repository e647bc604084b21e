import type { Carried } from "./gate.ts";

export const TOKEN_PARAMETER = "CAT";
const TOKEN_HEADER = "cta-common-access-token";
/** A token, CMCD and what a player adds besides. */
const URL_CHARS_MAX = 12_000;

export interface Target {
  readonly path: string;
  /** Without the parameter that carries the token. */
  readonly query: string;
  readonly queryToken: string | undefined;
  readonly isSteered: boolean;
}

/** Takes a request target apart without decoding anything; null where it is too long or no path. */
export function parseTarget(url: string): Target | null {
  if (url.length > URL_CHARS_MAX || url.charCodeAt(0) !== 0x2f) return null;
  const mark = url.indexOf("?");
  if (mark < 0) return { path: url, query: "", queryToken: undefined, isSteered: false };
  const path = url.slice(0, mark);
  let queryToken: string | undefined;
  let isSteered = false;
  let query = "";
  for (const parameter of url.slice(mark + 1).split("&")) {
    if (parameter.startsWith(`${TOKEN_PARAMETER}=`)) {
      // Two tokens are one too many: the first one counts, and neither is logged.
      queryToken ??= parameter.slice(TOKEN_PARAMETER.length + 1);
      continue;
    }
    if (parameter === "steer=1") isSteered = true;
    query += query === "" ? parameter : `&${parameter}`;
  }
  return { path, query, queryToken, isSteered };
}

/** Every token that a request carries, at most one a carrier. */
export function carriedTokens(
  queryToken: string | undefined,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Carried[] {
  const tokens: Carried[] = [];
  if (queryToken !== undefined) tokens.push({ carrier: "query", token: queryToken });
  const header = headers[TOKEN_HEADER];
  if (typeof header === "string") tokens.push({ carrier: "header", token: header.trim() });
  const cookie = headers["cookie"] === undefined ? undefined : cookieOf(String(headers["cookie"]), TOKEN_PARAMETER);
  if (cookie !== undefined) tokens.push({ carrier: "cookie", token: cookie });
  return tokens;
}

function cookieOf(header: string, name: string): string | undefined {
  for (const pair of header.split(";")) {
    const trimmed = pair.trim();
    if (trimmed.startsWith(`${name}=`)) return trimmed.slice(name.length + 1);
  }
  return undefined;
}

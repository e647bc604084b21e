/** Whether a request satisfies `catu`, `cath` and the rest of the limits that need nothing but the request itself. */
import type { MatchRule, UriPart } from "./claims.ts";
import { compileRegex } from "./regex.ts";

/** The URL in parts, as the edge will act on it: decoded once by the edge or not at all, but not twice. */
export interface RequestUrl {
  readonly scheme: string;
  /** Without the port. */
  readonly host: string;
  /** The port the request came to; a default port is a port too. */
  readonly port: number;
  readonly path: string;
  /** Without the question mark and without the parameter that carries the token. */
  readonly query?: string;
}

export type Digest = (algorithm: "SHA-256" | "SHA-512/256", bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

const utf8 = new TextEncoder();
const SLASH = 0x2f;
const DOT = 0x2e;
const BACKSLASH = 0x5c;
const PERCENT = 0x25;

/**
 * False for a path that a cache or an origin could resolve to another one than the token names: dot segments, also
 * percent-encoded, encoded slashes, backslashes, control characters and double slashes.
 */
export function isPlainPath(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  let isSuspect = false;
  for (let index = 0; index < path.length; index += 1) {
    const code = path.charCodeAt(index);
    if (code <= 0x20 || code === 0x7f || code === BACKSLASH) return false;
    if (code === PERCENT) isSuspect = true;
    else if (code === SLASH && (path.charCodeAt(index + 1) === SLASH || path.charCodeAt(index + 1) === DOT))
      isSuspect = true;
  }
  // Nearly every path ends here; the exact rules are only for those with an escape, or a dot or slash behind a slash.
  return !isSuspect || !/\/\/|%(?:2f|5c|[01][0-9a-f]|7f|25)|\/(?:\.|%2e){1,2}(?:\/|$|;)/iu.test(path);
}

/** The part as text. File names follow std::filesystem: an extension begins with the last dot, and not at the start. */
export function partOf(url: RequestUrl, part: UriPart): string {
  switch (part) {
    case "scheme":
      return url.scheme.toLowerCase();
    case "host":
      return url.host.toLowerCase();
    case "port":
      return String(url.port);
    case "path":
      return url.path;
    case "query":
      return url.query ?? "";
    case "parent-path":
      return url.path.slice(0, url.path.lastIndexOf("/"));
    default:
      return filePart(url.path.slice(url.path.lastIndexOf("/") + 1), part);
  }
}

function filePart(filename: string, part: "filename" | "stem" | "extension"): string {
  if (part === "filename") return filename;
  const dot = filename.lastIndexOf(".");
  const split = dot > 0 ? dot : filename.length;
  return part === "stem" ? filename.slice(0, split) : filename.slice(split);
}

async function hasDigest(text: string, expected: Uint8Array, algorithm: Parameters<Digest>[0], digest: Digest) {
  const actual = await digest(algorithm, utf8.encode(text));
  return actual.length === expected.length && actual.every((byte, index) => byte === expected[index]);
}

/** The text rules of one part. Scheme and host compare without case: their text is lowered, and so are the rules. */
function satisfiesTexts(text: string, rule: MatchRule, isCaseless: boolean): boolean {
  const fold = (expected: string): string => (isCaseless ? expected.toLowerCase() : expected);
  if (rule.exact !== undefined && text !== fold(rule.exact)) return false;
  if (rule.prefix !== undefined && !text.startsWith(fold(rule.prefix))) return false;
  if (rule.suffix !== undefined && !text.endsWith(fold(rule.suffix))) return false;
  if (rule.contains !== undefined && !text.includes(fold(rule.contains))) return false;
  return rule.regex === undefined || compileRegex(rule.regex)(text);
}

/** True, false, or "unsupported" where a digest is asked for and there is no function for it. */
export type MatchResult = boolean | "unsupported";

async function satisfiesDigests(text: string, rule: MatchRule, digest: Digest | undefined): Promise<MatchResult> {
  if (digest === undefined) return "unsupported";
  if (rule.sha256 !== undefined && !(await hasDigest(text, rule.sha256, "SHA-256", digest))) return false;
  return rule.sha512_256 === undefined || hasDigest(text, rule.sha512_256, "SHA-512/256", digest);
}

const asksDigest = (rule: MatchRule): boolean => rule.sha256 !== undefined || rule.sha512_256 !== undefined;

/** Answers at once unless a rule asks for a digest, as waiting costs more than most rules. */
export function matchesUri(
  catu: ReadonlyMap<UriPart, MatchRule>,
  url: RequestUrl,
  digest: Digest | undefined,
): MatchResult | Promise<MatchResult> {
  const asked: (readonly [string, MatchRule])[] = [];
  for (const [part, rule] of catu) {
    const text = partOf(url, part);
    if (!satisfiesTexts(text, rule, part === "scheme" || part === "host")) return false;
    if (asksDigest(rule)) asked.push([text, rule]);
  }
  return asked.length === 0 || allDigests(asked, digest);
}

async function allDigests(
  asked: readonly (readonly [string, MatchRule])[],
  digest: Digest | undefined,
): Promise<MatchResult> {
  for (const [text, rule] of asked) {
    const result = await satisfiesDigests(text, rule, digest);
    if (result !== true) return result;
  }
  return true;
}

/** An absent header satisfies no rule. */
export function matchesHeaders(
  cath: ReadonlyMap<string, MatchRule>,
  headers: Readonly<Record<string, string | undefined>>,
  digest: Digest | undefined,
): MatchResult | Promise<MatchResult> {
  const asked: (readonly [string, MatchRule])[] = [];
  for (const [name, rule] of cath) {
    const value = headers[name];
    if (value === undefined || !satisfiesTexts(value, rule, false)) return false;
    if (asksDigest(rule)) asked.push([value, rule]);
  }
  return asked.length === 0 || allDigests(asked, digest);
}

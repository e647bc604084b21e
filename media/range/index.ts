/**
 * Byte ranges of HTTP (RFC 9110, section 14): one range of a representation whose size is known.
 *
 *   Range = "bytes=" ( first "-" [ last ] / "-" suffix )
 */

export interface Span {
  readonly startBytes: number;
  /** The last byte's position, included. */
  readonly endBytes: number;
}

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * The bytes that a Range header asks for; `all` where there is none, or one that may be ignored (another unit, several
 * ranges, not well formed); `none` where it lies beyond the end, which is answered by 416.
 */
export function parseRange(header: string | undefined, sizeBytes: number): Span | "all" | "none" {
  if (header === undefined) return "all";
  const match = RANGE.exec(header.trim());
  if (match === null) return "all";
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return "all";
    const suffixBytes = Number(last);
    if (suffixBytes === 0 || sizeBytes === 0) return "none";
    return { startBytes: Math.max(0, sizeBytes - suffixBytes), endBytes: sizeBytes - 1 };
  }
  const startBytes = Number(first);
  const endBytes = last === "" ? sizeBytes - 1 : Number(last);
  if (last !== "" && endBytes < startBytes) return "all";
  if (startBytes >= sizeBytes) return "none";
  return { startBytes, endBytes: Math.min(endBytes, sizeBytes - 1) };
}

/** Whether the range may be used: If-Range (section 13.1.5) names the representation that the client has a part of. */
export const isRangeFresh = (ifRange: string | undefined, etag: string): boolean =>
  ifRange === undefined || (etag !== "" && ifRange.trim() === etag);

/** Whether If-None-Match (section 13.1.2) names the representation, compared weakly. */
export function isMatch(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined || etag === "") return false;
  if (ifNoneMatch.trim() === "*") return true;
  const bare = etag.replace(/^W\//, "");
  return ifNoneMatch.split(",").some((each) => each.trim().replace(/^W\//, "") === bare);
}

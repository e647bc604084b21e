import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { isMatch, isRangeFresh, parseRange } from "#media/range";
import type { Download } from "./download.ts";
import type { LiveObject } from "./live-store.ts";
import type { Filled } from "./manifest.ts";

export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;
/** Names and values in turn, which is the form that node:http writes fastest. */
export type Headers = readonly string[];

const EXPOSED = "Content-Length, Content-Range, Accept-Ranges, ETag, Date, Retry-After, CTA-Common-Access-Token";

/** Tokens in the query need no credentials, so that any page may read; a cookie is a credential, and needs the page named. */
export function corsHeaders(origin: string | undefined, isCookieUsed: boolean): Headers {
  if (!isCookieUsed || origin === undefined) return OPEN;
  return [
    "access-control-allow-origin",
    origin,
    "access-control-allow-credentials",
    "true",
    "vary",
    "origin",
    ...EXPOSE,
  ];
}
const EXPOSE: Headers = ["access-control-expose-headers", EXPOSED, "timing-allow-origin", "*"];
const OPEN: Headers = ["access-control-allow-origin", "*", ...EXPOSE];

/** node:http and node:http2 both take flat arrays; only their types differ. */
export function writeHead(response: Response, status: number, headers: Headers): void {
  if (isHttp2(response)) response.writeHead(status, headers);
  else response.writeHead(status, headers as string[]);
}

export function preflight(request: Request, response: Response): void {
  const cors = corsHeaders(request.headers.origin, request.headers.origin !== undefined);
  writeHead(response, 204, [
    ...cors,
    "access-control-allow-methods",
    "GET, HEAD, OPTIONS",
    "access-control-allow-headers",
    "Range, If-Range, If-None-Match, CTA-Common-Access-Token, CMCD-Request, CMCD-Object, CMCD-Status, CMCD-Session",
    "access-control-max-age",
    "86400",
  ]);
  response.end();
}

export interface Fault {
  readonly status: number;
  readonly reason: string;
  readonly detail: string;
  readonly retryAfterS?: number;
}

/** An RFC 9457 problem. Nothing in it comes from the token. */
export function sendProblem(response: Response, fault: Fault, cors: Headers = OPEN): number {
  const { status, reason, detail, retryAfterS } = fault;
  const body = Buffer.from(
    JSON.stringify({ type: `urn:marquee:problem:${reason}`, title: reason, status, detail, reason }),
  );
  const retry = retryAfterS === undefined ? [] : ["retry-after", String(retryAfterS)];
  writeHead(response, status, [
    "content-type",
    "application/problem+json",
    "content-length",
    String(body.length),
    "cache-control",
    "no-store",
    ...retry,
    ...cors,
  ]);
  response.end(body);
  return body.length;
}

/** What a request asks for of an object: all of it, a part, or nothing because it has it already. */
export interface Wanted {
  readonly status: 200 | 206 | 304 | 416;
  readonly startBytes: number;
  /** Past the last byte. */
  readonly endBytes: number;
}

export function wantedOf(headers: Request["headers"], etag: string, sizeBytes: number): Wanted {
  if (isMatch(headers["if-none-match"], etag)) return { status: 304, startBytes: 0, endBytes: 0 };
  const all = { status: 200, startBytes: 0, endBytes: sizeBytes } as const;
  if (headers.range === undefined || !isRangeFresh(single(headers["if-range"]), etag)) return all;
  const range = parseRange(headers.range, sizeBytes);
  if (range === "all") return all;
  if (range === "none") return { status: 416, startBytes: 0, endBytes: 0 };
  return { status: 206, startBytes: range.startBytes, endBytes: range.endBytes + 1 };
}

const single = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

/** The origin says `public` to edges. What a token protects, only its player may keep. */
const KEEP = "private, max-age=31536000, immutable";

export function objectHeaders(
  { contentType, keep = KEEP }: { readonly contentType: string; readonly keep?: string },
  etag: string,
  sizeBytes: number,
  wanted: Wanted,
  more: Headers,
): Headers {
  const { status, startBytes, endBytes } = wanted;
  const shared = ["cache-control", keep, "accept-ranges", "bytes", ...(etag === "" ? [] : ["etag", etag]), ...more];
  if (status === 304) return shared;
  if (status === 416) return ["content-range", `bytes */${sizeBytes}`, "content-length", "0", ...shared];
  const range = status === 206 ? ["content-range", `bytes ${startBytes}-${endBytes - 1}/${sizeBytes}`] : [];
  return ["content-type", contentType, "content-length", String(endBytes - startBytes), ...range, ...shared];
}

/** One write for head and body. Returns the bytes of the body. */
export function sendObject(
  response: Response,
  body: Buffer,
  wanted: Wanted,
  headers: Headers,
  isHead: boolean,
): number {
  writeHead(response, wanted.status, headers);
  const { startBytes, endBytes } = wanted;
  if (isHead || endBytes === startBytes) {
    response.end();
    return 0;
  }
  const isAll = endBytes - startBytes === body.length;
  response.end(isAll ? body : body.subarray(startBytes, endBytes));
  return endBytes - startBytes;
}

/** It holds the reader's token, so that nobody may keep it. */
export function sendManifest(
  response: Response,
  contentType: string,
  { body, release }: Filled,
  headers: Headers,
  isHead: boolean,
): number {
  writeHead(response, 200, [
    "content-type",
    contentType,
    "content-length",
    String(body.length),
    "cache-control",
    "no-store",
    ...headers,
  ]);
  if (isHead) response.end(release);
  // HTTP/1 says when the last byte has gone to the system; HTTP/2 may hold on to it for longer.
  else if (isHttp2(response)) response.end(body);
  else response.end(body, release);
  return isHead ? 0 : body.length;
}

/** Sends a part of an object while it arrives. Where the download breaks off, so does the answer, and the player asks again. */
export async function sendDownload(
  response: Response,
  download: Download,
  wanted: Wanted,
  headers: Headers,
): Promise<number> {
  writeHead(response, wanted.status, headers);
  let at = wanted.startBytes;
  while (at < wanted.endBytes) {
    const here = Math.min(download.receivedBytes, wanted.endBytes);
    if (here > at) {
      const piece = download.body.subarray(at, here);
      const isRoom = isHttp2(response) ? response.write(piece) : response.write(piece);
      at = here;
      if (!isRoom && !(await drained(response))) break;
    } else if (download.failure !== undefined) {
      destroy(response);
      break;
    } else await download.more();
    if (isGone(response)) break;
  }
  if (!isGone(response)) response.end();
  return at - wanted.startBytes;
}

/**
 * Sends an object that grows, piece by piece as they come, to one of the many who read it: nobody waits for the end of a segment that is
 * still being made.
 */
export async function sendGrowing(response: Response, object: LiveObject, headers: Headers): Promise<number> {
  writeHead(response, 200, headers);
  let sentBytes = 0;
  for (let index = 0; ; ) {
    const piece = object.pieces[index];
    if (piece !== undefined) {
      const isRoom = isHttp2(response) ? response.write(piece) : response.write(piece);
      index += 1;
      sentBytes += piece.length;
      if (!isRoom && !(await drained(response))) break;
    } else if (object.isWhole) break;
    else if (object.failure !== undefined) {
      destroy(response);
      break;
    } else await object.more();
    if (isGone(response)) break;
  }
  if (!isGone(response)) response.end();
  return sentBytes;
}

/** The stream of an HTTP/2 answer is what breaks; its response object does not say so. */
export const isHttp2 = (response: Response): response is Http2ServerResponse => "stream" in response;

const isGone = (response: Response): boolean =>
  response.writableEnded || (isHttp2(response) ? response.stream.destroyed : response.destroyed);

/** Breaks an answer off, so that the client sees that it is not whole. */
export function destroy(response: Response): void {
  if (isHttp2(response)) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

/** True when the client took what was written, false when it went away. */
function drained(response: Response): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isOpen: boolean): void => {
      response.removeListener("drain", onDrain);
      response.removeListener("close", onClose);
      resolve(isOpen);
    };
    const onDrain = (): void => settle(true);
    const onClose = (): void => settle(false);
    response.once("drain", onDrain);
    response.once("close", onClose);
  });
}

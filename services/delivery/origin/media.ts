import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { LRUCache } from "lru-cache";
import { type Clock, problem, systemContext } from "#kernel";
import { isMatch, isRangeFresh, parseRange } from "#media/range";
import { parsePackagePath } from "./domain.ts";
import type { Manifests } from "./manifests.ts";
import type { OriginPlatform } from "./service.ts";
import { ownerOf } from "./store.ts";

/** Everything below a package's address stays what it is: a package that changed has another revision, an index another version. */
const CACHE_CONTROL = "public, max-age=31536000, immutable";
const SYSTEM = { tenant: "system" };

export interface MediaParts extends Pick<OriginPlatform, "objects" | "db"> {
  readonly clock: Clock;
  readonly manifests: Manifests;
  /** Whose a title is, as far as it was asked. */
  readonly owners: LRUCache<string, string>;
}

/** Answers `/vod/…`: manifests are written, everything else is an object as it is. */
export async function answerMedia(
  parts: MediaParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD")
    throw problem.invalid(`media is read by GET or HEAD, not by ${request.method}`);
  const [pathText = "", query = ""] = (request.url ?? "").split("?", 2);
  const path = parsePackagePath(pathText);
  if (!path) throw problem.notFound("there is no such object");
  if (path.kind === "object") return answerObject(parts, path.key, path.contentType, request, response);
  const tenant = await tenantOf(parts, path.contentId);
  const askedBy = new URLSearchParams(query).get("steer");
  const { body, etag, contentType } = await parts.manifests.render(
    path,
    askedBy,
    systemContext(tenant, "origin", { clock: parts.clock }),
  );
  const headers = { "content-type": contentType, "cache-control": CACHE_CONTROL, etag };
  if (isMatch(request.headers["if-none-match"], etag)) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, "content-length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function tenantOf({ owners, db }: MediaParts, contentId: string): Promise<string> {
  const known = owners.get(contentId);
  if (known !== undefined) return known;
  const owner = await db.tx(SYSTEM, (tx) => ownerOf(tx, contentId));
  if (owner === undefined) throw problem.notFound(`nobody has located '${contentId}' yet`);
  owners.set(contentId, owner);
  return owner;
}

/** Answers with an object as it is, or the part of it that is asked for; the object never changes under its address. */
export async function answerObject(
  { objects }: Pick<MediaParts, "objects">,
  key: string,
  contentType: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const info = await objects.head(key);
  if (!info) throw problem.notFound("there is no such object");
  const { sizeBytes, modifiedMs } = info;
  const etag = `"${sizeBytes.toString(36)}-${modifiedMs.toString(36)}"`;
  const shared = { "cache-control": CACHE_CONTROL, "accept-ranges": "bytes", etag };
  const { headers } = request;
  if (isMatch(headers["if-none-match"], etag)) {
    response.writeHead(304, shared).end();
    return;
  }
  const ifRange = headers["if-range"];
  const range = isRangeFresh(typeof ifRange === "string" ? ifRange : undefined, etag)
    ? parseRange(headers.range, sizeBytes)
    : "all";
  if (range === "none") {
    response.writeHead(416, { ...shared, "content-range": `bytes */${sizeBytes}`, "content-length": 0 }).end();
    return;
  }
  const span = range === "all" ? { startBytes: 0, endBytes: sizeBytes - 1 } : range;
  const part = range === "all" ? {} : { "content-range": `bytes ${span.startBytes}-${span.endBytes}/${sizeBytes}` };
  const head = {
    ...shared,
    ...part,
    "content-type": contentType,
    "content-length": span.endBytes - span.startBytes + 1,
  };
  if (request.method === "HEAD" || sizeBytes === 0) {
    response.writeHead(range === "all" ? 200 : 206, head).end();
    return;
  }
  // Opened before the head is written: what is gone meanwhile is a 404, not half an answer.
  const body = await objects.stream(key, span);
  response.writeHead(range === "all" ? 200 : 206, head);
  await pipeline(body, response).catch(() => response.destroy());
}

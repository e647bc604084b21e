import type { IncomingMessage, ServerResponse } from "node:http";
import type { LRUCache } from "lru-cache";
import { type Clock, problem, systemContext } from "#kernel";
import { IMMUTABLE, answerObject } from "#kernel/serve-object";
import { isMatch } from "#media/range";
import { parsePackagePath } from "./domain.ts";
import type { Manifests } from "./manifests.ts";
import type { OriginPlatform } from "./service.ts";
import { ownerOf } from "./store.ts";

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
  if (path.kind === "object") return answerObject(parts.objects, path.key, path.contentType, request, response);
  const tenant = await tenantOf(parts, path.contentId);
  const askedBy = new URLSearchParams(query).get("steer");
  const { body, etag, contentType } = await parts.manifests.render(
    path,
    askedBy,
    systemContext(tenant, "origin", { clock: parts.clock }),
  );
  const headers = { "content-type": contentType, "cache-control": IMMUTABLE, etag };
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

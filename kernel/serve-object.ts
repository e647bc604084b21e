import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { isMatch, isRangeFresh, parseRange } from "#media/range";
import { problem } from "./errors.ts";
import type { Objects } from "./ports/objects.ts";

/** For what has another address when it is another thing. */
export const IMMUTABLE = "public, max-age=31536000, immutable";

/** Answers with an object as it is, or the part of it that is asked for; the object never changes under its address. */
export async function answerObject(
  objects: Pick<Objects, "head" | "stream">,
  key: string,
  contentType: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const info = await objects.head(key);
  if (!info) throw problem.notFound("there is no such object");
  const { sizeBytes, modifiedMs } = info;
  const etag = `"${sizeBytes.toString(36)}-${modifiedMs.toString(36)}"`;
  const shared = { "cache-control": IMMUTABLE, "accept-ranges": "bytes", etag };
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

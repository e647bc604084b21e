import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { problem } from "#kernel";

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
const ASSET = /^\/(assets\/)?[A-Za-z0-9_-][A-Za-z0-9._-]*\.(js|css|svg|woff2)$/;

/** Of every answer. Nothing runs, loads or is sent anywhere but what we serve; pictures of titles come from the viewers' address. */
export const headersOf = (imageOrigin: string): Readonly<Record<string, string>> => ({
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    `img-src 'self' data: ${imageOrigin}`,
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
});

/** The built pages: files by their names, and for every other path the one document that draws them all. They hold no data. */
export async function sendPage(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD")
    throw problem.notFound(`${request.method ?? "?"} is nothing that pages do`);
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const isAsset = ASSET.test(path);
  if (!isAsset && extname(path) !== "") throw problem.notFound(`'${path.slice(0, 200)}' is not part of the console`);
  const file = isAsset ? path : "/index.html";
  const body = await readFile(join(folder, file)).catch((cause: unknown) => {
    throw problem.notFound(`'${path.slice(0, 200)}' is not part of the console`, { cause });
  });
  response.writeHead(200, {
    "content-type": isAsset ? (TYPES[extname(path)] ?? "application/octet-stream") : "text/html; charset=utf-8",
    // Names under assets/ carry a hash of what is in them.
    "cache-control": path.startsWith("/assets/") ? "private, max-age=31536000, immutable" : "no-store",
    "content-length": body.length,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

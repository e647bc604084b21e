import { createHash, randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { problem, systemContext } from "#kernel";
import type { ProblemPage } from "#kernel/http";
import type { Cookies } from "./cookies.ts";
import type { WebParts } from "./parts.ts";
import { hostOf } from "./request.ts";

/** The built client and whoever renders its first views. */
export interface Site {
  /** The folder with what browsers load. */
  readonly clientFolder: string;
  render(request: RenderRequest): Promise<RenderResult>;
  /** What is shown where no page can be made; it costs next to nothing. */
  readonly refusal: ProblemPage;
}
export interface RenderRequest {
  readonly url: string;
  readonly cookie: string;
  readonly apiBaseUrl: string;
  readonly nonce: string;
  readonly acceptLanguage: string;
  /** The host that the visitor asked for: it names the tenant. */
  readonly host: string;
}
export interface RenderResult {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
  ".webp": "image/webp",
  ".html": "text/html; charset=utf-8",
};
const ASSET = /^\/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.[a-z0-9]+$/;
const ASSET_BYTES_MAX = 8 * 1024 * 1024;

/** Static files, pages rendered on the server, and what search engines read. */
export function registerSite(app: FastifyInstance, parts: WebParts, cookies: Cookies, site: Site): void {
  app.get("/robots.txt", (_, reply) =>
    reply
      .type("text/plain")
      .send(`User-agent: *\nDisallow: /api/\nDisallow: /watch/\nSitemap: ${parts.addresses.publicUrl}/sitemap.xml\n`),
  );
  app.get("/sitemap.xml", async (_, reply) => {
    const { titles } = await parts.call.catalog.list(
      { kinds: ["film", "series"], ageRatingMax: 18, states: ["playable"], limit: 200 },
      systemContext(parts.config.MARQUEE_TENANT, "web", { clock: parts.clock }),
    );
    const urls = ["/", "/sign-up", ...titles.map((title) => `/title/${title.id}`)].map(
      (path) => `<url><loc>${parts.addresses.publicUrl}${path}</loc></url>`,
    );
    return reply
      .type("application/xml")
      .send(
        `<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${urls.join("")}</urlset>`,
      );
  });

  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "/";
    if (path.startsWith("/api/") || path.startsWith("/oauth/"))
      throw problem.notFound("there is nothing at this address");
    if (request.method !== "GET" && request.method !== "HEAD")
      throw problem.notFound(`${request.method} ${path} is nothing that we do`);
    if (ASSET.test(path)) return sendAsset(site, path, request, reply);
    return sendPage(parts, cookies, site, request, reply);
  });
}

async function sendAsset(
  site: Site,
  path: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const file = join(site.clientFolder, path);
  const info = await stat(file).catch(() => null);
  if (!info?.isFile() || info.size > ASSET_BYTES_MAX) throw problem.notFound(`'${path}' is not part of this site`);
  const body = await readFile(file);
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  // Names under assets/ carry a hash of what is in them.
  reply
    .header(
      "cache-control",
      path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "public, max-age=3600",
    )
    .header("etag", etag);
  if (request.headers["if-none-match"] === etag) return reply.code(304).send();
  return reply.type(TYPES[extname(path)] ?? "application/octet-stream").send(body);
}

async function sendPage(
  parts: WebParts,
  cookies: Cookies,
  site: Site,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // Renewing here means that the page's own requests for data need not: they carry the new cookie.
  await cookies.signed(request, reply);
  const nonce = randomBytes(16).toString("base64");
  const result = await site.render({
    url: parts.addresses.publicUrl + request.url,
    cookie: cookieHeader(request, reply),
    apiBaseUrl: parts.internalUrl,
    nonce,
    acceptLanguage: request.headers["accept-language"] ?? "en",
    host: hostOf(request),
  });
  reply.headers({ ...result.headers, ...securityHeaders(parts, nonce) });
  return reply.code(result.status).send(result.body);
}

/** The browser's cookies, with those that this very answer sets taking their place. */
function cookieHeader(request: FastifyRequest, reply: FastifyReply): string {
  const jar = new Map(Object.entries(request.cookies));
  const set = reply.getHeader("set-cookie");
  for (const line of Array.isArray(set) ? set : set === undefined ? [] : [String(set)]) {
    const match = /^([^=;]+)=([^;]*)/.exec(line);
    if (match?.[1] !== undefined) jar.set(match[1], decodeURIComponent(match[2] ?? ""));
  }
  return [...jar].map(([name, value]) => `${name}=${encodeURIComponent(value ?? "")}`).join("; ");
}

function securityHeaders(parts: WebParts, nonce: string): Record<string, string> {
  const media = parts.addresses.edges.map(({ baseUrl }) => new URL(baseUrl).origin).join(" ");
  return {
    "content-security-policy": [
      "default-src 'self'",
      `script-src 'self' 'nonce-${nonce}'`,
      "style-src 'self' 'unsafe-inline'",
      `img-src 'self' data: blob: ${media}`,
      `connect-src 'self' ${media}`,
      `media-src 'self' blob: ${media}`,
      "worker-src 'self' blob:",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "form-action 'self'",
    ].join("; "),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
  };
}

import fastifyCookie from "@fastify/cookie";
import fastifyFormbody from "@fastify/formbody";
import scalar from "@scalar/fastify-api-reference";
import Fastify, { type FastifyInstance } from "fastify";
import { prefersHtml, problemDocument, retryPathOf, toProblem } from "./faults.ts";
import { openCookies } from "./cookies.ts";
import { registerEvents } from "./live.ts";
import { registerNotices } from "./notifications.ts";
import { openApiDocument } from "./openapi.ts";
import { registerPages } from "./pages.ts";
import type { WebParts } from "./parts.ts";
import { API, register } from "./route.ts";
import { traceIdOf, traceRequest } from "./request.ts";
import { webRoutes } from "./routes.ts";
import { registerSite, type Site } from "./site.ts";

const BODY_BYTES_MAX = 256 * 1_024;

/** The web BFF: the API for browsers, what forms do, and the pages themselves. */
export async function createWebBff(parts: WebParts, site: Site): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    logger: false,
    trustProxy: false,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
  });
  await app.register(fastifyCookie);
  await app.register(fastifyFormbody, { bodyLimit: BODY_BYTES_MAX });
  // sendBeacon sends JSON as text where it must avoid a preflight.
  app.addContentTypeParser("text/plain", { parseAs: "string" }, (_, body, done) => {
    try {
      done(null, JSON.parse(String(body)));
    } catch {
      done(null, {});
    }
  });
  const cookies = openCookies(parts);

  app.addHook("onRequest", (request, reply, done) => {
    traceRequest(request, reply);
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "page";
    parts.metrics.requests.observe(
      { server: "web", service: "web", route, status: String(reply.statusCode) },
      reply.elapsedTime / 1_000,
    );
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const fault = toProblem(error);
    if (fault.status >= 500) parts.logger.error("a request failed", { route: request.routeOptions.url, error });
    if (reply.sent || reply.raw.headersSent) return;
    const path = request.url.split("?", 1)[0] ?? "/";
    if (fault.retryAfterS !== undefined) reply.header("retry-after", Math.ceil(fault.retryAfterS));
    reply.code(fault.status).header("cache-control", "no-store");
    if (!path.startsWith("/api/") && prefersHtml(request.headers.accept)) {
      const { headers, body } = site.refusal({
        status: fault.status,
        traceId: traceIdOf(request),
        retryPath: retryPathOf(request.raw),
        acceptLanguage: request.headers["accept-language"] ?? "",
      });
      return void reply.headers(headers).send(body);
    }
    void reply.type("application/problem+json").send(JSON.stringify(problemDocument(fault, path, traceIdOf(request))));
  });

  register(app, parts, cookies, webRoutes);
  registerEvents(app, parts, cookies);
  app.get(`${API}/openapi.json`, (_, reply) => reply.type("application/json").send(openApiDocument()));
  await app.register(
    scalar as never,
    {
      routePrefix: "/docs",
      configuration: { url: `${API}/openapi.json`, title: "Marquee web API", telemetry: false },
    } as never,
  );
  registerPages(app, parts, cookies);
  registerNotices(app, parts, cookies);
  registerSite(app, parts, cookies, site);
  await app.ready();
  return app;
}

import { type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Context, systemContext, type Viewer } from "#kernel";
import type { WebParts } from "./parts.ts";

const DEADLINE_MS = 10_000;
/** Which tenant a host belongs to changes when an operator says so: a minute later everybody knows. */
const TENANT_FRESH_MS = 60_000;
const HOSTS_MAX = 1_000;

/** The tenant of the host name that a request came to; the default one where no tenant names it. */
export type TenantOf = (request: FastifyRequest) => Promise<string>;

export function openTenants({ call, clock, config }: Pick<WebParts, "call" | "clock" | "config">): TenantOf {
  const known = new Map<string, { readonly id: string; readonly atMs: number }>();
  return async (request) => {
    const host = hostOf(request).toLowerCase().slice(0, 260);
    const cached = known.get(host);
    if (cached && clock.nowMs() - cached.atMs < TENANT_FRESH_MS) return cached.id;
    const { tenant } = await call.tenant.resolve({ host }, systemContext(config.MARQUEE_TENANT, "web", { clock }));
    const id = tenant?.id ?? config.MARQUEE_TENANT;
    // Anybody can make up host names: the list is emptied before it grows without end.
    if (known.size >= HOSTS_MAX) known.clear();
    known.set(host, { id, atMs: clock.nowMs() });
    return id;
  };
}

/** The context of a client's request: its tenant, its viewer, ten seconds, and an end when the client goes away. */
export function contextOf(
  parts: Pick<WebParts, "clock">,
  request: FastifyRequest,
  reply: FastifyReply,
  of: { readonly tenant: string; readonly viewer: Viewer | null },
): Context {
  const key = request.headers["idempotency-key"];
  return {
    ...of,
    caller: "web",
    deadlineMs: parts.clock.nowMs() + DEADLINE_MS,
    signal: goneSignal(reply),
    span: spans.get(request) ?? null,
    idempotencyKey: typeof key === "string" && of.viewer ? `${of.viewer.userId}/${key}`.slice(0, 200) : null,
  };
}

/** A request's span goes with its context: Fastify's steps do not all run in the asynchronous context of the first one. */
const spans = new WeakMap<FastifyRequest, Span>();

/** Begins the trace of a request; it ends with the answer. */
export function traceRequest(request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions.url ?? "page";
  const attributes = { "http.request.method": request.method, "http.route": route };
  const span = trace
    .getTracer("marquee")
    .startSpan(`${request.method} ${route}`, { attributes, kind: SpanKind.SERVER });
  spans.set(request, span);
  reply.raw.once("close", () => {
    span.setAttribute("http.response.status_code", reply.statusCode);
    if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  });
}

export const traceIdOf = (request: FastifyRequest): string =>
  spans.get(request)?.spanContext().traceId ?? "0".repeat(32);

/** Aborts when the client went away before its answer was complete. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** The host that the visitor asked for. Our own renderer asks over loopback and says in a header for whom. */
export function hostOf(request: FastifyRequest): string {
  const forwarded = request.headers["x-forwarded-host"];
  const isOurs = LOOPBACK.has(request.socket.remoteAddress ?? "");
  return (isOurs && typeof forwarded === "string" ? forwarded : request.headers.host) ?? "";
}
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);

export const ipOf = (request: FastifyRequest): string => request.socket.remoteAddress ?? "";

/** The country that a request comes from, as far as its address says; else the one that the operator named. */
export const marketOf = ({ geo }: Pick<WebParts, "geo">, request: FastifyRequest): string =>
  geo.countryOf(ipOf(request));

const LANGUAGES_MAX = 3;

/** The languages that a browser asks for, ISO 639-1, in its order. */
export const languagesOf = (request: FastifyRequest): string[] =>
  [
    ...new Set(
      (request.headers["accept-language"] ?? "")
        .slice(0, 200)
        .toLowerCase()
        .match(/(?<![\w-])[a-z]{2}(?=[-,;\s]|$)/g),
    ),
  ].slice(0, LANGUAGES_MAX);

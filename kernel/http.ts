import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { trace } from "@opentelemetry/api";
import type { Gate } from "./admission.ts";
import { type Problem, toProblem } from "./errors.ts";
import type { HttpMount } from "./service.ts";
import type { Metrics } from "./metrics.ts";
import type { Logger } from "./telemetry.ts";
import { inSpan } from "./telemetry.ts";
import { remoteSpan } from "./traceparent.ts";

/** An RFC 9457 problem document. Causes and stacks stay on our side; the trace id finds them. */
export function problemDocument(fault: Problem, instance: string, traceId: string): Record<string, unknown> {
  return {
    type: `/problems/${fault.reason}`,
    title: TITLES[fault.code],
    status: fault.status,
    detail: fault.message,
    instance,
    traceId,
    ...fault.details,
  };
}

const TITLES: Readonly<Record<Problem["code"], string>> = {
  canceled: "The request was given up",
  invalid_argument: "The request is not right",
  deadline_exceeded: "It took too long",
  not_found: "There is nothing here",
  already_exists: "It exists already",
  permission_denied: "This is not allowed",
  resource_exhausted: "Too much at once",
  failed_precondition: "Not now",
  aborted: "Somebody else was faster",
  unimplemented: "This cannot be done",
  internal: "Something went wrong on our side",
  unavailable: "Not available right now",
  unauthenticated: "Sign in first",
  unsupported_media: "This file cannot be used",
};

/** What a person at a browser is shown where a program gets the problem document. */
export type ProblemPage = (asked: {
  readonly status: number;
  readonly traceId: string;
  /** Where the person may try again: a path of this listener. */
  readonly retryPath: string;
  readonly acceptLanguage: string;
}) => { readonly headers: Readonly<Record<string, string>>; readonly body: string };

const ACCEPT_CHARS_MAX = 1_000;

/** Whether whoever asks would rather read HTML than JSON (RFC 9110, section 12.5.1): it is named, and no JSON is named with more weight. */
export function prefersHtml(accept: string | undefined): boolean {
  const weightOf = (types: readonly string[]): number =>
    (accept ?? "")
      .slice(0, ACCEPT_CHARS_MAX)
      .toLowerCase()
      .split(",")
      .map((range) => range.split(";").map((part) => part.trim()))
      .filter(([type = ""]) => types.includes(type))
      .map(([, ...parameters]) => Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1))
      .reduce((most, weight) => (weight > most ? weight : most), 0);
  const html = weightOf(["text/html", "application/xhtml+xml"]);
  return html > 0 && html >= weightOf(["application/json", "application/problem+json"]);
}

/** The same page again where it was asked for; where a form was sent, the page that has it. Never an address elsewhere. */
export function retryPathOf({ method, url, headers }: Pick<IncomingMessage, "method" | "url" | "headers">): string {
  const isLocal = (path: string): boolean => /^\/(?![/\\])/.test(path);
  if (method === "GET" || method === "HEAD") return isLocal(url ?? "") ? (url ?? "/") : "/";
  const from = URL.parse(headers.referer ?? "");
  const host = headers.host ?? headers[":authority"];
  return from !== null && from.host === host && isLocal(from.pathname) ? from.pathname + from.search : "/";
}

export const traceIdNow = (): string => trace.getActiveSpan()?.spanContext().traceId ?? "0".repeat(32);

/** Answers with what went wrong: a page of `page` for whoever prefers one, else the problem document. */
export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  page?: ProblemPage,
): void {
  const fault = toProblem(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const headers = {
    "cache-control": "no-store",
    ...(fault.retryAfterS === undefined ? {} : { "retry-after": String(Math.ceil(fault.retryAfterS)) }),
  };
  if (page && prefersHtml(request.headers.accept)) {
    const { headers: own, body } = page({
      status: fault.status,
      traceId: traceIdNow(),
      retryPath: retryPathOf(request),
      acceptLanguage: request.headers["accept-language"] ?? "",
    });
    response.writeHead(fault.status, { ...own, ...headers }).end(body);
    return;
  }
  const body = JSON.stringify(problemDocument(fault, path, traceIdNow()));
  response.writeHead(fault.status, {
    ...{ "content-type": "application/problem+json", "content-length": Buffer.byteLength(body) },
    ...{ "access-control-allow-origin": "*", ...headers },
  });
  response.end(body);
}

export interface Tls {
  readonly cert: string;
  readonly key: string;
}

export interface HttpServerOptions {
  readonly name: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls?: Tls | undefined;
  /** Goes on with the traces of who asks (W3C Trace Context): for our own edges, not for the world, which could fill ours with its ids. */
  readonly continuesTraces?: boolean;
  readonly mounts: readonly (Pick<HttpMount, "prefix" | "handle"> & { readonly service?: string })[];
  /** Whatever no mount takes. */
  readonly fallback: RequestListener;
  /** Where requests stand in line: at the first that has a place for one. */
  readonly gates?: readonly Gate[];
  /** What browsers are shown of a problem; without it they get the document as everybody. */
  readonly page?: ProblemPage | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface HttpListener {
  readonly port: number;
  /** Takes no new connections and ends those that are open, at once where they are idle, within the grace where they work. */
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 3_000;

/** One listener: mounts by prefix, then the fallback. With a certificate it speaks HTTP/2 and HTTP/1.1 over TLS. */
export async function listenHttp(options: HttpServerOptions): Promise<HttpListener> {
  const { mounts, fallback, gates = [], page, logger, metrics, name } = options;
  const sorted = mounts.toSorted((a, b) => b.prefix.length - a.prefix.length);
  const listener: RequestListener = (request, response) => {
    for (const gate of gates) {
      const place = gate.placeOf(request);
      if (place === null) continue;
      return gate.enter(
        place,
        response,
        () => answer(request, response),
        (error) => refuse(request, response, error),
      );
    }
    answer(request, response);
  };
  /** Programs come in thousands and are counted; a person's page has a code, which must lead to a trace. */
  function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (!page || !prefersHtml(request.headers.accept)) return sendProblem(request, response, error);
    void inSpan(`${request.method ?? "GET"} refused`, { "http.route": "gate" }, null, async () =>
      sendProblem(request, response, error, page),
    );
  }
  const answer: RequestListener = (request, response) => {
    const mount = sorted.find(({ prefix }) => request.url?.startsWith(prefix));
    if (!mount) return fallback(request, response);
    const started = performance.now();
    response.once("close", () =>
      metrics.requests.observe(
        { server: name, service: mount.service ?? name, route: mount.prefix, status: String(response.statusCode) },
        (performance.now() - started) / 1_000,
      ),
    );
    const parent = options.continuesTraces ? remoteSpan(request.headers["traceparent"]?.toString()) : null;
    void inSpan(`${request.method ?? "GET"} ${mount.prefix}`, { "http.route": mount.prefix }, parent, async () =>
      mount.handle(request, response),
    ).catch((error: unknown) => {
      const fault = toProblem(error);
      if (fault.status >= 500) logger.error("a request failed", { route: mount.prefix, error });
      sendProblem(request, response, fault, page);
    });
  };
  const server = (
    options.tls
      ? createSecureServer({ ...options.tls, allowHTTP1: true }, listener as never)
      : createServer({ maxHeaderSize: 32_768 }, listener)
  ) as Server;
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const sockets = new Set<{ destroy(): void }>();
  server.on(
    options.tls ? "secureConnection" : "connection",
    (socket: { destroy(): void; once(event: "close", done: () => void): void }) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    },
  );
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections?.();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, STOP_GRACE_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}

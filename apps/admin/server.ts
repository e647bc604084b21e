import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Backbone } from "#contracts/backbone";
import {
  audited,
  type Contract,
  isLoopback,
  type Logger,
  type Metrics,
  problem,
  systemClock,
  toProblem,
} from "#kernel";
import type { AuditLog } from "#kernel/audit";
import type { Host } from "#kernel/host";
import { sendProblem } from "#kernel/http";
import type { Flags } from "#kernel/ports/flags";
import type { Pseudonyms } from "#kernel/pseudonyms";
import { localTransport } from "#kernel/rpc";
import type { Traces } from "#kernel/tracing";
import { openBackboneCalls } from "./backbone.ts";
import { CODE_HEADER, DETAIL_TRAILER, openCalls, tenantOf } from "./calls.ts";
import { openFlagCalls } from "./flags.ts";
import { openHealth, readiness, sendJson, type States } from "./health.ts";
import { isCode, prepareSocket, usableAddress } from "./socket.ts";
import { openTracePages } from "./traces.ts";

export interface AdminOptions {
  readonly host: Pick<Host, "client" | "backbone">;
  readonly contracts: readonly Contract[];
  /** See `adminSocketPath`. */
  readonly socketPath: string;
  /** Of the TCP listener; 0 takes any free port. */
  readonly port: number;
  /** The address it listens on; it has no sign-in, so anything but loopback belongs behind a fence. */
  readonly bind: string;
  readonly flags: Flags;
  readonly metrics: Metrics;
  readonly audit: AuditLog;
  readonly logger: Logger;
  readonly pseudonyms: Pseudonyms;
  readonly traces: Traces;
  /** Production keeps /debug/traces shut; the socket shows them to the operator all the same. */
  readonly hasTracePages: boolean;
  readonly states: States;
  /** A backup of the whole product as plain bytes, which the command that asked for it encrypts. */
  readonly backup: (options: { readonly withMedia: boolean }) => AsyncIterable<Uint8Array>;
  /** A link to the operators' pages that lets one browser in, once. */
  readonly consoleLink: (tenant: string) => Promise<{ readonly url: string; readonly endsAtMs: number }>;
  /** What the operator's commands may show of this product, such as its address. Never secrets. */
  readonly about?: Readonly<Record<string, string | number>>;
}

export interface Admin {
  readonly port: number;
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 2_000;

/**
 * The operator's two doors: a Unix socket that may do anything (its permissions are the authentication), and a loopback
 * port for machines that watch: /metrics, /healthz, /readyz, /debug/traces.
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const address = usableAddress(options.socketPath);
  await prepareSocket(address);
  const socket = createServer(operatorListener(options));
  await listen(socket, () => socket.listen(address), address);
  if (process.platform !== "win32") await chmod(address, 0o600);
  const watch = createServer(watchListener(options));
  try {
    await listen(watch, () => watch.listen(options.port, options.bind), `${options.bind}:${options.port}`);
  } catch (error) {
    await close(socket);
    throw error;
  }
  return {
    port: (watch.address() as AddressInfo).port,
    async stop() {
      await Promise.all([close(socket), close(watch)]);
    },
  };
}

function operatorListener(options: AdminOptions): RequestListener {
  const { host, metrics, contracts, audit } = options;
  // The process answers for the event log itself, as a service would.
  const own = localTransport({ clock: systemClock, metrics });
  own.mount(Backbone, openBackboneCalls(host));
  const client: Host["client"] = (contract, caller) =>
    (contract.name === Backbone.name ? own : host).client(contract, caller);
  const calls = openCalls({ client }, [...contracts, Backbone], audit.of("admin"), options.logger);
  const flags = openFlagCalls(options.flags, options.contracts, audit.of("admin"));
  const startedAtMs = Date.now();
  return (request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    if (path.startsWith("/call/")) return void calls(request, response);
    if (path === "/flags" || path.startsWith("/flags/")) return void flags(request, response);
    if (path === "/about") {
      const about = { ...options.about, pid: process.pid, startedAtMs, memoryBytes: process.memoryUsage.rss() };
      return void readiness(options.states).then((ready) => sendJson(request, response, 200, { ...about, ...ready }));
    }
    if (path === "/backup") return void sendBackup(options.backup, request, response);
    if (path === "/console") return void sendConsoleLink(options, request, response);
    if (path === "/traces") return sendJson(request, response, 200, options.traces.latest());
    const [, id] = /^\/pseudonym\/([\w-]{1,64})$/.exec(path) ?? [];
    if (id !== undefined) return sendJson(request, response, 200, { pseudonym: options.pseudonyms.of(id) });
    sendProblem(
      request,
      response,
      problem.notFound(
        `'${path.slice(0, 200)}': there are /about, /backup, /console, /flags, /traces, /pseudonym/{id} and /call/{service}/{method}`,
      ),
    );
  };
}

/** What goes wrong when the answer has begun is said in its trailer: who reads it must not take it for whole. */
async function sendBackup(
  backup: AdminOptions["backup"],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    for await (const bytes of backup({ withMedia: !(request.url ?? "").endsWith("?media=0") })) {
      if (!response.headersSent) response.writeHead(200, { "content-type": "application/octet-stream" });
      if (!response.write(bytes)) await Promise.race([once(response, "drain"), once(response, "close")]);
      if (response.destroyed) return;
    }
    response.end();
  } catch (error) {
    const fault = toProblem(error);
    if (response.headersSent) {
      response.addTrailers({ [CODE_HEADER]: fault.code, [DETAIL_TRAILER]: encodeURIComponent(fault.message) });
      response.end();
      return;
    }
    response.setHeader(CODE_HEADER, fault.code);
    sendProblem(request, response, fault);
  }
}

/** `POST /console`: who may use the socket may enter the pages, and that somebody did is recorded. */
async function sendConsoleLink(
  { audit, consoleLink }: AdminOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (request.method !== "POST") throw problem.invalid(`${request.method ?? "?"} is not POST`);
    const tenant = tenantOf(request);
    const attempt = { tenant, who: "operator", what: "console.link", on: "", from: "socket" };
    const link = await audited(audit.of("admin"), attempt, () => consoleLink(tenant));
    response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
    response.end(JSON.stringify(link));
  } catch (error) {
    response.setHeader(CODE_HEADER, toProblem(error).code);
    sendProblem(request, response, error);
  }
}

function watchListener({ metrics, traces, hasTracePages, states, bind }: AdminOptions): RequestListener {
  const { healthz, readyz } = openHealth(states);
  const pages = hasTracePages ? openTracePages(traces) : null;
  return (request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    // A name of some web site that suddenly resolves to loopback (DNS rebinding) must not read what is for operators.
    if (isLoopback(bind) && !isLoopback(hostOf(request.headers.host))) {
      return sendProblem(request, response, problem.denied("this port answers to localhost only"));
    }
    if (path === "/healthz") return healthz(request, response);
    if (path === "/readyz") return void readyz(request, response);
    if (path === "/metrics") {
      return void metrics.text().then(
        (text) => response.writeHead(200, { "content-type": metrics.registry.contentType }).end(text),
        (error: unknown) => sendProblem(request, response, error),
      );
    }
    if (pages && (path === "/debug/traces" || path.startsWith("/debug/traces/"))) return pages(request, response);
    const there = ["/metrics", "/healthz", "/readyz", ...(pages ? ["/debug/traces"] : [])].join(", ");
    sendProblem(request, response, problem.notFound(`'${path.slice(0, 200)}' is not here: there are ${there}`));
  };
}

/** The name of a Host header without its port: `[::1]:8084` is `::1`. */
function hostOf(header: string | undefined): string {
  const host = (header ?? "").replace(/:\d+$/, "");
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

function listen(server: Server, begin: () => void, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        isCode(error, "EADDRINUSE")
          ? problem.precondition(`${where} is taken by another program: stop it, or choose another MARQUEE_PORT`, {
              cause: error,
            })
          : error,
      );
    });
    server.once("listening", resolve);
    begin();
  });
}

/** Lets calls that run finish for a moment, then ends them. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await closed;
  clearTimeout(cut);
}

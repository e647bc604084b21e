import { createSecureServer, type Http2ServerRequest, type Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { constants } from "node:crypto";
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { Audit } from "./audit.ts";
import type { CallPolicy } from "./call-policy.ts";
import type { Clock } from "./clock.ts";
import { DEFAULT_DEADLINE_MS } from "./context.ts";
import type { Contract } from "./contract.ts";
import { type Problem, problem, toProblem } from "./errors.ts";
import { type MeshIdentity, servicesOf } from "./mesh.ts";
import {
  CALLER_HEADER,
  contextOf,
  HEADERS_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  TIMEOUT_MS_MAX,
  toConnectError,
} from "./remote-wire.ts";
import type { Offered } from "./rpc.ts";
import type { Metrics } from "./metrics.ts";
import type { Logger } from "./telemetry.ts";

/** Answers calls of other processes: gRPC over HTTP/2 and TLS 1.3, to those alone who prove who they are and declared that they call us. */
export interface RemoteServer {
  readonly port: number;
  /** Takes no new calls, lets what runs finish within a grace, then ends the connections. */
  stop(): Promise<void>;
}

export interface RemoteServerOptions {
  readonly offered: Offered;
  readonly identity: MeshIdentity;
  readonly mayCall: CallPolicy;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears of processes that prove who they are and ask for what is not theirs. */
  readonly audit: Audit;
  readonly metrics: Metrics;
}

/** Who is at the other end of a connection, as their certificate says. */
interface Peer {
  readonly services: ReadonlySet<string>;
  readonly untilMs: number;
  readonly sinceMs: number;
}

const NOBODY: Peer = { services: new Set(), untilMs: 0, sinceMs: 0 };
const PEER = createContextKey<Peer>(NOBODY);
const CONNECTIONS_MAX = 1_024;
const STREAMS_MAX = 1_024;
const HANDSHAKE_MS_MAX = 10_000;
const SESSION_MEMORY_MB = 64;
const STREAM_RESETS_AT_ONCE_MAX = 10_000;
const STREAM_RESETS_PER_S_MAX = 2_000;
/** After it a connection is opened anew, so that both ends meet each other's present certificates, and new processes get their share. */
const CONNECTION_AGE_MS_MAX = 3_600_000;
const SWEEP_MS = 60_000;
const STOP_GRACE_MS = 3_000;

export async function listenRemote(options: RemoteServerOptions): Promise<RemoteServer> {
  const { identity, clock } = options;
  const sessions = new Map<Http2Session, Peer>();
  let isStopping = false;
  const gate = openGate(options, () => isStopping);
  const listener = connectNodeAdapter({
    ...{ grpc: true, grpcWeb: false, connect: false },
    acceptCompression: [],
    readMaxBytes: MESSAGE_BYTES_MAX,
    writeMaxBytes: MESSAGE_BYTES_MAX,
    maxTimeoutMs: TIMEOUT_MS_MAX,
    requestGate: gate,
    contextValues: (request) => {
      const session = (request as Http2ServerRequest).stream.session;
      return createContextValues().set(PEER, (session && sessions.get(session)) ?? NOBODY);
    },
    routes: (router) => {
      for (const contract of options.offered.contracts) mountContract(router, contract, options);
    },
  });
  const server = createSecureServer(
    {
      ...tlsOf(identity),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.3",
      // A resumed session would bring along a certificate that has ended since.
      secureOptions: constants.SSL_OP_NO_TICKET,
      handshakeTimeout: HANDSHAKE_MS_MAX,
      maxSessionMemory: SESSION_MEMORY_MB,
      // Losers of second sends are reset, which looks like a flood of resets where many calls are made; these peers are known.
      streamResetBurst: STREAM_RESETS_AT_ONCE_MAX,
      streamResetRate: STREAM_RESETS_PER_S_MAX,
      settings: { maxConcurrentStreams: STREAMS_MAX, maxHeaderListSize: HEADERS_BYTES_MAX },
    },
    listener,
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.on("session", (session) => {
    sessions.set(session, peerOf(session.socket as TLSSocket, clock));
    session.once("close", () => sessions.delete(session));
    // A connection that breaks is the other end's to open again; without a listener it would end this process.
    session.on("error", () => {});
    session.on("sessionError", () => {});
  });
  server.on("sessionError", () => {});
  server.on("tlsClientError", (error) => {
    if (isStopping) return;
    options.metrics
      .counter("rpc_refused_total", "Calls and connections that were refused", ["service", "reason"])
      .inc({ service: "", reason: "untrusted_peer" });
    options.logger.warn("a connection was refused: its certificate is missing or not ours", { error });
  });
  identity.onReplaced(() => server.setSecureContext(tlsOf(identity)));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const stopping = new AbortController();
  const sweeping = sweep(sessions, clock, stopping.signal);

  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      isStopping = true;
      stopping.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // GOAWAY: what runs may end, nothing new begins.
      for (const session of sessions.keys()) session.close();
      const cut = setTimeout(() => {
        for (const session of sessions.keys()) session.destroy();
      }, STOP_GRACE_MS);
      await closed;
      clearTimeout(cut);
      await sweeping;
    },
  };
}

function tlsOf(identity: MeshIdentity): { ca: string[]; cert: string; key: string } {
  const { ca, cert, key } = identity.tls();
  return { ca: [...ca], cert, key };
}

function peerOf(socket: TLSSocket, clock: Clock): Peer {
  const certificate = socket.getPeerX509Certificate();
  return {
    services: new Set(servicesOf(certificate?.subjectAltName)),
    untilMs: certificate ? Date.parse(certificate.validTo) : 0,
    sinceMs: clock.nowMs(),
  };
}

/** Ends connections that are old, or whose certificate is; those who want to go on open new ones. */
async function sweep(sessions: ReadonlyMap<Http2Session, Peer>, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(SWEEP_MS, signal).catch(() => {});
    const nowMs = clock.nowMs();
    for (const [session, { sinceMs, untilMs }] of sessions)
      if (nowMs - sinceMs >= CONNECTION_AGE_MS_MAX || nowMs >= untilMs) session.close();
  }
}

/** Decides before a message is read whether the caller may call. */
function openGate({ offered, mayCall, clock, logger, audit, metrics }: RemoteServerOptions, isStopping: () => boolean) {
  const names = new Map(offered.contracts.map(({ name, rpc }) => [rpc.typeName, name]));
  const refused = metrics.counter("rpc_refused_total", "Calls and connections that were refused", [
    "service",
    "reason",
  ]);

  function verdict(peer: Peer, caller: string, callee: string): Problem | undefined {
    if (isStopping()) return problem.unavailable(`${callee} is about to stop`, { reason: "draining" });
    if (clock.nowMs() >= peer.untilMs)
      return problem.unavailable("the certificate of this connection has ended", { reason: "certificate_ended" });
    if (!peer.services.has(caller)) {
      const named = [...peer.services].join(", ");
      return problem.denied(`a process that runs ${named} may not call as '${caller.slice(0, 80)}'`, {
        reason: "foreign_caller",
      });
    }
    if (!mayCall(caller, callee)) {
      return problem.denied(`${caller} does not declare that it calls ${callee}: add ${callee} to its uses`, {
        reason: "undeclared_call",
      });
    }
    return undefined;
  }

  return (context: HandlerContext): void => {
    const callee = names.get(context.service.typeName) ?? "";
    const caller = context.requestHeader.get(CALLER_HEADER) ?? "";
    const peer = context.values.get(PEER);
    const fault = verdict(peer, caller, callee);
    if (!fault) return;
    refused.inc({ service: callee, reason: fault.reason });
    if (fault.code === "permission_denied") {
      const details = { callee, caller: caller.slice(0, 80), peer: [...peer.services], reason: fault.reason };
      logger.warn("a call was refused", { ...details, method: context.method.name });
      void audit({
        ...{ tenant: "system", who: details.caller, what: "service.call", on: `${callee}/${context.method.name}` },
        ...{ from: `process of ${details.peer.join(" ")}`, outcome: fault.code, reason: fault.reason },
      }).catch((error: unknown) => logger.error("a refused call could not be recorded", { error }));
    }
    throw toConnectError(fault);
  };
}

function mountContract(router: ConnectRouter, contract: Contract, options: RemoteServerOptions): void {
  const { offered, clock, logger } = options;
  for (const method of contract.rpc.methods) {
    if (method.methodKind !== "unary") continue;
    const answer = async (request: Message, handler: HandlerContext) => {
      const patience = patienceOf(handler.signal);
      try {
        const deadlineMs = clock.nowMs() + (handler.timeoutMs() ?? DEFAULT_DEADLINE_MS);
        const context = contextOf(handler.requestHeader, { deadlineMs, signal: patience.signal });
        return await offered.answer(contract, method, request, context);
      } catch (error) {
        const fault = toProblem(error);
        // Its cause does not travel, so this is the last place that knows it.
        if (fault.code === "internal")
          logger.error("a call failed", { callee: contract.name, method: method.name, error });
        throw toConnectError(fault);
      } finally {
        patience.over();
      }
    };
    router.rpc(method as DescMethodUnary, answer);
  }
}

/**
 * Aborts when the caller gives up, and not, as the library's signal does, when the answer was given: what a handler left running in the
 * background lives on, as it does when the caller is in the same process. The deadline is held by the transport.
 */
function patienceOf(signal: AbortSignal): { readonly signal: AbortSignal; over(): void } {
  const patience = new AbortController();
  const onAbort = (): void => {
    const isDeadline = signal.reason instanceof ConnectError && signal.reason.code === Code.DeadlineExceeded;
    if (!isDeadline) patience.abort(signal.reason);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { signal: patience.signal, over: () => signal.removeEventListener("abort", onAbort) };
}

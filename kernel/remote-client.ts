import type { DescMethod, DescMethodUnary, Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { SpanKind } from "@opentelemetry/api";
import { openBreaker, type Breaker, type Outcome } from "./breaker.ts";
import type { Clock } from "./clock.ts";
import type { Context } from "./context.ts";
import type { Contract } from "./contract.ts";
import { type Problem, problem, toProblem } from "./errors.ts";
import { hedged, type LatencyBook, openLatencyBook } from "./hedge.ts";
import type { MeshIdentity } from "./mesh.ts";
import type { Peers } from "./peers.ts";
import type { AdapterState } from "./ports/state.ts";
import { type Connection, openConnection } from "./remote-connection.ts";
import { faultOf, headersOf, type Progress, TIMEOUT_MS_MAX } from "./remote-wire.ts";
import { type Budget, openBudget, withRetries } from "./retry.ts";
import type { Remote } from "./rpc.ts";
import type { Metrics } from "./metrics.ts";
import { inSpan, type Logger } from "./telemetry.ts";
import { gaveUp, within } from "./within.ts";

/**
 * Calls of services that run elsewhere, by gRPC over HTTP/2 and TLS 1.3: one connection an address, deadlines always, retries within a
 * budget and only where they are safe, a breaker for each service, and a second send of reads that are late.
 */
export interface RemoteClient extends Remote {
  /** What was learned of the services that were called so far, for /readyz. */
  state(): AdapterState;
  close(): void;
}

export interface RemoteClientOptions {
  readonly peers: Peers;
  readonly identity: MeshIdentity;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Between 0 and 1; for the spread of retries. */
  readonly random?: () => number;
}

const IN_FLIGHT_MAX = 2_048;
/** Below this, timers and scheduling decide who is late. */
const HEDGE_AFTER_MS_MIN = 5;

/** A service elsewhere, as this process knows it. */
interface Route {
  readonly addresses: readonly string[];
  readonly breaker: Breaker;
  readonly budget: Budget;
  readonly latencies: Map<string, LatencyBook>;
  next: number;
  inFlight: number;
}

/** A failed send and how far it had come; callers see the Problem only. */
class Failed extends Error {
  override readonly name = "Failed";
  readonly problem: Problem;
  readonly progress: Progress;
  constructor(fault: Problem, progress: Progress) {
    super(fault.message);
    this.problem = fault;
    this.progress = progress;
  }
}

export function openRemoteClient(options: RemoteClientOptions): RemoteClient {
  const { peers, identity, clock, metrics, logger, random = Math.random } = options;
  const routes = new Map<string, Route>();
  const connections = new Map<string, Connection>();
  const durations = metrics.histogram("rpc_client_duration_seconds", "Duration of calls that left the process", [
    "service",
    "method",
    "code",
  ]);
  const retries = metrics.counter("rpc_retries_total", "Sends of a call after its first one failed", ["service"]);
  const hedges = metrics.counter("rpc_hedges_total", "Second sends of reads that were late", ["service"]);
  const opened = metrics.gauge("rpc_circuit_open", "1 while calls of a service are not sent", ["service"]);

  function routeTo(service: string): Route {
    const known = routes.get(service);
    if (known) return known;
    const addresses = peers(service);
    if (addresses.length === 0) {
      throw problem.unavailable(
        `service '${service}' does not run in this process and has no address: add ${service}=https://HOST:PORT to MARQUEE_PEERS`,
        { reason: "no_address" },
      );
    }
    const breaker = openBreaker({
      name: service,
      clock,
      onChange(state) {
        opened.set({ service }, state === "closed" ? 0 : 1);
        logger.warn(`the circuit of a service is ${state}`, { callee: service });
      },
    });
    const route: Route = { addresses, breaker, budget: openBudget(), latencies: new Map(), next: 0, inFlight: 0 };
    routes.set(service, route);
    return route;
  }

  function connectionTo(address: string): Connection {
    const known = connections.get(address) ?? openConnection({ address, identity, clock });
    connections.set(address, known);
    return known;
  }

  async function sendOnce(
    connection: Connection,
    contract: Contract,
    method: DescMethodUnary,
    request: Message,
    context: Context,
  ): Promise<Message> {
    const what = `${contract.name}.${method.name}`;
    const leftMs = (): number => Math.min(TIMEOUT_MS_MAX, Math.ceil(context.deadlineMs - clock.nowMs()));
    if (leftMs() <= 0) throw new Failed(problem.deadline(`${what} was called after its deadline`), "refused");
    await within(leftMs(), what, context.signal, connection.ready(contract.name)).catch((error: unknown) => {
      throw new Failed(toProblem(error), "refused");
    });
    try {
      const timeoutMs = Math.max(1, leftMs());
      const { message } = await connection.transport.unary(
        method,
        context.signal,
        timeoutMs,
        headersOf(context),
        request,
      );
      return message;
    } catch (error) {
      const fault = faultOf(error, what, context.signal.aborted);
      throw new Failed(fault.problem, fault.progress);
    }
  }

  /** One try: sent once, or twice where it is a read that is late. The breaker hears of the try, not of its sends. */
  async function attempt(route: Route, sending: Sending): Promise<Message> {
    const { contract, method, request, context } = sending;
    const send = async (signal: AbortSignal): Promise<Message> => {
      // Another try and a second send go to another address, where there is one.
      const address = route.addresses[sending.next++ % route.addresses.length] ?? "";
      const began = performance.now();
      const answer = await sendOnce(connectionTo(address), contract, method, request, { ...context, signal });
      book?.add(performance.now() - began);
      return answer;
    };
    const book = isRead(method) ? bookOf(route, method) : undefined;
    const p95Ms = book?.p95Ms();
    const admission = route.breaker.admit();
    try {
      const answer = await (p95Ms === undefined
        ? send(context.signal)
        : hedged(send, {
            clock,
            budget: route.budget,
            signal: context.signal,
            afterMs: Math.max(HEDGE_AFTER_MS_MIN, p95Ms),
            isFinal: (error) => !(error instanceof Failed && error.problem.retryable),
            onHedge: () => hedges.inc({ service: contract.name }),
          }));
      admission("ok");
      return answer;
    } catch (error) {
      admission(outcomeOf(error));
      throw error;
    }
  }

  return {
    async call(contract, method, request, from) {
      const started = performance.now();
      let code = "ok";
      try {
        return await inSpan(
          `${contract.name}/${method.name}`,
          { "rpc.system": "grpc", "rpc.service": contract.name, "rpc.method": method.name },
          from.span,
          async (span) => {
            if (from.signal.aborted) throw gaveUp(`${contract.name}.${method.name}`);
            const route = routeTo(contract.name);
            if (route.inFlight >= IN_FLIGHT_MAX) {
              throw problem.exhausted(`${route.inFlight} calls of ${contract.name} wait for an answer already`, {
                reason: "calls_in_flight",
                retryAfterS: 1,
              });
            }
            const sending: Sending = {
              ...{ contract, method: unaryOf(method), request, context: { ...from, span } },
              next: route.next++,
            };
            route.inFlight++;
            try {
              return await withRetries(() => attempt(route, sending), {
                ...{ clock, random, deadlineMs: from.deadlineMs, signal: from.signal, budget: route.budget },
                waitMsOf: (error) => waitMsOf(error, method),
                onRetry: () => retries.inc({ service: contract.name }),
              });
            } catch (error) {
              throw error instanceof Failed ? error.problem : error;
            } finally {
              route.inFlight--;
            }
          },
          SpanKind.CLIENT,
        );
      } catch (error) {
        const fault = toProblem(error);
        code = fault.code;
        throw fault;
      } finally {
        durations.observe({ service: contract.name, method: method.name, code }, (performance.now() - started) / 1_000);
      }
    },
    state() {
      const open = [...routes].filter(([, { breaker }]) => breaker.state !== "closed").map(([service]) => service);
      const mesh = identity.state();
      if (open.length === 0) return mesh;
      // Not ready would take this process away from those whom it can serve all the same.
      return { ok: mesh.ok, detail: `${mesh.detail}; not answering: ${open.join(", ")}` };
    },
    close() {
      for (const connection of connections.values()) connection.close();
      connections.clear();
    },
  };
}

interface Sending {
  readonly contract: Contract;
  readonly method: DescMethodUnary;
  readonly request: Message;
  readonly context: Context;
  /** The place in the list of addresses that the next send goes to. */
  next: number;
}

function unaryOf(method: DescMethod): DescMethodUnary {
  if (method.methodKind === "unary") return method as DescMethodUnary;
  throw problem.internal(`${method.name} is a stream, and services call each other by single messages`);
}

const isRead = (method: DescMethod): boolean => method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
const isRepeatable = (method: DescMethod): boolean =>
  isRead(method) || method.idempotency === MethodOptions_IdempotencyLevel.IDEMPOTENT;

function bookOf(route: Route, method: DescMethod): LatencyBook {
  const book = route.latencies.get(method.name) ?? openLatencyBook();
  route.latencies.set(method.name, book);
  return book;
}

/** A change whose fate is unknown is never sent again; one that was not processed is, and so is what has no effect. */
function waitMsOf(error: unknown, method: DescMethod): number | undefined {
  if (!(error instanceof Failed)) return undefined;
  const { problem: fault, progress } = error;
  if (!fault.retryable || fault.code === "deadline_exceeded") return undefined;
  if (progress !== "refused" && !isRepeatable(method)) return undefined;
  return (fault.retryAfterS ?? 0) * 1_000;
}

/** A service that answers is well, whatever it answers; `unavailable` and silence are what a breaker is for. */
function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Failed)) return "unknown";
  const { code } = error.problem;
  if (code === "canceled") return "unknown";
  return code === "unavailable" || code === "deadline_exceeded" ? "failed" : "ok";
}

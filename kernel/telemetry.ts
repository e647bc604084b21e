import { createHmac, randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import {
  type Context as OtelContext,
  context as otel,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import pino from "pino";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { toProblem } from "./errors.ts";

/** A structured logger with the fields of ARCH-001 section 9. Personal data is masked before it is written. */
export interface Logger {
  debug(message: string, attributes?: Attributes): void;
  info(message: string, attributes?: Attributes): void;
  warn(message: string, attributes?: Attributes): void;
  error(message: string, attributes?: Attributes): void;
}
export type Attributes = Readonly<Record<string, unknown>>;

const SECRET = /(password|passphrase|secret|token|cookie|authorization|credential)s?$|(key|pin)$/i;
const EMAIL = /[\w.+-]+@[\w-]+\.[\w.-]+/g;
const IPV4 = /\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g;
const IPV6 = /(?<![\w:.])[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*/gi;
const BEARER = /\b(CAT=|Bearer |DPoP |Authorization: Basic )[\w.~+/=-]+/g;
const JWT = /\beyJ[\w-]+\.[\w-]+(\.[\w-]*)*/g;
const ASSIGNED = /\b([\w-]*(?:password|secret|token))=[^&\s"']+/gi;
const PERSON = /\b(usr|prf)_[0-9a-z]+/g;
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/**
 * Ids of people are written as pseudonyms. The key is this process' own and nowhere else, so that lines about one person can be found together,
 * and after the process has ended nobody can say whom a line is about (ADR 0018).
 */
const pseudonymKey = randomBytes(32);
const pseudonymOf = (id: string, kind: string): string =>
  `${kind}~${createHmac("sha256", pseudonymKey).update(id).digest("hex").slice(0, 12)}`;

/** Masks e-mail addresses, client addresses, tokens, passwords and ids of people in text. Loopback stays: it tells nothing about a person. */
export const maskText = (text: string): string =>
  text
    .replace(USER_INFO, "$1<secret>@")
    .replace(EMAIL, "<email>")
    .replace(BEARER, "$1<token>")
    .replace(JWT, "<token>")
    .replace(ASSIGNED, "$1=<secret>")
    .replace(PERSON, pseudonymOf)
    .replace(IPV6, (text) => (isIPv6(text) && text !== "::1" && text !== "::" ? "<ip>" : text))
    .replace(IPV4, (ip) => (ip.startsWith("127.") || ip === "0.0.0.0" ? ip : "<ip>"));

function maskValue(name: string, value: unknown, depth: number): unknown {
  if (SECRET.test(name)) return "<secret>";
  if (typeof value === "string") return maskText(value.slice(0, 2_000));
  if (value instanceof Error) return describeError(value, depth);
  if (value === null || typeof value !== "object") return value;
  if (depth > 4) return "<deep>";
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => maskValue("", item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 50)
      .map(([key, item]) => [key, maskValue(key, item, depth + 1)]),
  );
}

function describeError(error: Error, depth: number): Attributes {
  return {
    name: error.name,
    message: maskText(error.message),
    stack: error.stack ? maskText(error.stack.split("\n").slice(0, 8).join("\n")) : undefined,
    cause: error.cause === undefined || depth > 3 ? undefined : maskValue("", error.cause, depth + 1),
  };
}

export interface LogSink {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Where lines go: standard output, or a file by path. */
  readonly file?: string | undefined;
}

export function openLogger(sink: LogSink): (service: string) => Logger {
  const destination = pino.destination({ dest: sink.file ?? 1, sync: false, mkdir: true });
  const root = pino(
    {
      level: sink.level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    destination,
  );
  return (service) => {
    const at =
      (level: LogSink["level"]) =>
      (message: string, attributes: Attributes = {}): void => {
        if (!root.isLevelEnabled(level)) return;
        const span = trace.getActiveSpan()?.spanContext();
        const { user_id, ...rest } = attributes as { user_id?: unknown };
        root[level](
          {
            service,
            ...(span ? { trace_id: span.traceId, span_id: span.spanId } : {}),
            ...(user_id === undefined ? {} : { user_id: maskText(String(user_id)) }),
            ...(Object.keys(rest).length > 0 ? { attributes: maskValue("", rest, 0) } : {}),
          },
          maskText(message),
        );
      };
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  };
}

/** A logger that says nothing, for tests. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Prometheus metrics: RED for every service from the kernel, business metrics by name. */
export function openMetrics() {
  const registry = new Registry();
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
  const registers = [registry];
  const once = <T>(make: (name: string, help: string, labels: readonly string[]) => T) => {
    const made = new Map<string, T>();
    return (name: string, help: string, labels: readonly string[] = []): T => {
      const known = made.get(name) ?? make(name, help, labels);
      made.set(name, known);
      return known;
    };
  };
  return {
    registry,
    calls: new Histogram({
      name: "marquee_call_duration_seconds",
      help: "Duration of service calls",
      labelNames: ["service", "method", "code"],
      buckets,
      registers,
    }),
    requests: new Histogram({
      name: "marquee_http_duration_seconds",
      help: "Duration of HTTP requests",
      labelNames: ["server", "route", "status"],
      buckets,
      registers,
    }),
    events: new Counter({
      name: "marquee_events_total",
      help: "Events handled, by consumer and outcome",
      labelNames: ["service", "event", "outcome"],
      registers,
    }),
    lag: new Gauge({
      name: "marquee_outbox_pending",
      help: "Events committed and not yet in the log",
      labelNames: ["service"],
      registers,
    }),
    counter: once((name, help, labelNames) => new Counter({ name: `marquee_${name}`, help, labelNames, registers })),
    gauge: once((name, help, labelNames) => new Gauge({ name: `marquee_${name}`, help, labelNames, registers })),
    histogram: once(
      (name, help, labelNames) => new Histogram({ name: `marquee_${name}`, help, labelNames, buckets, registers }),
    ),
  };
}
export type Metrics = ReturnType<typeof openMetrics>;

/** Runs `work` in a span that is the active one meanwhile; a rejection marks it as an error. `parent` null starts a trace. */
export async function inSpan<T>(
  name: string,
  attributes: Readonly<Record<string, string | number | boolean>>,
  parent: Span | OtelContext | null,
  work: (span: Span) => Promise<T>,
  kind: SpanKind = SpanKind.INTERNAL,
  /** Other traces that this work came of. */
  linked: readonly SpanContext[] = [],
): Promise<T> {
  const from =
    parent === null ? otel.active() : "spanContext" in parent ? trace.setSpan(otel.active(), parent) : parent;
  // Asked for each time: a tracer that was taken once would stay with a tracing that has been stopped since.
  const span = trace
    .getTracer("marquee")
    .startSpan(name, { attributes, kind, links: linked.map((context) => ({ context })) }, from);
  try {
    return await otel.with(trace.setSpan(from, span), () => work(span));
  } catch (error) {
    const fault = toProblem(error);
    span.setAttribute("marquee.code", fault.code);
    if (fault.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR, message: fault.code });
    throw error;
  } finally {
    span.end();
  }
}

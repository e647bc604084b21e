import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  type ContextManager,
  context,
  diag,
  DiagLogLevel,
  type HrTime,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { maskText } from "./mask.ts";
import { VIEWER } from "./pseudonyms.ts";

/** One finished span, as /debug/traces shows it. */
export interface SpanRecord {
  readonly spanId: string;
  /** Empty for the first span of this process. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, string>>;
  /** Ids of other traces that this work came of, such as those that emitted the events of a batch. */
  readonly linkedTraceIds: readonly string[];
}

export interface TraceRecord {
  readonly traceId: string;
  /** The name of its first span. */
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly isError: boolean;
  readonly spans: readonly SpanRecord[];
}

/** The last traces that were kept, in memory. */
export interface Traces {
  /** Newest first. */
  latest(): readonly TraceRecord[];
  find(traceId: string): TraceRecord | undefined;
}

export interface TracingOptions {
  readonly mode: "development" | "production";
  /** What this process is called, beside others of the product. */
  readonly serviceName?: string | undefined;
  /** Base address of an OTLP collector that takes JSON over HTTP, such as `http://127.0.0.1:4318`. */
  readonly otlpEndpoint?: string | undefined;
  /** The share of ordinary traces that is kept, 0 to 1; default: all in development, a tenth in production. */
  readonly ratio?: number | undefined;
  /** Pseudonyms of people whose traces are all kept. */
  readonly users?: ReadonlySet<string> | undefined;
  /** Takes the kept spans instead of the OTLP exporter; for tests. */
  readonly exporter?: SpanExporter;
  /** Hears of exports that failed. */
  readonly log?: (line: string) => void;
}

export interface Tracing {
  readonly traces: Traces;
  /** Exports what is left and gives the process back its silence. */
  stop(): Promise<void>;
}

const TRACES_MAX = 200;
const SPANS_OF_TRACE_MAX = 500;
/** Traces that have begun and not ended. What is older than so many others is taken for finished. */
const PENDING_MAX = 2_000;
const ATTRIBUTE_LENGTH_MAX = 500;
/** ARCH-001 section 9: all errors, all of flagged users, a tenth of normal traffic. */
const PRODUCTION_RATIO = 0.1;

/**
 * Sets up OpenTelemetry for this process: a context that follows promises, and traces that are judged when they are over
 * (a trace with an error is always kept, which a decision at its beginning could not promise).
 */
export function startTracing(options: TracingOptions): Tracing {
  const exporter =
    options.exporter ??
    (options.otlpEndpoint === undefined
      ? undefined
      : new OTLPTraceExporter({ url: `${options.otlpEndpoint.replace(/\/+$/, "")}/v1/traces` }));
  const batches = exporter && new BatchSpanProcessor({ exporter });
  const ring = openRing();
  const ratio = options.ratio ?? (options.mode === "production" ? PRODUCTION_RATIO : 1);
  const users: ReadonlySet<unknown> = options.users ?? new Set();
  const tail = tailSampling({
    isFlagged: ({ status, attributes }) => status.code === SpanStatusCode.ERROR || users.has(attributes[VIEWER]),
    keeps: (traceId, isFlagged) => isFlagged || ring.has(traceId) || share(traceId) < ratio,
    take(spans) {
      ring.add(spans);
      for (const span of spans) batches?.onEnd(span);
    },
    flush: async () => batches?.forceFlush(),
    stop: async () => batches?.shutdown(),
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": options.serviceName ?? "marquee",
      "service.namespace": "marquee",
      "deployment.environment.name": options.mode,
    }),
    sampler: new AlwaysOnSampler(),
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_LENGTH_MAX, attributeCountLimit: 64 },
    spanProcessors: [tail],
  });
  const log = options.log;
  if (log) {
    const say = (message: string, ...rest: unknown[]): void => log(maskText([message, ...rest].map(String).join(" ")));
    const none = (): void => {};
    diag.setLogger(
      { error: say, warn: say, info: none, debug: none, verbose: none },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
  }
  context.setGlobalContextManager(asyncContext());
  trace.setGlobalTracerProvider(provider);
  return {
    traces: ring,
    async stop() {
      await provider.shutdown().catch((error: unknown) => log?.(`the last traces were not exported: ${String(error)}`));
      trace.disable();
      context.disable();
      diag.disable();
    },
  };
}

/** Every process comes to the same verdict on a trace, because it reads it off the id (W3C Trace Context: random bytes). */
function share(traceId: string): number {
  return Number.parseInt(traceId.slice(-8), 16) / 0x1_0000_0000;
}

/** The active OpenTelemetry context follows promises and timers. */
export function asyncContext(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, work, self, ...args) => storage.run(active, () => work.apply(self, args)),
    bind<T>(active: Context, target: T): T {
      if (typeof target !== "function") return target;
      const call = target;
      return function bound(this: unknown, ...args: unknown[]): unknown {
        return storage.run(active, () => Reflect.apply(call, this, args));
      } as T;
    },
    enable: () => manager,
    disable() {
      storage.disable();
      return manager;
    },
  };
  return manager;
}

interface Judge {
  /** Whether this span alone is a reason to keep its trace. */
  isFlagged(span: ReadableSpan): boolean;
  keeps(traceId: string, isFlagged: boolean): boolean;
  take(spans: readonly ReadableSpan[]): void;
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** Collects the spans of a trace until none of them is open any more, then keeps all of them or none. */
function tailSampling(judge: Judge): SpanProcessor {
  const pending = new Map<string, { open: number; isFlagged: boolean; readonly spans: ReadableSpan[] }>();
  const settle = (traceId: string): void => {
    const found = pending.get(traceId);
    pending.delete(traceId);
    if (found && judge.keeps(traceId, found.isFlagged)) judge.take(found.spans);
  };
  return {
    onStart(span) {
      const { traceId } = span.spanContext();
      const found = pending.get(traceId);
      if (found) {
        found.open++;
        return;
      }
      if (pending.size >= PENDING_MAX) {
        const [oldest] = pending.keys();
        if (oldest !== undefined) settle(oldest);
      }
      pending.set(traceId, { open: 1, isFlagged: false, spans: [] });
    },
    onEnd(span) {
      const { traceId } = span.spanContext();
      // A trace that was settled as too old comes back for the spans that end after that.
      const found = pending.get(traceId) ?? { open: 1, isFlagged: false, spans: [] };
      pending.set(traceId, found);
      found.open--;
      found.isFlagged ||= judge.isFlagged(span);
      if (found.spans.length < SPANS_OF_TRACE_MAX) found.spans.push(span);
      if (found.open <= 0) settle(traceId);
    },
    forceFlush: () => judge.flush(),
    async shutdown() {
      for (const traceId of [...pending.keys()]) settle(traceId);
      await judge.stop();
    },
  };
}

/** Keeps spans as they are, and makes records of them for who looks: few are ever looked at. */
function openRing(): Traces & { has(traceId: string): boolean; add(spans: readonly ReadableSpan[]): void } {
  const kept = new Map<string, readonly ReadableSpan[]>();
  const shown = (traceId: string, spans: readonly ReadableSpan[]) => toTrace(traceId, spans.map(toSpan));
  return {
    latest: () => [...kept].toReversed().map(([traceId, spans]) => shown(traceId, spans)),
    find(traceId) {
      const spans = kept.get(traceId);
      return spans && shown(traceId, spans);
    },
    has: (traceId) => kept.has(traceId),
    add(spans) {
      const [first] = spans;
      if (!first) return;
      const { traceId } = first.spanContext();
      const known = kept.get(traceId);
      kept.delete(traceId);
      kept.set(traceId, known ? [...known, ...spans].slice(0, SPANS_OF_TRACE_MAX) : spans);
      while (kept.size > TRACES_MAX) {
        const [oldest] = kept.keys();
        if (oldest === undefined) break;
        kept.delete(oldest);
      }
    },
  };
}

function toTrace(traceId: string, unsorted: readonly SpanRecord[]): TraceRecord {
  const spans = unsorted.toSorted((a, b) => a.startMs - b.startMs);
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const endMs = Math.max(...spans.map((span) => span.startMs + span.durationMs));
  const ids = new Set(spans.map((span) => span.spanId));
  const first = spans.find((span) => !ids.has(span.parentSpanId)) ?? spans[0];
  return {
    traceId,
    name: first?.name ?? "",
    startMs,
    durationMs: endMs - startMs,
    isError: spans.some((span) => span.isError),
    spans,
  };
}

function toSpan(span: ReadableSpan): SpanRecord {
  return {
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? "",
    name: maskText(span.name),
    startMs: toMs(span.startTime),
    durationMs: toMs(span.duration),
    isError: span.status.code === SpanStatusCode.ERROR,
    attributes: Object.fromEntries(
      Object.entries(span.attributes).map(([name, value]) => [name, maskText(String(value))]),
    ),
    linkedTraceIds: [...new Set(span.links.map(({ context: linked }) => linked.traceId))],
  };
}

const toMs = ([seconds, nanoseconds]: HrTime): number => seconds * 1_000 + nanoseconds / 1e6;

import {
  type Context as OtelContext,
  context as otel,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { renameSync, statSync } from "node:fs";
import pino from "pino";
import { toProblem } from "./errors.ts";
import { openMask } from "./mask.ts";
import type { Pseudonyms } from "./pseudonyms.ts";

/** A structured logger with the fields of ARCH-001 section 9. Personal data is masked before it is written. */
export interface Logger {
  debug(message: string, attributes?: Attributes): void;
  info(message: string, attributes?: Attributes): void;
  warn(message: string, attributes?: Attributes): void;
  error(message: string, attributes?: Attributes): void;
}
export type Attributes = Readonly<Record<string, unknown>>;

export interface LogSink {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Where lines go: standard output, or a file by path. */
  readonly file?: string | undefined;
  /** A file that becomes larger is put aside as `FILE.1`, in place of the one before it. */
  readonly fileBytesMax?: number;
  /** What people are called; without it they are all the same. */
  readonly pseudonyms?: Pseudonyms | undefined;
}

const WAITING_BYTES_MAX = 8 * 1024 * 1024;
const FILE_BYTES_MAX = 128 * 1024 * 1024;

export function openLogger(sink: LogSink): (service: string) => Logger {
  const mask = openMask(sink.pseudonyms);
  const destination = pino.destination({
    dest: sink.file ?? 1,
    sync: false,
    mkdir: true,
    maxLength: WAITING_BYTES_MAX,
  });
  // A full disk is no reason to end: lines wait until there is room, and when too many do the newest are dropped. Nor is it one never to end:
  // who waited for the last line to be written would wait for ever.
  destination.on("error", () => Object.assign(destination, { flush: () => undefined, flushSync: () => undefined }));
  if (sink.file !== undefined) keepSmall(destination, sink.file, sink.fileBytesMax ?? FILE_BYTES_MAX);
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
            ...(user_id === undefined ? {} : { user_id: mask.value("user_id", String(user_id)) }),
            ...(Object.keys(rest).length > 0 ? { attributes: mask.value("", rest) } : {}),
          },
          mask.text(message),
        );
      };
    return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  };
}

/** Nobody looks after the log of a product that runs at home: it has an end, or it would fill the disk. */
function keepSmall(destination: ReturnType<typeof pino.destination>, file: string, bytesMax: number): void {
  const found = statSync(file, { throwIfNoEntry: false });
  // A device, or a pipe to somebody else, is not ours to rename.
  if (found && !found.isFile()) return;
  let bytes = found?.size ?? 0;
  destination.on("write", (written: number) => {
    bytes += written;
    if (bytes < bytesMax) return;
    bytes = 0;
    try {
      renameSync(file, `${file}.1`);
    } catch {
      // Somebody else took it away, and then there is nothing to put aside.
    }
    destination.reopen();
  });
}

/** A logger that says nothing, for tests. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

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

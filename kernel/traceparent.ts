/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/, version 00): the header that carries a trace from one process to the next.
 *
 *   traceparent = "00-" 32HEXDIGLC "-" 16HEXDIGLC "-" 2HEXDIGLC     ; trace id, parent id, flags; no id is all zeros
 */
import { type Span, type SpanContext, trace, TraceFlags } from "@opentelemetry/api";

const FORM = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The header of a span, by default the active one; undefined where nothing is traced. */
export function traceparentOf(span: Span | null | undefined = trace.getActiveSpan()): string | undefined {
  const of = span?.spanContext();
  if (!of || !trace.isSpanContextValid(of)) return undefined;
  return `00-${of.traceId}-${of.spanId}-${of.traceFlags.toString(16).padStart(2, "0")}`;
}

/** The span that a header names; undefined where it names none. A header that is not one begins a new trace, as the specification says. */
export function spanContextOf(header: string | null | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = FORM.exec(header ?? "") ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

/** The same as a span that can be a parent. */
export function remoteSpan(header: string | null | undefined): Span | null {
  const of = spanContextOf(header);
  return of ? trace.wrapSpanContext(of) : null;
}

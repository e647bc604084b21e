/**
 * Traces as a collector writes them: OTLP's JSON (opentelemetry-proto, ExportTraceServiceRequest), one request a line, as the file exporter of
 * the OpenTelemetry Collector does. Spans of one trace come from several processes, in any order.
 */
import { z } from "zod";
import { problem } from "#kernel";

export interface Span {
  readonly spanId: string;
  /** Empty for the first one. */
  readonly parentSpanId: string;
  /** The `service.name` of the process that it was in. */
  readonly process: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  /** Since 1970. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Trace {
  readonly traceId: string;
  /** By their beginning. */
  readonly spans: readonly Span[];
}

const KINDS = ["internal", "internal", "server", "client", "producer", "consumer"] as const;
const STATUS_ERROR = 2;

const Attributes = z
  .array(
    z.object({
      key: z.string(),
      value: z.object({
        stringValue: z.string().optional(),
        intValue: z.union([z.string(), z.number()]).optional(),
        doubleValue: z.number().optional(),
        boolValue: z.boolean().optional(),
      }),
    }),
  )
  .default([])
  .transform(
    (list): Readonly<Record<string, string>> =>
      Object.fromEntries(
        list.map(({ key, value }) => [
          key,
          String(value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue ?? ""),
        ]),
      ),
  );
const Nanoseconds = z.union([z.string().regex(/^\d{1,20}$/), z.number()]).transform((value) => BigInt(value));
const Request = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: z.object({ attributes: Attributes }).default({ attributes: {} }),
        scopeSpans: z
          .array(
            z.object({
              spans: z
                .array(
                  z.object({
                    traceId: z.string().regex(/^[0-9a-fA-F]{32}$/),
                    spanId: z.string().regex(/^[0-9a-fA-F]{16}$/),
                    parentSpanId: z.string().default(""),
                    name: z.string(),
                    kind: z.number().int().default(0),
                    startTimeUnixNano: Nanoseconds,
                    endTimeUnixNano: Nanoseconds,
                    attributes: Attributes,
                    status: z.object({ code: z.number().int().default(0) }).default({ code: 0 }),
                  }),
                )
                .default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

const toMs = (nanoseconds: bigint): number => Number(nanoseconds / 1_000n) / 1_000;

/**
 * Every trace of a collector's file, the last to begin first; `invalid_argument` names the line that is no such request. What follows the last
 * end of line is still being written and is left out.
 */
export function parseTraces(text: string): Trace[] {
  const found = new Map<string, Map<string, Span>>();
  for (const [index, line] of text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .entries()) {
    if (line.trim() === "") continue;
    for (const { resource, scopeSpans } of requestOf(line, index + 1).resourceSpans)
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        const traceId = span.traceId.toLowerCase();
        const spans = found.get(traceId) ?? new Map<string, Span>();
        found.set(traceId, spans);
        // A request that was not answered is sent again, so the same span may be there twice.
        spans.set(span.spanId, {
          spanId: span.spanId.toLowerCase(),
          parentSpanId: span.parentSpanId.toLowerCase(),
          process: resource.attributes["service.name"] ?? "unknown",
          name: span.name,
          kind: KINDS[span.kind] ?? "internal",
          startMs: toMs(span.startTimeUnixNano),
          durationMs: toMs(span.endTimeUnixNano - span.startTimeUnixNano),
          isError: span.status.code === STATUS_ERROR,
          attributes: span.attributes,
        });
      }
  }
  return [...found]
    .map(([traceId, spans]) => ({ traceId, spans: [...spans.values()].toSorted((a, b) => a.startMs - b.startMs) }))
    .toSorted((a, b) => (b.spans[0]?.startMs ?? 0) - (a.spans[0]?.startMs ?? 0));
}

function requestOf(line: string, number: number): z.infer<typeof Request> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const parsed = Request.safeParse(value);
  if (parsed.success) return parsed.data;
  throw problem.invalid(
    `line ${number} ('${line.slice(0, 40)}') is no request of OTLP in JSON: name the file that a collector's file exporter writes`,
  );
}

/** The processes of a trace, in the order in which it came to them. */
export const processesOf = ({ spans }: Trace): string[] => [...new Set(spans.map(({ process }) => process))];

export interface Row {
  readonly span: Span;
  /** How many spans it is below the first one. */
  readonly depth: number;
}

/** Spans as a tree read from the top: each below the one that it came of. Those that only a circle leads to stand for themselves. */
export function rowsOf({ spans }: Trace): Row[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentSpanId }) => parentSpanId);
  const rows = new Map<string, Row>();
  const begin = [...spans.filter(({ parentSpanId }) => !ids.has(parentSpanId)), ...spans];
  const stack = begin.toReversed().map((span): Row => ({ span, depth: 0 }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { span, depth } = next;
    if (rows.has(span.spanId)) continue;
    rows.set(span.spanId, next);
    for (const child of (children.get(span.spanId) ?? []).toReversed()) stack.push({ span: child, depth: depth + 1 });
  }
  return [...rows.values()];
}

/** From the beginning of the first to the end of the last. */
export function extentOf({ spans }: Trace): { readonly startMs: number; readonly durationMs: number } {
  const startMs = Math.min(...spans.map((span) => span.startMs));
  return { startMs, durationMs: Math.max(...spans.map((span) => span.startMs + span.durationMs)) - startMs };
}

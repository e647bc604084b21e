import type { IncomingMessage, ServerResponse } from "node:http";
import { problem } from "#kernel";
import { sendProblem } from "#kernel/http";
import type { SpanRecord, TraceRecord, Traces } from "#kernel/tracing";
import { sendJson } from "./health.ts";

/** GET /debug/traces and /debug/traces/{id}: the last traces as a page, or with `?format=json` as data. Development only. */
export function openTracePages(traces: Traces) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const id = url.pathname.replace(/^\/debug\/traces\/?/, "");
    const isJson = url.searchParams.get("format") === "json";
    if (id === "") {
      const latest = traces.latest();
      if (isJson)
        return sendJson(request, response, 200, {
          traces: latest.map(({ spans, ...rest }) => ({ ...rest, spans: spans.length })),
        });
      return sendPage(response, "Traces", listPage(latest));
    }
    const found = traces.find(id);
    if (!found) {
      const fault = problem.notFound(`trace '${id.slice(0, 64)}' is not among the last ones`, {
        reason: "trace_unknown",
      });
      return sendProblem(request, response, fault);
    }
    if (isJson) return sendJson(request, response, 200, found);
    return sendPage(response, found.name, tracePage(found));
  };
}

function listPage(traces: readonly TraceRecord[]): string {
  const rows = traces.map(
    (
      trace,
    ) => `<tr${trace.isError ? ' class="error"' : ""}><td>${escape(new Date(trace.startMs).toISOString().slice(11, 23))}</td>
<td><a href="/debug/traces/${escape(trace.traceId)}">${escape(trace.name)}</a></td>
<td class="n">${formatMs(trace.durationMs)}</td><td class="n">${trace.spans.length}</td><td>${trace.isError ? "error" : ""}</td></tr>`,
  );
  if (rows.length === 0) return "<p>No traces yet. Open a page of the product and come back.</p>";
  return `<table><thead><tr><th>UTC</th><th>What</th><th class="n">ms</th><th class="n">spans</th><th></th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table>`;
}

function tracePage(trace: TraceRecord): string {
  const rows = inOrder(trace.spans).map(({ span, depth }) => {
    const left = share(span.startMs - trace.startMs, trace.durationMs);
    const width = Math.max(share(span.durationMs, trace.durationMs), 0.3);
    const attributes = Object.entries(span.attributes).map(([name, value]) => `${name}=${value}`);
    const linked = span.linkedTraceIds.map(
      (id) => ` <a href="/debug/traces/${escape(id)}">came of ${escape(id.slice(0, 8))}</a>`,
    );
    return `<tr${span.isError ? ' class="error"' : ""}><td style="padding-left:${depth * 16 + 8}px" title="${escape(attributes.join("\n"))}">${escape(span.name)}</td>
<td class="n">${formatMs(span.durationMs)}</td><td class="bar"><i style="margin-left:${left.toFixed(2)}%;width:${width.toFixed(2)}%"></i></td>
<td class="facts">${escape(attributes.join(" · "))}${linked.join("")}</td></tr>`;
  });
  return `<p><a href="/debug/traces">All traces</a> · ${escape(trace.traceId)} · ${formatMs(trace.durationMs)} ms · <a href="?format=json">JSON</a></p>
<table><thead><tr><th>Span</th><th class="n">ms</th><th>When</th><th>Facts</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

/** Spans as a tree read from the top: each below the one that called it. */
export function inOrder(spans: readonly SpanRecord[]): { readonly span: SpanRecord; readonly depth: number }[] {
  const ids = new Set(spans.map((span) => span.spanId));
  const byParent = Map.groupBy(spans, (span) => (ids.has(span.parentSpanId) ? span.parentSpanId : ""));
  const out: { span: SpanRecord; depth: number }[] = [];
  const stack = (byParent.get("") ?? []).toReversed().map((span) => ({ span, depth: 0 }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    out.push(next);
    const { depth } = next;
    for (const child of (byParent.get(next.span.spanId) ?? []).toReversed())
      stack.push({ span: child, depth: depth + 1 });
  }
  return out;
}

const share = (part: number, whole: number): number => (whole <= 0 ? 0 : Math.min((part / whole) * 100, 100));
const formatMs = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms.toFixed(0));
const escape = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const STYLE = `body{font:14px/1.5 system-ui,sans-serif;margin:24px;background:#0b0a0c;color:#ece8e1}a{color:#f2b46b}
table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:500;color:#9b948b}td,th{padding:3px 8px;white-space:nowrap}
tbody tr:hover{background:#1a181c}.n{text-align:right;font-variant-numeric:tabular-nums}.error td{color:#ff8d7a}.bar{width:40%}
.bar i{display:block;height:10px;border-radius:3px;background:#f2b46b}.facts{color:#9b948b;max-width:480px;overflow:hidden;text-overflow:ellipsis}`;

function sendPage(response: ServerResponse, title: string, body: string): void {
  response.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
  });
  response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)} - Marquee</title>
<style>${STYLE}</style><h1>${escape(title)}</h1>${body}</html>\n`);
}

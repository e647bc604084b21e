/**
 * A trace as a picture (SVG 1.1): time to the right, a row for each step below the one that it came of, a colour for each process. A call between
 * processes is one row: pale while the caller waits, full while the callee works. What came through the log hangs on a dashed line.
 */
import { plain } from "./terminal.ts";
import { extentOf, processesOf, rowsOf, type Span, type Trace } from "./trace-model.ts";

const WIDTH = 1180;
const MARGIN = 32;
const NAMES_WIDTH = 380;
const INDENT = 16;
const ROW_HEIGHT = 30;
const BAR_HEIGHT = 14;
const HEAD_HEIGHT = 124;
const FOOT_HEIGHT = 58;
/** Beyond so many rows nobody reads a picture. */
const ROWS_MAX = 120;
const TICKS_MAX = 8;
const NAME_CHARACTERS_MAX = 44;
const INK = { text: "#1d1b20", quiet: "#6f6873", line: "#e6e1da", paper: "#fdfcfa" } as const;
/** Apart from each other also for those who see no red or no green (after Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#7b4ea3", "#009e73", "#c98a00", "#cc3d7e", "#3c9ad6", "#5d5d5d"] as const;

interface Line {
  /** The step itself: of a call between processes, what the callee did. */
  readonly span: Span;
  /** What the caller saw of it. */
  readonly call?: Span;
  readonly depth: number;
}

/** The rows of the picture: a call and its answer in another process are one. */
export function linesOf(trace: Trace): Line[] {
  const lines: { span: Span; call?: Span; depth: number }[] = [];
  /** The line that a span is shown by. */
  const shown = new Map<string, { span: Span; call?: Span; depth: number }>();
  for (const { span } of rowsOf(trace)) {
    const above = shown.get(span.parentSpanId);
    if (above && isAnswerTo(above, span)) {
      above.call = above.span;
      above.span = span;
      shown.set(span.spanId, above);
      continue;
    }
    const line = { span, depth: above ? above.depth + 1 : 0 };
    shown.set(span.spanId, line);
    lines.push(line);
  }
  return lines;
}

const isAnswerTo = ({ span: call, call: known }: Pick<Line, "span" | "call">, span: Span): boolean =>
  known === undefined && call.kind === "client" && span.kind === "server" && span.process !== call.process;

export function drawTrace(trace: Trace): string {
  const all = linesOf(trace);
  const lines = all.slice(0, ROWS_MAX);
  const { startMs, durationMs } = extentOf(trace);
  const processes = processesOf(trace);
  const colour = (process: string): string => COLOURS[processes.indexOf(process) % COLOURS.length] ?? INK.quiet;
  const left = MARGIN + NAMES_WIDTH;
  const scale = (WIDTH - MARGIN - left - 56) / Math.max(durationMs, 0.001);
  const x = (ms: number): number => round(left + (ms - startMs) * scale);
  const y = (row: number): number => HEAD_HEIGHT + row * ROW_HEIGHT + ROW_HEIGHT / 2;
  const height = HEAD_HEIGHT + lines.length * ROW_HEIGHT + FOOT_HEIGHT;
  const bottom = HEAD_HEIGHT + lines.length * ROW_HEIGHT;
  const rowOf = new Map(
    lines.flatMap(({ span, call }, row) => [span, ...(call ? [call] : [])].map((one) => [one.spanId, row] as const)),
  );

  const bar = (span: Span, opacity: number): string =>
    `<rect x="${x(span.startMs)}" y="${-BAR_HEIGHT / 2}" width="${Math.max(2, round(span.durationMs * scale))}" height="${BAR_HEIGHT}" rx="3" fill="${colour(span.process)}" fill-opacity="${opacity}"/>`;
  const drawn = lines.map(({ span, call, depth }, row) => {
    const outer = call ?? span;
    const name = cut(span.name, NAME_CHARACTERS_MAX - depth * 2);
    const facts = Object.entries(span.attributes).map(([key, value]) => `${key}=${value}`);
    return [
      `<g transform="translate(0 ${y(row)})">`,
      `<title>${escape([`${span.name} in ${span.process}`, ...facts].join(" · "))}</title>`,
      `<circle cx="${MARGIN + 5 + depth * INDENT}" r="4.5" fill="${colour(span.process)}"/>`,
      `<text x="${MARGIN + 16 + depth * INDENT}" y="4.5" fill="${span.isError ? "#b3261e" : INK.text}">${escape(name)}</text>`,
      call ? bar(call, 0.2) : "",
      bar(span, 1),
      `<text x="${x(outer.startMs + outer.durationMs) + 6}" y="4" font-size="11.5" fill="${INK.quiet}">${formatMs(outer.durationMs)}</text>`,
      "</g>",
    ].join("");
  });
  const hops = lines.flatMap(({ span }, row) => {
    const from = rowOf.get(span.parentSpanId);
    if (span.kind !== "consumer" || from === undefined) return [];
    const at = x(span.startMs);
    return [
      `<path d="M${at} ${y(from) + BAR_HEIGHT / 2}V${y(row) - BAR_HEIGHT / 2}" stroke="${colour(span.process)}" stroke-width="1.5" stroke-dasharray="3 3" fill="none"/>`,
    ];
  });
  const first = lines[0]?.span;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif" font-size="13">`,
    `<title>${escape(`${first?.name ?? "A trace"}: ${trace.spans.length} spans in ${processes.length} processes`)}</title>`,
    `<rect width="${WIDTH}" height="${height}" rx="10" fill="${INK.paper}"/>`,
    `<text x="${MARGIN}" y="42" font-size="20" font-weight="600" fill="${INK.text}">${escape(cut(first?.name ?? "", 80))}</text>`,
    `<text x="${MARGIN}" y="64" fill="${INK.quiet}">${formatMs(durationMs)}, ${trace.spans.length} spans in ${processes.length} processes, trace ${escape(trace.traceId)}</text>`,
    legend(processes, colour),
    ...ticksOf(durationMs).map(
      (ms) =>
        `<path d="M${x(startMs + ms)} ${HEAD_HEIGHT - 8}V${bottom}" stroke="${INK.line}"/><text x="${x(startMs + ms)}" y="${HEAD_HEIGHT - 13}" font-size="11" text-anchor="middle" fill="${INK.quiet}">${formatMs(ms)}</text>`,
    ),
    ...hops,
    ...drawn,
    `<g transform="translate(${MARGIN} ${bottom + 34})" font-size="12" fill="${INK.quiet}"><rect y="-10" width="34" height="12" rx="3" fill="${INK.quiet}" fill-opacity="0.25"/><text x="42">the caller waits</text><rect x="146" y="-10" width="34" height="12" rx="3" fill="${INK.quiet}"/><text x="188">a process works</text><path d="M296 -12V4" stroke="${INK.quiet}" stroke-width="1.5" stroke-dasharray="3 3"/><text x="306">came through the event log</text>${all.length > lines.length ? `<text x="500">${all.length - lines.length} more steps are not shown</text>` : ""}</g>`,
    "</svg>",
    "",
  ].join("\n");
}

function legend(processes: readonly string[], colour: (process: string) => string): string {
  let at = MARGIN;
  const entries = processes.map((process) => {
    const entry = `<circle cx="${at + 5}" cy="88" r="5" fill="${colour(process)}"/><text x="${at + 16}" y="92.5" fill="${INK.text}">${escape(cut(process, 24))}</text>`;
    at += 36 + Math.min(process.length, 24) * 7.5;
    return entry;
  });
  return entries.join("");
}

/** Round numbers of milliseconds from 0 to the end. */
function ticksOf(durationMs: number): number[] {
  const rough = durationMs / TICKS_MAX;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 0.001)));
  const step = power * ([1, 2, 5, 10].find((factor) => power * factor >= rough) ?? 10);
  return Array.from({ length: Math.floor(durationMs / step) + 1 }, (_, index) => index * step);
}

const round = (value: number): number => Math.round(value * 10) / 10;
const cut = (text: string, characters: number): string =>
  text.length > characters ? `${text.slice(0, Math.max(characters - 1, 8))}…` : text;
const escape = (text: string): string =>
  plain(text)
    .toWellFormed()
    .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

export const formatMs = (ms: number): string =>
  ms >= 10_000
    ? `${(ms / 1_000).toFixed(1)} s`
    : `${ms >= 10 || Number.isInteger(ms) ? ms.toFixed(0) : ms.toFixed(1)} ms`;

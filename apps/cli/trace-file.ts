import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { plain, table } from "./terminal.ts";
import { extentOf, parseTraces, processesOf, rowsOf, type Trace } from "./trace-model.ts";
import { drawTrace, formatMs } from "./trace-svg.ts";

const FILE_BYTES_MAX = 256 * 1024 * 1024;
const LIMIT_MAX = 1_000;

export interface ListTracesOptions {
  readonly limit: string;
  readonly json: boolean;
}

export interface ShowTraceOptions {
  readonly json: boolean;
  readonly svg?: string;
}

async function read(cli: Cli, from: string): Promise<Trace[]> {
  const file = cli.path(from);
  const info = await stat(file).catch((cause: unknown) => {
    throw problem.notFound(`'${plain(from)}' cannot be read: name what a collector's file exporter writes`, { cause });
  });
  if (info.size > FILE_BYTES_MAX)
    throw problem.invalid(
      `'${plain(from)}' has ${info.size} bytes, more than ${FILE_BYTES_MAX}: cut it at an end of line`,
    );
  return parseTraces(await readFile(file, "utf8"));
}

/** `marquee trace-file list`: what a collector wrote, the newest first. */
export async function listTraces(cli: Cli, from: string, { limit, json }: ListTracesOptions): Promise<ExitCode> {
  const tracesMax = Number(limit);
  if (!Number.isInteger(tracesMax) || tracesMax < 1 || tracesMax > LIMIT_MAX)
    throw problem.invalid(`--limit ${plain(limit)} is none: write a number from 1 to ${LIMIT_MAX}`);
  const facts = (await read(cli, from)).slice(0, tracesMax).map((trace) => ({
    traceId: trace.traceId,
    name: rowsOf(trace)[0]?.span.name ?? "",
    ...extentOf(trace),
    spans: trace.spans.length,
    processes: processesOf(trace),
    isError: trace.spans.some(({ isError }) => isError),
  }));
  if (json) {
    for (const fact of facts) cli.terminal.out(JSON.stringify(fact));
    return 0;
  }
  const rows = facts.map(({ traceId, name, durationMs, spans, processes, isError }) => [
    ...[traceId, formatMs(durationMs), String(spans), isError ? "error" : "", plain(processes.join(" ")), plain(name)],
  ]);
  for (const line of table(["TRACE", "TOOK", "SPANS", "", "PROCESSES", "WHAT"], rows, cli.terminal.columns))
    cli.terminal.out(line);
  return 0;
}

/** `marquee trace-file show`: one trace as text, as a picture or as data. */
export async function showTrace(
  cli: Cli,
  from: string,
  id: string,
  { json, svg }: ShowTraceOptions,
): Promise<ExitCode> {
  if (json && svg !== undefined) throw problem.invalid("choose one of --json and --svg");
  const trace = (await read(cli, from)).find(({ traceId }) => traceId === id.toLowerCase());
  if (!trace)
    throw problem.notFound(
      `no trace '${plain(id.slice(0, 64))}' is in '${plain(from)}': ./marquee trace-file list FILE shows which are`,
    );
  const { out } = cli.terminal;
  if (svg !== undefined) {
    const file = cli.path(svg);
    await writeFile(`${file}.part`, drawTrace(trace));
    await rename(`${file}.part`, file);
    out(file);
    return 0;
  }
  if (json) {
    out(JSON.stringify(trace, null, 2));
    return 0;
  }
  const { startMs } = extentOf(trace);
  const rows = rowsOf(trace).map(({ span, depth }) => [
    `${"  ".repeat(depth)}${plain(span.name)}`,
    plain(span.process),
    span.kind,
    `+${formatMs(span.startMs - startMs)}`,
    formatMs(span.durationMs),
    span.isError ? "error" : "",
  ]);
  for (const line of table(["SPAN", "PROCESS", "KIND", "BEGAN", "TOOK", ""], rows, cli.terminal.columns)) out(line);
  return 0;
}

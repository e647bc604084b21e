import { User } from "#contracts/user";
import { problem } from "#kernel";
import type { TraceRecord } from "#kernel/tracing";
import { inOrder } from "../admin/traces.ts";
import { isJourney, isOf, JOURNEYS } from "../journeys.ts";
import type { Cli, ExitCode } from "./cli.ts";
import { plain, table } from "./terminal.ts";

export interface TracesOptions {
  readonly journey?: string;
  readonly errors: boolean;
  readonly json: boolean;
}

const SHOWN_MAX = 50;
const ID_DIGITS = 8;

/** `marquee traces`: the last traces that were kept, newest first; of one journey with `--journey`; with the beginning of an id that one as a tree. */
export async function showTraces(cli: Cli, id: string | undefined, options: TracesOptions): Promise<ExitCode> {
  const { journey, errors, json } = options;
  if (journey !== undefined && !isJourney(journey))
    throw problem.invalid(`there is no journey '${plain(journey)}': it is one of ${Object.keys(JOURNEYS).join(", ")}`);
  const found = (await cli.client.traces()).filter(
    (trace) =>
      (journey === undefined || isOf(journey, trace)) &&
      (!errors || trace.isError) &&
      (id === undefined || trace.traceId.startsWith(id.toLowerCase())),
  );
  if (json) for (const trace of found) cli.terminal.out(JSON.stringify(trace));
  else if (id !== undefined) for (const trace of found) for (const line of tree(trace)) cli.terminal.out(line);
  else for (const line of list(found, cli.terminal.columns)) cli.terminal.out(line);
  if (found.length > 0 || json) return 0;
  cli.terminal.note(
    "No such trace is among the last 200 that were kept. In production that is one in ten, and all with errors: MARQUEE_TRACE_RATIO changes it.",
  );
  return id === undefined ? 0 : 1;
}

function list(traces: readonly TraceRecord[], columns: number): string[] {
  if (traces.length === 0) return [];
  const rows = traces
    .slice(0, SHOWN_MAX)
    .map(({ traceId, name, startMs, durationMs, isError, spans }) => [
      traceId.slice(0, ID_DIGITS),
      new Date(startMs).toISOString().slice(11, 23),
      plain(name),
      `${durationMs.toFixed(1)} ms`,
      String(spans.length),
      isError ? "error" : "",
    ]);
  return table(["TRACE", "UTC", "WHAT", "TOOK", "SPANS", ""], rows, columns);
}

/** A trace as it was called: each span below the one that called it. */
function tree(trace: TraceRecord): string[] {
  return [
    `${trace.traceId}  ${new Date(trace.startMs).toISOString()}`,
    ...inOrder(trace.spans).map(({ span, depth }) => {
      const linked = span.linkedTraceIds.map((id) => `  came of ${id.slice(0, ID_DIGITS)}`).join("");
      const code = span.attributes["marquee.code"];
      const fault = code === undefined ? "" : `  ${code}`;
      return `${"  ".repeat(depth + 1)}${plain(span.name)}  ${span.durationMs.toFixed(1)} ms${fault}${linked}`;
    }),
    "",
  ];
}

/** `marquee pseudonym`: what somebody is called in logs and traces. */
export async function showPseudonym(cli: Cli, who: string): Promise<ExitCode> {
  const id = who.includes("@") ? (await cli.client.of(User).findByEmail({ email: who })).user?.id : who;
  if (id === undefined) throw problem.notFound("nobody has this e-mail address");
  cli.terminal.out(await cli.client.pseudonym(id));
  return 0;
}

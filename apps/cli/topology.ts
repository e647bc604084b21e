import { rename, writeFile } from "node:fs/promises";
import { problem } from "#kernel";
import { topics } from "#contracts/topics";
import { callers } from "../callers.ts";
import { services } from "../services.ts";
import type { Cli, ExitCode } from "./cli.ts";
import { table } from "./terminal.ts";
import { flowsOf, type Topology, topologyOf } from "./topology-model.ts";
import { drawTopology } from "./topology-svg.ts";

export function topologyAsText(topology: Topology, columns: number): string[] {
  const { nodes, calls, events } = topology;
  const list = (names: readonly string[]): string => names.join(", ") || "-";
  const whoCalls = nodes.map(({ name }) => [
    name,
    list(calls.filter(({ from }) => from === name).map(({ to }) => to)),
    list(calls.filter(({ to }) => to === name).map(({ from }) => from)),
  ]);
  const flows = events.map(({ event, topic, from, to }) => [event, from, list(to), topic]);
  return [
    ...table(["SERVICE", "CALLS", "IS CALLED BY"], whoCalls, columns),
    "",
    ...table(["EVENT", "FROM", "TO", "TOPIC"], flows, columns),
  ];
}

export function topologyAsMermaid(topology: Topology): string {
  // Names such as `end` are words of the language; with a prefix none is.
  const id = (name: string): string => `s_${name.replaceAll("-", "_")}`;
  return [
    "flowchart LR",
    ...topology.nodes.map(({ name, kind }) => `  ${id(name)}${kind === "bff" ? `(["${name}"])` : `["${name}"]`}`),
    ...topology.calls.map(({ from, to }) => `  ${id(from)} --> ${id(to)}`),
    ...flowsOf(topology).map(({ from, to, events }) => `  ${id(from)} -. "${events.join("<br>")}" .-> ${id(to)}`),
  ].join("\n");
}

export function topologyAsDot(topology: Topology): string {
  const quoted = (text: string): string => `"${text}"`;
  return [
    "digraph marquee {",
    "  rankdir=LR; node [shape=box, fontname=sans];",
    ...topology.nodes.map(({ name, kind }) => `  ${quoted(name)}${kind === "bff" ? " [shape=oval]" : ""};`),
    ...topology.calls.map(({ from, to }) => `  ${quoted(from)} -> ${quoted(to)};`),
    ...flowsOf(topology).map(
      ({ from, to, events }) =>
        `  ${quoted(from)} -> ${quoted(to)} [style=dashed, fontsize=9, label=${quoted(events.join("\\n"))}];`,
    ),
    "}",
  ].join("\n");
}

export interface TopologyOptions {
  readonly json: boolean;
  readonly mermaid: boolean;
  readonly dot: boolean;
  readonly svg?: string;
}

/** `marquee topology`. */
export async function showTopology(cli: Cli, options: TopologyOptions): Promise<ExitCode> {
  const forms = [options.json, options.mermaid, options.dot, options.svg !== undefined].filter(Boolean).length;
  if (forms > 1) throw problem.invalid("choose one of --json, --mermaid, --dot and --svg");
  const topology = topologyOf(services, callers, topics);
  const { out } = cli.terminal;
  if (options.svg !== undefined) {
    const file = cli.path(options.svg);
    await writeFile(`${file}.part`, drawTopology(topology));
    await rename(`${file}.part`, file);
    out(file);
  } else if (options.json) out(JSON.stringify(topology, null, 2));
  else if (options.mermaid) for (const line of topologyAsMermaid(topology).split("\n")) out(line);
  else if (options.dot) for (const line of topologyAsDot(topology).split("\n")) out(line);
  else for (const line of topologyAsText(topology, cli.terminal.columns)) out(line);
  return 0;
}

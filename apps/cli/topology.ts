import { rename, writeFile } from "node:fs/promises";
import { problem, type Service } from "#kernel";
import type { Caller } from "#kernel/call-policy";
import type { Topics } from "#kernel/events";
import { topics } from "#contracts/topics";
import { callers } from "../callers.ts";
import { services } from "../services.ts";
import type { Cli, ExitCode } from "./cli.ts";
import { table } from "./terminal.ts";
import { drawTopology } from "./topology-svg.ts";

/** Who calls whom, and which event goes from whom to whom: read off the declarations that the product runs by. */
export interface Topology {
  /** Services and BFFs, the callers first. */
  readonly nodes: readonly Node[];
  readonly calls: readonly Arrow[];
  readonly events: readonly EventArrow[];
}

interface Node {
  readonly name: string;
  readonly kind: "service" | "bff";
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
}

/** One kind of event. Without consumers it is for those outside. */
interface EventArrow {
  readonly event: string;
  readonly topic: string;
  readonly from: string;
  readonly to: readonly string[];
}

/** The operator calls everybody, which would hide everything else. */
const OPERATOR = "admin";

export function topologyOf(all: readonly Service[], everybody: readonly Caller[], { routes }: Topics): Topology {
  const names = new Set(all.map(({ contract }) => contract.name));
  const shown = everybody.filter(({ name }) => name !== OPERATOR);
  const bffs = shown.filter(({ name }) => !names.has(name));
  const calls = shown.flatMap(({ name, uses }) =>
    uses === "all" ? [] : Object.values(uses).map((used) => ({ from: name, to: used.name })),
  );
  const events = all.flatMap(({ contract }) =>
    Object.values(contract.events).map(({ name }) => ({
      event: name,
      topic: routes[name]?.topic ?? "",
      from: contract.name,
      to: all.filter(({ consumes }) => consumes.some((each) => each.name === name)).map((each) => each.contract.name),
    })),
  );
  const nodes: Node[] = [
    ...bffs.map(({ name }) => ({ name, kind: "bff" as const })),
    ...[...names].map((name) => ({ name, kind: "service" as const })),
  ];
  return { nodes, calls, events };
}

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

/** Events between the same two services are one arrow with all of their names. */
export function flowsOf({ events }: Topology): (Arrow & { readonly events: readonly string[] })[] {
  const flows = new Map<string, { from: string; to: string; events: string[] }>();
  for (const { event, from, to } of events) {
    for (const consumer of to) {
      const key = `${from} ${consumer}`;
      const flow = flows.get(key) ?? { from, to: consumer, events: [] };
      flow.events.push(event);
      flows.set(key, flow);
    }
  }
  return [...flows.values()];
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

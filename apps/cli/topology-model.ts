import type { Service } from "#kernel";
import type { Caller } from "#kernel/call-policy";
import type { Topics } from "#kernel/events";

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
      to: all.filter((other) => hears(other, name)).map((other) => other.contract.name),
    })),
  );
  const nodes: Node[] = [
    ...bffs.map(({ name }) => ({ name, kind: "bff" as const })),
    ...[...names].map((name) => ({ name, kind: "service" as const })),
  ];
  return { nodes, calls, events };
}

/** What a service's read models follow of its own is nobody else's business. */
const hears = ({ contract, consumes, readModels }: Service, name: string): boolean =>
  consumes.some((each) => each.name === name) ||
  (readModels.some(({ events }) => events.some((each) => each.name === name)) &&
    !Object.values(contract.events).some((each) => each.name === name));

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

import { type Config, problem, type Service } from "#kernel";
import { services } from "./services.ts";

/** A part of the product that runs in one process: some services, perhaps the web or the edges, perhaps the operator's calls. */
export interface Cell {
  readonly names: readonly string[];
  readonly services: readonly Service[];
}

/** What can be served besides services: pages and API, delivery edges, and the operator's calls to services elsewhere. */
const OTHERS = ["web", "edges", "admin"] as const;

/** What `marquee serve` is told to run; `invalid_argument` names what does not exist and lists what does. */
export function cellOf(words: readonly string[]): Cell {
  const known = [...services.map(({ contract }) => contract.name), ...OTHERS];
  const wrong = words.filter((word) => !known.includes(word));
  if (wrong.length > 0 || words.length === 0) {
    const what =
      wrong.length > 0
        ? `there is no ${wrong.map((word) => `'${word.slice(0, 40)}'`).join(", ")}`
        : "name what to serve";
    throw problem.invalid(
      `${what}: services are ${known.slice(0, -OTHERS.length).join(", ")}; besides there are ${OTHERS.join(", ")}`,
    );
  }
  const names = [...new Set(words)];
  return { names, services: services.filter(({ contract }) => names.includes(contract.name)) };
}

/** What a cell may call itself: its services, and those of the others that make calls. */
export const identitiesOf = ({ names }: Cell): string[] => names.filter((name) => name !== "edges");

const runsAll = ({ services: some }: Cell): boolean => some.length === services.length;

interface Need {
  readonly variable: string;
  readonly example: string;
  readonly why: string;
}

/** What each embedded engine of one process is replaced by when there are several. */
const SHARED: readonly Need[] = [
  { variable: "MARQUEE_POSTGRES_URL", example: "postgresql://owner:…@db:5432/marquee", why: "rows" },
  {
    variable: "MARQUEE_POSTGRES_RUNTIME_URL",
    example: "postgresql://marquee_runtime:…@db:5432/marquee",
    why: "rows, as services see them",
  },
  { variable: "MARQUEE_KAFKA_BROKERS", example: "kafka-1:9092,kafka-2:9092", why: "events" },
  { variable: "MARQUEE_SCHEMA_REGISTRY_URL", example: "http://registry:8081", why: "their schemas" },
  { variable: "MARQUEE_REDIS_URL", example: "redis://redis:6379", why: "cache, counters and locks" },
  { variable: "MARQUEE_S3_BUCKET", example: "marquee", why: "media and pictures" },
  { variable: "MARQUEE_VAULT_ADDR", example: "https://vault:8200", why: "keys, and the certificates of processes" },
];

/** What stands in the way of running a cell, all of it at once; empty where nothing does. */
export function missingFor(cell: Cell, config: Config): string[] {
  if (runsAll(cell)) return [];
  const set = new Map<string, unknown>(Object.entries(config));
  const lacks = (variable: string): boolean => set.get(variable) === undefined || set.get(variable) === "";
  const needs = cell.services.length === 0 && !cell.names.some((name) => name !== "edges") ? [] : [...SHARED];
  const isHere = (name: string): boolean => cell.names.includes(name);
  const isReachable = !lacks("MARQUEE_PEERS") || !lacks("MARQUEE_PEER_TEMPLATE");
  const callsOthers =
    isHere("web") ||
    isHere("admin") ||
    cell.services.some(({ uses }) => Object.values(uses).some(({ name }) => !isHere(name)));
  if (callsOthers && !isReachable)
    needs.push({ variable: "MARQUEE_PEERS", example: "*=https://10.0.0.3:7001", why: "where the other services are" });
  if (isHere("qoe"))
    needs.push({
      variable: "MARQUEE_CLICKHOUSE_URL",
      example: "https://clickhouse:8443/marquee",
      why: "figures that every process of qoe writes and reads",
    });
  if (isHere("edges") && !isHere("origin"))
    needs.push({ variable: "MARQUEE_ORIGIN_URL", example: "https://origin:8443", why: "what edges fetch from" });
  return needs
    .filter(({ variable }) => lacks(variable))
    .map(({ variable, example, why }) => `${variable} (${why}), such as ${example}`);
}

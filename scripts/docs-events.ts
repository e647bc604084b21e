/**
 * The tables of docs/guides/events.md, made of the contracts and of what the services say in their code. `node scripts/docs-events.ts`
 * writes them; a test compares them, so that the guide cannot rot.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { topics } from "../contracts/topics/index.ts";
import { REPOSITORY } from "./files.ts";

export const GUIDE = "docs/guides/events.md";

const Described = z.looseObject({ event: z.string(), doc: z.string() });
const HasEvents = z.looseObject({
  name: z.string(),
  rpc: z.unknown(),
  events: z.record(z.string(), z.looseObject({ name: z.string() })),
});

/** How an event comes into the log: with rows in a transaction, or by itself. */
type Kind = "state" | "fact";

interface EventEntry {
  readonly name: string;
  readonly producer: string;
  readonly kinds: readonly Kind[];
  readonly consumers: readonly string[];
  readonly doc: string;
}

/** What services publish and wait for, by `service/alias`. */
interface Usage {
  readonly published: ReadonlyMap<string, ReadonlySet<Kind>>;
  readonly consumed: ReadonlyMap<string, ReadonlySet<string>>;
}

const PUBLISHES: readonly (readonly [Kind, RegExp])[] = [
  ["state", /\bemit\(\s*"(\w+)"/g],
  ["fact", /\b(?:facts|tell)\(\s*"(\w+)"/g],
];
/** A contract's constant is its name with a capital: `on(Session.events.heartbeat)` waits for one of `session`; read models `follow` events. */
const CONSUMES = /\b(?:on|follow)\(([A-Z]\w*)\.events\.(\w+)\)/g;

const files = (root: string, pattern: string): string[] =>
  globSync(pattern, { cwd: root })
    .map((file) => file.replaceAll(path.sep, "/"))
    .sort();

function add<T>(to: Map<string, Set<T>>, key: string, value: T): void {
  const known = to.get(key) ?? new Set<T>();
  to.set(key, known.add(value));
}

export function usageOf(root: string): Usage {
  const published = new Map<string, Set<Kind>>();
  const consumed = new Map<string, Set<string>>();
  for (const file of files(root, "services/*/*/*.ts")) {
    if (file.endsWith(".test.ts")) continue;
    const [, , service = ""] = file.split("/");
    const text = readFileSync(path.join(root, file), "utf8");
    for (const [kind, pattern] of PUBLISHES) {
      for (const [, alias = ""] of text.matchAll(pattern)) add(published, `${service}/${alias}`, kind);
    }
    for (const [, contract = "", alias = ""] of text.matchAll(CONSUMES)) {
      add(consumed, `${contract.toLowerCase()}/${alias}`, service);
    }
  }
  return { published, consumed };
}

/** Every event that a contract declares, in the order of their names. */
export async function readEvents(root: string = REPOSITORY): Promise<EventEntry[]> {
  const docs = new Map(
    files(root, "contracts/*/events/*.avsc").map((file) => {
      const { event, doc } = Described.parse(JSON.parse(readFileSync(path.join(root, file), "utf8")));
      return [event, doc];
    }),
  );
  const { published, consumed } = usageOf(root);
  const entries: EventEntry[] = [];
  for (const file of files(root, "contracts/*/index.ts")) {
    const module: Record<string, unknown> = await import(pathToFileURL(path.join(root, file)).href);
    for (const value of Object.values(module)) {
      const contract = HasEvents.safeParse(value);
      if (!contract.success) continue;
      const { name: producer, events } = contract.data;
      for (const [alias, { name }] of Object.entries(events)) {
        const key = `${producer}/${alias}`;
        entries.push({
          name,
          producer,
          kinds: [...(published.get(key) ?? [])].sort(),
          consumers: [...(consumed.get(key) ?? [])].sort(),
          doc: docs.get(name) ?? "",
        });
      }
    }
  }
  return entries.sort((a, b) => a.name.localeCompare(b.name, "en"));
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const code = (text: string): string => `\`${text}\``;
const listOf = (names: readonly string[]): string => (names.length === 0 ? "none yet" : names.join(", "));

export function eventsTable(entries: readonly EventEntry[]): string {
  return table(
    ["Event", "Topic", "Key", "Kind", "Produced by", "Consumed by", "Meaning"],
    entries.map(({ name, producer, kinds, consumers, doc }) => {
      const route = topics.routes[name];
      if (!route) throw new Error(`event '${name}' of ${producer} has no topic: add it to contracts/topics/index.ts`);
      const meaning = doc.replaceAll("|", "\\|");
      return [code(name), code(route.topic), code(route.key), listOf(kinds), producer, listOf(consumers), meaning];
    }),
  );
}

const HOUR_MS = 3_600_000;

export function topicsTable(): string {
  return table(
    ["Topic", "Partitions", "Retention", "Events"],
    topics.specs.map(({ name, partitions, retentionMs }) => {
      const events = Object.values(topics.routes).filter(({ topic }) => topic === name).length;
      return [code(name), String(partitions), `${retentionMs / HOUR_MS} h`, events === 0 ? "none yet" : String(events)];
    }),
  );
}

/** Puts a table between its marks; refuses a guide that has lost them. */
function fill(guide: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [guide.indexOf(begin), guide.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${GUIDE} has lost its marks '${begin}' and '${end}'`);
  return `${guide.slice(0, from + begin.length)}\n${content}\n${guide.slice(to)}`;
}

/** The guide as it should be, with its present words. */
export async function rendered(root: string = REPOSITORY): Promise<string> {
  const guide = readFileSync(path.join(root, GUIDE), "utf8");
  return fill(fill(guide, "topics", topicsTable()), "events", eventsTable(await readEvents(root)));
}

if (import.meta.main) writeFileSync(path.join(REPOSITORY, GUIDE), await rendered());

import type { SpanContext } from "@opentelemetry/api";
import avro from "avsc";
import type { Clock } from "./clock.ts";
import type { Contract } from "./contract.ts";
import { newId } from "./ids.ts";
import type { EventLog, LogRecord, NewRecord, SchemaRegistry, TopicSpec } from "./ports/log.ts";
import { spanContextOf, traceparentOf } from "./traceparent.ts";

/** Where an event goes: its topic and the member of its payload that is the key. */
export interface EventRoute {
  readonly topic: string;
  readonly key: string;
}

export interface Topics {
  readonly specs: readonly TopicSpec[];
  readonly routes: Readonly<Record<string, EventRoute>>;
}

/** An event as a consumer gets it. */
export interface Received<P> {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  /** When it happened, in milliseconds since the epoch. */
  readonly timeMs: number;
  readonly data: P;
}

export interface OutboxRow {
  readonly eventId: string;
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

/** CloudEvents attributes travel as record headers (CloudEvents Kafka binding, binary mode). */
const HEADER = {
  id: "ce_id",
  type: "ce_type",
  source: "ce_source",
  time: "ce_time",
  spec: "ce_specversion",
  tenant: "ce_tenant",
  /** CloudEvents, extension "Distributed Tracing"; without the prefix, as every tracing library reads it. */
  trace: "traceparent",
} as const;

const ATTRIBUTES: ReadonlySet<string> = new Set(Object.values(HEADER));
/** Later times do not fit a number in microseconds, and earlier ones were before there was a log: a clock was wrong. */
const TIME_MS_MAX = 4_500_000_000_000;

function timeOf(record: LogRecord): number {
  const timeMs = Date.parse(record.headers[HEADER.time] ?? "");
  return timeMs > 0 && timeMs < TIME_MS_MAX ? timeMs : record.timestampMs;
}

const idOf = (record: LogRecord): string =>
  record.headers[HEADER.id] ?? `${record.topic}/${record.partition}/${record.offset}`;

/** Turns payloads into records: Avro in the Confluent wire format (a zero byte, the schema's id in four bytes, the body). */
export interface EventWriter {
  encode(service: string, event: string, payload: unknown, tenant: string): OutboxRow;
}
export interface EventReader {
  /** The event of a record, or undefined where it is of a kind that nobody declared. */
  decode(record: LogRecord): Promise<Received<unknown> | undefined>;
  nameOf(record: LogRecord): string | undefined;
  /** The span that emitted it, where that was traced. */
  traceOf(record: LogRecord): SpanContext | undefined;
  tenantOf(record: LogRecord): string;
  /** What the headers say, of records of any kind. */
  attributesOf(record: LogRecord): EventAttributes;
}

/** A record's CloudEvents attributes; what has none is named by its place in the log. */
export interface EventAttributes extends Omit<Received<never>, "data"> {
  /** Who emitted it, such as `/marquee/session`. */
  readonly source: string;
  /** The headers that are no attributes. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Known {
  readonly name: string;
  readonly type: avro.Type;
  readonly schemaId: number;
  readonly route: EventRoute;
}

/** Registers every event of the contracts, once at start, and gives the codec for all of them. */
export async function openEvents(
  contracts: readonly Contract[],
  topics: Topics,
  registry: SchemaRegistry,
  clock: Clock,
): Promise<EventWriter & EventReader> {
  const byService = new Map<string, Known>();
  const byName = new Map<string, Known>();
  for (const contract of contracts) {
    for (const [alias, { name, schema }] of Object.entries(contract.events)) {
      const route = topics.routes[name];
      if (!route)
        throw new Error(`event '${name}' of ${contract.name} has no topic: add it to contracts/topics/index.ts`);
      if (!topics.specs.some((spec) => spec.name === route.topic))
        throw new Error(`topic '${route.topic}' of event '${name}' is not declared`);
      const type = avro.Type.forSchema(schema as avro.Schema, { registry: {} });
      const known = {
        name,
        type,
        route,
        schemaId: await registry.register(`${route.topic}-${schema.name}`, JSON.stringify(schema)),
      };
      byService.set(`${contract.name}/${alias}`, known);
      byName.set(name, known);
    }
  }
  const resolvers = new Map<string, Promise<(body: Buffer) => unknown>>();

  /** A reader for the writer's schema: its own where the ids agree, a resolver where the writer was older or newer. */
  function resolverOf(known: Known, writerId: number): Promise<(body: Buffer) => unknown> {
    if (writerId === known.schemaId) return Promise.resolve((body) => known.type.fromBuffer(body));
    const key = `${known.name}/${writerId}`;
    const made =
      resolvers.get(key) ??
      registry.byId(writerId).then((text) => {
        const writer = avro.Type.forSchema(JSON.parse(text) as avro.Schema, { registry: {} });
        const resolver = known.type.createResolver(writer);
        return (body: Buffer) => known.type.fromBuffer(body, resolver);
      });
    resolvers.set(key, made);
    // A registry that was away for a moment is asked again; its failure must not poison every later event.
    made.catch(() => resolvers.delete(key));
    return made;
  }

  return {
    encode(service, alias, payload, tenant) {
      const known = byService.get(`${service}/${alias}`);
      if (!known) throw new Error(`${service} does not declare the event '${alias}'`);
      const key = (payload as Record<string, unknown>)[known.route.key];
      if (typeof key !== "string" || key === "")
        throw new Error(`event '${known.name}' has no key '${known.route.key}'`);
      const body = known.type.toBuffer(payload);
      const value = Buffer.allocUnsafe(5 + body.length);
      value[0] = 0;
      value.writeUInt32BE(known.schemaId, 1);
      body.copy(value, 5);
      const nowMs = clock.nowMs();
      const eventId = newId("evt", nowMs);
      const traceparent = traceparentOf();
      const headers = {
        [HEADER.spec]: "1.0",
        [HEADER.id]: eventId,
        [HEADER.type]: known.name,
        [HEADER.source]: `/marquee/${service}`,
        [HEADER.time]: new Date(nowMs).toISOString(),
        [HEADER.tenant]: tenant,
        ...(traceparent === undefined ? {} : { [HEADER.trace]: traceparent }),
      };
      return { eventId, topic: known.route.topic, key, headers, value };
    },
    nameOf: (record) => record.headers[HEADER.type],
    traceOf: (record) => spanContextOf(record.headers[HEADER.trace]),
    tenantOf: (record) => record.headers[HEADER.tenant] ?? "",
    attributesOf: (record) => ({
      id: idOf(record),
      name: record.headers[HEADER.type] ?? "",
      tenant: record.headers[HEADER.tenant] ?? "",
      source: record.headers[HEADER.source] ?? "",
      timeMs: timeOf(record),
      headers: Object.fromEntries(Object.entries(record.headers).filter(([name]) => !ATTRIBUTES.has(name))),
    }),
    async decode(record) {
      const known = byName.get(record.headers[HEADER.type] ?? "");
      if (!known) return undefined;
      const bytes = Buffer.from(record.value.buffer, record.value.byteOffset, record.value.byteLength);
      if (bytes.length < 5 || bytes[0] !== 0) throw new Error("the record is not in the Confluent wire format");
      const read = await resolverOf(known, bytes.readUInt32BE(1));
      return {
        id: idOf(record),
        name: known.name,
        tenant: record.headers[HEADER.tenant] ?? "",
        timeMs: timeOf(record),
        data: read(bytes.subarray(5)),
      };
    },
  };
}

export const toRecord = (row: OutboxRow): NewRecord => ({
  topic: row.topic,
  key: row.key,
  headers: row.headers,
  value: row.value,
  dedupeId: row.eventId,
});

/** Appends facts to the log directly: no table, durable when the promise resolves. */
export async function appendFacts(log: Pick<EventLog, "append">, rows: readonly OutboxRow[]): Promise<void> {
  // Facts are not sent again after they were acknowledged, so they need no deduplication.
  await log.append(rows.map((row) => ({ topic: row.topic, key: row.key, headers: row.headers, value: row.value })));
}

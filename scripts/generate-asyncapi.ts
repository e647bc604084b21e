/**
 * AsyncAPI 3.0 documents (https://www.asyncapi.com/docs/reference/specification/v3.0.0), one for each service that publishes events or waits for
 * some: the topics as channels with Kafka's bindings, the events as messages with their Avro schema, and what the service does with them as
 * operations.
 */
import type { Topics } from "../kernel/events.ts";

/** An event as its contract declares it. */
export interface DeclaredEvent {
  readonly name: string;
  readonly producer: string;
  readonly consumers: readonly string[];
  /** The Avro record, as parsed. */
  readonly schema: Readonly<Record<string, unknown>> & { readonly name: string; readonly doc?: string | undefined };
}

const AVRO = "application/vnd.apache.avro;version=1.9.0";
const KAFKA_BINDING = "0.5.0";

/** Documents by service. Throws for an event without a topic. */
export function asyncApiDocuments(events: readonly DeclaredEvent[], topics: Topics): ReadonlyMap<string, object> {
  const services = [...new Set(events.flatMap(({ producer, consumers }) => [producer, ...consumers]))].toSorted();
  return new Map(services.map((service) => [service, documentOf(service, events, topics)]));
}

function documentOf(service: string, all: readonly DeclaredEvent[], topics: Topics): object {
  const sent = all.filter(({ producer }) => producer === service);
  const received = all.filter(({ consumers }) => consumers.includes(service));
  const events = [...new Set([...sent, ...received])].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const byTopic = Map.groupBy(events, (event) => routeOf(event, topics).topic);
  const channels = [...byTopic].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const operations = (action: "send" | "receive", of: readonly DeclaredEvent[]) =>
    of.map((event) => [`${action}.${event.name}`, operationOf(action, event, topics)] as const);
  return {
    asyncapi: "3.0.0",
    info: {
      title: `Marquee: events of ${service}`,
      version: "1.0.0",
      description: `What ${service} publishes (send) and waits for (receive). Generated from the contracts; docs/guides/events.md says what holds for all events.`,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: "application/avro",
    channels: Object.fromEntries(channels.map(([topic, own]) => [topic, channelOf(topic, own, topics)])),
    operations: Object.fromEntries([...operations("send", sent), ...operations("receive", received)]),
    components: {
      messages: Object.fromEntries(events.map((event) => [event.name, messageOf(event, topics)])),
      messageTraits: { cloudEvents: { headers: CLOUD_EVENTS } },
    },
  };
}

function routeOf({ name, producer }: DeclaredEvent, { routes }: Topics): Topics["routes"][string] {
  const route = routes[name];
  if (!route) throw new Error(`event '${name}' of ${producer} has no topic: add it to contracts/topics/index.ts`);
  return route;
}

function channelOf(topic: string, events: readonly DeclaredEvent[], { specs }: Topics): object {
  const spec = specs.find(({ name }) => name === topic);
  if (!spec) throw new Error(`topic '${topic}' is not declared: add it to contracts/topics/index.ts`);
  return {
    address: topic,
    messages: Object.fromEntries(events.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: {
      kafka: {
        topic,
        partitions: spec.partitions,
        topicConfiguration: { "retention.ms": spec.retentionMs },
        bindingVersion: KAFKA_BINDING,
      },
    },
  };
}

function operationOf(action: "send" | "receive", event: DeclaredEvent, topics: Topics): object {
  const channel = `#/channels/${routeOf(event, topics).topic}`;
  return {
    action,
    channel: { $ref: channel },
    summary: event.schema.doc ?? event.name,
    messages: [{ $ref: `${channel}/messages/${event.name}` }],
  };
}

function messageOf(event: DeclaredEvent, topics: Topics): object {
  const { key } = routeOf(event, topics);
  return {
    name: event.name,
    title: event.schema.name,
    summary: event.schema.doc ?? event.name,
    traits: [{ $ref: "#/components/messageTraits/cloudEvents" }],
    payload: { schemaFormat: AVRO, schema: event.schema },
    bindings: {
      kafka: {
        key: { type: "string", description: `The member ${key} of the payload.` },
        // A zero byte, the schema's id in four bytes, the body.
        schemaIdLocation: "payload",
        schemaIdPayloadEncoding: "confluent",
        schemaLookupStrategy: "TopicRecordNameStrategy",
        bindingVersion: KAFKA_BINDING,
      },
    },
  };
}

const text = (description: string): object => ({ type: "string", description });

/** CloudEvents 1.0, Kafka protocol binding, binary content mode. */
const CLOUD_EVENTS = {
  type: "object",
  required: ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_tenant"],
  properties: {
    ce_specversion: { type: "string", const: "1.0" },
    ce_id: text("Unique; what is sent again has the same."),
    ce_type: text("The event's name, such as playback.started."),
    ce_source: text("Who published it, such as /marquee/session."),
    ce_time: { ...text("When it happened."), format: "date-time" },
    ce_tenant: text("Whose it is."),
    traceparent: text("The span that published it (W3C Trace Context), where that was traced."),
  },
};

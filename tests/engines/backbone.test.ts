// The operator's hand on a real Kafka: the same suite as on the embedded log.
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { openKafkaLog } from "#adapters/log/kafka";
import type { EventLog } from "#kernel/ports/log";
import { backboneSuite } from "#kernel/testing/backbone-suite";

const brokers = (process.env["MARQUEE_KAFKA_BROKERS"] ?? "").split(",").filter(Boolean);

/** A log of a test's own on a broker that all share: its topics have names that nobody else has. */
async function openOwnLog(): Promise<EventLog> {
  const log = await openKafkaLog({ brokers, redelivery: { firstMs: 5, maxMs: 50 } });
  const suffix = `.${randomUUID()}`;
  const outside = <T extends { readonly topic: string }>(one: T): T => ({ ...one, topic: `${one.topic}${suffix}` });
  const inside = <T extends { readonly topic: string }>(one: T): T => ({
    ...one,
    topic: one.topic.slice(0, -suffix.length),
  });
  return {
    ...log,
    createTopics: (specs) => log.createTopics(specs.map((spec) => ({ ...spec, name: `${spec.name}${suffix}` }))),
    append: (records) => log.append(records.map(outside)),
    offsets: (topic, atMs) => log.offsets(`${topic}${suffix}`, atMs),
    read: async (topic, ...rest) => (await log.read(`${topic}${suffix}`, ...rest)).map(inside),
    consume: (options) =>
      log.consume({ ...outside(options), handle: (records) => options.handle(records.map(inside)) }),
  };
}

if (process.env["MARQUEE_TEST_KAFKA"] === "1") backboneSuite("on Kafka", openOwnLog, true);
else test("on Kafka", { skip: "npm run test:engines -- backbone starts one and runs this" }, () => {});

import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { test } from "node:test";
import { services } from "../apps/services.ts";
import { topics } from "#contracts/topics";
import type { Contract } from "./contract.ts";
import { assertClosed } from "./host.ts";

const DAY_MS = 86_400_000;

/** ARCH-001 section 4, "Kafka Topic Catalog": topic, partitions, retention in days. */
const CATALOGUE = [
  ["playback.sessions", 32, 3],
  ["playback.heartbeats", 64, 1],
  ["user.events", 16, 7],
  ["catalog.changes", 8, 30],
  ["epg.updates", 8, 7],
  ["recommendations.served", 16, 3],
  ["search.queries", 8, 3],
  ["recordings.events", 16, 30],
  ["bookmarks.updates", 32, 7],
  ["notifications.events", 8, 7],
  ["qoe.metrics", 32, 3],
  ["cdn.routing.events", 16, 3],
  ["ad.events", 16, 30],
  ["ai.features.updates", 16, 7],
  ["content.ingest.events", 4, 30],
] as const;

async function contracts(): Promise<Contract[]> {
  const found: Contract[] = [];
  for (const file of globSync("contracts/*/index.ts", { cwd: new URL("..", import.meta.url) })) {
    const module = (await import(`../${file}`)) as Record<string, unknown>;
    for (const value of Object.values(module)) {
      if (value !== null && typeof value === "object" && "rpc" in value && "events" in value)
        found.push(value as Contract);
    }
  }
  return found;
}

test("topics are those of the catalogue, with its partitions and retention", () => {
  assert.deepEqual(
    topics.specs.map(({ name, partitions, retentionMs }) => [name, partitions, retentionMs / DAY_MS]),
    CATALOGUE,
  );
});

test("every event has a topic that exists, and every route an event with its key", async () => {
  const events = (await contracts()).flatMap((contract) => Object.values(contract.events));
  assert.ok(events.length > 20, `only ${events.length} events were found`);
  const names = events.map(({ name }) => name);
  assert.deepEqual(names.toSorted(), Object.keys(topics.routes).toSorted());
  for (const { name, schema } of events) {
    const route = topics.routes[name];
    assert.ok(
      topics.specs.some((spec) => spec.name === route?.topic),
      `${name} has no topic`,
    );
    const key = (schema.fields as readonly { name: string; type: unknown }[]).find(({ name: at }) => at === route?.key);
    assert.equal(key?.type, "string", `${name} has no key ${route?.key}`);
  }
});

test("every contract has a service, every service a contract of its own", async () => {
  const implemented = services.map((service) => service.contract.name);
  assert.equal(new Set(implemented).size, implemented.length);
  // About the event log each process answers for itself.
  const published = (await contracts()).map(({ name }) => name).filter((name) => name !== "backbone");
  assert.deepEqual(published.toSorted(), implemented.toSorted());
});

test("what any service waits for, some service produces", () => {
  assertClosed(services);
  const [first, ...rest] = services.filter((service) => Object.keys(service.contract.events).length > 0);
  assert.ok(first);
  assert.throws(() => assertClosed([first, first]), /declared twice/);
  const consumer = rest.find((service) => service.consumes.length > 0);
  assert.ok(consumer);
  assert.throws(() => assertClosed([consumer]), /which no service here produces/);
});

test("read models are kept in tables of their own, of which nobody says that they are the truth", () => {
  const models = services.flatMap(({ contract, readModels }) =>
    readModels.map(({ name, tables, events }) => ({ name: `${contract.name}/${name}`, tables, events: events.length })),
  );
  // Whoever adds one adds it here, where a reviewer sees what a rebuild empties.
  assert.deepEqual(models, [
    { name: "catalog/search", tables: [], events: 3 },
    { name: "epg/grid", tables: [], events: 1 },
    { name: "bookmark/continue", tables: ["continue_watching"], events: 1 },
    { name: "search/entries", tables: ["entries"], events: 3 },
    { name: "features/online", tables: [], events: 0 },
  ]);
});

test("every service may call only what exists, and says what it is good for", () => {
  const names = new Set(services.map((service) => service.contract.name));
  for (const { contract, uses, slo, ai } of services) {
    for (const used of Object.values(uses)) assert.ok(names.has(used.name), `${contract.name} uses ${used.name}`);
    assert.ok(slo.p99Ms > 0 && slo.availability > 0.99 && slo.availability < 1, contract.name);
    for (const text of Object.values(ai)) assert.notEqual(text.trim(), "", contract.name);
  }
});

// How the schema of an event may change: what the registry lets through, and what readers and writers of either age then see.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import avro from "avsc";
import fc from "fast-check";
import { openEmbeddedRegistry } from "#adapters/log/registry";
import { topics } from "#contracts/topics";
import { services } from "../apps/services.ts";
import { systemClock } from "./clock.ts";
import { type AvroRecord, type Contract, defineContract, event } from "./contract.ts";
import { type EventReader, type EventWriter, openEvents } from "./events.ts";
import type { LogRecord, SchemaRegistry } from "./ports/log.ts";

interface Field {
  readonly name: string;
  readonly type: unknown;
  readonly default?: unknown;
  readonly aliases?: readonly string[];
}
interface Schema extends AvroRecord {
  readonly fields: readonly Field[];
}

let folder = "";
let registry: SchemaRegistry;
let registries = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "marquee-evolution-"));
});
after(async () => {
  await registry?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A registry that knows nothing yet. */
async function newRegistry(): Promise<SchemaRegistry> {
  await registry?.close();
  registry = await openEmbeddedRegistry({ folder: join(folder, String(++registries)) });
  return registry;
}

const ALIAS = "changing";
/** A program of one release: it publishes and reads the event in one form of its schema. */
const release = (schema: Schema, like: Contract, name: string): Promise<EventReader & EventWriter> =>
  openEvents(
    [defineContract({ name: "writer", rpc: like.rpc, events: { [ALIAS]: event()(name, schema) } })],
    topics,
    registry,
    systemClock,
  );

const typeOf = (schema: Schema): avro.Type => avro.Type.forSchema(schema as unknown as avro.Schema, { registry: {} });

const without = (schema: Schema, name: string): Schema => ({
  ...schema,
  fields: schema.fields.filter((field) => field.name !== name),
});
const withField = (schema: Schema, field: Field): Schema => ({ ...schema, fields: [...schema.fields, field] });
const renamed = (schema: Schema, name: string, aliases: readonly string[]): Schema => ({
  ...schema,
  fields: schema.fields.map((field) =>
    field.name === name ? { ...field, name: `${name}Renamed`, ...(aliases.length > 0 ? { aliases } : {}) } : field,
  ),
});

/** What one release writes, as another one reads it. */
async function carried(
  writer: EventWriter,
  reader: EventReader,
  payload: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const row = writer.encode("writer", ALIAS, payload, "demo");
  const record: LogRecord = { ...row, partition: 0, offset: 0, timestampMs: 1 };
  const received = await reader.decode(record);
  return { ...(received?.data as Record<string, unknown>) };
}

/** Avro's objects have classes of their own; what counts is what is in them. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

const incompatible = { reason: "incompatible_schema" };

const events = services.flatMap(({ contract }) =>
  Object.values(contract.events).map(({ name, schema }) => ({ contract, name, schema: schema as Schema })),
);

describe("every event", () => {
  for (const { contract, name, schema } of events) {
    test(name, async () => {
      await newRegistry();
      const keyName = topics.routes[name]?.key ?? "";
      const key = { [keyName]: "k" };
      const payload = { ...(typeOf(schema).random() as object), ...key };
      const old = await release(schema, contract, name);
      const before = plain(await carried(old, old, payload)) as Record<string, unknown>;

      const grown = withField(schema, { name: "addedLater", type: ["null", "string"], default: null });
      const newer = await release(grown, contract, name);
      assert.deepEqual(plain(await carried(old, newer, payload)), { ...before, addedLater: null }, "new reader");
      const more = { ...payload, addedLater: "new" };
      assert.deepEqual(plain(await carried(newer, old, more)), before, "old reader");
      assert.deepEqual(plain(await carried(newer, newer, more)), { ...before, addedLater: "new" });

      await assert.rejects(
        release(withField(grown, { name: "withoutDefault", type: "string" }), contract, name),
        incompatible,
        "a new field without a default",
      );
      for (const { name: field, type, default: fallback } of schema.fields) {
        if (field === keyName) continue;
        if (fallback === undefined)
          await assert.rejects(release(renamed(grown, field, []), contract, name), incompatible, `${field} renamed`);
        const other = type === "string" ? "long" : "string";
        const changed = grown.fields.map((one) => (one.name === field ? { name: field, type: other } : one));
        await assert.rejects(release({ ...grown, fields: changed }, contract, name), incompatible, `${field} changed`);
      }

      const gone = schema.fields.find((field) => field.name !== keyName);
      if (!gone) return;
      const smaller = await release(without(grown, gone.name), contract, name);
      const { [gone.name]: _, ...rest } = before;
      assert.deepEqual(plain(await carried(newer, smaller, more)), { ...rest, addedLater: "new" }, "a removed field");
      // BACKWARD says nothing about programs of the release before: they miss the field, unless it had a default.
      const less = { ...(typeOf(without(grown, gone.name)).random() as object), ...key };
      if (gone.default === undefined) await assert.rejects(carried(smaller, old, less), /no matching field/);
      else assert.deepEqual(plain((await carried(smaller, old, less))[gone.name]), plain(gone.default));
    });
  }
});

test("a field under a new name is read where the old name is kept as an alias", async () => {
  const [one] = events.filter(({ name }) => name === "catalog.title.added");
  assert.ok(one);
  await newRegistry();
  const old = await release(one.schema, one.contract, one.name);
  const newer = await release(renamed(one.schema, "title", ["title"]), one.contract, one.name);
  const payload = { contentId: "k", kind: "film", title: "The harbour", genres: ["Drama"] };
  assert.equal((await carried(old, newer, payload))["titleRenamed"], "The harbour");
});

/** Types with a default each, so that a field of any of them may be added. */
const types: fc.Arbitrary<{ readonly type: unknown; readonly fallback: unknown }> = fc.constantFrom(
  { type: "string", fallback: "" },
  { type: "boolean", fallback: false },
  { type: "int", fallback: 0 },
  { type: "long", fallback: 0 },
  { type: "double", fallback: 0 },
  { type: ["null", "string"], fallback: null },
  { type: ["null", "double"], fallback: null },
  { type: { type: "array", items: "string" }, fallback: [] },
  { type: { type: "array", items: ["null", "long"] }, fallback: [] },
  { type: { type: "map", values: "int" }, fallback: {} },
);
const names = fc.constantFrom("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta");
const schemas: fc.Arbitrary<Schema> = fc
  .uniqueArray(fc.record({ name: names, of: types, hasDefault: fc.boolean() }), {
    selector: ({ name }) => name,
    minLength: 1,
    maxLength: 6,
  })
  .map((fields) => ({
    type: "record",
    name: "Changing",
    namespace: "marquee.test",
    fields: fields.map(({ name, of, hasDefault }) => ({
      ...{ name, type: of.type },
      ...(hasDefault ? { default: of.fallback } : {}),
    })),
  }));

type Step = (schema: Schema) => Schema;
const has = (schema: Schema, name: string): boolean => schema.fields.some((field) => field.name === name);

/** What may be done to a schema: each leaves it readable for what the one before wrote. */
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ name: names, of: types }).map(({ name, of }): Step => {
    const field = { name, type: of.type, default: of.fallback };
    return (schema) => (has(schema, name) ? schema : withField(schema, field));
  }),
  names.map(
    (name): Step =>
      (schema) =>
        schema.fields.length > 1 ? without(schema, name) : schema,
  ),
  fc.constant<Step>((schema) => ({ ...schema, fields: schema.fields.toReversed() })),
  names.map(
    (name): Step =>
      (schema) => ({
        ...schema,
        fields: schema.fields.map((field) =>
          field.name === name && (field.type === "int" || field.type === "long")
            ? { ...field, type: field.type === "int" ? "long" : "double" }
            : field,
        ),
      }),
  ),
);

test("property: whatever the allowed steps lead to is registered, and reads what the release before wrote", async () => {
  await newRegistry();
  let subjects = 0;
  await fc.assert(
    fc.asyncProperty(schemas, fc.array(steps, { minLength: 1, maxLength: 6 }), async (first, changes) => {
      const subject = `changing-${++subjects}`;
      await registry.register(subject, JSON.stringify(first));
      let old = first;
      const registered = new Set([JSON.stringify(first)]);
      for (const change of changes) {
        const next = change(old);
        const text = JSON.stringify(next);
        // A registry knows what it has already, and the newest stays the newest: who goes back is compared with what is not there any more.
        if (registered.has(text)) continue;
        registered.add(text);
        const id = await registry.register(subject, text);
        const reader = typeOf(JSON.parse(await registry.byId(id)) as Schema);
        const writer = typeOf(old);
        const written = writer.random() as object;
        const bytes = writer.toBuffer(written);
        const asWritten = writer.fromBuffer(bytes) as Record<string, unknown>;
        const read = reader.fromBuffer(bytes, reader.createResolver(writer)) as Record<string, unknown>;
        for (const field of next.fields)
          assert.deepEqual(
            plain(read[field.name]),
            plain(has(old, field.name) ? asWritten[field.name] : field.default),
          );
        assert.deepEqual(Object.keys(read).toSorted(), next.fields.map(({ name }) => name).toSorted());
        old = next;
      }
    }),
    { numRuns: 60 },
  );
});

test("property: a field that comes without a default, or under another name, is refused and changes nothing", async () => {
  await newRegistry();
  let subjects = 0;
  await fc.assert(
    fc.asyncProperty(schemas, types, async (schema, { type }) => {
      const subject = `refused-${++subjects}`;
      const id = await registry.register(subject, JSON.stringify(schema));
      const [first] = schema.fields;
      assert.ok(first);
      const { default: _, ...bare } = first;
      const isolated = { ...schema, fields: [bare, ...schema.fields.slice(1)] };
      for (const change of [withField(schema, { name: "iota", type }), renamed(isolated, first.name, [])])
        await assert.rejects(registry.register(subject, JSON.stringify(change)), incompatible);
      assert.equal(await registry.register(subject, JSON.stringify(schema)), id);
      await registry.register(
        subject,
        JSON.stringify(withField(schema, { name: "iota", type: ["null", "long"], default: null })),
      );
    }),
    { numRuns: 60 },
  );
});

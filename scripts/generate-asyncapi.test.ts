import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import specs from "@asyncapi/specs";
import { Ajv } from "ajv";
import { services } from "../apps/services.ts";
import { topics } from "../contracts/topics/index.ts";
import { REPOSITORY } from "./files.ts";
import { asyncApiDocuments } from "./generate-asyncapi.ts";

interface Document {
  readonly channels: Readonly<Record<string, { address: string; messages: Record<string, { $ref: string }> }>>;
  readonly operations: Readonly<
    Record<string, { action: string; channel: { $ref: string }; messages: readonly { $ref: string }[] }>
  >;
  readonly components: { readonly messages: Readonly<Record<string, { payload: { schema: unknown } }>> };
}

const documents = new Map(
  globSync("docs/asyncapi/*.json", { cwd: REPOSITORY }).map((file) => [
    path.basename(file, ".json"),
    JSON.parse(readFileSync(path.join(REPOSITORY, file), "utf8")) as Document,
  ]),
);

// The published meta-schema, with the schemas of the bindings and of Avro inside. It names formats that are no business of ours here.
const validate = new Ajv({ strict: false, validateFormats: false }).compile(specs.schemasWithoutId["3.0.0"] as object);

/** What a reference within a document leads to. */
function follow(document: unknown, pointer: string): unknown {
  assert.ok(pointer.startsWith("#/"), pointer);
  return pointer
    .slice(2)
    .split("/")
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document);
}

describe("the AsyncAPI documents", () => {
  for (const [service, document] of documents) {
    test(`${service}: is AsyncAPI 3.0, and every reference leads somewhere`, () => {
      assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 5), null, 2));
      const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g);
      for (const [, pointer = ""] of references) assert.ok(follow(document, pointer) !== undefined, pointer);
    });
  }

  test("say of each service what it declares", () => {
    const found = [...documents].map(([service, { operations }]) => [service, Object.keys(operations).toSorted()]);
    const declared = services
      .map(({ contract, consumes, readModels }) => {
        const received = [...consumes, ...readModels.flatMap(({ events }) => events)];
        const sends = Object.values(contract.events).map(({ name }) => `send.${name}`);
        return [contract.name, [...new Set([...sends, ...received.map(({ name }) => `receive.${name}`)])].toSorted()];
      })
      .filter(([, operations]) => operations?.length);
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(declared));
  });

  test("carry the schemas that are on the wire", () => {
    for (const { contract } of services)
      for (const { name, schema } of Object.values(contract.events))
        assert.deepEqual(documents.get(contract.name)?.components.messages[name]?.payload.schema, schema);
  });

  test("the meta-schema refuses what is none", () => {
    const [document] = asyncApiDocuments(
      [
        {
          name: "user.created",
          producer: "user",
          consumers: [],
          schema: { type: "record", name: "UserCreated", fields: [] },
        },
      ],
      topics,
    ).values();
    assert.equal(validate({ ...document, operations: { x: { action: "shout" } } }), false);
    assert.equal(validate({ ...document, asyncapi: "2.6.0" }), false);
    const wrong = { kafka: { partitions: "many", bindingVersion: "0.5.0" } };
    assert.equal(validate({ ...document, channels: { x: { address: "x", bindings: wrong } } }), false);
    assert.ok(validate(document));
  });

  test("an event without a topic is named", () => {
    const event = {
      name: "film.ended",
      producer: "cinema",
      consumers: [],
      schema: { type: "record", name: "FilmEnded" },
    };
    assert.throws(() => asyncApiDocuments([event], topics), /event 'film\.ended' of cinema has no topic/);
  });
});

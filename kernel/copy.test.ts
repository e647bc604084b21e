import assert from "node:assert/strict";
import { test } from "node:test";
import { clone, create, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { services } from "../apps/services.ts";
import { copyMessage } from "./copy.ts";

const DEPTH_MAX = 4;
const ROUNDS = 20;

/** Numbers from 0 to 1 that are the same in every run. */
let state = 7;
const random = (): number => {
  state = (state * 48_271) % 2_147_483_647;
  return state / 2_147_483_647;
};

function scalarOf(field: DescField): unknown {
  if (field.scalar === ScalarType.STRING) return `text ${Math.floor(random() * 100)}`;
  if (field.scalar === ScalarType.BOOL) return random() < 0.5;
  if (field.scalar === ScalarType.BYTES) return Uint8Array.of(1, 2, Math.floor(random() * 256));
  if (field.scalar === ScalarType.DOUBLE || field.scalar === ScalarType.FLOAT) return Math.fround(random());
  const isBig = [ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64, ScalarType.FIXED64].some(
    (type) => type === field.scalar,
  );
  return isBig ? BigInt(Math.floor(random() * 1e6)) : Math.floor(random() * 1e6);
}

/** Some value of a schema, as a handler would write it: plain objects, and messages among them. */
function valueOf(schema: DescMessage, depth = 0): Record<string, unknown> {
  const init: Record<string, unknown> = {};
  const one = (field: DescField): unknown => {
    if (field.enum) return field.enum.values[0]?.number ?? 0;
    if (!field.message) return scalarOf(field);
    const inner = valueOf(field.message, depth + 1);
    return random() < 0.5 ? inner : create(field.message, inner as never);
  };
  for (const member of schema.members) {
    if (depth > DEPTH_MAX || random() < 0.3) continue;
    if (member.kind === "oneof") {
      const field = member.fields[Math.floor(random() * member.fields.length)];
      if (field) init[member.localName] = { case: field.localName, value: one(field) };
    } else if (member.fieldKind === "list")
      init[member.localName] = Array.from({ length: Math.floor(random() * 4) }, () => one(member));
    else if (member.fieldKind === "map") init[member.localName] = { a: one(member), b: one(member) };
    else init[member.localName] = one(member);
  }
  return init;
}

function objectsIn(value: unknown, found = new Set<unknown>()): Set<unknown> {
  if (typeof value !== "object" || value === null) return found;
  found.add(value);
  for (const inner of Object.values(value)) objectsIn(inner, found);
  return found;
}

const schemas = services.flatMap(({ contract }) =>
  contract.rpc.methods.flatMap(({ input, output }) => [input, output]),
);

test("a copy of every message of every contract is what the library would copy, and shares nothing", () => {
  assert.ok(schemas.length > 100);
  for (const schema of schemas)
    for (let round = 0; round < ROUNDS; round += 1) {
      const init = valueOf(schema);
      const message = round % 2 === 0 ? init : create(schema, init as never);
      const copy = copyMessage(schema, message as never);
      assert.deepEqual(copy, clone(schema, create(schema, init as never)));
      const shared = objectsIn(message).intersection(objectsIn(copy));
      assert.equal(shared.size, 0, `a copy of ${schema.typeName} shares ${JSON.stringify([...shared])}`);
    }
});

test("members that the schema does not know are dropped, and defaults are filled", () => {
  const schema = schemas.find(({ fields }) => fields.some(({ scalar }) => scalar === ScalarType.STRING));
  assert.ok(schema);
  const field = schema.fields.find(({ scalar, fieldKind }) => scalar === ScalarType.STRING && fieldKind === "scalar");
  const copy: object = copyMessage(schema, { nobodyKnows: 1 });
  assert.equal("nobodyKnows" in copy, false);
  assert.equal(Reflect.get(copy, field?.localName ?? ""), "");
});

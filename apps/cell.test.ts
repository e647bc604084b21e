import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "#kernel/config";
import { callers } from "./callers.ts";
import { callPolicy } from "#kernel/call-policy";
import { cellOf, identitiesOf, missingFor } from "./cell.ts";
import { services } from "./services.ts";

const names = services.map(({ contract }) => contract.name);
const variables = (missing: readonly string[]) => missing.map((line) => line.split(" ")[0]);

test("a cell is services, and the web, the edges or the operator's calls", () => {
  const cell = cellOf(["session", "web", "edges", "session"]);
  assert.deepEqual(cell.names, ["session", "web", "edges"]);
  assert.deepEqual(
    cell.services.map(({ contract }) => contract.name),
    ["session"],
  );
  assert.deepEqual(identitiesOf(cell), ["session", "web"]);
  assert.throws(
    () => cellOf(["sesion"]),
    /there is no 'sesion': services are .*session.*; besides there are web, edges/,
  );
  assert.throws(() => cellOf([]), /name what to serve/);
});

test("a split names every variable that it lacks, at once", () => {
  const missing = missingFor(cellOf(["session"]), readConfig({ MARQUEE_POSTGRES_URL: "postgresql://a:b@db/marquee" }));
  assert.deepEqual(variables(missing), [
    "MARQUEE_POSTGRES_RUNTIME_URL",
    "MARQUEE_KAFKA_BROKERS",
    "MARQUEE_SCHEMA_REGISTRY_URL",
    "MARQUEE_REDIS_URL",
    "MARQUEE_S3_BUCKET",
    "MARQUEE_VAULT_ADDR",
    "MARQUEE_PEERS",
  ]);
  assert.ok(missing.every((line) => /such as \S+/.test(line)));
  // Nobody is called by it, so it needs no addresses.
  assert.ok(!variables(missingFor(cellOf(["tenant"]), readConfig({}))).includes("MARQUEE_PEERS"));
});

test("edges need their origin and nothing else; all of the product needs nothing", () => {
  assert.deepEqual(variables(missingFor(cellOf(["edges"]), readConfig({}))), ["MARQUEE_ORIGIN_URL"]);
  assert.deepEqual(missingFor(cellOf(["edges"]), readConfig({ MARQUEE_ORIGIN_URL: "https://origin.test" })), []);
  assert.deepEqual(missingFor(cellOf([...names, "web", "edges"]), readConfig({})), []);
});

test("who may call whom follows from the declarations", () => {
  const mayCall = callPolicy(callers);
  assert.equal(mayCall("session", "token"), true);
  assert.equal(mayCall("token", "catalog"), false);
  assert.equal(mayCall("web", "session"), true);
  assert.equal(mayCall("web", "keys"), false);
  assert.equal(mayCall("bookmark", "keys"), false);
  for (const name of names) assert.equal(mayCall("admin", name), true);
  assert.equal(mayCall("nobody", "user"), false);
  // Content keys: those who package and those who license, and the manifests that name them; a recording gets a key of its own.
  assert.deepEqual(
    callers.map(({ name }) => name).filter((name) => mayCall(name, "keys")),
    ["encoding", "origin", "license", "live", "recording", "admin"],
  );
});

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Tenant } from "#contracts/tenant";
import { startTestHost } from "../../../tests/host.ts";
import tenant from "./service.ts";

let host: Awaited<ReturnType<typeof startTestHost>>;
before(async () => {
  host = await startTestHost({ services: [tenant] });
});
after(() => host.stop());

test("a host leads to its tenant, any other host to the default one", async () => {
  const [tenants, context] = [host.client(Tenant, "test"), host.context()];
  const resolve = async (name: string) => (await tenants.resolve({ host: name }, context)).tenant?.id;
  assert.equal(await resolve("localhost:8080"), "demo");
  await tenants.put({ tenant: { id: "north", name: "North", hosts: ["north.example"], accent: "#123456" } }, context);
  assert.equal(await resolve("NORTH.example:443"), "north");
  assert.equal(await resolve("north.example"), "north", "from the cache");
  assert.equal(await resolve("x".repeat(500)), "demo");
  await tenants.put({ tenant: { id: "north", name: "North", hosts: ["nord.example"], accent: "#123456" } }, context);
  assert.equal(await resolve("north.example"), "demo");
  assert.equal(await resolve("nord.example"), "north");
  const { tenants: all } = await tenants.list({}, context);
  assert.deepEqual(
    all.map(({ id, hosts }) => [id, hosts]),
    [
      ["demo", []],
      ["north", ["nord.example"]],
    ],
  );
});

test("a host belongs to one tenant", async () => {
  const [tenants, context] = [host.client(Tenant, "test"), host.context()];
  const wish = (id: string) => tenants.put({ tenant: { id, name: id, hosts: ["only.example"] } }, context);
  await wish("one");
  await assert.rejects(wish("two"), { code: "already_exists", reason: "host_taken" });
  await assert.rejects(wish("Not an id"), { code: "invalid_argument" });
  await assert.rejects(tenants.get({ id: "two" }, context), { code: "not_found" });
});

// The lake as the product has it: what services emit becomes rows of their tenant's table, and a deleted account is found in none of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Analytics } from "#contracts/analytics";
import { Subscription } from "#contracts/subscription";
import { Tenant } from "#contracts/tenant";
import { User } from "#contracts/user";
import { testClock } from "#kernel/clock";
import { readAvroRecords } from "#media/avro-file";
import subscription from "../../services/identity/subscription/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import analytics from "../../services/insight/analytics/service.ts";
import { startTestHost, type TestHost } from "../host.ts";

const clock = testClock(Date.now());
let host: TestHost;
before(async () => {
  host = await startTestHost({ services: [tenant, user, subscription, analytics], clock });
});
after(() => host?.stop());

/** What any object of a tenant says, unpacked. */
async function lakeText(name: string): Promise<string> {
  const { objects } = host.adapters;
  const texts = (await objects.list(`lake/${name}/`, { keysMax: 1_000 })).map(async ({ key }) => {
    const bytes = await objects.get(key);
    return key.endsWith(".avro") ? JSON.stringify(await readAvroRecords(bytes)) : Buffer.from(bytes).toString();
  });
  return (await Promise.all(texts)).join("\n");
}

const inBytes = (text: string): string => [...Buffer.from(text)].join(",");

test("events of each tenant are in its own table, and an operator sees it", async () => {
  const north = { id: "north", name: "North", hosts: ["north.example"], accent: "#123456" };
  await host.client(Tenant, "test").put({ tenant: north }, host.context());
  const users = host.client(User, "test");
  const make = (email: string, tenantId: string) =>
    users.create({ email, name: "N", language: "en" }, host.context({ tenant: tenantId }));
  const [alex, nora] = [await make("alex@demo.test", "demo"), await make("nora@demo.test", "north")];
  await host.settled();
  const lake = host.client(Analytics, "test");
  const { tables } = await lake.listTables({}, host.context());
  assert.deepEqual(
    tables.map(({ name, rows }) => [name, rows]),
    [["bronze.events", 2n]],
  );
  const found = await lake.getTable({ name: "bronze.events" }, host.context());
  assert.deepEqual(found.partitionBy, ["day(time)", "event_type"]);
  assert.deepEqual(found.columns[2], { ...found.columns[2], id: 3, name: "time", type: "timestamptz", required: true });
  assert.ok(found.snapshots.every(({ operation, addedRows }) => operation === "append" && addedRows > 0n));
  assert.match(found.table?.metadataLocation ?? "", /^file:\/\/.*\.metadata\.json$/);

  const [demoText, northText] = [await lakeText("demo"), await lakeText("north")];
  const [alexId, noraId] = [alex.user?.id ?? "", nora.user?.id ?? ""];
  assert.ok(demoText.includes(alexId) && !demoText.includes(noraId));
  assert.ok(northText.includes(noraId) && !northText.includes(alexId));

  await assert.rejects(lake.getTable({ name: "bronze.events" }, host.context({ tenant: "south" })), {
    code: "not_found",
  });
  await assert.rejects(lake.listTables({}, host.context({ viewer: {} })), { code: "permission_denied" });
});

test("a deleted account is found in no object, not even in the event that says so", async () => {
  const users = host.client(User, "test");
  const context = host.context();
  const { user: made } = await users.create({ email: "sam@demo.test", name: "S", language: "en" }, context);
  const userId = made?.id ?? "";
  await host.client(Subscription, "test").change({ userId, tier: "premium" }, context);
  await host.settled();
  assert.ok((await lakeText("demo")).includes(userId));
  await users.delete({ userId }, context);
  await host.settled();
  const lake = host.client(Analytics, "test");
  // The service looks every minute; a draft that a crash left would take an hour.
  for (let minute = 0; minute < 90; minute += 1) {
    if ((await lake.listTables({}, host.context())).erasuresPending === 0n) break;
    await clock.advance(60_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal((await lake.listTables({}, host.context())).erasuresPending, 0n);
  const text = await lakeText("demo");
  assert.ok(!text.includes(userId) && !text.includes(inBytes(userId)));
  assert.ok(text.includes("usr_"), "others stay");
});

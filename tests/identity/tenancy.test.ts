import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { type AuthHost, makeAccount, openBrowser, PASSWORD, refresh, signIn, startAuth } from "./setup.ts";

let host: AuthHost;
before(async () => {
  host = await startAuth();
  await host.tenants.put(
    { tenant: { id: "other", name: "Other", hosts: ["other.test"], accent: "#112233" } },
    host.context(),
  );
});
after(() => host.stop());

const SERVICES = ["user", "auth", "profile", "subscription", "entitlement"];

test("a sign-in of one tenant does not exist for another", async () => {
  const account = await makeAccount(host, "alex@demo.test");
  const twin = await makeAccount(host, "alex@demo.test", "other");
  assert.notEqual(twin.userId, account.userId);
  const { interaction } = await openBrowser(host.publicUrl).authorize({ deviceId: "dev-t" });
  const there = host.context({ tenant: "other" });
  const request = { interaction, email: account.email, password: PASSWORD, ip: "192.0.2.1" };
  await assert.rejects(host.auth.signIn(request, there), { reason: "expired" });
  await signIn(host, account, { deviceId: "dev-t" });
  assert.deepEqual((await host.auth.listDevices({ userId: account.userId }, there)).devices, []);
  await assert.rejects(host.users.get({ userId: account.userId }, there), { code: "not_found" });
  await assert.rejects(host.profiles.get({ profileId: account.profileId }, there), { code: "not_found" });
});

test("no row of any table is visible to another tenant, nor can be written for it", async () => {
  const account = await makeAccount(host, "rows@demo.test");
  await refresh(host.publicUrl, (await signIn(host, account)).refresh_token);
  await host.auth.forgotPassword({ email: account.email, ip: "192.0.2.1" }, host.context());
  await host.subscriptions.change({ userId: account.userId, tier: "premium" }, host.context());
  const client = new pg.Client({ connectionString: host.adapters.postgres.runtimeUrl });
  await client.connect();
  try {
    const seen = new Map<string, number>();
    for (const service of SERVICES) {
      const { rows: tables } = await client.query<{ table_name: string }>(
        "SELECT c.relname AS table_name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r'",
        [`"${service}"`],
      );
      assert.ok(tables.length > 0, service);
      for (const { table_name: table } of tables) {
        const count = async (tenant: string): Promise<number> => {
          await client.query(`BEGIN; SET LOCAL ROLE svc_${service}; SET LOCAL marquee.tenant TO '${tenant}'`);
          const { rows } = await client.query<{ n: string }>(
            `SELECT count(*) AS n FROM "${service}"."${table}" WHERE tenant <> $1`,
            [tenant],
          );
          const own = await client.query<{ n: string }>(`SELECT count(*) AS n FROM "${service}"."${table}"`);
          await client.query("ROLLBACK");
          assert.equal(Number(rows[0]?.n), 0, `${service}.${table} shows rows of others to '${tenant}'`);
          return Number(own.rows[0]?.n);
        };
        assert.equal(await count("third"), 0, `${service}.${table}`);
        seen.set(`${service}.${table}`, await count("demo"));
      }
    }
    for (const table of [
      "user.users",
      "auth.oidc",
      "auth.devices",
      "auth.credentials",
      "auth.networks",
      "profile.profiles",
      "subscription.subscriptions",
      "entitlement.grants",
    ])
      assert.ok((seen.get(table) ?? 0) > 0, `${table} has rows, or this test shows nothing`);
    await client.query("BEGIN; SET LOCAL ROLE svc_user; SET LOCAL marquee.tenant TO 'third'");
    const smuggled = client.query(
      "INSERT INTO \"user\".users (tenant, id, email, name, language, created_at_ms) VALUES ('demo', 'x', 'x@x.test', 'x', '', 0)",
    );
    await assert.rejects(smuggled, /row-level security/);
    await client.query("ROLLBACK");
  } finally {
    await client.end();
  }
});

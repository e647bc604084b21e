import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import pg from "pg";
import { type AuthHost, later, makeAccount, openBrowser, refresh, signIn, startAuth, until } from "./setup.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

/** The models of the rows that the OpenID provider keeps, once each. */
async function kept(host: AuthHost): Promise<string[]> {
  const client = new pg.Client({ connectionString: host.adapters.postgres.runtimeUrl });
  await client.connect();
  try {
    await client.query("BEGIN; SET LOCAL ROLE svc_auth; SET LOCAL marquee.tenant TO 'demo'");
    const { rows } = await client.query<{ model: string }>("SELECT DISTINCT model FROM auth.oidc ORDER BY model");
    return rows.map(({ model }) => model);
  } finally {
    await client.end();
  }
}

test("a restart signs nobody out, and what time has ended is swept", async () => {
  const folder = await makeTestFolder("restart");
  try {
    const first = await startAuth({}, folder);
    const account = await makeAccount(first, "stay@demo.test");
    const tokens = await signIn(first, account, { deviceId: "dev-stay" });
    await openBrowser(first.publicUrl).authorize({ deviceId: "dev-forgotten" });
    assert.ok((await kept(first)).includes("Interaction"));
    await first.stop();
    await later(2 * 3_600_000, async () => {
      const second = await startAuth({}, folder);
      try {
        await until(async () => !(await kept(second)).includes("Interaction"));
        assert.equal((await refresh(second.publicUrl, tokens.refresh_token)).status, 200);
        assert.deepEqual(await kept(second), ["Grant", "RefreshToken", "Session"]);
      } finally {
        await second.stop();
      }
    });
    await later(40 * 86_400_000, async () => {
      const third = await startAuth({}, folder);
      try {
        await until(async () => (await kept(third)).join() === "Grant");
        const { devices } = await third.auth.listDevices({ userId: account.userId }, third.context());
        assert.deepEqual(devices, [], "a device whose tokens ended is signed out");
      } finally {
        await third.stop();
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { PostgresServer } from "#kernel/ports/postgres";
import { isCode, withClient } from "./roles.ts";

type Row = Readonly<Record<string, unknown>>;

/** What every PostgreSQL is to the platform: a place to migrate as its owner, and a weak login that is only what it is granted to be. */
export function postgresContract(name: string, open: () => Promise<PostgresServer>): void {
  describe(`postgres contract: ${name}`, () => {
    let server: PostgresServer;
    before(async () => {
      server = await open();
      await ask(
        server.adminUrl,
        `DROP SCHEMA IF EXISTS suite CASCADE; DROP ROLE IF EXISTS suite_service;
         CREATE ROLE suite_service NOLOGIN NOINHERIT; CREATE SCHEMA suite;
         CREATE TABLE suite.rows (tenant text NOT NULL, n int NOT NULL);
         ALTER TABLE suite.rows ENABLE ROW LEVEL SECURITY; ALTER TABLE suite.rows FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON suite.rows USING (tenant = current_setting('marquee.tenant', true));
         GRANT USAGE ON SCHEMA suite TO suite_service; GRANT SELECT, INSERT ON suite.rows TO suite_service;
         GRANT suite_service TO ${new URL(server.runtimeUrl).username}`,
      );
    });
    after(() => server?.stop());

    const ask = (url: string, text: string): Promise<readonly Row[]> =>
      withClient(url, async (client) => {
        const answer: unknown = await client.query<Row>(text);
        // Several statements have several answers; the last one counts.
        return ((Array.isArray(answer) ? answer.at(-1) : answer) as { rows: readonly Row[] }).rows;
      });
    /** As a service does: everything that it is, it is for one transaction. */
    const asService = (tenant: string, text: string): Promise<readonly Row[]> =>
      ask(
        server.runtimeUrl,
        `BEGIN; SET LOCAL ROLE suite_service; SET LOCAL marquee.tenant TO '${tenant}'; ${text}; COMMIT`,
      );

    test("says that it answers, and its version", async () => {
      const { ok, detail } = await server.state();
      assert.equal(ok, true);
      assert.match(detail, /PostgreSQL \d+/);
      assert.doesNotMatch(detail, new RegExp(new URL(server.runtimeUrl).password));
    });

    test("the runtime login is nobody until it takes a role, and no role that it was not granted", async () => {
      const runtime = server.runtimeUrl;
      await assert.rejects(ask(runtime, "SELECT * FROM suite.rows"), /permission denied/);
      await assert.rejects(ask(runtime, "CREATE TABLE public.mine (n int)"), /permission denied/);
      await assert.rejects(ask(runtime, `SET ROLE ${new URL(server.adminUrl).username}`), /permission denied/);
      const [role] = await ask(
        server.adminUrl,
        `SELECT rolsuper, rolinherit, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = '${new URL(runtime).username}'`,
      );
      assert.deepEqual(Object.values(role ?? {}), [false, false, false, false, false]);
    });

    test("a tenant sees its own rows, and nobody's without one", async () => {
      await asService("a", "INSERT INTO suite.rows VALUES ('a', 1), ('a', 2)");
      await asService("b", "INSERT INTO suite.rows VALUES ('b', 3)");
      await assert.rejects(asService("a", "INSERT INTO suite.rows VALUES ('b', 4)"), /row-level security/);
      const seen = async (tenant: string): Promise<unknown> => {
        const rows = await withClient(server.runtimeUrl, async (client) => {
          await client.query(`BEGIN; SET LOCAL ROLE suite_service; SET LOCAL marquee.tenant TO '${tenant}'`);
          const answer = await client.query<{ n: number }>("SELECT n FROM suite.rows ORDER BY n");
          await client.query("COMMIT");
          return answer.rows;
        });
        return rows.map(({ n }) => n);
      };
      assert.deepEqual(await seen("a"), [1, 2]);
      assert.deepEqual(await seen("b"), [3]);
      assert.deepEqual(await seen(""), []);
    });

    test("what was set for a transaction is gone after it", async () => {
      const after = await withClient(server.runtimeUrl, async (client) => {
        await client.query("BEGIN; SET LOCAL ROLE suite_service; SET LOCAL marquee.tenant TO 'a'; COMMIT");
        const { rows } = await client.query<Row>(
          "SELECT current_user AS role, current_setting('marquee.tenant', true) AS tenant",
        );
        return rows[0];
      });
      assert.equal(after?.["role"], new URL(server.runtimeUrl).username);
      assert.ok(["", null].includes(after?.["tenant"] as string | null));
    });

    test("a commit is on the disk when it is answered, and two that disagree do not both happen", async () => {
      const [settings] = await ask(
        server.adminUrl,
        "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS sync",
      );
      assert.equal(settings?.["fsync"], "on");
      assert.notEqual(settings?.["sync"], "off");
      const both = await Promise.allSettled(
        [1, 2].map((n) =>
          withClient(server.adminUrl, async (client) => {
            await client.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
            const { rows } = await client.query<{ sum: number }>(
              "SELECT coalesce(sum(n), 0)::int AS sum FROM suite.rows",
            );
            await new Promise((resolve) => setTimeout(resolve, 50));
            await client.query("INSERT INTO suite.rows VALUES ('c', $1)", [(rows[0]?.sum ?? 0) + n]);
            await client.query("COMMIT");
          }),
        ),
      );
      const [refused] = both.filter((one) => one.status === "rejected");
      assert.equal(both.filter((one) => one.status === "fulfilled").length, 1);
      assert.ok(isCode(refused?.reason, "40001"));
    });

    test("a wrong password is refused", async () => {
      const wrong = new URL(server.runtimeUrl);
      wrong.password = "guess";
      await assert.rejects(ask(wrong.href, "SELECT 1"), /password authentication failed|SASL authentication failed/);
    });

    test("says that it was let go", async () => {
      await server.stop();
      assert.equal((await server.state()).ok, false);
    });
  });
}

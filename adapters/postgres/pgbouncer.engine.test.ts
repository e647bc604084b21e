// PostgreSQL by URL with PgBouncer between: it gives a connection to whoever has a transaction, so whatever a session remembers leaks or is lost.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { PostgresServer } from "#kernel/ports/postgres";
import { inTransaction, openPool } from "#kernel/sql";
import { makeTestFolder } from "../../kernel/testing/folder.ts";
import { freePorts } from "../../engines/engine.ts";
import { ensureProgram } from "../../engines/programs.ts";
import { postgresContract } from "./contract.ts";
import { openEmbeddedPostgres } from "./embedded.ts";
import { unprivilegedUser } from "./engine.ts";
import { withClient } from "./roles.ts";
import { openPostgresByUrl } from "./url.ts";

const HAS_ENGINES = process.env["MARQUEE_TEST_ENGINES"] !== undefined;
const CONNECTIONS = 2;
const START_TRIES_MAX = 100;

async function openBehindBouncer(): Promise<PostgresServer> {
  const folder = await makeTestFolder("pgbouncer");
  const behind = await openEmbeddedPostgres({ folder: join(folder, "postgres"), log: () => undefined });
  const port = await freePorts(1);
  const { username, password, pathname, port: serverPort } = new URL(behind.runtimeUrl);
  const runtimeUrl = `postgresql://${username}:${password}@127.0.0.1:${port}${pathname}`;
  await writeFile(join(folder, "users.txt"), `"${username}" "${password}"`);
  // docs/engines.md names these settings; two connections for everybody make sure that sessions are shared.
  const settings = [
    "[databases]",
    `* = host=127.0.0.1 port=${serverPort}`,
    "[pgbouncer]",
    ...["listen_addr = 127.0.0.1", `listen_port = ${port}`, "unix_socket_dir =", "auth_type = scram-sha-256"],
    ...[`auth_file = ${join(folder, "users.txt")}`, "pool_mode = transaction", `default_pool_size = ${CONNECTIONS}`],
    "ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout",
  ];
  const file = join(folder, "pgbouncer.ini");
  await writeFile(file, settings.join("\n"));
  for (const each of [folder, file, join(folder, "users.txt")]) await chmod(each, 0o755);
  const program = await ensureProgram("pgbouncer", "pgbouncer", (line) => console.error(line));
  const bouncer = spawn(program, [file], { stdio: ["ignore", "ignore", "inherit"], ...(await unprivilegedUser()) });
  await untilItAnswers(bouncer, runtimeUrl);
  const server = await openPostgresByUrl({ adminUrl: behind.adminUrl, runtimeUrl });
  return {
    ...server,
    async stop() {
      await server.stop();
      bouncer.kill("SIGQUIT");
      if (bouncer.exitCode === null && bouncer.signalCode === null) await once(bouncer, "exit");
      await behind.stop();
    },
  };
}

async function untilItAnswers(bouncer: ChildProcess, url: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const answer = await withClient(url, (client) => client.query("SELECT 1")).catch((error: unknown) => error);
    if (!(answer instanceof Error)) return;
    if (tries >= START_TRIES_MAX || bouncer.exitCode !== null)
      throw new Error(`PgBouncer does not answer (${bouncer.exitCode ?? "it runs"}): ${answer.message}`);
    await pause(100);
  }
}

if (HAS_ENGINES) {
  postgresContract("by URL, behind PgBouncer", openBehindBouncer);

  test("the kernel's transactions keep to themselves what they set, on connections that all share", async () => {
    const server = await openBehindBouncer();
    const pool = openPool({ url: server.runtimeUrl, connectionsMax: 8, onError: () => undefined });
    try {
      const seen = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          inTransaction(pool, `SET LOCAL marquee.tenant TO 't${n}'`, async (client) => {
            const { rows } = await client.query<{ tenant: string; pid: number }>(
              "SELECT current_setting('marquee.tenant') AS tenant, pg_backend_pid() AS pid, $1::int",
              [n],
            );
            return rows[0];
          }),
        ),
      );
      assert.deepEqual(
        seen.map((row) => row?.tenant),
        seen.map((_, n) => `t${n}`),
      );
      assert.equal(new Set(seen.map((row) => row?.pid)).size, CONNECTIONS);
    } finally {
      await pool.end();
      await server.stop();
    }
  });
} else test("behind PgBouncer", { skip: "npm run test:engines -- pgbouncer runs this" }, () => {});

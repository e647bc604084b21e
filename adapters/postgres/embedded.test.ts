import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "#kernel/errors";
import { postgresContract } from "./contract.ts";
import { openEmbeddedPostgres } from "./embedded.ts";
import { commandOf } from "./processes.ts";
import { withClient } from "./roles.ts";
import { openPostgresByUrl } from "./url.ts";

const root = await mkdtemp(join(tmpdir(), "marquee-postgres-"));
// mkdtemp makes folders that only their owner may enter; the last test shows what happens then.
await chmod(root, 0o755);
const folder = join(root, "a folder");
after(() => rm(root, { recursive: true, force: true }));

postgresContract("embedded", () => openEmbeddedPostgres({ folder: join(root, "contract"), log: () => undefined }));

/** As somebody else's: what is behind the URL goes with it. */
postgresContract("by URL", async () => {
  const behind = await openEmbeddedPostgres({ folder: join(root, "by URL"), log: () => undefined });
  const server = await openPostgresByUrl(behind);
  return { ...server, stop: () => Promise.all([server.stop(), behind.stop()]).then(() => undefined) };
});

const guarded = new Set<number>();
const spawnGuard = { add: (pid: number) => void guarded.add(pid), remove: (pid: number) => void guarded.delete(pid) };
const lines: string[] = [];
const open = () => openEmbeddedPostgres({ folder, log: (line) => void lines.push(line), spawnGuard });

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  return withClient(url, async (client) => (await client.query<Record<string, unknown>>(text)).rows);
}

async function postmasterPid(): Promise<number> {
  return Number.parseInt(await readFile(join(folder, "data", "postmaster.pid"), "utf8"), 10);
}

test("a first start makes two roles, and the runtime role is weak", async () => {
  // What an `initdb` that was killed leaves behind does not matter.
  await mkdir(join(folder, "draft", "data"), { recursive: true });
  const server = await open();
  try {
    assert.equal((await server.state()).ok, true);
    assert.deepEqual([...guarded], [await postmasterPid()]);
    assert.equal((await stat(join(folder, "credentials.json"))).mode & 0o777, 0o600);
    await query(
      server.adminUrl,
      "CREATE SCHEMA svc; CREATE TABLE svc.kept (n int PRIMARY KEY); INSERT INTO svc.kept VALUES (1)",
    );
    await assert.rejects(query(server.runtimeUrl, "SELECT * FROM svc.kept"), /permission denied/);
    await assert.rejects(query(server.runtimeUrl, "CREATE TABLE public.mine (n int)"), /permission denied/);
    const [role] = await query(
      server.adminUrl,
      "SELECT rolsuper, rolinherit, rolbypassrls FROM pg_roles WHERE rolname = 'marquee_runtime'",
    );
    assert.deepEqual(role, { rolsuper: false, rolinherit: false, rolbypassrls: false });
    const [settings] = await query(
      server.adminUrl,
      "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS sync",
    );
    assert.deepEqual(settings, { fsync: "on", sync: "on" });
    const [road] = await query(server.runtimeUrl, "SELECT inet_client_addr() AS address");
    assert.deepEqual(road, { address: null }, "the connection is a socket of the file system");
    const wrong = new URL(server.adminUrl);
    wrong.password = "guess";
    await assert.rejects(query(wrong.href, "SELECT 1"), /password authentication failed/);
  } finally {
    await server.stop();
  }
  assert.equal(guarded.size, 0);
  await assert.rejects(stat(join(folder, "data", "postmaster.pid")));
  assert.equal((await server.state()).ok, false);
});

test("a postmaster killed with -9 comes back at the same address with every committed row", async () => {
  const server = await open();
  try {
    await query(server.adminUrl, "INSERT INTO svc.kept VALUES (2)");
    const before = await postmasterPid();
    process.kill(before, "SIGKILL");
    let rows: readonly Record<string, unknown>[] = [];
    for (let tries = 0; tries < 200 && rows.length === 0; tries += 1) {
      await sleep(25);
      rows = await query(server.adminUrl, "SELECT n FROM svc.kept ORDER BY n").catch(() => []);
    }
    assert.deepEqual(rows, [{ n: 1 }, { n: 2 }]);
    assert.notEqual(await postmasterPid(), before);
    assert.equal((await server.state()).ok, true);
    assert.deepEqual([...guarded], [await postmasterPid()]);
  } finally {
    await server.stop();
  }
});

test("what a parent killed with -9 leaves running is adopted, and stopped at the end", async () => {
  const script = `
    import { openEmbeddedPostgres } from ${JSON.stringify(new URL("./embedded.ts", import.meta.url).href)};
    import { withClient } from ${JSON.stringify(new URL("./roles.ts", import.meta.url).href)};
    const server = await openEmbeddedPostgres({ folder: ${JSON.stringify(folder)}, log() {} });
    await withClient(server.adminUrl, (client) => client.query("INSERT INTO svc.kept VALUES (3)"));
    console.log("committed");
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [first] = (await Promise.race([once(createInterface(parent.stdout), "line"), once(parent, "exit")])) as [
    unknown,
  ];
  assert.equal(first, "committed");
  parent.kill("SIGKILL");
  await once(parent, "exit");
  const orphan = await postmasterPid();
  assert.ok(await commandOf(orphan), "the postmaster outlives its parent");

  const server = await open();
  assert.deepEqual([...guarded], [orphan]);
  assert.deepEqual(await query(server.adminUrl, "SELECT count(*)::int AS n FROM svc.kept"), [{ n: 3 }]);
  await server.stop();
  assert.equal(await commandOf(orphan), undefined);
});

test("a lock file that names a stranger's process does not stand in the way", async () => {
  const stale = `${process.pid}\n${join(folder, "data")}\n1700000000\n5432\n\n127.0.0.1\n0 0\nready\n`;
  await writeFile(join(folder, "data", "postmaster.pid"), stale);
  const server = await open();
  assert.equal((await server.state()).ok, true);
  await server.stop();
});

test("by URL: the runtime role is created, a strong one and a wrong password are refused without telling secrets", async () => {
  const server = await open();
  try {
    const as = (role: string, password: string) => {
      const url = new URL(server.adminUrl);
      url.username = role;
      url.password = password;
      return url.href;
    };
    const byUrl = await openPostgresByUrl({
      adminUrl: server.adminUrl,
      runtimeUrl: as("other_runtime", "it's secret"),
    });
    assert.equal((await byUrl.state()).ok, true);
    await byUrl.stop();
    // The second time it is there already.
    await (
      await openPostgresByUrl({ adminUrl: server.adminUrl, runtimeUrl: as("other_runtime", "it's secret") })
    ).stop();
    await assert.rejects(
      openPostgresByUrl({ adminUrl: server.adminUrl, runtimeUrl: as("other_runtime", "wr0ng") }),
      (error: Error) => {
        assert.match(error.message, /does not let 'other_runtime' in/);
        assert.doesNotMatch(error.message, /wr0ng/);
        return error instanceof Problem && error.code === "unavailable";
      },
    );
    await query(server.adminUrl, "CREATE ROLE mighty LOGIN SUPERUSER PASSWORD 'x'");
    await assert.rejects(openPostgresByUrl({ adminUrl: server.adminUrl, runtimeUrl: as("mighty", "x") }), {
      code: "failed_precondition",
    });
    await assert.rejects(openPostgresByUrl({ adminUrl: as("mighty", "x"), runtimeUrl: as("mighty", "x") }), {
      code: "failed_precondition",
    });
    // A weak administrator may not create the role, and is told what to type.
    await assert.rejects(
      openPostgresByUrl({ adminUrl: as("other_runtime", "it's secret"), runtimeUrl: as("third", "y") }),
      /CREATE ROLE third LOGIN/,
    );
    await assert.rejects(openPostgresByUrl({ adminUrl: "localhost:5432", runtimeUrl: "x" }), {
      code: "invalid_argument",
    });
  } finally {
    await server.stop();
  }
});

test("data that cannot be started are reported with the log's last lines", async () => {
  await rename(join(folder, "data", "global", "pg_control"), join(folder, "pg_control"));
  await assert.rejects(open(), (error: Error) => {
    assert.match(error.message, /ended while starting/);
    assert.match(error.message, /could not find the database system|pg_control/);
    return error instanceof Problem && error.code === "unavailable";
  });
  await rename(join(folder, "pg_control"), join(folder, "data", "global", "pg_control"));
  const server = await open();
  assert.deepEqual(await query(server.adminUrl, "SELECT count(*)::int AS n FROM svc.kept"), [{ n: 3 }]);
  await server.stop();
});

test("root's private folders are answered by a place that PostgreSQL's user can reach", {
  skip: process.getuid?.() !== 0 && "needs root",
}, async () => {
  const hidden = join(root, "hidden", "inside");
  await mkdir(join(root, "hidden"), { mode: 0o700 });
  const server = await openEmbeddedPostgres({ folder: hidden, log: () => undefined });
  const home = (await readFile(join(hidden, "moved-to.txt"), "utf8")).trim();
  try {
    assert.equal((await server.state()).ok, true);
    assert.equal((await stat(join(home, "data"))).mode & 0o777, 0o700);
  } finally {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  }
});

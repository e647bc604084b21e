import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import pg from "pg";
import type { Job, SqlExecutor } from "#kernel/ports/jobs";
import { openEmbeddedPostgres } from "../postgres/embedded.ts";
import { jobsContract } from "./contract.ts";
import { openJobs } from "./pgboss.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

const root = await makeTestFolder("jobs");
await chmod(root, 0o755);
const server = await openEmbeddedPostgres({ folder: join(root, "postgres"), log: () => undefined });
const pool = new pg.Pool({ connectionString: server.runtimeUrl, max: 4 });
const lines: string[] = [];
const open = () =>
  openJobs({ adminUrl: server.adminUrl, runtimeUrl: server.runtimeUrl, log: (line) => void lines.push(line) });
after(async () => {
  await pool.end();
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

/** As the kernel does it: the runtime login becomes the service's role for one transaction; that role is a member of `marquee_jobs`. */
async function transact<T>(use: (sql: SqlExecutor) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("SET LOCAL ROLE svc_test");
    const result = await use({
      executeSql: async (text, values) => ({
        rows: (await client.query<Record<string, unknown>>(text, [...values])).rows,
      }),
    });
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

jobsContract("pg-boss", async () => {
  const jobs = await open();
  const admin = new pg.Client({ connectionString: server.adminUrl });
  await admin.connect();
  await admin.query("CREATE ROLE svc_test NOLOGIN; GRANT marquee_jobs TO svc_test; GRANT svc_test TO marquee_runtime");
  await admin.end();
  return { jobs, transact, close: () => jobs.close() };
});

// Both wait for heartbeats, so they wait together.
describe("leases", { concurrency: true }, () => {
  test("a worker killed with -9 loses its lease, and somebody else does the job", { timeout: 40_000 }, async () => {
    const jobs = await open();
    await jobs.createQueue("killed", { retriesMax: 0, retryDelayS: 5, heartbeatS: 10, expireS: 600 });
    await transact((sql) => jobs.send(sql, "killed", [{ key: "a", payload: { n: 1 } }]));
    const script = `
    import { openJobs } from ${JSON.stringify(new URL("./pgboss.ts", import.meta.url).href)};
    const jobs = await openJobs({ ...JSON.parse(process.env.URLS), log() {} });
    await jobs.work("killed", { concurrency: 1 }, () => { console.log("runs"); return new Promise(() => {}); });
  `;
    const urls = JSON.stringify({ adminUrl: server.adminUrl, runtimeUrl: server.runtimeUrl });
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, URLS: urls },
    });
    const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")])) as [
      unknown,
    ];
    assert.equal(line, "runs");
    child.kill("SIGKILL");
    const done = Promise.withResolvers<Job>();
    const startedMs = performance.now();
    const worker = await jobs.work("killed", { concurrency: 1 }, async (job) => done.resolve(job));
    const job = await done.promise;
    // No time is asserted, but whoever looks at the report sees it.
    console.log(`taken over after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    assert.deepEqual(job.payload, { n: 1 });
    assert.equal(job.attempt, 1);
    await worker.stop();
    assert.deepEqual(await jobs.counts("killed"), { queued: 0, active: 0, failed: 0 });
    await jobs.close();
    assert.equal((await jobs.state()).ok, false);
  });

  test("a job whose lease was lost is told by its signal, and does not settle what is somebody else's", {
    timeout: 30_000,
  }, async () => {
    const jobs = await open();
    await jobs.createQueue("lost", { retriesMax: 0, retryDelayS: 0, heartbeatS: 10, expireS: 600 });
    await transact((sql) => jobs.send(sql, "lost", [{ key: "a", payload: {} }]));
    const entered = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const worker = await jobs.work("lost", { concurrency: 1 }, async (job) => {
      job.signal.addEventListener("abort", () => aborted.resolve(), { once: true });
      entered.resolve();
      await aborted.promise;
      throw new Error("aborted");
    });
    await entered.promise;
    // What the supervisor does to a worker that it takes for dead, and another worker after it.
    await transact((sql) =>
      sql.executeSql("UPDATE jobs.job SET retry_count = retry_count + 1 WHERE name = 'lost'", []),
    );
    await aborted.promise;
    await worker.stop();
    assert.deepEqual(await jobs.counts("lost"), { queued: 0, active: 1, failed: 0 });
    await jobs.close();
  });
});

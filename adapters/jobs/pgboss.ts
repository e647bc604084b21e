import pg from "pg";
import { PgBoss } from "pg-boss";
import type { ConstructorOptions, JobResult, JobWithMetadata } from "pg-boss";
import { Problem, problem } from "#kernel/errors";
import type { Job, Jobs, QueueDepth, QueueOptions, SqlExecutor, Worker } from "#kernel/ports/jobs";

const SCHEMA = "jobs";
/** Whoever is a member may enqueue and work. Services get it from the kernel, the runtime login gets it here. */
export const JOBS_ROLE = "marquee_jobs";
/** How often a job may lose its lease (its worker was killed) besides the retries that its own failures take. Without an end, a job that kills its worker would do so for ever. */
const LEASES_LOST_MAX = 20;
/** pg-boss ends a job by itself so much later than we do; it never has to, unless our process stands still. */
const EXPIRE_GRACE_S = 30;
const RETRY_DELAY_S_MAX = 600;
const KEEP_S = 3 * 24 * 3600;
const JOBS_PER_SEND_MAX = 1_000;
const KEY_CHARACTERS_MAX = 512;
const CONCURRENCY_MAX = 64;

export interface PgBossOptions {
  /** Owns the schema `jobs`: creates and migrates it. */
  readonly adminUrl: string;
  /** Enqueues and works, as the role `marquee_jobs`. */
  readonly runtimeUrl: string;
  log(line: string): void;
}

/** What a job's row carries: the caller's payload, and how often its handler failed. */
interface Envelope {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly failures: number;
}

/**
 * Jobs on PostgreSQL by pg-boss 12. A worker beats for every job it runs; a supervisor in any of the processes returns the
 * jobs of one that stopped beating to the queue. Failures of the handler and lost leases have budgets of their own, so
 * that a product that is killed ten times does not use up a job's retries.
 */
export async function openJobs(options: PgBossOptions): Promise<Jobs> {
  await install(options);
  const boss = new PgBoss({
    ...common(options.runtimeUrl),
    // Every session of ours is the group role: the login itself inherits nothing.
    options: `-c role=${JOBS_ROLE}`,
    max: 6,
    migrate: false,
    supervise: true,
    superviseIntervalSeconds: 2,
    monitorIntervalSeconds: 2,
    // Rebuilding an index needs its owner.
    reindex: false,
    monitorVacuum: false,
    useListenNotify: true,
    queueCacheIntervalSeconds: 30,
  });
  boss.on("error", (error) => options.log(`jobs: ${error.message}`));
  boss.on("warning", (warning) => options.log(`jobs: ${warning.message}`));
  await boss.start();
  const db = boss.getDb();
  const workers = new Set<Worker>();
  let closing: Promise<void> | undefined;

  function assertOpen(): void {
    if (closing !== undefined) throw problem.unavailable("the jobs are closed");
  }

  /**
   * Returns a job that we hold to its queue. The row is ours only as long as it is active in the attempt that we fetched.
   * A handler's failure counts, and waits; the end of the worker is not the job's fault, and leaves no trace (`started_on`
   * is what makes the next fetch count).
   */
  async function giveBack(
    job: JobWithMetadata<Envelope>,
    failure: { failures: number; delayS: number; output: object } | undefined,
  ): Promise<void> {
    const where = "WHERE name = $1 AND id = $2 AND state = 'active' AND retry_count = $3";
    const fence = [job.name, job.id, job.retryCount];
    if (failure === undefined) {
      await db.executeSql(
        `UPDATE ${SCHEMA}.job SET state = (CASE WHEN retry_count > 0 THEN 'retry' ELSE 'created' END)::${SCHEMA}.job_state,
           started_on = NULL, heartbeat_on = NULL, start_after = now() ${where}`,
        fence,
      );
      return;
    }
    await db.executeSql(
      `UPDATE ${SCHEMA}.job SET state = 'retry', heartbeat_on = NULL, start_after = now() + $4 * interval '1 second',
         data = jsonb_set(data, '{failures}', to_jsonb($5::int)), output = $6::jsonb ${where}`,
      [...fence, failure.delayS, failure.failures, JSON.stringify(failure.output)],
    );
  }

  /** Runs one job to its end and says how pg-boss shall settle it; one that was given back is no longer ours, and settling it does nothing. */
  async function runJob(
    job: JobWithMetadata<Envelope>,
    retriesMax: number,
    retryDelayS: number,
    stop: AbortSignal,
    handle: (job: Job) => Promise<void>,
  ): Promise<JobResult> {
    const done: JobResult = { id: job.id, status: "completed" };
    const failures = job.data.failures;
    // A job that was fetched while the worker stopped has not begun.
    if (stop.aborted) {
      await giveBack(job, undefined);
      return done;
    }
    const expireS = job.expireInSeconds - EXPIRE_GRACE_S;
    const expiry = new AbortController();
    const timer = setTimeout(
      () => expiry.abort(problem.deadline(`the job took longer than ${expireS} s`)),
      expireS * 1000,
    );
    const signal = AbortSignal.any([job.signal, stop, expiry.signal]);
    const isLastAttempt = failures >= retriesMax || job.retryCount >= job.retryLimit;
    try {
      await handle({
        id: job.id,
        key: job.singletonKey ?? "",
        payload: job.data.payload,
        attempt: job.retryCount,
        isLastAttempt,
        signal,
      });
      return done;
    } catch (error) {
      if (stop.aborted && !expiry.signal.aborted) {
        await giveBack(job, undefined);
        return done;
      }
      const output = {
        message: error instanceof Error ? error.message : String(error),
        ...(error instanceof Problem ? { code: error.code } : {}),
      };
      if (isLastAttempt) {
        options.log(`jobs: '${job.singletonKey}' of '${job.name}' failed for good: ${output.message}`);
        // Terminal, whatever budget for lost leases is left.
        return { id: job.id, status: "deadletter", output };
      }
      await giveBack(job, {
        failures: failures + 1,
        delayS: Math.min(RETRY_DELAY_S_MAX, retryDelayS * 2 ** failures),
        output,
      });
      return done;
    } finally {
      clearTimeout(timer);
    }
  }

  async function queueOf(queue: string): Promise<{ retriesMax: number; retryDelayS: number }> {
    const found = await boss.getQueue(queue);
    if (found === null) throw problem.notFound(`the queue '${queue}' does not exist: create it first`);
    return { retriesMax: (found.retryLimit ?? 0) - LEASES_LOST_MAX, retryDelayS: found.retryDelay ?? 0 };
  }

  return {
    async createQueue(name, queue) {
      assertOpen();
      checkQueue(name, queue);
      const wanted = {
        retryLimit: queue.retriesMax + LEASES_LOST_MAX,
        retryDelay: queue.retryDelayS,
        retryBackoff: false,
        heartbeatSeconds: queue.heartbeatS,
        expireInSeconds: queue.expireS + EXPIRE_GRACE_S,
        deleteAfterSeconds: KEEP_S,
      };
      await boss.createQueue(name, { ...wanted, policy: "exclusive", notify: true });
      // One that was there takes the new settings for its next jobs.
      await boss.updateQueue(name, wanted);
    },
    async send(sql, queue, jobs) {
      assertOpen();
      if (jobs.length > JOBS_PER_SEND_MAX)
        throw problem.invalid(
          `${jobs.length} jobs are too many for one send: at most ${JOBS_PER_SEND_MAX} are possible`,
        );
      if (jobs.length === 0) return;
      const rows = jobs.map((job) => {
        if (job.key === "" || job.key.length > KEY_CHARACTERS_MAX)
          throw problem.invalid(
            `a job's key has 1 to ${KEY_CHARACTERS_MAX} characters, this one has ${job.key.length}`,
          );
        const data: Envelope = { payload: job.payload, failures: 0 };
        // pg-boss' own retries are those after a lost lease: nobody failed, so nothing is waited for.
        return { data, singletonKey: job.key, priority: job.priority ?? 0, retryDelay: 0 };
      });
      await boss.insert(queue, rows, { db: boundTo(sql) });
    },
    async work(queue, work, handle) {
      assertOpen();
      if (!Number.isSafeInteger(work.concurrency) || work.concurrency < 1 || work.concurrency > CONCURRENCY_MAX) {
        throw problem.invalid(`concurrency is ${work.concurrency}: 1 to ${CONCURRENCY_MAX} are possible`);
      }
      const { retriesMax, retryDelayS } = await queueOf(queue);
      const stop = new AbortController();
      // LISTEN wakes a slot at once; the poll is for jobs whose time comes, and for those of a killed worker.
      const settings = {
        includeMetadata: true,
        perJobResults: true,
        batchSize: 1,
        pollingIntervalSeconds: 1,
        notifyPollingIntervalSeconds: 2,
      } as const;
      const slots: string[] = [];
      for (let slot = 0; slot < work.concurrency; slot += 1) {
        const id = await boss.work<Envelope, unknown, typeof settings>(queue, settings, async (batch) => {
          const results = await Promise.all(
            batch.map((job) => runJob(job, retriesMax, retryDelayS, stop.signal, handle)),
          );
          // Where one job was there may be more: without this, short jobs would run one per poll.
          const own = slots[slot];
          if (own !== undefined) boss.notifyWorker(own);
          return results;
        });
        slots.push(id);
      }
      const worker: Worker = {
        async stop() {
          if (!workers.delete(worker)) return;
          // offWork marks the slots before it waits, so that none fetches what we are about to give back.
          const ended = slots.map((id) => boss.offWork(queue, { id, wait: true }));
          stop.abort(new Problem("canceled", "the worker stops"));
          await Promise.all(ended);
        },
      };
      workers.add(worker);
      return worker;
    },
    async cancel(queue, key) {
      assertOpen();
      const found = await boss.findJobs(queue, { key, queued: true, limit: 10 });
      if (found.length > 0)
        await boss.cancel(
          queue,
          found.map((job) => job.id),
        );
    },
    async counts(queue) {
      assertOpen();
      const { rows } = await db.executeSql(
        `SELECT count(*) FILTER (WHERE state < 'active')::int AS queued, count(*) FILTER (WHERE state = 'active')::int AS active,
           count(*) FILTER (WHERE state = 'failed')::int AS failed FROM ${SCHEMA}.job WHERE name = $1`,
        [queue],
      );
      const [row] = rows as { queued: number; active: number; failed: number }[];
      return row ?? { queued: 0, active: 0, failed: 0 };
    },
    async depths() {
      assertOpen();
      const { rows } = await db.executeSql(
        `SELECT q.name AS queue, count(*) FILTER (WHERE j.state < 'active')::int AS queued,
           count(*) FILTER (WHERE j.state = 'active')::int AS active, count(*) FILTER (WHERE j.state = 'failed')::int AS failed,
           coalesce(extract(epoch FROM now() - min(greatest(j.created_on, j.start_after))
             FILTER (WHERE j.state < 'active' AND j.start_after <= now())), 0)::float8 AS "waitedS"
         FROM ${SCHEMA}.queue q LEFT JOIN ${SCHEMA}.job j ON j.name = q.name WHERE q.name NOT LIKE '\\_\\_%' GROUP BY q.name`,
      );
      return rows as QueueDepth[];
    },
    async state() {
      if (closing !== undefined) return { ok: false, detail: "jobs are closed" };
      try {
        const { rows } = await db.executeSql(
          `SELECT count(*)::int AS count FROM ${SCHEMA}.job WHERE state <= 'active'`,
        );
        const [row] = rows as { count: number }[];
        return { ok: true, detail: `pg-boss, ${row?.count ?? 0} jobs wait or run` };
      } catch (error) {
        return { ok: false, detail: `pg-boss: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
    close() {
      closing ??= (async () => {
        await Promise.all([...workers].map((worker) => worker.stop()));
        await boss.stop({ graceful: true, timeout: 5_000 });
      })();
      return closing;
    },
  };
}

/** Creates or migrates the schema as its owner, and lets the group role work in it. */
async function install(options: PgBossOptions): Promise<void> {
  const boss = new PgBoss({
    ...common(options.adminUrl),
    max: 2,
    migrate: true,
    supervise: false,
    registerInstance: false,
  });
  boss.on("error", (error) => options.log(`jobs: ${error.message}`));
  await boss.start();
  await boss.stop({ graceful: false });
  const runtimeRole = decodeURIComponent(new URL(options.runtimeUrl).username);
  const client = new pg.Client({
    connectionString: options.adminUrl,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  });
  await client.connect();
  try {
    // The lock is for several processes that start together: roles and grants are rows of catalogues that two may not change at a time.
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock(hashtext('marquee jobs'))");
    const { rowCount } = await client.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [JOBS_ROLE]);
    if (rowCount === 0) await client.query(`CREATE ROLE ${JOBS_ROLE} NOLOGIN`);
    await client.query(`
      GRANT USAGE ON SCHEMA ${SCHEMA} TO ${JOBS_ROLE};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${SCHEMA} TO ${JOBS_ROLE};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${SCHEMA} TO ${JOBS_ROLE};
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${SCHEMA} TO ${JOBS_ROLE};
      GRANT ${JOBS_ROLE} TO ${client.escapeIdentifier(runtimeRole)};
    `);
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}

function common(url: string): ConstructorOptions {
  return {
    connectionString: url,
    schema: SCHEMA,
    application_name: "marquee-jobs",
    schedule: false,
    openTelemetry: { enabled: false },
  };
}

/** pg-boss wants mutable arrays and rows of any shape. */
function boundTo(sql: SqlExecutor) {
  return {
    async executeSql(text: string, values: unknown[] = []) {
      const { rows } = await sql.executeSql(text, values);
      return { rows: [...rows] };
    },
  };
}

function checkQueue(name: string, queue: QueueOptions): void {
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(name))
    throw problem.invalid(`'${name}' is no name for a queue: use letters, digits, '.', '_' and '-'`);
  const inRange = (value: number, min: number, max: number) =>
    Number.isSafeInteger(value) && value >= min && value <= max;
  if (!inRange(queue.retriesMax, 0, 100))
    throw problem.invalid(`queue '${name}' has retriesMax ${queue.retriesMax}: 0 to 100 are possible`);
  if (!inRange(queue.retryDelayS, 0, RETRY_DELAY_S_MAX))
    throw problem.invalid(
      `queue '${name}' has retryDelayS ${queue.retryDelayS}: 0 to ${RETRY_DELAY_S_MAX} are possible`,
    );
  if (!inRange(queue.heartbeatS, 10, 3600))
    throw problem.invalid(`queue '${name}' has heartbeatS ${queue.heartbeatS}: 10 to 3600 are possible`);
  if (!inRange(queue.expireS, 1, 86_000))
    throw problem.invalid(`queue '${name}' has expireS ${queue.expireS}: 1 to 86000 are possible`);
}

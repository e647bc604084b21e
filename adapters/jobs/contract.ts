import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "#kernel/errors";
import type { Job, Jobs, QueueOptions, SqlExecutor } from "#kernel/ports/jobs";

/** Jobs under test, and a way to run a transaction as a service does: as a role that is not the owner's. A rejection of `use` rolls back. */
export interface JobsUnderTest {
  readonly jobs: Jobs;
  transact<T>(use: (sql: SqlExecutor) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const OPTIONS: QueueOptions = { retriesMax: 2, retryDelayS: 0, heartbeatS: 10, expireS: 60 };

/** What every jobs adapter does. */
export function jobsContract(name: string, open: () => Promise<JobsUnderTest>): void {
  describe(`jobs contract: ${name}`, () => {
    let opened: JobsUnderTest;
    let jobs: Jobs;
    before(async () => {
      opened = await open();
      jobs = opened.jobs;
    });
    after(() => opened.close());

    const queueOf = async (options: Partial<QueueOptions> = {}): Promise<string> => {
      const queue = `test-${randomUUID()}`;
      await jobs.createQueue(queue, { ...OPTIONS, ...options });
      return queue;
    };
    const send = (queue: string, ...keys: readonly string[]) =>
      opened.transact((sql) =>
        jobs.send(
          sql,
          queue,
          keys.map((key) => ({ key, payload: { key } })),
        ),
      );
    const until = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
      const deadlineMs = performance.now() + 10_000;
      while (!(await isSo())) {
        assert.ok(performance.now() < deadlineMs, `within 10 s: ${what}`);
        await sleep(20);
      }
    };

    test("a job exists if and only if its transaction commits", async () => {
      const queue = await queueOf();
      await assert.rejects(
        opened.transact(async (sql) => {
          await jobs.send(sql, queue, [{ key: "a", payload: {} }]);
          throw new Error("roll back");
        }),
        /roll back/,
      );
      assert.deepEqual(await jobs.counts(queue), { queued: 0, active: 0, failed: 0 });
      await send(queue, "a", "b");
      assert.equal((await jobs.counts(queue)).queued, 2);
      const depthOf = async () => (await jobs.depths()).find((depth) => depth.queue === queue);
      assert.deepEqual({ ...(await depthOf()), waitedS: 0 }, { queue, queued: 2, active: 0, failed: 0, waitedS: 0 });
      await until("they have waited a while", async () => ((await depthOf())?.waitedS ?? 0) > 0);
    });

    test("jobs run once with their payload, the higher priority first", async () => {
      const queue = await queueOf();
      await opened.transact((sql) =>
        jobs.send(sql, queue, [
          { key: "low", payload: { n: 1 }, priority: -1 },
          { key: "high", payload: { n: 2, nested: { text: "\u00e9" } }, priority: 5 },
          { key: "middle", payload: { n: 3 } },
        ]),
      );
      const seen: Job[] = [];
      const worker = await jobs.work(queue, { concurrency: 1 }, async (job) => void seen.push(job));
      await until("three jobs ran", () => seen.length === 3);
      await worker.stop();
      assert.deepEqual(
        seen.map((job) => job.key),
        ["high", "middle", "low"],
      );
      assert.deepEqual(seen[0]?.payload, { n: 2, nested: { text: "\u00e9" } });
      assert.ok(seen.every((job) => job.attempt === 0 && !job.isLastAttempt && job.id !== ""));
      assert.deepEqual(await jobs.counts(queue), { queued: 0, active: 0, failed: 0 });
    });

    test("at most one job with a key waits or runs; afterwards the key is free", async () => {
      const queue = await queueOf();
      await send(queue, "a", "a");
      await send(queue, "a", "b");
      assert.equal((await jobs.counts(queue)).queued, 2);
      const release = Promise.withResolvers<void>();
      const runs: string[] = [];
      const worker = await jobs.work(queue, { concurrency: 2 }, async (job) => {
        runs.push(job.key);
        await release.promise;
      });
      await until("both run", () => runs.length === 2);
      await send(queue, "a");
      assert.equal((await jobs.counts(queue)).queued, 0, "a running job holds its key");
      release.resolve();
      await until("both ended", async () => (await jobs.counts(queue)).active === 0);
      await send(queue, "a");
      await until("it ran again", () => runs.length === 3);
      await worker.stop();
    });

    test("a rejected job is tried again within its budget, then it is failed", async () => {
      const queue = await queueOf({ retriesMax: 2 });
      await send(queue, "a");
      const tries: (readonly [number, boolean])[] = [];
      const worker = await jobs.work(queue, { concurrency: 1 }, async (job) => {
        tries.push([job.attempt, job.isLastAttempt]);
        throw new Error("it does not work");
      });
      await until("it failed for good", async () => (await jobs.counts(queue)).failed === 1);
      await worker.stop();
      assert.deepEqual(tries, [
        [0, false],
        [1, false],
        [2, true],
      ]);
      assert.deepEqual(await jobs.counts(queue), { queued: 0, active: 0, failed: 1 });
      // A person who tries again finds the key free.
      await send(queue, "a");
      assert.equal((await jobs.counts(queue)).queued, 1);
    });

    test("up to `concurrency` jobs run at once", async () => {
      const queue = await queueOf();
      await send(queue, ..."abcdefgh");
      let running = 0;
      let most = 0;
      let done = 0;
      const worker = await jobs.work(queue, { concurrency: 3 }, async () => {
        running += 1;
        most = Math.max(most, running);
        await sleep(30);
        running -= 1;
        done += 1;
      });
      await until("all ran", () => done === 8);
      await worker.stop();
      assert.ok(most > 1 && most <= 3, `${most} at once`);
    });

    test("stop aborts what runs; it returns to the queue and keeps its budget", async () => {
      const queue = await queueOf({ retriesMax: 0 });
      await send(queue, "a");
      for (let round = 0; round < 3; round += 1) {
        const entered = Promise.withResolvers<Job>();
        const worker = await jobs.work(queue, { concurrency: 1 }, (job) => {
          entered.resolve(job);
          return new Promise((_, reject) =>
            job.signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true }),
          );
        });
        const job = await entered.promise;
        assert.equal(job.isLastAttempt, true);
        assert.equal(job.attempt, 0);
        await worker.stop();
        assert.deepEqual(await jobs.counts(queue), { queued: 1, active: 0, failed: 0 });
      }
      let done = 0;
      const worker = await jobs.work(queue, { concurrency: 1 }, async () => void (done += 1));
      await until("it ran in the end", () => done === 1);
      await worker.stop();
    });

    test("a job that takes too long is aborted, and counts as failed", async () => {
      const queue = await queueOf({ retriesMax: 0, expireS: 1 });
      await send(queue, "a");
      let reason: unknown;
      const worker = await jobs.work(queue, { concurrency: 1 }, (job) => {
        return new Promise((_, reject) =>
          job.signal.addEventListener(
            "abort",
            () => {
              reason = job.signal.reason;
              reject(new Error("aborted"));
            },
            { once: true },
          ),
        );
      });
      await until("it failed", async () => (await jobs.counts(queue)).failed === 1);
      await worker.stop();
      assert.ok(reason instanceof Problem && reason.code === "deadline_exceeded");
    });

    test("cancel ends what waits and leaves alone what runs", async () => {
      const queue = await queueOf();
      await send(queue, "waits", "stays");
      await jobs.cancel(queue, "waits");
      await jobs.cancel(queue, "unknown");
      assert.equal((await jobs.counts(queue)).queued, 1);
      const seen: string[] = [];
      const release = Promise.withResolvers<void>();
      const worker = await jobs.work(queue, { concurrency: 2 }, async (job) => {
        seen.push(job.key);
        await release.promise;
        assert.equal(job.signal.aborted, false);
      });
      await until("it runs", () => seen.length === 1);
      await jobs.cancel(queue, "stays");
      release.resolve();
      await until("it ended", async () => (await jobs.counts(queue)).active === 0);
      await worker.stop();
      assert.deepEqual(seen, ["stays"]);
      assert.equal((await jobs.counts(queue)).failed, 0);
    });

    test("creating a queue again takes the new settings; nonsense is refused", async () => {
      const queue = await queueOf();
      await jobs.createQueue(queue, { ...OPTIONS, retriesMax: 0 });
      await send(queue, "a");
      const worker = await jobs.work(queue, { concurrency: 1 }, async () => {
        throw new Error("no");
      });
      await until("it failed at once", async () => (await jobs.counts(queue)).failed === 1);
      await worker.stop();
      const isInvalid = (error: unknown) => error instanceof Problem && error.code === "invalid_argument";
      await assert.rejects(jobs.createQueue("a b", OPTIONS), isInvalid);
      await assert.rejects(jobs.createQueue(queue, { ...OPTIONS, heartbeatS: 1 }), isInvalid);
      await assert.rejects(
        jobs.work(queue, { concurrency: 0 }, async () => undefined),
        isInvalid,
      );
      await assert.rejects(send(queue, ""), isInvalid);
      await assert.rejects(
        jobs.work(`test-${randomUUID()}`, { concurrency: 1 }, async () => undefined),
        (error) => error instanceof Problem && error.code === "not_found",
      );
    });

    test("state says that it is well", async () => {
      assert.equal((await jobs.state()).ok, true);
    });
  });
}

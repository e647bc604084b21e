import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { Problem } from "#kernel/errors";
import { cacheContract } from "./contract.ts";
import { openRedisCache } from "./redis.ts";

// The variable says that this engine is there to be tested: nobody's own Redis is written to by mistake.
const url = process.env["MARQUEE_TEST_REDIS"] ? (process.env["MARQUEE_REDIS_URL"] ?? "") : "";
const skip = url === "" && "needs a Redis: run by npm run test:engines";

if (url !== "") cacheContract("Redis", async () => ({ cache: await openRedisCache({ url }), pass: (ms) => sleep(ms) }));

const isAway = (error: unknown): boolean =>
  error instanceof Problem && error.code === "unavailable" && /MARQUEE_REDIS_URL/.test(error.message);

/** A wire to the engine that can be cut, mended and made silent. */
async function wire(): Promise<{
  readonly url: string;
  cut(): void;
  mend(): Promise<void>;
  silence(isSilent: boolean): void;
  stop(): Promise<void>;
}> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port || 6379), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        near.destroy();
        far.destroy();
        sockets.delete(socket);
      });
    }
    near.on("data", (bytes) => silent || far.write(bytes));
    far.on("data", (bytes) => silent || near.write(bytes));
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String(port);
  const cut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: through.href,
    cut,
    mend: () => listen(port),
    silence: (isSilent) => (silent = isSilent),
    async stop() {
      cut();
    },
  };
}

/** Asks until it is answered; the adapter reconnects by itself. */
async function until(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (
      await work().then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(50);
  }
  await work();
}

describe("Redis", { skip }, () => {
  test("fences grow though the lock's own record vanished", async () => {
    const cache = await openRedisCache({ url });
    const direct = new Redis(url);
    const key = randomUUID();
    try {
      const first = await cache.lock(key, 60_000);
      assert.equal(await cache.lock(key, 60_000), undefined);
      assert.equal(await direct.del(`marquee:l:${key}`), 1);
      const second = await cache.lock(key, 60_000);
      assert.ok(first && second && second.fence > first.fence);
      assert.ok(Number.isSafeInteger(second.fence));
    } finally {
      direct.disconnect();
      await cache.close();
    }
  });

  test("a counter keeps its time to live, and nothing is kept for ever", async () => {
    const cache = await openRedisCache({ url });
    const direct = new Redis(url);
    const key = randomUUID();
    try {
      await cache.increment(key, 1, 50_000);
      await cache.increment(key, 1, 90_000);
      const leftMs = await direct.pttl(`marquee:v:${key}`);
      assert.ok(leftMs > 0 && leftMs <= 50_000, `${leftMs} ms left`);
      await cache.lock(key, 1_000);
      const lockLeftMs = await direct.pttl(`marquee:l:${key}`);
      assert.ok(lockLeftMs > 1_000 && lockLeftMs <= 3_601_000, `${lockLeftMs} ms left`);
    } finally {
      direct.disconnect();
      await cache.close();
    }
  });

  test("an engine that is not there is said so at once, without the password", async () => {
    const closed = new URL(url);
    closed.port = "1";
    closed.username = "nobody";
    closed.password = "hunter2";
    await assert.rejects(
      openRedisCache({ url: closed.href }),
      (error: Error) => isAway(error) && /ECONNREFUSED/.test(error.message) && !/hunter2/.test(error.stack ?? ""),
    );
    const stranger = new URL(url);
    stranger.username = "nobody";
    stranger.password = "hunter2";
    await assert.rejects(
      openRedisCache({ url: stranger.href }),
      (error: Error) =>
        error instanceof Problem &&
        error.code === "failed_precondition" &&
        error.cause === undefined &&
        !/hunter2/.test(error.stack ?? ""),
    );
  });

  test("a lost engine makes every call fail soon, and is found again", async () => {
    const line = await wire();
    const cache = await openRedisCache({ url: line.url });
    const key = randomUUID();
    try {
      await cache.set(key, "kept", 60_000);
      line.cut();
      await assert.rejects(cache.get(key), isAway);
      await sleep(700);
      // Who asks an engine that is known to be away does not wait for a deadline each time.
      const isAtOnce = (error: unknown): boolean => isAway(error) && /connection is lost/.test(String(error));
      for (const call of [
        () => cache.get(key),
        () => cache.getMany([key]),
        () => cache.set(key, "v", 1_000),
        () => cache.delete([key]),
        () => cache.increment(key, 1, 1_000),
        () => cache.lock(key, 1_000),
      ]) {
        await assert.rejects(call(), isAtOnce);
      }
      const state = await cache.state();
      assert.equal(state.ok, false);
      assert.match(state.detail, /MARQUEE_REDIS_URL/);
      await line.mend();
      await until(() => cache.get(key));
      assert.equal(await cache.get(key), "kept");
      assert.equal((await cache.state()).ok, true);
    } finally {
      await cache.close();
      await line.stop();
    }
  });

  test("an engine that is silent is waited for until the deadline, by so many calls and no more", async () => {
    const line = await wire();
    const cache = await openRedisCache({ url: line.url, deadlineMs: 300, pendingMax: 5 });
    const key = randomUUID();
    try {
      line.silence(true);
      const calls = await Promise.allSettled(Array.from({ length: 8 }, () => cache.get(key)));
      const reasons = calls.map((call) => (call.status === "rejected" ? call.reason : undefined));
      assert.equal(reasons.filter((error) => isAway(error) && /300 ms/.test(error.message)).length, 5);
      assert.equal(reasons.filter((error) => error instanceof Problem && error.reason === "cache_busy").length, 3);
      line.silence(false);
      await until(() => cache.set(key, "again", 5_000));
      assert.equal(await cache.get(key), "again");
    } finally {
      await cache.close();
      await line.stop();
    }
  });
});

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { findOnPath } from "../../scripts/bootstrap/tools.mjs";
import { cacheContract } from "./contract.ts";
import { openRedisCache } from "./redis.ts";

// A cluster needs several nodes, so it starts its own beside the engine that the variable asks for.
const program = process.env["MARQUEE_TEST_REDIS"] ? findOnPath("redis-server") : undefined;
const NODES = 2;
const SLOTS = 16_384;

const children: ChildProcess[] = [];
const root = await mkdtemp(join(tmpdir(), "marquee-redis-cluster-"));
after(async () => {
  for (const child of children) {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }
  await rm(root, { recursive: true, force: true });
});

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Two primaries that share the slots between them; returns the first one's port. */
async function startCluster(redisServer: string): Promise<number> {
  const ports = await freePorts(2 * NODES);
  const nodes = Array.from({ length: NODES }, (_, index) => ({
    port: ports[index] ?? 0,
    bus: ports[NODES + index] ?? 0,
  }));
  for (const { port, bus } of nodes) {
    const flags = { port, "cluster-port": bus, bind: "127.0.0.1", "cluster-enabled": "yes", dir: root, save: "" };
    const args = Object.entries({ ...flags, "cluster-config-file": `${port}.conf` });
    children.push(
      spawn(
        redisServer,
        args.flatMap(([name, value]) => [`--${name}`, String(value)]),
        { stdio: "ignore" },
      ),
    );
  }
  const clients = nodes.map(({ port }) =>
    // A node that has not started yet refuses the connection, which is told as an event as well.
    new Redis({ host: "127.0.0.1", port, maxRetriesPerRequest: null }).on("error", () => undefined),
  );
  try {
    for (const [index, client] of clients.entries()) {
      const from = (SLOTS / NODES) * index;
      await client.call("CLUSTER", "ADDSLOTSRANGE", from, from + SLOTS / NODES - 1);
    }
    for (const { port, bus } of nodes.slice(1))
      await clients[0]?.call("CLUSTER", "MEET", "127.0.0.1", String(port), String(bus));
    for (const client of clients) {
      let info = "";
      for (let tries = 0; tries < 300; tries += 1) {
        info = String(await client.call("CLUSTER", "INFO"));
        if (/cluster_state:ok/.test(info) && info.includes(`cluster_known_nodes:${NODES}`)) break;
        await sleep(100);
      }
      assert.match(info, /cluster_state:ok/);
    }
  } finally {
    for (const client of clients) client.disconnect();
  }
  return nodes[0]?.port ?? 0;
}

if (program === undefined) {
  test(
    "Redis as a cluster",
    {
      skip: "needs redis-server: run by npm run test:engines",
    },
    () => undefined,
  );
} else {
  const url = `redis://127.0.0.1:${await startCluster(program)}`;
  cacheContract("Redis as a cluster", async () => ({
    cache: await openRedisCache({ url }),
    pass: (ms) => sleep(ms),
  }));

  test("many keys at once reach every node", async () => {
    const cache = await openRedisCache({ url });
    try {
      const keys = Array.from({ length: 200 }, () => randomUUID());
      await Promise.all(keys.map((key) => cache.set(key, `value of ${key}`, 60_000)));
      assert.deepEqual(
        await cache.getMany(keys),
        keys.map((key) => `value of ${key}`),
      );
      await cache.delete(keys);
      assert.deepEqual(new Set(await cache.getMany(keys)), new Set([undefined]));
    } finally {
      await cache.close();
    }
  });
}

import { openRedisCache } from "#adapters/cache/redis";
import { problem } from "#kernel/errors";
import type { Engine, EnginePlace } from "./engine.ts";
import { ensureProgram } from "./programs.ts";

const urlOf = ({ port }: EnginePlace): string => `redis://127.0.0.1:${port}/0`;

/** A Redis for this machine only. It keeps nothing over a restart, as befits a cache. */
export const redis: Engine = {
  name: "redis",
  what: "cache, counters and locks: Redis, from Debian's package redis-server",
  licence: "BSD-3-Clause up to 7.2; later versions AGPL-3.0, RSALv2 or SSPL-1.0",
  async install({ say }) {
    await ensureProgram("redis-server", "redis-server", say);
  },
  async command({ data, port, say }) {
    return {
      program: await ensureProgram("redis-server", "redis-server", say),
      args: [
        ["--bind", "127.0.0.1"],
        ["--port", String(port)],
        ["--dir", data],
        ["--save", ""],
        ["--appendonly", "no"],
        ["--maxmemory", "64mb"],
        ["--maxmemory-policy", "allkeys-lru"],
      ].flat(),
    };
  },
  async health(at) {
    const cache = await openRedisCache({ url: urlOf(at) });
    try {
      const { ok, detail } = await cache.state();
      if (!ok) throw problem.unavailable(detail);
      return detail;
    } finally {
      await cache.close();
    }
  },
  environment: (at) => ({ MARQUEE_REDIS_URL: urlOf(at) }),
};

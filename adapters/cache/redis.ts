import { isIP } from "node:net";
import { Cluster, Redis } from "ioredis";
import { Problem, problem } from "#kernel/errors";
import type { Cache } from "#kernel/ports/cache";
import { assertIncrement, assertKey, assertTtl, notACounter } from "./checks.ts";

export interface RedisCacheOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` over TLS. A node of a cluster leads to the whole cluster. Carries a secret: never log it. */
  readonly url: string;
  /** How long a call waits for its answer. */
  readonly deadlineMs?: number;
  /** How many calls may wait at once; further ones are refused. */
  readonly pendingMax?: number;
}

/** Many times what an answer takes; whoever asks has a viewer waiting. */
const DEADLINE_MS = 250;
const PENDING_MAX = 10_000;
/** Larger values are not kept, as the embedded cache does: one that large belongs to the object store. */
const VALUE_CHARACTERS_MAX = 16 * 1024 * 1024;
/** So long after a lost connection calls still wait for the next one; after that they fail at once instead of piling up. */
const GRACE_MS = 500;
const CONNECT_TIMEOUT_MS = 5_000;
const RETRY_MS_MAX = 2_000;
const MAJOR_MIN = 6;

/**
 * Each command and each script touches one key, so that the same code works on a cluster, where keys lie on many nodes.
 * A counter's time to live is set by its first increment alone.
 */
const INCREMENT = `
local value = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return value`;

/**
 * A lock is a hash of its fence and the time until which it is held. It outlives its holder by an hour, so that the next
 * fence is known to be larger. Should it vanish all the same (eviction, FLUSHALL), the clock in microseconds is
 * larger than what was given before, since no fence runs ahead of the clock by more than one for each lock taken.
 */
const LOCK_REMEMBERED_MS = 3_600_000;
const LOCK = `
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local held = redis.call('HMGET', KEYS[1], 'fence', 'untilMs')
if held[2] and tonumber(held[2]) * 1000 > nowUs then return false end
local fence = math.max(nowUs, (tonumber(held[1]) or 0) + 1)
local text = string.format('%.0f', fence)
redis.call('HSET', KEYS[1], 'fence', text, 'untilMs', string.format('%.0f', nowUs / 1000 + ARGV[1]))
redis.call('PEXPIRE', KEYS[1], ARGV[1] + ${LOCK_REMEMBERED_MS})
return text`;
const RELEASE = `
if redis.call('HGET', KEYS[1], 'fence') == ARGV[1] then redis.call('HSET', KEYS[1], 'untilMs', '0') end
return 1`;

const valueKey = (key: string): string => `marquee:v:${key}`;
const lockKey = (key: string): string => `marquee:l:${key}`;

/** A cache that many processes share: Redis 6 or later, alone or as a cluster. Rejects when it cannot be reached now. */
export async function openRedisCache(options: RedisCacheOptions): Promise<Cache> {
  const place = parse(options.url);
  const at = `Redis at ${place.host}:${place.port}`;
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const pendingMax = options.pendingMax ?? PENDING_MAX;
  const client = await connect(place, at, deadlineMs);
  // Without a listener a lost connection would end the process; calls tell of it.
  client.on("error", () => undefined);
  let lostMs: number | undefined;
  client.on("close", () => (lostMs ??= performance.now()));
  client.on("ready", () => (lostMs = undefined));
  let pending = 0;
  let closed = false;

  /** Every call goes through here: it is counted until the client is done with it, and waits no longer than the deadline. */
  async function ask<T>(work: () => Promise<T>): Promise<T> {
    if (closed) throw problem.unavailable("the cache is closed");
    if (lostMs !== undefined && performance.now() - lostMs > GRACE_MS) throw away(at, "the connection is lost");
    if (pending >= pendingMax) {
      throw problem.unavailable(`${pending} calls wait for ${at} already: is it overloaded?`, {
        reason: "cache_busy",
        retryAfterS: 1,
      });
    }
    pending += 1;
    const answer = work().finally(() => (pending -= 1));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(away(at, `no answer within ${deadlineMs} ms`)), deadlineMs);
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      throw describe(at, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async function get(key: string): Promise<string | undefined> {
    assertKey(key);
    return (await ask(() => client.get(valueKey(key)))) ?? undefined;
  }

  return {
    get,
    async getMany(keys) {
      for (const key of keys) assertKey(key);
      // One GET for each and not one MGET, which no cluster answers; they are sent without waiting for one another.
      return Promise.all(keys.map(get));
    },
    async set(key, value, ttlMs) {
      assertKey(key);
      assertTtl(ttlMs);
      if (value.length > VALUE_CHARACTERS_MAX) await ask(() => client.unlink(valueKey(key)));
      else await ask(() => client.set(valueKey(key), value, "PX", ttlMs));
    },
    async delete(keys) {
      for (const key of keys) assertKey(key);
      await Promise.all(keys.map((key) => ask(() => client.unlink(valueKey(key)))));
    },
    async increment(key, by, ttlMs) {
      assertKey(key);
      assertTtl(ttlMs);
      assertIncrement(by);
      try {
        return Number(await ask(() => client.eval(INCREMENT, 1, valueKey(key), by, ttlMs)));
      } catch (error) {
        if (error instanceof Problem && error.reason === NOT_A_NUMBER) throw notACounter(key);
        throw error;
      }
    },
    async lock(key, ttlMs) {
      assertKey(key);
      assertTtl(ttlMs);
      const fence = await ask(() => client.eval(LOCK, 1, lockKey(key), ttlMs));
      if (typeof fence !== "string") return undefined;
      return {
        fence: Number(fence),
        async release() {
          await ask(() => client.eval(RELEASE, 1, lockKey(key), fence));
        },
      };
    },
    async state() {
      try {
        const info = await ask(() => client.info());
        const memory = `${(Number(field(info, "used_memory")) / 1e6).toFixed(1)} MB used`;
        return { ok: true, detail: `Redis ${field(info, "redis_version")} at ${place.host}:${place.port}, ${memory}` };
      } catch (error) {
        return { ok: false, detail: error instanceof Error ? error.message : String(error) };
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      client.disconnect();
    },
  };
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** What besides the address it takes to get in. */
  readonly login: {
    readonly username?: string;
    readonly password?: string;
    readonly db?: number;
    readonly tls?: { readonly servername?: string };
  };
}

const EXAMPLE = "write redis://user:password@host:6379/0, or rediss://… for TLS";

/** Taken apart here and not by the client, whose errors would quote the password. */
function parse(text: string): Place {
  if (!URL.canParse(text)) throw problem.invalid(`the URL of Redis is not a URL: ${EXAMPLE}`);
  const url = new URL(text);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:")
    throw problem.invalid(`the URL of Redis begins with '${url.protocol}': ${EXAMPLE}`);
  if (url.hostname === "") throw problem.invalid(`the URL of Redis names no host: ${EXAMPLE}`);
  const database = /^\/(\d{1,4})$/.exec(url.pathname)?.[1] ?? "";
  if (url.pathname.length > 1 && database === "")
    throw problem.invalid(
      `the URL of Redis names the database '${url.pathname.slice(1, 50)}': use a number, ${EXAMPLE}`,
    );
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? 6379 : Number(url.port);
  return {
    host,
    port,
    login: {
      ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
      ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
      ...(database === "" ? {} : { db: Number(database) }),
      // A certificate is checked against the name that was asked for; an address has none (RFC 6066 section 3).
      ...(url.protocol === "rediss:" ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
    },
  };
}

/** Connects, and finds out whether it is one node of many. */
async function connect(place: Place, at: string, deadlineMs: number): Promise<Redis | Cluster> {
  const address = { host: place.host, port: place.port };
  const common = {
    ...place.login,
    connectTimeout: CONNECT_TIMEOUT_MS,
    connectionName: "marquee",
    // A connection on which nothing comes back is dead, though nobody said so: drop it and what waits on it.
    socketTimeout: 2 * deadlineMs,
    maxRetriesPerRequest: 1,
    // A replica that has just become one refuses writes: the name leads to the new primary by now.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  };
  const probe = new Redis({ ...common, ...address, lazyConnect: true, retryStrategy: () => null });
  let last: unknown;
  probe.on("error", (error: unknown) => (last = error));
  let mode = "";
  try {
    await probe.connect();
    const info = await probe.info("server");
    mode = field(info, "redis_mode");
    const version = field(info, "redis_version");
    if (Number.parseInt(version, 10) < MAJOR_MIN)
      throw problem.precondition(`Redis ${version} at ${place.host} is too old: ${MAJOR_MIN} or later is needed`);
  } catch (error) {
    // "Connection is closed" says less than what closed it.
    throw describe(at, error instanceof Problem ? error : (last ?? error));
  } finally {
    probe.disconnect();
  }
  const retryStrategy = (times: number): number => Math.min(50 * 2 ** Math.min(times, 10), RETRY_MS_MAX);
  const client =
    mode === "cluster"
      ? new Cluster([address], {
          clusterRetryStrategy: retryStrategy,
          slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
          redisOptions: common,
          lazyConnect: true,
        })
      : new Redis({ ...common, ...address, retryStrategy, lazyConnect: true });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw describe(at, error);
  }
}

/** A line of INFO's answer. */
function field(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
}

const NOT_A_NUMBER = "cache_not_a_number";

function away(at: string, why: string): Problem {
  return problem.unavailable(`${at} does not answer (${why}): is it running, and does MARQUEE_REDIS_URL point at it?`, {
    reason: "cache_away",
    retryAfterS: 1,
  });
}

/** Causes are dropped, because the client's errors carry the command with its arguments, AUTH and its password among them. */
function describe(at: string, error: unknown): Problem {
  if (error instanceof Problem) return error;
  const message = error instanceof Error ? error.message : String(error);
  const [word = ""] = message.split(" ");
  if (/not an integer|would overflow|^WRONGTYPE/.test(message))
    return problem.precondition(`${at}: the value is not a counter`, { reason: NOT_A_NUMBER });
  if (/^(NOAUTH|WRONGPASS|NOPERM)$|invalid password/.test(word) || /invalid password/i.test(message)) {
    return problem.precondition(
      `${at} does not let us in (${word}): correct user and password in MARQUEE_REDIS_URL, or that user's rights`,
    );
  }
  if (word === "OOM") {
    return problem.exhausted(`${at} is full and evicts nothing: set its maxmemory-policy to allkeys-lru`, {
      reason: "cache_full",
      retryAfterS: 10,
    });
  }
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  // Redis' own words begin with a word in capitals, such as LOADING or CLUSTERDOWN; other texts are the client's.
  return away(at, code ?? (/^[A-Z]{3,}$/.test(word) ? word : message.slice(0, 100)));
}

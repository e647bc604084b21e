import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { problem } from "#kernel";
import { askWorker } from "#kernel/worker";
import { NOBODYS_HASH, normalizePassword } from "./domain.ts";
import type { FromHasher, ToHasher } from "./passwords-worker.ts";

/** Hashing fills a core and 19 MiB each, so half of the cores are left to others; what is more waits, and what waits too long in line is turned away. */
const AT_ONCE_MAX = Math.max(1, Math.floor(availableParallelism() / 2));
const WAITING_MAX = 100;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** False for a wrong password. Without a hash it takes the same time and is false, so that time tells nobody who has an account. */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>;
}

export function openPasswords(): Passwords {
  const queue = boundedQueue(AT_ONCE_MAX, WAITING_MAX);
  const hashers = openHashers();
  return {
    hash: (password) => queue(() => hashers({ password: normalizePassword(password) })).then(String),
    async verify(passwordHash, password) {
      const ask = { password: normalizePassword(password), hash: passwordHash ?? NOBODYS_HASH };
      const isRight = await queue(() => hashers(ask));
      return passwordHash !== undefined && isRight === true;
    },
  };
}

/** Threads that hash, begun when they are needed; one that waits for work keeps nobody awake. */
function openHashers(): (ask: ToHasher) => Promise<FromHasher> {
  const idle: Worker[] = [];
  return async (ask) => {
    const worker =
      idle.pop() ?? new Worker(new URL("./passwords-worker.ts", import.meta.url), { name: "passwords", execArgv: [] });
    worker.ref();
    const answer = await askWorker<FromHasher>(worker, ask, "a password could not be looked at: try again");
    worker.unref();
    idle.push(worker);
    return answer;
  };
}

/** Runs up to `atOnce` tasks at a time, first come, first served; `resource_exhausted` when `waitingMax` wait already. */
export function boundedQueue(atOnce: number, waitingMax: number): <T>(task: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= atOnce) {
      if (waiting.length >= waitingMax)
        throw problem.exhausted("too many people sign in at this moment: try again shortly", {
          reason: "busy",
          retryAfterS: 2,
        });
      // Whoever ends hands its place over, so nobody can slip in between.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

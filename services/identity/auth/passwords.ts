import { hash, verify } from "@node-rs/argon2";
import { problem } from "#kernel";
import { normalizePassword } from "./domain.ts";

/** OWASP's argon2id parameters: 19 MiB, two passes, one lane (Password Storage Cheat Sheet). */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Hashing fills a core and 19 MiB each; what is more waits, and what waits too long in line is turned away. */
const AT_ONCE_MAX = 2;
const WAITING_MAX = 100;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** False for a wrong password. Without a hash it takes the same time and is false, so that time tells nobody who has an account. */
  verify(passwordHash: string | undefined, password: string): Promise<boolean>;
}

export async function openPasswords(): Promise<Passwords> {
  const queue = boundedQueue(AT_ONCE_MAX, WAITING_MAX);
  const nobodys = await hash(crypto.randomUUID(), ARGON2ID);
  return {
    hash: (password) => queue(() => hash(normalizePassword(password), ARGON2ID)),
    async verify(passwordHash, password) {
      const isRight = await queue(() => verify(passwordHash ?? nobodys, normalizePassword(password)));
      return passwordHash !== undefined && isRight;
    },
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

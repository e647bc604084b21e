import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { calculateJwkThumbprint, type JWK } from "jose";
import { type Clock, Problem, problem } from "#kernel";
import type { Secrets } from "#kernel/ports/secrets";
import { KEY_ROTATION_MS, type KeyTimes, keysToKeep } from "./domain.ts";

/**
 * Signing keys (RS256) and cookie keys. They live in the secrets port, never in the database. Processes share them: each looks
 * for a newer version every few seconds, and whoever writes does so against the version it read.
 */
export interface Keys {
  load(): Promise<Ring>;
  /** Makes a new signing key and retires the present one; resolves with the new ring. */
  rotate(): Promise<Ring>;
  /** Rotates when the signing key is old. */
  rotateWhenDue(): Promise<void>;
}

export interface Ring {
  /** Grows with each change. */
  readonly version: number;
  /** Private keys; the first one signs. */
  readonly keys: readonly SigningKey[];
  /** Secrets of cookie signatures, the newest first. */
  readonly cookieKeys: readonly string[];
}

export interface SigningKey extends KeyTimes {
  readonly jwk: JWK & { readonly kid: string };
}

const NAME = "auth/signing";
const FRESH_MS = 5_000;
const TRIES_MAX = 5;

export function openKeys(secrets: Pick<Secrets, "get" | "put">, clock: Clock): Keys {
  let known: { readonly ring: Ring; readonly atMs: number } | undefined;

  async function read(): Promise<Ring | undefined> {
    const secret = await secrets.get(NAME);
    if (!secret) return undefined;
    const { keys, cookieKeys } = secret.value as unknown as Omit<Ring, "version">;
    return { version: secret.version, keys, cookieKeys };
  }

  function remember(ring: Ring): Ring {
    if (ring.keys.length === 0) throw problem.internal("the ring of signing keys is empty");
    known = { ring, atMs: clock.nowMs() };
    return ring;
  }

  /** Writes the ring that `next` makes of the present one; starts over when another process was faster. */
  async function write(next: (ring: Ring | undefined) => Promise<Omit<Ring, "version"> | undefined>): Promise<Ring> {
    for (let attempt = 1; ; attempt++) {
      const ring = await read();
      const made = await next(ring);
      if (!made) {
        if (!ring) throw problem.internal("there are no signing keys");
        return remember(ring);
      }
      try {
        const version = await secrets.put(NAME, { ...made }, { expectedVersion: ring?.version ?? 0 });
        return remember({ ...made, version });
      } catch (error) {
        if (attempt >= TRIES_MAX || !(error instanceof Problem) || error.code !== "aborted") throw error;
      }
    }
  }

  const successor = async (ring: Ring): Promise<Omit<Ring, "version">> => {
    const nowMs = clock.nowMs();
    const retired = ring.keys.map((key) => (key.retiredAtMs === 0 ? { ...key, retiredAtMs: nowMs } : key));
    return { cookieKeys: ring.cookieKeys, keys: [await newKey(nowMs), ...keysToKeep(retired, nowMs)] };
  };

  const first = async (): Promise<Omit<Ring, "version">> => ({
    keys: [await newKey(clock.nowMs())],
    cookieKeys: [randomBytes(32).toString("base64url")],
  });

  return {
    async load() {
      if (known && clock.nowMs() - known.atMs < FRESH_MS) return known.ring;
      const ring = await read();
      return ring ? remember(ring) : write(async (present) => (present ? undefined : first()));
    },
    rotate: () => write(async (ring) => (ring ? successor(ring) : first())),
    async rotateWhenDue() {
      await write(async (ring) => {
        if (!ring) return first();
        const nowMs = clock.nowMs();
        const isOld = nowMs - (ring.keys[0]?.createdAtMs ?? 0) >= KEY_ROTATION_MS;
        if (isOld) return successor(ring);
        // Keys that no living token was signed with leave the published set.
        const kept = keysToKeep(ring.keys, nowMs);
        return kept.length === ring.keys.length ? undefined : { ...ring, keys: kept };
      });
    },
  };
}

const generate = promisify(generateKeyPair);

async function newKey(nowMs: number): Promise<SigningKey> {
  const { privateKey } = await generate("rsa", { modulusLength: 2_048 });
  const jwk = privateKey.export({ format: "jwk" }) as JWK;
  const kid = await calculateJwkThumbprint({ kty: "RSA", n: jwk.n ?? "", e: jwk.e ?? "" });
  return { jwk: { ...jwk, kid, alg: "RS256", use: "sig" }, createdAtMs: nowMs, retiredAtMs: 0 };
}

/** The public half, as relying parties fetch it. */
export const publicJwks = (ring: Ring): { readonly keys: readonly JWK[] } => ({
  keys: ring.keys.map(({ jwk }) => {
    const { kty, n, e, kid } = jwk;
    if (kty !== "RSA" || !n || !e) throw problem.internal("a signing key is not an RSA key");
    return { kty, n, e, kid, alg: "RS256", use: "sig" };
  }),
});

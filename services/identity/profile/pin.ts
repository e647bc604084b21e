import { hash, verify } from "@node-rs/argon2";
import { type Context, problem } from "#kernel";
import type { Cache } from "#kernel/ports/cache";

/**
 * PINs. Four digits can be guessed in an afternoon, so what protects them is the count of wrong tries; argon2id keeps a stolen database
 * from being read at a glance.
 */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const; // OWASP's minimum.
const TRIES_MAX = 5;
const WINDOW_MS = 15 * 60_000;

export const hashPin = (pin: string): Promise<string> => hash(pin, ARGON2ID);

const keyOf = (context: Context, profileId: string): string => `${context.tenant}/pin/${profileId}`;

/** Resolves when `pin` is right. The try is counted before it is judged, so that many at once do not slip through. */
export async function provePin(
  cache: Cache,
  context: Context,
  given: { readonly profileId: string; readonly pin: string; readonly hash: string },
): Promise<void> {
  if (given.pin === "") throw problem.denied("this profile asks for its PIN", { reason: "pin_required" });
  const key = keyOf(context, given.profileId);
  if ((await cache.increment(key, 1, WINDOW_MS)) > TRIES_MAX)
    throw problem.exhausted("too many wrong PINs: wait a quarter of an hour", {
      reason: "pin_locked",
      retryAfterS: WINDOW_MS / 1_000,
    });
  const isRight = /^\d{4}$/.test(given.pin) && (await verify(given.hash, given.pin));
  if (!isRight) throw problem.denied("this is not the profile's PIN", { reason: "pin_wrong" });
  await cache.delete([key]);
}

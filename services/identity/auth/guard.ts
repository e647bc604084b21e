import { createHash } from "node:crypto";
import { type Context, problem } from "#kernel";
import type { Cache } from "#kernel/ports/cache";
import { ATTEMPTS_WINDOW_S, mayTry, networkOf } from "./domain.ts";

/**
 * Counters against guessing. Each try is counted before it is judged, so that many at the same moment do not slip
 * through. Addresses enter keys only as hashes.
 */
const WINDOW_MS = ATTEMPTS_WINDOW_S * 1_000;

export const digest = (...words: readonly string[]): string =>
  createHash("sha256").update(words.join("\n")).digest("base64url");

export interface Trial {
  readonly email: string;
  readonly ip: string;
  /** The device id, when the account knows it. */
  readonly knownDeviceId: string;
  readonly isKnownNetwork: boolean;
}

/** Counts a try with a password; `resource_exhausted` with reason `locked` when there were too many. Call the answer after a right one. */
export async function admit(cache: Cache, context: Context, trial: Trial): Promise<() => Promise<void>> {
  const network = networkOf(trial.ip);
  const isKnown = trial.knownDeviceId !== "" || trial.isKnownNetwork;
  const from = trial.knownDeviceId === "" ? `network:${network}` : `device:${trial.knownDeviceId}`;
  const prefix = `${context.tenant}/tries`;
  const pairKey = `${prefix}/pair/${digest(trial.email, from)}`;
  const accountKey = `${prefix}/account/${digest(trial.email)}`;
  const networkKey = `${prefix}/network/${digest(network)}`;
  const shared = isKnown ? [] : [accountKey, networkKey];
  const [pair, account = 0, ofNetwork = 0] = await Promise.all(
    [pairKey, ...shared].map((key) => cache.increment(key, 1, WINDOW_MS)),
  );
  if (!mayTry({ pair: pair ?? 1, account, network: ofNetwork }, isKnown))
    throw problem.exhausted("too many wrong passwords: wait a quarter of an hour, or reset the password", {
      reason: "locked",
      retryAfterS: ATTEMPTS_WINDOW_S,
    });
  return async () => {
    await cache.delete([pairKey]);
    await Promise.all(shared.map((key) => cache.increment(key, -1, WINDOW_MS)));
  };
}

export interface Allowance {
  readonly what: string;
  readonly who: string;
  readonly max: number;
  readonly windowS: number;
}

/** Whether `who` may do `what` once more within the window. */
export async function isWithin(
  cache: Cache,
  context: Context,
  { what, who, max, windowS }: Allowance,
): Promise<boolean> {
  const count = await cache.increment(`${context.tenant}/${what}/${digest(who)}`, 1, windowS * 1_000);
  return count <= max;
}

/** Lets `who` do `what` so often; `resource_exhausted` then. */
export async function allow(cache: Cache, context: Context, allowance: Allowance): Promise<void> {
  if (await isWithin(cache, context, allowance)) return;
  throw problem.exhausted("too many tries: wait a while", { reason: "too_many", retryAfterS: allowance.windowS });
}

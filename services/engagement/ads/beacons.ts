import { systemContext } from "#kernel";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

const BATCH_MAX = 50;
const ANSWER_MS_MAX = 3_000;
const ANSWER_BYTES_MAX = 64 * 1_024;
const ATTEMPTS_MAX = 5;
const AGAIN_FIRST_MS = 5_000;
/** Longer than the attempts of one round take: who died while sending is followed by another. */
const CLAIM_MS = 30_000;

/** Sends beacons that are due, each once where it is answered, and again a few times where it is not. */
export async function sendBeacons(parts: Parts, signal: AbortSignal): Promise<void> {
  const { call, clock } = parts;
  const { tenants } = await call.tenant.list({}, systemContext("system", "ads", { clock }));
  for (const { id: tenant } of tenants) await sendOf(parts, tenant, signal);
}

async function sendOf({ db, clock, outside, counters }: Parts, tenant: string, signal: AbortSignal): Promise<void> {
  const nowMs = clock.nowMs();
  const taken = await db.tx({ tenant }, (tx) => store.takeBeacons(tx, nowMs, nowMs + CLAIM_MS, BATCH_MAX));
  if (taken.length === 0) return;
  const done: string[] = [];
  const later: { id: string; atMs: number }[] = [];
  await Promise.all(
    taken.map(async ({ id, uri, attempts }) => {
      const options = {
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
        bytesMax: ANSWER_BYTES_MAX,
      };
      try {
        await outside.get(uri, options);
        counters.beacon("sent");
        done.push(id);
      } catch {
        // Why is the tracker's business; that it happens is counted.
        const isLast = attempts >= ATTEMPTS_MAX;
        counters.beacon(isLast ? "dropped" : "failed");
        if (isLast) done.push(id);
        else later.push({ id, atMs: clock.nowMs() + AGAIN_FIRST_MS * 2 ** (attempts - 1) });
      }
    }),
  );
  await db.tx({ tenant }, async (tx) => {
    if (done.length > 0) await store.removeBeacons(tx, done);
    for (const { id, atMs } of later) await store.postponeBeacon(tx, id, atMs);
  });
}

import type { StopRequest } from "#contracts/session";
import { type Context, problem, systemContext } from "#kernel";
import { DEAD_AFTER_MS } from "./domain.ts";
import type { Parts } from "./service.ts";
import { emitStopped } from "./shared.ts";
import * as store from "./store.ts";

const SWEEP_MAX = 500;
const NUMBER_MAX = 2_147_483_647;
const REASON_MAX = 100;
const KEEP_ENDED_MS = 86_400_000;

/** Ends a session. Saying it twice is no error, and nobody ends the session of another account. */
export async function stop(parts: Parts, request: StopRequest, context: Context) {
  const { sessionId, positionS, durationS, sequence, reason } = request;
  assertEnd(request);
  await parts.db.tx(context, async (tx) => {
    const row = await store.find(tx, sessionId, { lock: true });
    if (!row || (context.viewer && context.viewer.userId !== row.user_id)) return;
    const ended = await store.end(tx, sessionId, {
      state: "stopped",
      endedAtMs: parts.clock.nowMs(),
      // An older message than the last beat must not move the position back.
      ...(positionS !== undefined && sequence >= row.sequence ? { positionS, durationS, sequence } : {}),
    });
    if (ended) emitStopped(parts, tx, ended, reason || "asked");
  });
  return {};
}

function assertEnd({ positionS = 0, durationS, sequence, reason }: StopRequest): void {
  for (const [member, value] of Object.entries({ positionS, durationS, sequence })) {
    if (!Number.isFinite(value) || value < 0 || value > NUMBER_MAX) {
      throw problem.invalid(`${member} ${value} is not between 0 and ${NUMBER_MAX}`, {
        details: { pointer: `/${member}` },
      });
    }
  }
  if (reason.length > REASON_MAX)
    throw problem.invalid(`reason is longer than ${REASON_MAX} characters`, { details: { pointer: "/reason" } });
}

/** Ends sessions that missed three beats, in every tenant, and forgets what ended long ago. */
export async function sweep(parts: Parts, signal: AbortSignal): Promise<void> {
  const nowMs = parts.clock.nowMs();
  const { tenants } = await parts.call.tenant.list(
    {},
    systemContext("system", "session", { signal, clock: parts.clock }),
  );
  for (const { id } of tenants) {
    await parts.db.tx({ tenant: id }, async (tx) => {
      // Else a device that is gone would hold its slot until the clock is where it was.
      await store.anchorBeats(tx, nowMs + DEAD_AFTER_MS, nowMs);
      for (const silent of await store.silentSince(tx, nowMs - DEAD_AFTER_MS, SWEEP_MAX)) {
        const ended = await store.end(tx, silent.session_id, { state: "expired", endedAtMs: nowMs });
        if (ended) emitStopped(parts, tx, ended, "expired");
      }
      await store.deleteEndedBefore(tx, nowMs - KEEP_ENDED_MS);
    });
  }
}

/** Counts the living sessions of all tenants. Every process counts the same. */
export async function countActive({ call, clock, counters, db }: Parts, signal: AbortSignal): Promise<void> {
  const { tenants } = await call.tenant.list({}, systemContext("system", "session", { signal, clock }));
  const counts = [];
  for (const { id } of tenants) counts.push(...(await db.tx({ tenant: id }, (tx) => store.countActive(tx))));
  counters.active(counts);
}

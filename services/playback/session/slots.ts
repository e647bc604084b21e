import { AsyncLocalStorage } from "node:async_hooks";
import type { Session } from "#contracts/session";
import { type Context, once, Problem, problem, type Tx } from "#kernel";
import { type Batch, openBatch } from "#kernel/batch";
import type { Counters } from "./counters.ts";
import { type ActiveSession, admit, isAlive } from "./domain.ts";
import type { Parts, SessionPlatform } from "./service.ts";
import { emitStopped, identityOf } from "./shared.ts";
import * as store from "./store.ts";

/** A session that wants one of its account's slots. */
interface Wish {
  readonly row: store.NewSession;
  /** Runs its argument as a part of the request that wishes, so that the events are of its trace. */
  readonly inside: <T>(work: () => T) => T;
}
/** The session, or why there is none. */
type Outcome = store.SessionRow | Problem;

const BATCH_MAX = 200;
const WAITING_MAX = 20_000;
const STREAM_LIMIT = "stream_limit";

/** Takes slots for all sessions that start at the same moment in one transaction. */
export function openSlots(db: SessionPlatform["db"], counters: Counters): Batch<Wish, Outcome> {
  return openBatch({
    itemsMax: BATCH_MAX,
    waitingMax: WAITING_MAX,
    run: (tenant, wishes) => db.tx({ tenant }, (tx) => takeAll(counters, tx, wishes)),
  });
}

/** Takes one of the account's slots, or says which devices hold them. The session's row and its event are committed together. */
export async function takeSlot(parts: Parts, row: store.NewSession, context: Context): Promise<store.SessionRow> {
  const wish: Wish = { row, inside: AsyncLocalStorage.snapshot() };
  const outcome = context.idempotencyKey
    ? await parts.db.tx(context, (tx) => takeOnce(parts.counters, tx, context.idempotencyKey, wish)).catch(asOutcome)
    : await parts.slots(context.tenant, wish);
  if (!(outcome instanceof Problem)) return outcome;
  parts.counters.denied();
  throw outcome;
}

/** A denial that ended its transaction, as the outcome that it is. */
function asOutcome(error: unknown): Problem {
  if (error instanceof Problem && error.reason === STREAM_LIMIT) return error;
  throw error;
}

/** A request that was said before gets the session that it got then. */
async function takeOnce(
  counters: Counters,
  tx: Tx<typeof Session>,
  key: string | null,
  wish: Wish,
): Promise<store.SessionRow> {
  const { user_id: userId, profile_id: profileId, content_id: contentId, device_id: deviceId } = wish.row;
  return once(tx, key, { userId, profileId, contentId, deviceId }, async () => {
    const [outcome] = await takeAll(counters, tx, [wish]);
    if (outcome instanceof Problem || !outcome) throw outcome ?? problem.internal("a wish had no outcome");
    return outcome;
  });
}

/** Wishes of one account follow each other in their order; those of different accounts are one set. */
async function takeAll(counters: Counters, tx: Tx<typeof Session>, wishes: readonly Wish[]): Promise<Outcome[]> {
  const outcomes = new Map<Wish, Outcome>();
  for (let waiting = [...wishes]; waiting.length > 0; ) {
    const set = new Map<string, Wish>();
    for (const wish of waiting) if (!set.has(wish.row.user_id)) set.set(wish.row.user_id, wish);
    await takeSet(counters, tx, [...set.values()], outcomes);
    waiting = waiting.filter((wish) => !outcomes.has(wish));
  }
  return wishes.map((wish) => outcomes.get(wish) ?? problem.internal("a wish had no outcome"));
}

/** One wish for each of some accounts, which nobody else counts until the transaction ends. */
async function takeSet(
  counters: Counters,
  tx: Tx<typeof Session>,
  wishes: readonly Wish[],
  outcomes: Map<Wish, Outcome>,
): Promise<void> {
  const users = wishes.map(({ row }) => row.user_id);
  const [, active] = await Promise.all([store.lockUsers(tx, users), store.activeOfMany(tx, users)]);
  const known = Map.groupBy(active, ({ user_id }) => user_id);
  const ends: store.End[] = [];
  const reasons = new Map<string, { readonly reason: "expired" | "replaced"; readonly wish: Wish }>();
  const takers: Wish[] = [];
  for (const wish of wishes) {
    const { row } = wish;
    const nowMs = row.last_beat_at_ms;
    const endLater = (sessionId: string, state: store.End["state"], reason: "expired" | "replaced"): void => {
      ends.push({ sessionId, state, endedAtMs: nowMs });
      reasons.set(sessionId, { reason, wish });
    };
    const theirs = known.get(row.user_id) ?? [];
    // A silent session ends here, so that a slot that is given away cannot come back to life by a late beat.
    const living = theirs.filter((other) => isAlive({ lastBeatAtMs: other.last_beat_at_ms }, nowMs));
    for (const other of theirs) if (!living.includes(other)) endLater(other.session_id, "expired", "expired");
    const admission = admit(living.map(toActive), row.device_id, row.streams_max, nowMs);
    if (!admission.admitted) {
      const holders = living.filter((other) => admission.holders.includes(other.session_id));
      outcomes.set(wish, streamLimit(holders, row.streams_max));
      continue;
    }
    for (const id of admission.replaces) endLater(id, "stopped", "replaced");
    takers.push(wish);
  }
  const rows = takers.map(({ row }) => row);
  const [ended] = await Promise.all([store.endMany(tx, ends), store.insertMany(tx, rows)]);
  for (const one of ended) {
    const cause = reasons.get(one.session_id);
    if (cause) cause.wish.inside(() => emitStopped({ counters }, tx, one, cause.reason));
  }
  for (const wish of takers) {
    const taken: store.SessionRow = { ...wish.row, tenant: tx.tenant };
    wish.inside(() => emitStarted(tx, taken));
    outcomes.set(wish, taken);
  }
}

function emitStarted(tx: Tx<typeof Session>, row: store.SessionRow): void {
  tx.emit("started", {
    ...identityOf(row),
    startedAtMs: row.started_at_ms,
    networkId: firstNetwork(row.networks),
  });
}

const firstNetwork = (networks: string): string => (JSON.parse(networks) as { id: string }[])[0]?.id ?? "";

const toActive = (row: store.SessionRow): ActiveSession => ({
  id: row.session_id,
  deviceId: row.device_id,
  lastBeatAtMs: row.last_beat_at_ms,
});

function streamLimit(holders: readonly store.SessionRow[], streamsMax: number): Problem {
  const names = holders.map((row) => row.device_name).join(" and ");
  return problem.precondition(
    `your plan plays on ${streamsMax} devices at once; now on ${names}. End one to watch here.`,
    {
      reason: STREAM_LIMIT,
      details: {
        streams: holders.map((row) => ({
          sessionId: row.session_id,
          deviceName: row.device_name,
          deviceType: row.device_type,
          profileId: row.profile_id,
          contentId: row.content_id,
          startedAtMs: row.started_at_ms,
        })),
      },
    },
  );
}

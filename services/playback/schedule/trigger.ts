import type { EpgScheduleUpdated } from "#contracts/epg";
import type { Schedule } from "#contracts/schedule";
import { type Received, systemContext, toProblem, type Tx } from "#kernel";
import { type Airing, fateOf, follow, type Reminder } from "./domain.ts";
import { airingOf, type Parts } from "./parts.ts";
import * as store from "./store.ts";

const BATCH_MAX = 500;
const KEEP_MS = 86_400_000;

/**
 * Tells what is due, in every tenant. That a reminder was told and the event that says so are committed together, so that whoever dies in
 * between has done nothing, and whoever comes next does it.
 */
export async function triggerDue(parts: Parts, signal: AbortSignal): Promise<void> {
  const { call, clock, db } = parts;
  const { tenants } = await call.tenant.list({}, systemContext("system", "schedule", { signal, clock }));
  for (const { id: tenant } of tenants) {
    for (let count = BATCH_MAX; count === BATCH_MAX && !signal.aborted; )
      count = await db.tx({ tenant }, (tx) => triggerBatch(parts, tx));
  }
}

async function triggerBatch({ clock, counted, logger }: Parts, tx: Tx<typeof Schedule>): Promise<number> {
  const nowMs = clock.nowMs();
  await store.revive(tx, nowMs);
  const due = await store.takeDue(tx, nowMs, BATCH_MAX);
  const { triggered = [], late = [] } = Object.groupBy(due, (reminder) => fateOf(reminder, nowMs));
  const idsOf = (reminders: readonly Reminder[]): string[] => reminders.map(({ id }) => id);
  await store.mark(tx, idsOf(triggered), "triggered");
  await store.mark(tx, idsOf(late), "late");
  await store.deleteOverBefore(tx, nowMs - KEEP_MS, BATCH_MAX);
  for (const reminder of triggered) tx.emit("reminderTriggered", triggeredOf(reminder, "starts", nowMs));
  tx.afterCommit(async () => {
    counted("starts", triggered.length);
    counted("late", late.length);
    if (late.length > 0)
      logger.warn("reminders were given up: their programmes began too long ago", { reminders: late.length });
  });
  return due.length;
}

/** Asks the guide what is true now of programmes that changed and that somebody waits for. */
export async function followSchedule(
  parts: Parts,
  tx: Tx<typeof Schedule>,
  events: readonly Received<EpgScheduleUpdated>[],
): Promise<void> {
  const programmeIds = new Set(events.flatMap(({ data: { changed, removed } }) => [...changed, ...removed]));
  const reminders = await store.lockOf(tx, [...programmeIds]);
  if (reminders.length === 0) return;
  const airings = new Map<string, Airing | undefined>();
  for (const { programmeId } of reminders)
    if (!airings.has(programmeId)) airings.set(programmeId, await airingNow(parts, tx.tenant, programmeId));
  const nowMs = parts.clock.nowMs();
  for (const reminder of reminders) await change(parts, tx, reminder, airings.get(reminder.programmeId), nowMs);
}

async function airingNow({ call, clock }: Parts, tenant: string, id: string): Promise<Airing | undefined> {
  try {
    const { programme } = await call.epg.programme({ id }, systemContext(tenant, "schedule", { clock }));
    return programme && airingOf(programme);
  } catch (error) {
    if (toProblem(error).code === "not_found") return undefined;
    throw error;
  }
}

async function change(
  { counted }: Parts,
  tx: Tx<typeof Schedule>,
  reminder: Reminder,
  airing: Airing | undefined,
  nowMs: number,
): Promise<void> {
  const changed = follow(reminder, airing, nowMs);
  if (changed.kind === "none") return;
  if (changed.kind === "cancelled") {
    await store.deleteMany(tx, [reminder.id]);
    tx.emit("reminderTriggered", triggeredOf(reminder, "cancelled", nowMs));
  } else {
    await store.save(tx, changed.next);
    if (changed.kind === "moved") tx.emit("reminderTriggered", triggeredOf(changed.next, "moved", nowMs));
  }
  if (changed.kind !== "kept") tx.afterCommit(async () => counted(changed.kind, 1));
}

const triggeredOf = (reminder: Reminder, reason: "starts" | "moved" | "cancelled", triggeredAtMs: number) => {
  const { id: reminderId, userId, profileId, channelId, channelName, programmeId, titles, startMs, stopMs } = reminder;
  return {
    ...{ userId, profileId, reminderId, channelId, channelName, programmeId },
    ...{ titles, reason, startMs, stopMs, triggeredAtMs },
  };
};

import type { EpgScheduleUpdated, GuideProgramme } from "#contracts/epg";
import { type Context, type Received, systemContext, toProblem } from "#kernel";
import { wanted } from "./domain.ts";
import { fail } from "./end.ts";
import { eventOf, type Parts, type RecordingTx } from "./parts.ts";
import * as store from "./store.ts";
import { add, widen, wishOf } from "./wishes.ts";

const RULES_MAX = 50;
const AIRINGS_MAX = 200;
/** The guide says when it changed; once more now and then for what nobody said, such as a quota that has room again. */
const AGAIN_MS = 30 * 60_000;

/** Looks the guide through for what series rules want. */
export async function expandDue(parts: Parts, signal: AbortSignal): Promise<void> {
  const { call, clock, db, logger } = parts;
  const { tenants } = await call.tenant.list({}, systemContext("system", "recording", { signal, clock }));
  for (const { id: tenant } of tenants) {
    const nowMs = clock.nowMs();
    const rules = await db.tx({ tenant }, (tx) => store.dueRules(tx, nowMs, nowMs + AGAIN_MS, RULES_MAX));
    for (const rule of rules) {
      if (signal.aborted) return;
      await expand(parts, rule, systemContext(tenant, "recording", { signal, clock })).catch((error: unknown) =>
        logger.warn("a series could not be looked for; it is tried again later", { error }),
      );
    }
  }
}

async function expand(parts: Parts, rule: store.Rule, context: Context): Promise<void> {
  const { call, clock, db, logger } = parts;
  const asked = { seriesId: rule.series_id, channelId: rule.channel_id, limit: AIRINGS_MAX };
  const { programmes } = await call.epg.episodes(asked, context);
  const known = await db.read(context, (tx) => store.episodesOf(tx, rule.id));
  const byId = new Map(programmes.map((programme) => [programme.id, programme]));
  const airings = wanted(
    { channelId: rule.channel_id, newOnly: rule.new_only },
    programmes.map(airingOf),
    known,
    clock.nowMs(),
  );
  for (const { id } of airings) {
    const programme = byId.get(id);
    if (!programme) continue;
    const of = { userId: rule.user_id, profileId: rule.profile_id, ruleId: rule.id };
    try {
      await add(parts, wishOf(programme, { ...of, padding: store.paddingOf(rule) }), context);
    } catch (error) {
      const { code, reason } = toProblem(error);
      // Recorded by hand, or no room: the next look finds out again.
      if (code !== "already_exists" && code !== "failed_precondition" && code !== "not_found") throw error;
      logger.info("an episode is not recorded", { reason });
    }
  }
}

const airingOf = (programme: GuideProgramme) => ({
  ...{ id: programme.id, channelId: programme.channelId, episodeKey: programme.episodeKey },
  ...{ startMs: Number(programme.startMs), stopMs: Number(programme.stopMs) },
  ...{ isRepeat: programme.repeat, isNew: programme.new || programme.premiere },
  noRecord: programme.noRecord || programme.blackout,
});

/** Asks the guide what is true now of programmes that changed and that somebody records. */
export async function followSchedule(
  parts: Parts,
  tx: RecordingTx,
  events: readonly Received<EpgScheduleUpdated>[],
): Promise<void> {
  const nowMs = parts.clock.nowMs();
  await store.wakeRules(tx, [...new Set(events.map(({ data }) => data.channelId))], nowMs);
  const ids = new Set(events.flatMap(({ data: { changed, removed } }) => [...changed, ...removed]));
  const context = systemContext(tx.tenant, "recording", { clock: parts.clock });
  const known = new Map<string, GuideProgramme | undefined>();
  for (const recording of await store.ofProgrammes(tx, [...ids])) {
    const { programme_id: id } = recording;
    if (!known.has(id)) known.set(id, await programmeNow(parts, id, context));
    await change(parts, tx, recording, known.get(id));
  }
}

async function programmeNow({ call }: Parts, id: string, context: Context): Promise<GuideProgramme | undefined> {
  try {
    return (await call.epg.programme({ id }, context)).programme;
  } catch (error) {
    if (toProblem(error).code === "not_found") return undefined;
    throw error;
  }
}

/** One that has begun follows the end of its programme, and nothing else any more. */
async function change(
  parts: Parts,
  tx: RecordingTx,
  recording: store.Recording,
  programme: GuideProgramme | undefined,
): Promise<void> {
  const hasBegun = recording.state === "recording";
  if (!programme || programme.noRecord || programme.blackout) {
    if (hasBegun) return;
    await fail(parts, tx, recording, programme ? "no_record" : "cancelled");
    return settle(tx, recording.copy_id);
  }
  const [startMs, stopMs] = [Number(programme.startMs), Number(programme.stopMs)];
  const next = { start_ms: hasBegun ? recording.start_ms : startMs, stop_ms: stopMs };
  if (next.start_ms === recording.start_ms && next.stop_ms === recording.stop_ms) return;
  if (next.stop_ms <= next.start_ms) return;
  await store.changeRecording(tx, recording.id, next);
  const copy = await store.lockCopy(tx, recording.copy_id);
  if (copy) await widen(tx, copy);
  tx.emit("scheduled", { ...eventOf(recording), startMs: next.start_ms, stopMs: next.stop_ms });
}

/** A copy that nobody waits for any more is not made. */
export async function settle(tx: RecordingTx, copyId: string): Promise<void> {
  const copy = await store.lockCopy(tx, copyId);
  const waiting = (await store.ofCopy(tx, copyId)).filter(({ state }) => state !== "failed");
  if (!copy || copy.state !== "scheduled") return;
  if (waiting.length === 0) await store.changeCopy(tx, copyId, { state: "failed" });
  else await widen(tx, copy);
}

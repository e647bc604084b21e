import type { BeatRequest } from "#contracts/session";
import { type Context, problem, requireUser, type Tx } from "#kernel";
import { type Batch, openBatch } from "#kernel/batch";
import { BEAT_INTERVAL_MS, GRACE_MS, admit, contentTypeOf } from "./domain.ts";
import { withoutAds } from "./ads.ts";
import type { Parts, SessionPlatform } from "./service.ts";
import { identityOf } from "./shared.ts";
import * as store from "./store.ts";

export type Beating = BeatRequest;

const ERRORS_MAX = 10;
/** Avro and PostgreSQL keep counters as signed 32-bit numbers. */
const COUNTER_MAX = 2_147_483_647;
const STATES: readonly string[] = ["playing", "paused", "buffering", "ended"];

/**
 * Takes a heartbeat: the session lives on, the fact goes to the log, the answer says whether to change the network. Acknowledged means
 * that the fact is durable, which positions are made from; a sign of life is worth nothing after a crash that lasted.
 */
export async function beat(parts: Parts, request: BeatRequest, context: Context) {
  const { userId } = requireUser(context);
  assertBeat(request);
  const nowMs = parts.clock.nowMs();
  const seen: store.Beat = {
    sessionId: request.sessionId,
    userId,
    sequence: request.sequence,
    positionS: request.positionS,
    durationS: request.durationS,
    nowMs,
  };
  const row =
    (await parts.living(context.tenant, seen)) ??
    (await parts.db.tx(context, async (tx) =>
      (await comesBack(tx, request.sessionId, userId, nowMs)) ? (await store.beat(tx, [seen]))[0] : undefined,
    ));
  if (!row) return { heartbeatIntervalS: BEAT_INTERVAL_MS / 1_000, switchTo: [], ended: true };
  await parts.facts("heartbeat", [factOf(request, row, nowMs)], context);
  const network =
    (JSON.parse(row.networks) as { id: string }[]).find(({ id }) => id === request.cdnId)?.id ?? "unknown";
  for (const error of request.errors) {
    parts.counters.failed(network);
    await parts.facts(
      "error",
      [
        {
          ...identityOf(row),
          code: error.code.slice(0, 40),
          message: error.message.slice(0, 300),
          networkId: request.cdnId,
        },
      ],
      context,
    );
  }
  return {
    heartbeatIntervalS: BEAT_INTERVAL_MS / 1_000,
    switchTo: await steer(parts, request, row, context),
    ended: false,
  };
}

const BATCH_MAX = 500;
const WAITING_MAX = 20_000;

/** Writes signs of life, of all sessions that beat at the same moment in one transaction. Undefined for one that is not living. */
export function openLiving(db: SessionPlatform["db"]): Batch<store.Beat, store.SessionRow | undefined> {
  return openBatch({
    itemsMax: BATCH_MAX,
    waitingMax: WAITING_MAX,
    async run(tenant, beats) {
      const keyOf = (sessionId: string, userId: string): string => `${sessionId} ${userId}`;
      const latest = new Map<string, store.Beat>();
      for (const each of beats) {
        const key = keyOf(each.sessionId, each.userId);
        if (each.sequence >= (latest.get(key)?.sequence ?? 0)) latest.set(key, each);
      }
      const rows = await db.tx({ tenant }, (tx) => store.beat(tx, [...latest.values()]), { isRelaxed: true });
      const living = new Map(rows.map((row) => [keyOf(row.session_id, row.user_id), row]));
      return beats.map(({ sessionId, userId }) => living.get(keyOf(sessionId, userId)));
    },
  });
}

/** Where to go on from now, or nothing. The beat itself is safe already, so a routing that is away costs a change of network and no more. */
async function steer(
  { call, logger }: Parts,
  request: BeatRequest,
  row: store.SessionRow,
  context: Context,
): Promise<string[]> {
  const report = {
    sessionId: row.session_id,
    userId: row.user_id,
    networkId: request.cdnId,
    throughputKbps: request.throughputKbps,
    bitrateKbps: request.bitrateKbps,
    bitrateMaxKbps: request.bitrateMaxKbps,
    rebufferCount: request.rebufferCount,
    rebufferDurationMs: request.rebufferDurationMs,
    bufferS: request.bufferS,
    errorCount: request.errors.length,
    state: request.state,
  };
  try {
    const { networkIds, switched } = await call.routing.steer(report, context);
    return switched ? networkIds : [];
  } catch (error) {
    logger.warn("a session could not be steered and stays where it is", { session_id: row.session_id, error });
    return [];
  }
}

/** What players say is bounded here, because a number that the log or the database cannot hold would stop everybody who reads it. */
function assertBeat(request: BeatRequest): void {
  const fault = (member: string, what: string): never => {
    throw problem.invalid(`${member} ${what}`, { details: { pointer: `/${member}` } });
  };
  if (request.errors.length > ERRORS_MAX)
    fault("errors", `has ${request.errors.length} members; ${ERRORS_MAX} are the most in one beat`);
  if (!STATES.includes(request.state))
    fault("state", `'${request.state.slice(0, 40)}' is not one of ${STATES.join(", ")}`);
  if (request.cdnId.length > 64) fault("cdnId", "is longer than 64 characters");
  for (const [member, value] of Object.entries(request)) {
    if (typeof value !== "number") continue;
    // -1 stands for a video that has not started yet.
    const least = member === "videoStartTimeMs" ? -1 : 0;
    if (!Number.isFinite(value) || value < least || value > COUNTER_MAX)
      fault(member, `${value} is not between ${least} and ${COUNTER_MAX}`);
  }
}

/** A session that fell silent comes back within the grace, if its slot was not given away. */
async function comesBack(tx: Tx, sessionId: string, userId: string, nowMs: number): Promise<boolean> {
  await store.lockUsers(tx, [userId]);
  const row = await store.find(tx, sessionId, { lock: true });
  if (row?.user_id !== userId) return false;
  // Another beat may have brought it back while we waited.
  if (row.state === "active") return true;
  if (row.state !== "expired" || nowMs - (row.ended_at_ms ?? 0) > GRACE_MS) return false;
  const active = await store.activeOf(tx, row.user_id);
  const others = active.map((other) => ({
    id: other.session_id,
    deviceId: other.device_id,
    lastBeatAtMs: other.last_beat_at_ms,
  }));
  if (others.some((other) => other.deviceId === row.device_id)) return false;
  if (!admit(others, row.device_id, row.streams_max, nowMs).admitted) return false;
  await store.revive(tx, sessionId, nowMs);
  return true;
}

/** The moment of a channel that is shown; null where the player does not know. */
const shownMsOf = ({ liveLatencyMs = -1 }: BeatRequest, nowMs: number): number | null =>
  liveLatencyMs < 0 ? null : nowMs - liveLatencyMs;

const factOf = (request: BeatRequest, row: store.SessionRow, nowMs: number) => ({
  ...identityOf(row),
  startedAtMs: row.started_at_ms,
  sequence: request.sequence,
  timeMs: nowMs,
  ...withoutAds(row, { ...request, shownMs: shownMsOf(request, nowMs) }),
  state: request.state,
  networkId: request.cdnId,
  videoStartTimeMs: request.videoStartTimeMs,
  rebufferCount: request.rebufferCount,
  rebufferDurationMs: request.rebufferDurationMs,
  bitrateKbps: request.bitrateKbps,
  averageBitrateKbps: request.averageBitrateKbps,
  bitrateMaxKbps: request.bitrateMaxKbps,
  bitrateSwitches: request.bitrateSwitches,
  width: request.width,
  height: request.height,
  resolutionDrops: request.resolutionDrops,
  droppedFrames: request.droppedFrames,
  decodedFrames: request.decodedFrames,
  throughputKbps: request.throughputKbps,
  bufferS: request.bufferS,
  errorCount: request.errors.length,
  market: row.market,
  contentType: contentTypeOf(row.content_id),
  liveLatencyMs: request.liveLatencyMs ?? -1,
});

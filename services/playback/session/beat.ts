import type { BeatRequest } from "#contracts/session";
import { type Context, problem, requireUser } from "#kernel";
import { BEAT_INTERVAL_MS, GRACE_MS, admit } from "./domain.ts";
import type { Parts } from "./service.ts";
import { identityOf } from "./shared.ts";
import * as store from "./store.ts";

export type Beating = BeatRequest;

const ERRORS_MAX = 10;

/**
 * Takes a heartbeat: the session lives on, the fact goes to the log, the answer says whether to change the network. Acknowledged means
 * that both the row and the fact are durable.
 */
export async function beat(parts: Parts, request: BeatRequest, context: Context) {
  const { userId } = requireUser(context);
  if (request.errors.length > ERRORS_MAX) throw problem.invalid(`${request.errors.length} errors in one beat are more than ${ERRORS_MAX}`);
  const nowMs = parts.clock.nowMs();
  const row = await parts.db.tx(context, async (tx) => {
    const seen = { sequence: request.sequence, positionS: request.positionS, durationS: request.durationS, nowMs };
    const living = await store.beat(tx, request.sessionId, seen);
    if (living) return living;
    return (await comesBack(tx, request.sessionId, nowMs)) ? store.beat(tx, request.sessionId, seen) : undefined;
  });
  if (!row) return { heartbeatIntervalS: BEAT_INTERVAL_MS / 1_000, switchTo: [], ended: true };
  if (row.user_id !== userId) throw problem.denied("this session is somebody else's");
  const identity = identityOf(row);
  await parts.facts("heartbeat", [factOf(request, identity, row.started_at_ms, nowMs)], context);
  for (const error of request.errors) {
    await parts.facts("error", [{ ...identity, code: error.code.slice(0, 40), message: error.message.slice(0, 300), networkId: request.cdnId }], context);
  }
  const { networkIds, switched } = await parts.call.routing.steer(
    {
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
    },
    context,
  );
  return { heartbeatIntervalS: BEAT_INTERVAL_MS / 1_000, switchTo: switched ? networkIds : [], ended: false };
}

/** A session that fell silent comes back within the grace, if its slot was not given away. */
async function comesBack(tx: Parameters<typeof store.find>[0], sessionId: string, nowMs: number): Promise<boolean> {
  const row = await store.find(tx, sessionId);
  if (row?.state !== "expired" || nowMs - (row.ended_at_ms ?? 0) > GRACE_MS) return false;
  await store.lockUser(tx, row.user_id);
  const active = await store.activeOf(tx, row.user_id);
  const others = active.map((other) => ({ id: other.session_id, deviceId: other.device_id, lastBeatAtMs: other.last_beat_at_ms }));
  if (others.some((other) => other.deviceId === row.device_id)) return false;
  if (!admit(others, row.device_id, row.streams_max, nowMs).admitted) return false;
  await store.revive(tx, sessionId, nowMs);
  return true;
}

const factOf = (request: BeatRequest, identity: ReturnType<typeof identityOf>, startedAtMs: number, nowMs: number) => ({
  ...identity,
  startedAtMs,
  sequence: request.sequence,
  timeMs: nowMs,
  positionS: request.positionS,
  durationS: request.durationS,
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
});

import type { Session } from "#contracts/session";
import { type Context, problem, type Tx } from "#kernel";
import { isAlive } from "./domain.ts";
import { insertedS } from "#media/breaks";
import { readAds, withoutAds } from "./ads.ts";
import type { Parts } from "./service.ts";
import { find, type SessionRow } from "./store.ts";

/** A living session of the caller. Sessions of others do not exist for a viewer. */
export async function alive(parts: Parts, tx: Tx, sessionId: string, context: Context): Promise<SessionRow> {
  const row = await find(tx, sessionId);
  const isTheirs = row && (context.viewer === null || context.viewer.userId === row.user_id);
  if (!isTheirs || row.state !== "active" || !isAlive({ lastBeatAtMs: row.last_beat_at_ms }, parts.clock.nowMs())) {
    throw problem.notFound(`playback session '${sessionId}' is over: start a new one`, { reason: "session_over" });
  }
  return row;
}

/** Access tokens for every network of a session, with the one that it uses first. */
export async function tokensFor(parts: Parts, row: SessionRow, context: Context) {
  const networks = JSON.parse(row.networks) as { id: string; baseUrl: string }[];
  const { tokens, expiresAtMs } = await parts.call.token.issue(
    {
      sessionId: row.session_id,
      userId: row.user_id,
      contentId: row.content_id,
      pathPrefix: row.path_prefix,
      networks,
      withAds: row.ads !== "",
    },
    context,
  );
  return {
    cdns: tokens.map(({ networkId, baseUrl, token }) => ({ id: networkId, baseUrl, token })),
    tokenExpiresAtMs: expiresAtMs,
  };
}

export const toMessage = (row: SessionRow) => ({
  id: row.session_id,
  userId: row.user_id,
  profileId: row.profile_id,
  contentId: row.content_id,
  device: { id: row.device_id, type: row.device_type, name: row.device_name },
  startedAtMs: BigInt(row.started_at_ms),
  lastBeatAtMs: BigInt(row.last_beat_at_ms),
  packageRevision: row.package_revision,
  market: row.market,
  ads: [...readAds(row).packages],
  insertedS: insertedS(readAds(row).breaks),
});

/** Announces that a session is over, with the last position that anybody knows. */
export function emitStopped(
  parts: Pick<Parts, "counters">,
  tx: Tx<typeof Session>,
  row: SessionRow,
  reason: string,
): void {
  tx.afterCommit(async () => parts.counters.stopped(reason));
  tx.emit("stopped", {
    ...identityOf(row),
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms ?? row.last_beat_at_ms,
    sequence: row.sequence,
    ...withoutAds(row, { positionS: row.position_s, durationS: row.duration_s }),
    reason,
  });
}

export const identityOf = (row: SessionRow) => ({
  userId: row.user_id,
  profileId: row.profile_id,
  sessionId: row.session_id,
  contentId: row.content_id,
  deviceId: row.device_id,
  deviceType: row.device_type,
});

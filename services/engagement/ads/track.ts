import { createHash } from "node:crypto";
import type { Ads } from "#contracts/ads";
import type { PlaybackHeartbeat, PlaybackStopped } from "#contracts/session";
import type { Received, Tx } from "#kernel";
import { capKeys } from "./candidates.ts";
import { advance, type Told } from "./domain-track.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

type AdsTx = Tx<typeof Ads>;

/** What is told of a session's ads follows from where its player is heard of. Only sessions with ads say where they are on its clock. */
export async function followBeats(
  parts: Parts,
  tx: AdsTx,
  events: readonly Received<PlaybackHeartbeat>[],
): Promise<void> {
  await follow(
    parts,
    tx,
    events.map(({ data: { sessionId, presentedS, timeMs } }) => ({ sessionId, presentedS, timeMs })),
  );
}

export async function followStops(
  parts: Parts,
  tx: AdsTx,
  events: readonly Received<PlaybackStopped>[],
): Promise<void> {
  await follow(
    parts,
    tx,
    events.map(({ data: { sessionId, presentedS, endedAtMs } }) => ({ sessionId, presentedS, timeMs: endedAtMs })),
  );
}

interface Report {
  readonly sessionId: string;
  readonly presentedS: number;
  readonly timeMs: number;
}

async function follow(parts: Parts, tx: AdsTx, all: readonly Report[]): Promise<void> {
  const reports = Map.groupBy(
    all.filter(({ presentedS }) => presentedS >= 0),
    ({ sessionId }) => sessionId,
  );
  if (reports.size === 0) return;
  for (const decision of await store.lockDecisions(tx, [...reports.keys()])) {
    let { heard } = decision;
    for (const report of reports.get(decision.sessionId) ?? []) {
      // Told again, or out of order: nothing was played between a later moment and an earlier one.
      if (report.timeMs < heard.timeMs) continue;
      const { told, due, heard: next } = advance(decision.slots, heard, report);
      heard = next;
      for (const each of told) await tellOf(parts, tx, decision, each);
      const beacons = due.map(({ slot, uri }, i) => ({
        id: idOf(decision.sessionId, slot.breakIndex, slot.slot, report.timeMs, i),
        ...{ userId: decision.userId, uri },
      }));
      await store.addBeacons(tx, beacons, parts.clock.nowMs());
    }
    await store.setHeard(tx, decision.sessionId, heard);
  }
}

/** The same report gives its beacons the same ids. */
const idOf = (...of: readonly (string | number)[]): string =>
  createHash("sha256").update(of.join("/")).digest("base64url").slice(0, 22);

async function tellOf(parts: Parts, tx: AdsTx, decision: store.Decision, { slot, event }: Told): Promise<void> {
  if (event !== "start" && event !== "complete") return;
  const { campaignId, creativeId, breakIndex } = slot;
  const { userId, profileId, sessionId, contentId } = decision;
  const payload = { userId, profileId, sessionId, contentId, campaignId, creativeId, breakIndex, slot: slot.slot };
  const nowMs = parts.clock.nowMs();
  const day = new Date(nowMs).toISOString().slice(0, 10);
  const isStart = event === "start";
  await store.count(tx, day, { campaignId, creativeId }, { impressions: isStart ? 1 : 0, completes: isStart ? 0 : 1 });
  if (!isStart) {
    tx.emit("completed", payload);
    tx.afterCommit(async () => parts.counters.completed());
    return;
  }
  tx.emit("impression", payload);
  const campaign = (await store.campaigns(tx)).find(({ id }) => id === campaignId);
  tx.afterCommit(async () => {
    parts.counters.impression();
    if (!campaign) return;
    for (const { key, windowMs } of capKeys(campaign, profileId, nowMs)) await parts.cache.increment(key, 1, windowMs);
  });
}

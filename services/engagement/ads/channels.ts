import type { FillBreakRequest, TuneRequest } from "#contracts/ads";
import { type Context, problem, requireProfile, toProblem } from "#kernel";
import { within } from "#kernel/within";
import { candidatesOf } from "./candidates.ts";
import { BREAK_S_MAX, fillWhole } from "./domain.ts";
import type { Slot } from "./domain-track.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

// Breaks of channels come while somebody watches: what is known of who watches is kept from the start of the session, and each break is
// decided when the channel hears of it. Positions on the player's clock are seconds since the epoch here, which ads in place of the programme
// do not change.

const BREAK_ID = /^[A-Za-z0-9@-]{1,80}$/;
/** A channel that interrupts more often than this in a day has no programme. */
const FILLS_MAX = 500;

export async function tune(parts: Parts, request: TuneRequest, context: Context): Promise<boolean> {
  const { userId, profileId } = requireProfile(context);
  const { db, call, clock, config } = parts;
  const { sessionId, contentId, tier, market, deviceType, ageRating } = request;
  if (!config.MARQUEE_AD_TIERS.split(",").includes(tier)) return false;
  const { profile } = await call.profile.get({ profileId }, context);
  if (!profile || profile.isKids) return false;
  const nowMs = clock.nowMs();
  const heard = { presentedS: nowMs / 1_000, timeMs: nowMs, told: [] };
  const audience = { tier, market, device: deviceType, genres: [], ageRating };
  const tuned = { sessionId, contentId, userId, profileId, slots: [], heard, audience, fills: {} };
  await db.tx(context, (tx) => store.insertTuned(tx, tuned, nowMs));
  return true;
}

/** What a break is filled with. Whatever goes wrong, the programme goes on; `isOpen` where another try may do better. */
export async function fillBreak(
  parts: Parts,
  request: FillBreakRequest,
  context: Context,
): Promise<{ readonly ads: store.Fill; readonly isOpen: boolean }> {
  const { sessionId, contentId, breakId, durationS, isLate } = request;
  if (!BREAK_ID.test(breakId)) throw problem.invalid(`break_id '${breakId.slice(0, 80)}' is not ${BREAK_ID.source}`);
  if (!(durationS > 0 && durationS <= BREAK_S_MAX))
    throw problem.invalid(`a break of ${durationS} s is not from 0 to ${BREAK_S_MAX} s long`);
  const tuned = await parts.db.read(context, (tx) => store.findTuned(tx, sessionId));
  if (tuned?.contentId !== contentId) return { ads: [], isOpen: false };
  const known = tuned.fills[breakId];
  if (known || isLate) return { ads: known ?? [], isOpen: false };
  const { clock, config, logger, counters } = parts;
  const startedMs = clock.nowMs();
  let fill: store.Fill = [];
  let reason: "filled" | "no_ads" | "late" | "fault" = "fault";
  const giveUp = new AbortController();
  try {
    const budgetMs = Math.min(config.MARQUEE_AD_DEADLINE_MS, context.deadlineMs - startedMs);
    const signal = AbortSignal.any([context.signal, giveUp.signal]);
    const limited = { ...context, deadlineMs: startedMs + budgetMs, signal };
    const work = decideBreak(parts, request, tuned, limited);
    fill = await within(budgetMs, "the ad decision", context.signal, work);
    reason = fill.length > 0 ? "filled" : "no_ads";
  } catch (error) {
    const { code } = toProblem(error);
    reason = code === "deadline_exceeded" || code === "canceled" ? "late" : "fault";
    logger.warn("a break has no ads because their decision failed", { session_id: sessionId, error });
  } finally {
    giveUp.abort();
  }
  counters.decided(reason);
  const { userId, profileId } = tuned;
  const told = { userId, profileId, sessionId, contentId, planId: breakId, reason, breaks: 1, wantedS: durationS };
  const filledS = fill.reduce((sum, each) => sum + each.durationS, 0);
  parts.tell("decisionMade", [{ ...told, filledS, durationMs: clock.nowMs() - startedMs }], context);
  return { ads: fill, isOpen: reason === "late" || reason === "fault" };
}

async function decideBreak(
  parts: Parts,
  { sessionId, breakId, startMs, durationS }: FillBreakRequest,
  tuned: store.Tuned,
  context: Context,
): Promise<store.Fill> {
  const { db, clock } = parts;
  const audience = { ...tuned.audience, nowMs: clock.nowMs() };
  const asked = { viewer: tuned, breaks: [{ atS: 0, durationS }] };
  const { ads, slates } = await candidatesOf(parts, audience, asked, context);
  const placed = fillWhole(durationS, ads, slates);
  const fill = placed.map(({ candidate: { creativeId, packageRevision, indexVersion }, shownS }) => ({
    ...{ creativeId, packageRevision, indexVersion, durationS: shownS },
  }));
  return db.tx(context, async (tx) => {
    // Late, the programme is shown: nothing may be counted for the break.
    context.signal.throwIfAborted();
    const now = await store.findTuned(tx, sessionId, { lock: true });
    const known = now?.fills[breakId];
    if (!now || known || Object.keys(now.fills).length >= FILLS_MAX) return known ?? [];
    const breakIndex = Object.keys(now.fills).length;
    const slots: Slot[] = [];
    let startS = Number(startMs) / 1_000;
    placed.forEach(({ candidate, isSlate, shownS }, slot) => {
      const { campaignId, creativeId, beacons } = candidate;
      if (!isSlate) slots.push({ breakIndex, slot, startS, durationS: shownS, campaignId, creativeId, beacons });
      startS += shownS;
    });
    await store.setFills(tx, { ...now, slots: [...now.slots, ...slots], fills: { ...now.fills, [breakId]: fill } });
    return fill;
  });
}

/** Each ad once, however often it is shown. */
export async function listPlaced(parts: Parts, sessionId: string, context: Context): Promise<store.Fill> {
  const tuned = await parts.db.read(context, (tx) => store.findTuned(tx, sessionId));
  const all = Object.values(tuned?.fills ?? {}).flat();
  return [...new Map(all.map((ad) => [`${ad.creativeId}/${ad.packageRevision}`, ad])).values()];
}

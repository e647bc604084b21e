import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { DecideRequest } from "#contracts/ads";
import { type Context, requireProfile, toProblem, type Viewer } from "#kernel";
import { within } from "#kernel/within";
import { type AdPlan, planKey, toPresentedS } from "#media/breaks";
import { packageFolder, type Presentation } from "#media/presentation";
import { candidatesOf } from "./candidates.ts";
import { type Break, fill, nearestEdge, type Placed } from "./domain.ts";
import type { Slot } from "./domain-track.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

export interface Decided {
  readonly planId: string;
  readonly breaks: readonly { readonly atS: number; readonly durationS: number; readonly ads: readonly Placed[] }[];
}
type Reason = "filled" | "plan" | "kids" | "no_breaks" | "no_ads" | "late" | "fault";

const NOTHING: Decided = { planId: "", breaks: [] };
const EDGES_MAX = 500;

/** What an ad would be for is said by whoever starts playback; that it waits no longer than it may is this function's. */
export async function decide(parts: Parts, request: DecideRequest, context: Context): Promise<Decided> {
  const viewer = requireProfile(context);
  const { clock, config, logger, counters } = parts;
  const startedMs = clock.nowMs();
  const giveUp = new AbortController();
  let asked: readonly Break[] = [];
  let reason: Reason = "fault";
  let decided = NOTHING;
  try {
    const budgetMs = Math.min(config.MARQUEE_AD_DEADLINE_MS, context.deadlineMs - startedMs);
    const limited = {
      ...context,
      deadlineMs: startedMs + budgetMs,
      signal: AbortSignal.any([context.signal, giveUp.signal]),
    };
    const work = decideInTime(parts, request, viewer, limited, (breaks) => (asked = breaks));
    [decided, reason] = await within(budgetMs, "the ad decision", context.signal, work);
  } catch (error) {
    const { code } = toProblem(error);
    reason = code === "deadline_exceeded" || code === "canceled" ? "late" : "fault";
    logger.warn("a session has no ads because their decision failed", { session_id: request.sessionId, error });
  } finally {
    giveUp.abort();
  }
  counters.decided(reason);
  // Who has no ads by their plan, and titles without breaks, are most of all starts and no news.
  if (reason !== "plan" && reason !== "no_breaks") {
    const filledS = decided.breaks.reduce((sum, { durationS }) => sum + durationS, 0);
    parts.tell(
      "decisionMade",
      [
        {
          ...{ userId: viewer.userId, profileId: viewer.profileId, sessionId: request.sessionId },
          ...{ contentId: request.contentId, planId: decided.planId, reason, breaks: asked.length, filledS },
          wantedS: asked.reduce((sum, { durationS }) => sum + durationS, 0),
          durationMs: clock.nowMs() - startedMs,
        },
      ],
      context,
    );
  }
  return decided;
}

async function decideInTime(
  parts: Parts,
  request: DecideRequest,
  viewer: Viewer,
  context: Context,
  onBreaks: (breaks: readonly Break[]) => void,
): Promise<readonly [Decided, Reason]> {
  const { db, call, clock, config } = parts;
  if (!config.MARQUEE_AD_TIERS.split(",").includes(request.tier)) return [NOTHING, "plan"];
  const breaks = await db.read(context, (tx) => store.breaks(tx, request.contentId));
  onBreaks(breaks);
  if (breaks.length === 0) return [NOTHING, "no_breaks"];
  const [{ profile }, { title }, edgesS] = await Promise.all([
    call.profile.get({ profileId: viewer.profileId }, context),
    call.catalog.get({ id: request.contentId }, context),
    edgesOf(parts, request),
  ]);
  if (!profile || profile.isKids) return [NOTHING, "kids"];
  const audience = {
    ...{ tier: request.tier, market: request.market, device: request.deviceType, nowMs: clock.nowMs() },
    ...{ genres: title?.genres ?? [], ageRating: title?.ageRating ?? 0 },
  };
  const places = placesOf(breaks, edgesS);
  const { ads, slates } = await candidatesOf(parts, audience, { viewer, breaks: places }, context);
  const filled = fill(places, ads, slates);
  const planned = places.flatMap(({ atS }, i) => {
    const placed = filled[i] ?? [];
    const durationS = placed.reduce((sum, { candidate }) => sum + candidate.durationS, 0);
    return placed.length === 0 ? [] : [{ atS, durationS, ads: placed }];
  });
  if (planned.length === 0) return [NOTHING, "no_ads"];
  context.signal.throwIfAborted();
  const planId = await keepPlan(parts, request, planned);
  const slots = slotsOf(planned);
  const presentedS = toPresentedS(planned, request.positionS);
  const heard = { presentedS, timeMs: clock.nowMs(), told: [] };
  await db.tx(context, async (tx) => {
    // Late, the session plays without ads: nothing may be counted for it.
    context.signal.throwIfAborted();
    const { sessionId, contentId } = request;
    const { userId, profileId } = viewer;
    await store.insertDecision(tx, { sessionId, contentId, userId, profileId, slots, heard }, clock.nowMs());
  });
  return [{ planId, breaks: planned }, "filled"];
}

/** Breaks at the edges of segments; two that come to the same edge are one. */
function placesOf(breaks: readonly Break[], edgesS: readonly number[]): Break[] {
  const places = new Map<number, Break>();
  for (const { atS, durationS } of breaks) {
    const edge = nearestEdge(edgesS, atS);
    if (!places.has(edge)) places.set(edge, { atS: edge, durationS });
  }
  return [...places.values()].toSorted((a, b) => a.atS - b.atS);
}

/** Where the title's segments begin, and where the last one ends, in seconds. */
export function openEdges(): LRUCache<string, readonly number[]> {
  return new LRUCache({ max: EDGES_MAX });
}

async function edgesOf({ edges, objects }: Parts, request: DecideRequest): Promise<readonly number[]> {
  const key = `${packageFolder(request.contentId, request.packageRevision)}/index-${request.indexVersion}.json`;
  const known = edges.get(key);
  if (known) return known;
  const { video, audio } = JSON.parse(Buffer.from(await objects.get(key)).toString("utf8")) as Presentation;
  const track = video[0] ?? audio[0];
  let ticks = 0;
  const found = (track?.segments ?? []).map(({ durationTicks }) => (ticks += durationTicks) / (track?.timescale ?? 1));
  edges.set(key, [0, ...found]);
  return [0, ...found];
}

/** Writes the plan beside the title's package, under the name that its content gives it. The same ads make the same plan. */
async function keepPlan(
  { objects, plans }: Parts,
  request: DecideRequest,
  planned: Decided["breaks"],
): Promise<string> {
  const plan: AdPlan = {
    breaks: planned.map(({ atS, durationS, ads }) => ({
      ...{ atS, durationS },
      ads: ads.map(({ candidate: { creativeId, packageRevision, indexVersion } }) => ({
        ...{ contentId: creativeId, packageRevision, indexVersion },
      })),
    })),
  };
  const json = JSON.stringify(plan);
  const planId = createHash("sha256").update(json).digest("hex").slice(0, 16);
  const key = planKey(packageFolder(request.contentId, request.packageRevision), planId);
  if (!plans.has(key)) {
    if (!(await objects.head(key))) await objects.put(key, Buffer.from(json));
    plans.set(key, true);
  }
  return planId;
}

/** Each ad on the player's clock. Slates are nobody's, and nothing is told of them. */
function slotsOf(planned: Decided["breaks"]): Slot[] {
  const slots: Slot[] = [];
  planned.forEach(({ atS, ads }, breakIndex) => {
    let startS = toPresentedS(planned, atS);
    ads.forEach(({ candidate, isSlate }, slot) => {
      const { campaignId, creativeId, beacons, durationS } = candidate;
      if (!isSlate) slots.push({ breakIndex, slot, startS, durationS, campaignId, creativeId, beacons });
      startS += durationS;
    });
  });
  return slots;
}

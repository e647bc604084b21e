import type { DecideRequest, TuneRequest } from "#contracts/ads";
import type { Context } from "#kernel";
import { insertedS, type InsertedBreak, toTitleS } from "#media/breaks";
import type { Parts } from "./service.ts";

/** What a session knows of its ads. Its player's clock counts them; everything that leaves the session as a position does not. */
export interface SessionAds {
  readonly planId: string;
  readonly breaks: readonly InsertedBreak[];
  readonly packages: readonly { readonly contentId: string; readonly packageRevision: number }[];
  /** Of a channel: its breaks are filled as they come. */
  readonly isChannel?: boolean;
}

/** What a decision may take beyond its own deadline, between processes. */
const ON_THE_WAY_MS = 100;
export const NO_ADS: SessionAds = { planId: "", breaks: [], packages: [] };

/** The ads of a session that begins. Whatever goes wrong, it begins, and then without any. */
export async function decideAds(
  { call, logger, clock, config }: Parts,
  request: Omit<DecideRequest, "$typeName">,
  context: Context,
): Promise<SessionAds> {
  try {
    const deadlineMs = Math.min(context.deadlineMs, clock.nowMs() + config.MARQUEE_AD_DEADLINE_MS + ON_THE_WAY_MS);
    const { planId, breaks } = await call.ads.decide(request, { ...context, deadlineMs });
    if (planId === "") return NO_ADS;
    const packages = new Map(breaks.flatMap(({ ads }) => ads.map((ad) => [ad.creativeId, ad.packageRevision])));
    return {
      planId,
      breaks: breaks.map(({ atS, durationS }) => ({ atS, durationS })),
      packages: [...packages].map(([contentId, packageRevision]) => ({ contentId, packageRevision })),
    };
  } catch (error) {
    logger.warn("a session begins without ads", { session_id: request.sessionId, error });
    return NO_ADS;
  }
}

/**
 * Whether the breaks of a channel are filled for a session. In the manifest's layer they are filled for it alone, and the manifest has its name;
 * where latency is low playlists are everybody's, and who plays them asks for the ads.
 */
export async function tuneAds(
  { call, logger, clock, config }: Parts,
  request: Omit<TuneRequest, "$typeName">,
  latency: string,
  context: Context,
): Promise<SessionAds> {
  try {
    const deadlineMs = Math.min(context.deadlineMs, clock.nowMs() + config.MARQUEE_AD_DEADLINE_MS + ON_THE_WAY_MS);
    const { withAds } = await call.ads.tune(request, { ...context, deadlineMs });
    const planId = latency === "standard" ? request.sessionId : "";
    return withAds ? { ...NO_ADS, planId, isChannel: true } : NO_ADS;
  } catch (error) {
    logger.warn("a session begins without ads", { session_id: request.sessionId, error });
    return NO_ADS;
  }
}

export const writeAds = (ads: SessionAds): string => (ads.planId === "" && !ads.isChannel ? "" : JSON.stringify(ads));
export const readAds = (row: { readonly ads: string }): SessionAds =>
  row.ads === "" ? NO_ADS : (JSON.parse(row.ads) as SessionAds);

/**
 * What a player said, without ads, and as it said it: `presentedS` is -1 where it is the same anyway. Of a channel it is the moment that is shown,
 * in seconds since the epoch.
 */
export function withoutAds(
  row: { readonly ads: string },
  said: { readonly positionS: number; readonly durationS: number; readonly shownMs?: number | null },
) {
  const { planId, breaks, isChannel } = readAds(row);
  if (isChannel) {
    const { positionS, durationS, shownMs = null } = said;
    return { positionS, durationS, presentedS: shownMs === null ? -1 : shownMs / 1_000 };
  }
  if (planId === "" || said.positionS < 0)
    return { positionS: said.positionS, durationS: said.durationS, presentedS: -1 };
  return {
    positionS: toTitleS(breaks, said.positionS),
    durationS: Math.max(0, said.durationS - insertedS(breaks)),
    presentedS: said.positionS,
  };
}

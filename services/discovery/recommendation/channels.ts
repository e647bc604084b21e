import type { PlaybackStopped } from "#contracts/session";
import { isChannelId } from "#contracts/live";
import { type Context, ownerOf, type Received } from "#kernel";
import { orderChannels as order, quarterOf, VIEW_S_MAX, VIEW_S_MIN } from "./domain-channels.ts";
import { keyOf } from "./home.ts";
import type { Parts, RecommendationTx } from "./parts.ts";
import * as store from "./store-channels.ts";
import { timely } from "./timely.ts";

/** The channels that a profile is likely to watch now. The same for some minutes, so that a guide that comes in pages is one. */
export async function orderChannels(
  parts: Parts,
  { profileId }: { readonly profileId: string },
  context: Context,
): Promise<{ channelIds: string[]; partial: boolean }> {
  await ownerOf(parts, context, profileId);
  const key = keyOf(context.tenant, profileId);
  const known = parts.orders.get(key);
  if (known) return { channelIds: [...known], partial: false };
  const missing: string[] = [];
  const read = parts.db.read(context, (tx) => store.viewsOf(tx, profileId));
  const channelIds = order(await timely(parts, "channels", missing, read, []), parts.clock.nowMs());
  if (missing.length === 0) parts.orders.set(key, channelIds);
  return { channelIds, partial: missing.length > 0 };
}

/** Who watched which channel for how long, and when. */
export async function takeChannelStops(
  tx: RecommendationTx,
  events: readonly Received<PlaybackStopped>[],
): Promise<void> {
  const views = events.flatMap(({ data }): store.Viewed[] => {
    const seconds = (data.endedAtMs - data.startedAtMs) / 1_000;
    if (!isChannelId(data.contentId) || seconds < VIEW_S_MIN) return [];
    const { userId, profileId, contentId: channelId, startedAtMs, endedAtMs } = data;
    const worth = { seconds: Math.min(seconds, VIEW_S_MAX), lastAtMs: endedAtMs };
    return [{ userId, profileId, channelId, quarter: quarterOf(startedAtMs), ...worth }];
  });
  await store.addViews(tx, views);
}

import { type Channel as ChannelMessage } from "#contracts/live";
import { type Channel, ChannelList } from "#contracts/web";
import { type Context, requireProfile } from "#kernel";
import { watching } from "./gather.ts";
import type { WebParts } from "./parts.ts";
import { marketOf } from "./request.ts";
import { type Route, route } from "./route.ts";
import { ageText, isoOf, lockOf } from "./views.ts";

const CHANNELS_MAX = 500;

/** What a channel that is made of films shows now; other channels have no programme of their own. A page without it is still useful. */
export async function programmeNow(
  { call, clock, logger }: WebParts,
  { id, inputs }: ChannelMessage,
  context: Context,
): Promise<Channel["now"]> {
  if (!inputs.includes("schedule")) return null;
  const nowMs = clock.nowMs();
  const span = { channelId: id, fromMs: BigInt(nowMs), toMs: BigInt(nowMs + 1) };
  const { airings } = await call.live.schedule(span, context).catch((error: unknown) => {
    logger.warn("the programme of a channel could not be had", { channel_id: id, error });
    return { airings: [] };
  });
  const airing = airings.find(({ startMs, stopMs }) => Number(startMs) <= nowMs && nowMs < Number(stopMs));
  return airing ? { title: airing.title, startsAt: isoOf(airing.startMs), endsAt: isoOf(airing.stopMs) } : null;
}

/** The channels that a profile may see, in the order of their numbers. */
async function channels(parts: WebParts, market: string, context: Context): Promise<ChannelList> {
  const { profileId, userId } = requireProfile(context);
  const [profile, { channels: all }] = await Promise.all([
    watching(parts, context),
    parts.call.live.list({ limit: CHANNELS_MAX }, context),
  ]);
  // What a profile may not see does not exist for it, as with titles.
  const shown = all.filter(({ ageRating }) => ageRating <= profile.ageRatingMax);
  const [{ decisions }, programmes] = await Promise.all([
    parts.call.entitlement.checkMany({ userId, profileId, contentIds: shown.map(({ id }) => id), market }, context),
    Promise.all(shown.map((channel) => programmeNow(parts, channel, context))),
  ]);
  return {
    channels: shown.map((channel, index) => ({
      id: channel.id,
      number: channel.number,
      name: channel.name,
      logo: channel.logo === "" ? null : channel.logo,
      language: channel.language,
      ageRating: ageText(channel.ageRating),
      onAir: channel.onAir,
      locked: lockOf(decisions.find(({ contentId }) => contentId === channel.id)),
      now: programmes[index] ?? null,
    })),
  };
}

export const channelRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/channels", operationId: "getChannels", tag: "live", auth: "profile", status: 200 },
    summary: "The channels that the profile may see, and what is on.",
    response: ChannelList,
    handle: (parts, { context, request }) => channels(parts, marketOf(parts, request), context),
  }),
];

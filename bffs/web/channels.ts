import { type Channel as ChannelMessage } from "#contracts/live";
import { type Channel, ChannelList, PresentProgramme } from "#contracts/web";
import { type Context, problem, requireProfile } from "#kernel";
import { watching } from "./gather.ts";
import type { WebParts } from "./parts.ts";
import { marketOf } from "./request.ts";
import { Id, type Route, route } from "./route.ts";
import { ageText, isoOf, lockOf } from "./views.ts";

const CHANNELS_MAX = 500;

type Present = Channel["now"];

/**
 * What channels show now, in their order: by the guide; a channel that is made of films knows it itself when the guide does not yet. What is
 * for older people has no title here. A page without any of it is still useful.
 */
export async function programmesNow(
  parts: WebParts,
  channels: readonly ChannelMessage[],
  ageMax: number,
  context: Context,
): Promise<Present[]> {
  const { call, logger } = parts;
  const { channels: found } = await call.epg
    .nowNext({ channelIds: channels.map(({ id }) => id) }, context)
    .catch((error: unknown) => {
      logger.warn("what is on now could not be had", { error });
      return { channels: [] };
    });
  const now = new Map(found.map((one) => [one.channelId, one.now]));
  return Promise.all(
    channels.map(async (channel) => {
      const one = now.get(channel.id);
      if (!one) return ownProgramme(parts, channel, context);
      if (one.ageRating > ageMax) return null;
      const canStartOver = !one.noRestart && !one.blackout;
      return { title: one.title, startsAt: isoOf(one.startMs), endsAt: isoOf(one.stopMs), canStartOver };
    }),
  );
}

async function ownProgramme(
  { call, clock, logger }: WebParts,
  { id, inputs }: ChannelMessage,
  context: Context,
): Promise<Present> {
  if (!inputs.includes("schedule")) return null;
  const nowMs = clock.nowMs();
  const span = { channelId: id, fromMs: BigInt(nowMs), toMs: BigInt(nowMs + 1) };
  const { airings } = await call.live.schedule(span, context).catch((error: unknown) => {
    logger.warn("the programme of a channel could not be had", { channel_id: id, error });
    return { airings: [] };
  });
  const airing = airings.find(({ startMs, stopMs }) => Number(startMs) <= nowMs && nowMs < Number(stopMs));
  if (!airing) return null;
  return { title: airing.title, startsAt: isoOf(airing.startMs), endsAt: isoOf(airing.stopMs), canStartOver: true };
}

/** What one channel shows now, for the profile that watches. */
export async function programmeNow(parts: WebParts, channelId: string, context: Context) {
  const [profile, { channel }] = await Promise.all([
    watching(parts, context),
    parts.call.live.get({ channelId }, context),
  ]);
  if (!channel || channel.ageRating > profile.ageRatingMax)
    throw problem.notFound("this channel is not here, or not any more", { reason: "channel_unknown" });
  const [programme = null] = await programmesNow(parts, [channel], profile.ageRatingMax, context);
  return { channel, programme };
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
    programmesNow(parts, shown, profile.ageRatingMax, context),
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
  route({
    ...{ method: "GET", path: "/channels/{id}/programme", operationId: "getPresentProgramme", tag: "live" },
    ...{ auth: "profile", status: 200 },
    summary: "What a channel shows now, and whether it may be started over.",
    params: Id,
    response: PresentProgramme,
    handle: async (parts, { context, params }) => ({
      programme: (await programmeNow(parts, params.id, context)).programme,
    }),
  }),
];

import type { ActiveStream, DeviceType } from "#contracts/web";
import { isChannelId } from "#contracts/live";
import { type Context, requireUser, toProblem } from "#kernel";
import type { WebParts } from "./parts.ts";
import { isoOf } from "./views.ts";

/** The account's active streams with the names that people know. */
export async function streamsOf({ call }: WebParts, context: Context): Promise<ActiveStream[]> {
  const { userId } = requireUser(context);
  const [{ sessions }, { profiles }] = await Promise.all([
    call.session.listActive({ userId }, context),
    call.profile.list({ userId }, context),
  ]);
  const ids = [...new Set(sessions.map((session) => session.contentId))];
  const [{ titles }, channels] = await Promise.all([
    call.catalog.getMany({ ids: ids.filter((id) => !isChannelId(id)) }, context),
    Promise.all(ids.filter(isChannelId).map((id) => channelOf(call, id, context))),
  ]);
  const names = new Map([...titles.map(({ id, title }) => [id, title]), ...channels] as [string, string][]);
  return sessions.slice(0, 20).map((session) => ({
    sessionId: session.id,
    deviceName: session.device?.name ?? "A device",
    deviceType: (session.device?.type ?? "web") as DeviceType,
    profileName: profiles.find((profile) => profile.id === session.profileId)?.name ?? "",
    contentTitle: names.get(session.contentId) ?? "",
    startedAt: isoOf(session.startedAtMs),
  }));
}

/** A channel's id and name; one that was taken away has its stream until it ends. */
async function channelOf(call: WebParts["call"], channelId: string, context: Context): Promise<[string, string]> {
  const { channel } = await call.live.get({ channelId }, context).catch((error: unknown) => {
    if (toProblem(error).code === "not_found") return { channel: undefined };
    throw error;
  });
  return [channelId, channel?.name ?? ""];
}

import type { ActiveStream, DeviceType } from "#contracts/web";
import { type Context, requireUser } from "#kernel";
import type { WebParts } from "./parts.ts";
import { isoOf } from "./views.ts";

/** The account's active streams with the names that people know. */
export async function streamsOf({ call }: WebParts, context: Context): Promise<ActiveStream[]> {
  const { userId } = requireUser(context);
  const [{ sessions }, { profiles }] = await Promise.all([
    call.session.listActive({ userId }, context),
    call.profile.list({ userId }, context),
  ]);
  const { titles } = await call.catalog.getMany(
    { ids: [...new Set(sessions.map((session) => session.contentId))] },
    context,
  );
  return sessions.slice(0, 20).map((session) => ({
    sessionId: session.id,
    deviceName: session.device?.name ?? "A device",
    deviceType: (session.device?.type ?? "web") as DeviceType,
    profileName: profiles.find((profile) => profile.id === session.profileId)?.name ?? "",
    contentTitle: titles.find((title) => title.id === session.contentId)?.title ?? "",
    startedAt: isoOf(session.startedAtMs),
  }));
}

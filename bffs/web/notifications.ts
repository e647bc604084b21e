import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Preferences } from "#contracts/notification";
import { NewNoticePreferences, NoticePreferences, Notices, PushSubscription } from "#contracts/web/notifications";
import { type Context, problem, requireProfile, toProblem } from "#kernel";
import type { Cookies } from "./cookies.ts";
import type { WebParts } from "./parts.ts";
import { Id, type Route, route } from "./route.ts";
import { isoOf } from "./views.ts";

const PAGE = 20;

const toPreferences = (preferences: Preferences | undefined): z.input<typeof NoticePreferences> => {
  const { choices = [], zone = "UTC", quiet, pushDevices = 0 } = preferences ?? {};
  return {
    choices: choices.map(({ kind, inApp, email, push }) => ({ kind, inApp, email, push })),
    ...{ zone, pushDevices },
    quiet: quiet ? { fromMinute: quiet.fromMinute, untilMinute: quiet.untilMinute } : null,
  };
};

const tag = "notifications";

export const notificationRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/notifications", operationId: "listNotifications", tag, auth: "profile", status: 200 },
    summary: "The profile's messages, the newest first.",
    query: z.object({
      language: z
        .string()
        .regex(/^[A-Za-z0-9-]{2,35}$/)
        .default("en"),
      zone: z.string().max(60).default(""),
      before: z
        .string()
        .regex(/^[A-Za-z0-9_-]{0,64}$/)
        .default(""),
    }),
    response: Notices,
    handle: async ({ call }, { context, query }) => {
      const { profileId } = requireProfile(context);
      const { notifications, unread, next } = await call.notification.list(
        { profileId, limit: PAGE, ...query },
        context,
      );
      return {
        notices: notifications.map(({ createdAtMs, read, id, kind, title, body, path }) => ({
          ...{ id, kind, title, body, path },
          ...{ createdAt: isoOf(createdAtMs), isRead: read },
        })),
        unread,
        next: next || null,
      };
    },
  }),
  route({
    ...{ method: "POST", path: "/notifications/read", operationId: "readNotifications", tag, auth: "profile" },
    status: 200,
    summary: "Marks messages as read; without ids all of them.",
    body: z.object({ ids: z.array(Id.shape.id).max(100).default([]) }),
    response: z.object({ unread: z.int() }),
    handle: async ({ call }, { context, body }) => {
      const { profileId } = requireProfile(context);
      const { unread } = await call.notification.read({ profileId, ids: body.ids }, context);
      return { unread };
    },
  }),
  route({
    ...{ method: "POST", path: "/notifications/{id}/click", operationId: "clickNotification", tag, auth: "profile" },
    status: 204,
    summary: "Says that somebody went where a message leads.",
    params: Id,
    handle: async ({ call }, { context, params }) => {
      const { profileId } = requireProfile(context);
      await call.notification.click({ profileId, id: params.id }, context);
    },
  }),
  route({
    ...{ method: "GET", path: "/notification-preferences", operationId: "getNotificationPreferences", tag },
    ...{ auth: "profile", status: 200 },
    summary: "How the profile wants to be told of what, and when not.",
    response: NoticePreferences,
    handle: async ({ call }, { context }) => {
      const { profileId } = requireProfile(context);
      return toPreferences((await call.notification.getPreferences({ profileId }, context)).preferences);
    },
  }),
  route({
    ...{ method: "PUT", path: "/notification-preferences", operationId: "setNotificationPreferences", tag },
    ...{ auth: "profile", status: 200 },
    summary: "Changes how the profile is told.",
    body: NewNoticePreferences,
    response: NoticePreferences,
    handle: async ({ call }, { context, body: { choices, zone, quiet } }) => {
      const { profileId } = requireProfile(context);
      const preferences = { choices, zone, ...(quiet ? { quiet } : {}) };
      return toPreferences((await call.notification.setPreferences({ profileId, preferences }, context)).preferences);
    },
  }),
  route({
    ...{ method: "GET", path: "/push-subscription", operationId: "getPushKey", tag, auth: "profile", status: 200 },
    summary: "The key that a browser subscribes with.",
    response: z.object({ publicKey: z.string().max(200) }),
    handle: async ({ call }, { context }) => {
      const { publicKey } = await call.notification.getPushKey({}, context);
      return { publicKey };
    },
  }),
  route({
    ...{ method: "PUT", path: "/push-subscription", operationId: "subscribePush", tag, auth: "profile", status: 204 },
    summary: "Lets this device be reached by web push.",
    body: PushSubscription,
    handle: async ({ call }, { context, body }) => {
      const { profileId, deviceId } = requireProfile(context);
      await call.notification.subscribe({ profileId, deviceId, ...body }, context);
    },
  }),
  route({
    ...{ method: "DELETE", path: "/push-subscription", operationId: "unsubscribePush", tag, auth: "profile" },
    status: 204,
    summary: "No longer reaches this device by web push.",
    handle: async ({ call }, { context }) => {
      const { profileId, deviceId } = requireProfile(context);
      await call.notification.unsubscribe({ profileId, deviceId }, context);
    },
  }),
];

/** Where links in mails and pushes lead: on to what the message is about. */
export function registerNotices(app: FastifyInstance, { call }: WebParts, cookies: Cookies): void {
  app.get("/n/:id", async (request, reply) => {
    const { id } = request.params as { id: string };
    if (!Id.shape.id.safeParse(id).success) throw problem.notFound("there is nothing at this address");
    const { context } = await cookies.signed(request, reply);
    const next = await nextOf(call, context, id);
    return reply.header("cache-control", "no-store").redirect(next, 303);
  });
}

async function nextOf(call: WebParts["call"], context: Context, id: string): Promise<string> {
  const returnTo = encodeURIComponent(`/n/${id}`);
  if (!context.viewer) return `/sign-in?returnTo=${returnTo}`;
  const { profileId } = context.viewer;
  if (profileId === "") return `/profiles?returnTo=${returnTo}`;
  try {
    return (await call.notification.click({ profileId, id }, context)).path;
  } catch (error) {
    // Another profile's, or so old that it is gone: the home page is where one looks further.
    if (toProblem(error).code === "not_found") return "/";
    throw error;
  }
}

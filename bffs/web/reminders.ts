import { z } from "zod";
import type { Reminder as ReminderMessage } from "#contracts/schedule";
import { NewReminder, Reminder, Reminders } from "#contracts/web/notifications";
import { problem, requireProfile } from "#kernel";
import { type Route, route } from "./route.ts";

const tag = "reminders";
const Programme = z.object({ programmeId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) });

const toReminder = ({ programmeId, channelId, titles, startMs, stopMs, leadS }: ReminderMessage) => ({
  ...{ programmeId, channelId, titles, leadS },
  ...{ startMs: Number(startMs), stopMs: Number(stopMs) },
});

export const reminderRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/reminders", operationId: "listReminders", tag, auth: "profile", status: 200 },
    summary: "What the profile wants to be reminded of, the soonest first.",
    response: Reminders,
    handle: async ({ call }, { context }) => {
      const { profileId } = requireProfile(context);
      const { reminders } = await call.schedule.listReminders({ profileId }, context);
      return { reminders: reminders.map(toReminder) };
    },
  }),
  route({
    ...{ method: "PUT", path: "/reminders/{programmeId}", operationId: "setReminder", tag, auth: "profile" },
    status: 200,
    summary: "Reminds the profile of a programme.",
    params: Programme,
    body: NewReminder,
    response: Reminder,
    handle: async ({ call }, { context, params: { programmeId }, body: { leadS } }) => {
      const { profileId } = requireProfile(context);
      const { reminder } = await call.schedule.setReminder({ profileId, programmeId, leadS }, context);
      if (!reminder) throw problem.internal("the reminder was not set");
      return toReminder(reminder);
    },
  }),
  route({
    ...{ method: "DELETE", path: "/reminders/{programmeId}", operationId: "removeReminder", tag, auth: "profile" },
    status: 204,
    summary: "No longer reminds the profile of a programme.",
    params: Programme,
    handle: async ({ call }, { context, params: { programmeId } }) => {
      const { profileId } = requireProfile(context);
      await call.schedule.removeReminder({ profileId, programmeId }, context);
    },
  }),
];

import { defineContract, event } from "../../kernel/contract.ts";
import {
  type ScheduleReminderSet,
  scheduleReminderSetSchema,
  type ScheduleReminderTriggered,
  scheduleReminderTriggeredSchema,
} from "./gen/events.ts";
import { ScheduleService } from "./gen/schedule_pb.js";

export type { ScheduleReminderSet, ScheduleReminderTriggered } from "./gen/events.ts";
export type * from "./gen/schedule_pb.js";

export const Schedule = defineContract({
  name: "schedule",
  rpc: ScheduleService,
  events: {
    reminderSet: event<ScheduleReminderSet>()("schedule.reminder.set", scheduleReminderSetSchema),
    reminderTriggered: event<ScheduleReminderTriggered>()(
      "schedule.reminder.triggered",
      scheduleReminderTriggeredSchema,
    ),
  },
});

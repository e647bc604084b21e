import { defineContract, event } from "../../kernel/contract.ts";
import {
  type NotificationClicked,
  notificationClickedSchema,
  type NotificationSent,
  notificationSentSchema,
} from "./gen/events.ts";
import { NotificationService } from "./gen/notification_pb.js";

export type { NotificationClicked, NotificationSent } from "./gen/events.ts";
export type * from "./gen/notification_pb.js";

export const Notification = defineContract({
  name: "notification",
  rpc: NotificationService,
  events: {
    sent: event<NotificationSent>()("notification.sent", notificationSentSchema),
    clicked: event<NotificationClicked>()("notification.clicked", notificationClickedSchema),
  },
});

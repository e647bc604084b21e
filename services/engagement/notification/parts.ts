import type { Notification } from "#contracts/notification";
import { Profile } from "#contracts/profile";
import { Tenant } from "#contracts/tenant";
import { User } from "#contracts/user";
import type { Metrics, Platform } from "#kernel";
import type { Push } from "./push.ts";

export const uses = { profile: Profile, tenant: Tenant, user: User };
export type NotificationPlatform = Platform<typeof Notification, typeof uses>;

export interface Parts
  extends Pick<NotificationPlatform, "db" | "call" | "cache" | "mail" | "clock" | "logger" | "addresses"> {
  readonly push: Push;
  readonly counted: (type: "in_app" | "email" | "push", outcome: string) => void;
}

export function openCounted(metrics: Metrics): Parts["counted"] {
  const counter = metrics.counter("notifications_total", "Messages by the way they took, and what became of them", [
    "type",
    "outcome",
  ]);
  return (type, outcome) => counter.inc({ type, outcome });
}

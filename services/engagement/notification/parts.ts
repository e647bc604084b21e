import type { Notification } from "#contracts/notification";
import { Profile } from "#contracts/profile";
import { Tenant } from "#contracts/tenant";
import { User } from "#contracts/user";
import { assertOwnProfile, type Context, type Metrics, type Platform } from "#kernel";
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

/** Whose profile it is. Viewers see the one that they chose; operators and services may name any. */
export async function ownerOf({ call }: Parts, context: Context, profileId: string): Promise<string> {
  assertOwnProfile(context, profileId);
  if (context.viewer) return context.viewer.userId;
  const { profile } = await call.profile.get({ profileId }, context);
  return profile?.userId ?? "";
}

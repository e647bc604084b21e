import type { Notification } from "#contracts/notification";
import type { RecordingCompleted } from "#contracts/recording";
import type { ScheduleReminderTriggered } from "#contracts/schedule";
import { newId, type Received, type Tx } from "#kernel";
import { choiceOf, kindOf, type News, PREFERENCES_DEFAULT, type Template } from "./domain.ts";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";
import { forgetUnread } from "./unread.ts";

const DAY_MS = 86_400_000;
const RECORDING_MS = 7 * DAY_MS;

const REMINDERS: Readonly<Record<string, Template>> = {
  starts: "reminder.starts",
  moved: "reminder.moved",
  cancelled: "reminder.cancelled",
};

/** A reminder as something to tell. One that comes twice has the same source, and so has a programme that is moved to and fro. */
export function newsOf(data: ScheduleReminderTriggered): News[] {
  const template = REMINDERS[data.reason];
  // A newer producer may have more reasons: those are nothing that we have words for.
  if (!template) return [];
  const starts = data.reason === "starts";
  return [
    {
      source: `reminder/${data.reminderId}/${data.reason}/${data.startMs}`,
      ...{ userId: data.userId, profileId: data.profileId, template },
      about: { titles: data.titles, channelName: data.channelName, startMs: data.startMs },
      path: starts ? `/live/${data.channelId}` : "/guide",
      expiresAtMs: starts ? data.stopMs : data.triggeredAtMs + DAY_MS,
    },
  ];
}

export const takeReminders = (
  parts: Parts,
  tx: Tx<typeof Notification>,
  events: readonly Received<ScheduleReminderTriggered>[],
): Promise<void> =>
  take(
    parts,
    tx,
    events.flatMap(({ data }) => newsOf(data)),
  );

/** A recording that is there. Whoever has not looked for it in a week need not be told any more. */
export const takeRecordings = (
  parts: Parts,
  tx: Tx<typeof Notification>,
  events: readonly Received<RecordingCompleted>[],
): Promise<void> =>
  take(
    parts,
    tx,
    events.map(({ data, timeMs }) => ({
      source: `recording/${data.recordingId}/ready`,
      ...{ userId: data.userId, profileId: data.profileId, template: "recording.ready" },
      about: { titles: data.titles, channelName: data.channelName, startMs: data.startMs },
      path: `/recordings/${data.contentId}`,
      expiresAtMs: timeMs + RECORDING_MS,
    })),
  );

/** Keeps what is new, and plans by which ways each profile is told of it. */
async function take(parts: Parts, tx: Tx<typeof Notification>, all: readonly News[]): Promise<void> {
  const nowMs = parts.clock.nowMs();
  const fresh = all.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  for (let late = all.length - fresh.length; late > 0; late -= 1) parts.counted("in_app", "late");
  const profileIds = [...new Set(fresh.map(({ profileId }) => profileId))];
  const preferences = await store.preferencesOf(tx, profileIds);
  const devices = Map.groupBy(await store.subscriptionsOf(tx, profileIds), ({ profile_id }) => profile_id);
  const planned = fresh.map((news) => {
    const choice = choiceOf(preferences.get(news.profileId) ?? PREFERENCES_DEFAULT, kindOf(news.template));
    const message = { ...news, id: newId("ntf", nowMs), isInApp: choice.inApp, createdAtMs: nowMs };
    const to = { messageId: message.id, dueAtMs: nowMs };
    const push = choice.push ? (devices.get(news.profileId) ?? []) : [];
    const deliveries: store.NewDelivery[] = [
      ...(choice.email ? [{ ...to, channel: "email" as const, deviceId: "" }] : []),
      ...push.map(({ device_id: deviceId }) => ({ ...to, channel: "push" as const, deviceId })),
    ];
    return { message, deliveries };
  });
  const added = await store.insertMessages(
    tx,
    planned.map(({ message }) => message),
  );
  const told = planned.filter(({ message }) => added.has(message.id));
  await store.insertDeliveries(
    tx,
    told.flatMap(({ deliveries }) => deliveries),
  );
  for (const { message } of told.filter(({ message: { isInApp } }) => isInApp)) {
    const { userId, profileId, id: notificationId, template } = message;
    const kind = kindOf(template);
    tx.emit("sent", { userId, profileId, notificationId, kind, template, channel: "in_app", sentAtMs: nowMs });
    parts.counted("in_app", "sent");
  }
  tx.afterCommit(() => forgetUnread(parts, tx.tenant, profileIds));
}

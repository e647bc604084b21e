/** What the web API says of messages, and how people want to be told. */
import { z } from "zod";

const minuteOfDay = z.int().min(0).max(1_439);

export const Notice = z.object({
  id: z.string().max(64),
  /** What it is about, as preferences name it. */
  kind: z.string().max(40),
  title: z.string().max(300),
  body: z.string().max(500),
  /** Where it leads: a path of this site. */
  path: z.string().max(300),
  createdAt: z.iso.datetime(),
  isRead: z.boolean(),
});

export const Notices = z.object({
  notices: z.array(Notice).max(50),
  /** No more than 100 are counted. */
  unread: z.int(),
  /** Ask with it as `before` for older ones; null on the last page. */
  next: z.string().max(64).nullable(),
});

const choice = z.object({ kind: z.string().max(40), inApp: z.boolean(), email: z.boolean(), push: z.boolean() });

export const NewNoticePreferences = z.object({
  choices: z.array(choice).max(10),
  /** IANA, such as Europe/Berlin. */
  zone: z.string().max(60),
  /** Hours in which no mail and no push comes; they may go over midnight. */
  quiet: z.object({ fromMinute: minuteOfDay, untilMinute: minuteOfDay }).nullable(),
});

export const NoticePreferences = NewNoticePreferences.extend({
  /** Devices that are reached by web push. */
  pushDevices: z.int(),
});

export const NewReminder = z.object({
  /** How long before the start, in seconds. */
  leadS: z.int().min(0).max(86_400).default(300),
});

export const Reminder = z.object({
  programmeId: z.string().max(64),
  channelId: z.string().max(64),
  /** By language (BCP 47); empty where the guide does not say which it is. */
  titles: z.record(z.string().max(35), z.string().max(500)),
  startMs: z.int(),
  stopMs: z.int(),
  leadS: z.int(),
});

export const Reminders = z.object({ reminders: z.array(Reminder).max(200) });

/** A PushSubscription of the browser's Push API. */
export const PushSubscription = z.object({
  endpoint: z.string().min(1).max(1_000),
  p256dh: z.string().min(1).max(200),
  auth: z.string().min(1).max(60),
});

export type Notice = z.infer<typeof Notice>;
export type Notices = z.infer<typeof Notices>;
export type Reminder = z.infer<typeof Reminder>;
export type Reminders = z.infer<typeof Reminders>;
export type NewNoticePreferences = z.infer<typeof NewNoticePreferences>;
export type NoticePreferences = z.infer<typeof NoticePreferences>;
export type PushSubscription = z.infer<typeof PushSubscription>;

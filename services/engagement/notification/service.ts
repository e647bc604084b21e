// Notification: tells people what they asked to be told, in the product, by e-mail and by web push, once and when it suits them.
import { Auth, type AuthLogout } from "#contracts/auth";
import { Notification } from "#contracts/notification";
import { Profile, type ProfileUpdated } from "#contracts/profile";
import { Recording } from "#contracts/recording";
import { Schedule } from "#contracts/schedule";
import { User, type UserDeleted } from "#contracts/user";
import { type Context, defineService, on, problem, type Received, requireProfile, type Tx, ownerOf } from "#kernel";
import { deliverDue, sweep } from "./deliver.ts";
import { checkPreferences, kindOf, PREFERENCES_DEFAULT, type Preferences } from "./domain.ts";
import { isZone } from "./domain-quiet.ts";
import { wordsOf } from "./domain-words.ts";
import { type NotificationPlatform, openCounted, type Parts, uses } from "./parts.ts";
import { openPush } from "./push.ts";
import * as store from "./store.ts";
import { takeRecordings, takeReminders } from "./take.ts";
import { forgetUnread, unreadOf } from "./unread.ts";
import { assertReceiver } from "./web-push.ts";

const LIMIT_MAX = 50;
const IDS_MAX = 100;
const DEVICES_MAX = 10;
const DELIVER_EVERY_MS = 2_000;
const SWEEP_EVERY_MS = 10 * 60_000;

type NotificationTx = Tx<typeof Notification>;

export default defineService({
  contract: Notification,
  uses,
  slo: { p99Ms: 200, availability: 0.999 },
  ai: { feeds: "recommendation: what people were told, and went to see", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  async start(platform: NotificationPlatform): Promise<Parts> {
    const { db, call, cache, mail, clock, logger, addresses, metrics } = platform;
    const [push, counted] = [await openPush(platform), openCounted(metrics)];
    return { db, call, cache, mail, clock, logger, addresses, push, counted };
  },

  on: [
    on(Schedule.events.reminderTriggered)(takeReminders),
    on(Recording.events.completed)(takeRecordings),
    on(Auth.events.logout)(forgetDevices),
    on(Profile.events.updated)(forgetProfiles),
    on(User.events.deleted)(forgetUsers),
  ],

  rpc: (parts) => ({
    list: (request, context) => list(parts, request, context),
    async unread({ profileId }, context) {
      await ownerOf(parts, context, profileId);
      return unreadOf(parts, context, profileId);
    },
    async read({ profileId, ids }, context) {
      if (ids.length > IDS_MAX) throw problem.invalid(`${ids.length} ids are more than ${IDS_MAX}: read in parts`);
      await ownerOf(parts, context, profileId);
      await parts.db.tx(context, async (tx) => {
        await store.markRead(tx, profileId, ids);
        tx.afterCommit(() => forgetUnread(parts, tx.tenant, [profileId]));
      });
      return { unread: (await unreadOf(parts, context, profileId)).unread };
    },
    click: (request, context) => click(parts, request, context),
    async getPreferences({ profileId }, context) {
      await ownerOf(parts, context, profileId);
      return { preferences: await preferences(parts, context, profileId) };
    },
    async setPreferences({ profileId, preferences: given }, context) {
      if (!given) throw problem.invalid("preferences are missing");
      const userId = await ownerOf(parts, context, profileId);
      const next = checkPreferences(given);
      await parts.db.tx(context, (tx) => store.savePreferences(tx, { userId, profileId }, next));
      return { preferences: await preferences(parts, context, profileId) };
    },
    async getPushKey() {
      return { publicKey: parts.push.publicKey };
    },
    async subscribe({ profileId, deviceId, endpoint, p256dh, auth }, context) {
      const { userId, deviceId: ownDeviceId } = requireProfile(context);
      await ownerOf(parts, context, profileId);
      assertDevice(deviceId, ownDeviceId);
      parts.push.assertEndpoint(endpoint);
      assertReceiver({ p256dh, auth });
      const row = { user_id: userId, device_id: deviceId, profile_id: profileId, endpoint, p256dh, auth };
      await parts.db.tx(context, (tx) => store.subscribe(tx, row, parts.clock.nowMs(), DEVICES_MAX));
      return {};
    },
    async unsubscribe({ profileId, deviceId }, context) {
      const userId = await ownerOf(parts, context, profileId);
      await parts.db.tx(context, (tx) => store.unsubscribe(tx, userId, deviceId));
      return {};
    },
  }),

  periodic: (parts) => [
    { name: "send what is due", everyMs: DELIVER_EVERY_MS, run: (signal) => deliverDue(parts, signal) },
    { name: "forget old messages", everyMs: SWEEP_EVERY_MS, run: (signal) => sweep(parts, signal) },
  ],

  ready: ({ db }) => db.ping(),
});

function assertDevice(deviceId: string, own: string): void {
  if (deviceId !== own) throw problem.denied("a device subscribes itself and no other", { reason: "not_yours" });
}

interface ListRequest {
  readonly profileId: string;
  readonly language: string;
  readonly limit: number;
  readonly before: string;
  readonly zone: string;
}

async function list(parts: Parts, request: ListRequest, context: Context) {
  const { profileId, language, limit: asked, before } = request;
  await ownerOf(parts, context, profileId);
  const limit = Math.min(asked || LIMIT_MAX, LIMIT_MAX);
  const [rows, known] = await parts.db.read(context, async (tx) => [
    await store.listMessages(tx, profileId, { before, limit: limit + 1 }),
    await store.preferencesOf(tx, [profileId]),
  ]);
  const zone = isZone(request.zone) ? request.zone : (known.get(profileId) ?? PREFERENCES_DEFAULT).zone;
  const { unread } = await unreadOf(parts, context, profileId);
  const shown = rows.slice(0, limit);
  return {
    notifications: shown.map(({ id, template, about, path, created_at_ms, read }) => ({
      ...{ id, kind: kindOf(template), path, read, createdAtMs: BigInt(created_at_ms) },
      ...wordsOf(template, about, { language, zone }),
    })),
    unread,
    next: rows.length > limit ? (shown.at(-1)?.id ?? "") : "",
  };
}

/** Remembers that somebody went where a message leads; it is said once, however often they go. */
async function click(parts: Parts, { profileId, id }: { profileId: string; id: string }, context: Context) {
  const userId = await ownerOf(parts, context, profileId);
  return parts.db.tx(context, async (tx) => {
    const message = await store.lockMessage(tx, profileId, id);
    if (!message)
      throw problem.notFound(`notification '${id.slice(0, 64)}' does not exist`, { reason: "notification_unknown" });
    if (!message.clicked) {
      await store.markClicked(tx, id);
      const clickedAtMs = parts.clock.nowMs();
      tx.emit("clicked", { userId, profileId, notificationId: id, kind: kindOf(message.template), clickedAtMs });
      tx.afterCommit(() => forgetUnread(parts, tx.tenant, [profileId]));
    }
    return { path: message.path };
  });
}

async function preferences({ db }: Parts, context: Context, profileId: string) {
  const [known, devices] = await db.read(context, async (tx) => [
    await store.preferencesOf(tx, [profileId]),
    await store.subscriptionsOf(tx, [profileId]),
  ]);
  return toMessage(known.get(profileId) ?? PREFERENCES_DEFAULT, devices.length);
}

const toMessage = ({ choices, zone, quiet }: Preferences, pushDevices: number) => ({
  ...{ choices: [...choices], zone, pushDevices },
  ...(quiet ? { quiet } : {}),
});

async function forgetDevices(_: Parts, tx: NotificationTx, events: readonly Received<AuthLogout>[]): Promise<void> {
  for (const { data } of events) await store.unsubscribe(tx, data.userId, data.deviceId);
}

async function forgetProfiles(
  _: Parts,
  tx: NotificationTx,
  events: readonly Received<ProfileUpdated>[],
): Promise<void> {
  for (const { data } of events) if (data.deleted) await store.forget(tx, { column: "profile_id", id: data.profileId });
}

async function forgetUsers(_: Parts, tx: NotificationTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.forget(tx, { column: "user_id", id: data.userId });
}

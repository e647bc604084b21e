// What people are told, from the event to the letter box, on real engines; programmes that start are the test's word.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { Notification, type NotificationClicked, type NotificationSent } from "#contracts/notification";
import { Profile } from "#contracts/profile";
import { Recording } from "#contracts/recording";
import { Schedule, type ScheduleReminderTriggered } from "#contracts/schedule";
import { topics } from "#contracts/topics";
import { User } from "#contracts/user";
import { type Db, defineService, problem, type Viewer } from "#kernel";
import { openEvents } from "#kernel/events";
import notification from "../../services/engagement/notification/service.ts";
import profile from "../../services/identity/profile/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { until } from "../identity/setup.ts";
import { movableClock } from "../playback/setup.ts";
import { openPushService, openReceiver } from "./setup.ts";

const HOUR_MS = 3_600_000;
const never = async (): Promise<never> => {
  throw problem.unavailable("no reminders are set in this test");
};

/** Says that programmes start. */
let guide: Db<typeof Schedule>;
const schedule = defineService({
  contract: Schedule,
  uses: {},
  slo: { p99Ms: 1, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: ({ db }) => (guide = db),
  rpc: () => ({ setReminder: never, listReminders: never, removeReminder: never }),
  ready: async () => {},
});

/** Says that recordings are there. */
let recorder: Db<typeof Recording>;
const recording = defineService({
  contract: Recording,
  uses: {},
  slo: { p99Ms: 1, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: ({ db }) => (recorder = db),
  rpc: () => Object.fromEntries(Recording.rpc.methods.map(({ localName }) => [localName, never])) as never,
  ready: async () => {},
});

let host: TestHost;
let service: Awaited<ReturnType<typeof openPushService>>;
const clock = movableClock({ sleepMsMax: 20 });
before(async () => {
  service = await openPushService();
  host = await startTestHost({
    services: [tenant, user, profile, schedule, recording, notification],
    env: { MARQUEE_PUSH_HOSTS: service.host },
    clock,
  });
});
after(async () => {
  await host?.stop();
  service?.close();
});

let who: Viewer;
let people = 0;
const context = () => host.context({ viewer: who });
const call = () => host.client(Notification, "test");
const email = () => `viewer-${people}@mail.example`;
beforeEach(async () => {
  people += 1;
  const { user: made } = await host
    .client(User, "test")
    .create({ email: email(), name: "Alex", language: "de" }, host.context());
  await host.settled();
  const userId = made?.id ?? "";
  const { profiles } = await host.client(Profile, "test").list({ userId }, host.context());
  who = { userId, profileId: profiles[0]?.id ?? "", tier: "basic", deviceId: `tv-${people}`, entitlements: [] };
  service.pushes.length = 0;
});

const prefer = (choice: { readonly inApp?: boolean; readonly email?: boolean; readonly push?: boolean }, more = {}) =>
  call().setPreferences(
    {
      profileId: who.profileId,
      preferences: {
        choices: [{ kind: "reminder", inApp: true, email: false, push: false, ...choice }],
        zone: "Europe/Berlin",
        ...more,
      },
    },
    context(),
  );

const soonMs = (): number => Math.floor(clock.nowMs() / 60_000) * 60_000 + 300_000;

/** A programme of an hour that starts in five minutes. */
async function trigger(reminderId: string, more: Partial<ScheduleReminderTriggered> = {}): Promise<void> {
  const startMs = more.startMs ?? soonMs();
  await guide.tx({ tenant: "demo" }, async (tx) =>
    tx.emit("reminderTriggered", {
      ...{ userId: who.userId, profileId: who.profileId, reminderId, channelId: "ch-one", channelName: "Marquee One" },
      ...{ programmeId: "prg_1", titles: { en: "The North Sea", de: "Die Nordsee" }, reason: "starts" },
      ...{ startMs, stopMs: startMs + HOUR_MS, triggeredAtMs: clock.nowMs() },
      ...more,
    }),
  );
  await host.settled();
}

const list = (language = "de") => call().list({ profileId: who.profileId, language }, context());

async function mails(): Promise<string[]> {
  const folder = join(host.folder, "mail");
  const all = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), "utf8")));
  return all.filter((text) => text.includes(`To: ${email()}`));
}

/** What was said of this person, in order. */
async function said<T>(name: string): Promise<T[]> {
  const reader = await openEvents([Notification], topics, host.adapters.registry, clock);
  const topic = "notifications.events";
  const ends = await host.adapters.log.offsets(topic);
  const records = await host.adapters.log.read(topic, new Map([...ends.keys()].map((one) => [one, 0])), 10_000);
  const mine = records.filter((record) => record.key === who.userId && reader.nameOf(record) === name);
  return (await Promise.all(mine.map((record) => reader.decode(record)))).map((event) => event?.data as T);
}

/** How many have become this. */
const counted = async (type: string, outcome: string): Promise<number> => {
  const line = (await host.metrics.text())
    .split("\n")
    .find((one) => one.startsWith(`marquee_notifications_total{type="${type}",outcome="${outcome}"`));
  return Number(line?.split(" ").at(-1) ?? 0);
};

test("a reminder that comes twice is told once by each way, and who goes there is counted once", async () => {
  await prefer({ email: true, push: true });
  const browser = openReceiver();
  const { publicKey } = await call().getPushKey({}, context());
  assert.equal(Buffer.from(publicKey, "base64url").length, 65);
  const subscription = { endpoint: `${service.baseUrl}/a`, p256dh: browser.p256dh, auth: browser.auth };
  await call().subscribe({ profileId: who.profileId, deviceId: who.deviceId, ...subscription }, context());
  // A minute later it would be another start, of which people are told again.
  const startMs = soonMs();
  for (const _ of [1, 2]) await trigger("rem_1", { startMs });

  const { notifications, unread } = await list();
  assert.deepEqual(
    notifications.map(({ title, path, read }) => [title, path, read]),
    [["Die Nordsee", "/live/ch-one", false]],
  );
  assert.equal(unread, 1);
  assert.equal((await list("en")).notifications[0]?.title, "The North Sea");
  const id = notifications[0]?.id ?? "";
  await until(async () => (await mails()).length > 0 && service.pushes.length > 0);
  await host.settled();
  const sent = await said<NotificationSent>("notification.sent");
  assert.deepEqual(
    sent.map(({ channel, notificationId }) => `${channel} ${notificationId}`).toSorted((a, b) => a.localeCompare(b)),
    [`email ${id}`, `in_app ${id}`, `push ${id}`],
  );
  const [mail = ""] = await mails();
  assert.match(mail, /Subject: Die Nordsee/);
  assert.ok(mail.replaceAll(/=\r?\n/g, "").includes(`http://localhost:8080/n/${id}`), mail);
  const [push] = service.pushes;
  assert.ok(push && push.ttl > 3_600 && id.endsWith(push.topic));
  const { title, path } = browser.open(push.body) as { title: string; path: string };
  assert.deepEqual([title, path], ["Die Nordsee", `/n/${id}`]);
  assert.deepEqual([(await mails()).length, service.pushes.length], [1, 1]);

  for (const _ of [1, 2]) {
    const gone = await call().click({ profileId: who.profileId, id }, context());
    assert.equal(gone.path, "/live/ch-one");
  }
  await host.settled();
  assert.equal((await said<NotificationClicked>("notification.clicked")).length, 1);
  assert.equal((await call().unread({ profileId: who.profileId }, context())).unread, 0);
});

test("pages, reading and other profiles", async () => {
  for (const n of [1, 2, 3]) await trigger(`rem_${n}`);
  const first = await call().list({ profileId: who.profileId, limit: 2 }, context());
  const second = await call().list({ profileId: who.profileId, limit: 2, before: first.next }, context());
  assert.deepEqual([first.notifications.length, second.notifications.length, second.next], [2, 1, ""]);
  assert.equal(new Set([...first.notifications, ...second.notifications].map(({ id }) => id)).size, 3);
  const one = [first.notifications[0]?.id ?? ""];
  assert.equal((await call().read({ profileId: who.profileId, ids: one }, context())).unread, 2);
  assert.equal((await call().read({ profileId: who.profileId, ids: [] }, context())).unread, 0);
  const other = { ...context(), viewer: { ...who, profileId: "prf_other" } };
  await assert.rejects(call().list({ profileId: who.profileId }, other), { code: "permission_denied" });
  await assert.rejects(call().click({ profileId: "prf_other", id: one[0] ?? "" }, other), { code: "not_found" });
});

test("nobody is woken in quiet hours, and what would then be too late is left out", async () => {
  const minute = Math.floor((clock.nowMs() % 86_400_000) / 60_000);
  const quiet = { fromMinute: (minute + 1_439) % 1_440, untilMinute: (minute + 30) % 1_440 };
  await prefer({ email: true }, { zone: "UTC", quiet });
  await trigger("rem_1");
  const before = await counted("email", "quiet");
  const startMs = clock.nowMs() + 60_000;
  await trigger("rem_2", { startMs, stopMs: startMs + 60_000 });
  await until(async () => (await counted("email", "quiet")) > before);
  assert.deepEqual(await mails(), []);
  assert.equal((await list()).notifications.length, 2, "the bell has both");
  clock.offsetMs += 31 * 60_000;
  await until(async () => (await mails()).length > 0);
  assert.equal((await mails()).length, 1);
});

test("who is told too often is told in the product alone", async () => {
  await prefer({ push: true });
  const browser = openReceiver();
  const subscription = { endpoint: `${service.baseUrl}/b`, p256dh: browser.p256dh, auth: browser.auth };
  await call().subscribe({ profileId: who.profileId, deviceId: who.deviceId, ...subscription }, context());
  const before = await counted("push", "too_many");
  for (let n = 0; n < 14; n += 1) await trigger(`rem_${n}`);
  await until(async () => (await counted("push", "too_many")) === before + 2);
  assert.equal(service.pushes.length, 12);
  assert.equal((await list()).notifications.length, 14);
});

test("a push that fails is tried again, and a browser that is gone is forgotten", async () => {
  await prefer({ push: true });
  const browser = openReceiver();
  const subscription = { endpoint: `${service.baseUrl}/c`, p256dh: browser.p256dh, auth: browser.auth };
  await call().subscribe({ profileId: who.profileId, deviceId: who.deviceId, ...subscription }, context());
  service.statuses.push(503, 201, 410);
  await trigger("rem_1");
  await until(async () => service.pushes.length === 1);
  clock.offsetMs += 11_000;
  await until(async () => service.pushes.length === 2);
  assert.equal((await call().getPreferences({ profileId: who.profileId }, context())).preferences?.pushDevices, 1);
  await trigger("rem_2");
  await until(async () => {
    const { preferences } = await call().getPreferences({ profileId: who.profileId }, context());
    return preferences?.pushDevices === 0;
  });
  await trigger("rem_3");
  await host.settled();
  assert.equal(service.pushes.length, 3);
});

test("a device that must not be reached is refused", async () => {
  const { p256dh, auth } = openReceiver();
  const ask = (more: object) =>
    call().subscribe(
      { profileId: who.profileId, deviceId: who.deviceId, endpoint: `${service.baseUrl}/d`, p256dh, auth, ...more },
      context(),
    );
  await assert.rejects(ask({ endpoint: "http://169.254.169.254/latest" }), { reason: "push_service_unknown" });
  await assert.rejects(ask({ deviceId: "somebody-elses" }), { reason: "not_yours" });
  await assert.rejects(ask({ auth: "short" }), { code: "invalid_argument" });
});

test("who records is told once when it is there, and not where they do not want to be", async () => {
  const complete = async (recordingId: string, titles: Record<string, string>): Promise<void> => {
    await recorder.tx({ tenant: "demo" }, async (tx) =>
      tx.emit("completed", {
        ...{ userId: who.userId, profileId: who.profileId, recordingId, contentId: `rec-${recordingId}` },
        ...{ channelId: "ch-one", programmeId: "", durationMs: HOUR_MS, missingMs: 0 },
        ...{ titles, channelName: "Marquee One", startMs: Date.UTC(2026, 10, 26, 19, 15) },
      }),
    );
    await host.settled();
  };
  await complete("a", { en: "The North Sea" });
  await complete("a", { en: "The North Sea" });
  await complete("b", { "": "" });
  const { notifications } = await list("en");
  assert.deepEqual(
    notifications.map(({ kind, title, path }) => [kind, title, path]),
    [
      ["recording", "Marquee One", "/recordings/rec-b"],
      ["recording", "The North Sea", "/recordings/rec-a"],
    ],
  );
  assert.match(notifications[1]?.body ?? "", /26 November.*Marquee One is ready/);
  const choices = [{ kind: "recording", inApp: false, email: false, push: false }];
  await call().setPreferences({ profileId: who.profileId, preferences: { choices, zone: "UTC" } }, context());
  await complete("c", {});
  assert.equal((await list("en")).notifications.length, 2);
});

// A deleted account is found nowhere: what a person leaves behind is looked for in every store, before and after, and so is somebody else's.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Bookmark } from "#contracts/bookmark";
import type { Encoding } from "#contracts/encoding";
import { type Context, on, type Viewer } from "#kernel";
import type { Handler } from "#kernel/service";
import { openLogger } from "#kernel/telemetry";
import { openReceiver } from "../engagement/setup.ts";
import { until } from "../identity/setup.ts";
import { calm } from "../playback/setup.ts";
import { placesOf } from "./search.ts";
import { type Person, startWhole, type WholeHost } from "./setup.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

const ada: Person = {
  email: "ada.quagmire@xyzzy.example",
  name: "Ada Quagmire",
  device: { id: "device-of-ada-7f3a", type: "tv", name: "Quagmire Vidphone" },
};
const bob: Person = {
  email: "bob.grumbold@plugh.example",
  name: "Bob Grumbold",
  device: { id: "device-of-bob-91cc", type: "tv", name: "Grumbold Gramophone" },
};
const TRIES_MAX = 40;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Cannot bear to hear how far anybody got, and says so with everything it should not say. */
const grumpy: Handler<unknown, typeof Encoding> = on(Bookmark.events.updated)(async (_, __, events) => {
  throw new Error(`${events.map(({ data }) => data.userId).join()} (${ada.email}) is not to be borne`);
});

let host: WholeHost;
let folder: string;
let logFile: string;
let programmeId: string;
const cached: { readonly key: string; readonly value: string; readonly ttlMs: number }[] = [];
before(async () => {
  folder = await makeTestFolder("erasure");
  logFile = join(folder, "marquee.log");
  host = await startWhole({ logger: openLogger({ level: "debug", file: logFile }), listens: [grumpy] });
  const { cache } = host.adapters;
  const { set } = cache;
  Object.assign(cache, {
    set: async (key: string, value: string, ttlMs: number) => {
      cached.push({ key, value, ttlMs });
      return set(key, value, ttlMs);
    },
  });
  await host.addFilm("film");
  await host.addFilm("other");
  await host.addBreak("film");
  programmeId = await host.addProgramme("Twisty passages");
});
after(async () => {
  await host?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Traces {
  readonly viewer: Viewer;
  readonly texts: readonly string[];
}

/** Somebody uses the product for a while. */
async function use(person: Person, profileName: string): Promise<Traces> {
  const viewer = await host.signUp(person);
  const context = { ...host.context({ viewer }), idempotencyKey: `start-${person.device.id}` };
  const { profile } = await host.profiles.create({ userId: viewer.userId, name: profileName, isKids: true }, context);
  assert.ok(profile);
  await host.auth.forgotPassword({ email: person.email, ip: "192.0.2.7" }, host.context());
  await host.bookmarks.save({ profileId: viewer.profileId, contentId: "other" }, context);
  await beReminded(viewer, context);
  await beRecommended(viewer, context);
  await host.recordings.record({ profileId: viewer.profileId, programmeId }, context);
  const started = await host.sessions.start({ contentId: "film", device: person.device }, context);
  const sessionId = started.session?.id ?? "";
  assert.equal(started.adBreaks.length, 1);
  for (let n = 0; n < 4; n += 1) await host.sessions.beat(calm(sessionId, n, 30 + 10 * n), context);
  await host.sessions.stop({ sessionId, sequence: 4, positionS: 70, durationS: 600, reason: "asked" }, context);
  // A second one stays open: nobody says goodbye.
  const second = await host.sessions.start(
    { contentId: "other", device: person.device },
    { ...context, idempotencyKey: null },
  );
  await host.sessions.beat(calm(second.session?.id ?? "", 0, 5), context);
  await until(async () => (await host.mailsTo(person.email)).length > 0);
  const texts = [person.email, person.name, person.device.name, person.device.id, profileName];
  return { viewer, texts: [...texts, viewer.userId, viewer.profileId, profile.id] };
}

/** Somebody likes a title, is shown others, and wants no more of that. */
async function beRecommended({ profileId }: Viewer, context: Context): Promise<void> {
  await host.recommendations.setOpinion({ profileId, contentId: "other", opinion: "up" }, context);
  // The first one may come before there is a model.
  await until(async () => (await host.recommendations.home({ profileId }, context)).rails.length > 0);
  await host.recommendations.setPersonalisation({ profileId, enabled: false }, context);
}

/** Somebody wants to be told by mail and on a device, and is. */
async function beReminded({ profileId, deviceId }: Viewer, context: Context): Promise<void> {
  const choices = [{ kind: "reminder", inApp: true, email: true, push: false }];
  await host.notifications.setPreferences({ profileId, preferences: { choices, zone: "Europe/Berlin" } }, context);
  const { p256dh, auth } = openReceiver();
  const endpoint = `https://fcm.googleapis.com/fcm/send/${deviceId}`;
  await host.notifications.subscribe({ profileId, deviceId, endpoint, p256dh, auth }, context);
  await host.schedules.setReminder({ profileId, programmeId, leadS: 7_200 }, context);
  await until(async () => (await host.notifications.list({ profileId }, context)).notifications.length > 0);
}

/** Waits until somebody is found in these places alone. */
async function nothingBut(places: readonly string[], { texts }: Traces): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const rest = [...(await look(texts))].filter(([place]) => !places.includes(place));
    if (rest.length === 0) return;
    if (tries >= TRIES_MAX) return assert.deepEqual(rest, []);
    await pause(500);
  }
}

const look = (texts: readonly string[]) => placesOf(host, texts, [logFile]);
const everywhere = [
  "table auth.credentials",
  "table auth.devices",
  "table auth.oidc",
  "table bookmark.bookmarks",
  "table bookmark.saved",
  "table entitlement.grants",
  "table features.states",
  "table notification.messages",
  "table notification.preferences",
  "table notification.subscriptions",
  "table profile.profiles",
  "table recommendation.exposures",
  "table recommendation.interactions",
  "table recommendation.opinions",
  "table recommendation.unpersonalised",
  "table recording.recordings",
  "table schedule.reminders",
  "table session.idempotency",
  "table session.sessions",
  "table subscription.subscriptions",
  "table user.users",
  "topic ai.features.updates",
  "topic bookmarks.updates",
  "topic bookmarks.updates.dlq",
  "topic notifications.events",
  "topic playback.heartbeats",
  "topic playback.sessions",
  "topic recommendations.served",
  "topic recordings.events",
  "topic user.events",
  "lake",
  "analytics qoe_beats",
  "analytics qoe_scores",
  "files of log",
  "files of mail",
];

test("what a person leaves behind is gone from every store, and nothing of anybody else", async () => {
  const [gone, stays] = [await use(ada, "Quagmire Room"), await use(bob, "Grumbold Attic")];
  await host.settled();
  const qoeHas = async (id: string) => {
    const rows = await host.adapters.analytics.query({
      ...{ tenant: "demo", rowsMax: 1, params: { id } },
      text: "SELECT count() AS n FROM qoe_beats WHERE user_id = {id:String}",
    });
    return Number(rows[0]?.["n"]) >= 5;
  };
  await until(async () => (await qoeHas(gone.viewer.userId)) && qoeHas(stays.viewer.userId));
  for (const { texts } of [gone, stays]) {
    const found = await look(texts);
    assert.deepEqual(
      everywhere.filter((place) => !found.has(place)),
      [],
    );
    assert.ok(!found.has(logFile), "the log of the program knows people by pseudonyms alone");
    const all = new Set([...found.values()].flat());
    assert.deepEqual(
      texts.filter((text) => !all.has(text)),
      [],
      "each text is somewhere, so that its absence means something",
    );
  }
  const before = await look(stays.texts);

  await host.users.delete({ userId: gone.viewer.userId }, host.context());
  // Ids of people who are gone are kept by those who must turn away what still comes of them; nothing else is.
  const known = ["table analytics.erasures", "table qoe.forgotten", "table user.erasures"];
  await nothingBut(known, gone);
  assert.deepEqual(
    [...(await look(gone.texts)).values()].flat().filter((text) => text !== gone.viewer.userId),
    [],
  );

  // Something that was on its way arrives late.
  await host.adapters.log.append([
    {
      topic: "playback.heartbeats",
      key: gone.viewer.userId,
      headers: { ce_tenant: "demo" },
      value: Buffer.from("late"),
    },
  ]);
  for (const [laterMs, places] of [
    [HOUR_MS, ["table analytics.erasures", "table qoe.forgotten"]],
    [DAY_MS, ["table analytics.erasures"]],
    [35 * DAY_MS, []],
  ] as const) {
    host.clock.offsetMs += laterMs;
    await nothingBut(places, gone);
  }
  const mine = cached.filter(({ key, value }) => gone.texts.some((text) => `${key} ${value}`.includes(text)));
  assert.ok(mine.length > 0);
  for (const { key, ttlMs } of mine) assert.ok(ttlMs <= DAY_MS, `the cache may know '${key}' for ${ttlMs} ms`);

  const left = await look(stays.texts);
  // Their sign-in, their sessions, their reminders and what was decided about ads have ended by themselves meanwhile: five weeks have passed.
  const passing = [
    "table auth.oidc",
    "table session.sessions",
    "table qoe.sessions",
    "table auth.resets",
    "table schedule.reminders",
    "table ads.decisions",
  ];
  assert.deepEqual(
    [...before.keys()].filter((place) => !left.has(place) && !passing.includes(place)),
    [],
  );
});

// Reminders from the guide to the bell, on real engines: what starts, moves, falls out and was slept through.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Epg } from "#contracts/epg";
import { Notification } from "#contracts/notification";
import { Profile } from "#contracts/profile";
import { Schedule } from "#contracts/schedule";
import { User } from "#contracts/user";
import type { Viewer } from "#kernel";
import epg from "../../services/content/epg/service.ts";
import notification from "../../services/engagement/notification/service.ts";
import profile from "../../services/identity/profile/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import schedule from "../../services/playback/schedule/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { until } from "../identity/setup.ts";
import { movableClock } from "./setup.ts";

const MINUTE_MS = 60_000;
const clock = movableClock({ sleepMsMax: 20 });
let host: TestHost;
let who: Viewer;
before(async () => {
  host = await startTestHost({ services: [tenant, user, profile, epg, schedule, notification], clock });
  const { user: made } = await host.client(User, "test").create({ email: "a@mail.example", name: "A" }, host.context());
  await host.settled();
  const userId = made?.id ?? "";
  const { profiles } = await host.client(Profile, "test").list({ userId }, host.context());
  who = { userId, profileId: profiles[0]?.id ?? "", tier: "basic", deviceId: "tv", entitlements: [] };
});
after(() => host?.stop());

const context = () => host.context({ viewer: who });
const call = () => host.client(Schedule, "test");
const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;

interface Show {
  readonly title: string;
  readonly startMs: number;
  readonly episode?: number;
}

/** Makes these the programmes of a channel, an hour each. */
async function show(shows: readonly Show[]): Promise<void> {
  const path = join(host.folder, "guide.xml");
  const programmes = shows.map(
    ({ title, startMs, episode = 1 }) =>
      `<programme start="${stamp(startMs)}" stop="${stamp(startMs + 60 * MINUTE_MS)}" channel="a"><title lang="en">${title}</title>
       <episode-num system="xmltv_ns">0.${episode}.</episode-num></programme>`,
  );
  await writeFile(path, `<tv><channel id="a"><display-name>A</display-name></channel>${programmes.join("")}</tv>`);
  const guide = host.client(Epg, "test");
  await guide.putSource({ name: "one", kind: "file", location: path, addsChannels: true }, host.context());
  const { importId } = await guide.import({ sourceName: "one" }, host.context());
  const state = await until(async () => {
    const { import: found } = await guide.getImport({ importId }, host.context());
    return found && ["completed", "failed"].includes(found.state) ? found : undefined;
  });
  assert.equal(state.state, "completed", state.failure);
  await host.settled();
}

async function programmeId(title: string): Promise<string> {
  const { programmes } = await host.client(Epg, "test").search({ query: title, limit: 5 }, host.context());
  return programmes.find((programme) => programme.title === title)?.id ?? "";
}

const remind = (id: string, leadS = 300) =>
  call().setReminder({ profileId: who.profileId, programmeId: id, leadS }, context());

/** What the bell says. */
async function told(): Promise<string[]> {
  await host.settled();
  const asked = { profileId: who.profileId, language: "en" };
  const { notifications } = await host.client(Notification, "test").list(asked, context());
  return notifications.map(({ title }) => title).toReversed();
}
const toldOf = async (title: string): Promise<number> => (await told()).filter((text) => text === title).length;

const at = (minutes: number): number => Math.ceil(clock.nowMs() / MINUTE_MS) * MINUTE_MS + minutes * MINUTE_MS;

test("a reminder is told once, when its time comes, and follows its programme until then", async () => {
  const [first, second, third] = [at(60), at(180), at(300)];
  // A document speaks for the time from its first programme to its last.
  const last = { title: "Closedown", startMs: at(400), episode: 99 };
  await show([
    { title: "Harbour", startMs: first },
    { title: "Lighthouse", startMs: second, episode: 2 },
    { title: "Shipwreck", startMs: third, episode: 3 },
    last,
  ]);
  const ids = [await programmeId("Harbour"), await programmeId("Lighthouse"), await programmeId("Shipwreck")] as const;
  for (const id of ids) await remind(id);
  await remind(ids[0]);
  const { reminders } = await call().listReminders({ profileId: who.profileId }, context());
  assert.deepEqual(
    reminders.map((one) => [one.programmeId, Number(one.startMs), one.titles["en"]]),
    [
      [ids[0], first, "Harbour"],
      [ids[1], second, "Lighthouse"],
      [ids[2], third, "Shipwreck"],
    ],
  );
  await assert.rejects(remind("prg_unknown"), { code: "not_found" });
  await assert.rejects(
    call().listReminders({ profileId: "prf_other" }, context()),
    { reason: "not_yours" },
    "nobody sees another profile's",
  );

  // The second moves by half an hour and the third is taken out.
  await show([
    { title: "Harbour", startMs: first },
    { title: "Lighthouse", startMs: second + 30 * MINUTE_MS, episode: 2 },
    last,
  ]);
  assert.deepEqual((await told()).toSorted(), ["Lighthouse was moved", "Shipwreck was taken out of the schedule"]);

  clock.offsetMs += 54 * MINUTE_MS;
  assert.equal(await toldOf("Harbour"), 0, "not before its time");
  clock.offsetMs += 2 * MINUTE_MS;
  await until(async () => (await toldOf("Harbour")) === 1);
  clock.offsetMs += 120 * MINUTE_MS;
  assert.equal(await toldOf("Lighthouse"), 0, "the old time is none any more");
  clock.offsetMs += 31 * MINUTE_MS;
  await until(async () => (await toldOf("Lighthouse")) === 1);
  assert.deepEqual([await toldOf("Harbour"), await toldOf("Lighthouse")], [1, 1]);
});

test("what was slept through a little is told, what began long ago is not, and a clock that was wrong loses nothing", async () => {
  const [soon, later, far] = [at(20), at(90), at(600)];
  await show([
    { title: "Ebb", startMs: soon, episode: 4 },
    { title: "Flood", startMs: later, episode: 5 },
    { title: "Storm", startMs: far, episode: 6 },
  ]);
  for (const title of ["Ebb", "Flood", "Storm"]) await remind(await programmeId(title), 60);
  // Ten minutes after the start is not too late; a day is, until the clock is put right.
  clock.offsetMs += 30 * MINUTE_MS;
  await until(async () => (await toldOf("Ebb")) === 1);
  clock.offsetMs += 24 * 60 * MINUTE_MS;
  await until(async () => (await host.metrics.text()).includes('marquee_reminders_total{reason="late"'));
  clock.offsetMs -= 24 * 60 * MINUTE_MS;
  assert.deepEqual([await toldOf("Flood"), await toldOf("Storm")], [0, 0]);
  clock.offsetMs += 60 * MINUTE_MS;
  await until(async () => (await toldOf("Flood")) === 1);
  assert.equal(await toldOf("Storm"), 0);
});

test("a reminder that is taken back is silent, and what is on already needs none", async () => {
  const [on, next] = [at(-10), at(60)];
  await show([
    { title: "Mole", startMs: on, episode: 7 },
    { title: "Pier", startMs: next, episode: 8 },
  ]);
  await assert.rejects(remind(await programmeId("Mole")), { reason: "already_on" });
  const id = await programmeId("Pier");
  await remind(id);
  await call().removeReminder({ profileId: who.profileId, programmeId: id }, context());
  clock.offsetMs += 61 * MINUTE_MS;
  await call().removeReminder({ profileId: who.profileId, programmeId: id }, context());
  assert.equal(await toldOf("Pier"), 0);
});

/**
 * kill -9 of everything while a channel is watched and recorded: the recording has one gap that is no longer than the product was away
 * and says so, who watches sees the channel go on, and a reminder that fell due in between is told once. Then the main process alone is
 * killed, and no encoder stays.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { Epg } from "#contracts/epg";
import { Live } from "#contracts/live";
import { Notification } from "#contracts/notification";
import { Recording } from "#contracts/recording";
import { Schedule } from "#contracts/schedule";
import { parseMediaPlaylist } from "#media/hls";
import { pictureOf } from "../e2e/browser.ts";
import { until } from "../e2e/until.ts";
import { type Account, accessToken, makeAccount } from "./accounts.ts";
import { type Cinema, openCinema } from "./cinema.ts";
import { remaining } from "./processes.ts";
import { killProduct, openStage, type Product, type Stage, TENANT } from "./product.ts";
import { decodeRecording } from "./recorded.ts";

const CHANNEL = "ch-clock";
/** One that no machine leaves out. */
const RUNG = "240p-h264-300k";
const FRAME_RATE = 24;
const SEGMENT_MS = 2_000;
/** What is recorded, with room for a slow start. */
const RECORDED_MS = 100_000;
/** Long enough to take a guide in. */
const REMIND_MS = 22_000;
/** How long before the newest segment something is certain to be kept: a segment becomes a row when it is whole, and that lies in memory for a moment. */
const KEPT_MS = 3 * SEGMENT_MS;
const DOWN_MS = 6_000;
const PLAYING_MS_MAX = 45_000;
const WATCHED_MS = 5_000;
const TITLE = "The interruption";
const VANISH_MS_MAX = 8_000;
const MARQUEE = path.resolve(import.meta.dirname, "../../apps/marquee.ts");

let stage: Stage;
before(async () => {
  stage = await openStage();
});
after(() => stage?.close());

const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;

/** A programme of a quarter of an hour, and somebody who wants to be told when it begins. */
async function remind({ profileId }: Account, startMs: number): Promise<void> {
  const location = path.join(stage.folder, "guide.xml");
  const times = `start="${stamp(startMs)}" stop="${stamp(startMs + 900_000)}"`;
  await writeFile(
    location,
    `<tv><channel id="clock"><display-name>Clock</display-name></channel>
       <programme ${times} channel="clock"><title lang="en">${TITLE}</title></programme></tv>`,
  );
  const guide = stage.admin.of(Epg);
  await guide.putSource({ name: "chaos", kind: "file", location, addsChannels: true });
  await guide.import({ sourceName: "chaos" });
  const programmeId = await until("the programme is in the guide", 20_000, async () => {
    const { programmes } = await guide.search({ query: TITLE, limit: 5 });
    return programmes[0]?.id ?? null;
  });
  await stage.admin.of(Schedule).setReminder({ profileId, programmeId, leadS: 0 });
}

interface Listed {
  readonly made: readonly number[];
  readonly missing: readonly number[];
}

/** The numbers that the picture's playlist lists, and which of them are said to be missing. */
async function listed(): Promise<Listed> {
  const answer = await fetch(`http://127.0.0.1:${stage.port + 3}/live/${CHANNEL}/${RUNG}/index.m3u8`, {
    signal: AbortSignal.timeout(15_000),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  const { segments } = parseMediaPlaylist(await answer.text());
  const numbers = (isGap: boolean): number[] =>
    segments.filter(({ gap }) => gap === isGap).map(({ uri }) => Number(/seg-(\d+)/.exec(uri)?.[1]));
  return { made: numbers(false), missing: numbers(true) };
}

/** Events of a type, as an operator's command prints them. */
async function heard(type: string): Promise<readonly { readonly data: Readonly<Record<string, unknown>> | null }[]> {
  const words = ["events", "tail", "--from", "beginning", "--type", type, "--json"];
  const env = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    MARQUEE_DATA: stage.folder,
    MARQUEE_TENANT: TENANT,
  };
  const { stdout } = await promisify(execFile)(process.execPath, [MARQUEE, ...words], { env, timeout: 30_000 });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { data: Record<string, unknown> | null });
}

/** A position may leap; what counts is that pictures come, as many as there are in so much time. */
const untilPlaying = ({ page, complaints }: Cinema): Promise<true> =>
  until("the player goes on", PLAYING_MS_MAX, async () => {
    const { decodedFrames: before } = await pictureOf(page);
    await pause(WATCHED_MS);
    const { decodedFrames: now } = await pictureOf(page);
    return now - before > (WATCHED_MS / 1_000) * FRAME_RATE * 0.8 ? true : null;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${complaints.slice(-10).join("\n")}`);
  });

const encodersOf = async (product: Product) =>
  (await product.processes()).filter(({ command }) => /(^|\/)ffmpeg /.test(command));

/** Numbers go on, what had been told is told again, and what is missing is said to be. */
function assertNumbers(before: Listed, back: Listed & { readonly first: number }): void {
  const newest = before.made.at(-1) ?? 0;
  const kept = before.made.filter((number) => (newest - number) * SEGMENT_MS >= KEPT_MS);
  assert.ok(kept.length >= 2 && kept.every((number) => back.made.includes(number)), JSON.stringify({ before, back }));
  const all = [...back.made, ...back.missing].toSorted((a, b) => a - b);
  assert.deepEqual(
    all,
    all.map((_, index) => (all[0] ?? 0) + index),
    "no number is left out and none stands twice",
  );
  assert.ok(back.missing.length > 0 && back.missing.every((number) => number > newest - 3 && number < back.first));
}

interface Recorded {
  readonly url: string;
  readonly account: Account;
  readonly id: string;
  readonly startMs: number;
}

/** All of it is there but for one gap, which is marked and no longer than the product was away; answers how long that is. */
async function assertRecording(
  of: Recorded,
  { killedMs, awayMs, newest }: { readonly killedMs: number; readonly awayMs: number; readonly newest: number },
): Promise<number> {
  const done = await until("the recording is done", RECORDED_MS + 60_000, async () => {
    const { recording } = await stage.admin.of(Recording).get({ profileId: of.account.profileId, id: of.id });
    assert.notEqual(recording?.state, "failed", recording?.failure);
    return recording?.state === "completed" ? recording : null;
  });
  const [gap, ...others] = done.gaps;
  assert.ok(gap && others.length === 0, JSON.stringify(done.gaps.map(({ durationMs }) => durationMs)));
  assert.ok(
    gap.durationMs <= awayMs + SEGMENT_MS,
    `${gap.durationMs} ms are missing, ${awayMs} ms the product was away`,
  );
  assert.ok(Number(gap.startMs) <= killedMs && Number(gap.startMs) >= (newest + 1) * SEGMENT_MS - KEPT_MS);
  const segments = (RECORDED_MS - gap.durationMs) / SEGMENT_MS;
  const token = await accessToken(stage.admin, of.account.email);
  const tracks = await decodeRecording({ url: of.url, token, contentId: done.contentId }, stage.folder);
  assert.deepEqual(
    tracks.map(({ kind }) => kind),
    ["video", "audio"],
  );
  const brokenAt = (Number(gap.startMs) - of.startMs) / SEGMENT_MS;
  for (const { kind, segments: own, frames, durationS } of tracks) {
    assert.equal(own.length, segments, kind);
    assert.deepEqual(
      own.flatMap(({ discontinuity }, at) => (discontinuity ? [at] : [])),
      [brokenAt],
      "the gap is marked",
    );
    if (kind === "video") assert.equal(frames, segments * 2 * FRAME_RATE);
    assert.ok(Math.abs(durationS - segments * 2) < 0.2, `${kind}: ${durationS} s`);
  }
  return gap.durationMs;
}

async function assertRemindedOnce(profileId: string): Promise<void> {
  const { notifications } = await stage.admin.of(Notification).list({ profileId, language: "en" });
  assert.deepEqual(
    notifications.filter(({ kind }) => kind === "reminder").map(({ title }) => title),
    [TITLE],
  );
  assert.equal((await heard("schedule.reminder.triggered")).length, 1);
  assert.equal((await heard("notification.sent")).filter(({ data }) => data?.["kind"] === "reminder").length, 1);
}

/** The main process alone is killed: nobody is there to end the encoders, and they end. */
async function assertNobodyStays(product: Product): Promise<void> {
  await stage.admin.of(Live).hold({ channelId: CHANNEL, holder: "chaos", untilMs: BigInt(Date.now() + 60_000) });
  await until("encoders are at work", 30_000, async () => ((await encodersOf(product)).length >= 2 ? true : null));
  const everybody = await product.processes();
  process.kill(product.pid, "SIGKILL");
  await product.exited;
  assert.deepEqual(await remaining(everybody, VANISH_MS_MAX), []);
  assert.deepEqual(await product.processes(), []);
}

test("killed while a channel is watched and recorded, the product comes back with one gap, and nothing else is lost", {
  timeout: 330_000,
}, async (t) => {
  let product = stage.start();
  const url = await product.ready();
  await stage.admin.of(Live).add({
    channel: { id: CHANNEL, name: "Clock", ladder: [RUNG], latency: "low" },
    inputs: [{ kind: "demo" }],
  });
  const account = await makeAccount(stage.admin, "viewer@chaos.test");
  const cinema = await openCinema({ url, token: await accessToken(stage.admin, account.email) });
  t.after(() => cinema.close());
  await cinema.tune(CHANNEL, "dash");
  const startMs = Math.ceil(Date.now() / SEGMENT_MS) * SEGMENT_MS + SEGMENT_MS;
  const stopMs = startMs + RECORDED_MS;
  const recordings = stage.admin.of(Recording);
  const { profileId } = account;
  const { recording: wished } = await recordings.recordTime({
    ...{ profileId, channelId: CHANNEL, title: TITLE, startMs: BigInt(startMs), stopMs: BigInt(stopMs) },
  });
  const id = wished?.id ?? "";
  await until("some of it is recorded", 60_000, async () => {
    const { recording } = await recordings.get({ profileId, id });
    return recording?.state === "recording" && recording.recordedS >= 6 ? true : null;
  });

  const dueMs = Math.ceil((Date.now() + REMIND_MS) / 1_000) * 1_000;
  await remind(account, dueMs);
  await pause(Math.max(0, dueMs - 2_000 - Date.now()));
  assert.ok(Date.now() < dueMs, "the reminder is not due yet");
  const before = await listed();
  const killedMs = Date.now();
  const killed = await killProduct(product);
  assert.ok(killed.filter(({ command }) => /(^|\/)ffmpeg /.test(command)).length >= 2, "encoders were at work");
  await pause(Math.max(DOWN_MS, dueMs + 1_000 - Date.now()));
  product = stage.start();
  await product.ready();
  const readyMs = Date.now();
  // Nobody lends a hand: the recording holds its channel, and the channel goes on.
  const back = await until(
    "the channel goes on",
    60_000,
    async () => {
      const now = await listed().catch(() => null);
      const first = now?.made.find((number) => number * SEGMENT_MS > killedMs);
      return now && first !== undefined ? { ...now, first } : null;
    },
    100,
  );
  const awayMs = Date.now() - killedMs;
  t.diagnostic(`ready ${readyMs - killedMs} ms after the kill, the channel goes on after ${awayMs} ms`);

  assertNumbers(before, back);
  await untilPlaying(cinema);
  t.diagnostic(`stalls ${JSON.stringify(await cinema.stalls())}`);

  const gap = await assertRecording(
    { url, account, id, startMs },
    { killedMs, awayMs, newest: before.made.at(-1) ?? 0 },
  );
  t.diagnostic(`the gap is ${gap} ms`);
  await assertRemindedOnce(profileId);
  await assertNobodyStays(product);
});

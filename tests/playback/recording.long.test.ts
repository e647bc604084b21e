// Recordings, from the guide to the picture: real segments under a channel's key of the day become packages under keys of their own.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Epg } from "#contracts/epg";
import { SharedRecordings } from "#contracts/flags";
import { Keys } from "#contracts/keys";
import { Profile } from "#contracts/profile";
import { Recording } from "#contracts/recording";
import { Session } from "#contracts/session";
import { User } from "#contracts/user";
import { toProblem, type Viewer } from "#kernel";
import { decryptSegment, readProtection } from "#media/cenc";
import { parseTrackInit } from "#media/isobmff";
import { packageFolder, type Presentation, segmentName } from "#media/presentation";
import catalog from "../../services/content/catalog/service.ts";
import epg from "../../services/content/epg/service.ts";
import ingest from "../../services/content/ingest/service.ts";
import keys from "../../services/content/keys/service.ts";
import license from "../../services/delivery/license/service.ts";
import origin from "../../services/delivery/origin/service.ts";
import routing from "../../services/delivery/routing/service.ts";
import token from "../../services/delivery/token/service.ts";
import entitlement from "../../services/identity/entitlement/service.ts";
import profile from "../../services/identity/profile/service.ts";
import subscription from "../../services/identity/subscription/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import bookmark from "../../services/playback/bookmark/service.ts";
import recording from "../../services/playback/recording/service.ts";
import session from "../../services/playback/session/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { until } from "../identity/setup.ts";
import { CHANNEL_ID, DAY_INDEX, FRAMES_PER_SEGMENT, openRing } from "./ring.ts";
import { movableClock, openEdge, openStudio } from "./setup.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const clock = movableClock({ sleepMsMax: 20 });
const ring = openRing(clock);
let host: TestHost;
let edges: readonly Awaited<ReturnType<typeof openEdge>>[] = [];
before(async () => {
  edges = await Promise.all(["a", "b"].map(openEdge));
  const identity = [tenant, user, profile, subscription, entitlement];
  const content = [catalog, ingest, openStudio().service, keys, epg];
  host = await startTestHost({
    services: [...identity, ...content, ring.service, origin, license, token, routing, session, bookmark, recording],
    addresses: { edges },
    clock,
  });
  await ring.prepare(host.context());
});
after(async () => {
  await host?.stop();
  for (const edge of edges) edge.close();
});

let people = 0;
async function newViewer(): Promise<Viewer> {
  people += 1;
  const email = `viewer-${people}@mail.example`;
  const { user: made } = await host.client(User, "test").create({ email, name: "A" }, host.context());
  await host.settled();
  const userId = made?.id ?? "";
  const { profiles } = await host.client(Profile, "test").list({ userId }, host.context());
  return { userId, profileId: profiles[0]?.id ?? "", tier: "basic", deviceId: `tv-${people}`, entitlements: [] };
}

const call = () => host.client(Recording, "test");
const of = (viewer: Viewer) => host.context({ viewer });
const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;

interface Show {
  readonly title: string;
  readonly startMs: number;
  readonly stopMs: number;
  /** Of a series of the title. */
  readonly episode?: number;
}

/** Makes these the programmes of the channel. */
async function show(shows: readonly Show[]): Promise<void> {
  const location = join(host.folder, "guide.xml");
  const programmes = shows.map(
    ({ title, startMs, stopMs, episode }) =>
      `<programme start="${stamp(startMs)}" stop="${stamp(stopMs)}" channel="a"><title lang="en">${title}</title>
       ${episode === undefined ? "" : `<episode-num system="xmltv_ns">0.${episode}.</episode-num>`}</programme>`,
  );
  await writeFile(location, `<tv><channel id="a"><display-name>A</display-name></channel>${programmes.join("")}</tv>`);
  const guide = host.client(Epg, "test");
  await guide.putSource({ name: "one", kind: "file", location, addsChannels: true }, host.context());
  const { importId } = await guide.import({ sourceName: "one" }, host.context());
  await until(async () => {
    const { import: state } = await guide.getImport({ importId }, host.context());
    return state?.state === "completed";
  });
  await host.settled();
}

async function programmeOf(title: string) {
  const { programmes } = await host.client(Epg, "test").search({ query: title, limit: 20 }, host.context());
  return programmes.filter((programme) => programme.title === title);
}
const idOf = async (title: string): Promise<string> => (await programmeOf(title))[0]?.id ?? "";

const padding = { beforeS: 4, afterS: 6 };
/** Of programmes that are recorded: with their padding they are half a minute. */
const LENGTH_MS = 20 * SECOND_MS;
const record = async (viewer: Viewer, programmeId: string) =>
  (await call().record({ profileId: viewer.profileId, programmeId, padding }, of(viewer))).recording;

async function recorded(viewer: Viewer, id: string, state = "completed") {
  return until(async () => {
    const { recording: found } = await call().get({ profileId: viewer.profileId, id }, of(viewer));
    return found?.state === state ? found : undefined;
  });
}
const listed = async (viewer: Viewer) => (await call().list({ profileId: viewer.profileId }, of(viewer))).recordings;

/** A round time that is soon, on a segment's border. */
const soon = (minutes: number): number => Math.ceil(clock.nowMs() / MINUTE_MS) * MINUTE_MS + minutes * MINUTE_MS;
const goTo = (ms: number): void => {
  clock.offsetMs += ms - clock.nowMs();
};

/** The clear frames of a recording's picture, segment by segment, as its own licence opens them. */
async function framesOf(contentId: string, indexVersion: number): Promise<Buffer[][]> {
  const folder = packageFolder(contentId, 1);
  const { objects } = host.adapters;
  const index = JSON.parse(
    Buffer.from(await objects.get(`${folder}/index-${indexVersion}.json`)).toString(),
  ) as Presentation;
  const [track] = index.video;
  assert.ok(track && index.audio.length === 1);
  const set = { contentId, packageRevision: 1 };
  const { keys: own } = await host.client(Keys, "license").getSet(set, host.context());
  const init = await objects.get(`${folder}/${track.profile}/init.mp4`);
  const kid = readProtection(parseTrackInit(init))?.kid;
  const key = own.find((each) => each.kid === kid);
  assert.ok(key, "a recording is under a key of its own");
  const segments: Buffer[][] = [];
  for (const [at] of track.segments.entries()) {
    const bytes = await objects.get(`${folder}/${track.profile}/${segmentName(at + 1)}`);
    const fragments = decryptSegment(init, bytes, key.key);
    segments.push(
      fragments.flatMap(({ bytes: clear, samples }) =>
        samples.map(({ offsetBytes, sizeBytes }) => Buffer.from(clear.subarray(offsetBytes, offsetBytes + sizeBytes))),
      ),
    );
  }
  return segments;
}

const locate = (viewer: Viewer, contentId: string) =>
  call().locate({ profileId: viewer.profileId, contentId }, of(viewer));

test("two recordings back to back both have their padding, frame by frame, under keys that open nothing else", async () => {
  const viewer = await newViewer();
  const startMs = soon(5);
  const [middleMs, stopMs] = [startMs + LENGTH_MS, startMs + 2 * LENGTH_MS];
  await show([
    { title: "Anchor", startMs, stopMs: middleMs },
    { title: "Buoy", startMs: middleMs, stopMs },
  ]);
  const first = await record(viewer, await idOf("Anchor"));
  const second = await record(viewer, await idOf("Buoy"));
  assert.ok(first && second);
  await assert.rejects(record(viewer, first.programmeId), { reason: "recorded" });
  await assert.rejects(locate(viewer, first.contentId), { reason: "processing" });

  // In the middle of the first one it can be watched as far as it is there.
  goTo(startMs + 16 * SECOND_MS);
  await recorded(viewer, first.id, "recording");
  await until(async () => {
    const found = await locate(viewer, first.contentId).catch(() => undefined);
    return found && found.durationS >= 8;
  });
  assert.ok((ring.holds.get(first.contentId) ?? 0) > middleMs && ring.pins.has(first.contentId));
  const device = { id: viewer.deviceId, type: "web", name: "TV" };
  const sessions = host.client(Session, "test");
  const started = await sessions.start({ contentId: first.contentId, device }, of(viewer));
  assert.match(started.hlsUrl, new RegExp(`/vod/${first.contentId}/r1/main-\\d+\\.m3u8`));
  const other = await newViewer();
  await assert.rejects(
    sessions.start({ contentId: first.contentId, device: { ...device, id: other.deviceId } }, of(other)),
    { reason: "recording_unknown" },
    "a recording is its owner's",
  );

  goTo(stopMs + 40 * SECOND_MS);
  const [a, b] = [await recorded(viewer, first.id), await recorded(viewer, second.id)];
  assert.deepEqual([a.gaps, b.gaps, a.recordedS, b.recordedS], [[], [], 30, 30]);
  const frames = await Promise.all(
    [a, b].map(async ({ contentId }) => framesOf(contentId, (await locate(viewer, contentId)).indexVersion)),
  );
  for (const one of frames) {
    assert.equal(one.length, 15, "4 s, 20 s and 6 s in segments of two seconds");
    assert.equal(one.flat().length, 15 * FRAMES_PER_SEGMENT);
  }
  // The end of the first one and the beginning of the second are the same ten seconds of the channel.
  assert.deepEqual(frames[0]?.slice(-5), frames[1]?.slice(0, 5));
  assert.ok(!ring.pins.has(a.contentId), "the channel is let go");
  // The day of the channel has other keys.
  const kidsOf = async (contentId: string, packageRevision: number): Promise<string[]> => {
    const { keys: set } = await host.client(Keys, "license").getSet({ contentId, packageRevision }, host.context());
    return set.map(({ kid }) => kid);
  };
  const channel = await kidsOf(CHANNEL_ID, DAY_INDEX);
  assert.ok((await kidsOf(a.contentId, 1)).every((kid) => !channel.includes(kid)));

  await call().remove({ profileId: viewer.profileId, id: a.id }, of(viewer));
  await until(async () => (await host.adapters.objects.list(`vod/${a.contentId}/`, { keysMax: 1 })).length === 0);
  await until(async () =>
    kidsOf(a.contentId, 1).then(
      () => false,
      (error: unknown) => toProblem(error).code === "not_found",
    ),
  );
  assert.deepEqual(
    (await listed(viewer)).map(({ id }) => id),
    [b.id],
  );
});

test("what the channel did not make is a gap that is said, and what it never made at all fails", async () => {
  const viewer = await newViewer();
  const [startMs, endMs] = [soon(3), soon(35)];
  const stopMs = startMs + LENGTH_MS;
  await show([
    { title: "Current", startMs, stopMs },
    { title: "Doldrums", startMs: endMs - LENGTH_MS, stopMs: endMs },
  ]);
  const one = await record(viewer, await idOf("Current"));
  const two = await record(viewer, await idOf("Doldrums"));
  const number = startMs / 2_000;
  for (let at = number + 2; at < number + 4; at += 1) ring.missing.add(at);
  for (let at = stopMs / 2_000 + 60; at < endMs / 2_000 + 20; at += 1) ring.missing.add(at);
  goTo(endMs + 2 * MINUTE_MS);
  const done = await recorded(viewer, one?.id ?? "");
  assert.deepEqual(
    done.gaps.map((gap) => [Number(gap.startMs), gap.durationMs]),
    [[(number + 2) * 2_000, 4_000]],
  );
  assert.equal(done.recordedS, 26);
  assert.equal((await recorded(viewer, two?.id ?? "", "failed")).failure, "no_signal");
});

test("a recording follows its programme, and one that is taken out of the guide fails", async () => {
  const viewer = await newViewer();
  const [startMs, stopMs] = [soon(30), soon(31)];
  const last = { title: "Horizon", startMs: soon(300), stopMs: soon(301), episode: 9 };
  // A document speaks for the time from its first programme to its last.
  const dawn = { title: "Dawn", startMs: soon(10), stopMs: soon(11), episode: 8 };
  await show([
    dawn,
    { title: "Ebb", startMs, stopMs, episode: 1 },
    { title: "Fathom", startMs: soon(40), stopMs: soon(41), episode: 2 },
    last,
  ]);
  const moved = await record(viewer, await idOf("Ebb"));
  const removed = await record(viewer, await idOf("Fathom"));
  await show([
    dawn,
    { title: "Ebb", startMs: startMs + 5 * MINUTE_MS, stopMs: stopMs + 7 * MINUTE_MS, episode: 1 },
    last,
  ]);
  await until(async () => {
    const state = await recorded(viewer, moved?.id ?? "", "scheduled");
    return Number(state.startMs) === startMs + 5 * MINUTE_MS && Number(state.stopMs) === stopMs + 7 * MINUTE_MS;
  });
  assert.equal((await recorded(viewer, removed?.id ?? "", "failed")).failure, "cancelled");
});

test("a series is recorded once an episode though it is aired twice, and the oldest beyond what is kept go", async () => {
  const viewer = await newViewer();
  const at = (minute: number) => ({ startMs: soon(minute), stopMs: soon(minute) + LENGTH_MS });
  await show([
    { title: "Galley", ...at(5), episode: 1 },
    { title: "Galley", ...at(7), episode: 1 },
    { title: "Galley", ...at(9), episode: 2 },
    { title: "Galley", ...at(11), episode: 3 },
  ]);
  const [programme] = await programmeOf("Galley");
  const seriesId = programme?.seriesId ?? "";
  assert.notEqual(seriesId, "");
  const asked = { profileId: viewer.profileId, seriesId, channelId: CHANNEL_ID, newOnly: true, keep: 2, padding };
  const { rule } = await call().recordSeries(asked, of(viewer));
  await assert.rejects(call().recordSeries(asked, of(viewer)), { reason: "series_recorded" });
  await until(async () => (await listed(viewer)).length === 3);
  const keysOf = async () => (await listed(viewer)).map(({ episodeKey }) => episodeKey);
  assert.equal(new Set(await keysOf()).size, 3);
  goTo(soon(14));
  await until(async () => (await listed(viewer)).every(({ state }) => state === "completed"));
  const starts = (await listed(viewer)).map(({ startMs }) => Number(startMs));
  assert.equal(starts.length, 2, "two are kept");
  await call().removeSeries({ profileId: viewer.profileId, id: rule?.id ?? "" }, of(viewer));
  assert.equal((await listed(viewer)).length, 2, "what was recorded stays");
});

test("accounts share one copy where the law lets them, with the padding of all", async () => {
  const rule = { name: SharedRecordings.name, isEnabled: true };
  await host.adapters.flags.put({
    ...rule,
    audiences: [{ conditions: [], percent: 100, stickiness: "default", variants: [] }],
  });
  const [one, two] = [await newViewer(), await newViewer()];
  const startMs = soon(5);
  const stopMs = startMs + LENGTH_MS;
  await show([{ title: "Island", startMs, stopMs }]);
  const programmeId = await idOf("Island");
  const first = await record(one, programmeId);
  const wide = { beforeS: 10, afterS: 2 };
  const asked = { profileId: two.profileId, programmeId, padding: wide };
  const second = (await call().record(asked, of(two))).recording;
  assert.equal(first?.contentId, second?.contentId);
  goTo(stopMs + MINUTE_MS);
  assert.equal((await recorded(one, first?.id ?? "")).recordedS, 36, "10 s, 20 s and 6 s");
  await call().remove({ profileId: one.profileId, id: first?.id ?? "" }, of(one));
  await assert.rejects(locate(one, first?.contentId ?? ""), { code: "not_found" });
  assert.ok((await locate(two, second?.contentId ?? "")).durationS > 35, "the other one still has it");
  await host.adapters.flags.remove(rule.name);
});

test("no more is recorded than the plan keeps, and nothing that is over", async () => {
  const viewer = await newViewer();
  const time = (startMs: number, stopMs: number) => ({
    ...{ profileId: viewer.profileId, channelId: CHANNEL_ID, title: "By hand" },
    ...{ startMs: BigInt(startMs), stopMs: BigInt(stopMs) },
  });
  const hours = (n: number): number => n * 60;
  await call().recordTime(time(soon(5), soon(5 + hours(12))), of(viewer));
  await assert.rejects(call().recordTime(time(soon(5), soon(5 + hours(9))), of(viewer)), { reason: "quota" });
  await call().recordTime(time(soon(5), soon(5 + hours(7))), of(viewer));
  const { quota } = await call().list({ profileId: viewer.profileId }, of(viewer));
  assert.deepEqual([quota?.usedS, quota?.maxS], [19 * 3_600, 20 * 3_600]);
  await assert.rejects(call().recordTime(time(soon(-10), soon(-5)), of(viewer)), { reason: "over" });
  await assert.rejects(call().recordTime(time(soon(5), soon(5 + hours(13))), of(viewer)), { code: "invalid_argument" });
});

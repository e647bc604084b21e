// Quality of experience on real engines: beats come from a log, rows go to ClickHouse; only the player is made up.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Qoe, type QoeAlertTriggered, type QoeMetric, type QoeScoreCalculated } from "#contracts/qoe";
import { Routing } from "#contracts/routing";
import { type PlaybackHeartbeat, Session } from "#contracts/session";
import { topics } from "#contracts/topics";
import { User } from "#contracts/user";
import { defineService, type Platform, Problem, problem } from "#kernel";
import { openEvents, type Received } from "#kernel/events";
import routing from "../../services/delivery/routing/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import qoe from "../../services/insight/qoe/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { movableClock, openServer } from "../playback/setup.ts";

const never = async (): Promise<never> => {
  throw problem.unavailable("nobody plays in this test");
};
const clock = movableClock({ sleepMsMax: 100 });
let host: TestHost;
let players: Platform<typeof Session>;
let edges: { readonly close: () => void }[];
let call: { readonly qoe: ReturnType<typeof client>; readonly routing: ReturnType<typeof clientOfRouting> };
const client = () => host.client(Qoe, "test");
const clientOfRouting = () => host.client(Routing, "test");

before(async () => {
  const opened = await Promise.all(
    ["a", "b"].map(async (id) => ({ id, ...(await openServer((_, response) => response.end("ok"))) })),
  );
  edges = opened;
  const player = defineService({
    contract: Session,
    uses: {},
    slo: { p99Ms: 1, availability: 0.999 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: (platform: Platform<typeof Session>) => (players = platform),
    rpc: () => ({ start: never, beat: never, stop: never, refreshToken: never, get: never, listActive: never }),
    ready: async () => {},
  });
  host = await startTestHost({ services: [tenant, user, player, routing, qoe], addresses: { edges: opened }, clock });
  // Every turn of the watch is ours: the lock that shares it among processes lasts longer than this test.
  Object.assign(host.adapters.cache, { lock: async () => ({ fence: 1, release: async () => {} }) });
  call = { qoe: client(), routing: clientOfRouting() };
});
after(async () => {
  await host?.stop();
  for (const edge of edges ?? []) edge.close();
});

type Beat = Partial<PlaybackHeartbeat> & { readonly sessionId: string; readonly sequence: number };
const startedAtMs = Date.now() - 120_000;
const beatOf = (more: Beat): PlaybackHeartbeat => ({
  ...{ userId: `user-of-${more.sessionId}`, profileId: "p", contentId: "film", deviceId: "d", deviceType: "tv" },
  ...{ startedAtMs, timeMs: startedAtMs + more.sequence * 10_000, positionS: 10 * more.sequence, durationS: 600 },
  ...{ state: "playing", networkId: "a", videoStartTimeMs: 800, rebufferCount: 0, rebufferDurationMs: 0 },
  ...{ bitrateKbps: 8_000, averageBitrateKbps: 8_000, bitrateMaxKbps: 8_000, bitrateSwitches: 0, width: 1920 },
  ...{ height: 1080, resolutionDrops: 0, droppedFrames: 0, decodedFrames: 240, throughputKbps: 20_000, bufferS: 20 },
  ...{ errorCount: 0, market: "DE", contentType: "vod", liveLatencyMs: -1, presentedS: -1 },
  ...more,
});
const play = (beats: readonly Beat[], of = "demo") => players.facts("heartbeat", beats.map(beatOf), { tenant: of });
const stop = (sessionId: string) =>
  players.db.tx({ tenant: "demo" }, async (tx) =>
    tx.emit("stopped", {
      ...{
        userId: `user-of-${sessionId}`,
        profileId: "p",
        sessionId,
        contentId: "film",
        deviceId: "d",
        deviceType: "tv",
      },
      ...{
        startedAtMs,
        endedAtMs: startedAtMs + 60_000,
        sequence: 9,
        positionS: 60,
        presentedS: -1,
        durationS: 600,
        reason: "asked",
      },
    }),
  );

/** Every event of a name in the topic of QoE. */
async function heard<T>(name: string): Promise<readonly T[]> {
  const reader = await openEvents([Qoe], topics, host.adapters.registry, clock);
  const ends = await host.adapters.log.offsets("qoe.metrics");
  const starts = new Map([...ends.keys()].map((partition) => [partition, 0]));
  const records = (await host.adapters.log.read("qoe.metrics", starts, 10_000)).filter(
    (record) => reader.nameOf(record) === name,
  );
  return ((await Promise.all(records.map((record) => reader.decode(record)))) as Received<T>[]).map(({ data }) => data);
}
async function rows(table: string, sessionPrefix: string, of = "demo"): Promise<number> {
  const [row] = await host.adapters.analytics.query({
    tenant: of,
    text: `SELECT count() AS n FROM ${table} WHERE startsWith(session_id, {prefix:String})`,
    params: { prefix: sessionPrefix },
    rowsMax: 1,
  });
  return Number(row?.["n"]);
}
/** Asks until the answer is the expected one; what is sent every second needs a moment. */
async function until<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const answer = await ask();
    if (isSo(answer) || tries >= 300) return answer;
    await pause(100);
  }
}

describe("a session", () => {
  test("has a score by its beats, told now and then and at its end", async () => {
    await play([1, 2, 3, 4, 5].map((sequence) => ({ sessionId: "fine", sequence })));
    await host.settled();
    const { score } = await call.qoe.getSessionScore({ sessionId: "fine" }, host.context());
    assert.deepEqual([score?.score, score?.final, score?.region, score?.platform], [100, false, "DE", "tv"]);
    const half = { averageBitrateKbps: 4_000, resolutionDrops: 2, errorCount: 1, videoStartTimeMs: 3_500 };
    await play([{ sessionId: "fine", sequence: 6, ...half }]);
    await stop("fine");
    await host.settled();
    const worse = await call.qoe.getSessionScore({ sessionId: "fine" }, host.context());
    assert.deepEqual(
      { ...worse.score?.factors, $typeName: "" },
      { start: 50, rebuffer: 100, bitrate: 50, stability: 80, errorFree: 0, $typeName: "" },
    );
    assert.ok(Math.abs((worse.score?.score ?? 0) - 64.5) < 1e-9);
    const told = (await heard<QoeScoreCalculated>("qoe.score.calculated")).filter((each) => each.sessionId === "fine");
    assert.deepEqual(
      told.filter(({ final }) => !final).map(({ timeMs }) => (timeMs - startedAtMs) / 10_000),
      [1, 4],
      "with the first beat and half a minute later",
    );
    const last = told.at(-1);
    assert.ok(last?.final && Math.abs(last.score - 64.5) < 1e-9);
    assert.equal(
      await until(
        () => rows("qoe_beats", "fine"),
        (n) => n === 6,
      ),
      6,
    );
  });

  test("is known by its last score when it is long over", async () => {
    await until(
      () => rows("qoe_scores", "fine"),
      (n) => n >= 3,
    );
    clock.offsetMs += 11 * 60_000;
    // Only sessions that still beat are kept beside the store.
    const gone = await until(
      () => call.qoe.getSessionScore({ sessionId: "fine" }, host.context()),
      ({ score }) => score?.final === true,
    );
    clock.offsetMs -= 11 * 60_000;
    assert.ok(Math.abs((gone.score?.score ?? 0) - 64.5) < 1e-9);
    for (const context of [host.context({ viewer: { userId: "another" } }), host.context({ tenant: "other" })])
      await assert.rejects(
        call.qoe.getSessionScore({ sessionId: "fine" }, context),
        (error) => error instanceof Problem && error.code === "not_found",
      );
  });
});

describe("rows are there once", () => {
  test("though their events are delivered again after a failure, in other batches", async () => {
    const { append } = host.adapters.log;
    let failures = 3;
    Object.assign(host.adapters.log, {
      append: async (records: Parameters<typeof append>[0]) => {
        if (records[0]?.topic === "qoe.metrics" && failures > 0) {
          failures -= 1;
          throw problem.unavailable("the log is away for a moment");
        }
        return append(records);
      },
    });
    const beats = Array.from({ length: 60 }, (_, i) => ({
      sessionId: `again-${i % 6}`,
      sequence: 1 + Math.floor(i / 6),
    }));
    await play(beats);
    await host.settled();
    Object.assign(host.adapters.log, { append });
    assert.equal(failures, 0);
    assert.equal(
      await until(
        () => rows("qoe_beats", "again-"),
        (n) => n >= 60,
      ),
      60,
    );
    assert.equal(
      await until(
        () => rows("qoe_scores", "again-"),
        (n) => n >= 24,
      ),
      24,
    );
  });

  test("though the store's acknowledgement got lost", async () => {
    const { insert } = host.adapters.analytics;
    let lost = 2;
    Object.assign(host.adapters.analytics, {
      insert: async (batch: Parameters<typeof insert>[0]) => {
        await insert(batch);
        if (lost-- > 0) throw problem.deadline("no answer in time");
      },
    });
    await play(Array.from({ length: 20 }, (_, i) => ({ sessionId: "lost", sequence: i + 1 })));
    await until(
      async () => lost,
      (left) => left < -1,
    );
    Object.assign(host.adapters.analytics, { insert });
    assert.ok(lost < -1, "it was sent again");
    assert.equal(
      await until(
        () => rows("qoe_beats", "lost"),
        (n) => n >= 20,
      ),
      20,
    );
  });
});

test("a person who is deleted leaves nothing behind, and beats that come late bring nothing back", async () => {
  const users = host.client(User, "test");
  const { user: gone } = await users.create({ email: "gone@mail.example", name: "Gone" }, host.context());
  const { user: stays } = await users.create({ email: "stays@mail.example", name: "Stays" }, host.context());
  assert.ok(gone && stays);
  for (const sequence of [1, 2, 3, 4, 5])
    await play([
      { sessionId: "erase-gone", sequence, userId: gone.id },
      { sessionId: "erase-stays", sequence, userId: stays.id },
    ]);
  assert.equal(
    await until(
      () => rows("qoe_beats", "erase-"),
      (n) => n === 10,
    ),
    10,
  );
  // These are still on their way when the account goes.
  await play([{ sessionId: "erase-gone", sequence: 6, userId: gone.id }]);
  await users.delete({ userId: gone.id }, host.context());
  await host.settled();
  await play([{ sessionId: "erase-gone", sequence: 7, userId: gone.id }]);
  await host.settled();
  assert.equal(
    await until(
      () => rows("qoe_beats", "erase-gone"),
      (n) => n === 0,
    ),
    0,
  );
  assert.equal(
    await until(
      () => rows("qoe_scores", "erase-gone"),
      (n) => n === 0,
    ),
    0,
  );
  await pause(1_500);
  assert.deepEqual([await rows("qoe_beats", "erase-gone"), await rows("qoe_beats", "erase-stays")], [0, 5]);
  // What was on its way when the account went is erased after it has arrived.
  const verdict = await until(
    () =>
      call.qoe.getSessionScore({ sessionId: "erase-gone" }, host.context()).then(
        () => "there",
        (error: unknown) => (error instanceof Problem ? error.code : "unknown"),
      ),
    (code) => code === "not_found",
  );
  assert.equal(verdict, "not_found");
});

test("a network that many suffer from is told, alarmed once, and left by routing", async () => {
  const at = (networkId: string, sequence: number, more: object) =>
    Array.from(
      { length: 12 },
      (_, i): Beat => ({
        ...{ sessionId: `many-${networkId}-${i}`, sequence, networkId, market: "AT", deviceType: `on-${networkId}` },
        ...{ startedAtMs: clock.nowMs() - 20_000, timeMs: clock.nowMs(), ...more },
      }),
    );
  const bad = { rebufferDurationMs: 9_000, rebufferCount: 3, videoStartTimeMs: 6_000, throughputKbps: 900 };
  await play([...at("a", 1, bad), ...at("b", 1, {})]);
  const alarms = async () => (await heard<QoeAlertTriggered>("qoe.alert.triggered")).map(({ segment }) => segment);
  assert.deepEqual((await until(alarms, (all) => all.includes("platform:on-a"))).includes("platform:on-a"), true);
  const metric = await until(
    () => heard<QoeMetric>("qoe.metric"),
    (all) => all.some(({ region }) => region === "AT"),
  );
  const ofA = metric.findLast(({ networkId, region }) => networkId === "a" && region === "AT");
  assert.deepEqual([ofA?.sessions, ofA?.beats, ofA?.throughputKbps, ofA?.troubleRatio], [12, 12, 900, 1]);
  assert.ok(ofA && ofA.scoreP25 < 50);

  await host.settled();
  await at("a", 1, {}).reduce(async (before, { sessionId }) => {
    await before;
    const { networks } = await call.routing.select(
      { sessionId: `next-${sessionId}`, userId: "u", contentId: "film", region: "AT" },
      host.context(),
    );
    assert.equal(networks[0]?.id, "b");
  }, Promise.resolve());

  const { segments } = await call.qoe.summary({ dimension: "platform", limit: 50 }, host.context());
  const seen = Object.fromEntries(segments.map(({ value, sessions, p25 }) => [value, [sessions, p25 < 70]]));
  assert.deepEqual(
    [seen["on-a"], seen["on-b"]],
    [
      [12, true],
      [12, false],
    ],
  );
  const { segments: others } = await call.qoe.summary({ dimension: "platform" }, host.context({ tenant: "other" }));
  assert.deepEqual(others, []);
  await assert.rejects(call.qoe.summary({ dimension: "isp" }, host.context()), /network, region/);

  const open = async () => (await call.qoe.listAlerts({}, host.context())).alerts.map(({ value }) => value);
  assert.ok((await open()).includes("on-a"));
  // Half a minute later all of them are well again.
  clock.offsetMs += 31_000;
  for (const sequence of [2, 3]) await play(at("a", sequence, { startedAtMs: clock.nowMs() - 20_000 }));
  assert.ok(!(await until(open, (values) => !values.includes("on-a"))).includes("on-a"));
  assert.equal((await alarms()).filter((segment) => segment === "platform:on-a").length, 1);
});

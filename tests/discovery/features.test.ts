// Features on real engines: what people watch becomes what is known of them, served now, found again as it was known then, and gone with them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Catalog } from "#contracts/catalog";
import { Features, type GetHistoricalFeaturesResponse, type GetOnlineFeaturesResponse } from "#contracts/features";
import { Live } from "#contracts/live";
import { Qoe } from "#contracts/qoe";
import { Recommendation } from "#contracts/recommendation";
import { type PlaybackHeartbeat, Session } from "#contracts/session";
import { User } from "#contracts/user";
import { type Contract, defineService, type Platform, problem } from "#kernel";
import { testClock } from "#kernel/clock";
import catalog from "../../services/content/catalog/service.ts";
import features from "../../services/discovery/features/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import user from "../../services/identity/user/service.ts";
import analytics from "../../services/insight/analytics/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { sqlAsOwner } from "./viewers.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 4, 20, 12);
const clock = testClock(NOON);
let host: TestHost;
const said = new Map<string, Platform["facts"]>();

/** Says what a service would that is not part of the test. */
const stage = (contract: Contract) =>
  defineService({
    ...{ contract, uses: {}, slo: { p99Ms: 10, availability: 0.999 } },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: ({ facts }: Platform) => void said.set(contract.name, facts),
    rpc: () =>
      new Proxy({}, { get: () => async () => Promise.reject(problem.internal("not part of the test")) }) as never,
    ready: async () => {},
  });

before(async () => {
  const stages = [Session, Qoe, Recommendation, Live].map(stage);
  host = await startTestHost({ services: [tenant, user, catalog, analytics, features, ...stages], clock });
  for (const [id, genres] of [
    ["vod_space", ["Science Fiction", "Drama"]],
    ["vod_love", ["Romance"]],
  ] as const)
    await host
      .client(Catalog, "test")
      .add(
        { title: { id, kind: "film", title: `About ${id}`, genres: [...genres], year: 2020, tierMin: "basic" } },
        host.context(),
      );
  await host.settled();
});
after(() => host?.stop());

const client = () => host.client(Features, "test");
async function say(contract: Contract, event: string, payloads: readonly object[], tenantId = "demo"): Promise<void> {
  await said.get(contract.name)?.(event as never, payloads, { tenant: tenantId });
}

type Flat = GetOnlineFeaturesResponse | GetHistoricalFeaturesResponse;
/** One row of an answer by name, without the groups' names. */
function rowOf(flat: Flat, row = 0): Record<string, number | string> {
  const plain = (name: string): string => name.slice(name.indexOf(":") + 1);
  const { numberFeatures, wordFeatures, numbers, words } = flat;
  return Object.fromEntries([
    ...numberFeatures.map((name, index) => [plain(name), numbers[row * numberFeatures.length + index] ?? -1] as const),
    ...wordFeatures.map((name, index) => [plain(name), words[row * wordFeatures.length + index] ?? "-"] as const),
  ]);
}
const online = (names: readonly string[], keys: readonly string[], tenantId = "demo") =>
  client().getOnlineFeatures({ features: [...names], keys: [...keys] }, host.context({ tenant: tenantId }));

const ids = (userId: string, contentId: string) => ({
  ...{ userId, profileId: `prf_${userId}`, sessionId: `ses_${userId}_${clock.nowMs()}`, contentId },
  ...{ deviceId: "dev-1", deviceType: "tizen", startedAtMs: clock.nowMs() },
});
/** Somebody watches for so long, while the clock goes on, and stops where they were. */
async function watch(userId: string, contentId: string, minutes: number, positionS: number): Promise<void> {
  const session = ids(userId, contentId);
  await say(Session, "started", [{ ...session, networkId: "edge-a" }]);
  await host.settled();
  await clock.advance(minutes * MINUTE_MS);
  const end = { endedAtMs: clock.nowMs(), sequence: 9, positionS, durationS: 3_600, presentedS: positionS };
  await say(Session, "stopped", [{ ...session, ...end, reason: "asked" }]);
  await host.settled();
}
const beat = (session: object, sequence: number, changes: Partial<PlaybackHeartbeat> = {}) => ({
  ...{ ...session, sequence, timeMs: clock.nowMs(), positionS: 90, durationS: 900, presentedS: 90, state: "playing" },
  ...{ networkId: "edge-a", videoStartTimeMs: 200, rebufferCount: 0, rebufferDurationMs: 0, bitrateKbps: 3_000 },
  ...{ averageBitrateKbps: 3_000, bitrateMaxKbps: 6_000, bitrateSwitches: 0, width: 1_920, height: 1_080 },
  ...{ resolutionDrops: 0, droppedFrames: 0, decodedFrames: 1, throughputKbps: 12_000, bufferS: 20, errorCount: 0 },
  ...{ market: "DE", contentType: "vod", liveLatencyMs: -1, ...changes },
});

test("what a profile watches is known of it at once, and of what it watched", async () => {
  await watch("usr_anna_1", "vod_space", 60, 3_500);
  await watch("usr_anna_1", "vod_love", 2, 100);
  const known = rowOf(await online(["user_viewing_history", "user_device_context"], ["prf_usr_anna_1"]));
  assert.equal(known["sessions_7d"], 2);
  assert.ok(Math.abs(Number(known["watched_7d"]) - 62 / 60) < 1e-9, String(known["watched_7d"]));
  assert.deepEqual([known["completions_28d"], known["abandoned_28d"], known["titles_28d"]], [1, 1, 2]);
  assert.deepEqual([known["last_content_id"], known["last_device_type"]], ["vod_love", "tizen"]);
  assert.deepEqual([known["large_screen_share_28d"], known["usual_hour"]], [1, 12]);
  const tastes = rowOf(await online(["user_genre_preferences"], ["prf_usr_anna_1"]));
  assert.deepEqual([tastes["share_science_fiction"], tastes["share_drama"]], [0.5, 0.5]);
  const titles = await online(
    ["content_metadata", "content_popularity", "content_embeddings"],
    ["vod_space", "vod_love"],
  );
  assert.deepEqual([rowOf(titles)["primary_genre"], rowOf(titles, 1)["primary_genre"]], ["Science Fiction", "Romance"]);
  assert.equal(rowOf(titles)["starts_24h"], 1);
  const [space, love] = [titles.vectors.slice(0, 64), titles.vectors.slice(64)];
  assert.ok(Math.abs(Math.hypot(...space) - 1) < 1e-6 && Math.abs(Math.hypot(...love) - 1) < 1e-6);
});

test("groups that have their turns wait for them, and windows move without an event", async () => {
  await watch("usr_anna_1", "vod_love", 30, 3_500);
  const before = rowOf(await online(["user_genre_preferences"], ["prf_usr_anna_1"]));
  assert.equal(before["share_romance"], 0, "its hour is not over");
  await clock.advance(HOUR_MS);
  await until("it is published", async () => {
    const now = rowOf(await online(["user_genre_preferences"], ["prf_usr_anna_1"]));
    return Number(now["share_romance"]) > 0.3;
  });
  const today = rowOf(await online(["user_viewing_history"], ["prf_usr_anna_1"]));
  assert.equal(today["sessions_1d"], 3);
  await clock.advance(DAY_MS);
  await until("the day is over", async () => {
    const tomorrow = rowOf(await online(["user_viewing_history"], ["prf_usr_anna_1"]));
    return tomorrow["sessions_1d"] === 0 && tomorrow["sessions_7d"] === 3;
  });
});

test("a session is its last beat, whatever comes twice; a channel counts whom it has", async () => {
  const session = ids("usr_bert_1", "vod_space");
  await clock.advance(3 * MINUTE_MS);
  await say(Session, "heartbeat", [beat(session, 1), beat(session, 3, { bufferS: 7 }), beat(session, 2)]);
  const viewers = ["usr_live_1", "usr_live_2", "usr_live_3"].map((id) => ids(id, "ch-news"));
  const live = { contentType: "live", liveLatencyMs: 4_000 };
  for (const sequence of [1, 2])
    await say(
      Session,
      "heartbeat",
      viewers.map((one) => beat(one, sequence, live)),
    );
  await say(Live, "healthChanged", [
    {
      contentId: "ch-news",
      state: "live",
      reason: "",
      message: "",
      input: "primary",
      rungsLeftOut: [],
      timeMs: clock.nowMs(),
    },
  ]);
  await host.settled();
  const now = rowOf(await online(["session_context"], [session.sessionId]));
  assert.deepEqual([now["buffer"], now["length"], now["bitrate_of_best"], now["position_ratio"]], [7, 3, 0.5, 0.1]);
  await clock.advance(MINUTE_MS);
  await until("the minute is over", async () => {
    const channel = rowOf(await online(["channel_performance"], ["ch-news"]));
    return channel["viewers"] === 3 && channel["latency_5m"] === 4_000 && channel["health"] === "live";
  });
  await assert.rejects(
    client().getOnlineFeatures({ features: ["session_context"], keys: ["x"] }, host.context({ viewer: {} })),
  );
});

test("a network has what qoe says of it", async () => {
  const window = {
    networkId: "edge-a",
    region: "DE",
    sessions: 10,
    beats: 40,
    throughputKbps: 8_000,
    troubleRatio: 0.1,
    scoreP25: 80,
  };
  const fromMs = clock.nowMs() - MINUTE_MS;
  const windows = [0, 30_000].map((offset) => ({ ...window, fromMs: fromMs + offset, toMs: fromMs + offset + 30_000 }));
  await say(Qoe, "metric", [windows[0] ?? {}, { ...windows[1], throughputKbps: 4_000 }, windows[0] ?? {}]);
  await host.settled();
  const known = rowOf(await online(["cdn_performance"], ["edge-a/DE"]));
  assert.deepEqual([known["throughput"], known["throughput_10m"], known["sessions"]], [4_000, 6_000, 10]);
});

test("the past is what was known then, and not what is known now", async () => {
  const row = (timeMs: number) => ({ key: "prf_usr_anna_1", timeMs: BigInt(timeMs) });
  const rows = [NOON - 1, NOON, NOON + HOUR_MS, NOON + HOUR_MS + 2 * MINUTE_MS, clock.nowMs()].map(row);
  const names = ["user_viewing_history:sessions_total", "user_viewing_history:last_content_id"];
  const past = await client().getHistoricalFeatures({ features: names, rows }, host.context());
  assert.deepEqual(past.numbers, [Number.NaN, 0, 1, 2, 3]);
  assert.deepEqual(past.words, ["", "vod_space", "vod_love", "vod_love", "vod_love"]);
  assert.equal(past.eventTimesMs[2], NOON + HOUR_MS);
  await assert.rejects(
    client().getHistoricalFeatures({ features: ["session_context"], rows }, host.context()),
    /is not kept/,
  );
});

test("a cache that lost everything is filled again, by whoever asks and by a rebuild", async () => {
  const names = ["user_viewing_history", "user_device_context"];
  const before = await online(names, ["prf_usr_anna_1"]);
  const keys = ["user_viewing_history", "user_device_context"].map(
    (name) => `features/online:demo:${name}:prf_usr_anna_1`,
  );
  assert.ok((await host.adapters.cache.getMany(keys)).every(Boolean), "the kernel's prefix is another");
  await host.adapters.cache.delete(keys);
  assert.deepEqual(await online(names, ["prf_usr_anna_1"]), before);
  const copies = await host.adapters.cache.getMany(keys);
  await host.adapters.cache.delete(keys);
  await host.host.backbone.rebuild("features", ["demo"]);
  assert.deepEqual(await host.adapters.cache.getMany(keys), copies);
});

test("what is served is what was kept; what was changed in the cache is seen", async () => {
  const statusOf = async (name: string) =>
    (await client().status({ sample: 200 }, host.context())).groups.find((group) => group.name === name);
  const same = await statusOf("user_viewing_history");
  assert.ok(
    same && same.compared > 0 && same.compared === same.sampled,
    JSON.stringify(same, (_, value) => String(value)),
  );
  assert.deepEqual([same.skewed, same.overdueMs, same.features], [0, 0n, 25]);
  const key = "features/online:demo:user_viewing_history:prf_usr_anna_1";
  const copy = (await host.adapters.cache.get(key)) ?? "";
  await host.adapters.cache.set(key, copy.replace("vod_love", "vod_hate"), MINUTE_MS);
  assert.equal((await statusOf("user_viewing_history"))?.skewed, 1);
  await host.adapters.cache.set(key, copy, MINUTE_MS);
});

test("another tenant knows nothing of it", async () => {
  const { freshness, numbers } = await online(["user_viewing_history"], ["prf_usr_anna_1"], "north");
  assert.deepEqual(freshness, ["missing"]);
  assert.ok(numbers.every(Number.isNaN));
});

test("a viewer sees their own profile's features and nobody else's", async () => {
  const viewer = { userId: "usr_anna_1", profileId: "prf_usr_anna_1" };
  const ask = (key: string) =>
    client().getOnlineFeatures({ features: ["user_viewing_history"], keys: [key] }, host.context({ viewer }));
  assert.equal((await ask("prf_usr_anna_1")).freshness[0], "fresh");
  await assert.rejects(ask("prf_usr_bert_1"), { code: "permission_denied" });
  await assert.rejects(client().status({ sample: 0 }, host.context({ viewer })), { code: "permission_denied" });
});

test("whoever is gone is gone from rows and copies, and so is what comes late", async () => {
  const { user: made } = await host
    .client(User, "test")
    .create({ email: "cleo@demo.test", name: "Cleo", language: "en" }, host.context());
  const userId = made?.id ?? "";
  const stateOf = async () => (await online(["user_viewing_history"], [`prf_${userId}`])).freshness[0];
  await watch(userId, "vod_space", 10, 600);
  assert.equal(await stateOf(), "fresh");
  await host.client(User, "test").delete({ userId }, host.context());
  await host.settled();
  assert.equal(await stateOf(), "missing");
  await watch(userId, "vod_space", 10, 600);
  await until("it is said again", async () => (await stateOf()) === "missing", 10 * MINUTE_MS);
  // Fails where a row is left: nothing can be divided by their number.
  const none = "SELECT 1 / (count(*) = 0)::int FROM features.states WHERE user_id = $1";
  await sqlAsOwner(host.adapters.postgres.adminUrl, none, [userId]);
});

/** Waits in real time, while the services' clock goes on. */
async function until(what: string, holds: () => Promise<boolean>, stepMs = 5_000): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    if (await holds()) return;
    await clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.fail(`it never came that ${what}`);
}

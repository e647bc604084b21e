// Anomaly detection: a detector that knows what is usual for each segment, and without it fixed thresholds, marked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { openEmbeddedCache } from "#adapters/cache/embedded";
import { Qoe } from "#contracts/qoe";
import { type PlaybackHeartbeat, Session } from "#contracts/session";
import { defineService, type Platform, problem } from "#kernel";
import { testClock } from "#kernel/clock";
import { seededRandom } from "#learning/random";
import tenant from "../../services/identity/tenant/service.ts";
import { openDetector } from "../../services/insight/qoe/detector.ts";
import { qoeWith } from "../../services/insight/qoe/service.ts";
import { DETECT_MS_MAX } from "../../services/insight/qoe/watch-anomalies.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { BUDGET_MS, printWaits, underLoad } from "./load.ts";
import { openPrimary } from "./primary.ts";

const MINUTE_MS = 60_000;
const PAST_MINUTES = 150;
const SESSIONS = 12;
/** Real, or the store would drop what is older than it keeps. */
const FIRST_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - PAST_MINUTES * MINUTE_MS;
const clock = testClock(FIRST_MS + PAST_MINUTES * MINUTE_MS);
const primary = openPrimary();
const random = seededRandom(3);
let host: TestHost;
let say: Platform<typeof Session>["facts"];

before(async () => {
  const player = defineService({
    contract: Session,
    uses: {},
    slo: { p99Ms: 10, availability: 0.999 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: ({ facts }: Platform<typeof Session>) => (say = facts),
    rpc: () =>
      new Proxy({}, { get: () => async () => Promise.reject(problem.internal("not part of the test")) }) as never,
    ready: async () => {},
  });
  const qoe = qoeWith(() => {
    const detector = openDetector();
    return {
      ...detector,
      push: (of, points, until) => primary.pass(DETECT_MS_MAX, () => detector.push(of, points, until)),
    };
  });
  // Turns of the watch are shared among processes by a lock, which would go by real time.
  const cache = openEmbeddedCache({ clock: { now: () => clock.nowMs() } });
  host = await startTestHost({ services: [tenant, player, qoe], clock, cache });
});
after(() => host?.stop());

const waited = new Map<string, number>();
let minute = 0;

/** What a network's players report in the next minute: each one beat, with so much of its time spent waiting. */
function beatsOf(networkId: string, how: { readonly waitingMs: number; readonly erring: number }): PlaybackHeartbeat[] {
  return Array.from({ length: SESSIONS }, (_, at) => {
    const sessionId = `${networkId}-${at}`;
    const rebufferDurationMs = Math.round((waited.get(sessionId) ?? 0) + how.waitingMs * (0.5 + random()));
    waited.set(sessionId, rebufferDurationMs);
    return {
      ...{ userId: `user-of-${sessionId}`, profileId: "p", contentId: "film", deviceId: "d", deviceType: "tv" },
      ...{ sessionId, networkId, startedAtMs: FIRST_MS, sequence: minute, state: "playing", videoStartTimeMs: 800 },
      ...{ timeMs: FIRST_MS + minute * MINUTE_MS + 30_000, positionS: 60 * minute, durationS: 90_000 },
      ...{ rebufferCount: 0, rebufferDurationMs, bitrateKbps: 8_000, averageBitrateKbps: 8_000, bitrateMaxKbps: 8_000 },
      ...{ bitrateSwitches: 0, width: 1920, height: 1080, resolutionDrops: 0, droppedFrames: 0, decodedFrames: 240 },
      ...{ throughputKbps: 20_000, bufferS: 20, errorCount: at < how.erring ? 1 : 0, market: "DE", contentType: "vod" },
      ...{ liveLatencyMs: -1, presentedS: -1 },
    };
  });
}
const calm = { waitingMs: 10, erring: 0 };

/** A minute is over: its beats come, are sent to the store, and somebody looks. */
async function live(a: typeof calm, b: typeof calm): Promise<void> {
  await say("heartbeat", [...beatsOf("a", a), ...beatsOf("b", b)], { tenant: "demo" });
  minute += 1;
}
/** How many beats the store has. */
async function stored(): Promise<number> {
  const [row] = await host.adapters.analytics.query({
    tenant: "demo",
    text: "SELECT count() AS n FROM qoe_beats",
    rowsMax: 1,
  });
  return Number(row?.["n"]);
}
async function looked(): Promise<void> {
  await host.settled();
  const overMs = FIRST_MS + minute * MINUTE_MS;
  if (overMs > clock.nowMs()) await clock.advance(overMs - clock.nowMs());
  // Rows go to the store every second; real time is what the store takes.
  for (let second = 0; second < 10 && (await stored()) < minute * 2 * SESSIONS; second += 1) {
    await clock.advance(1_000);
    for (let tries = 0; tries < 40 && (await stored()) < minute * 2 * SESSIONS; tries += 1) await pause(50);
  }
  assert.equal(await stored(), minute * 2 * SESSIONS, "the store has all beats");
  // It is looked at every half minute, once its last beats had time to come; a look that comes while another one is under way is left out.
  const seen = async (): Promise<string | undefined> => host.adapters.cache.get("qoe/anomalies/demo");
  const wanted = `"minute":${Math.floor(overMs / MINUTE_MS) - 1},`;
  for (let afterMs = 16_000; afterMs < MINUTE_MS && !(await seen())?.includes(wanted); afterMs += 5_000) {
    await clock.advance(Math.max(0, overMs + afterMs - clock.nowMs()));
    for (let tries = 0; tries < 20 && !(await seen())?.includes(wanted); tries += 1) await pause(50);
  }
  assert.match((await seen()) ?? "", new RegExp(wanted), "the minute was looked at");
}
const ask = () => host.client(Qoe, "test").listAlerts({ limit: 50 }, host.context());
const segments = ({ anomalies }: Awaited<ReturnType<typeof ask>>): string[] =>
  anomalies.map(({ dimension, value, measure }) => `${dimension}:${value}:${measure}`);

test("anomalies: what is unusual for a network is found, though no threshold is near", async () => {
  for (let past = 0; past < PAST_MINUTES; past += 1) await live(calm, calm);
  await looked();
  assert.deepEqual(segments(await ask()), [], "what is usual is none");
  await live({ waitingMs: 150, erring: 0 }, calm);
  await looked();
  const found = await ask();
  assert.ok(segments(found).includes("network:a:rebuffering"), segments(found).join(" "));
  assert.ok(!segments(found).some((segment) => segment.startsWith("network:b")), segments(found).join(" "));
  const [one] = found.anomalies.filter(({ value }) => value === "a");
  assert.ok(one && one.figure > 0.01 && one.figure < 0.02 && one.usual < 0.002, JSON.stringify(one?.figure));
  assert.deepEqual([one.partial, found.partial], [false, false]);
  await live(calm, calm);
  await looked();
  assert.deepEqual(segments(await ask()), [], "and over when it is over");
});

for (const how of ["hangs", "refuses"] as const)
  test(`anomalies: where the detector ${how}, fixed thresholds watch and say so, and the detector again without a restart`, async (t) => {
    await underLoad(ask, async (load) => {
      primary.take(how);
      await live({ waitingMs: 150, erring: 0 }, { waitingMs: 10, erring: 4 });
      await looked();
      const away = await load.until("thresholds watch", ({ partial }) => partial);
      assert.ok(segments(away).includes("network:b:errors"), segments(away).join(" "));
      assert.ok(!segments(away).includes("network:a:rebuffering"), "what only a detector sees is not seen");
      assert.ok(away.anomalies.every(({ partial }) => partial));
      const answers = await load.next(100);
      printWaits(t, `anomalies, detector ${how}`, answers);
      assert.ok(answers.every(({ answer }) => answer.partial));
      assert.ok(
        primary.givenMs.length > 0 && primary.givenMs.every((ms) => ms < BUDGET_MS),
        "what the detector was given",
      );
      if (how === "hangs") assert.ok(primary.hanging() > 0, "nobody waited for it to come back");
      primary.giveBack();
      for (let calmly = 0; calmly < 2; calmly += 1) {
        await live(calm, calm);
        await looked();
      }
      const whole = await load.until("the detector watches again", ({ partial }) => !partial);
      assert.deepEqual(segments(whole), []);
    });
  });

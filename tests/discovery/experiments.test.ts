// Experiments on real flags and rows: who is in which arm, what they did, and what stops by itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Experiments, type ExperimentChanged, type ExperimentExposed } from "#contracts/experiments";
import { Session } from "#contracts/session";
import { User } from "#contracts/user";
import { defineService, on, type Platform, problem, type Received, type Tx } from "#kernel";
import { testClock } from "#kernel/clock";
import { seededRandom } from "#learning/random";
import experiments from "../../services/discovery/experiments/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { listExperiments, showResults } from "../../apps/cli/experiments.ts";
import { cliOf } from "./cli.ts";
import { sqlAsOwner } from "./viewers.ts";
import { startTestHost, type TestHost } from "../host.ts";

const DAY_MS = 86_400_000;
const PEOPLE = 800;
const clock = testClock(Date.UTC(2026, 4, 20, 12));
const exposed: ExperimentExposed[] = [];
const changed: ExperimentChanged[] = [];
const userIds = Array.from({ length: PEOPLE }, (_, index) => `usr_${index}`);
let host: TestHost;
let say: Platform<typeof Session>["facts"];
let gone: Platform<typeof User>["facts"];

const nobody = () =>
  new Proxy({}, { get: () => async () => Promise.reject(problem.internal("not part of the test")) }) as never;
const about = { slo: { p99Ms: 10, availability: 0.999 }, ai: { feeds: "none", uses: "none", fallback: "none needed" } };
const stage = defineService({
  contract: Session,
  uses: {},
  ...about,
  start: ({ facts }: Platform<typeof Session>) => (say = facts),
  rpc: nobody,
  on: [
    on(Experiments.events.exposed)(async (_: unknown, __: Tx, events: readonly Received<ExperimentExposed>[]) => {
      exposed.push(...events.map(({ data }) => data));
    }),
    on(Experiments.events.changed)(async (_: unknown, __: Tx, events: readonly Received<ExperimentChanged>[]) => {
      changed.push(...events.map(({ data }) => data));
    }),
  ],
  ready: async () => {},
});
const accounts = defineService({
  ...{ contract: User, uses: {}, ...about, rpc: nobody, ready: async () => {} },
  start: ({ facts }: Platform<typeof User>) => (gone = facts),
});

before(async () => {
  host = await startTestHost({ services: [tenant, experiments, stage, accounts], clock });
});
after(() => host?.stop());

const client = () => host.client(Experiments, "test");
const start = (name: string, more: object = {}) =>
  client().start(
    { name, surface: "home", treatmentPercent: 50, metric: "viewed", scale: 0.1, ...more },
    host.context(),
  );
const results = (name: string) => client().results({ name }, host.context());
const armOf = async (userId: string, surface = "home") =>
  (await client().expose({ surface, userId }, host.context())).exposures;
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await pause(50)) if (await holds()) return;
  assert.fail(`it never came that ${what}`);
}
/** Lets everybody's window end, and the service look. */
async function count(name: string, people: number): Promise<void> {
  await host.settled();
  await clock.advance(DAY_MS + 10 * 60_000);
  await until(`${people} are counted`, async () => {
    await clock.advance(10_000);
    return (await results(name)).arms.reduce((sum, arm) => sum + arm.counted, 0) === people;
  });
}

test("what cannot be an experiment is refused, with the remedy", async () => {
  const wrong: readonly [object, RegExp][] = [
    [{ treatmentPercent: 4 }, /4 % for the treatment are not 5 to 50/],
    [{ treatmentPercent: 51 }, /not 5 to 50/],
    [{ metric: "clicks" }, /not one of viewed, watch_s/],
    [{ scale: 0 }, /scale 0/],
    [{ scale: Number.NaN }, /scale NaN/],
    [{ surface: "../home" }, /surface/],
    [{ windowS: 20 * 86_400 }, /two weeks/],
  ];
  for (const [more, text] of wrong) await assert.rejects(start("wrong", more), text);
  await assert.rejects(results("wrong"), { code: "not_found" });
});

test("at most three run on a surface, and a name is used once", async () => {
  for (const name of ["one", "two", "three"]) await start(name, { surface: "search", treatmentPercent: 5 });
  await assert.rejects(start("four", { surface: "search" }), { code: "failed_precondition" });
  await client().stop({ name: "one" }, host.context());
  await start("four", { surface: "search" });
  await assert.rejects(start("one", { surface: "player" }), { code: "already_exists" });
  assert.ok(!host.adapters.flags.rules().some(({ name }) => name === "experiment.demo.one"), "its flag is gone");
  const shares = await Promise.all(userIds.slice(0, 400).map((userId) => armOf(userId, "search")));
  const inTwo = shares.filter((all) => all.some(({ experiment }) => experiment === "two")).length;
  assert.ok(inTwo > 15 && inTwo < 75, `${inTwo} of 400 are 10 %`);
});

test("people stay in their arm, and what they do in their window decides", async () => {
  await start("better");
  const random = seededRandom(5);
  const arms = new Map<string, string>();
  for (const userId of userIds) arms.set(userId, (await armOf(userId))[0]?.arm ?? "none");
  assert.deepEqual((await armOf("usr_0"))[0]?.arm, arms.get("usr_0"));
  const treated = userIds.filter((userId) => arms.get(userId) === "treatment");
  assert.ok(Math.abs(treated.length - PEOPLE / 2) < 80 && !arms.values().toArray().includes("none"));
  await clock.advance(60_000);
  const ids = { profileId: "prf", sessionId: "ses", contentId: "vod", deviceId: "dev", deviceType: "web" };
  const times = {
    startedAtMs: clock.nowMs() - 600_000,
    endedAtMs: clock.nowMs(),
    positionS: 1,
    durationS: 2,
    presentedS: 1,
  };
  const views = userIds.filter((userId) => random() < (arms.get(userId) === "treatment" ? 0.6 : 0.3));
  const events = views.map((userId) => ({ userId, ...ids, ...times, sequence: 1, reason: "asked" }));
  await say("stopped", events, { tenant: "demo" });
  await count("better", PEOPLE);
  const early = await results("better");
  assert.equal(early.verdict, "too_early", "a week has not passed");
  const [primary] = early.metrics;
  assert.ok(primary && primary.role === "primary" && primary.low > 0.1 && primary.high < 0.5 && primary.pValue < 1e-4);
  assert.ok(Math.abs(primary.controlMean - 0.3) < 0.1 && Math.abs(primary.treatmentMean - 0.6) < 0.1);
  assert.ok(early.sampleRatioPValue > 0.001);
  const last = early.history.filter(({ metric }) => metric === "viewed").at(-1);
  assert.ok(last, "what was known when people were counted is kept");
  assert.deepEqual(
    [last.effect, last.low, last.high, last.counted],
    [primary.effect, primary.low, primary.high, PEOPLE],
  );
  await clock.advance(7 * DAY_MS);
  assert.equal((await results("better")).verdict, "better");
  await host.settled();
  assert.equal(
    exposed.filter(({ experiment }) => experiment === "better").length,
    PEOPLE,
    "a fact for each first sight",
  );
  await client().stop({ name: "better" }, host.context());
  assert.deepEqual(await armOf("usr_0"), []);
});

test("an experiment that does harm stops by itself", async () => {
  await start("harmful", { metric: "watch_s", scale: 300 });
  const arms = new Map<string, string>();
  for (const userId of userIds) arms.set(userId, (await armOf(userId))[0]?.arm ?? "none");
  const treated = userIds.filter((_, index) => index % 2 === 0).filter((userId) => arms.get(userId) === "treatment");
  const ids = { profileId: "prf", sessionId: "ses", contentId: "vod", deviceId: "dev", deviceType: "web" };
  const errors = treated.map((userId) => ({ userId, ...ids, code: "3016", message: "broken", networkId: "a" }));
  await say("error", errors, { tenant: "demo" });
  await count("harmful", PEOPLE);
  const { experiment } = await results("harmful");
  assert.equal(experiment?.state, "stopped");
  assert.match(experiment.reason, /^guardrail errors: treatment differs by 0\.[45]\d+ \(0\.\d+ to 0\.\d+, p \d/);
  assert.ok(!host.adapters.flags.rules().some(({ name }) => name === "experiment.demo.harmful"));
  await host.settled();
  assert.deepEqual(
    changed.filter((one) => one.experiment === "harmful").map(({ state }) => state),
    ["running", "stopped"],
  );
});

test("how an effect came to be is told in few looks, the last one among them", async () => {
  const before = (await results("better")).history.filter(({ metric }) => metric === "viewed");
  await sqlAsOwner(
    host.adapters.postgres.adminUrl,
    `INSERT INTO experiments.looks (tenant, experiment, metric, slot, at_ms, counted, effect, low, high)
     SELECT 'demo', 'better', 'viewed', n, n * 1800000, n, 0.1, 0, 0.2 FROM generate_series(1, 1000) AS n`,
  );
  const looks = (await results("better")).history.filter(({ metric }) => metric === "viewed");
  assert.ok(looks.length > 100 && looks.length <= 200, `${looks.length} looks`);
  assert.deepEqual(looks.at(-1), before.at(-1));
  const times = looks.map(({ atMs }) => Number(atMs));
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  const stranger = client().results({ name: "better" }, host.context({ tenant: "stranger" }));
  await assert.rejects(stranger, { code: "not_found" });
});

test("an operator reads the same", async () => {
  const { cli, printed } = cliOf(host);
  assert.equal(await showResults(cli, "better", { json: false }), 0);
  assert.match(printed.join("\n"), /^better: the treatment is better\n\d+ met control, \d+ of them are counted\n/);
  assert.match(printed.join("\n"), /\nviewed +primary +0\.[23]\d+ +0\.[56]\d+ +0\.\d+ +0\.\d+ to 0\.\d+ +\S+e-\d+/);
  printed.length = 0;
  await showResults(cli, "harmful", { json: true });
  await listExperiments(cli, { json: true });
  const [results, ...all] = printed.map((line) => JSON.parse(line) as { name: string; state: string; arms?: object[] });
  assert.deepEqual([results?.name, results?.state, results?.arms?.length], ["harmful", "stopped", 2]);
  assert.deepEqual(all.map(({ name }) => name).toSorted(), ["better", "four", "harmful", "one", "three", "two"]);
});

test("nothing is left of who is gone", async () => {
  const before = (await results("better")).arms.reduce((sum, arm) => sum + arm.exposed, 0);
  await gone("deleted", [{ userId: "usr_7" }] as never, { tenant: "demo" });
  await host.settled();
  const left = (await results("better")).arms.reduce((sum, arm) => sum + arm.exposed, 0);
  assert.equal(left, before - 1);
  const viewer = host.context({ viewer: { userId: "usr_1" } });
  await assert.rejects(client().expose({ surface: "home", userId: "usr_2" }, viewer), { code: "permission_denied" });
});

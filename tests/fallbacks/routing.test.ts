// CDN routing: the model chooses networks, and without it players' reports or round-robin with geo affinity, marked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Models } from "#contracts/models";
import { Qoe } from "#contracts/qoe";
import { Routing } from "#contracts/routing";
import { defineService, type Platform, problem } from "#kernel";
import { testClock } from "#kernel/clock";
import routing from "../../services/delivery/routing/service.ts";
import models from "../../services/discovery/models/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { BUDGET_MS, printWaits, underLoad } from "./load.ts";
import { openNetwork, seedMinutes } from "./networks.ts";
import { modelsBehind, openPrimary } from "./primary.ts";
import { trainAndServe } from "./served.ts";

const MINUTE_MS = 60_000;
const clock = testClock(Date.UTC(2026, 4, 20, 12));
const primary = openPrimary();
const opened = await Promise.all([openNetwork(), openNetwork()]);
let host: TestHost;
let say: Platform<typeof Qoe>["facts"];

/** Stands in for who makes figures of what players report. */
const stage = defineService({
  contract: Qoe,
  uses: {},
  slo: { p99Ms: 10, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: ({ facts }: Platform<typeof Qoe>) => (say = facts),
  rpc: () =>
    new Proxy({}, { get: () => async () => Promise.reject(problem.internal("not part of the test")) }) as never,
  ready: async () => {},
});

before(async () => {
  host = await startTestHost({
    ...{ services: [tenant, models, routing, stage], clock, models: modelsBehind(primary) },
    // A busy machine is late, and whether the model answers at all is what is asked here.
    env: { MARQUEE_ROUTING_DEADLINE_MS: "150" },
    addresses: { edges: opened.map(({ url }, at) => ({ id: "ab"[at] ?? "", baseUrl: url })) },
  });
  const lastMinute = Math.floor(clock.nowMs() / MINUTE_MS);
  await seedMinutes(host.adapters.postgres.adminUrl, { tenant: "demo", region: "DE", count: 1_500, lastMinute });
});
after(async () => {
  await host?.stop();
  for (const { server } of opened) server.close();
});

/** Some minutes of a network as players report them, the last one over now. */
async function report(networkId: string, throughputs: readonly number[]): Promise<void> {
  for (const [at, throughputKbps] of throughputs.entries()) {
    const toMs = clock.nowMs() - (throughputs.length - 1 - at) * MINUTE_MS;
    const figures = { sessions: 5, beats: 30, throughputKbps, troubleRatio: 0, scoreP25: 90 };
    await say("metric", [{ networkId, region: "DE", fromMs: toMs - MINUTE_MS, toMs, ...figures }], { tenant: "demo" });
  }
  await host.settled();
}

const ask = (turn: number) => {
  const context = host.context();
  const [userId, sessionId] = [`usr_${turn % 100}`, `ses_${turn}`];
  const what = { contentId: "vod_1", contentType: "vod", ip: "127.0.0.1", region: "DE" };
  return host.client(Routing, "test").select({ ...what, userId, sessionId }, context);
};
const firstOf = ({ networks }: { readonly networks: readonly { readonly id: string }[] }): string =>
  networks[0]?.id ?? "";

test("routing: what players report becomes what the model learns from", async () => {
  // Probes come first: figures of a network that was never probed are not ours.
  for (let round = 0; round < 5; round += 1) {
    await clock.advance(2_000);
    await pause(50);
  }
  await report("a", [12_000, 12_000, 5_000, 5_000, 5_000, 5_000]);
  await report("b", [12_000, 12_000, 12_000, 12_000, 12_000, 12_000]);
  const before = await ask(0);
  assert.equal(before.fallback, true, "no model: a rule chooses, and says so");
  const served = await trainAndServe(host, "routing");
  assert.ok((served.lineage?.trainingRows ?? 0) > 2_000, "minutes that were seeded and minutes that were reported");
  assert.ok((served.metrics["auc"] ?? 0) > (served.metrics["incumbentAuc"] ?? 1), JSON.stringify(served.metrics));
});

for (const how of ["hangs", "refuses"] as const)
  test(`routing: where the model ${how}, a rule chooses and says so, and the model again without a restart`, async (t) => {
    await underLoad(ask, async (load) => {
      await load.until("the model chooses", ({ fallback }) => !fallback);
      const whole = await load.next(50);
      printWaits(t, "routing, model there", whole);
      // Network a does what it always does before people suffer, and no player has suffered yet.
      const chosen = whole.filter(({ answer }) => !answer.fallback).map(({ answer }) => firstOf(answer));
      assert.ok(chosen.filter((id) => id === "b").length >= 0.9 * chosen.length, chosen.join(""));
      primary.take(how);
      const answers = await load.next(120);
      printWaits(t, `routing, model ${how}`, answers);
      for (const { answer } of answers) {
        assert.equal(answer.fallback, true);
        assert.deepEqual(answer.networks.map(({ id }) => id).toSorted(), ["a", "b"]);
      }
      assert.ok(
        primary.givenMs.length > 0 && primary.givenMs.every((ms) => ms < BUDGET_MS),
        "what the model was given",
      );
      if (how === "hangs") assert.ok(primary.hanging() > 0, "nobody waited for the model to come back");
      primary.giveBack();
      await load.until("the model chooses again", ({ fallback }) => !fallback);
    });
  });

test("routing: of a region where nobody reports, sessions go round", async () => {
  const context = host.context();
  const what = { contentId: "vod_1", contentType: "vod", ip: "127.0.0.1", region: "NZ", userId: "usr_1" };
  const firsts: string[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const answer = await host.client(Routing, "test").select({ ...what, sessionId: `nz_${turn}` }, context);
    assert.equal(answer.fallback, true);
    firsts.push(firstOf(answer));
  }
  assert.deepEqual(new Set(firsts), new Set(["a", "b"]));
  const { predictions, partial } = await host
    .client(Models, "test")
    .predictRoutes({ region: "NZ", userId: "usr_1", networks: [{ networkId: "a", minutes: [] }] }, context);
  assert.equal(partial, predictions.length === 0);
});

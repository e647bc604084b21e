// A model's whole way on real engines: trained on what people watched, judged, given to few and then to all, refused, taken back, and replaced by the rule.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Models, type ModelStageChanged, type Version } from "#contracts/models";
import { Session } from "#contracts/session";
import { defineService, on, type Platform, problem, type Received, type Tx } from "#kernel";
import { testClock } from "#kernel/clock";
import { openKserveModels } from "#adapters/models/kserve";
import type { TrackedRun, Tracking } from "#kernel/ports/tracking";
import models from "../../services/discovery/models/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { listModels, promoteModel } from "../../apps/cli/models.ts";
import { cliOf } from "./cli.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { seedViewers, sqlAsOwner } from "./viewers.ts";

const HOUR_MS = 3_600_000;
const clock = testClock(Date.UTC(2026, 4, 20, 12));
const heard: ModelStageChanged[] = [];
/** What experiment tracking was told last of each version; it refuses the first word, which holds nothing up. */
const tracked = new Map<string, TrackedRun>();
let refused = 0;
const tracking: Tracking = {
  at: "the test",
  async note(run) {
    if (refused === 0) {
      refused += 1;
      throw problem.precondition("not yet");
    }
    tracked.set(run.key, run);
  },
};
let host: TestHost;
let userIds: string[] = [];
let say: Platform<typeof Session>["facts"];

/** Stands in for who plays, and hears what becomes of models. */
const stage = defineService({
  contract: Session,
  uses: {},
  slo: { p99Ms: 10, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: ({ facts }: Platform<typeof Session>) => (say = facts),
  rpc: () =>
    new Proxy({}, { get: () => async () => Promise.reject(problem.internal("not part of the test")) }) as never,
  on: [
    on(Models.events.stageChanged)(async (_: unknown, __: Tx, events: readonly Received<ModelStageChanged>[]) => {
      heard.push(...events.map(({ data }) => data));
    }),
  ],
  ready: async () => {},
});

before(async () => {
  host = await startTestHost({
    ...{ services: [tenant, models, stage], clock, tracking },
    // A busy machine is late, and no canary may fall for that here.
    env: { MARQUEE_MODEL_DEADLINE_MS: "5000" },
  });
  userIds = await seedViewers(host.adapters.postgres.adminUrl, "demo", 1_000, clock.nowMs());
});
after(() => host?.stop());

const client = () => host.client(Models, "test");
const versions = async (): Promise<readonly Version[]> =>
  (await client().list({ name: "churn" }, host.context())).versions;
async function predict(ids = userIds) {
  const halves = [ids.slice(0, 500), ids.slice(500)].filter((half) => half.length > 0);
  const said = await Promise.all(halves.map((half) => client().predictChurn({ userIds: half }, host.context())));
  return { predictions: said.flatMap((one) => one.predictions), partial: said.some((one) => one.partial) };
}
/** Waits in real time; with `isWatched` the services' clock goes on, because somebody looks every ten seconds. */
async function until(what: string, holds: () => Promise<boolean>, isWatched = false): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await pause(50)) {
    if (await holds()) return;
    if (isWatched) await clock.advance(10_000);
  }
  const reasons = (await versions()).map(({ version, stage, reason }) => `${version} ${stage}: ${reason}`);
  assert.fail(`it never came that ${what}: ${reasons.join("; ")}`);
}
/** Asks often enough that a share can be judged, and lets time pass until somebody looks. */
async function serveFor(ms: number, times: number): Promise<void> {
  for (let round = 0; round < times; round += 1) await predict();
  await clock.advance(1_000);
  await pause(50);
  await clock.advance(ms);
}
const modelOf = async (name: string) => {
  const found = (await client().overview({}, host.context())).models.find((model) => model.name === name);
  assert.ok(found, `there is no model ${name}`);
  return found;
};
async function trained(version: number): Promise<Version> {
  await client().train({ name: "churn" }, host.context());
  await until(`version ${version} is there`, async () => (await versions())[0]?.version === version);
  const [newest] = await versions();
  assert.ok(newest);
  return newest;
}

test("what people watch becomes what is known of them, and goes with them", async () => {
  const startedAtMs = clock.nowMs() - HOUR_MS;
  const ids = { userId: "usr_heard", profileId: "prf", sessionId: "ses", contentId: "vod", deviceId: "dev" };
  const times = { startedAtMs, endedAtMs: clock.nowMs(), positionS: 1, durationS: 2, presentedS: 1, sequence: 1 };
  await say("stopped", [{ ...ids, ...times, deviceType: "web", reason: "asked" }], { tenant: "demo" });
  await host.settled();
  const { predictions, partial } = await predict(["usr_heard", "usr_unheard_of"]);
  assert.deepEqual(
    predictions.map(({ userId, version }) => [userId, version]),
    [["usr_heard", 0]],
  );
  assert.equal(partial, true, "no model: the rule answers, and says so");
});

test("every model is told of, with what answers without it and why it cannot be trained", async () => {
  const { models } = await client().overview({}, host.context());
  assert.ok(models.length > 10 && models.every(({ title, fallback }) => title !== "" && fallback !== ""));
  const [churn, routing] = [await modelOf("churn"), await modelOf("routing")];
  assert.deepEqual([churn.lack, churn.training, churn.state], ["", undefined, "here"]);
  assert.ok(churn.psiMax > 0);
  assert.match(routing.lack, /^0 minutes of delivery networks are known/);
  await assert.rejects(client().train({ name: "routing" }, host.context()), { reason: "too_little_data" });
  assert.equal((await modelOf("routing")).training, undefined, "what was refused does not wait");
  const others = await client().overview({}, host.context({ tenant: "stranger" }));
  assert.match(others.models.find(({ name }) => name === "churn")?.lack ?? "", /^0 accounts/);
});

test("a model that is better than the rule becomes a canary, gets half when it does well, and then all", async () => {
  const first = await trained(1);
  assert.equal(first.stage, "canary", first.reason);
  await until("its training is over", async () => (await modelOf("churn")).training?.state === "done");
  assert.equal((await modelOf("churn")).training?.cause, "operator");
  assert.equal(first.share, 5);
  assert.ok((first.metrics["auc"] ?? 0) > (first.metrics["incumbentAuc"] ?? 1), JSON.stringify(first.metrics));
  assert.ok((first.lineage?.testRows ?? 0) > 300 && first.lineage?.sha256.length === 64);
  await predict();
  await until("the runtime has loaded it", async () =>
    (await predict()).predictions.some(({ version }) => version === 1),
  );
  const { predictions } = await predict();
  const chosen = predictions.filter(({ version }) => version === 1).map(({ userId }) => userId);
  assert.ok(chosen.length > 25 && chosen.length < 80, `${chosen.length} of 1,000 are 5 %`);
  await serveFor(10_000, 6);
  assert.equal((await versions())[0]?.share, 5, "an hour has not passed");
  await serveFor(HOUR_MS, 1);
  await until("it gets half", async () => (await versions())[0]?.share === 50, true);
  const half = (await predict()).predictions.filter(({ version }) => version === 1).map(({ userId }) => userId);
  assert.ok(
    chosen.every((userId) => half.includes(userId)),
    "who was in it stays in it",
  );
  await serveFor(4 * HOUR_MS, 3);
  await until("it gets all", async () => (await versions())[0]?.stage === "production", true);
  const all = await predict();
  assert.equal(all.partial, false);
  assert.ok(all.predictions.every(({ version }) => version === 1));
});

test("a model that is not better than the one in production is refused, with the figures", async () => {
  const second = await trained(2);
  assert.equal(second.stage, "refused");
  assert.match(second.reason, /^AUC 0\.\d{4} is not above 0\.\d{4} of version 1$/);
  await assert.rejects(client().promote({ name: "churn", version: 2 }, host.context()), /refused: AUC/);
});

test("a model that turns bad as a canary is rolled back by itself", async () => {
  const { version: none } = await client().rollback({ name: "churn" }, host.context());
  assert.equal(none, undefined, "nothing was in production before: the rule answers");
  assert.equal((await predict()).partial, true);
  const third = await trained(3);
  assert.equal(third.stage, "canary", third.reason);
  await client().promote({ name: "churn", version: 3 }, host.context());
  // Each account is counted once a day, so few are asked about before it breaks.
  const few = userIds.slice(0, 20);
  await until("the runtime has loaded it", async () =>
    (await predict(few)).predictions.some(({ version }) => version === 3),
  );
  // Something upstream broke: nothing is known of the last weeks, and everybody looks as if they were gone.
  const today = Math.floor(clock.nowMs() / 86_400_000);
  await sqlAsOwner(host.adapters.postgres.adminUrl, "DELETE FROM models.days WHERE day >= $1", [today - 30]);
  await serveFor(10_000, 3);
  await until("it is taken back", async () => (await versions())[0]?.stage === "rolled_back", true);
  assert.match((await versions())[0]?.reason ?? "", /PSI \d+\.\d+ over \d+ different ones is above 0.25/);
  await host.settled();
  assert.deepEqual(
    heard.map(({ version, to, share }) => [version, to, share]),
    [
      ...[
        [1, "candidate", 0],
        [1, "canary", 5],
        [1, "canary", 50],
        [1, "production", 100],
      ],
      ...[
        [2, "refused", 0],
        [1, "rolled_back", 0],
      ],
      ...[
        [3, "candidate", 0],
        [3, "canary", 5],
        [3, "canary", 50],
        [3, "rolled_back", 0],
      ],
    ],
  );
});

test("experiment tracking is told of every version, and where each stands now", async () => {
  const stageOf = (version: number): string | undefined => tracked.get(`demo/churn/${version}`)?.tags["stage"];
  await until("all are told", async () => stageOf(1) === "rolled_back" && stageOf(3) === "rolled_back");
  assert.equal(refused, 1);
  assert.equal(stageOf(2), "refused");
  const run = tracked.get("demo/churn/3");
  const version = (await versions()).find((one) => one.version === 3);
  assert.ok(run && version);
  assert.equal(run.experiment, "marquee/churn");
  assert.equal(run.params["trees"], String(version.lineage?.options["trees"]));
  assert.equal(run.metrics["incumbentAuc"], version.metrics["incumbentAuc"]);
  assert.equal(run.tags["tenant"], "demo");
  assert.equal(run.tags["reason"], version.reason);
  assert.ok(run.startedAtMs <= run.endedAtMs && run.endedAtMs === Number(version.trainedAtMs));
});

test("an operator sees every version, and why it stands where it does", async () => {
  await sqlAsOwner(
    host.adapters.postgres.adminUrl,
    "UPDATE models.versions SET stage = 'production', share = 100 WHERE version = 1",
  );
  await clock.advance(10_000);
  await until("version 1 answers", async () => !(await predict()).partial);
  const { cli, printed } = cliOf(host);
  assert.equal(await listModels(cli, "churn", { json: true }), 0);
  const all = printed.map(
    (line) =>
      JSON.parse(line) as {
        version: number;
        stage: string;
        lineage: { features: string[]; options: { trees: number }; trials: { chosen: boolean }[] };
      },
  );
  assert.deepEqual(
    all.map(({ version, stage }) => [version, stage]),
    [
      [3, "rolled_back"],
      [2, "refused"],
      [1, "production"],
    ],
  );
  assert.equal(all[0]?.lineage.features.length, 12);
  for (const { lineage } of all) {
    assert.ok(lineage.options.trees > 0);
    assert.equal(lineage.trials.length, 9);
    assert.equal(lineage.trials.filter(({ chosen }) => chosen).length, 1);
  }
  printed.length = 0;
  await listModels(cli, undefined, { json: false });
  assert.match(printed.join("\n"), /\nchurn +2 +refused .* AUC 0\.\d+ is not above/);
  await assert.rejects(promoteModel(cli, "churn", "two", { json: false }), /'two' is no version/);
});

test("the registry speaks the Open Inference Protocol", async () => {
  const mount = host.host.http.find(({ service, prefix }) => service === "models" && prefix === "/v2/");
  assert.ok(mount);
  const server = createServer((request, response) => void mount.handle(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const metadata = (await (await fetch(`${url}/v2/models/churn`)).json()) as { inputs: { shape: number[] }[] };
    assert.deepEqual(metadata.inputs[0]?.shape, [-1, 12]);
    const input = {
      name: "features",
      shape: [1, 12],
      datatype: "FP32",
      data: [[100, 3, 1, 4, 9, 1, 4, 4, 1, null, 0, 0]],
    };
    const response = await fetch(`${url}/v2/models/churn/versions/1/infer`, {
      ...{ method: "POST", body: JSON.stringify({ id: "a", inputs: [input] }) },
    });
    const answer = (await response.json()) as { id: string; model_version: string; outputs: { data: number[] }[] };
    assert.deepEqual([answer.id, answer.model_version], ["a", "1"]);
    assert.ok((answer.outputs[0]?.data[0] ?? -1) > 0);
    assert.equal((await fetch(`${url}/v2/models/churn/versions/99`)).status, 404);
    const wrong = await fetch(`${url}/v2/models/churn/infer`, { method: "POST", body: '{"inputs":[{"name":"x"}]}' });
    assert.deepEqual([wrong.status, Object.keys((await wrong.json()) as object)], [400, ["error"]]);
    // Nobody hands it a model past the gate.
    await assert.rejects(openKserveModels({ url }).load({ name: "churn", version: "9" }, new Uint8Array(1)), {
      code: "not_found",
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

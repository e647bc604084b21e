// Churn prediction: the model's scores, and without it a threshold of engagement, marked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Models } from "#contracts/models";
import { testClock } from "#kernel/clock";
import models from "../../services/discovery/models/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { seedViewers } from "../discovery/viewers.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { BUDGET_MS, printWaits, underLoad } from "./load.ts";
import { modelsBehind, openPrimary } from "./primary.ts";
import { trainAndServe } from "./served.ts";

const clock = testClock(Date.UTC(2026, 4, 20, 12));
const primary = openPrimary();
let host: TestHost;
let userIds: readonly string[] = [];

before(async () => {
  host = await startTestHost({ services: [tenant, models], clock, models: modelsBehind(primary) });
  userIds = await seedViewers(host.adapters.postgres.adminUrl, "demo", 600, clock.nowMs());
  await trainAndServe(host, "churn");
});
after(() => host?.stop());

/** Twenty accounts, others every time. */
const ask = (turn: number) => {
  const from = (turn * 20) % (userIds.length - 20);
  return host.client(Models, "test").predictChurn({ userIds: userIds.slice(from, from + 20) }, host.context());
};

for (const how of ["hangs", "refuses"] as const)
  test(`churn: where the model ${how}, the rule answers and says so, and the model again without a restart`, async (t) => {
    await underLoad(ask, async (load) => {
      await load.until("the model answers", ({ partial }) => !partial);
      primary.take(how);
      const answers = await load.next(120);
      printWaits(t, `churn, model ${how}`, answers);
      for (const { answer } of answers) {
        assert.equal(answer.partial, true);
        assert.equal(answer.predictions.length, 20);
        assert.ok(
          answer.predictions.every(({ version, score }) => version === 0 && [0.1, 0.4, 0.6, 0.9].includes(score)),
        );
      }
      assert.ok(
        primary.givenMs.length > 0 && primary.givenMs.every((ms) => ms < BUDGET_MS),
        "what the model was given",
      );
      if (how === "hangs") assert.ok(primary.hanging() > 0, "nobody waited for the model to come back");
      primary.giveBack();
      const whole = await load.until("the model answers again", ({ partial }) => !partial);
      assert.ok(whole.predictions.every(({ version }) => version === 1));
    });
  });

test("churn: an artefact that is lost is a model that is away", async () => {
  const { versions } = await host.client(Models, "test").list({ name: "churn" }, host.context());
  const key = `models/demo/churn/${versions[0]?.lineage?.sha256}.onnx`;
  const artefact = await host.adapters.objects.get(key);
  await underLoad(ask, async (load) => {
    await load.until("the model answers", ({ partial }) => !partial);
    await host.adapters.objects.delete([key]);
    await host.adapters.models.unload({ name: "demo.churn", version: "1" });
    await load.until("the rule answers", ({ partial }) => partial);
    assert.ok((await load.next(60)).every(({ answer }) => answer.partial));
    await host.adapters.objects.put(key, artefact);
    await load.until("the model answers again", ({ partial }) => !partial);
  });
});

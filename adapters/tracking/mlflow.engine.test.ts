/** Against a real MLflow: what we write is read by its own search. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { z } from "zod";
import { openMlflow } from "./mlflow.ts";

const url = process.env["MARQUEE_TEST_MLFLOW"] ? (process.env["MARQUEE_MLFLOW_URL"] ?? "") : "";
const skip = url === "" && "needs an MLflow: run by npm run test:engines";
const Pairs = z.array(z.object({ key: z.string(), value: z.string() }));
const Found = z.object({
  runs: z.array(
    z.object({
      info: z.object({ status: z.string(), start_time: z.number(), end_time: z.number(), run_name: z.string() }),
      data: z.object({
        ...{ params: Pairs, tags: Pairs },
        metrics: z.array(z.object({ key: z.string(), value: z.number() })),
      }),
    }),
  ),
});

async function ask(path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${url}/api/2.0/mlflow/${path}`, {
    ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
    headers: { "content-type": "application/json" },
  });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

test("MLflow shows a run with all that was said of it, once, and where its version stands now", { skip }, async () => {
  const tracking = openMlflow({ url });
  const experiment = `marquee/test-${randomUUID()}`;
  const run = {
    ...{ experiment, key: "demo/churn/3", startedAtMs: 1_700_000_000_000, endedAtMs: 1_700_000_060_000 },
    params: { trees: "60", learningRate: "0.08", features: "a,b,c,".repeat(100) },
    metrics: { auc: 0.8125, incumbentAuc: 0.75, "tuning.gainLow": -0.001, "importance.sessions_7d": 0.25 },
    tags: { tenant: "demo", stage: "canary", reason: "AUC 0.8125, 'the rule' has 0.7500" },
  };
  const never = new AbortController().signal;
  await tracking.note(run, never);
  await tracking.note({ ...run, tags: { ...run.tags, stage: "production" } }, never);
  await tracking.note({ ...run, key: "other/churn/3" }, never);
  const { experiment: made } = z
    .object({ experiment: z.object({ experiment_id: z.string() }) })
    .parse(await ask(`experiments/get-by-name?${new URLSearchParams({ experiment_name: experiment }).toString()}`));
  const search = { experiment_ids: [made.experiment_id], max_results: 10, filter: "tags.tenant = 'demo'" };
  const { runs } = Found.parse(await ask("runs/search", search));
  assert.deepEqual(runs.map(({ info }) => info.run_name).toSorted(), ["demo/churn/3", "other/churn/3"]);
  const found = runs.find(({ info }) => info.run_name === run.key);
  assert.ok(found);
  const { info, data } = found;
  assert.deepEqual([info.status, info.start_time, info.end_time], ["FINISHED", run.startedAtMs, run.endedAtMs]);
  const pairs = (of: z.infer<typeof Pairs>) => Object.fromEntries(of.map(({ key, value }) => [key, value]));
  assert.deepEqual(Object.fromEntries(data.metrics.map(({ key, value }) => [key, value])), run.metrics);
  assert.equal(pairs(data.params)["learningRate"], "0.08");
  const tags = pairs(data.tags);
  assert.deepEqual([tags["stage"], tags["reason"]], ["production", run.tags.reason]);
});

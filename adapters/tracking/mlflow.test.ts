import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { z } from "zod";
import { Problem } from "#kernel/errors";
import type { TrackedRun } from "#kernel/ports/tracking";
import { openMlflow } from "./mlflow.ts";

/** As MLflow publishes what it takes (mlflow.org, "REST API", 2.0): nothing more, and nothing of another kind. */
const Pairs = z.array(z.strictObject({ key: z.string().max(250), value: z.string().max(5_000) })).max(100);
const TAKEN = {
  "experiments/create": z.strictObject({ name: z.string().min(1) }),
  "runs/search": z.strictObject({
    ...{ experiment_ids: z.array(z.string()), filter: z.string(), max_results: z.int().min(1).max(50_000) },
    order_by: z.array(z.string()),
  }),
  "runs/create": z.strictObject({
    ...{ experiment_id: z.string(), run_name: z.string(), start_time: z.int(), tags: Pairs },
  }),
  "runs/log-batch": z.strictObject({
    ...{ run_id: z.string(), params: Pairs, tags: Pairs },
    metrics: z
      .array(z.strictObject({ key: z.string().max(250), value: z.number(), timestamp: z.int(), step: z.int() }))
      .max(1_000),
  }),
  "runs/update": z.strictObject({ run_id: z.string(), status: z.enum(["FINISHED", "FAILED"]), end_time: z.int() }),
} as const;

interface Kept {
  readonly tags: Map<string, string>;
  readonly params: Map<string, string>;
  readonly metrics: Map<string, number>;
  end: number;
}

async function serve(t: TestContext, handle: RequestListener): Promise<string> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Keeps experiments and runs as MLflow does, parameters that change refused among them. */
async function openServer(t: TestContext) {
  const experiments: string[] = [];
  const runs: Kept[] = [];
  const asked: string[] = [];
  const answer = (path: string, body: never, name: string | null): [number, object] => {
    if (path === "experiments/get-by-name") {
      const at = experiments.indexOf(name ?? "");
      return at < 0
        ? [404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "" }]
        : [200, { experiment: { experiment_id: String(at), name, lifecycle_stage: "active" } }];
    }
    if (!(path in TAKEN)) return [404, { error_code: "ENDPOINT_NOT_FOUND" }];
    const said = TAKEN[path as keyof typeof TAKEN].parse(body);
    if ("name" in said) return [200, { experiment_id: String(experiments.push(said.name) - 1) }];
    if ("filter" in said) {
      const wanted = /^tags\.`marquee\.version` = '([^']+)'$/.exec(said.filter)?.[1];
      const at = runs.findIndex(({ tags }) => tags.get("marquee.version") === wanted);
      // As protobuf writes it: without the empty list.
      return [200, at < 0 ? {} : { runs: [{ info: { run_id: String(at) } }] }];
    }
    if ("run_name" in said) {
      const tags = new Map(said.tags.map(({ key, value }) => [key, value]));
      return [
        200,
        { run: { info: { run_id: String(runs.push({ tags, params: new Map(), metrics: new Map(), end: 0 }) - 1) } } },
      ];
    }
    const run = runs[Number(said.run_id)];
    if (!run) return [404, { error_code: "RESOURCE_DOES_NOT_EXIST" }];
    if ("end_time" in said) {
      run.end = said.end_time;
      return [200, { run_info: { run_id: said.run_id, status: said.status } }];
    }
    for (const { key, value } of said.params) {
      if ((run.params.get(key) ?? value) !== value) return [400, { error_code: "INVALID_PARAMETER_VALUE" }];
      run.params.set(key, value);
    }
    for (const { key, value } of said.tags) run.tags.set(key, value);
    for (const { key, value } of said.metrics) run.metrics.set(key, value);
    return [200, {}];
  };
  const url = await serve(t, async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    const path = pathname.replace("/api/2.0/mlflow/", "");
    asked.push(path);
    assert.equal(request.headers.authorization, "Bearer secret");
    const body = request.method === "POST" ? await json(request) : undefined;
    const [status, said] = answer(path, body as never, searchParams.get("experiment_name"));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(said));
  });
  return { url, experiments, runs, asked };
}

const run: TrackedRun = {
  ...{ experiment: "marquee/churn", key: "demo/churn/3", startedAtMs: 1_000, endedAtMs: 2_000 },
  params: { trees: "60", features: "x".repeat(9_000) },
  metrics: { auc: 0.8, nothing: Number.NaN },
  tags: { stage: "candidate", tenant: "demo" },
};
const never = new AbortController().signal;

test("a run is made once, and brought up to date after that", async (t) => {
  const { url, experiments, runs, asked } = await openServer(t);
  const tracking = openMlflow({ url, token: "secret" });
  await tracking.note(run, never);
  await tracking.note({ ...run, tags: { ...run.tags, stage: "canary" } }, never);
  await tracking.note({ ...run, key: "demo/churn/4" }, never);
  assert.deepEqual([experiments, runs.length], [["marquee/churn"], 2]);
  const [kept] = runs;
  assert.deepEqual(Object.fromEntries(kept?.tags ?? []), {
    ...{ "marquee.version": "demo/churn/3", stage: "canary", tenant: "demo" },
  });
  assert.deepEqual([...(kept?.metrics ?? [])], [["auc", 0.8]]);
  assert.deepEqual([kept?.params.get("trees"), kept?.params.get("features")?.length, kept?.end], ["60", 250, 2_000]);
  assert.equal(asked.filter((path) => path === "runs/create").length, 2);
  await assert.rejects(tracking.note({ ...run, key: "a' OR tags.x = 'b" }, never), /is no key/);
});

test("what a server does wrong is said with its remedy", async (t) => {
  const cases: readonly (readonly [string, RegExp, RequestListener])[] = [
    ["failed_precondition", /MARQUEE_MLFLOW_TOKEN/, (_, response) => response.writeHead(401).end()],
    ["failed_precondition", /400 \(BAD\)/, (_, response) => response.writeHead(400).end('{"error_code":"BAD"}')],
    ["unavailable", /503/, (_, response) => response.writeHead(503).end()],
    ["unavailable", /something else/, (_, response) => response.end("<html>")],
    ["unavailable", /MARQUEE_MLFLOW_URL/, (_, response) => response.destroy()],
    [
      ...(["failed_precondition", /restore it/] as const),
      (_, response) => response.end('{"experiment":{"experiment_id":"1","lifecycle_stage":"deleted"}}'),
    ],
  ];
  for (const [code, message, handle] of cases)
    await assert.rejects(openMlflow({ url: await serve(t, handle) }).note(run, never), (error: unknown) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  await assert.rejects(
    openMlflow({ url: "http://127.0.0.1:1" }).note(run, AbortSignal.abort(new Error("enough"))),
    /enough/,
  );
});

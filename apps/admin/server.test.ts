import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { Auth } from "#contracts/auth";
import { Tenant } from "#contracts/tenant";
import { type Context, Problem, problem } from "#kernel";
import { inSpan } from "#kernel/telemetry";
import { startTracing, type Tracing } from "#kernel/tracing";
import { adminClient } from "../cli/client.ts";
import { openHealth, type Readiness, type States } from "./health.ts";
import { adminSocketPath, isAnswering, prepareSocket, usableAddress } from "./socket.ts";
import { fakeService, startTestAdmin, type TestAdmin } from "./testing.ts";

let product: TestAdmin;
let tracing: Tracing;
let isWell = true;
const asked: Context[] = [];

before(async () => {
  tracing = startTracing({ mode: "development" });
  const tenants = fakeService(Tenant, {
    async get({ id }, context) {
      asked.push(context);
      if (id === "") throw problem.invalid("a tenant has an id");
      if (id === "gone")
        throw problem.notFound("tenant 'gone' does not exist", { reason: "tenant_unknown", details: { id } });
      return { tenant: { id, name: "Lumière 🎬", hosts: ["a.test"], accent: "#f2b46b" } };
    },
  });
  const accounts = fakeService(Auth, {
    async setPassword({ userId }) {
      if (userId === "") throw problem.invalid("user_id is missing");
      return {};
    },
  });
  product = await startTestAdmin({
    services: [tenants, accounts],
    traces: tracing.traces,
    consoleLink: async (tenant) => ({ url: `http://127.0.0.1:1/enter#the-code-of-${tenant}`, endsAtMs: 60_000 }),
    states: async () => ({
      "service/tenant": { ok: true, detail: "ready" },
      "adapter/postgres": isWell ? { ok: true, detail: "PostgreSQL 18" } : { ok: false, detail: "it does not answer" },
    }),
  });
});
after(async () => {
  await product.stop();
  await tracing.stop();
});

const client = () => adminClient({ socketPath: product.socketPath, tenant: "demo", dataFolder: product.dataFolder });
const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${product.admin.port}${path}`, { headers });

/** A request to the socket as curl would make it. */
function raw(
  method: string,
  path: string,
  body = "",
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath: product.socketPath, method, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }));
    });
    request.once("error", reject);
    request.end(body);
  });
}

test("a call goes to the service with the operator's tenant and comes back whole", async () => {
  const { tenant } = await client().of(Tenant).get({ id: "acme" });
  assert.equal(tenant?.name, "Lumière 🎬");
  assert.deepEqual(tenant?.hosts, ["a.test"]);
  const context = asked.at(-1);
  assert.equal(context?.tenant, "demo");
  assert.equal(context?.viewer, null);
});

test("a service's problem arrives as itself", async () => {
  await assert.rejects(client().of(Tenant).get({ id: "gone" }), (error) => {
    assert.ok(error instanceof Problem);
    assert.equal(error.code, "not_found");
    assert.equal(error.reason, "tenant_unknown");
    assert.equal(error.message, "tenant 'gone' does not exist");
    assert.equal(error.details["id"], "gone");
    return true;
  });
});

test("what the operator changes is in the audit log, with what came of it and without secrets; what is read is not", async () => {
  await client().of(Tenant).get({ id: "acme" });
  const before = await product.audited();
  assert.ok(before.every(({ what }) => what !== "tenant.get"));
  await client().of(Auth).setPassword({ userId: "usr_1", password: "hunter2" });
  await assert.rejects(client().of(Auth).setPassword({ userId: "", password: "hunter2" }), {
    code: "invalid_argument",
  });
  const lines = (await product.audited()).slice(before.length);
  assert.deepEqual(
    lines.map(({ tenant, service, who, what, on, from, outcome }) => ({
      tenant,
      service,
      who,
      what,
      on,
      from,
      outcome,
    })),
    [
      ["userId=usr_1", "ok"],
      ["", "invalid_argument"],
    ].map(([on, outcome]) => ({
      ...{ tenant: "demo", service: "admin", who: "operator", what: "auth.setPassword", on },
      ...{ from: "socket", outcome },
    })),
  );
  assert.doesNotMatch(JSON.stringify(lines), /hunter2/);
});

test("what is not a call of ours is refused with the remedy", async () => {
  const headers = { "x-marquee-tenant": "demo" };
  const problemOf = async (answer: Promise<{ status: number; body: unknown }>) => {
    const { status, body } = await answer;
    return { status, detail: (body as { detail: string }).detail };
  };
  assert.match(
    (await problemOf(raw("POST", "/call/films/get", "{}", headers))).detail,
    /no service 'films'; there are auth, backbone, tenant/,
  );
  assert.match(
    (await problemOf(raw("POST", "/call/tenant/sell", "{}", headers))).detail,
    /'tenant' has no call 'sell'/,
  );
  assert.match((await problemOf(raw("POST", "/call/tenant/constructor", "{}", headers))).detail, /has no call/);
  assert.match(
    (await problemOf(raw("POST", "/call/tenant/get", "{", headers))).detail,
    /not a marquee.tenant.v1.GetRequest/,
  );
  assert.match((await problemOf(raw("POST", "/call/tenant/get", '{"nope":1}', headers))).detail, /nope/);
  assert.match((await problemOf(raw("POST", "/call/tenant/get", "{}"))).detail, /x-marquee-tenant is missing/);
  assert.match(
    (await problemOf(raw("POST", "/call/tenant/get", "{}", { "x-marquee-tenant": "../x" }))).detail,
    /is not of the form/,
  );
  assert.match(
    (await problemOf(raw("POST", "/call/tenant/get", "{}", { ...headers, "x-marquee-deadline-ms": "-1" }))).detail,
    /deadline/,
  );
  assert.equal((await raw("GET", "/call/tenant/get", "", headers)).status, 400);
  assert.equal((await raw("GET", "/metrics")).status, 404);
  // The spelling of the .proto file is as good as that of our clients.
  assert.equal((await raw("POST", "/call/tenant/Get", '{"id":"acme"}', headers)).status, 200);
});

test("the socket and its folder belong to the operator alone", { skip: process.platform === "win32" }, async () => {
  assert.equal((await stat(product.socketPath)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(product.socketPath))).mode & 0o777, 0o700);
});

test("a second product on the same data is refused, a killed one's socket is replaced", async () => {
  await assert.rejects(prepareSocket(product.socketPath), /another Marquee already runs here/);
  assert.equal(await isAnswering(product.socketPath), true);
  const folder = await mkdtemp(join(tmpdir(), "marquee-stale-"));
  const stale = adminSocketPath(folder);
  await prepareSocket(stale);
  await writeFile(stale, "");
  await prepareSocket(stale);
  await assert.rejects(stat(stale), { code: "ENOENT" });
  await rm(folder, { recursive: true });
});

test("a data folder with a long name has a socket that the system accepts", async () => {
  const long = join(tmpdir(), "x".repeat(120), "run", "admin.sock");
  const address = usableAddress(long);
  assert.ok(Buffer.byteLength(address) <= 100, address);
  assert.equal(usableAddress(address), address);
  assert.equal(adminSocketPath(join(tmpdir(), "x".repeat(120))), address);
  assert.notEqual(usableAddress(long.replace("x", "y")), address);
});

test("/metrics is Prometheus text", async () => {
  await client().of(Tenant).get({ id: "acme" });
  const response = await get("/metrics");
  assert.match(response.headers.get("content-type") ?? "", /text\/plain/);
  assert.match(
    await response.text(),
    /marquee_call_duration_seconds_count\{service="tenant",method="Get",code="ok"\} [1-9]/,
  );
});

test("/healthz and /readyz tell life from readiness", async () => {
  assert.equal((await get("/healthz")).status, 200);
  const ready = await get("/readyz");
  assert.equal(ready.status, 200);
  assert.deepEqual(await ready.json(), {
    status: "ready",
    services: { tenant: { ok: true, detail: "ready" } },
    adapters: { postgres: { ok: true, detail: "PostgreSQL 18" } },
  });
  isWell = false;
  // The operator's own question is never answered from memory.
  const about = await client().about();
  assert.equal(about.status, "not ready");
  assert.equal(about.adapters["postgres"]?.detail, "it does not answer");
  assert.equal(about["url"], "http://localhost:8080");
  isWell = true;
});

test("the port answers to names of this machine only, and to nothing but its pages", async () => {
  const rebound = await new Promise<number>((resolve, reject) => {
    httpRequest(
      { host: "127.0.0.1", port: product.admin.port, path: "/metrics", headers: { host: "evil.example" } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    )
      .once("error", reject)
      .end();
  });
  assert.equal(rebound, 403);
  assert.equal((await get("/call/tenant/get")).status, 404);
});

test("/debug/traces shows the last traces, escaped", async () => {
  let traceId = "";
  await inSpan("<b>Play</b>", { "rpc.method": "Start" }, null, async (span) => {
    traceId = span.spanContext().traceId;
    await inSpan("token/Issue", {}, null, async () => {});
  });
  const page = await (await get("/debug/traces")).text();
  assert.ok(page.includes("&#60;b&#62;Play") && !page.includes("<b>Play"));
  const { spans, name } = (await (await get(`/debug/traces/${traceId}?format=json`)).json()) as {
    name: string;
    spans: unknown[];
  };
  assert.equal(name, "<b>Play</b>");
  assert.equal(spans.length, 2);
  assert.match(await (await get(`/debug/traces/${traceId}`)).text(), /token\/Issue/);
  assert.equal((await get("/debug/traces/0123")).status, 404);
});

test("without traces there is no such page; a product that ended is told as not running", async () => {
  const quiet = await startTestAdmin({});
  assert.equal((await fetch(`http://127.0.0.1:${quiet.admin.port}/debug/traces`)).status, 404);
  await quiet.stop();
  const gone = adminClient({ socketPath: quiet.socketPath, tenant: "demo", dataFolder: "/films" });
  await assert.rejects(gone.about(), /not running here: start it with npm start \(MARQUEE_DATA=\/films\)/);
});

test("the socket gives links to the console, for a tenant, and each is recorded without its code", async () => {
  const link = await client().consoleLink({ deadlineMs: 1_000 });
  assert.deepEqual(link, { url: "http://127.0.0.1:1/enter#the-code-of-demo", endsAtMs: 60_000 });
  const [last] = (await product.audited()).slice(-1);
  assert.deepEqual([last?.["what"], last?.["from"], last?.["outcome"]], ["console.link", "socket", "ok"]);
  assert.ok(!JSON.stringify(await product.audited()).includes("the-code"));
  assert.equal((await raw("GET", "/console", "", { "x-marquee-tenant": "demo" })).status, 400);
  assert.equal((await raw("POST", "/console")).status, 400, "nobody said whose titles are meant");
  assert.equal((await get("/console")).status, 404, "the port for machines gives none");
});

test("a port that another program holds is named, and the socket is let go", async () => {
  const { port } = product.admin;
  await assert.rejects(startTestAdmin({ port }), new RegExp(`127.0.0.1:${port} is taken by another program`));
});

test("readiness is 503 when a part is not well, fails or hangs", async (t) => {
  const statusOf = async (states: States): Promise<{ status: number; body: Readiness }> => {
    const health = openHealth(states);
    let status = 0;
    let text = "";
    const response = { writeHead: (code: number) => (status = code), end: (body: string) => (text = body) };
    await health.readyz({ method: "GET" } as IncomingMessage, response as unknown as ServerResponse);
    return { status, body: JSON.parse(text) as Readiness };
  };
  const ill = await statusOf(async () => ({ "adapter/log": { ok: false, detail: "disk full" } }));
  assert.equal(ill.status, 503);
  assert.deepEqual(ill.body.adapters, { log: { ok: false, detail: "disk full" } });
  const thrown = await statusOf(async () => Promise.reject(problem.unavailable("the kernel is stopping")));
  assert.equal(thrown.body.services["kernel"]?.detail, "the kernel is stopping");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const hanging = statusOf(() => new Promise(() => {}));
  t.mock.timers.tick(5_000);
  assert.match((await hanging).body.services["kernel"]?.detail ?? "", /no answer within 5 s/);
});

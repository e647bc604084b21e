import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Catalog } from "#contracts/catalog";
import { Experiments } from "#contracts/experiments";
import { Metadata } from "#contracts/metadata";
import { Models } from "#contracts/models";
import { type Context, problem } from "#kernel";
import { openAuditLog } from "#kernel/audit";
import { testClock } from "#kernel/clock";
import { openMetrics } from "#kernel/metrics";
import { localTransport } from "#kernel/rpc";
import { silentLogger } from "#kernel/telemetry";
import { fakeService } from "../admin/testing.ts";
import { allowedCalls } from "./allowed.ts";
import { type Console, openConsole } from "./server.ts";
import { CODE_MS, SESSION_MS } from "./sessions.ts";

const clock = testClock();
const asked: Context[] = [];
let folder: string;
let pages: Console;
let audit: Awaited<ReturnType<typeof openAuditLog>>;
let origin: string;
let builds = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "marquee-console-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>Console</title>");
  await writeFile(join(folder, "assets/main-1.js"), "export {};");
  audit = await openAuditLog({ file: join(folder, "audit.log") });
  const metrics = openMetrics();
  const transport = localTransport({ clock, metrics });
  const services = [
    fakeService(Metadata, {
      async findings(_, context) {
        asked.push(context);
        return { findings: [{ id: "fnd_1", contentId: "vod_1", kind: "language", label: "a word" }] };
      },
      async decide({ id }) {
        if (id !== "fnd_1") throw problem.notFound(`there is no finding '${id}'`);
        return { finding: { id, state: "rejected" } };
      },
      picture: async ({ timeMs }) => ({ picture: new Uint8Array([timeMs % 256]) }),
    }),
    fakeService(Models, {}),
    fakeService(Experiments, {}),
    fakeService(Catalog, {}),
  ];
  for (const { contract, handlers } of services) transport.mount(contract, handlers);
  pages = openConsole({
    ...{ host: transport, audit: audit.of("console"), clock, logger: silentLogger, metrics, port: 0 },
    publicUrl: "http://localhost:8080",
    build: async () => {
      builds += 1;
      return folder;
    },
  });
});
after(async () => {
  await pages.stop();
  await audit.close();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly reason: string;
}

/** As a program would ask, which may set every header. */
function ask(method: string, path: string, headers: Record<string, string> = {}, body = ""): Promise<Answer> {
  const { port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => {
        const type = text.startsWith("{") ? ((JSON.parse(text) as { type?: string }).type ?? "") : "";
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, reason: type.slice(10) });
      });
    });
    request.once("error", reject);
    request.end(body);
  });
}
const OWN = { "content-type": "application/json" };
const post = (path: string, value: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  ask("POST", path, { ...OWN, origin, ...headers }, JSON.stringify(value));
const linked = async (): Promise<string> => {
  const { url } = await pages.link("demo");
  origin = new URL(url).origin;
  return new URL(url).hash.slice(1);
};
async function entered(): Promise<string> {
  const { status, headers } = await post("/api/enter", { code: await linked() });
  assert.equal(status, 200);
  return String(headers["set-cookie"]?.[0]).split(";", 1)[0] ?? "";
}
const audited = async (): Promise<string[]> =>
  (await readFile(join(folder, "audit.log"), "utf8"))
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const { what, on, from, outcome } = JSON.parse(line) as Record<string, string>;
      return [what, on, from, outcome].join(" | ");
    });

test("nobody listens and nothing is built until somebody asks for a link", async () => {
  assert.equal(builds, 0);
  const { url, endsAtMs } = await pages.link("demo");
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/enter#[\w-]{43}$/);
  assert.equal(endsAtMs, clock.nowMs() + CODE_MS);
  await pages.link("demo");
  assert.equal(builds, 1);
});

test("a link opens one session: the cookie is for our calls alone, and no script sees it", async () => {
  const code = await linked();
  const first = await post("/api/enter", { code });
  assert.equal(first.status, 200);
  const { port } = new URL(origin);
  assert.match(
    String(first.headers["set-cookie"]),
    new RegExp(`^marquee-console-${port}=[\\w-]{43}; Path=/api/; Max-Age=28800; HttpOnly; SameSite=Strict$`),
  );
  const { tenant, publicUrl, label } = JSON.parse(first.text) as Record<string, string>;
  assert.deepEqual([tenant, publicUrl], ["demo", "http://localhost:8080"]);
  assert.match(label ?? "", /^[0-9a-f]{8}$/);
  const again = await post("/api/enter", { code });
  assert.deepEqual([again.status, again.reason, again.headers["set-cookie"]], [401, "link_over", undefined]);
});

test("a link that nobody opened within a minute is over, and so is a session after its hours", async () => {
  const code = await linked();
  await clock.advance(CODE_MS);
  assert.equal((await post("/api/enter", { code })).reason, "link_over");
  const cookie = await entered();
  await clock.advance(SESSION_MS - 1);
  assert.equal((await ask("GET", "/api/session", { cookie })).status, 200);
  await clock.advance(1);
  const { status, reason } = await ask("GET", "/api/session", { cookie });
  assert.deepEqual([status, reason], [401, "no_session"]);
});

test("who tries many links has to wait", async () => {
  await linked();
  for (let tries = 0; tries < 30; tries += 1) await post("/api/enter", { code: "x".repeat(43) });
  const { status } = await post("/api/enter", { code: await linked() });
  assert.equal(status, 429);
  await clock.advance(60_000);
  assert.equal((await post("/api/enter", { code: await linked() })).status, 200);
});

test("without a session there is nothing but the pages, which hold no data", async () => {
  await linked();
  for (const [method, path] of [
    ["GET", "/api/session"],
    ["POST", "/api/call/metadata/findings"],
    ["GET", "/api/picture/vod_1/0"],
    ["POST", "/api/leave"],
  ] as const) {
    const { status, reason } = await ask(method, path, { ...OWN, ...(method === "POST" ? { origin } : {}) });
    assert.deepEqual([status, reason], [401, "no_session"], path);
  }
  const forged = await ask("GET", "/api/session", {
    cookie: `marquee-console-${new URL(origin).port}=${"a".repeat(43)}`,
  });
  assert.equal(forged.status, 401);
  const { status, headers, text } = await ask("GET", "/models");
  assert.equal(status, 200);
  assert.match(text, /<title>Console/);
  const policy = String(headers["content-security-policy"]);
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(headers["access-control-allow-origin"], undefined);
});

test("other names for this machine are refused, whatever they ask for", async () => {
  const cookie = await entered();
  const { port } = new URL(origin);
  for (const host of [`localhost:${port}`, `evil.test:${port}`, "127.0.0.1", "127.0.0.1:1"])
    for (const path of ["/", "/assets/main-1.js", "/api/session"]) {
      const { status, reason } = await ask("GET", path, { cookie, host });
      assert.deepEqual([status, reason], [403, "foreign_host"], `${host} ${path}`);
    }
});

test("other pages are refused, also those of another port of this machine and those that hide where they are from", async () => {
  const cookie = await entered();
  const before = asked.length;
  for (const foreign of ["http://localhost:8080", "https://evil.test", "null", origin.replace("http:", "https:")]) {
    const { status, reason } = await post("/api/call/metadata/findings", {}, { cookie, origin: foreign });
    assert.deepEqual([status, reason], [403, "foreign_origin"], foreign);
  }
  const without = await ask("POST", "/api/call/metadata/findings", { ...OWN, cookie }, "{}");
  assert.equal(without.reason, "foreign_origin");
  for (const site of ["same-site", "cross-site", "none"])
    assert.equal(
      (await post("/api/call/metadata/findings", {}, { cookie, "sec-fetch-site": site })).reason,
      "foreign_origin",
      site,
    );
  for (const site of ["same-site", "cross-site"])
    assert.equal((await ask("GET", "/api/picture/vod_1/7", { cookie, "sec-fetch-site": site })).status, 403, site);
  assert.equal(asked.length, before, "no call was made");
  assert.equal(
    (await post("/api/call/metadata/findings", {}, { cookie, "sec-fetch-site": "same-origin" })).status,
    200,
  );
});

test("what a plain form of another page could send is refused", async () => {
  const cookie = await entered();
  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/jsonp",
    "",
  ]) {
    const { status, reason } = await post("/api/call/metadata/findings", {}, { cookie, "content-type": type });
    assert.deepEqual([status, reason], [415, "not_json"], type);
  }
  const own = { cookie, "content-type": "application/json; charset=utf-8" };
  assert.equal((await post("/api/call/metadata/findings", {}, own)).status, 200);
});

test("the pages make the calls that they need and no others, for the tenant of their link", async () => {
  const cookie = await entered();
  const found = await post("/api/call/metadata/findings", { state: "waiting" }, { cookie, "x-marquee-tenant": "acme" });
  assert.equal((JSON.parse(found.text) as { findings: { label: string }[] }).findings[0]?.label, "a word");
  assert.deepEqual([asked.at(-1)?.tenant, asked.at(-1)?.viewer], ["demo", null]);
  for (const path of [
    "metadata/takeWeights",
    "models/predictChurn",
    "catalog/delete",
    "keys/get",
    "auth/setPassword",
  ]) {
    const { status, reason } = await post(`/api/call/${path}`, {}, { cookie });
    assert.deepEqual([status, reason], [404, "call_unknown"], path);
  }
  assert.equal((await ask("PUT", "/api/call/metadata/findings", { ...OWN, origin, cookie })).status, 404);
  assert.equal((await post("/api/call/metadata/findings", { state: 7 }, { cookie })).status, 400);
  const names = [...allowedCalls];
  assert.ok(names.includes("metadata/decide") && !names.some((name) => /delete|takeWeights|predict/i.test(name)));
});

test("what is changed is in the audit log with the session that changed it, and what is read is not", async () => {
  const before = (await audited()).length;
  const code = await linked();
  const { headers, text } = await post("/api/enter", { code });
  const { label } = JSON.parse(text) as { label: string };
  const cookie = String(headers["set-cookie"]?.[0]).split(";", 1)[0] ?? "";
  await post("/api/call/metadata/findings", {}, { cookie });
  await post("/api/call/metadata/decide", { id: "fnd_1", verdict: "rejected" }, { cookie });
  await post("/api/call/metadata/decide", { id: "fnd_2", verdict: "rejected" }, { cookie });
  await post("/api/leave", {}, { cookie });
  await post("/api/enter", { code });
  assert.deepEqual((await audited()).slice(before), [
    "console.enter |  | console | ok",
    `metadata.decide | id=fnd_1 verdict=rejected | console ${label} | ok`,
    `metadata.decide | id=fnd_2 verdict=rejected | console ${label} | not_found`,
    `console.leave |  | console ${label} | ok`,
    "console.enter |  | console | unauthenticated",
  ]);
  assert.equal((await ask("GET", "/api/session", { cookie })).status, 401, "who has left is out");
  const everything = await readFile(join(folder, "audit.log"), "utf8");
  assert.ok(!everything.includes(code) && !everything.includes(cookie.split("=")[1] ?? "?"), "no secret is written");
});

test("pictures come as what they are, and files by their names alone", async () => {
  const cookie = await entered();
  const picture = await ask("GET", "/api/picture/vod_1/65", { cookie });
  assert.deepEqual([picture.status, picture.headers["content-type"], picture.text], [200, "image/jpeg", "A"]);
  assert.equal((await ask("GET", "/api/picture/vod_1/now", { cookie })).status, 400);
  const script = await ask("GET", "/assets/main-1.js");
  assert.match(String(script.headers["content-type"]), /javascript/);
  for (const path of [
    "/assets/none.js",
    "/../audit.log",
    "/audit.log",
    "/assets/%2e%2e/index.html",
    "/.vite/manifest.json",
  ])
    assert.equal((await ask("GET", path)).status, 404, path);
});

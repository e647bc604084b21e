/** Journeys through the product as their traces tell them: who called whom, and what came of what. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { VIEWER } from "#kernel/pseudonyms";
import { startTracing, type TraceRecord, type Tracing } from "#kernel/tracing";
import { isOf, type Journey } from "../../apps/journeys.ts";
import { findProgram } from "../../engines/programs.ts";
import { drawClip } from "../content/setup.ts";
import { openBrowser, openStage, PASSWORD, type Stage } from "./stage.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

let stage: Stage;
let tracing: Tracing;
let account: Awaited<ReturnType<Stage["newAccount"]>>;
const ffmpeg = process.env["FFMPEG_PATH"] ?? (await findProgram("ffmpeg"));

before(async () => {
  tracing = startTracing({ mode: "development" });
  stage = await openStage();
  account = await stage.newAccount("ada@mail.example");
});
after(async () => {
  await stage.stop();
  await tracing.stop();
});

/** Each span with the one that called it, such as `session/Start > entitlement/Check`. */
function edgesOf({ spans }: TraceRecord): Set<string> {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return new Set(spans.map(({ name, parentSpanId }) => `${names.get(parentSpanId) ?? ""} > ${name}`));
}

function assertTree(trace: TraceRecord | undefined, edges: readonly string[]): asserts trace is TraceRecord {
  assert.ok(trace, "there is no such trace");
  const found = edgesOf(trace);
  for (const edge of edges) assert.ok(found.has(edge), `'${edge}' is not among ${[...found].join(", ")}`);
  assert.equal(new Set(trace.spans.map(({ spanId }) => spanId)).size, trace.spans.length);
}

const latest = (name: string): TraceRecord | undefined => tracing.traces.latest().find((trace) => trace.name === name);

/** A trace ends with the answer's connection, a moment after the answer is read. */
async function traceOf(name: string): Promise<TraceRecord | undefined> {
  for (let tries = 0; tries < 400 && latest(name) === undefined; tries++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return latest(name);
}

const linksOf = (trace: TraceRecord): readonly string[] => trace.spans.flatMap(({ linkedTraceIds }) => linkedTraceIds);

/** All traces that came of one, by their links. */
function cameOf(first: TraceRecord): TraceRecord[] {
  const found = new Map([[first.traceId, first]]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const trace of tracing.traces.latest())
      if (linksOf(trace).some((id) => found.has(id))) found.set(trace.traceId, trace);
  }
  found.delete(first.traceId);
  return [...found.values()];
}

const assertOf = (journey: Journey, ...traces: readonly TraceRecord[]): void => {
  for (const trace of traces) assert.ok(isOf(journey, trace), `'${trace.name}' is not of ${journey}`);
};

test("sign-in: the form, the provider, and back with a token", async () => {
  const browser = openBrowser(stage.publicUrl);
  const at = await browser.signIn(account.email, PASSWORD);
  assert.equal(at.origin, stage.publicUrl);
  assert.equal((await browser.request("/api/web/v1/profiles")).status, 200);
  const form = await traceOf("POST /sign-in");
  assertTree(form, [" > POST /sign-in", "POST /sign-in > auth/SignIn", "auth/SignIn > user/FindByEmail"]);
  const callback = await traceOf("GET /auth/callback");
  assertTree(callback, [" > GET /auth/callback"]);
  const provider = await traceOf("POST /oauth/");
  assertTree(provider, [" > POST /oauth/", "POST /oauth/ > tenant/Resolve", "POST /oauth/ > entitlement/Claims"]);
  assertOf("sign-in", form, callback, provider);
  const lines = (await readFile(join(stage.folder, "logs/audit.log"), "utf8")).split("\n").filter(Boolean);
  const line = lines
    .map((each) => JSON.parse(each) as Record<string, string>)
    .findLast((each) => each["what"] === "account.sign_in");
  assert.equal(line?.["who"], account.email);
  assert.equal(line?.["outcome"], "ok");
  assert.equal(line?.["trace_id"], form.traceId);
});

test("a sign-in that is refused is counted, recorded with where it came from, and told to nobody else", async () => {
  const at = await openBrowser(stage.publicUrl).signIn(account.email, "not it");
  assert.equal(at.pathname, "/sign-in");
  const lines = (await readFile(join(stage.folder, "logs/audit.log"), "utf8")).split("\n").filter(Boolean);
  const { what, who, outcome, reason, from = "" } = JSON.parse(lines.at(-1) ?? "{}") as Record<string, string>;
  assert.deepEqual(
    { what, who, outcome, reason },
    { what: "account.sign_in", who: account.email, outcome: "unauthenticated", reason: "credentials" },
  );
  assert.match(from, /127\.0\.0\.1|::1/);
  assert.doesNotMatch(lines.join(""), /not it|correct horse/);
  assert.match(await stage.metrics.text(), /^marquee_auth_sign_ins_total\{way="password",code="unauthenticated"\} 1$/m);
});

test("ingest to playable, playback start, search, home: one film from its file to a player", {
  skip: ffmpeg === undefined && "there is no ffmpeg",
}, async (t) => {
  const folder = await makeTestFolder("journey");
  t.after(() => rm(folder, { recursive: true }));
  const clip = await drawClip(join(folder, "a film.mp4"), { seconds: 3 });
  assert.ok(existsSync(clip));
  const context = stage.context();
  const { contentId } = await stage
    .client(Ingest, "admin")
    .import({ path: clip, preset: "quick", publish: true }, context);
  const encodings = stage.client(Encoding, "test");
  for (let tries = 0; ; tries++) {
    const state = await encodings.get({ contentId }, stage.context()).then(
      ({ encoding }) => encoding?.state,
      () => "",
    );
    if (state === "complete") break;
    assert.ok(tries < 240 && state !== "failed", `the film is ${state}`);
    // Each question is a trace too, and only the latest are kept: too many of them would push out those that are looked for.
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await stage.settled();

  const root = await traceOf("ingest/Import");
  assertTree(root, [" > ingest/Import"]);
  const came = cameOf(root);
  const names = came.map(({ name }) => name);
  for (const wanted of ["ingest works on ingest", "encoding works on encoding"])
    assert.ok(names.includes(wanted), `'${wanted}' did not come of the import: ${names.join(", ")}`);
  // The accepted file reaches encoding as an event, whose jobs come of it, and what they make reaches the catalogue.
  const having = (pattern: RegExp) =>
    [root, ...came].filter(({ spans }) => spans.some(({ name }) => pattern.test(name)));
  const [accepted] = having(/^encoding consumes content\.ingest/);
  const packaged = came.find((trace) => edgesOf(trace).has("encoding works on encoding > keys/CreateSet"));
  const shown = having(/^catalog consumes content\.ingest/);
  assert.ok(accepted && packaged && shown.length > 0, names.join(", "));
  assert.ok(
    came.some((trace) => trace.name === "encoding works on encoding" && linksOf(trace).includes(accepted.traceId)),
  );
  assert.ok(shown.some((trace) => trace === packaged || linksOf(trace).includes(packaged.traceId)));
  assertOf("ingest", root, accepted, packaged, ...shown);
  assertOf("events", accepted, ...shown);

  await playback(contentId);
});

async function playback(contentId: string): Promise<void> {
  const browser = openBrowser(stage.publicUrl);
  await browser.signIn(account.email, PASSWORD);
  await browser.request("/profiles/select", {
    method: "POST",
    body: new URLSearchParams({ profileId: account.profileId }),
  });
  const { title } = await stage.client(Catalog, "test").get({ id: contentId }, stage.context());
  assert.equal(title?.state, "playable");
  const started = await browser.request("/api/web/v1/playback/sessions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ contentId, device: { id: "living-room", type: "web", name: "A browser" } }),
  });
  const answer = (await started.json()) as { readonly sessionId: string };
  assert.equal(started.status, 201, JSON.stringify(answer));
  const trace = await traceOf("POST /api/web/v1/playback/sessions");
  assertTree(trace, [
    " > POST /api/web/v1/playback/sessions",
    "POST /api/web/v1/playback/sessions > session/Start",
    ...[
      "entitlement/Check",
      "catalog/Get",
      "routing/Select",
      "origin/Locate",
      "bookmark/Get",
      "token/Issue",
      "license/Locate",
    ].map((call) => `session/Start > ${call}`),
  ]);
  assertOf("playback", trace);
  const start = trace.spans.find(({ name }) => name === "session/Start");
  assert.equal(start?.attributes[VIEWER], stage.pseudonyms.of(account.userId));
  assert.doesNotMatch(JSON.stringify(trace), new RegExp(`${account.userId}|${account.email}`));
  // What the start announces goes on in its trace, and together with what others announce in traces that say what they came of.
  await stage.settled();
  const fanned = [...tracing.traces.latest().filter(({ traceId }) => traceId === trace.traceId), ...cameOf(trace)];
  assert.ok(
    fanned.some((each) => isOf("events", each) && each.spans.some(({ name }) => name.startsWith("bookmark consumes "))),
  );

  assert.equal((await browser.request("/api/web/v1/home")).status, 200);
  const home = await traceOf("GET /api/web/v1/home");
  assertTree(home, [" > GET /api/web/v1/home", "GET /api/web/v1/home > catalog/List"]);
  assertOf("home", home);
  // The index begins with the first question, which a search would not wait for.
  assert.equal((await browser.request("/api/web/v1/search/suggestions?q=film")).status, 200);
  assert.equal((await browser.request("/api/web/v1/search?q=film")).status, 200);
  const search = await traceOf("GET /api/web/v1/search");
  assertTree(search, [" > GET /api/web/v1/search", "GET /api/web/v1/search > search/Query"]);
  assertOf("search", search);
  const text = await stage.metrics.text();
  assert.match(text, /^marquee_playback_starts_total\{content_type="vod",device="web"\} 1$/m);
  assert.match(text, /^marquee_search_queries_total\{type="text"\} 1$/m);
  assert.match(text, /^marquee_ingests_total\{outcome="accepted",reason=""\} 1$/m);
  assert.match(text, /^marquee_encodings_total\{outcome="complete"\} 1$/m);
}

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { User } from "#contracts/user";
import { problem } from "#kernel";
import { inSpan } from "#kernel/telemetry";
import { startTracing, type Tracing } from "#kernel/tracing";
import { fakeService, startTestAdmin, type TestAdmin } from "../admin/testing.ts";
import type { Cli } from "./cli.ts";
import { adminClient } from "./client.ts";
import { showPseudonym, showTraces } from "./traces.ts";

let tracing: Tracing;
let product: TestAdmin;
let out: string[] = [];
let notes: string[] = [];
let playId = "";

function cli(): Cli {
  const { socketPath, dataFolder } = product;
  const terminal = {
    ...{ columns: 120, isScreen: false, redraw: () => {}, ask: async () => "" },
    out: (line: string) => void out.push(line),
    note: (line: string) => void notes.push(line),
  };
  const client = adminClient({ socketPath, tenant: "demo", dataFolder });
  return { terminal, client, dataFolder, root: "", path: (text: string) => text } as unknown as Cli;
}

before(async () => {
  tracing = startTracing({ mode: "development" });
  await inSpan("POST /api/web/v1/playback/sessions", {}, null, async (span) => {
    playId = span.spanContext().traceId;
    await inSpan("session/Start", {}, null, async () => {
      await inSpan("token/Issue", {}, null, async () => {});
    });
  });
  await inSpan("GET /api/web/v1/search", {}, null, async () => Promise.reject(problem.internal("no"))).catch(() => {});
  await inSpan("bookmark consumes playback.events", {}, null, async () => {});
  const users = fakeService(User, {
    findByEmail: async ({ email }) => ({ user: { id: "usr_1", email, name: "", language: "", createdAtMs: 0n } }),
  });
  product = await startTestAdmin({ services: [users], traces: tracing.traces });
});
after(async () => {
  await product.stop();
  await tracing.stop();
});

async function shown(id: string | undefined, options: { journey?: string; errors?: boolean; json?: boolean } = {}) {
  [out, notes] = [[], []];
  const { errors = false, json = false, ...rest } = options;
  const code = await showTraces(cli(), id, { ...rest, errors, json });
  return { code, text: out.join("\n"), lines: out };
}

test("traces are listed newest first, of a journey or with an error where that is asked for", async () => {
  const all = await shown(undefined);
  assert.ok(all.text.indexOf("bookmark consumes") < all.text.indexOf("POST /api"));
  const played = await shown(undefined, { journey: "playback" });
  assert.match(played.text, /POST \/api\/web\/v1\/playback\/sessions .* 3\s*$/);
  assert.doesNotMatch(played.text, /search|consumes/);
  assert.match((await shown(undefined, { journey: "events" })).text, /bookmark consumes/);
  const failed = await shown(undefined, { errors: true });
  assert.match(failed.text, /search .*error/);
  assert.doesNotMatch(failed.text, /playback/);
  await assert.rejects(
    shown(undefined, { journey: "holiday" }),
    /no journey 'holiday': it is one of sign-in, playback/,
  );
});

test("one trace is a tree, and JSON has all of its spans", async () => {
  const { lines, code } = await shown(playId.slice(0, 8));
  assert.equal(code, 0);
  assert.equal(lines[0]?.startsWith(playId), true);
  assert.match(lines[1] ?? "", /^ {2}POST \/api/);
  assert.match(lines[2] ?? "", /^ {4}session\/Start/);
  assert.match(lines[3] ?? "", /^ {6}token\/Issue/);
  const json = await shown(playId, { json: true });
  assert.equal((JSON.parse(json.text) as { spans: unknown[] }).spans.length, 3);
  assert.equal((await shown("ffffffffffffffff")).code, 1);
  assert.match(notes.join(), /No such trace/);
});

test("a pseudonym is given for an address as for an id", async () => {
  out = [];
  await showPseudonym(cli(), "ada@mail.example");
  await showPseudonym(cli(), "usr_1");
  assert.equal(out[0], out[1]);
  assert.match(out[0] ?? "", /^usr~/);
});

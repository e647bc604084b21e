/** What may be harmful, judged by a server that answers as OpenAI's moderations do: the queue, what was looked for, and what happens while it is away. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, test } from "node:test";
import { type ModerationServer, startModerationServer } from "#adapters/moderation/testing";
import { Problem } from "#kernel";
import { showEnrichment } from "../../apps/cli/enrich.ts";
import { cliOf } from "../discovery/cli.ts";
import { type ContentHost, drawClip, startContent } from "./setup.ts";

/** Blue, then red, which the server of this test takes for violence, then something else. */
const FILM = [
  "color=0x0000d0:size=320x180:rate=20:duration=8[a]",
  "color=0xd00000:size=320x180:rate=20:duration=4[b]",
  "testsrc2=size=320x180:rate=20:duration=8[c]",
  "[a][b][c]concat=n=3",
].join(";");
const FILM_S = 20;
/** Half a second apart. */
const FRAMES = 40;

let server: ModerationServer;
let host: ContentHost;
before(async () => {
  server = await startModerationServer();
  host = await startContent({
    withMetadata: true,
    env: { MARQUEE_MODERATION_URL: server.url, MARQUEE_MODERATION_TOKEN: server.key },
  });
});
after(async () => {
  await host?.stop();
  await server?.close();
});

async function takeIn(name: string): Promise<string> {
  const path = await drawClip(host.at(name), { pattern: FILM, seconds: FILM_S });
  const { contentId } = await host.imports.import(
    { path, preset: "quick", allowDuplicate: true, metadataJson: "{}" },
    host.context(),
  );
  await moderated(contentId);
  return contentId;
}
async function stepOf(contentId: string) {
  const { title } = await host.metadata.get({ contentId }, host.context());
  const step = title?.steps.find(({ name }) => name === "moderation");
  assert.ok(step);
  return { ...step, value: (step.valueJson === "" ? {} : JSON.parse(step.valueJson)) as Record<string, unknown> };
}
const moderated = (contentId: string) =>
  host.until(`moderation of ${contentId}`, async () => {
    const step = await stepOf(contentId).catch((error: unknown) => {
      if (error instanceof Problem && error.code === "not_found") return undefined;
      throw error;
    });
    return step && step.state !== "waiting" && step.state !== "running" && step;
  });
async function again(contentId: string) {
  await host.metadata.enrich({ contentId, step: "moderation" }, host.context());
  return moderated(contentId);
}
const waiting = async (contentId: string) =>
  (await host.metadata.findings({ contentId }, host.context())).findings.toSorted((a, b) => a.startS - b.startS);
const briefly = (findings: Awaited<ReturnType<typeof waiting>>) =>
  findings.map(({ kind, label, startS, endS }) => [kind, label, startS, endS]);
const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end("{}");

const VIOLENCE = ["violence", "graphic violence", 8.25, 12.25] as const;
let film: string;

test("frames are judged, and violence waits for a person with its stretch", { timeout: 120_000 }, async () => {
  film = await takeIn("film.mp4");
  const step = await stepOf(film);
  assert.deepEqual([step.state, step.model, step.version], ["done", "omni-moderation-latest", "remote"], step.message);
  assert.deepEqual(step.value["looked"], { nudity: true, violence: true, language: false, threats: false });
  assert.deepEqual(step.value["notLooked"], {
    language: "there are no subtitles",
    threats: "there are no subtitles",
  });
  assert.equal(step.value["frames"], FRAMES);
  const found = await waiting(film);
  assert.deepEqual(briefly(found), [VIOLENCE]);
  assert.deepEqual([found[0]?.model, found[0]?.version], ["omni-moderation-latest", "remote"]);
  assert.ok((found[0]?.score ?? 0) > 0.5);
  // Eight flagged frames have four closer looks each, and each request has one picture.
  assert.equal(server.asked.length, FRAMES + 8 * 4);
  assert.ok(server.asked.every(({ body }) => body.input.length === 1));
});

test("what is said is judged anew when somebody corrects it, and a verdict holds", { timeout: 120_000 }, async () => {
  const [violence] = await waiting(film);
  assert.ok(violence);
  await host.metadata.decide({ id: violence.id, verdict: "rejected" }, host.context());
  const cues = [
    { startS: 1, endS: 2, text: "Goedemorgen." },
    { startS: 3, endS: 4, text: "I'll kill you!" },
    { startS: 5, endS: 6, text: "He bled for days." },
  ];
  const valueJson = JSON.stringify({ language: "nl", cues });
  await host.metadata.correct({ contentId: film, what: "subtitles", valueJson }, host.context());
  const step = await moderated(film);
  assert.deepEqual(step.value["looked"], { nudity: true, violence: true, language: true, threats: true });
  assert.deepEqual(step.value["notLooked"], {});
  assert.deepEqual(briefly(await waiting(film)), [
    ["threats", "a threat", 3, 4],
    ["threats", "violence in words", 5, 6],
  ]);
});

test("a server that refuses is left out at once, and what is known without it is found", {
  timeout: 120_000,
}, async () => {
  const [violence] = (await host.metadata.findings({ contentId: film, state: "rejected" }, host.context())).findings;
  await host.metadata.decide({ id: violence?.id ?? "", verdict: "waiting" }, host.context());
  const cues = [{ startS: 3, endS: 4, text: "What the fuck?" }];
  const valueJson = JSON.stringify({ language: "en", cues });
  Object.assign(server, { always: status(401) });
  const before = server.asked.length;
  await host.metadata.correct({ contentId: film, what: "subtitles", valueJson }, host.context());
  const step = await moderated(film);
  assert.equal(server.asked.length, before + 1);
  assert.deepEqual([step.state, step.model, step.confidence], ["done", "list of words", 1]);
  assert.deepEqual(step.value["looked"], { nudity: false, violence: false, language: true, threats: false });
  const reasons = step.value["notLooked"] as Record<string, string>;
  assert.match(reasons["violence"] ?? "", /refuses us \(401\): set MARQUEE_MODERATION_TOKEN/);
  assert.ok(!JSON.stringify(step.value).includes(server.key));
  const { cli, printed } = cliOf(host);
  await showEnrichment(cli, film, { json: false });
  assert.ok(
    printed.some((line) => /looked for language; not looked for nudity \(its weights/.test(line)),
    printed.join("\n"),
  );
  const found = await waiting(film);
  assert.ok(found.some(({ kind }) => kind === "language"));
  assert.deepEqual(
    briefly(found.filter(({ kind }) => kind === "violence")),
    [VIOLENCE],
    "what was seen before is not gone because nobody looks now",
  );
});

test("a server that is away is tried again, and then left out", { timeout: 180_000 }, async () => {
  Object.assign(server, { always: status(503) });
  const before = server.asked.length;
  const step = await again(film);
  assert.equal(server.asked.length - before, 16, "four tries of the step, of four requests each");
  assert.equal(step.state, "done");
  assert.match((step.value["notLooked"] as Record<string, string>)["violence"] ?? "", /answers 503/);
  Object.assign(server, { always: undefined });
  const back = await again(film);
  assert.deepEqual(back.value["looked"], { nudity: true, violence: true, language: true, threats: true });
  assert.deepEqual(briefly((await waiting(film)).filter(({ kind }) => kind === "violence")), [VIOLENCE]);
});

test("what a server saw before it fell silent is pointed at, and is not called looked for", {
  timeout: 120_000,
}, async () => {
  server.instead.push(...new Array<undefined>(20).fill(undefined));
  Object.assign(server, { always: status(401) });
  const other = await takeIn("other.mp4");
  // Nothing else looks here, so that the step has failed, as every step that waits for a server.
  const failed = await stepOf(other);
  assert.deepEqual([failed.state, failed.reason], ["failed", "failed_precondition"]);
  assert.match(failed.message, /MARQUEE_MODERATION_TOKEN/);
  const valueJson = JSON.stringify({ language: "en", cues: [{ startS: 1, endS: 2, text: "Hello." }] });
  server.instead.push(...new Array<undefined>(20).fill(undefined));
  await host.metadata.correct({ contentId: other, what: "subtitles", valueJson }, host.context());
  const step = await moderated(other);
  assert.deepEqual(step.value["looked"], { nudity: false, violence: false, language: true, threats: false });
  assert.deepEqual(briefly(await waiting(other)), [["violence", "graphic violence", 8.25, 10.25]]);
  Object.assign(server, { always: undefined });
  assert.deepEqual((await again(other)).state, "done");
  assert.deepEqual(briefly(await waiting(other)), [VIOLENCE]);
});

test("other tenants see nothing of it", async () => {
  const stranger = host.context({ tenant: "stranger" });
  assert.deepEqual((await host.metadata.findings({ contentId: film }, stranger)).findings, []);
  const [finding] = await waiting(film);
  await assert.rejects(host.metadata.decide({ id: finding?.id ?? "", verdict: "accepted" }, stranger), {
    code: "not_found",
  });
});

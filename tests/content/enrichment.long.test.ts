/** What is found in a film, without any weights: steps one by one, chapters on their way to the catalogue, and people whose word wins. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import type { AiEnrichmentCompleted, MetadataEnriched, MetadataTagsUpdated } from "#contracts/metadata";
import type { Llm } from "#kernel/ports/llm";
import { Problem } from "#kernel";
import {
  decideFinding,
  editCue,
  exportSubtitles,
  importSubtitles,
  listFindings,
  sayOf,
  showEnrichment,
} from "../../apps/cli/enrich.ts";
import { cliOf } from "../discovery/cli.ts";
import { type ContentHost, drawClip, startContent } from "./setup.ts";

/** A language model that says what it was told to, or nothing that can be used. */
let answer: unknown = { nonsense: true };
const llm: Llm = { model: "test-model", ask: async () => ({ json: answer, tokens: 10 }) };

let host: ContentHost;
before(async () => {
  host = await startContent({ withMetadata: true, llm, env: { MARQUEE_ENCODE_CONCURRENCY: "2" } });
});
after(() => host?.stop());

/** Three pictures that have nothing in common, ten seconds each, with black and silence between them. */
const SCENES = [
  "testsrc2=size=320x180:rate=25:duration=10[a]",
  "color=black:size=320x180:rate=25:duration=1[b]",
  "mandelbrot=size=320x180:rate=25:end_pts=1000,trim=duration=10[c]",
  "color=black:size=320x180:rate=25:duration=1[d]",
  "smptebars=size=320x180:rate=25:duration=10[e]",
  "[a][b][c][d][e]concat=n=5",
].join(";");

async function takeIn(name: string, pattern: string, seconds: number, metadata: object = {}): Promise<string> {
  const path = await drawClip(host.at(name), { pattern, seconds });
  const { contentId } = await host.imports.import(
    { path, preset: "quick", publish: true, allowDuplicate: true, metadataJson: JSON.stringify(metadata) },
    host.context(),
  );
  return contentId;
}
const titleOf = async (contentId: string) => {
  const { title } = await host.metadata.get({ contentId }, host.context());
  assert.ok(title);
  return title;
};
const stepOf = async (contentId: string, name: string) => {
  const step = (await titleOf(contentId)).steps.find((each) => each.name === name);
  assert.ok(step, `there is no step ${name}`);
  return {
    ...step,
    value: (step.valueJson === "" ? {} : JSON.parse(step.valueJson)) as Record<string, unknown>,
  };
};
const enriched = (contentId: string) =>
  host.until(`all steps of ${contentId}`, async () => {
    const found = await host.metadata.get({ contentId }, host.context()).catch((error: unknown) => {
      if (error instanceof Problem && error.code === "not_found") return {};
      throw error;
    });
    const states = ("title" in found ? (found.title?.steps ?? []) : []).map(({ state }) => state);
    return states.length > 0 && states.every((state) => state !== "waiting" && state !== "running") && states;
  });

test("a film is looked at when it is encoded, and its chapters come to the catalogue", {
  timeout: 120_000,
}, async () => {
  const first = await takeIn("first.mp4", SCENES, 32, {
    title: "Three cards",
    synopsis:
      "A keeper of a lighthouse counts ships. Ships pass the lighthouse every night, and one night none comes back.",
    genres: ["Drama"],
  });
  await enriched(first);
  await host.settled();

  const scenes = await stepOf(first, "scenes");
  assert.equal(scenes.state, "done", scenes.message);
  const chapters = scenes.value["chapters"] as { startS: number }[];
  const starts = chapters.map(({ startS }) => startS);
  assert.equal(starts.length, 3, JSON.stringify(scenes.value));
  for (const [index, expected] of [0, 10.5, 21.5].entries())
    assert.ok(Math.abs((starts[index] ?? -1) - expected) <= 1, `chapters start at ${starts.join(", ")}`);
  const { title } = await host.catalog.get({ id: first }, host.context());
  assert.deepEqual(
    title?.chapters.map(({ startS }) => startS),
    starts,
  );

  const loudness = await stepOf(first, "loudness");
  const [track] = loudness.value["tracks"] as { integratedLufs: number; language: string }[];
  assert.ok(track && track.integratedLufs < -10 && track.integratedLufs > -40, JSON.stringify(track));

  const pictures = (await stepOf(first, "thumbnails")).value["pictures"] as { key: string; timeS: number }[];
  assert.ok(pictures.length >= 2, `${pictures.length} pictures`);
  for (const { key, timeS } of pictures) {
    assert.ok(await host.adapters.objects.head(key), key);
    assert.ok(!(timeS > 10 && timeS < 11) && !(timeS > 21 && timeS < 22), `${timeS} s is black`);
  }

  for (const name of ["embedding", "subtitles", "moderation"]) {
    const step = await stepOf(first, name);
    assert.deepEqual([step.state, step.reason], ["skipped", "no_model"], name);
    assert.match(step.message, /marquee model pull/);
  }
  const text = await stepOf(first, "text");
  assert.deepEqual([text.model, text.state], ["extract of the description", "done"]);
  assert.ok((text.value["tags"] as string[]).includes("lighthouse"));

  const heard = await host.heard<AiEnrichmentCompleted>("ai.enrichment.completed");
  const own = heard.map(({ data }) => data).filter(({ contentId }) => contentId === first);
  assert.deepEqual(
    new Set(own.map(({ step, state }) => `${step} ${state}`)),
    new Set([
      ...["scenes done", "loudness done", "fingerprint done", "thumbnails done", "embedding skipped"],
      ...["subtitles skipped", "moderation skipped", "text done"],
    ]),
  );
  assert.ok(
    own.every(({ state, version, completedAtMs }) => (state !== "done" || version !== "") && completedAtMs > 0),
  );

  // What a person says stands, whatever a later run finds.
  const mine = [
    { startS: 0, title: "Cards" },
    { startS: 12, title: "Numbers" },
  ];
  await host.metadata.correct({ contentId: first, what: "chapters", valueJson: JSON.stringify(mine) }, host.context());
  await host.metadata.correct({ contentId: first, what: "tags", valueJson: '["Harbour"]' }, host.context());
  answer = { tags: ["said by a model"], summary: "A keeper counts ships." };
  for (const step of ["scenes", "text"]) await host.metadata.enrich({ contentId: first, step }, host.context());
  await enriched(first);
  await host.settled();
  const again = await stepOf(first, "scenes");
  assert.deepEqual([again.corrected, again.value["chapters"]], [true, mine]);
  const told = await stepOf(first, "text");
  assert.deepEqual(
    [told.model, told.value["tags"], told.value["summary"]],
    ["test-model", ["Harbour"], "A keeper counts ships."],
  );
  const now = (await host.catalog.get({ id: first }, host.context())).title;
  assert.deepEqual(
    now?.chapters.map(({ startS, title: name }) => ({ startS, title: name })),
    mine,
  );
  const tags = (await host.heard<MetadataTagsUpdated>("metadata.tags.updated")).map(({ data }) => data);
  assert.deepEqual(tags.at(-1)?.tags, ["Harbour"]);
  assert.ok(tags.at(-1)?.byPerson);

  // Taken back, the model's word holds again.
  await host.metadata.correct({ contentId: first, what: "chapters", valueJson: "" }, host.context());
  await host.settled();
  const back = (await host.catalog.get({ id: first }, host.context())).title;
  assert.deepEqual(
    back?.chapters.map(({ startS }) => startS),
    starts,
  );
  const said = (await host.heard<MetadataEnriched>("metadata.enriched")).filter(({ data }) => data.what === "chapters");
  assert.deepEqual(
    said.map(({ data }) => data.byPerson),
    [false, true, false],
  );
});

test("what a model is not sure of waits for a person, who also sees what it is about", {
  timeout: 60_000,
}, async () => {
  const [title] = (await host.metadata.list({}, host.context())).titles;
  assert.ok(title);
  const { contentId } = title;
  const unsure = async (confidenceBelow = 1) =>
    (await host.metadata.unsure({ confidenceBelow }, host.context())).results.filter(
      (result) => result.contentId === contentId,
    );
  const all = await unsure();
  // Tags are a person's since the test before; measures are sure of themselves.
  assert.deepEqual(all.map(({ what }) => what).toSorted(), ["chapters", "summary", "thumbnails"]);
  assert.ok(all.every(({ confidence, model }) => confidence < 1 && model !== ""));
  assert.deepEqual(await unsure(0.01), []);
  const scenes = await stepOf(contentId, "scenes");
  const valueJson = JSON.stringify(scenes.value["chapters"]);
  await host.metadata.correct({ contentId, what: "chapters", valueJson }, host.context());
  assert.deepEqual(
    (await unsure()).map(({ what }) => what).toSorted(),
    ["summary", "thumbnails"],
    "what a person has accepted is theirs",
  );
  await host.metadata.correct({ contentId, what: "chapters", valueJson: "" }, host.context());
  assert.equal((await unsure()).length, 3);
  await assert.rejects(host.metadata.unsure({ confidenceBelow: 2 }, host.context()), /confidence_below 2/);

  const isJpeg = (picture: Uint8Array) => picture[0] === 0xff && picture[1] === 0xd8;
  const at = (timeMs: number) => host.metadata.picture({ contentId, timeMs }, host.context());
  const cut = await Promise.all([1_000, 2_000, 12_000, 25_000].map(at));
  assert.ok(cut.every(({ picture }) => isJpeg(picture)));
  const [saved] = (await stepOf(contentId, "thumbnails")).value["pictures"] as { key: string; timeS: number }[];
  assert.ok(saved);
  const thumbnail = (await at(Math.round(saved.timeS * 1_000))).picture;
  assert.deepEqual(Buffer.from(thumbnail), Buffer.from(await host.adapters.objects.get(saved.key)));
  await assert.rejects(at(40_000), /behind the end/);
  const stranger = host.context({ tenant: "stranger" });
  await assert.rejects(host.metadata.picture({ contentId, timeMs: 0 }, stranger), { code: "not_found" });
  assert.deepEqual((await host.metadata.unsure({ confidenceBelow: 1 }, stranger)).results, []);
});

test("a film that is there already, smaller and cut, is a twin; another one is none", {
  timeout: 120_000,
}, async () => {
  const film = await takeIn("film.mp4", SCENES, 32);
  await enriched(film);
  const shorter = await takeIn("shorter.mp4", `${SCENES},scale=256:144,trim=start=4,setpts=PTS-STARTPTS`, 24);
  const other = await takeIn("other.mp4", "life=size=320x180:rate=25:mold=10:ratio=0.1,trim=duration=14", 14);
  await enriched(shorter);
  await enriched(other);
  const twinsOf = async (id: string) =>
    (await stepOf(id, "fingerprint")).value["twins"] as { contentId: string; offsetS: number }[];
  const found = (await twinsOf(shorter)).find(({ contentId }) => contentId === film);
  assert.ok(found, JSON.stringify(await twinsOf(shorter)));
  assert.ok(Math.abs(found.offsetS - 4) <= 1, `${found.offsetS} s`);
  assert.deepEqual(await twinsOf(other), []);

  await host.catalog.delete({ id: film }, host.context());
  await host.settled();
  await assert.rejects(host.metadata.get({ contentId: film }, host.context()), { code: "not_found" });
  for (const folder of [`enrichment/demo/${film}/`, `artwork/${film}/`])
    assert.deepEqual(await host.adapters.objects.list(folder, { keysMax: 10 }), []);
  await host.metadata.enrich({ contentId: shorter, step: "fingerprint" }, host.context());
  await enriched(shorter);
  assert.ok((await twinsOf(shorter)).every(({ contentId }) => contentId !== film));
});

test("words of subtitles that a person brought are pointed at, and a verdict holds", { timeout: 60_000 }, async () => {
  const [title] = (await host.metadata.list({}, host.context())).titles;
  assert.ok(title);
  const { contentId } = title;
  const { cli: plain, printed } = cliOf(host);
  const cli = { ...plain, path: (text: string) => resolve(text) };
  const file = host.at("mine.vtt");
  await writeFile(
    file,
    "WEBVTT\n\n00:01.000 --> 00:02.000\nWho goes there?\n\n00:03.000 --> 00:04.000\nA fucking ghost &lt;boo&gt;.\n",
  );
  await importSubtitles(cli, contentId, file, { language: "en" });
  await enriched(contentId);
  const step = await stepOf(contentId, "subtitles");
  assert.ok(step.corrected);
  const looked = (await stepOf(contentId, "moderation")).value["looked"];
  assert.deepEqual(looked, { nudity: false, violence: false, language: true, threats: false });

  const waiting = async () => (await host.metadata.findings({ contentId }, host.context())).findings;
  const [finding, ...others] = await waiting();
  assert.ok(finding && others.length === 0);
  assert.deepEqual([finding.kind, finding.startS, finding.score, finding.state], ["language", 3, 1, "waiting"]);
  await listFindings(cli, { title: contentId, state: "waiting", json: false });
  assert.ok(printed.some((line) => line.includes(finding.id) && line.includes("language")));
  await decideFinding(cli, finding.id, "accepted");
  assert.deepEqual(await waiting(), []);
  await host.metadata.decide({ id: finding.id, verdict: "waiting" }, host.context());
  assert.deepEqual(await waiting(), [finding], "a verdict that was taken back was never given");
  await decideFinding(cli, finding.id, "rejected");
  await host.metadata.enrich({ contentId, step: "moderation" }, host.context());
  await enriched(contentId);
  assert.deepEqual(await waiting(), [], "what was rejected is not raised again");
  const rejected = await host.metadata.findings({ contentId, state: "rejected" }, host.context());
  assert.deepEqual(
    rejected.findings.map(({ id }) => id),
    [finding.id],
  );

  await editCue(cli, contentId, "2", "A friendly ghost <boo>.");
  const out = host.at("out.vtt");
  await exportSubtitles(cli, contentId, { out });
  const text = await readFile(out, "utf8");
  assert.match(text, /2\n00:00:03\.000 --> 00:00:04\.000\nA friendly ghost &lt;boo>\./);
  assert.ok(!text.includes("NOTE"), "a person's words are no draft");
  printed.length = 0;
  await showEnrichment(cli, contentId, { json: false });
  assert.ok(printed.some((line) => line.includes("subtitles") && line.includes("a person")));
  await sayOf(cli, contentId, "subtitles", "");
  await enriched(contentId);
  assert.equal((await stepOf(contentId, "subtitles")).corrected, false);
});

test("what is wrong is said with its remedy, and other tenants see nothing", { timeout: 60_000 }, async () => {
  const [title] = (await host.metadata.list({}, host.context())).titles;
  assert.ok(title);
  const { contentId } = title;
  await assert.rejects(host.metadata.enrich({ contentId, step: "smell" }, host.context()), /scenes, loudness/);
  await assert.rejects(
    host.metadata.correct({ contentId, what: "chapters", valueJson: '[{"startS":-1,"title":""}]' }, host.context()),
    /chapter 1 starts at -1 s/,
  );
  await assert.rejects(
    host.metadata.takeWeights({ name: "asr", path: host.at("first.mp4") }, host.context()),
    /70653446/,
  );
  await assert.rejects(
    host.metadata.decide({ id: "fnd_1", verdict: "maybe" }, host.context()),
    /'maybe' is not accepted/,
  );
  await assert.rejects(host.metadata.decide({ id: "fnd_none", verdict: "accepted" }, host.context()), {
    code: "not_found",
  });
  const stranger = host.context({ tenant: "stranger" });
  assert.deepEqual((await host.metadata.list({}, stranger)).titles, []);
  await assert.rejects(host.metadata.get({ contentId }, stranger), { code: "not_found" });
});

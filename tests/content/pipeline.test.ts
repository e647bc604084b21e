import assert from "node:assert/strict";
import { copyFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import pg from "pg";
import type { EncodingCompleted } from "#contracts/encoding";
import { Problem } from "#kernel";
import type { Presentation } from "#media/presentation";
import { type ContentHost, drawClip, startContent } from "./setup.ts";

let host: ContentHost;
let admin: pg.Client;
before(async () => {
  host = await startContent({ env: { MARQUEE_ENCODE_CONCURRENCY: "2" } });
  admin = new pg.Client({ connectionString: host.adapters.postgres.adminUrl });
  await admin.connect();
});
after(async () => {
  await admin?.end();
  await host?.stop();
});

const importFile = async (path: string, more: object = {}): Promise<string> => {
  const { contentId } = await host.imports.import({ path, preset: "quick", publish: true, ...more }, host.context());
  return contentId;
};
const importState = async (contentId: string) => (await host.imports.get({ contentId }, host.context())).ingest;
const encodingState = async (contentId: string) =>
  (await host.encodings.getMany({ contentIds: [contentId] }, host.context())).encodings[0];
const finished = (contentId: string, revision = 1) =>
  host.until(`the package of ${contentId}`, async () => {
    const found = await encodingState(contentId);
    assert.notEqual(found?.state, "failed", found?.failure);
    return found?.state === "complete" && found.packageRevision === revision && found;
  });
const refused = (contentId: string) =>
  host.until(`the refusal of ${contentId}`, async () => {
    const found = await importState(contentId);
    return found?.state === "failed" && found;
  });
const keysOf = async (prefix: string): Promise<string[]> =>
  (await host.adapters.objects.list(prefix, { keysMax: 1_000 })).map(({ key }) => key);
const indexOf = async (contentId: string, revision: number): Promise<Presentation> =>
  JSON.parse(
    Buffer.from(await host.adapters.objects.get(`vod/${contentId}/r${revision}/index-1.json`)).toString(),
  ) as Presentation;
const runs = async (contentId: string) => {
  const { rows } = await admin.query<{ name: string; runs: number }>(
    "SELECT name, runs FROM encoding.tasks WHERE content_id = $1 ORDER BY name",
    [contentId],
  );
  return rows;
};

test("a film goes from a file to a package, is packaged anew, and goes without a trace", {
  timeout: 120_000,
}, async () => {
  const path = await drawClip(host.at("first.mp4"));
  const contentId = await importFile(path, { metadataJson: JSON.stringify({ title: "A test card", year: 2026 }) });
  const done = await finished(contentId);
  assert.equal(done.progress, 1);
  assert.deepEqual(
    done.rungs.map(({ profile, chunksDone, chunksTotal }) => [profile, chunksDone, chunksTotal]),
    [
      ["360p-h264", 1, 1],
      ["240p-h264", 1, 1],
    ],
  );
  await host.settled();
  const { title } = await host.catalog.get({ id: contentId }, host.context());
  assert.deepEqual(
    [title?.title, title?.year, title?.state, title?.publication, title?.packageRevision, title?.audioLanguages],
    ["A test card", 2026, "playable", "published", 1, ["en"]],
  );
  assert.ok(title?.backdrop?.key.startsWith(`artwork/${contentId}/`));
  const completed = await host.heard<EncodingCompleted>("encoding.completed");
  assert.deepEqual(
    completed.map(({ data }) => [data.contentId, data.stage]),
    [[contentId, "complete"]],
  );

  const first = await indexOf(contentId, 1);
  assert.ok(Math.abs(first.durationS - 5) < 0.05, `${first.durationS} s`);
  const objects = new Set(await keysOf(`vod/${contentId}/r1/`));
  for (const track of [...first.video, ...first.audio]) {
    assert.ok(objects.has(`vod/${contentId}/r1/${track.profile}/init.mp4`));
    for (const [i] of track.segments.entries()) {
      const name = `vod/${contentId}/r1/${track.profile}/seg-${String(i + 1).padStart(7, "0")}.m4s`;
      assert.ok(objects.has(name), name);
    }
  }
  assert.ok(objects.has(`vod/${contentId}/r1/thumbs/tile-0000001.jpg`));

  const { packageRevision } = await host.encodings.repackage({ contentId }, host.context());
  const again = await host.encodings.repackage({ contentId }, host.context());
  assert.deepEqual([packageRevision, again.packageRevision], [2, 2], "asking twice is asking once");
  await finished(contentId, 2);
  const second = await indexOf(contentId, 2);
  const kids = (of: Presentation): string[] => of.keys.map(({ kid }) => kid);
  assert.equal(kids(first).filter((kid) => kids(second).includes(kid)).length, 0, "new keys");
  assert.deepEqual(
    second.video.map(({ profile, segments }) => [profile, segments.map(({ durationTicks }) => durationTicks)]),
    first.video.map(({ profile, segments }) => [profile, segments.map(({ durationTicks }) => durationTicks)]),
  );
  for (const task of await runs(contentId)) assert.equal(task.runs, 1, `${task.name} ran ${task.runs} times`);
  await host.settled();
  assert.equal((await host.catalog.get({ id: contentId }, host.context())).title?.packageRevision, 2);

  await host.catalog.delete({ id: contentId }, host.context());
  await host.settled();
  for (const prefix of [
    `vod/${contentId}/`,
    `intermediate/demo/${contentId}/`,
    `artwork/${contentId}/`,
    `sources/demo/${contentId}/`,
  ]) {
    assert.deepEqual(await keysOf(prefix), [], prefix);
  }
  assert.deepEqual(await host.adapters.secrets.list(`keys/demo/${contentId}/`, 10), []);
  await assert.rejects(host.imports.get({ contentId }, host.context()), { code: "not_found" });
  await assert.rejects(host.encodings.get({ contentId }, host.context()), { code: "not_found" });
  // What is gone is no twin of what comes later, and shares no address with it: caches keep what they have.
  const other = await drawClip(host.at("later.mp4"), { pattern: "testsrc=size=640x360:rate=25" });
  assert.equal(await importFile(other, { contentId }), contentId);
  await finished(contentId, 3);
  await host.settled();
  const later = (await host.catalog.get({ id: contentId }, host.context())).title;
  assert.equal(later?.packageRevision, 3);
  const before = new Set(title?.artworkCandidates.map(({ key }) => key));
  assert.ok(later.artworkCandidates.length > 0);
  assert.deepEqual(
    later.artworkCandidates.filter(({ key }) => before.has(key)),
    [],
  );
  const pictures = await keysOf(`artwork/${contentId}/`);
  assert.deepEqual(pictures, later.artworkCandidates.map(({ key }) => key).toSorted());
  const twin = await importFile(path);
  await host.until("the next import", async () => (await importState(twin))?.state === "accepted");
});

test("the same film twice is refused with its twin named, also at the same moment, unless it is wanted", {
  timeout: 120_000,
}, async () => {
  const one = await drawClip(host.at("twin-1.mp4"), { pattern: "mandelbrot=size=256x144:rate=25", seconds: 3 });
  const two = host.at("twin-2.mp4");
  await copyFile(one, two);
  const ids = await Promise.all([importFile(one, { contentId: "twin-1" }), importFile(two, { contentId: "twin-2" })]);
  const states = await host.until("a verdict on both", async () => {
    const both = await Promise.all(ids.map(importState));
    return both.every((found) => found?.state === "failed" || found?.state === "accepted") && both;
  });
  assert.deepEqual(states.map((found) => found?.state ?? "").toSorted(), ["accepted", "failed"]);
  const [kept, twin] = states[0]?.state === "accepted" ? states : states.toReversed();
  assert.equal(twin?.failureReason, "duplicate");
  assert.equal(twin?.duplicateOf, kept?.contentId);
  assert.match(
    twin?.failure ?? "",
    new RegExp(`'${twin?.fileName}' looks like '${kept?.contentId}'.*--allow-duplicate`),
  );
  await host.settled();
  assert.equal((await host.catalog.get({ id: twin?.contentId ?? "" }, host.context())).title?.state, "failed");
  const wanted = await importFile(two, { allowDuplicate: true });
  await host.until("the wanted twin", async () => (await importState(wanted))?.state === "accepted");
});

test("what is no film is refused with the reason", { timeout: 60_000 }, async () => {
  const text = host.at("notes.mp4");
  await writeFile(text, "These are notes and no film.\n".repeat(200));
  const found = await refused(await importFile(text));
  assert.match(found.failure, /'notes\.mp4'/);
  assert.doesNotMatch(found.failure, /\/tmp|sources\//);
  const empty = host.at("empty.mp4");
  await writeFile(empty, "");
  const asked = (more: object) => host.imports.import({ path: text, ...more }, host.context());
  await assert.rejects(asked({ path: empty }), { code: "unsupported_media", reason: "empty_file" });
  await assert.rejects(asked({ path: host.at("nowhere.mp4") }), { code: "not_found" });
  await assert.rejects(asked({ path: "notes.mp4" }), /not an absolute path/);
  await assert.rejects(asked({ path: host.folder }), /not a file/);
  await assert.rejects(asked({ preset: "slow" }), /quick or full/);
  await assert.rejects(asked({ contentId: "../x" }), { code: "invalid_argument" });
  await assert.rejects(asked({ metadataJson: "[]" }), /not a JSON object/);
  await assert.rejects(asked({ subtitles: [{ path: text, language: "english!" }] }), /not a language tag/);
});

test("after a failure it goes on where it stopped", { timeout: 120_000 }, async () => {
  const path = await drawClip(host.at("third.mp4"), { pattern: "smptehdbars=size=256x144:rate=25", seconds: 2 });
  const { transcoder } = host.adapters;
  const original = transcoder.posters;
  // Pictures cannot be made; everything else can.
  Object.assign(transcoder, {
    posters: () => Promise.reject(new Problem("unsupported_media", "no picture can be made of this")),
  });
  const contentId = await importFile(path);
  await host.until("the failure", async () => (await encodingState(contentId))?.state === "failed");
  assert.match((await encodingState(contentId))?.failure ?? "", /no picture/);
  await host.settled();
  const { title } = await host.catalog.get({ id: contentId }, host.context());
  assert.deepEqual([title?.state, title?.failure], ["failed", "no picture can be made of this"]);
  await assert.rejects(host.catalog.publish({ id: contentId }, host.context()), { code: "failed_precondition" });
  await assert.rejects(host.encodings.repackage({ contentId }, host.context()), { code: "failed_precondition" });
  const before = (await runs(contentId)).filter(({ runs: done }) => done > 0).map(({ name }) => name);
  Object.assign(transcoder, { posters: original });
  await host.encodings.retry({ contentId }, host.context());
  await finished(contentId);
  for (const task of await runs(contentId)) assert.equal(task.runs, 1, task.name);
  assert.ok(before.length < (await runs(contentId)).length);
  await assert.rejects(host.encodings.retry({ contentId }, host.context()), /only a failed title/);
});

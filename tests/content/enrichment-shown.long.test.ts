/** From what was found in a film to viewers: subtitles once a person accepted them, and the best frames as pictures that a profile may be shown. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Recommendation } from "#contracts/recommendation";
import { silentLogger } from "#kernel/telemetry";
import { writeMultivariantPlaylist } from "#media/hls";
import type { Presentation } from "#media/presentation";
import { chosenPictures, inPicture } from "../../bffs/web/artwork.ts";
import { parsePicturePath } from "../../services/delivery/origin/domain.ts";
import recommendation from "../../services/discovery/recommendation/service.ts";
import { profilesOf } from "../fallbacks/profiles.ts";
import { type ContentHost, drawClip, startContent } from "./setup.ts";

const SCENES = [
  "testsrc2=size=320x180:rate=25:duration=6[a]",
  "mandelbrot=size=320x180:rate=25:end_pts=1000,trim=duration=6[b]",
  "smptebars=size=320x180:rate=25:duration=6[c]",
  "[a][b][c]concat=n=3",
].join(";");
const PROFILES = 200;

let host: ContentHost;
let contentId = "";
before(async () => {
  host = await startContent({
    withMetadata: true,
    more: [recommendation, profilesOf("u")],
    env: { MARQUEE_ENCODE_CONCURRENCY: "2" },
  });
  const path = await drawClip(host.at("film.mp4"), { pattern: SCENES, seconds: 18 });
  ({ contentId } = await host.imports.import({ path, preset: "quick", publish: true }, host.context()));
  await host.until("all steps", async () => {
    const { title } = await host.metadata.get({ contentId }, host.context()).catch(() => ({ title: undefined }));
    return title?.steps.every(({ state }) => state !== "waiting" && state !== "running");
  });
  await host.settled();
});
after(() => host?.stop());

const inCatalog = async () => {
  const { title } = await host.catalog.get({ id: contentId }, host.context());
  assert.ok(title);
  return title;
};
const found = async () => (await inCatalog()).artworkCandidates.filter(({ key }) => key.includes("/found-"));

test("the best frames are offered to profiles, and those that a person chose in their place", {
  timeout: 60_000,
}, async () => {
  const step = (await host.metadata.get({ contentId }, host.context())).title?.steps.find(
    ({ name }) => name === "thumbnails",
  );
  const { pictures } = JSON.parse(step?.valueJson ?? "{}") as { pictures: { key: string }[] };
  const keys = pictures.map(({ key }) => key);
  assert.ok(keys.length >= 2, keys.join());
  assert.deepEqual(
    (await found()).map(({ key }) => key),
    keys,
  );
  for (const { key, width, height, color, blurDataUrl } of await found()) {
    assert.equal(typeof parsePicturePath(`/images/${key}`, "w=640"), "object", "the origin serves it");
    assert.ok(width > height && /^#[0-9a-f]{6}$/.test(color) && blurDataUrl.startsWith("data:image/webp"));
  }

  const call = { recommendation: host.client(Recommendation, "web") };
  const parts = { call, logger: silentLogger } as unknown as Parameters<typeof chosenPictures>[0];
  const shownTo = async (profileId: string): Promise<string> => {
    const title = await inCatalog();
    const context = host.context({ viewer: { userId: "u", profileId } });
    // A busy machine may be late, which is said and no fault of the choice.
    const chosen = await host.until("a choice in time", async () => {
      const answer = await chosenPictures(parts, profileId, [title], context);
      return !answer.isPartial && answer;
    });
    return inPicture(title, chosen.keys).backdrop?.key ?? "";
  };
  const seen = new Set<string>();
  for (let at = 0; at < PROFILES; at += 1) seen.add(await shownTo(`early-${at}`));
  assert.ok(
    keys.some((key) => seen.has(key)),
    `nobody of ${PROFILES} explored one of the frames`,
  );

  // A person's choice is what is offered from now on, also after a later run.
  const mine = keys.slice(-1);
  const say = (valueJson: string) =>
    host.metadata.correct({ contentId, what: "thumbnails", valueJson }, host.context());
  await say(JSON.stringify(mine));
  await host.settled();
  const offered = async () => (await found()).map(({ key }) => key);
  assert.deepEqual(await offered(), mine);
  await host.metadata.enrich({ contentId, step: "thumbnails" }, host.context());
  await host.until("the step again", async () => {
    const { title } = await host.metadata.get({ contentId }, host.context());
    return title?.steps.find(({ name }) => name === "thumbnails")?.state === "done";
  });
  await host.settled();
  assert.deepEqual(await offered(), mine);
  const later = new Set<string>();
  for (let at = 0; at < PROFILES; at += 1) later.add(await shownTo(`late-${at}`));
  for (const key of later) assert.ok(mine.includes(key) || !key.includes("/found-"), key);
  await say("");
  await host.settled();
  assert.deepEqual(await offered(), keys);
});

test("subtitles come to the player once a person accepted them, change when they are accepted anew, and can be taken away", {
  timeout: 60_000,
}, async () => {
  const index = async (): Promise<Presentation> => {
    const { packageRevision, indexVersion } = await inCatalog();
    const json = await host.adapters.objects.get(`vod/${contentId}/r${packageRevision}/index-${indexVersion}.json`);
    return JSON.parse(Buffer.from(json).toString()) as Presentation;
  };
  const say = (text: string) =>
    host.metadata.correct(
      {
        ...{ contentId, what: "subtitles" },
        valueJson: JSON.stringify({ language: "en", cues: [{ startS: 1, endS: 3, text }] }),
      },
      host.context(),
    );
  const shown = async () => (await host.metadata.get({ contentId }, host.context())).title?.subtitlesShown;
  await assert.rejects(host.metadata.publishSubtitles({ contentId }, host.context()), {
    code: "failed_precondition",
  });
  const before = await index();
  await say("Who <goes>\n\nthere?");
  await host.settled();
  assert.deepEqual([(await inCatalog()).subtitleLanguages, await shown()], [[], ""], "written is not yet accepted");

  await host.metadata.publishSubtitles({ contentId }, host.context());
  await host.until("the track", async () => (await inCatalog()).subtitleLanguages.includes("en"));
  const first = await index();
  const [track] = first.text;
  assert.ok(track && first.indexVersion === before.indexVersion + 1 && first.revision === before.revision);
  assert.deepEqual([track.label, track.role, track.language], ["English", "subtitles", "en"]);
  assert.deepEqual(first.video, before.video, "what plays stays as it is");
  const segment = await host.adapters.objects.get(
    `vod/${contentId}/r${first.revision}/${track.profile}/seg-0000001.vtt`,
  );
  assert.match(Buffer.from(segment).toString(), /00:00:01\.000 --> 00:00:03\.000\nWho &lt;goes&gt;\nthere\?/);
  assert.match(writeMultivariantPlaylist(first, { drm: new Map() }), /TYPE=SUBTITLES.*LANGUAGE="en"/);
  assert.equal(await shown(), "accepted");

  await say("Who was there?");
  await host.metadata.publishSubtitles({ contentId }, host.context());
  await host.until("the new track", async () => (await inCatalog()).indexVersion === first.indexVersion + 1);
  const second = await index();
  assert.equal(second.text.length, 1);
  assert.notEqual(second.text[0]?.profile, track.profile, "caches keep the old one under its own name");

  // A package that is made anew takes them along.
  await host.encodings.repackage({ contentId }, host.context());
  await host.until("the next package", async () => (await inCatalog()).packageRevision === first.revision + 1);
  assert.deepEqual((await index()).text, second.text);

  await host.metadata.publishSubtitles({ contentId, withdraw: true }, host.context());
  await host.until("no track", async () => (await inCatalog()).subtitleLanguages.length === 0);
  assert.deepEqual([(await index()).text, await shown()], [[], ""]);
  await assert.rejects(host.metadata.publishSubtitles({ contentId }, host.context({ tenant: "stranger" })), {
    code: "not_found",
  });
});

test("films that are being encoded go before what is looked at", { timeout: 90_000 }, async () => {
  const before = (await host.metadata.list({}, host.context())).titles.length;
  for (const name of ["second.mp4", "third.mp4"]) {
    const path = await drawClip(host.at(name), { pattern: `${SCENES},hue=h=${name.length * 20}`, seconds: 12 });
    await host.imports.import({ path, preset: "quick", allowDuplicate: true }, host.context());
  }
  let looks = 0;
  await host.until("all that is found in both", async () => {
    const { titles } = await host.metadata.list({}, host.context());
    // In this order: what is being encoded after a step ran was being encoded when it ran.
    const { queued, active } = await host.encodings.list({ limit: 1, activeOnly: true }, host.context());
    const steps = titles.flatMap((title) => title.steps);
    if (queued + active > 0) {
      looks += 1;
      assert.ok(!steps.some(({ state }) => state === "running"), "a title was looked at while films waited");
    }
    return titles.length === before + 2 && steps.every(({ state }) => state !== "waiting" && state !== "running");
  });
  assert.ok(looks > 0, "nothing was being encoded");
});

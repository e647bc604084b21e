// A ladder for each film, from the file to the manifest; and what takes its place where a film cannot be measured.
import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { Encoding, EncodingStarted } from "#contracts/encoding";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import { parseMultivariantPlaylist, writeMultivariantPlaylist } from "#media/hls";
import type { Presentation } from "#media/presentation";
import { describeLadder } from "../../apps/cli/titles.ts";
import { type ContentHost, drawClip, startContent } from "./setup.ts";

const PATTERN = "testsrc2=size=640x360:rate=25";
const env = { MARQUEE_ENCODE_CONCURRENCY: "2", MARQUEE_ENCODING_LADDER: "per-title" };

async function importFilm(host: ContentHost, name: string, more: object = {}): Promise<string> {
  const path = await drawClip(host.at(name), { pattern: PATTERN, seconds: 4 });
  // All tests import the same pictures.
  const asked = { path, preset: "full", publish: true, allowDuplicate: true, ...more };
  return (await host.imports.import(asked, host.context())).contentId;
}

const complete = (host: ContentHost, contentId: string): Promise<Encoding> =>
  host.until(`the package of ${contentId}`, async () => {
    const { encodings } = await host.encodings.getMany({ contentIds: [contentId] }, host.context());
    assert.notEqual(encodings[0]?.state, "failed", encodings[0]?.failure);
    return encodings[0]?.state === "complete" && encodings[0];
  });

/** What players are offered: the manifest that is written from the package's index, and that all it names is there. */
async function offered(host: ContentHost, { contentId, packageRevision, indexVersion }: Encoding) {
  const folder = `vod/${contentId}/r${packageRevision}`;
  const index = await host.adapters.objects.get(`${folder}/index-${indexVersion}.json`);
  const presentation = JSON.parse(Buffer.from(index).toString()) as Presentation;
  for (const { profile, segments } of presentation.video) {
    for (const name of ["init.mp4", ...segments.map((_, i) => `seg-${String(i + 1).padStart(7, "0")}.m4s`)])
      assert.ok(await host.adapters.objects.head(`${folder}/${profile}/${name}`), `${profile}/${name}`);
  }
  const { variants } = parseMultivariantPlaylist(writeMultivariantPlaylist(presentation));
  return { profiles: presentation.video.map(({ profile }) => profile), variants };
}

const FIXED = ["360p-h264", "240p-h264"];
const namesOf = (encoding: Encoding): string[] =>
  encoding.rungs.map(({ profile }) => profile).filter((profile) => profile.includes("h264"));

describe("a film whose ladder is asked for", () => {
  let host: ContentHost;
  before(async () => {
    host = await startContent({ env });
  });
  after(() => host?.stop());

  test("is measured, gets rungs of its own, explains them and plays", { timeout: 240_000 }, async () => {
    const encoding = await complete(host, await importFilm(host, "own.mp4"));
    assert.deepEqual([encoding.ladder, encoding.ladderReason, encoding.progress], ["per-title", "", 1]);
    const chosen = encoding.rungs.filter(({ vmaf }) => vmaf > 0);
    assert.ok(chosen.length >= 2);
    for (const rung of chosen) {
      assert.ok(rung.width <= 640 && rung.height <= 360 && rung.expectedKbps > 0);
      assert.ok(rung.bitrateKbps >= rung.expectedKbps && rung.packaged);
    }
    assert.notDeepEqual(
      encoding.rungs.map(({ profile, bitrateKbps }) => [profile, bitrateKbps]),
      [
        ["360p-h264", 800],
        ["240p-h264", 400],
      ],
    );
    const shown = describeLadder(encoding);
    assert.equal(shown[0], "ladder       per-title");
    for (const { profile, width, height, bitrateKbps, expectedKbps, vmaf } of chosen) {
      const line = `${profile}  ${width}x${height}  ${bitrateKbps} kbit/s, ${expectedKbps} expected for a VMAF of ${vmaf.toFixed(0)}`;
      assert.ok(shown.includes(`${"".padEnd(12)} ${line}`), line);
    }
    const { profiles, variants } = await offered(host, encoding);
    assert.deepEqual(profiles.toSorted(), encoding.rungs.map(({ profile }) => profile).toSorted());
    for (const { width, height } of chosen)
      assert.ok(variants.some((variant) => variant.width === width && variant.height === height));
    const started = (await host.heard<EncodingStarted>("encoding.started")).filter(
      ({ data }) => data.contentId === encoding.contentId,
    );
    assert.deepEqual(
      started.map(({ data }) => data.profiles.filter((profile) => !profile.startsWith("audio"))),
      [encoding.rungs.map(({ profile }) => profile)],
    );
  });

  test("keeps the fixed ladder where it is wanted quickly", { timeout: 240_000 }, async () => {
    const encoding = await complete(host, await importFilm(host, "quick.mp4", { preset: "quick" }));
    assert.deepEqual([encoding.ladder, encoding.ladderReason], ["fixed", "the quick preset does not measure"]);
    assert.deepEqual(namesOf(encoding), FIXED);
  });

  test("keeps the fixed ladder where ffmpeg cannot compare pictures, says so, and plays", {
    timeout: 240_000,
  }, async () => {
    // A build without the filter, as far as anybody can tell from outside.
    const program = host.at("ffmpeg-without-ssim");
    const refusal = `echo "[AVFilterGraph @ 0x1] No such filter: 'ssim'" >&2; exit 1`;
    await writeFile(program, `#!/bin/sh\ncase "$*" in *"]ssim["*) ${refusal};; esac\nexec ffmpeg "$@"\n`);
    await chmod(program, 0o755);
    const { transcoder } = host.adapters;
    const whole = transcoder.complexity;
    Object.assign(transcoder, { complexity: openTranscoder({ ffmpegPath: program }).complexity });
    try {
      const encoding = await complete(host, await importFilm(host, "without.mp4"));
      assert.equal(encoding.ladder, "fixed");
      assert.match(encoding.ladderReason, /no filter 'ssim'; install a full build/);
      assert.match(describeLadder(encoding)[0] ?? "", /fixed: this ffmpeg has no filter 'ssim'/);
      assert.deepEqual(namesOf(encoding), FIXED);
      assert.ok(encoding.rungs.every(({ vmaf }) => vmaf === 0));
      assert.deepEqual(
        (await offered(host, encoding)).profiles.filter((profile) => profile.includes("h264")),
        FIXED,
      );
    } finally {
      Object.assign(transcoder, { complexity: whole });
    }
  });
});

describe("a film that nobody can wait for", () => {
  let host: ContentHost;
  before(async () => {
    host = await startContent({ env: { ...env, MARQUEE_ENCODING_MEASURE_MS_MAX: "1" } });
  });
  after(() => host?.stop());

  test("keeps the fixed ladder, says that measuring was late, and plays", { timeout: 240_000 }, async () => {
    const encoding = await complete(host, await importFilm(host, "late.mp4"));
    assert.equal(encoding.ladder, "fixed");
    assert.match(encoding.ladderReason, /took longer than 1 ms \(MARQUEE_ENCODING_MEASURE_MS_MAX\)/);
    assert.deepEqual(
      (await offered(host, encoding)).profiles.filter((profile) => profile.includes("h264")),
      FIXED,
    );
  });
});

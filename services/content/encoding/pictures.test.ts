import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import sharp from "sharp";
import { openFileObjects } from "#adapters/objects/files";
import { Problem } from "#kernel";
import type { PreviewSpan, SourceInfo, Transcoder } from "#kernel/ports/transcoder";
import { PREVIEW_S, previewStartS } from "./domain.ts";
import { makePictures, removeUnnamed } from "./pictures.ts";
import { openScratch } from "./scratch.ts";

let root = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "marquee-pictures-"));
});
after(() => rm(root, { recursive: true, force: true }));

const sourceOf = (durationS: number): SourceInfo => ({
  ...{ container: "mov", durationS, sizeBytes: 1, audio: [], text: [], hasClosedCaptions: false },
  video: {
    ...{ index: 0, codec: "h264", codedWidth: 64, codedHeight: 36, displayWidth: 64, displayHeight: 36 },
    ...{ frameRate: [25, 1], isInterlaced: false, isHdr: false, pixelFormat: "yuv420p", startS: 0 },
  },
});

const unused = (): Promise<never> => Promise.reject(new Error("this is not part of making pictures"));

/** A toolbox whose posters are flat pictures, the best one not the first. */
function toolbox(preview: Transcoder["preview"]): Transcoder {
  return {
    ...{ capabilities: unused, probe: unused, fingerprint: unused, measureLoudness: unused },
    ...{
      encodeVideo: unused,
      complexity: unused,
      encodeAudio: unused,
      extractText: unused,
      encodeLive: unused,
      receiveLive: unused,
      preview,
    },
    ...{ survey: unused, stills: unused, hashes: unused, speech: unused },
    async thumbnails(_path, _source, _shape, folder) {
      await writeFile(join(folder, "tile-0000001.jpg"), "tile");
      return 1;
    },
    async posters(_path, _source, _count, folder) {
      const jpeg = sharp({ create: { width: 64, height: 36, channels: 3, background: "#335577" } }).jpeg();
      for (const number of [1, 2]) await jpeg.clone().toFile(join(folder, `poster-${number}.jpg`));
      const size = { width: 64, height: 36 };
      return [
        { file: join(folder, "poster-1.jpg"), timeS: 5, score: 0.4, ...size },
        { file: join(folder, "poster-2.jpg"), timeS: 21, score: 0.8, ...size },
      ];
    },
  };
}

async function makeOf(contentId: string, durationS: number, preview: Transcoder["preview"]) {
  const objects = await openFileObjects({ folder: join(root, contentId) });
  const made = await makePictures(
    { objects, transcoder: toolbox(preview), scratch: openScratch(join(root, contentId, "data")) },
    { tenant: "demo", contentId, path: "film.mp4", source: sourceOf(durationS), signal: AbortSignal.timeout(60_000) },
  );
  return { made, objects };
}

test("the preview begins with the best poster and lies beside it", async () => {
  const spans: PreviewSpan[] = [];
  const { made, objects } = await makeOf("ttl_film", 60, async (_path, _source, span, out) => {
    spans.push(span);
    await writeFile(out, "clip");
  });
  assert.deepEqual(spans, [{ startS: 21, durationS: PREVIEW_S }]);
  // The beginning of the SHA-256 of "clip".
  const key = "artwork/ttl_film/preview-67905ad3cc2dd52b.mp4";
  assert.equal(made.previewKey, key);
  assert.equal(Buffer.from(await objects.get(key)).toString(), "clip");
  assert.match(made.artwork[0]?.key ?? "", /^artwork\/ttl_film\/poster-2-[0-9a-f]{16}\.jpg$/);
});

test("another picture has another address; what no result names goes", async () => {
  const previewOf =
    (text: string): Transcoder["preview"] =>
    (_path, _source, _span, out) =>
      writeFile(out, text);
  const { made: first } = await makeOf("ttl_again", 60, previewOf("one"));
  const { made: second, objects } = await makeOf("ttl_again", 60, previewOf("two"));
  assert.notEqual(second.previewKey, first.previewKey);
  assert.deepEqual(
    second.artwork.map(({ key }) => key),
    first.artwork.map(({ key }) => key),
    "the same picture keeps its address",
  );
  await objects.put("artwork/ttl_neighbour/poster-1.jpg", Buffer.from("not ours"));
  await removeUnnamed({ objects }, "ttl_again", second);
  const left = (await objects.list("artwork/", { keysMax: 100 })).map(({ key }) => key);
  const named = [...second.artwork.map(({ key }) => key), second.previewKey ?? ""];
  assert.deepEqual(left.toSorted(), [...named, "artwork/ttl_neighbour/poster-1.jpg"].toSorted());
});

test("a short film and a damaged one go without; any other fault is one", async () => {
  const short = await makeOf("ttl_short", 9.9, unused);
  assert.equal(short.made.previewKey, null);
  const damaged = await makeOf("ttl_damaged", 60, () => Promise.reject(new Problem("unsupported_media", "damaged")));
  assert.equal(damaged.made.previewKey, null);
  const kept = await damaged.objects.list("artwork/ttl_damaged/preview", { keysMax: 1 });
  assert.deepEqual(kept, []);
  const full = new Problem("resource_exhausted", "the disk is full");
  await assert.rejects(
    makeOf("ttl_full", 60, () => Promise.reject(full)),
    full,
  );
});

test("property: a preview lies within its film", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 10, max: 1e5, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (filmS, share) => {
        const startS = previewStartS(filmS, filmS * share);
        assert.ok(startS !== null && startS >= 0 && startS + PREVIEW_S <= filmS + 1e-6);
      },
    ),
  );
});

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Problem } from "#kernel/errors";
import { openTranscoder } from "./ffmpeg.ts";

const data = process.env["MARQUEE_TESTDATA"];
const transcoder = openTranscoder();

describe("real files", { skip: data ? false : "set MARQUEE_TESTDATA to the folder with the test data" }, () => {
  const video = (name: string): string => join(data ?? "", "video", name);

  test("every hostile file is either described or refused with words, within the limits", async () => {
    const root = join(data ?? "", "hostile");
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      try {
        const source = await transcoder.probe(path);
        assert.ok(source.durationS > 0 && source.video.displayWidth % 2 === 0, entry.name);
      } catch (error) {
        assert.ok(error instanceof Problem && error.code === "unsupported_media", `${entry.name}: ${String(error)}`);
        assert.ok(!error.message.includes(root), `${entry.name}: the message names a folder`);
      }
    }
  });

  test("CEA-608 captions come out on the picture's clock", async () => {
    const source = await transcoder.probe(video("sintel-10s-cea608.ts"));
    assert.equal(source.hasClosedCaptions, true);
    const text = await transcoder.extractText(video("sintel-10s-cea608.ts"), source, { closedCaptions: true });
    assert.match(text, /00:01\.000 --> 00:04\.000\nASUKA/);
  });

  test("4K HEVC without sound, VP8 WebM, two languages", async () => {
    const big = await transcoder.probe(video("sintel-4k-hevc-noaudio.mp4"));
    assert.deepEqual([big.video.codec, big.video.displayWidth, big.audio.length], ["hevc", 4096, 0]);
    assert.equal((await transcoder.probe(video("tears-of-steel-battle-0-41s.webm"))).video.codec, "vp8");
    const two = await transcoder.probe(video("countdown-en-de.mp4"));
    assert.deepEqual(
      two.audio.map((track) => track.language),
      ["eng", "deu"],
    );
  });

  test("a VP8 film's chunk in its middle has every frame", async () => {
    const folder = await mkdtemp(join(tmpdir(), "marquee-realdata-"));
    try {
      const path = video("tears-of-steel-battle-0-41s.webm");
      const source = await transcoder.probe(path);
      const shape = {
        codec: "h264",
        width: 160,
        height: 66,
        bitrateKbps: 150,
        preset: "quick",
        gopFrames: 48,
      } as const;
      await transcoder.encodeVideo(
        { path, source, ...shape, firstFrame: 480, frameCount: 48 },
        join(folder, "chunk.mp4"),
        () => undefined,
      );
      assert.equal((await transcoder.probe(join(folder, "chunk.mp4"))).durationS, 2);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

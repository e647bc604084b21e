import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { openTranscoder } from "./ffmpeg.ts";
import { previewRate } from "./preview.ts";

const call = promisify(execFile);
const transcoder = openTranscoder();
let folder = "";
let film = "";

/** A second of each brightness, with a tone, on a clock that does not begin at zero. */
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "marquee-preview-"));
  film = join(folder, "film.mkv");
  const picture = "nullsrc=s=128x72:r=50:d=6,format=gray,geq=lum='floor(N/50)*30+40'";
  await call("ffmpeg", [
    ...["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=6"],
    ...[
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-pix_fmt",
      "yuv420p",
      "-g",
      "100",
      "-c:a",
      "aac",
      "-output_ts_offset",
      "2",
      film,
    ],
  ]);
});
after(() => rm(folder, { recursive: true, force: true }));

test("a preview is that part of the picture: silent, H.264 Main, half of 50 a second, with its index in front", async () => {
  const out = join(folder, "preview.mp4");
  const source = await transcoder.probe(film);
  await transcoder.preview(film, source, { startS: 3, durationS: 2 }, out);
  const { stdout } = await call("ffprobe", [
    ...["-v", "error", "-count_frames", "-show_entries"],
    ...["stream=codec_name,profile,pix_fmt,width,height,r_frame_rate,nb_read_frames", "-of", "json", out],
  ]);
  const { streams } = JSON.parse(stdout) as { streams: object[] };
  assert.deepEqual(streams, [
    {
      ...{ codec_name: "h264", profile: "Main", pix_fmt: "yuv420p", width: 128, height: 72 },
      ...{ r_frame_rate: "25/1", nb_read_frames: "50" },
    },
  ]);
  const bytes = await readFile(out);
  assert.ok(bytes.indexOf("moov") < bytes.indexOf("mdat"));
  const { stdout: grays } = await call(
    "ffmpeg",
    ["-v", "error", "-i", out, "-vf", "format=gray,scale=1:1:flags=area", "-f", "rawvideo", "pipe:1"],
    { encoding: "buffer" },
  );
  // The film's fourth second is 130, its fifth 160.
  for (const [frame, gray] of grays.entries())
    assert.ok(Math.abs(gray - (frame < 25 ? 130 : 160)) < 6, `picture ${frame} is ${gray}`);
});

test("the hardest picture stays small, and no side is longer than 960", async () => {
  const noisy = join(folder, "noise.mp4");
  await call("ffmpeg", [
    ...["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=500x1000:r=10:d=1,noise=alls=60:allf=t"],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-pix_fmt", "yuv420p", noisy],
  ]);
  const out = join(folder, "noise-preview.mp4");
  await transcoder.preview(noisy, await transcoder.probe(noisy), { startS: 0, durationS: 1 }, out);
  const { video, sizeBytes, durationS } = await transcoder.probe(out);
  assert.deepEqual([video.displayWidth, video.displayHeight], [480, 960]);
  assert.ok(Math.abs(durationS - 1) < 0.2);
  // 1,200 kbit/s, and what may be saved up for a moment: 8 s of it are 1.4 MB.
  assert.ok(sizeBytes < 360_000, `${sizeBytes} bytes`);
});

test("what is not within the film is refused; what was given up leaves no file", async () => {
  const source = await transcoder.probe(film);
  const out = join(folder, "refused.mp4");
  for (const [startS, durationS] of [
    [5, 2],
    [-1, 2],
    [Number.NaN, 2],
    [0, 0],
    [0, 31],
  ] as const)
    await assert.rejects(transcoder.preview(film, source, { startS, durationS }, out), { code: "invalid_argument" });
  const claims = { ...source, durationS: 60 };
  await assert.rejects(transcoder.preview(film, claims, { startS: 30, durationS: 8 }, out), {
    code: "unsupported_media",
  });
  await assert.rejects(transcoder.preview(film, source, { startS: 0, durationS: 2 }, out, AbortSignal.abort()), {
    code: "canceled",
  });
  assert.equal(existsSync(out), false);
});

test("the rate is a whole fraction of the film's, at most thirty a second", () => {
  assert.deepEqual(previewRate([24_000, 1_001]), [24_000, 1_001]);
  assert.deepEqual(previewRate([30, 1]), [30, 1]);
  assert.deepEqual(previewRate([60_000, 1_001]), [60_000, 2_002]);
  assert.deepEqual(previewRate([48, 1]), [48, 2]);
});

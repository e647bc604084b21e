import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { makeTestFolder } from "../../kernel/testing/folder.ts";
import { openTranscoder } from "./ffmpeg.ts";

test("a short film gives as many stills as it is asked for, more than FFmpeg's sums are deep", async () => {
  const folder = await makeTestFolder("stills");
  const film = join(folder, "film.mp4");
  const pattern = "testsrc2=size=160x90:rate=25:duration=8";
  await promisify(execFile)("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", pattern, "-pix_fmt", "yuv420p", film]);
  const transcoder = openTranscoder();
  const source = await transcoder.probe(film);
  const timesS = Array.from({ length: 190 }, (_, index) => index * 0.04);
  const into = join(folder, "stills");
  await mkdir(into);
  const stills = await transcoder.stills(film, source, { timesS, width: 80 }, into);
  assert.deepEqual(
    stills.map(({ timeS }) => timeS.toFixed(2)),
    timesS.map((timeS) => timeS.toFixed(2)),
  );
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Problem } from "#kernel/errors";
import { DEMO_FILMS, type DemoFilm } from "./films.ts";
import { makeFilm } from "./make.ts";
import { toWebVtt } from "./narration.ts";

const call = promisify(execFile);

test("eight titles, one of twelve minutes, one a series of three", () => {
  assert.equal(DEMO_FILMS.length, 8);
  assert.deepEqual(
    DEMO_FILMS.filter((film) => film.kind === "series").map((film) => film.reels.length),
    [3],
  );
  const reels = DEMO_FILMS.flatMap((film) => film.reels);
  assert.equal(new Set(reels.map((reel) => reel.id)).size, reels.length);
  assert.equal(reels.filter((reel) => reel.durationS === 720).length, 1);
  assert.ok(reels.every((reel) => reel.durationS === 720 || (reel.durationS >= 60 && reel.durationS <= 120)));
  assert.ok(DEMO_FILMS.some((film) => film.reels.some((reel) => reel.tracks.length === 2)));
  const divided = reels.filter(({ chapters }) => chapters !== undefined);
  assert.deepEqual(
    divided.map(({ id }) => id),
    ["the-tide-clock", "twelve-hours-of-snow"],
  );
  for (const { chapters, scenes } of divided) assert.equal(chapters?.length, scenes().length);
});

test("what the catalogue says is what the scenes last, and every line is spoken within the film", () => {
  for (const reel of DEMO_FILMS.flatMap((film) => film.reels)) {
    assert.equal(
      reel.scenes().reduce((sum, scene) => sum + scene.durationS, 0),
      reel.durationS,
      reel.id,
    );
    const languages = Object.keys(reel.narration);
    for (const language of ["en", "de", "es"]) assert.ok(languages.includes(language), `${reel.id} ${language}`);
    for (const [language, cues] of Object.entries(reel.narration)) {
      assert.equal(cues.length, reel.narration["en"]?.length, `${reel.id} ${language}`);
      for (const [index, cue] of cues.entries()) {
        assert.ok(cue.text.trim() !== "" && cue.untilS < reel.durationS, `${reel.id} ${language} ${index}`);
        assert.ok(cue.fromS >= (cues[index - 1]?.untilS ?? 0), `${reel.id} ${language} ${index} overlaps`);
      }
    }
  }
});

test("WebVTT has whole timestamps", () => {
  assert.equal(
    toWebVtt([{ fromS: 3661.5, untilS: 3662, text: "x" }]),
    "WEBVTT\n\n1\n01:01:01.500 --> 01:01:02.000\nx\n",
  );
});

/** A film of two short plain scenes: the studio is tested, not the artist. */
function tinyFilm(): DemoFilm {
  const [model] = DEMO_FILMS;
  const [reel] = model?.reels ?? [];
  assert.ok(model && reel);
  const scenes = () =>
    ["navy", "maroon"].map((colour) => ({
      ...{ durationS: 3, stills: [] },
      graph: (rate: number) => `color=c=${colour}:s=128x72:r=${rate}:d=3[picture]`,
    }));
  const card = "It’s: 100%, [tiny]; 'film'";
  return { ...model, reels: [{ ...reel, id: "tiny", card, durationS: 6, scenes, chapters: ["Blue", "=Red; \\#2"] }] };
}

test("a film is made whole, once, with its languages; an abort leaves nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "marquee-demo-"));
  try {
    await assert.rejects(
      makeFilm(tinyFilm(), folder, { signal: AbortSignal.abort() }),
      (error) => error instanceof Problem && error.code === "canceled",
    );
    assert.deepEqual(
      (await readdir(folder)).filter((name) => !name.endsWith(".vtt")),
      [],
    );
    const ratios: number[] = [];
    const [made] = await makeFilm(tinyFilm(), folder, { parallel: 2, progress: (ratio) => ratios.push(ratio) });
    assert.ok(made);
    assert.equal(ratios.at(-1), 1);
    const { stdout } = await call("ffprobe", [
      "-v",
      "error",
      "-show_chapters",
      "-show_entries",
      "format=duration:stream=codec_type,nb_frames:stream_tags=language",
      "-of",
      "json",
      made.video,
    ]);
    const seen = JSON.parse(stdout) as {
      format: { duration: string };
      streams: { codec_type: string; nb_frames: string; tags: { language: string } }[];
      chapters: { start_time: string; tags: { title: string } }[];
    };
    assert.deepEqual(
      seen.chapters.map(({ start_time, tags }) => [Number(start_time), tags.title]),
      [
        [0, "Blue"],
        [3, "=Red; \\#2"],
      ],
    );
    assert.equal(seen.streams[0]?.nb_frames, String(6 * 24));
    assert.deepEqual(
      seen.streams.filter((stream) => stream.codec_type === "audio").map((stream) => stream.tags.language),
      ["eng", "deu"],
    );
    assert.deepEqual(
      made.subtitles.map((each) => each.language),
      ["en", "de", "es", "ar"],
    );
    assert.match(await readFile(made.subtitles[0]?.file ?? "", "utf8"), /^WEBVTT\n/);
    const before = await stat(made.video);
    await makeFilm(tinyFilm(), folder);
    assert.equal((await stat(made.video)).mtimeMs, before.mtimeMs);
    assert.equal((await readdir(folder)).length, 5);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

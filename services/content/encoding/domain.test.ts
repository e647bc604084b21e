import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SourceInfo } from "#kernel/ports/transcoder";
import { keyClassOf } from "#media/presentation";
import { languageName, languageOf, nameFilm, planOf, progressOf, tasksOf, thumbnailShapeOf } from "./domain.ts";

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly durationS?: number;
  readonly frameRate?: readonly [number, number];
}

const sourceOf = (
  { width, height, durationS = 60, frameRate = [25, 1] }: Shape,
  more: Partial<SourceInfo> = {},
): SourceInfo => ({
  container: "mov",
  durationS,
  sizeBytes: 1,
  video: {
    ...{ index: 0, codec: "h264", codedWidth: width, codedHeight: height, displayWidth: width, displayHeight: height },
    ...{ frameRate, isInterlaced: false, isHdr: false, pixelFormat: "yuv420p", startS: 0 },
  },
  audio: [],
  text: [],
  hasClosedCaptions: false,
  ...more,
});

const sizes = (shape: Shape, preset: "quick" | "full", hevc = false): string[] =>
  planOf(sourceOf(shape), preset, [], { hevc, ladder: "fixed" }).video.map(
    ({ profile, width, height }) => `${profile} ${width}x${height}`,
  );

test("the full ladder is the specified one", () => {
  assert.deepEqual(sizes({ width: 1920, height: 1080 }, "full", true), [
    ...["1080p-h264 1920x1080", "720p-h264 1280x720", "480p-h264 854x480", "360p-h264 640x360", "240p-h264 426x240"],
    ...["1080p-hevc-high 1920x1080", "1080p-hevc 1920x1080", "720p-hevc 1280x720", "540p-hevc 960x540"],
    ...["360p-hevc 640x360", "240p-hevc 426x240"],
  ]);
});

test("quick makes three rungs, of 720 lines at most", () => {
  assert.deepEqual(sizes({ width: 3840, height: 2160 }, "quick", true), [
    ...["720p-h264 1280x720", "480p-h264 854x480", "240p-h264 426x240"],
  ]);
  assert.deepEqual(sizes({ width: 640, height: 360 }, "quick"), ["360p-h264 640x360", "240p-h264 426x240"]);
});

test("wide, tall and tiny pictures keep their shape", () => {
  assert.deepEqual(sizes({ width: 1920, height: 804 }, "quick"), [
    ...["720p-h264 1280x536", "480p-h264 854x358", "240p-h264 426x178"],
  ]);
  assert.deepEqual(sizes({ width: 1080, height: 1920 }, "quick"), [
    ...["720p-h264 720x1280", "480p-h264 480x854", "240p-h264 240x426"],
  ]);
  assert.deepEqual(sizes({ width: 160, height: 120 }, "full"), ["240p-h264 160x120"]);
  assert.deepEqual(sizes({ width: 2, height: 2 }, "quick"), ["240p-h264 2x2"]);
});

const shapes = fc.record({
  width: fc.integer({ min: 1, max: 2_500 }).map((half) => half * 2),
  height: fc.integer({ min: 1, max: 2_500 }).map((half) => half * 2),
  durationS: fc.double({ min: 0.01, max: 20_000, noNaN: true }),
  frameRate: fc.constantFrom<[number, number]>(
    [24, 1],
    [24_000, 1_001],
    [25, 1],
    [30_000, 1_001],
    [50, 1],
    [60_000, 1_001],
    [1, 1],
  ),
});

test("property: no rung is larger than its source, and all have its shape and even sides", () => {
  fc.assert(
    fc.property(shapes, fc.constantFrom("quick" as const, "full" as const), fc.boolean(), (shape, preset, hevc) => {
      const { video } = planOf(sourceOf(shape), preset, [], { hevc, ladder: "fixed" });
      assert.ok(video.length > 0);
      assert.equal(new Set(video.map(({ profile }) => profile)).size, video.length);
      for (const { profile, width, height, bitrateKbps } of video) {
        assert.ok(width <= shape.width && height <= shape.height, `${profile} ${width}x${height}`);
        assert.ok(width % 2 === 0 && height % 2 === 0 && width >= 2 && height >= 2);
        assert.ok(bitrateKbps >= 100 && bitrateKbps <= 8_000);
        const scale = shape.width > shape.height ? width / shape.width : height / shape.height;
        // A side is rounded to an even number, at least two.
        assert.ok(Math.abs(width - shape.width * scale) <= 2 && Math.abs(height - shape.height * scale) <= 2);
      }
      if (preset === "quick") {
        assert.ok(video.length <= 3);
        if (Math.min(shape.width, shape.height) > 240) {
          for (const { width, height } of video) assert.ok(Math.min(width, height) <= 720);
        }
      }
    }),
  );
});

test("property: chunks cover every frame exactly once, in whole segments, without a crumb at the end", () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const { video, gopFrames } = planOf(sourceOf(shape), "full", [], { hevc: true, ladder: "fixed" });
      const frames = Math.max(1, Math.round((shape.durationS * shape.frameRate[0]) / shape.frameRate[1]));
      for (const { chunks } of video) {
        let next = 0;
        for (const [i, { firstFrame, frameCount }] of chunks.entries()) {
          assert.equal(firstFrame, next);
          assert.equal(firstFrame % (gopFrames * 3), 0, "a chunk begins with a segment");
          assert.ok(frameCount >= gopFrames || chunks.length === 1);
          assert.ok(frameCount < gopFrames * 16);
          if (i < chunks.length - 1) assert.equal(frameCount, gopFrames * 15);
          next += frameCount;
        }
        assert.equal(next, frames);
      }
      assert.ok(Math.abs((gopFrames * shape.frameRate[1]) / shape.frameRate[0] - 2) <= 0.5);
    }),
  );
});

const audio = (index: number, language: string, isDefault = false) => ({
  ...{ index, codec: "aac", language, title: "", channels: 2, sampleRateHz: 48_000, startS: 0, isDefault },
});

test("sound and text have names of their own and languages as BCP 47 has them", () => {
  const text = (index: number, codec: string, language: string, isForced = false) => ({
    index,
    codec,
    language,
    title: "",
    isForced,
  });
  const source = sourceOf(
    { width: 640, height: 360 },
    {
      audio: [audio(1, "eng"), audio(2, "deu", true), audio(3, "eng"), audio(4, "not a tag!")],
      text: [text(5, "subrip", "ger"), text(6, "hdmv_pgs_subtitle", "fra"), text(7, "subrip", "deu", true)],
      hasClosedCaptions: true,
    },
  );
  const plan = planOf(source, "quick", [{ key: "k", language: "pt-br" }], { hevc: false, ladder: "fixed" });
  assert.deepEqual(
    plan.audio.map(({ profile, language, isDefault }) => [profile, language, isDefault]),
    [
      ["audio-en", "en", false],
      ["audio-de", "de", true],
      ["audio-en-2", "en", false],
      ["audio-und", "und", false],
    ],
  );
  assert.deepEqual(
    plan.text.map(({ profile, role, from }) => [profile, role, from]),
    [
      ["text-pt-br", "subtitles", { key: "k" }],
      ["text-de", "subtitles", { streamIndex: 5 }],
      ["text-de-2", "forced", { streamIndex: 7 }],
      ["text-en", "captions", { closedCaptions: true }],
    ],
  );
  assert.equal(
    planOf(sourceOf({ width: 64, height: 36 }, { audio: [audio(1, "eng")] }), "quick", [], {
      hevc: false,
      ladder: "fixed",
    }).audio[0]?.isDefault,
    true,
  );
  assert.deepEqual(
    [languageOf("ger"), languageOf("x y"), languageName("de"), languageName("und")],
    ["de", "und", "Deutsch", "Original"],
  );
});

test("every piece of a plan is one task, HEVC after what plays first", () => {
  const plan = planOf(
    sourceOf({ width: 1280, height: 720, durationS: 100 }, { audio: [audio(1, "eng")] }),
    "full",
    [],
    { hevc: true, ladder: "fixed" },
  );
  const tasks = tasksOf(plan);
  assert.equal(new Set(tasks.map(({ name }) => name)).size, tasks.length);
  assert.equal(
    tasks.filter(({ kind }) => kind === "video").length,
    plan.video.reduce((sum, rung) => sum + rung.chunks.length, 0),
  );
  for (const task of tasks) {
    assert.equal(task.stage, task.profile.includes("hevc") ? "complete" : "playable");
    assert.ok(task.weight > 0);
  }
  assert.equal(
    progressOf(
      tasks.map((task) => ({ ...task, done: true })),
      new Map(),
    ),
    1,
  );
  assert.equal(
    progressOf(
      tasks.map((task) => ({ ...task, done: false })),
      new Map(),
    ),
    0,
  );
  const half = progressOf(
    tasks.map((task) => ({ ...task, done: false })),
    new Map(tasks.map(({ name }) => [name, 0.5])),
  );
  assert.ok(Math.abs(half - 0.5) < 1e-9);
});

test("a quick film plays with its largest and its smallest rung; the one between joins", () => {
  const stages = (shape: Shape): string[] => {
    const tasks = tasksOf(planOf(sourceOf(shape), "quick", [], { hevc: true, ladder: "fixed" }));
    return tasks.filter(({ kind }) => kind === "video").map(({ profile, stage }) => `${profile} ${stage}`);
  };
  assert.deepEqual(stages({ width: 1280, height: 720, durationS: 10 }), [
    ...["720p-h264 playable", "480p-h264 complete", "240p-h264 playable"],
  ]);
  assert.deepEqual(stages({ width: 640, height: 360, durationS: 10 }), ["360p-h264 playable", "240p-h264 playable"]);
  assert.deepEqual(stages({ width: 320, height: 180, durationS: 10 }), ["240p-h264 playable"]);
});

test("key classes end where CPIX says, thumbnails stay few", () => {
  assert.deepEqual(
    [keyClassOf(1_024, 576), keyClassOf(1_280, 720), keyClassOf(1_920, 1_080), keyClassOf(3_840, 2_160)],
    ["SD", "HD", "HD", "UHD"],
  );
  const long = thumbnailShapeOf(sourceOf({ width: 1920, height: 804, durationS: 7_200 }));
  assert.ok(7_200 / long.intervalS <= 160 && long.height % 2 === 0);
  assert.equal(thumbnailShapeOf(sourceOf({ width: 64, height: 36, durationS: 1 })).intervalS, 1);
});

test("a failure speaks of the film and not of its objects", () => {
  assert.equal(nameFilm("'source' says 5.0 s but ends near 2.0 s"), "the film says 5.0 s but ends near 2.0 s");
  assert.equal(
    nameFilm("the disk is full: 'intermediate/demo/vod_1/240p-h264/0.mp4' was not written"),
    "the disk is full: a part of the film was not written",
  );
  assert.equal(nameFilm("'text-1.srt' is empty; 'h264' is not"), "a subtitle file is empty; 'h264' is not");
});

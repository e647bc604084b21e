import assert from "node:assert/strict";
import { test } from "node:test";
import type { VideoEncode } from "#kernel/ports/transcoder";
import type { ChildJob } from "./children.ts";
import { encodeVideo, meanQp } from "./video.ts";

const job: VideoEncode = {
  path: "/films/one.mp4",
  source: {
    ...{ container: "mov", durationS: 60, sizeBytes: 1, audio: [], text: [], hasClosedCaptions: false },
    video: {
      ...{ index: 0, codec: "h264", codedWidth: 640, codedHeight: 360, displayWidth: 640, displayHeight: 360 },
      ...{ frameRate: [25, 1], isInterlaced: false, isHdr: false, pixelFormat: "yuv420p", startS: 0 },
    },
  },
  ...{ codec: "h264", width: 640, height: 360, bitrateKbps: 800, preset: "quick" },
  ...{ firstFrame: 750, frameCount: 750, gopFrames: 50 },
};

const log = (p: number, b: number): string =>
  `[libx264 @ 0x1] frame I:1     Avg QP:30.00  size: 9\n[libx264 @ 0x1] frame P:10    Avg QP:${p}.00  size: 9\n` +
  `[libx264 @ 0x1] frame B:30    Avg QP:${b}.50  size: 9\n`;

/** The command lines that the job needed, where a sample says `stderr`. */
async function commandsOf(of: VideoEncode, stderr: string): Promise<string[][]> {
  const commands: string[][] = [];
  const run = async ({ args }: ChildJob) => {
    commands.push([...args]);
    return { stdout: Buffer.alloc(0), stderr, lastReport: new Map([["frame", String(of.frameCount)]]) };
  };
  await encodeVideo(run, "ffmpeg", of, "/tmp/out.mp4", () => {});
  return commands;
}

const after = (command: readonly string[] | undefined, option: string): string | undefined =>
  command?.[command.indexOf(option) + 1];

test("a chunk with more bits than it can use is encoded fast, seen on a second from its middle", async () => {
  const [sample, chunk] = await commandsOf(job, log(5, 8));
  assert.deepEqual([after(sample, "-f"), after(sample, "-frames:v")], ["null", "25"]);
  assert.match(after(sample, "-vf") ?? "", /trim=start_pts=1112:end_pts=1137/);
  assert.deepEqual([after(chunk, "-preset"), after(chunk, "-frames:v")], ["superfast", "750"]);
  const [, hard] = await commandsOf(job, log(19, 21));
  assert.equal(after(hard, "-preset"), "veryfast");
  const [, silent] = await commandsOf(job, "");
  assert.equal(after(silent, "-preset"), "veryfast");
});

test("short chunks, full ladders and HEVC are not sampled", async () => {
  for (const [of, preset] of [
    [{ ...job, frameCount: 200 }, "veryfast"],
    [{ ...job, preset: "full" }, "medium"],
    [{ ...job, preset: "full", width: 1280, height: 720 }, "fast"],
    [{ ...job, codec: "hevc" }, "superfast"],
  ] as const) {
    const commands = await commandsOf(of, log(1, 1));
    assert.deepEqual(
      commands.map((command) => after(command, "-preset")),
      [preset],
    );
  }
});

test("the mean quantiser counts frames, and leaves key frames out", () => {
  assert.equal(meanQp(log(10, 20)), (10 * 10 + 30 * 20.5) / 40);
  assert.equal(meanQp("frame I:1 Avg QP:3.00"), null);
});

test("one quality is capped by the bitrate; without one the bitrate is the mean", async () => {
  const full = { ...job, preset: "full" } as const;
  const [mean] = await commandsOf(full, "");
  assert.deepEqual([after(mean, "-b:v"), mean?.includes("-crf"), after(mean, "-maxrate:v")], ["800k", false, "856k"]);
  for (const codec of ["h264", "hevc"] as const) {
    const [capped] = await commandsOf({ ...full, codec, crf: 27 }, "");
    assert.deepEqual([after(capped, "-crf"), capped?.includes("-b:v")], ["27", false]);
    assert.match(capped?.join(" ") ?? "", /maxrate[=: v]+856k?/);
  }
  await assert.rejects(commandsOf({ ...full, crf: 60 }, ""), /crf is 60/);
});

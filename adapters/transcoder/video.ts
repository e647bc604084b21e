import { problem } from "#kernel/errors";
import type { Progress, VideoEncode } from "#kernel/ports/transcoder";
import type { RunChild } from "./children.ts";
import { pictureFilters, ratio } from "./filters.ts";
import { asInput, INPUT_LIMITS, nameOf, seekMarginS } from "./inputs.ts";

/** Two threads keep two chunks a busy machine's whole; the count is fixed because x264 cuts its lookahead by it. */
const THREADS = 2;
/** How much is encoded to learn whether a chunk is easy, and how much longer than that a chunk must be for the question to pay. */
const SAMPLE_S = 1;
const SAMPLED_S_MIN = 10;
/** At such quantisers (of 51) the error is under half a step of an 8-bit sample: a longer search would gain what nobody sees. */
const EASY_QP_MAX = 14;
/** Where the file ends a little before it says, its last picture stands for so long; more missing is a truncated film. */
const STILL_S_MAX = 2;

/**
 * Encodes one chunk of the output's frame grid. Frame n of the grid is the picture shown at n / rate seconds after the
 * first picture. Every chunk puts the source's own timestamps (`-copyts`) on that one grid and cuts by frame number, so that
 * neighbours meet exactly, whatever key frame the seek landed on.
 */
export async function encodeVideo(
  run: RunChild,
  ffmpeg: string,
  job: VideoEncode,
  out: string,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  checkJob(job);
  const rate = ratio(job.source.video.frameRate);
  const fromS = job.firstFrame / rate;
  const seekS = fromS - seekMarginS(job.source);
  const preset = (await isEasy(run, ffmpeg, job, signal)) ? "superfast" : presetOf(job);
  const frames = await encodeFrom(seekS > 0 ? seekS : null);
  if (frames >= job.frameCount) return;
  // The seek landed after the chunk's start (a broken index, a long GOP): reading from the beginning is slow and right.
  const again = seekS > 0 ? await encodeFrom(null) : frames;
  if (again < job.frameCount) {
    throw problem.unsupportedMedia(
      `${nameOf(job.path)} says ${job.source.durationS.toFixed(1)} s but its picture ends near ${((job.firstFrame + again) / rate).toFixed(1)} s; it is cut short: copy or export the file again`,
      { reason: "media_truncated" },
    );
  }

  async function encodeFrom(startS: number | null): Promise<number> {
    const result = await run({
      program: ffmpeg,
      args: ["-v", "error", ...videoArgs(job, preset, startS, ["-f", "mp4", `file:${out}`])],
      subject: nameOf(job.path),
      signal,
      output: "progress",
      onReport: (report) => progress(Math.min(1, Number(report.get("frame") ?? 0) / job.frameCount)),
    });
    return Number(result.lastReport.get("frame") ?? 0);
  }
}

/**
 * Whether a quick chunk has more bits than its picture can use: drawings, slides and screens often do. It is seen on a second from
 * its middle. Answers no where a question would cost more than it saves.
 */
async function isEasy(run: RunChild, ffmpeg: string, job: VideoEncode, signal?: AbortSignal): Promise<boolean> {
  const rate = ratio(job.source.video.frameRate);
  const frameCount = Math.max(1, Math.round(SAMPLE_S * rate));
  if (job.preset !== "quick" || job.codec !== "h264" || job.frameCount < SAMPLED_S_MIN * rate) return false;
  const firstFrame = job.firstFrame + Math.floor((job.frameCount - frameCount) / 2);
  const seekS = firstFrame / rate - seekMarginS(job.source);
  const { stderr } = await run({
    program: ffmpeg,
    args: [
      "-v",
      "info",
      ...videoArgs({ ...job, firstFrame, frameCount }, "superfast", seekS > 0 ? seekS : null, ["-f", "null", "-"]),
    ],
    subject: nameOf(job.path),
    signal,
    output: "progress",
  });
  const qp = meanQp(stderr);
  return qp !== null && qp <= EASY_QP_MAX;
}

/** The mean quantiser of what x264 predicted, from its closing words; null where it said none. Pure. */
export function meanQp(stderr: string): number | null {
  let frames = 0;
  let sum = 0;
  for (const [, count, qp] of stderr.matchAll(/frame [PB]:(\d+)\s+Avg QP:\s*(\d+(?:\.\d+)?)/g)) {
    frames += Number(count);
    sum += Number(count) * Number(qp);
  }
  return frames === 0 ? null : sum / frames;
}

function checkJob(job: VideoEncode): void {
  for (const [name, value] of Object.entries({ width: job.width, height: job.height })) {
    if (value % 2 !== 0 || value < 16) throw problem.invalid(`${name} is ${value}; it must be even and at least 16`);
  }
  for (const [name, value] of Object.entries({
    frameCount: job.frameCount,
    gopFrames: job.gopFrames,
    bitrateKbps: job.bitrateKbps,
  })) {
    if (!Number.isInteger(value) || value < 1)
      throw problem.invalid(`${name} is ${value}; it must be a whole number from 1`);
  }
  if (job.crf !== undefined && !(job.crf >= 1 && job.crf <= 51))
    throw problem.invalid(`crf is ${job.crf}; it must be 1 to 51`);
  if (!Number.isInteger(job.firstFrame) || job.firstFrame < 0)
    throw problem.invalid(`firstFrame is ${job.firstFrame}; it must be a whole number from 0`);
}

/** The whole command line but the level of the log; pure. */
function videoArgs(job: VideoEncode, preset: string, seekS: number | null, output: readonly string[]): string[] {
  const { video } = job.source;
  return [
    ...["-nostdin", "-hide_banner", "-y", "-nostats", "-progress", "pipe:1", "-filter_threads", "1"],
    ...[...INPUT_LIMITS, "-threads", String(THREADS), "-copyts", "-noaccurate_seek", "-seek_timestamp", "1"],
    ...(seekS === null ? [] : ["-ss", (video.startS + seekS).toFixed(6)]),
    ...[
      "-i",
      asInput(job.path),
      "-map",
      `0:${video.index}`,
      "-an",
      "-sn",
      "-dn",
      "-map_metadata",
      "-1",
      "-map_chapters",
      "-1",
    ],
    ...["-vf", [...gridFilters(job), ...pictureFilters(video, job.width, job.height)].join(",")],
    // The encoder's time base is the grid: one tick a frame, so no rounding can drop or double one.
    ...[
      "-fps_mode",
      "passthrough",
      "-enc_time_base",
      `${video.frameRate[1]}:${video.frameRate[0]}`,
      "-frames:v",
      String(job.frameCount),
    ],
    ...(job.codec === "h264" ? h264Args(job, preset) : hevcArgs(job, preset)),
    ...["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"],
    ...["-movflags", "+cmaf+empty_moov+default_base_moof+frag_keyframe+negative_cts_offsets", "-use_editlist", "0"],
    ...output,
  ];
}

/**
 * The constant grid: `fps` rounds each picture to its place and repeats or drops where the source is uneven; its output counts in
 * whole frames, so `trim` cuts by number.
 */
function gridFilters(job: VideoEncode): string[] {
  const { video, durationS } = job.source;
  const [numerator, denominator] = video.frameRate;
  const rate = numerator / denominator;
  const end = job.firstFrame + job.frameCount;
  const isLast = end / rate >= durationS - STILL_S_MAX;
  return [
    `setpts=PTS-(${video.startS})/TB`,
    // Only the first chunk may fill its start: elsewhere a missing start means that the seek went wrong.
    `fps=fps=${numerator}/${denominator}${job.firstFrame === 0 ? ":start_time=0" : ""}`,
    ...(isLast ? [`tpad=stop_mode=clone:stop_duration=${STILL_S_MAX}`] : []),
    `trim=start_pts=${job.firstFrame}:end_pts=${end}`,
    `setpts=PTS-${job.firstFrame}`,
  ];
}

const rateControl = (job: VideoEncode) => ({
  maxrate: Math.round(job.bitrateKbps * 1.07),
  bufsize: job.bitrateKbps * 2,
});

/** The encoder's name for how long it searches. */
function presetOf({ codec, preset, width, height }: VideoEncode): string {
  if (codec === "hevc") return preset === "quick" ? "superfast" : "fast";
  if (preset === "quick") return "veryfast";
  return Math.min(width, height) > 576 ? "fast" : "medium";
}

function h264Args(job: VideoEncode, preset: string): string[] {
  const { maxrate, bufsize } = rateControl(job);
  return [
    ...["-c:v", "libx264", "-threads", String(THREADS), "-preset", preset],
    ...["-profile:v", Math.min(job.width, job.height) >= 480 ? "high" : "main"],
    ...(job.crf === undefined ? ["-b:v", `${job.bitrateKbps}k`] : ["-crf", String(job.crf)]),
    ...["-maxrate:v", `${maxrate}k`, "-bufsize:v", `${bufsize}k`],
    ...["-g", String(job.gopFrames), "-keyint_min", String(job.gopFrames), "-sc_threshold", "0", "-flags", "+cgop"],
    // SEI here is x264's signature, a thousand bytes at the head of every chunk that no player reads.
    ...["-bsf:v", "filter_units=remove_types=6"],
  ];
}

function hevcArgs(job: VideoEncode, preset: string): string[] {
  const { maxrate, bufsize } = rateControl(job);
  const params = [
    `keyint=${job.gopFrames}:min-keyint=${job.gopFrames}:scenecut=0:open-gop=0:repeat-headers=0:info=0:log-level=error`,
    `vbv-maxrate=${maxrate}:vbv-bufsize=${bufsize}:hrd=0:pools=${THREADS}:frame-threads=1`,
  ];
  return [
    ...["-c:v", "libx265", "-preset", preset],
    ...(job.crf === undefined ? ["-b:v", `${job.bitrateKbps}k`] : ["-crf", String(job.crf)]),
    ...["-x265-params", params.join(":"), "-tag:v", "hvc1"],
  ];
}

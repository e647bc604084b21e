import { problem } from "#kernel/errors";
import type { PreviewSpan, SourceInfo } from "#kernel/ports/transcoder";
import { pictureFilters, ratio, type Rational } from "./filters.ts";
import { asInput, INPUT_LIMITS, nameOf } from "./inputs.ts";
import { momentArgs, type PictureTools, QUIET } from "./pictures.ts";

/** Behind a page's text nobody counts pixels, but everybody pays for them. */
const SIDE_MAX = 960;
const DURATION_S_MAX = 30;
const FRAME_RATE_MAX = 30;
const CRF = 27;
/** A hard picture (rain, confetti) may not exceed what an easy one costs by much: 8 s stay under 1.5 MB. */
const MAXRATE_KBPS = 1_200;
const BUFFER_KBIT = 1_600;
/** A file whose picture ends a little early still has a preview; one that gives less is damaged there. */
const SHARE_MIN = 0.9;
/** Sums of times are off by less. */
const EXACT_S = 0.001;

/** Encodes a silent clip that any browser plays from its first bytes (H.264 Main, progressive download). */
export async function preview(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  span: PreviewSpan,
  out: string,
  signal?: AbortSignal,
): Promise<void> {
  checkSpan(source, span);
  const frames = frameCount(source, span);
  const result = await tools.run({
    program: tools.ffmpeg,
    args: previewArgs(path, source, span, out),
    subject: nameOf(path),
    signal,
    output: "progress",
  });
  const written = Number(result.lastReport.get("frame") ?? 0);
  if (written < frames * SHARE_MIN)
    throw problem.unsupportedMedia(
      `${nameOf(path)} gave ${written} of ${frames} pictures from ${span.startS.toFixed(1)} s on; its picture is damaged there`,
      { reason: "media_undecodable" },
    );
}

function checkSpan({ durationS: filmS }: SourceInfo, { startS, durationS }: PreviewSpan): void {
  if (!(durationS > 0 && durationS <= DURATION_S_MAX))
    throw problem.invalid(`durationS is ${durationS}; a preview lasts more than 0 and at most ${DURATION_S_MAX} s`);
  if (!(startS >= 0 && startS + durationS <= filmS + EXACT_S))
    throw problem.invalid(`startS is ${startS}; ${durationS} s from there are not within the film's ${filmS} s`);
}

/** A whole fraction of the film's own rate, since dropping every second frame stutters less than dropping every fifth. */
export function previewRate([numerator, denominator]: Rational): Rational {
  return [numerator, denominator * Math.max(1, Math.ceil(numerator / denominator / (FRAME_RATE_MAX + 0.01)))];
}

const frameCount = ({ video }: SourceInfo, { durationS }: PreviewSpan): number =>
  Math.max(1, Math.round(durationS * ratio(previewRate(video.frameRate))));

/** The whole command line; pure, so that tests can read it. */
export function previewArgs(path: string, source: SourceInfo, span: PreviewSpan, out: string): string[] {
  const { video } = source;
  const moment = momentArgs(source, span.startS);
  const [numerator, denominator] = previewRate(video.frameRate);
  const scale = Math.min(1, SIDE_MAX / Math.max(video.displayWidth, video.displayHeight));
  const even = (value: number): number => Math.max(2, 2 * Math.round((value * scale) / 2));
  const filters = [
    ...moment.filters,
    "setpts=PTS-STARTPTS",
    `fps=fps=${numerator}/${denominator}`,
    ...pictureFilters(video, even(video.displayWidth), even(video.displayHeight)),
  ];
  return [
    ...[...QUIET, "-progress", "pipe:1", ...INPUT_LIMITS, "-threads", "1", ...moment.input, "-i", asInput(path)],
    ...["-map", `0:${video.index}`, "-an", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"],
    ...["-vf", filters.join(","), "-frames:v", String(frameCount(source, span))],
    ...["-c:v", "libx264", "-threads", "1", "-preset", "medium", "-profile:v", "main", "-crf", String(CRF)],
    ...["-maxrate:v", `${MAXRATE_KBPS}k`, "-bufsize:v", `${BUFFER_KBIT}k`],
    ...["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"],
    // The index goes to the front, so that playing starts before the last byte is there.
    ...["-movflags", "+faststart", "-f", "mp4", `file:${out}`],
  ];
}

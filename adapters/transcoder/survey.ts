import type { SourceInfo, Stretch, Survey } from "#kernel/ports/transcoder";
import { differenceHash, HASH_HEIGHT, HASH_WIDTH } from "./difference-hash.ts";
import { asInput, INPUT_LIMITS, nameOf } from "./inputs.ts";
import { type PictureTools, QUIET } from "./pictures.ts";

/** Cuts are as plain in a small picture as in a large one. */
const LOOK_WIDTH = 320;
/** Of ffmpeg's scdet, 0 to 100: its documentation names 8 to 14. */
const CUT_SCORE = 10;
const BLACK_S_MIN = 0.2;
const SILENCE = "noise=-45dB:duration=0.4";
const HASHES_MAX = 100_000;

/** The keys under which ffmpeg's filters say what they found, and what each means. */
const KEYS = ["scd.time", "black_start", "black_end", "silence_start", "silence_end"] as const;
type Key = (typeof KEYS)[number];

/** One pass over picture and first sound. What filters find is written as they find it, so that it needs no place in an error output that is cut. */
export async function survey(
  { run, ffmpeg }: PictureTools,
  path: string,
  source: SourceInfo,
  signal?: AbortSignal,
): Promise<Survey> {
  const { video, durationS } = source;
  const [sound] = source.audio;
  const picture = [
    `setpts=PTS-(${video.startS})/TB`,
    ...(video.isInterlaced ? ["bwdif=deint=all"] : []),
    `scale=${LOOK_WIDTH}:-2:flags=area`,
    "format=yuv420p",
    `scdet=threshold=${CUT_SCORE}`,
    `blackdetect=black_min_duration=${BLACK_S_MIN}:picture_black_ratio_th=0.96`,
    ...(["scd.time", "black_start", "black_end"] as const).map((key) => print("metadata", key)),
  ];
  const listening = [
    `asetpts=PTS-(${video.startS})/TB`,
    `silencedetect=${SILENCE}`,
    ...(["silence_start", "silence_end"] as const).map((key) => print("ametadata", key)),
  ];
  const { stdout } = await run({
    program: ffmpeg,
    args: [
      // A film may have no cut for an hour; that work goes on is seen by the report between what was found.
      ...[...QUIET, "-progress", "pipe:1", "-stats_period", "5", ...INPUT_LIMITS],
      ...["-threads", "1", "-copyts", "-i", asInput(path)],
      ...["-map", `0:${video.index}`, "-vf", picture.join(","), "-fps_mode", "passthrough"],
      ...(sound ? ["-map", `0:${sound.index}`, "-af", listening.join(",")] : []),
      ...["-f", "null", "-"],
    ],
    subject: nameOf(path),
    signal,
    output: "keep",
  });
  return readSurvey(stdout.toString("utf8"), durationS);
}

const print = (filter: "metadata" | "ametadata", key: Key): string =>
  `${filter}=mode=print:key=lavfi.${key}:file=-:direct=1`;

/** Reads the lines `lavfi.KEY=SECONDS`; pure. A stretch that is open at the end ends with the film. */
export function readSurvey(lines: string, durationS: number): Survey {
  const found = new Map<Key, number[]>(KEYS.map((key) => [key, []]));
  for (const [, key, value] of lines.matchAll(/lavfi\.([a-z_.]+)=(-?[\d.]+)/g)) {
    const seconds = Number(value);
    const times = found.get(key as Key);
    if (times && Number.isFinite(seconds)) times.push(Math.min(durationS, Math.max(0, seconds)));
  }
  const timesOf = (key: Key): number[] => [...new Set(found.get(key))].sort((a, b) => a - b);
  return {
    cutsS: timesOf("scd.time").filter((timeS) => timeS > 0 && timeS < durationS),
    blacks: stretches(timesOf("black_start"), timesOf("black_end"), durationS),
    silences: stretches(timesOf("silence_start"), timesOf("silence_end"), durationS),
  };
}

function stretches(starts: readonly number[], ends: readonly number[], durationS: number): Stretch[] {
  return starts.map((startS, index) => {
    const nextS = starts[index + 1] ?? Number.POSITIVE_INFINITY;
    return { startS, endS: ends.find((endS) => endS > startS && endS <= nextS) ?? Math.min(nextS, durationS) };
  });
}

/** A hash for each second of the picture's clock, in one pass. */
export async function hashes(
  { run, ffmpeg }: PictureTools,
  path: string,
  source: SourceInfo,
  signal?: AbortSignal,
): Promise<string[]> {
  const { video } = source;
  const size = HASH_WIDTH * HASH_HEIGHT;
  const filters = [
    `setpts=PTS-(${video.startS})/TB`,
    "fps=fps=1:start_time=0.5:round=down",
    ...(video.isInterlaced ? ["bwdif=deint=all"] : []),
    `scale=${HASH_WIDTH * 8}:${HASH_HEIGHT * 8}:flags=area,format=gray,scale=${HASH_WIDTH}:${HASH_HEIGHT}:flags=area`,
  ];
  const { stdout } = await run({
    program: ffmpeg,
    args: [
      ...[...QUIET, ...INPUT_LIMITS, "-threads", "1", "-copyts", "-i", asInput(path), "-map", `0:${video.index}`],
      ...["-vf", filters.join(","), "-fps_mode", "passthrough", "-frames:v", String(HASHES_MAX)],
      // Each hash is a sign of work.
      ...["-flush_packets", "1", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"],
    ],
    subject: nameOf(path),
    signal,
    output: "keep",
    outputBytesMax: size * (HASHES_MAX + 1),
  });
  return Array.from({ length: Math.floor(stdout.length / size) }, (_, index) =>
    differenceHash(stdout.subarray(index * size, (index + 1) * size)),
  );
}

const SPEECH_HZ = 16_000;

export async function speech(
  { run, ffmpeg }: PictureTools,
  path: string,
  source: SourceInfo,
  streamIndex: number,
  out: string,
  signal?: AbortSignal,
): Promise<void> {
  const filters = [
    `asetpts=PTS-(${source.video.startS})/TB`,
    "atrim=start=0",
    `aresample=${SPEECH_HZ}:ochl=mono:async=1:min_hard_comp=0.05:first_pts=0`,
    `atrim=end=${source.durationS.toFixed(3)}`,
  ];
  await run({
    program: ffmpeg,
    args: [
      ...[...QUIET, "-progress", "pipe:1", ...INPUT_LIMITS, "-threads", "1", "-copyts", "-i", asInput(path)],
      ...["-map", `0:${streamIndex}`, "-vn", "-sn", "-dn", "-af", filters.join(",")],
      ...["-ac", "1", "-ar", String(SPEECH_HZ), "-c:a", "pcm_s16le", "-f", "s16le", `file:${out}`],
    ],
    subject: nameOf(path),
    signal,
    output: "progress",
  });
}

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { problem } from "#kernel/errors";
import { type SourceInfo, type Still, STILLS_MAX } from "#kernel/ports/transcoder";
import { pictureFilters } from "./filters.ts";
import { asInput, INPUT_LIMITS, nameOf } from "./inputs.ts";
import { momentArgs, ONE_PASS_S_MAX, type PictureTools, QUIET } from "./pictures.ts";

interface Wanted {
  readonly timesS: readonly number[];
  readonly width: number;
}

const nameAt = (number: number): string => `still-${String(number).padStart(7, "0")}.jpg`;

export async function stills(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  wanted: Wanted,
  folder: string,
  signal?: AbortSignal,
): Promise<Still[]> {
  const { timesS } = wanted;
  if (timesS.length > STILLS_MAX) throw problem.invalid(`${timesS.length} stills are more than ${STILLS_MAX}`);
  if (timesS.some((timeS, index) => !(timeS >= 0) || timeS < (timesS[index - 1] ?? 0)))
    throw problem.invalid("the moments of stills have to come in order, from 0 on");
  if (timesS.length === 0) return [];
  return source.durationS <= ONE_PASS_S_MAX
    ? takeInOnePass(tools, path, source, wanted, folder, signal)
    : takeEach(tools, path, source, wanted, folder, signal);
}

const asJpeg = ["-c:v", "mjpeg", "-q:v", "3", "-f", "image2"];

function shrink({ video }: SourceInfo, width: number): string[] {
  const fit = Math.min(1, width / video.displayWidth);
  const even = (side: number): number => Math.max(2, 2 * Math.round((side * fit) / 2));
  return [
    ...pictureFilters(video, even(video.displayWidth), even(video.displayHeight), "area"),
    // mjpeg wants the full range, and says so loudly otherwise.
    "scale=out_range=pc,format=yuvj420p",
  ];
}

/** Halves of halves: FFmpeg's expressions may be 100 deep, and a chain of sums is as deep as it is long. */
function sumOf(terms: readonly string[]): string {
  if (terms.length < 3) return terms.join("+");
  const half = terms.length >> 1;
  return `(${sumOf(terms.slice(0, half))})+(${sumOf(terms.slice(half))})`;
}

/** A short film is decoded once, which costs less than to start a program and to seek for every picture. */
async function takeInOnePass(
  { run, ffmpeg }: PictureTools,
  path: string,
  source: SourceInfo,
  { timesS, width }: Wanted,
  folder: string,
  signal?: AbortSignal,
): Promise<Still[]> {
  const { video } = source;
  const rate = video.frameRate[0] / video.frameRate[1];
  const frames = [...new Set(timesS.map((timeS) => Math.floor(timeS * rate + 1e-6)))];
  const filters = [
    `setpts=PTS-(${video.startS})/TB`,
    `fps=fps=${video.frameRate.join("/")}:start_time=0`,
    `select='${sumOf(frames.map((frame) => `eq(n\\,${frame})`))}'`,
    ...shrink(source, width),
  ];
  await run({
    program: ffmpeg,
    args: [
      ...[...QUIET, "-progress", "pipe:1", ...INPUT_LIMITS, "-threads", "1", "-copyts", "-i", asInput(path)],
      ...["-map", `0:${video.index}`, "-vf", filters.join(","), "-fps_mode", "passthrough"],
      ...["-frames:v", String(frames.length), ...asJpeg, "-start_number", "1", "still-%07d.jpg"],
    ],
    cwd: folder,
    subject: nameOf(path),
    signal,
    output: "progress",
  });
  const written = (await readdir(folder)).filter((name) => /^still-\d{7}\.jpg$/.test(name)).length;
  return frames
    .slice(0, written)
    .map((frame, index) => ({ file: join(folder, nameAt(index + 1)), timeS: frame / rate }));
}

async function takeEach(
  { run, ffmpeg }: PictureTools,
  path: string,
  source: SourceInfo,
  { timesS, width }: Wanted,
  folder: string,
  signal?: AbortSignal,
): Promise<Still[]> {
  const taken: Still[] = [];
  for (const timeS of timesS) {
    const moment = momentArgs(source, timeS);
    const name = nameAt(taken.length + 1);
    await run({
      program: ffmpeg,
      args: [
        ...[...QUIET, ...INPUT_LIMITS, "-threads", "1", ...moment.input, "-i", asInput(path)],
        ...["-map", `0:${source.video.index}`, "-vf", [...moment.filters, ...shrink(source, width)].join(",")],
        ...["-fps_mode", "passthrough", "-frames:v", "1", ...asJpeg, "-update", "1", name],
      ],
      cwd: folder,
      subject: nameOf(path),
      signal,
      output: "keep",
    });
    if ((await readdir(folder)).includes(name)) taken.push({ file: join(folder, name), timeS });
  }
  return taken;
}

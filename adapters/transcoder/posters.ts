import { join } from "node:path";
import type { PosterCandidate, SourceInfo } from "#kernel/ports/transcoder";
import { pictureFilters, ratio } from "./filters.ts";
import { asInput, INPUT_LIMITS, nameOf } from "./inputs.ts";
import { momentArgs, ONE_PASS_S_MAX, type PictureTools, QUIET } from "./pictures.ts";

/** Candidates are judged small: enough to tell sharp from soft, cheap enough to look at many. */
const LOOK_WIDTH = 160;
const LOOK_HEIGHT = 90;
const LOOK_BYTES = LOOK_WIDTH * LOOK_HEIGHT * 3;
const LOOKS_A_POSTER = 5;
const LOOKS_MAX = 40;
/** Openings and endings are titles and credits. */
const FIRST_SHARE = 0.06;
const TITLES_S = 9;
const LAST_SHARE = 0.92;
const POSTER_WIDTH_MAX = 1920;
const POSTERS_MAX = 12;

export interface FrameLook {
  readonly timeS: number;
  readonly score: number;
  /** Mean colours of a 4 by 3 grid, for telling pictures apart. */
  readonly palette: readonly number[];
}

export async function posters(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  count: number,
  folder: string,
  signal?: AbortSignal,
): Promise<PosterCandidate[]> {
  const wanted = Math.min(Math.max(1, Math.floor(count)), POSTERS_MAX);
  // A title card stands as long in a short film as in a long one; a clip has none.
  const firstShare = Math.max(FIRST_SHARE, Math.min(0.25, TITLES_S / source.durationS));
  const frames = framesOf(source, firstShare, Math.min(LOOKS_MAX, wanted * LOOKS_A_POSTER));
  const looks =
    source.durationS <= ONE_PASS_S_MAX
      ? await lookInOnePass(tools, path, source, frames, signal)
      : await lookAtEach(tools, path, source, frames, signal);
  if (looks.length === 0) {
    // A slow or uneven picture may have nothing after its first frame.
    const rgb = await lookAt(tools, path, source, 0, signal);
    if (rgb !== null) looks.push(judgeFrame(0, rgb));
  }
  const scale = Math.min(1, POSTER_WIDTH_MAX / source.video.displayWidth);
  const width = 2 * Math.round((source.video.displayWidth * scale) / 2);
  const height = 2 * Math.round((source.video.displayHeight * scale) / 2);
  const candidates: PosterCandidate[] = [];
  for (const look of chooseVaried(looks, wanted)) {
    const file = join(folder, `poster-${candidates.length + 1}.jpg`);
    const filters = [...pictureFilters(source.video, width, height, "lanczos"), "scale=out_range=pc,format=yuvj420p"];
    await takeFrame(
      tools,
      path,
      source,
      look.timeS,
      filters,
      ["-c:v", "mjpeg", "-q:v", "2", "-f", "image2", "-update", "1", `file:${file}`],
      signal,
    );
    candidates.push({ file, timeS: look.timeS, width, height, score: look.score });
  }
  return candidates;
}

/** Numbers of evenly spread frames; a film of few frames has as many. */
function framesOf({ durationS, video }: SourceInfo, firstShare: number, count: number): number[] {
  const rate = ratio(video.frameRate);
  const frames = Array.from({ length: count }, (_, index) =>
    Math.floor(durationS * (firstShare + ((LAST_SHARE - firstShare) * (index + 0.5)) / count) * rate),
  );
  return [...new Set(frames)];
}

/** A moment a little before a frame, so that rounding cannot miss it. */
const momentOf = ({ video }: SourceInfo, frame: number): number => Math.max(0, (frame - 0.5) / ratio(video.frameRate));

async function lookAtEach(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  frames: readonly number[],
  signal?: AbortSignal,
): Promise<FrameLook[]> {
  const looks: FrameLook[] = [];
  for (const frame of frames) {
    const timeS = momentOf(source, frame);
    const rgb = await lookAt(tools, path, source, timeS, signal);
    if (rgb !== null) looks.push(judgeFrame(timeS, rgb));
  }
  return looks;
}

/** Decodes a short film once, which costs less than to start a program and to seek for every look. */
async function lookInOnePass(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  frames: readonly number[],
  signal?: AbortSignal,
): Promise<FrameLook[]> {
  const { video } = source;
  const filters = [
    `setpts=PTS-(${video.startS})/TB`,
    `fps=fps=${video.frameRate.join("/")}:start_time=0`,
    `select='${frames.map((frame) => `eq(n\\,${frame})`).join("+")}'`,
    ...pictureFilters(video, LOOK_WIDTH, LOOK_HEIGHT, "area"),
  ];
  const { stdout } = await tools.run({
    program: tools.ffmpeg,
    args: [
      ...[...QUIET, ...INPUT_LIMITS, "-threads", "1", "-copyts", "-i", asInput(path), "-map", `0:${video.index}`],
      ...["-vf", filters.join(","), "-fps_mode", "passthrough", "-frames:v", String(frames.length)],
      ...["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
    ],
    subject: nameOf(path),
    signal,
    output: "keep",
  });
  const seen = frames.slice(0, Math.floor(stdout.length / LOOK_BYTES));
  return seen.map((frame, index) =>
    judgeFrame(momentOf(source, frame), stdout.subarray(index * LOOK_BYTES, (index + 1) * LOOK_BYTES)),
  );
}

async function lookAt(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  timeS: number,
  signal?: AbortSignal,
): Promise<Buffer | null> {
  const rgb = await takeFrame(
    tools,
    path,
    source,
    timeS,
    pictureFilters(source.video, LOOK_WIDTH, LOOK_HEIGHT, "area"),
    ["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
    signal,
  );
  return rgb.length === LOOK_BYTES ? rgb : null;
}

/** Runs ffmpeg for the one frame at `timeS`; `output` begins after the filters. */
async function takeFrame(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  timeS: number,
  filters: readonly string[],
  output: readonly string[],
  signal?: AbortSignal,
): Promise<Buffer> {
  const moment = momentArgs(source, timeS);
  const { stdout } = await tools.run({
    program: tools.ffmpeg,
    args: [
      ...[...QUIET, ...INPUT_LIMITS, "-threads", "1", ...moment.input, "-i", asInput(path)],
      ...["-map", `0:${source.video.index}`, "-vf", [...moment.filters, ...filters].join(",")],
      ...["-fps_mode", "passthrough", "-frames:v", "1", ...output],
    ],
    subject: nameOf(path),
    signal,
    output: "keep",
  });
  return stdout;
}

/** Scores a small RGB picture, 0 to 1: sharp, neither dark nor burnt out, colourful, with contrast; pure. */
export function judgeFrame(timeS: number, rgb: Uint8Array): FrameLook {
  const luma = new Float64Array(LOOK_WIDTH * LOOK_HEIGHT);
  let sum = 0;
  let squares = 0;
  let saturation = 0;
  for (let pixel = 0; pixel < luma.length; pixel++) {
    const red = rgb[pixel * 3] ?? 0;
    const green = rgb[pixel * 3 + 1] ?? 0;
    const blue = rgb[pixel * 3 + 2] ?? 0;
    const value = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    luma[pixel] = value;
    sum += value;
    squares += value * value;
    saturation += Math.max(red, green, blue) - Math.min(red, green, blue);
  }
  const mean = sum / luma.length;
  const deviation = Math.sqrt(Math.max(0, squares / luma.length - mean * mean));
  const brightness = Math.max(0, 1 - Math.abs(mean - 110) / 110);
  const score =
    0.35 * saturate(meanEdge(luma) / 14) +
    0.25 * brightness +
    0.2 * saturate(deviation / 60) +
    0.2 * saturate(saturation / luma.length / 90);
  // A frame that is almost one tone is no poster however it scores otherwise.
  const isFlat = deviation < 6 || mean < 10 || mean > 245;
  return { timeS, score: isFlat ? score * 0.1 : score, palette: paletteOf(rgb) };
}

const saturate = (value: number): number => Math.min(1, value);

/** Mean absolute Laplacian: how much detail there is. */
function meanEdge(luma: Float64Array): number {
  let sum = 0;
  for (let y = 1; y < LOOK_HEIGHT - 1; y++) {
    for (let x = 1; x < LOOK_WIDTH - 1; x++) {
      const at = y * LOOK_WIDTH + x;
      const around =
        (luma[at - 1] ?? 0) + (luma[at + 1] ?? 0) + (luma[at - LOOK_WIDTH] ?? 0) + (luma[at + LOOK_WIDTH] ?? 0);
      sum += Math.abs(4 * (luma[at] ?? 0) - around);
    }
  }
  return sum / ((LOOK_WIDTH - 2) * (LOOK_HEIGHT - 2));
}

const CELLS_ACROSS = 4;
const CELLS_DOWN = 3;

function paletteOf(rgb: Uint8Array): number[] {
  const sums = new Array<number>(CELLS_ACROSS * CELLS_DOWN * 3).fill(0);
  for (let pixel = 0; pixel < LOOK_WIDTH * LOOK_HEIGHT; pixel++) {
    const column = Math.floor(((pixel % LOOK_WIDTH) / LOOK_WIDTH) * CELLS_ACROSS);
    const row = Math.floor((Math.floor(pixel / LOOK_WIDTH) / LOOK_HEIGHT) * CELLS_DOWN);
    const cell = (row * CELLS_ACROSS + column) * 3;
    for (let channel = 0; channel < 3; channel++)
      sums[cell + channel] = (sums[cell + channel] ?? 0) + (rgb[pixel * 3 + channel] ?? 0);
  }
  const pixelsACell = (LOOK_WIDTH * LOOK_HEIGHT) / (CELLS_ACROSS * CELLS_DOWN);
  return sums.map((sum) => sum / pixelsACell);
}

/** Picks greedily: the best score first, then whatever is good and unlike all that was picked. */
export function chooseVaried(looks: readonly FrameLook[], count: number): FrameLook[] {
  const left = [...looks];
  const picked: FrameLook[] = [];
  while (picked.length < count && left.length > 0) {
    let best = 0;
    let bestValue = -1;
    for (const [index, look] of left.entries()) {
      const value = look.score * (0.4 + 0.6 * novelty(look, picked));
      if (value > bestValue) {
        best = index;
        bestValue = value;
      }
    }
    picked.push(...left.splice(best, 1));
  }
  return picked;
}

/** 0 for a twin of a picked frame, 1 for one that shares nothing with any. */
function novelty(look: FrameLook, picked: readonly FrameLook[]): number {
  let nearest = 1;
  for (const other of picked) {
    const distance = look.palette.reduce((sum, value, index) => sum + Math.abs(value - (other.palette[index] ?? 0)), 0);
    nearest = Math.min(nearest, distance / look.palette.length / 48);
  }
  return nearest;
}

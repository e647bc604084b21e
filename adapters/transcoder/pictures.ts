import { readdir } from "node:fs/promises";
import { problem } from "#kernel/errors";
import type { Fingerprint, SourceInfo, ThumbnailShape } from "#kernel/ports/transcoder";
import type { RunChild } from "./children.ts";
import { pictureFilters } from "./filters.ts";
import { differenceHash, FLAT, HASH_HEIGHT, HASH_WIDTH } from "./difference-hash.ts";
import { asInput, INPUT_LIMITS, nameOf, seekMarginS } from "./inputs.ts";

const FINGERPRINT_FRAMES = 32;
/** Up to this length one pass over the film is cheaper than a seek for every frame. */
export const ONE_PASS_S_MAX = 180;
/** Above this length thumbnails show key frames only, a tenth of the work for a picture a few seconds off. */
const EVERY_FRAME_S_MAX = 20 * 60;
const TILES_MAX = 10_000;

export interface PictureTools {
  readonly run: RunChild;
  readonly ffmpeg: string;
}

export const QUIET = ["-nostdin", "-hide_banner", "-y", "-v", "error", "-nostats", "-filter_threads", "1"];

/** The moments at which a fingerprint looks, as shares of the duration: the middles of equal parts. */
const shares = Array.from({ length: FINGERPRINT_FRAMES }, (_, index) => (index + 0.5) / FINGERPRINT_FRAMES);

export async function fingerprint(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  signal?: AbortSignal,
): Promise<Fingerprint> {
  const { durationS } = source;
  if (durationS <= ONE_PASS_S_MAX) {
    const pictures = await grayPictures(tools, path, source, null, signal);
    return { durationS, frames: shares.map((_, index) => pictures[index] ?? pictures.at(-1) ?? FLAT) };
  }
  const frames: string[] = [];
  for (const share of shares) {
    const [picture] = await grayPictures(tools, path, source, share * durationS, signal);
    frames.push(picture ?? FLAT);
  }
  return { durationS, frames };
}

/** Hashes of one frame at `timeS`, or of all the fingerprint's frames in one pass where it is null. */
async function grayPictures(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  timeS: number | null,
  signal?: AbortSignal,
): Promise<string[]> {
  const { video, durationS } = source;
  const part = durationS / FINGERPRINT_FRAMES;
  const moment =
    timeS === null
      ? {
          input: ["-copyts"],
          filters: [`setpts=PTS-(${video.startS})/TB`, `fps=fps=${1 / part}:start_time=${part / 2}:round=down`],
        }
      : momentArgs(source, timeS);
  const shrink = `scale=${HASH_WIDTH * 8}:${HASH_HEIGHT * 8}:flags=area,format=gray,scale=${HASH_WIDTH}:${HASH_HEIGHT}:flags=area`;
  const { stdout } = await tools.run({
    program: tools.ffmpeg,
    args: [
      ...[
        ...QUIET,
        ...INPUT_LIMITS,
        "-threads",
        timeS === null ? "2" : "1",
        ...moment.input,
        "-i",
        asInput(path),
        "-map",
        `0:${video.index}`,
      ],
      ...[
        "-vf",
        [...moment.filters, ...(video.isInterlaced ? ["bwdif=deint=all"] : []), shrink].join(","),
        "-fps_mode",
        "passthrough",
      ],
      ...["-frames:v", String(timeS === null ? FINGERPRINT_FRAMES : 1), "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"],
    ],
    subject: nameOf(path),
    signal,
    output: "keep",
    outputBytesMax: HASH_WIDTH * HASH_HEIGHT * (FINGERPRINT_FRAMES + 1),
  });
  const size = HASH_WIDTH * HASH_HEIGHT;
  return Array.from({ length: Math.floor(stdout.length / size) }, (_, index) =>
    differenceHash(stdout.subarray(index * size, (index + 1) * size)),
  );
}

/** Input options and first filters that give the frame shown at a moment of the picture's clock, or the next one. */
export function momentArgs(source: SourceInfo, timeS: number): { input: string[]; filters: string[] } {
  const seekS = timeS - seekMarginS(source);
  const seek = seekS > 0 ? ["-seek_timestamp", "1", "-ss", (source.video.startS + seekS).toFixed(6)] : [];
  return {
    input: ["-copyts", "-noaccurate_seek", ...seek],
    filters: [`setpts=PTS-(${source.video.startS})/TB`, `trim=start=${timeS.toFixed(6)}`],
  };
}

export async function thumbnails(
  tools: PictureTools,
  path: string,
  source: SourceInfo,
  shape: ThumbnailShape,
  folder: string,
  signal?: AbortSignal,
): Promise<number> {
  const { columns, rows, width, height, intervalS } = shape;
  const pictures = Math.max(1, Math.ceil(source.durationS / intervalS));
  const tiles = Math.ceil(pictures / (columns * rows));
  if (!(intervalS > 0) || tiles > TILES_MAX)
    throw problem.invalid(`intervalS is ${intervalS}; it would make ${tiles} tiles, at most ${TILES_MAX}`);
  const { video, durationS } = source;
  const filters = [
    `setpts=PTS-(${video.startS})/TB`,
    `fps=fps=1/${intervalS}:start_time=0:round=up`,
    // The film's last thumbnail stands for its last seconds, also where the picture ends a little early.
    "tpad=stop_mode=clone:stop_duration=86400",
    `trim=end_frame=${pictures}`,
    ...pictureFilters(video, width, height),
    // mjpeg wants the full range, and says so loudly otherwise.
    "scale=out_range=pc,format=yuvj420p",
    `tile=${columns}x${rows}`,
  ];
  await tools.run({
    program: tools.ffmpeg,
    args: [
      ...[
        ...QUIET,
        "-progress",
        "pipe:1",
        ...INPUT_LIMITS,
        "-threads",
        "1",
        ...(durationS > EVERY_FRAME_S_MAX ? ["-skip_frame", "nokey"] : []),
      ],
      ...[
        "-copyts",
        "-i",
        asInput(path),
        "-map",
        `0:${video.index}`,
        "-vf",
        filters.join(","),
        "-fps_mode",
        "passthrough",
      ],
      // The pattern stays free of the folder's own name, where a percent sign would count as part of it.
      ...[
        "-c:v",
        "mjpeg",
        "-q:v",
        "5",
        "-frames:v",
        String(tiles),
        "-start_number",
        "1",
        "-f",
        "image2",
        "tile-%07d.jpg",
      ],
    ],
    cwd: folder,
    subject: nameOf(path),
    signal,
    output: "progress",
  });
  const written = (await readdir(folder)).filter((name) => /^tile-\d{7}\.jpg$/.test(name)).length;
  if (written < tiles)
    throw problem.unsupportedMedia(
      `${nameOf(path)} gave ${written} of ${tiles} tiles of thumbnails; its picture is damaged`,
      { reason: "media_undecodable" },
    );
  return tiles;
}

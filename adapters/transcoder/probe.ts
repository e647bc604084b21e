import { problem } from "#kernel/errors";
import type { SourceAudio, SourceChapter, SourceInfo, SourceText, SourceVideo } from "#kernel/ports/transcoder";
import type { RunChild } from "./children.ts";
import { displaySize, outputFrameRate, type Rational } from "./filters.ts";
import { asInput, checkFile, checkNotTruncated, INPUT_LIMITS, nameOf } from "./inputs.ts";

const SIDE_MAX = 8192;
const SIDE_MIN = 16;
/** Beyond it the smallest rung and the thumbnails would be narrower than an encoder can take. */
const ASPECT_MAX = 16;
const DURATION_S_MAX = 24 * 3600;
const STREAMS_MAX = 64;
const CHAPTERS_MAX = 200;
const CHAPTER_TITLE_CHARACTERS_MAX = 120;
const PROBE_OUTPUT_BYTES_MAX = 8 * 1024 * 1024;
/** Enough frames to see captions, field flags and whether the picture decodes at all. */
const PACKETS_LOOKED_AT = 40;
/** A recording that was cut into at any point begins to decode at its next key frame. */
const PACKETS_UNTIL_KEY_FRAME = 600;
const IDET_FRAMES = 120;

type Json = Readonly<Record<string, unknown>>;

export interface ProbeTools {
  readonly run: RunChild;
  readonly ffmpeg: string;
  readonly ffprobe: string;
}

/** Reads a file's tracks, refuses what cannot be encoded, and says why. */
export async function probeSource(tools: ProbeTools, path: string, signal?: AbortSignal): Promise<SourceInfo> {
  const sizeBytes = await checkFile(path);
  const subject = nameOf(path);
  const described = await ffprobe(tools, path, subject, ["-show_format", "-show_streams", "-show_chapters"], signal);
  if (text(objectOf(described["format"])["format_name"]).startsWith("mov")) await checkNotTruncated(path, sizeBytes);
  const draft = describeSource(described, sizeBytes, subject);
  const look = (packets: number) =>
    ffprobe(tools, path, subject, framesArgs(draft.source.video.index, packets), signal);
  let seen = describeFrames(await look(PACKETS_LOOKED_AT));
  if (seen.count === 0) seen = describeFrames(await look(PACKETS_UNTIL_KEY_FRAME));
  if (seen.count === 0) {
    throw problem.unsupportedMedia(
      `the picture of ${subject} (${draft.source.video.codec}) cannot be decoded: it is encrypted, damaged or cut short`,
      { reason: "media_undecodable" },
    );
  }
  const isInterlaced =
    draft.fieldOrder === "interlaced" ||
    (draft.fieldOrder === "unknown" &&
      (seen.interlacedShare > 0.5 || (await looksInterlaced(tools, path, draft.source.video, signal))));
  const startS = draft.hasStart ? draft.source.video.startS : seen.firstS;
  return {
    ...draft.source,
    video: { ...draft.source.video, isInterlaced, startS },
    hasClosedCaptions: draft.source.hasClosedCaptions || seen.hasClosedCaptions,
  };
}

const framesArgs = (index: number, packets: number): string[] => [
  "-select_streams",
  String(index),
  "-read_intervals",
  `%+#${packets}`,
  "-show_frames",
  "-show_entries",
  "frame=pts_time,best_effort_timestamp_time,interlaced_frame:frame_side_data=side_data_type",
];

async function ffprobe(
  tools: ProbeTools,
  path: string,
  subject: string,
  ask: readonly string[],
  signal?: AbortSignal,
): Promise<Json> {
  const { stdout } = await tools.run({
    program: tools.ffprobe,
    args: ["-hide_banner", "-v", "error", "-threads", "1", ...INPUT_LIMITS, "-of", "json", ...ask, "-i", asInput(path)],
    subject,
    signal,
    output: "keep",
    outputBytesMax: PROBE_OUTPUT_BYTES_MAX,
  });
  return objectOf(JSON.parse(stdout.toString("utf8")));
}

interface Draft {
  readonly source: SourceInfo;
  readonly fieldOrder: "progressive" | "interlaced" | "unknown";
  /** Some files give the picture no start; the first frame's time stands in. */
  readonly hasStart: boolean;
}

/** ffprobe's JSON as a SourceInfo; pure. Throws `unsupported_media` where there is no usable picture. */
export function describeSource(described: Json, sizeBytes: number, subject: string): Draft {
  const format = objectOf(described["format"]);
  const streams = listOf(described["streams"]).slice(0, STREAMS_MAX);
  const ofType = (type: string): Json[] => streams.filter((stream) => stream["codec_type"] === type);
  const pictures = ofType("video").filter(
    (stream) => flag(stream, "attached_pic") === false && flag(stream, "timed_thumbnails") === false,
  );
  const chosen =
    pictures.find((stream) => flag(stream, "default") && hasSize(stream)) ?? pictures.find(hasSize) ?? pictures[0];
  if (chosen === undefined) {
    const what = ofType("audio").length > 0 ? "holds sound but no picture" : "holds no picture";
    throw problem.unsupportedMedia(`${subject} ${what}; import a file with a video track`, {
      reason: "media_no_video",
    });
  }
  checkPicture(chosen, subject);
  const video = describeVideo(chosen);
  checkShape(video, subject);
  const startRaw = chosen["start_time"];
  const durationS = pictureDurationS(chosen, format, video.startS);
  if (!(durationS > 0) || durationS > DURATION_S_MAX) {
    throw problem.unsupportedMedia(
      `${subject} does not say how long it lasts (${durationS} s); export the file again`,
      { reason: "media_no_duration" },
    );
  }
  const chapters = chaptersOf(listOf(described["chapters"]), video.startS, durationS);
  return {
    source: {
      container: text(format["format_name"]),
      durationS,
      sizeBytes,
      video,
      audio: ofType("audio")
        .filter((stream) => number(stream["channels"]) > 0 && text(stream["codec_name"]) !== "")
        .map(describeAudio),
      text: ofType("subtitle").map(describeText),
      hasClosedCaptions: number(chosen["closed_captions"]) === 1,
      ...(chapters.length > 0 ? { chapters } : {}),
    },
    fieldOrder: fieldOrderOf(chosen),
    hasStart: startRaw !== undefined && startRaw !== "N/A",
  };
}

/** ffprobe's chapters on the picture's clock; pure. Of two that start at the same moment the later one in the file wins. */
export function chaptersOf(described: readonly Json[], startS: number, durationS: number): SourceChapter[] {
  const byStart = new Map<number, SourceChapter>();
  for (const chapter of described.slice(0, CHAPTERS_MAX)) {
    const at = Math.max(0, Math.round((number(chapter["start_time"]) - startS) * 1000) / 1000);
    if (at < durationS) byStart.set(at, { startS: at, title: chapterTitle(tag(chapter, "title")) });
  }
  return [...byStart.values()].sort((a, b) => a.startS - b.startS);
}

/** One line, cut between characters as people count them. */
function chapterTitle(title: string): string {
  const line = title.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
  const characters = [...new Intl.Segmenter().segment(line)].map(({ segment }) => segment);
  let cut = "";
  for (const character of characters) {
    if (cut.length + character.length > CHAPTER_TITLE_CHARACTERS_MAX) break;
    cut += character;
  }
  return cut.trim();
}

const hasSize = (stream: Json): boolean => number(stream["width"]) > 0 && text(stream["codec_name"]) !== "";

function checkPicture(stream: Json, subject: string): void {
  const codec = text(stream["codec_name"]) || text(stream["codec_tag_string"]) || "unknown";
  const width = number(stream["width"]);
  const height = number(stream["height"]);
  if (text(stream["codec_name"]) === "" || codec === "none") {
    throw problem.unsupportedMedia(
      `the picture of ${subject} uses the codec '${codec}', which cannot be decoded here; convert it to H.264, HEVC or ProRes`,
      {
        reason: "media_codec_unsupported",
      },
    );
  }
  if (width < SIDE_MIN || height < SIDE_MIN || width > SIDE_MAX || height > SIDE_MAX) {
    throw problem.unsupportedMedia(
      `the picture of ${subject} is ${width}x${height}; ${SIDE_MIN} to ${SIDE_MAX} a side can be encoded`,
      {
        reason: "media_size_unsupported",
      },
    );
  }
}

function checkShape({ displayWidth, displayHeight }: SourceVideo, subject: string): void {
  if (Math.max(displayWidth, displayHeight) <= ASPECT_MAX * Math.min(displayWidth, displayHeight)) return;
  throw problem.unsupportedMedia(
    `the picture of ${subject} is ${displayWidth}x${displayHeight}; one side may be ${ASPECT_MAX} times the other at most`,
    { reason: "media_size_unsupported" },
  );
}

function describeVideo(stream: Json): SourceVideo {
  const coded = { width: number(stream["width"]), height: number(stream["height"]) };
  const display = displaySize(coded, rational(stream["sample_aspect_ratio"]), rotationOf(stream));
  const transfer = text(stream["color_transfer"]);
  const colorSpace = text(stream["color_space"]);
  return {
    index: number(stream["index"]),
    codec: text(stream["codec_name"]),
    codedWidth: coded.width,
    codedHeight: coded.height,
    displayWidth: display.width,
    displayHeight: display.height,
    frameRate: outputFrameRate(quotient(stream["r_frame_rate"]), quotient(stream["avg_frame_rate"])),
    isInterlaced: fieldOrderOf(stream) === "interlaced",
    isHdr: transfer === "smpte2084" || transfer === "arib-std-b67",
    pixelFormat: text(stream["pix_fmt"]),
    ...(known(colorSpace) ? { colorSpace } : {}),
    ...(known(transfer) ? { colorTransfer: transfer } : {}),
    startS: number(stream["start_time"]),
  };
}

const known = (name: string): boolean => name !== "" && name !== "unknown" && name !== "reserved";

function describeAudio(stream: Json): SourceAudio {
  return {
    index: number(stream["index"]),
    codec: text(stream["codec_name"]),
    language: tag(stream, "language"),
    title: tag(stream, "title") || handlerName(stream),
    channels: number(stream["channels"]),
    sampleRateHz: number(stream["sample_rate"]),
    startS: number(stream["start_time"]),
    isDefault: flag(stream, "default"),
  };
}

function describeText(stream: Json): SourceText {
  return {
    index: number(stream["index"]),
    codec: text(stream["codec_name"]),
    language: tag(stream, "language"),
    title: tag(stream, "title") || handlerName(stream),
    isForced: flag(stream, "forced"),
  };
}

/** MP4 keeps a track's title in its handler; the names that muxers write by themselves are not titles. */
function handlerName(stream: Json): string {
  const name = tag(stream, "handler_name");
  return /handler|^iso media|^gpac|mainconcept|^core media|^\s*$/i.test(name) ? "" : name;
}

/** The picture's own duration, else its tag (Matroska), else what remains of the container's. */
function pictureDurationS(stream: Json, format: Json, startS: number): number {
  const own = number(stream["duration"]);
  if (own > 0) return own;
  const tagged = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)/.exec(tag(stream, "DURATION"));
  if (tagged) return Number(tagged[1]) * 3600 + Number(tagged[2]) * 60 + Number(tagged[3]) - Math.max(0, startS);
  return number(format["duration"]) - Math.max(0, startS - number(format["start_time"]));
}

function fieldOrderOf(stream: Json): "progressive" | "interlaced" | "unknown" {
  const order = text(stream["field_order"]);
  if (order === "progressive") return "progressive";
  return ["tt", "bb", "tb", "bt"].includes(order) ? "interlaced" : "unknown";
}

function rotationOf(stream: Json): number {
  const matrix = listOf(stream["side_data_list"]).find((data) => data["rotation"] !== undefined);
  return matrix ? number(matrix["rotation"]) : Number(tag(stream, "rotate")) || 0;
}

/** What the first frames show: captions, field flags, and that there are frames at all. */
export function describeFrames(described: Json) {
  const frames = listOf(described["frames"]);
  const interlaced = frames.filter((frame) => number(frame["interlaced_frame"]) === 1).length;
  const captioned = frames.some((frame) =>
    listOf(frame["side_data_list"]).some((data) => text(data["side_data_type"]).includes("A53")),
  );
  const first = frames[0];
  return {
    count: frames.length,
    interlacedShare: frames.length === 0 ? 0 : interlaced / frames.length,
    hasClosedCaptions: captioned,
    firstS: first === undefined ? 0 : number(first["best_effort_timestamp_time"] ?? first["pts_time"]),
  };
}

/** Heights at which broadcast video is interlaced; other files that keep quiet about fields are progressive. */
const INTERLACED_HEIGHTS = new Set([480, 486, 512, 576, 608, 1080, 1088]);

/** Asks ffmpeg's interlace detector where the file itself does not say. */
async function looksInterlaced(
  tools: ProbeTools,
  path: string,
  video: SourceVideo,
  signal?: AbortSignal,
): Promise<boolean> {
  if (!INTERLACED_HEIGHTS.has(video.codedHeight) || ratioAbove(video.frameRate, 31)) return false;
  const { stderr } = await tools.run({
    program: tools.ffmpeg,
    args: [
      "-nostdin",
      "-hide_banner",
      "-v",
      "info",
      "-nostats",
      ...INPUT_LIMITS,
      "-threads",
      "1",
      "-i",
      asInput(path),
      "-map",
      `0:${video.index}`,
    ].concat(["-vf", "idet", "-frames:v", String(IDET_FRAMES), "-an", "-sn", "-f", "null", "-"]),
    subject: nameOf(path),
    signal,
    output: "keep",
  });
  const counts = /Multi frame detection: TFF:\s*(\d+) BFF:\s*(\d+) Progressive:\s*(\d+)/.exec(stderr);
  if (!counts) return false;
  const combed = Number(counts[1]) + Number(counts[2]);
  return combed > 10 && combed > Number(counts[3]) * 1.5;
}

const ratioAbove = ([numerator, denominator]: Rational, limit: number): boolean => numerator / denominator > limit;

const objectOf = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.map(objectOf) : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number => {
  const parsed = typeof value === "number" ? value : Number.parseFloat(text(value));
  return Number.isFinite(parsed) ? parsed : 0;
};
const tag = (stream: Json, name: string): string => {
  const tags = objectOf(stream["tags"]);
  return (text(tags[name]) || text(tags[name.toLowerCase()])).slice(0, 200);
};
const flag = (stream: Json, name: string): boolean => number(objectOf(stream["disposition"])[name]) === 1;

function rational(value: unknown): Rational {
  const match = /^(\d+)[:/](\d+)$/.exec(text(value));
  return match ? [Number(match[1]), Number(match[2])] : [1, 1];
}

function quotient(value: unknown): number {
  const match = /^(\d+)\/(\d+)$/.exec(text(value));
  return match && Number(match[2]) > 0 ? Number(match[1]) / Number(match[2]) : 0;
}

import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { problem } from "#kernel/errors";
import type { SourceInfo, TextSource } from "#kernel/ports/transcoder";
import type { RunChild } from "./children.ts";
import { escapeFilterValue } from "./filters.ts";
import { asInput, checkFile, FORMATS_ALLOWED, INPUT_LIMITS, nameOf } from "./inputs.ts";

const TEXT_BYTES_MAX = 4 * 1024 * 1024;
const BITMAP_CODECS = new Set(["hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"]);
const SIDECAR_FORMATS: Readonly<Record<string, string>> = {
  ".srt": "srt",
  ".ass": "ass",
  ".ssa": "ass",
  ".vtt": "webvtt",
};

/** Subtitles of any kind that ffmpeg reads as text, as WebVTT on the picture's clock. */
export async function extractText(
  run: RunChild,
  ffmpeg: string,
  path: string,
  source: SourceInfo,
  what: TextSource,
  signal?: AbortSignal,
): Promise<string> {
  const toWebVtt = ["-map_metadata", "-1", "-c:s", "webvtt", "-f", "webvtt", "pipe:1"];
  const onPictureClock = ["-output_ts_offset", String(-source.video.startS)];
  const start = ["-hide_banner", "-v", "error", "-nostats"];
  if ("file" in what) return convertSidecar(run, [ffmpeg, ...start], what.file, toWebVtt, signal);
  if ("streamIndex" in what) {
    checkTextStream(path, source, what.streamIndex);
    const args = [
      ...start,
      ...INPUT_LIMITS,
      "-copyts",
      "-i",
      asInput(path),
      "-map",
      `0:${what.streamIndex}`,
      ...onPictureClock,
      ...toWebVtt,
    ];
    return readText(run, ffmpeg, args, nameOf(path), signal);
  }
  if (!source.hasClosedCaptions) return "";
  // Only the movie filter hands out captions that lie in the picture's user data, and it needs the name inside a graph.
  const limits = escapeFilterValue(`protocol_whitelist=file,pipe:format_whitelist=${FORMATS_ALLOWED}`);
  const movie = `movie=filename=${escapeFilterValue(asInput(path))}:format_opts=${limits}:s=v\\\\:0[out0+subcc]`;
  const args = [...start, "-copyts", "-f", "lavfi", "-i", movie, "-map", "0:s:0", ...onPictureClock, ...toWebVtt];
  return readText(run, ffmpeg, args, nameOf(path), signal);
}

function checkTextStream(path: string, source: SourceInfo, streamIndex: number): void {
  const track = source.text.find((candidate) => candidate.index === streamIndex);
  if (track === undefined) {
    throw problem.invalid(
      `stream ${streamIndex} of ${nameOf(path)} is not text; its text streams are ${source.text.map((each) => each.index).join(", ") || "none"}`,
    );
  }
  if (BITMAP_CODECS.has(track.codec)) {
    throw problem.unsupportedMedia(
      `the subtitles in stream ${streamIndex} of ${nameOf(path)} are pictures (${track.codec}), not text; add a .srt or .vtt file beside the film`,
      { reason: "subtitles_are_pictures" },
    );
  }
}

async function convertSidecar(
  run: RunChild,
  [ffmpeg = "ffmpeg", ...start]: string[],
  file: string,
  toWebVtt: string[],
  signal?: AbortSignal,
): Promise<string> {
  const sizeBytes = await checkFile(file);
  const format = SIDECAR_FORMATS[extname(file).toLowerCase()];
  if (format === undefined) {
    throw problem.unsupportedMedia(
      `${nameOf(file)} is not a subtitle file that is known here; use .srt, .vtt, .ass or .ssa`,
      { reason: "subtitles_unknown" },
    );
  }
  if (sizeBytes > TEXT_BYTES_MAX) {
    throw problem.unsupportedMedia(`${nameOf(file)} has ${sizeBytes} bytes; subtitles have at most ${TEXT_BYTES_MAX}`, {
      reason: "subtitles_too_large",
    });
  }
  const decoded = decodeText(await readFile(resolve(file)));
  if (format === "webvtt") {
    if (!/^WEBVTT(?:[ \t\n]|$)/.test(decoded)) {
      throw problem.unsupportedMedia(
        `${nameOf(file)} does not begin with WEBVTT; is it another kind of subtitle file?`,
        { reason: "subtitles_unknown" },
      );
    }
    return decoded;
  }
  return readText(
    run,
    ffmpeg,
    [...start, "-protocol_whitelist", "pipe", "-f", format, "-i", "pipe:0", ...toWebVtt],
    nameOf(file),
    signal,
    decoded,
  );
}

async function readText(
  run: RunChild,
  ffmpeg: string,
  args: string[],
  subject: string,
  signal?: AbortSignal,
  stdin?: string,
): Promise<string> {
  const { stdout } = await run({
    program: ffmpeg,
    args,
    subject,
    signal,
    output: "keep",
    outputBytesMax: TEXT_BYTES_MAX * 2,
    ...(stdin === undefined ? {} : { stdin }),
  });
  const webVtt = stdout.toString("utf8");
  return webVtt.includes("-->") ? webVtt : "";
}

/**
 * Old subtitle files come in the encoding of their maker's system: byte order marks and valid UTF-8 are believed, the rest
 * is Windows-1252, which every byte sequence is.
 */
export function decodeText(bytes: Uint8Array): string {
  const decoded = decoderFor(bytes).decode(bytes);
  return decoded.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
}

function decoderFor(bytes: Uint8Array): InstanceType<typeof TextDecoder> {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le");
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be");
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return new TextDecoder("utf-8");
  } catch {
    return new TextDecoder("windows-1252");
  }
}

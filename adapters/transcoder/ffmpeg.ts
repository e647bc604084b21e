import { rm } from "node:fs/promises";
import { problem } from "#kernel/errors";
import type { Transcoder, TranscoderCapabilities } from "#kernel/ports/transcoder";
import { encodeAudio, measureLoudness } from "./audio.ts";
import { complexity } from "./complexity.ts";
import { detectSpawnGuard, openChildren, type RunChild } from "./children.ts";
import { encodeLive, receiveLive } from "./live.ts";
import { fingerprint, thumbnails } from "./pictures.ts";
import { posters } from "./posters.ts";
import { preview } from "./preview.ts";
import { probeSource } from "./probe.ts";
import { stills } from "./stills.ts";
import { hashes, speech, survey } from "./survey.ts";
import { extractText } from "./text.ts";
import { encodeVideo } from "./video.ts";

export interface TranscoderOptions {
  /** The program's name or path; the default is found on the PATH. */
  readonly ffmpegPath?: string;
  readonly ffprobePath?: string;
  /** 0 (normal) to 19 (only what nobody else wants); encoding must not make playback on the same machine stutter. */
  readonly niceness?: number;
  /** A command put before each program so that it dies with this process; found by itself where absent, empty for none. */
  readonly spawnGuard?: readonly string[];
  /** A child without any progress for so long is killed. */
  readonly stallMsMax?: number;
}

const NICENESS = 10;
const NICENESS_IDLE = 19;
const STALL_MS_MAX = 180_000;
/** A live encoder that makes nothing for so long is of no use to anybody. */
const LIVE_STALL_MS_MAX = 20_000;
/** A day: whether an input flows is seen where its bytes arrive. */
const RECEIVER_STALL_MS_MAX = 86_400_000;

/** The transcoder of kernel/ports/transcoder.ts on ffmpeg 5 or later, as child processes. */
export function openTranscoder(options: TranscoderOptions = {}): Transcoder {
  const ffmpeg = options.ffmpegPath ?? "ffmpeg";
  const ffprobe = options.ffprobePath ?? "ffprobe";
  const niceness = options.niceness ?? NICENESS;
  const run = openChildren({
    niceness,
    stallMsMax: options.stallMsMax ?? STALL_MS_MAX,
    spawnGuard: options.spawnGuard ?? detectSpawnGuard({ isIdle: niceness >= NICENESS_IDLE }),
  });
  // What is live cannot wait for its turn as films do.
  const runLive = openChildren({
    niceness: 0,
    stallMsMax: LIVE_STALL_MS_MAX,
    spawnGuard: options.spawnGuard ?? detectSpawnGuard({ isIdle: false }),
  });
  // Somebody who pushes may come at any time.
  const runReceiver = openChildren({
    niceness: 0,
    stallMsMax: RECEIVER_STALL_MS_MAX,
    spawnGuard: options.spawnGuard ?? detectSpawnGuard({ isIdle: false }),
  });
  let capabilities: Promise<TranscoderCapabilities> | undefined;
  return {
    capabilities() {
      // A failed look is not remembered: ffmpeg may be installed while the product runs.
      capabilities ??= readCapabilities(run, ffmpeg).catch((error: unknown) => {
        capabilities = undefined;
        throw error;
      });
      return capabilities;
    },
    probe: (path, signal) => probeSource({ run, ffmpeg, ffprobe }, path, signal),
    fingerprint: (path, source, signal) => fingerprint({ run, ffmpeg }, path, source, signal),
    measureLoudness: (path, streamIndex, signal) => measureLoudness(run, ffmpeg, path, streamIndex, signal),
    encodeVideo: (job, out, progress, signal) => whole(out, () => encodeVideo(run, ffmpeg, job, out, progress, signal)),
    complexity: (path, source, probes, folder, signal) =>
      complexity({ run, ffmpeg }, path, source, probes, folder, signal),
    encodeAudio: (job, out, progress, signal) => whole(out, () => encodeAudio(run, ffmpeg, job, out, progress, signal)),
    extractText: (path, source, what, signal) => extractText(run, ffmpeg, path, source, what, signal),
    thumbnails: (path, source, shape, folder, signal) =>
      thumbnails({ run, ffmpeg }, path, source, shape, folder, signal),
    posters: (path, source, count, folder, signal) => posters({ run, ffmpeg }, path, source, count, folder, signal),
    preview: (path, source, span, out, signal) =>
      whole(out, () => preview({ run, ffmpeg }, path, source, span, out, signal)),
    survey: (path, source, signal) => survey({ run, ffmpeg }, path, source, signal),
    stills: (path, source, what, folder, signal) => stills({ run, ffmpeg }, path, source, what, folder, signal),
    hashes: (path, source, signal) => hashes({ run, ffmpeg }, path, source, signal),
    speech: (path, source, streamIndex, out, signal) =>
      whole(out, () => speech({ run, ffmpeg }, path, source, streamIndex, out, signal)),
    receiveLive: (input, out, signal) => receiveLive(runReceiver, ffmpeg, input, out, signal),
    encodeLive: (job, out, progress, signal) => encodeLive(runLive, ffmpeg, job, out, progress, signal),
  };
}

/** A failed encode leaves no file that could be taken for a finished one. */
async function whole(out: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await rm(out, { force: true });
    throw error;
  }
}

async function readCapabilities(run: RunChild, ffmpeg: string): Promise<TranscoderCapabilities> {
  const ask = async (...args: string[]): Promise<string> => {
    const { stdout } = await run({
      program: ffmpeg,
      args: ["-nostdin", ...args],
      subject: "ffmpeg itself",
      output: "keep",
    });
    return stdout.toString("utf8");
  };
  const version = /^ffmpeg version (\S+)/.exec(await ask("-version"))?.[1];
  if (version === undefined) {
    throw problem.unavailable(`'${ffmpeg}' is not ffmpeg; set FFMPEG_PATH to the real program`, {
      reason: "ffmpeg_missing",
    });
  }
  const encoders = await ask("-hide_banner", "-encoders");
  const filters = await ask("-hide_banner", "-filters");
  return {
    program: ffmpeg,
    version,
    h264: /\slibx264\s/.test(encoders),
    hevc: /\slibx265\s/.test(encoders),
    aac: /\saac\s/.test(encoders),
    toneMapping: /\szscale\s/.test(filters) && /\stonemap\s/.test(filters),
  };
}

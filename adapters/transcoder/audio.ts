import { problem } from "#kernel/errors";
import type { AudioEncode, Loudness, Progress } from "#kernel/ports/transcoder";
import type { RunChild } from "./children.ts";
import { asInput, INPUT_LIMITS, nameOf } from "./inputs.ts";

export const TARGET_LUFS = -23;
const TRUE_PEAK_DBTP_MAX = -1;
/** A track quieter than this under the target is noise rather than a programme. */
const GAIN_DB_MAX = 30;
const SAMPLE_RATE_HZ = 48000;
/** Below the R 128 gate there is nothing to measure, and nothing that a gain could make audible without making noise of it. */
const SILENCE_LUFS = -69.9;
/** The samples by which ffmpeg's AAC encoder is late; players that read no edit list would play them. */
const AAC_PRIMING_SAMPLES = 1024;
const FRAGMENT_US = 2_000_000;

const TO_STEREO = `aresample=${SAMPLE_RATE_HZ}:ochl=stereo`;

export async function measureLoudness(
  run: RunChild,
  ffmpeg: string,
  path: string,
  streamIndex: number,
  signal?: AbortSignal,
): Promise<Loudness> {
  const result = await run({
    program: ffmpeg,
    args: [
      ...[
        "-nostdin",
        "-hide_banner",
        "-v",
        "info",
        "-nostats",
        "-progress",
        "pipe:1",
        "-filter_threads",
        "1",
        ...INPUT_LIMITS,
      ],
      ...["-threads", "1", "-i", asInput(path), "-map", `0:${streamIndex}`, "-vn", "-sn", "-dn"],
      ...["-af", `${TO_STEREO},ebur128=peak=true:framelog=verbose`, "-f", "null", "-"],
    ],
    subject: nameOf(path),
    signal,
    output: "progress",
  });
  return parseLoudness(result.stderr, nameOf(path));
}

/** Reads the summary of ffmpeg's ebur128 filter; pure. */
export function parseLoudness(stderr: string, subject: string): Loudness {
  const summary = stderr.slice(stderr.lastIndexOf("Integrated loudness:"));
  const read = (pattern: RegExp, silent: number): number => {
    const found = pattern.exec(summary);
    if (!found)
      throw problem.unsupportedMedia(`the sound of ${subject} cannot be measured; it is damaged or empty`, {
        reason: "media_no_sound",
      });
    const value = Number(found[1]);
    return Number.isFinite(value) ? value : silent;
  };
  const integratedLufs = read(/I:\s*(\S+) LUFS/, -70);
  return {
    integratedLufs: Math.max(-70, integratedLufs),
    rangeLu: read(/LRA:\s*(\S+) LU\b/, 0),
    truePeakDbtp: Math.max(-99, read(/Peak:\s*(\S+) dBFS/, -99)),
    thresholdLufs: Math.max(-70, read(/Threshold:\s*(\S+) LUFS/, -70)),
    targetOffsetLu: 0,
  };
}

export async function encodeAudio(
  run: RunChild,
  ffmpeg: string,
  job: AudioEncode,
  out: string,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  if (!job.source.audio.some((track) => track.index === job.streamIndex)) {
    throw problem.invalid(
      `stream ${job.streamIndex} of ${nameOf(job.path)} is not sound; its audio streams are ${job.source.audio.map((track) => track.index).join(", ") || "none"}`,
    );
  }
  await run({
    program: ffmpeg,
    args: [
      ...[
        "-nostdin",
        "-hide_banner",
        "-y",
        "-v",
        "error",
        "-nostats",
        "-progress",
        "pipe:1",
        "-filter_threads",
        "1",
        ...INPUT_LIMITS,
      ],
      ...["-threads", "1", "-copyts", "-i", asInput(job.path), "-map", `0:${job.streamIndex}`, "-vn", "-sn", "-dn"],
      ...["-map_metadata", "-1", "-map_chapters", "-1", "-af", audioFilters(job).join(",")],
      ...[
        "-c:a",
        "aac",
        "-profile:a",
        "aac_low",
        "-ac",
        "2",
        "-ar",
        String(SAMPLE_RATE_HZ),
        "-b:a",
        `${job.bitrateKbps}k`,
        "-threads",
        "1",
      ],
      ...[
        "-movflags",
        "+cmaf+empty_moov+default_base_moof",
        "-use_editlist",
        "0",
        "-frag_duration",
        String(FRAGMENT_US),
        "-f",
        "mp4",
        `file:${out}`,
      ],
    ],
    subject: nameOf(job.path),
    signal,
    output: "progress",
    onReport: (report) =>
      progress(Math.min(1, Math.max(0, Number(report.get("out_time_us") ?? 0) / 1e6 / job.source.durationS)) || 0),
  });
}

/** Sound on the picture's clock: from its first frame to its last, gaps filled with silence, at the target level. */
export function audioFilters(job: AudioEncode): string[] {
  const samples = Math.round(job.source.durationS * SAMPLE_RATE_HZ);
  return [
    `asetpts=PTS-(${job.source.video.startS})/TB`,
    "atrim=start=0",
    `${TO_STEREO}:async=1:min_hard_comp=0.05:first_pts=0`,
    ...levelFilters(job.loudness),
    "asetpts=N/SR/TB",
    "apad",
    // The encoder puts its priming where the first samples were, so that sound stays in step with the picture to the sample.
    `atrim=start_sample=${AAC_PRIMING_SAMPLES}:end_sample=${Math.max(samples, AAC_PRIMING_SAMPLES * 2)}`,
    "asetpts=N/SR/TB",
    `aformat=sample_fmts=fltp:sample_rates=${SAMPLE_RATE_HZ}:channel_layouts=stereo`,
  ];
}

/**
 * The second pass is one gain for the whole track, so that the film keeps its dynamics. Where that gain would push a peak over
 * the ceiling a limiter catches it, at four times the rate because true peaks lie between the samples.
 */
function levelFilters(loudness: Loudness | null): string[] {
  if (loudness === null || loudness.integratedLufs <= SILENCE_LUFS) return [];
  const gainDb = Math.min(GAIN_DB_MAX, TARGET_LUFS - loudness.integratedLufs);
  const gain = `volume=${gainDb.toFixed(2)}dB:precision=float`;
  if (loudness.truePeakDbtp + gainDb <= TRUE_PEAK_DBTP_MAX) return [gain];
  const limit = (10 ** (TRUE_PEAK_DBTP_MAX / 20)).toFixed(4);
  return [
    gain,
    `aresample=${SAMPLE_RATE_HZ * 4}`,
    `alimiter=limit=${limit}:attack=5:release=80:level=0:latency=1`,
    `aresample=${SAMPLE_RATE_HZ}`,
  ];
}

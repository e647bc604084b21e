/**
 * The packager's speed: CBCS and CMAF of real AVC and AAC, against parsing and copying the same bytes without encryption,
 * in the same run. Bars: video at least 60 % of that limit and 200 MB/s; audio at least 100 MB/s.
 *
 * The limit parses what the packager parses (boxes, NAL units, slice headers) and writes the same segments, with no cipher.
 * The clear packager, which only copies, is shown beside it: at the speed of memory it is no measure of encryption.
 *
 *   node bench/packager.ts
 */

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createSubsampleMapper, createTrackPackager, type TrackProtection } from "#media/cenc";
import { segmentFragments } from "#media/isobmff";
import { commonPssh } from "#media/pssh";
import { type Measure, median, table, writeResults } from "./harness.ts";

const ROUNDS = 21;
const SEGMENT_S = 6;
/** Each sample packages that many bytes at least, so that a pause of the machine weighs little. */
const BYTES_PER_SAMPLE = 48_000_000;

const KID = "0123456789abcdef0123456789abcdef";
const PROTECTION: TrackProtection = {
  key: Uint8Array.from(Buffer.from("00112233445566778899aabbccddeeff", "hex")),
  kid: KID,
  ivHex: "a1a2a3a4a5a6a7a8a9aaabacadaeaf00",
  pssh: [commonPssh([KID])],
};

const VIDEO_ARGS =
  "-f lavfi -i testsrc2=s=1280x720:r=25:d=12,noise=alls=12:allf=t -c:v libx264 -preset veryfast -b:v 5M -maxrate 6M " +
  "-bufsize 10M -g 50 -keyint_min 50 -sc_threshold 0 -pix_fmt yuv420p " +
  "-movflags +cmaf+delay_moov+default_base_moof+frag_keyframe";
const AUDIO_ARGS =
  "-f lavfi -i anoisesrc=d=300:c=pink:r=48000 -ac 2 -c:a aac -b:a 128k -use_editlist 1 " +
  "-movflags +cmaf+delay_moov+default_base_moof -frag_duration 2000000";

type Path = "clear" | "limit" | "cbcs";

/**
 * Seconds to package each file into six-second segments. No packager meets the same bytes twice, so every file is another
 * copy; and as in a worker the segments of a file stay alive until all of them are there.
 */
function packageAll(files: readonly Uint8Array[], path: Path): number {
  const startMs = performance.now();
  for (const file of files) {
    const packager = createTrackPackager({ init: file, protection: path === "cbcs" ? PROTECTION : null });
    const { track } = packager;
    const mapSubsamples = path === "limit" ? createSubsampleMapper(track) : null;
    const segments = segmentFragments(packager.readChunk(file), track.kind, track.timescale * SEGMENT_S);
    const written: Uint8Array[] = [];
    let baseDecodeTimeTicks = 0;
    for (const [index, fragments] of segments.entries()) {
      if (mapSubsamples !== null) fragments.forEach(mapSubsamples);
      const segment = packager.packageSegment(fragments, { number: index + 1, baseDecodeTimeTicks });
      baseDecodeTimeTicks += segment.durationTicks;
      written.push(segment.bytes);
    }
  }
  return (performance.now() - startMs) / 1000;
}

/** The paths take turns, so that whatever slows the machine slows all of them. */
function measure(file: Uint8Array): Record<Path, number[]> {
  const files = Array.from({ length: Math.ceil(BYTES_PER_SAMPLE / file.length) }, () => new Uint8Array(file));
  const megabytes = (file.length * files.length) / 1e6;
  const rates: Record<Path, number[]> = { clear: [], limit: [], cbcs: [] };
  const paths: readonly Path[] = ["clear", "limit", "cbcs"];
  for (let warmUp = 0; warmUp < 2; warmUp++) for (const path of paths) packageAll(files, path);
  for (let round = 0; round < ROUNDS; round++) {
    for (const path of paths) rates[path].push(megabytes / packageAll(files, path));
  }
  return rates;
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bench-packager-"));
  try {
    const encode = async (name: string, args: string): Promise<Uint8Array> => {
      const path = join(folder, name);
      await promisify(execFile)(process.env.FFMPEG_PATH ?? "ffmpeg", ["-v", "error", ...args.split(" "), path]);
      return readFile(path);
    };
    const video = measure(await encode("video.mp4", VIDEO_ARGS));
    const audio = measure(await encode("audio.mp4", AUDIO_ARGS));
    const ratios = video.cbcs.map((rate, index) => rate / (video.limit[index] ?? Number.NaN));
    const rate = (name: string, samples: number[], bar: number | null): Measure => ({
      name,
      unit: "MB/s",
      value: median(samples),
      bar,
      samples,
    });
    const measures: Measure[] = [
      rate("packager.video.clear", video.clear, null),
      rate("packager.video.parse-and-copy", video.limit, null),
      rate("packager.video.cbcs", video.cbcs, 200),
      { name: "packager.video.cbcs-to-limit", unit: "ratio", value: median(ratios), bar: 0.6, samples: ratios },
      rate("packager.audio.clear", audio.clear, null),
      rate("packager.audio.cbcs", audio.cbcs, 100),
    ];
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("packager", measures);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) await run();

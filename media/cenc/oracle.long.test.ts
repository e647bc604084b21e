/**
 * The packager against other people's programs: ffmpeg encodes, our packager encrypts, FFmpeg's own demuxer decrypts, and
 * every packet must come out as it went in; and ffmpeg's header tracer says where every slice header ends.
 */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { parseFragments, parseTrackInit, segmentFragments } from "#media/isobmff";
import { commonPssh } from "#media/pssh";
import { createSubsampleMapper, createTrackPackager, type TrackProtection } from "./index.ts";

const KEY_HEX = "00112233445566778899aabbccddeeff";
const KID = "0123456789abcdef0123456789abcdef";
const PROTECTION: TrackProtection = {
  key: Uint8Array.from(Buffer.from(KEY_HEX, "hex")),
  kid: KID,
  ivHex: "a1a2a3a4a5a6a7a8a9aaabacadaeaf00",
  pssh: [commonPssh([KID])],
};

/** An encoder that hangs (x265 does, with wavefronts and slices together) fails its test instead of all. */
const PROGRAM_TIMEOUT_MS = 60_000;

const ffmpeg = process.env.FFMPEG_PATH ?? "ffmpeg";
const encoders = spawnSync(ffmpeg, ["-v", "error", "-encoders"], { encoding: "utf8" }).stdout ?? "";
const folder = mkdtempSync(join(tmpdir(), "cenc-oracle-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** FFmpeg from 2023 on decrypts cbcs; distributions may have an older one, so the oracle is a package of its own. */
function findOracle(): string | null {
  try {
    const path = join(
      dirname(createRequire(import.meta.url).resolve("@ffprobe-installer/linux-x64/package.json")),
      "ffprobe",
    );
    return existsSync(path) && spawnSync(path, ["-version"]).status === 0 ? path : null;
  } catch {
    return null;
  }
}

const oracle = findOracle();

function skipWithout(encoder: string, needsOracle: boolean): string | false {
  if (!encoders.includes(encoder)) return `ffmpeg with encoder ${encoder} is not here`;
  if (needsOracle && oracle === null) return "@ffprobe-installer/linux-x64 is not here or does not run";
  return false;
}

const VIDEO_SOURCE = ["-f", "lavfi", "-i", "testsrc2=s=208x120:r=25:d=4,noise=alls=8:allf=t"];
const X264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"];
const X265 = ["-c:v", "libx265", "-preset", "veryfast", "-tag:v", "hvc1", "-pix_fmt", "yuv420p"];
const CLOSED_GOPS_X264 = ["-g", "50", "-keyint_min", "50", "-sc_threshold", "0"];
const CLOSED_GOPS_X265 = ["-x265-params", "keyint=50:min-keyint=50:scenecut=0:open-gop=0:log-level=none"];
const VIDEO_MUX = ["-movflags", "+cmaf+empty_moov+default_base_moof+frag_keyframe"];
const AUDIO_SOURCE = ["-f", "lavfi", "-i", "sine=f=440:d=4:r=48000"];
const AUDIO_MUX = [
  "-use_editlist",
  "1",
  "-movflags",
  "+cmaf+delay_moov+default_base_moof",
  "-frag_duration",
  "1000000",
];

let files = 0;

function encode(...args: readonly string[]): string {
  const path = join(folder, `${++files}.mp4`);
  execFileSync(ffmpeg, ["-v", "error", ...args, path], {
    stdio: ["ignore", "ignore", "inherit"],
    timeout: PROGRAM_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  return path;
}

interface Packet {
  readonly pts?: number;
  readonly dts?: number;
  readonly flags: string;
  readonly data_hash: string;
}

function packetsOf(path: string, ...args: readonly string[]): Packet[] {
  const asked = ["-show_packets", "-show_data_hash", "md5", "-of", "json", path];
  const answer = execFileSync(oracle ?? "", ["-v", "quiet", ...args, ...asked], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const { packets } = JSON.parse(answer) as { packets: Packet[] };
  return packets.map(({ pts, dts, flags, data_hash }) => ({
    ...(pts === undefined ? {} : { pts }),
    ...(dts === undefined ? {} : { dts }),
    flags,
    data_hash,
  }));
}

function packageFile(source: string, protection: TrackProtection | null): { path: string; segments: number } {
  const file = readFileSync(source);
  const packager = createTrackPackager({ init: file, protection });
  const { kind, timescale } = packager.track;
  const parts = [packager.initSegment];
  let baseDecodeTimeTicks = 0;
  for (const fragments of segmentFragments(packager.readChunk(file), kind, timescale * 2)) {
    const segment = packager.packageSegment(fragments, { number: parts.length, baseDecodeTimeTicks });
    baseDecodeTimeTicks += segment.durationTicks;
    parts.push(segment.bytes);
  }
  const path = join(folder, `${++files}.mp4`);
  writeFileSync(path, Buffer.concat(parts));
  return { path, segments: parts.length - 1 };
}

function assertDecryptsToTheSource(source: string, droppedPackets: number): void {
  const clear = packageFile(source, null);
  const encrypted = packageFile(source, PROTECTION);
  assert.equal(encrypted.segments, 2);
  const expected = packetsOf(clear.path);
  const hashes = (packets: readonly Packet[]) => packets.map((packet) => packet.data_hash);
  assert.deepEqual(hashes(expected), hashes(packetsOf(source)).slice(droppedPackets));
  assert.deepEqual(packetsOf(encrypted.path, "-decryption_key", KEY_HEX), expected);
  const untouched = hashes(packetsOf(encrypted.path)).filter((hash, index) => hash === expected[index]?.data_hash);
  assert.equal(untouched.length, 0);
}

test("AVC decrypts to the same packets in FFmpeg", { skip: skipWithout("libx264", true) }, () => {
  assertDecryptsToTheSource(encode(...VIDEO_SOURCE, ...X264, ...CLOSED_GOPS_X264, ...VIDEO_MUX), 0);
});

test("HEVC decrypts to the same packets in FFmpeg", { skip: skipWithout("libx265", true) }, () => {
  assertDecryptsToTheSource(encode(...VIDEO_SOURCE, ...X265, ...CLOSED_GOPS_X265, ...VIDEO_MUX), 0);
});

test("AAC decrypts to the same packets in FFmpeg, without its priming", { skip: skipWithout(" aac ", true) }, () => {
  const source = encode(...AUDIO_SOURCE, "-c:a", "aac", ...AUDIO_MUX);
  assert.equal(parseTrackInit(readFileSync(source)).editMediaTimeTicks, 1024);
  assertDecryptsToTheSource(source, 1);
});

/** Where each slice header of the file ends, in bytes of its NAL unit without emulation prevention. */
function tracedHeaderBytes(path: string): number[] {
  const args = ["-v", "verbose", "-i", path, "-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"];
  const log = spawnSync(ffmpeg, args, { encoding: "utf8", maxBuffer: 1 << 28 }).stderr;
  const found: number[] = [];
  let inSlice = false;
  for (const line of log.split("\n")) {
    const text = /^\[trace_headers @ [^\]]*\] (.*)$/.exec(line)?.[1];
    if (text === undefined) continue;
    const field = /^(\d+)\s+(\S+)\s+([01]+)\s=\s/.exec(text);
    if (field === null) {
      inSlice = /^Slice (Segment )?Header/.test(text);
      if (inSlice) found.push(0);
    } else if (inSlice && !/^(cabac_alignment_one_bit)/.test(field[2] ?? "")) {
      found[found.length - 1] = Math.ceil((Number(field[1]) + (field[3]?.length ?? 0)) / 8);
    }
  }
  return found;
}

/** The same from our own maps: the clear bytes of each slice, less emulation prevention. */
function mappedHeaderBytes(path: string): number[] {
  const file = readFileSync(path);
  const track = parseTrackInit(file);
  const map = createSubsampleMapper(track);
  assert.ok(map !== null && track.kind === "video");
  return parseFragments(file, track).flatMap((fragment) =>
    map(fragment).flatMap((ranges, index) => {
      let at = fragment.samples[index]?.offsetBytes ?? 0;
      return ranges.flatMap(({ clearBytes, protectedBytes }) => {
        const dataStart = at + clearBytes;
        const nalStart = lastNalStart(file, at, dataStart);
        at = dataStart + protectedBytes;
        return protectedBytes === 0 ? [] : [unescapedLength(file.subarray(nalStart, dataStart))];
      });
    }),
  );
}

/** NAL units of a sample lie one behind the other; the last one that starts before `end` is the slice. */
function lastNalStart(file: Buffer, start: number, end: number): number {
  let at = start;
  while (at + 4 + file.readUInt32BE(at) <= end) at += 4 + file.readUInt32BE(at);
  return at + 4;
}

function unescapedLength(bytes: Uint8Array): number {
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    length++;
  }
  return length;
}

const NOISE = ["-f", "lavfi", "-i", "testsrc2=s=352x288:r=25:d=1.6,noise=alls=30:allf=t,fade=in:0:20"];
const TRACE_MUX = ["-movflags", "+cmaf+empty_moov+default_base_moof+frag_keyframe"];

const AVC_SETTINGS: Readonly<Record<string, string>> = {
  "B pyramid, weighted prediction": "bframes=4:b-pyramid=normal:weightp=2:weightb=1:ref=5:keyint=20",
  "CAVLC, four slices": "cabac=0:slices=4:bframes=0:ref=3:weightp=2",
  "interlaced, several slices": "interlaced=1:slices=2:bframes=2:ref=4",
  "no deblocking, open GOPs": "no-deblock=1:open-gop=1:keyint=12:bframes=3",
};

for (const [name, params] of Object.entries(AVC_SETTINGS)) {
  test(`AVC slice headers end where ffmpeg says: ${name}`, { skip: skipWithout("libx264", false) }, () => {
    const path = encode(...NOISE, ...X264, "-crf", "16", "-x264-params", params, ...TRACE_MUX);
    const traced = tracedHeaderBytes(path);
    assert.ok(traced.length >= 40);
    assert.deepEqual(mappedHeaderBytes(path), traced);
  });
}

const HEVC_SETTINGS: Readonly<Record<string, string>> = {
  "wavefronts, entry points, weights":
    "wpp=1:ctu=16:min-cu-size=8:weightp=1:weightb=1:bframes=4:ref=4:b-pyramid=1:keyint=20",
  "no SAO, no wavefronts, open GOPs": "wpp=0:no-sao=1:open-gop=1:keyint=12:bframes=3",
  "low delay, many references": "bframes=0:ref=6:no-deblock=1:no-temporal-mvp=1",
  "chroma offsets, scaling lists": "cbqpoffs=3:crqpoffs=-3:scaling-list=default:bframes=2:no-open-gop=1:aq-mode=3",
};

for (const [name, params] of Object.entries(HEVC_SETTINGS)) {
  test(`HEVC slice headers end where ffmpeg says: ${name}`, { skip: skipWithout("libx265", false) }, () => {
    const path = encode(...NOISE, ...X265, "-crf", "16", "-x265-params", `${params}:log-level=none`, ...TRACE_MUX);
    const traced = tracedHeaderBytes(path);
    assert.ok(traced.length >= 40);
    assert.deepEqual(mappedHeaderBytes(path), traced);
  });
}

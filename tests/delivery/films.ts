import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Keys } from "#contracts/keys";
import type { Client, Context } from "#kernel";
import type { Objects } from "#kernel/ports/objects";
import { createTrackPackager, decryptSegment } from "#media/cenc";
import { parseTrackInit, segmentFragments } from "#media/isobmff";
import { packageFolder, type Presentation, segmentName } from "#media/presentation";

const run = promisify(execFile);
const MOVIE = "+cmaf+empty_moov+default_base_moof+frag_keyframe+negative_cts_offsets";

export interface Studio {
  readonly objects: Objects;
  readonly keys: Client<(typeof Keys)["rpc"]>;
  readonly context: Context;
  /** For what is in between. */
  readonly folder: string;
}

export interface Film {
  readonly contentId: string;
  readonly rate: number;
  readonly durationS: number;
  /** A source of ffmpeg's, with its size. */
  readonly picture: string;
}

/** A film as the encoder and the packager make it: groups of two seconds, segments of six, keys of its own. */
export async function packageFilm({ objects, keys: all, context, folder }: Studio, film: Film): Promise<void> {
  const { contentId, rate, durationS } = film;
  const at = (name: string): string => join(folder, `${contentId}-${name}.mp4`);
  const movie = ["-movflags", MOVIE, "-use_editlist", "0"];
  const picture = ["-f", "lavfi", "-i", `${film.picture}:rate=${rate}:duration=${durationS}`];
  const gop = ["-g", String(rate * 2), "-keyint_min", String(rate * 2), "-sc_threshold", "0", "-flags", "+cgop"];
  const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p", ...gop];
  await run("ffmpeg", ["-v", "error", ...picture, ...h264, ...movie, at("video")]);
  const sound = ["-f", "lavfi", "-i", `sine=sample_rate=48000:duration=${durationS}`, "-c:a", "aac"];
  await run("ffmpeg", ["-v", "error", ...sound, ...movie, at("audio")]);
  await all.createSet({ contentId, packageRevision: 1 }, context);
  const { keys } = await all.getSet({ contentId, packageRevision: 1 }, context);
  const tracks = [];
  for (const kind of ["video", "audio"] as const) {
    const key = keys.find(({ keyClass }) => keyClass === (kind === "video" ? "SD" : "AUDIO"));
    assert.ok(key);
    const file = await readFile(at(kind));
    const ivHex = Buffer.from(key.iv).toString("hex");
    const protection = { key: key.key, kid: key.kid, ivHex, pssh: [] };
    const packager = createTrackPackager({ init: file, protection, primingTicks: 0 });
    const profile = kind === "video" ? "240p-h264" : "audio-en";
    const prefix = `${packageFolder(contentId, 1)}/${profile}`;
    await objects.put(`${prefix}/init.mp4`, packager.initSegment);
    let baseDecodeTimeTicks = 0;
    const segments = [];
    const { timescale } = packager.track;
    for (const [index, fragments] of segmentFragments(packager.readChunk(file), kind, timescale * 6).entries()) {
      const made = packager.packageSegment(fragments, { number: index + 1, baseDecodeTimeTicks });
      baseDecodeTimeTicks += made.durationTicks;
      await objects.put(`${prefix}/${segmentName(index + 1)}`, made.bytes);
      segments.push({ durationTicks: made.durationTicks, sizeBytes: made.bytes.length });
    }
    const base = { profile, codec: packager.track.codec, timescale, kid: key.kid, segments };
    tracks.push({ ...base, bandwidthAverageBps: 1, bandwidthPeakBps: 1 });
  }
  const [video, audio] = tracks;
  assert.ok(video && audio);
  const presentation: Presentation = {
    ...{ contentId, revision: 1, indexVersion: 1, durationS, text: [], thumbnails: null },
    keys: keys.flatMap(({ kid, keyClass, iv }) => {
      const known = (["AUDIO", "SD", "HD", "UHD"] as const).find((each) => each === keyClass);
      return known ? [{ kid, keyClass: known, ivHex: Buffer.from(iv).toString("hex") }] : [];
    }),
    video: [{ ...video, kind: "video", width: 426, height: 240, frameRate: [rate, 1] }],
    audio: [
      { ...audio, kind: "audio", language: "en", label: "English", channels: 1, sampleRateHz: 48_000, isDefault: true },
    ],
  };
  await objects.put(`${packageFolder(contentId, 1)}/index-1.json`, Buffer.from(JSON.stringify(presentation)));
}

/** How bright each picture of an encrypted segment is, 0 to 255. */
export async function graysOf(init: Uint8Array, segment: Uint8Array, key: Uint8Array): Promise<number[]> {
  const stream = annexB(parseTrackInit(init).config, decryptSegment(init, segment, key));
  const args = ["-v", "error", "-f", "h264", "-i", "pipe:0", "-vf", "format=gray,scale=1:1:flags=area"];
  const decoding = run("ffmpeg", [...args, "-f", "rawvideo", "pipe:1"], { encoding: "buffer" });
  decoding.child.stdin?.end(stream);
  return [...(await decoding).stdout];
}

/** Pictures as a plain decoder takes them: parameter sets and samples with start codes (ISO/IEC 14496-15, 5.3.3.1). */
function annexB(config: Uint8Array, fragments: ReturnType<typeof decryptSegment>): Buffer {
  const avcC = Buffer.from(config);
  const out: Uint8Array[] = [];
  const units = (bytes: Buffer, lengthBytes: number, countMax = Number.POSITIVE_INFINITY): number => {
    let at = 0;
    for (let count = 0; at < bytes.length && count < countMax; count++) {
      const size = bytes.readUIntBE(at, lengthBytes);
      out.push(Buffer.from([0, 0, 0, 1]), bytes.subarray(at + lengthBytes, at + lengthBytes + size));
      at += lengthBytes + size;
    }
    return at;
  };
  const end = 6 + units(avcC.subarray(6), 2, (avcC[5] ?? 0) & 0x1f);
  units(avcC.subarray(end + 1), 2, avcC[end] ?? 0);
  for (const { bytes, samples } of fragments)
    for (const { offsetBytes, sizeBytes } of samples)
      units(Buffer.from(bytes.subarray(offsetBytes, offsetBytes + sizeBytes)), 4);
  return Buffer.concat(out);
}

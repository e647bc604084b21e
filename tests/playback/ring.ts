// A channel that has made its last hours: real segments of real encoders under keys a day, which come to be as the clock goes on.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Keys } from "#contracts/keys";
import { Live } from "#contracts/live";
import { type Clients, type Clock, type Context, defineService, problem } from "#kernel";
import type { Objects } from "#kernel/ports/objects";
import { createTrackPackager, type TrackPackager } from "#media/cenc";
import { type Fragment, segmentFragments } from "#media/isobmff";

const SEGMENT_MS = 2_000;
const FRAME_RATE = 24;
/** So many segments are made; then they come again. */
const DISTINCT = 6;
export const FRAMES_PER_SEGMENT = (FRAME_RATE * SEGMENT_MS) / 1_000;
export const CHANNEL_ID = "ch-a";
export const DAY_INDEX = 7;

interface Clip {
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly file: Buffer;
}

const run = promisify(execFile);

async function makeClips(): Promise<Clip[]> {
  const folder = await mkdtemp(join(tmpdir(), "marquee-ring-"));
  const seconds = String((DISTINCT * SEGMENT_MS) / 1_000);
  const fragmented = ["-movflags", "+cmaf+empty_moov+default_base_moof+frag_keyframe", "-t", seconds, "-y"];
  const video = [
    "-f",
    "lavfi",
    "-i",
    `testsrc2=size=160x90:rate=${FRAME_RATE}`,
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
  ];
  const gops = ["-g", "12", "-keyint_min", "12", "-sc_threshold", "0", "-bf", "0", "-pix_fmt", "yuv420p"];
  const audio = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-c:a", "aac", "-b:a", "48k"];
  const ffmpeg = process.env["FFMPEG_PATH"] ?? "ffmpeg";
  try {
    await Promise.all([
      run(ffmpeg, ["-v", "error", ...video, ...gops, ...fragmented, join(folder, "v.mp4")]),
      run(ffmpeg, ["-v", "error", ...audio, ...fragmented, "-frag_duration", "490000", join(folder, "a.mp4")]),
    ]);
    return [
      { name: "90p-h264-100k", kind: "video", file: await readFile(join(folder, "v.mp4")) },
      { name: "audio-en", kind: "audio", file: await readFile(join(folder, "a.mp4")) },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Made {
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly packager: TrackPackager;
  readonly segments: readonly (readonly Fragment[])[];
}

const never = async (): Promise<never> => {
  throw problem.unavailable("this channel is no real one");
};

/** The channel's service. Segments that are `missing` were never made. */
export function openRing(clock: Clock) {
  const missing = new Set<number>();
  const holds = new Map<string, number>();
  const pins = new Map<string, readonly [number, number]>();
  let ports: { readonly objects: Objects; readonly call: Clients<{ readonly keys: typeof Keys }> } | undefined;
  let tracks: readonly Made[] = [];
  const written = new Map<number, { track: string; sizeBytes: number; durationTicks: number; init: string }[]>();

  /** Makes the clips, and the headers of the day. */
  async function prepare(context: Context): Promise<void> {
    const { objects, call } = ports ?? (await never());
    const set = { contentId: CHANNEL_ID, packageRevision: DAY_INDEX };
    const { psshCommon } = await call.keys.createSet(set, context);
    const { keys } = await call.keys.getSet(set, context);
    const cutsS = Array.from({ length: DISTINCT - 1 }, (_, index) => ((index + 1) * SEGMENT_MS) / 1_000);
    tracks = (await makeClips()).map(({ name, kind, file }) => {
      const key = keys.find(({ keyClass }) => keyClass === (kind === "audio" ? "AUDIO" : "SD"));
      if (!key) throw new Error("the set has no such key");
      const protection = { key: key.key, kid: key.kid, ivHex: Buffer.from(key.iv).toString("hex"), pssh: [psshCommon] };
      const packager = createTrackPackager({ init: file, protection, primingTicks: 0 });
      const cuts = cutsS.map((cutS) => Math.round(cutS * packager.track.timescale));
      return { name, kind, packager, segments: segmentFragments(packager.readChunk(file), kind, cuts) };
    });
    for (const { name, packager } of tracks)
      await objects.put(`live/${CHANNEL_ID}/${name}/init-${DAY_INDEX}.mp4`, packager.initSegment);
  }

  async function segmentOf(number: number) {
    const known = written.get(number);
    if (known) return known;
    const { objects } = ports ?? (await never());
    const made = await Promise.all(
      tracks.map(async ({ name, packager, segments }) => {
        const fragments = segments[number % DISTINCT] ?? [];
        const baseDecodeTimeTicks = number * 2 * packager.track.timescale;
        const { bytes, durationTicks } = packager.packageSegment(fragments, { number: 1, baseDecodeTimeTicks });
        await objects.put(`live/${CHANNEL_ID}/${name}/${number}.m4s`, bytes);
        return { track: name, sizeBytes: bytes.length, durationTicks, init: `init-${DAY_INDEX}.mp4` };
      }),
    );
    written.set(number, made);
    return made;
  }

  const service = defineService({
    contract: Live,
    uses: { keys: Keys },
    slo: { p99Ms: 1, availability: 0.999 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: ({ objects, call }) => (ports = { objects, call }),
    rpc: () => ({
      ...{ add: never, list: never, setOnAir: never, remove: never, locate: never, health: never, schedule: never },
      get: async ({ channelId }) => {
        if (channelId !== CHANNEL_ID) throw problem.notFound(`channel '${channelId}' does not exist`);
        return { channel: { id: CHANNEL_ID, number: 1, name: "A", tier: "basic", onAir: true } };
      },
      hold: async ({ holder, untilMs }) => {
        holds.set(holder, Number(untilMs));
        return {};
      },
      pin: async ({ holder, fromMs, toMs }) => {
        pins.set(holder, [Number(fromMs), Number(toMs)]);
        return {};
      },
      unpin: async ({ holder }) => {
        pins.delete(holder);
        return {};
      },
      listSegments: async ({ fromMs, toMs, afterNumber, limit }) => {
        const first = Math.max(Math.floor(Number(fromMs) / SEGMENT_MS), Number(afterNumber) + 1);
        const end = Math.min(Math.ceil(Number(toMs) / SEGMENT_MS), Math.floor(clock.nowMs() / SEGMENT_MS));
        const numbers = Array.from({ length: Math.max(0, Math.min(end - first, limit)) }, (_, index) => first + index);
        const segments = await Promise.all(
          numbers.map(async (number) => {
            const isGap = missing.has(number);
            const startMs = BigInt(number * SEGMENT_MS);
            const made = isGap ? [] : await segmentOf(number);
            return {
              number: BigInt(number),
              startMs,
              durationMs: SEGMENT_MS,
              dayIndex: DAY_INDEX,
              isGap,
              tracks: made,
            };
          }),
        );
        return {
          segments,
          tracks: tracks.map(({ name, kind, packager: { track } }) => ({
            ...{ name, kind, codec: track.codec, timescale: track.timescale, language: "en", frameRate: FRAME_RATE },
            width: track.kind === "video" ? track.width : 0,
            height: track.kind === "video" ? track.height : 0,
            channels: track.kind === "audio" ? track.channels : 0,
            sampleRateHz: track.kind === "audio" ? track.sampleRateHz : 0,
          })),
        };
      },
    }),
    ready: async () => {},
  });
  return { service, prepare, missing, holds, pins };
}

// Sources as they come: each of them goes the whole way from a file to a protected package, and what a player would be told is right.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { type AudioTrack, type Presentation, segmentName, type TextTrack, type VideoTrack } from "#media/presentation";
import { type ContentHost, startContent } from "./setup.ts";

const run = promisify(execFile);
const encoders = spawnSync("ffmpeg", ["-v", "error", "-encoders"], { encoding: "utf8" }).stdout ?? "";

/** A busy machine may need long for its queue; a quiet one needs a few seconds. */
const TIMEOUT_MS = 300_000;
const AUDIO_DRIFT_S_MAX = 0.05;

const lavfi = (graph: string): string[] => ["-f", "lavfi", "-i", graph];
const picture = (seconds: number, size = "320x180", rate = "25"): string[] =>
  lavfi(`testsrc2=size=${size}:rate=${rate}:duration=${seconds}`);
const tone = (seconds: number, hertz = 330): string[] =>
  lavfi(`sine=frequency=${hertz}:sample_rate=48000:duration=${seconds}`);
const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
const AAC = ["-c:a", "aac"];
const SUBTITLES = "1\n00:00:00,200 --> 00:00:01,000\nGr\u00fc\u00dfe aus dem Test\n";
/** The picture turns from black to white as a tone sets in, so that both can be found again. */
const clapper = (seconds: number, atS: number): string[] => [
  ...lavfi(`color=black:size=320x180:rate=25:duration=${seconds},drawbox=color=white:t=fill:enable='gte(t,${atS})'`),
  ...lavfi(`aevalsrc='0.5*sin(2*PI*500*t)*gte(t,${atS})':sample_rate=48000:duration=${seconds}`),
];

interface Case {
  readonly file: string;
  readonly needs?: string;
  /** Arguments before the output's name; some cases need files made first. */
  readonly args: readonly string[] | (() => Promise<readonly string[]>);
  readonly durationS: number;
  /** The picture as a person sees it: no rung is larger. */
  readonly width: number;
  readonly height: number;
  readonly frameRate?: readonly [number, number];
  readonly audio: readonly string[];
  readonly text?: readonly string[];
  readonly subtitles?: () => Promise<{ path: string; language: string }[]>;
  readonly check?: (made: Made) => Promise<void>;
}

interface Made {
  readonly contentId: string;
  readonly index: Presentation;
  readonly lead: VideoTrack;
}

let host: ContentHost;
const imports = new Map<string, Promise<string>>();
const at = (name: string): string => join(host.folder, "clips", name);

async function draw(name: string, args: readonly string[]): Promise<string> {
  await run("ffmpeg", ["-nostdin", "-v", "error", "-y", ...args, at(name)]);
  return at(name);
}

async function subtitleFile(): Promise<string> {
  await writeFile(at("words.srt"), SUBTITLES);
  return at("words.srt");
}

/** Writes the matrix of a telephone held upright into the track header (ISO/IEC 14496-12, 8.3.2), as no option of ffmpeg's does in every release. */
async function turnByQuarter(path: string): Promise<void> {
  const bytes = await readFile(path);
  const matrix = bytes.indexOf("tkhd") + 44;
  for (const [i, value] of [0, 0x10000, 0, -0x10000, 0, 0, 180 * 0x10000, 0, 0x40000000].entries())
    bytes.writeInt32BE(value, matrix + i * 4);
  await writeFile(path, bytes);
}

const objectPath = async (key: string): Promise<string> => host.adapters.objects.withFile(key, async (path) => path);
/** The encoder's output before it was encrypted, which any ffmpeg can decode. */
const clearPath = (contentId: string, profile: string): Promise<string> =>
  objectPath(`intermediate/demo/${contentId}/${profile}/0.mp4`);

/** The mean gray of every frame of the top or bottom half, or of the whole picture. */
async function graysOf(path: string, crop = "iw:ih:0:0"): Promise<number[]> {
  const filters = `crop=${crop},format=gray,scale=1:1:flags=area`;
  const args = ["-v", "error", "-i", path, "-vf", filters, "-f", "rawvideo", "pipe:1"];
  return [...(await run("ffmpeg", args, { encoding: "buffer" })).stdout];
}

async function toneStartS(path: string): Promise<number> {
  const args = ["-v", "error", "-i", path, "-ac", "1", "-f", "s16le", "pipe:1"];
  const { stdout } = await run("ffmpeg", args, { encoding: "buffer" });
  for (let offset = 0; offset + 1 < stdout.length; offset += 2)
    if (Math.abs(stdout.readInt16LE(offset)) > 1_000) return offset / 2 / 48_000;
  throw new Error("the sound is silent");
}

/** The clapper is seen and heard where it was put. */
async function assertInStep({ contentId, index, lead }: Made, atS: number): Promise<void> {
  const grays = await graysOf(await clearPath(contentId, lead.profile));
  const seenS = grays.findIndex((gray) => gray > 128) / 25;
  const heardS = await toneStartS(await clearPath(contentId, index.audio[0]?.profile ?? ""));
  assert.ok(Math.abs(seenS - atS) <= 0.041, `seen at ${seenS} s, not ${atS} s`);
  assert.ok(Math.abs(heardS - atS) <= 0.041, `heard at ${heardS} s, not ${atS} s`);
}

async function assertText({ contentId, index }: Made): Promise<void> {
  const profile = index.text[0]?.profile ?? "";
  const bytes = await host.adapters.objects.get(`vod/${contentId}/r1/${profile}/seg-0000001.vtt`);
  assert.match(
    Buffer.from(bytes).toString("utf8"),
    /00:00\.200 --> (00:)?00:01\.000[^\n]*\nGr\u00fc\u00dfe aus dem Test/,
  );
}

const CASES: Readonly<Record<string, Case>> = {
  interlaced: {
    file: "interlaced.mov",
    args: [
      ...lavfi("testsrc2=size=320x180:rate=50:duration=1.6,tinterlace=interleave_top"),
      ...tone(1.6),
      ...[...X264, "-flags", "+ilme+ildct", "-x264-params", "tff=1", ...AAC],
    ],
    ...{ durationS: 1.6, width: 320, height: 180, frameRate: [25, 1], audio: ["und"] },
  },
  "rotated by 90 degrees": {
    file: "rotated.mov",
    // White on the left, black on the right: turned by a quarter with the clock, white is above.
    args: async () => {
      const halves = "color=black:size=320x180:rate=25:duration=1.2,drawbox=color=white:t=fill:w=160";
      const flat = await draw("flat.mp4", [...lavfi(halves), ...X264]);
      await turnByQuarter(flat);
      return ["-i", flat, "-c", "copy"];
    },
    ...{ durationS: 1.2, width: 180, height: 320, audio: [] },
    check: async ({ contentId, lead }) => {
      const path = await clearPath(contentId, lead.profile);
      const [top = 0] = await graysOf(path, "iw:ih/4:0:0");
      const [bottom = 0] = await graysOf(path, "iw:ih/4:0:ih*3/4");
      assert.ok(top > 200 && bottom < 40, `${top} above, ${bottom} below`);
    },
  },
  anamorphic: {
    file: "anamorphic.mp4",
    args: [...lavfi("testsrc2=size=180x144:rate=25:duration=1.2,setsar=16/9"), ...X264],
    ...{ durationS: 1.2, width: 320, height: 144, audio: [] },
    check: async ({ lead }) => assert.equal(lead.width, 320),
  },
  "HDR with a PQ transfer": {
    file: "hdr.mkv",
    args: [
      ...picture(1.2),
      ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"],
      ...["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"],
    ],
    ...{ durationS: 1.2, width: 320, height: 180, audio: [] },
    check: async ({ contentId, lead }) => {
      const [gray = 0] = await graysOf(await clearPath(contentId, lead.profile));
      assert.ok(gray > 30 && gray < 225, `${gray}`);
    },
  },
  "5.1 sound": {
    file: "surround.mkv",
    args: [
      ...picture(1.6),
      ...lavfi("aevalsrc='0.1*sin(880*2*PI*t)|0.1*sin(660*2*PI*t)|0.2*sin(440*2*PI*t)|0|0|0':c=5.1:s=44100:d=1.6"),
      ...[...X264, "-c:a", "ac3", "-metadata:s:a:0", "language=swe"],
    ],
    ...{ durationS: 1.6, width: 320, height: 180, audio: ["sv"] },
    check: async ({ index }) =>
      assert.deepEqual(
        index.audio.map(({ channels }) => channels),
        [2],
      ),
  },
  "an edit list": {
    file: "edited.mp4",
    args: async () => {
      const whole = await draw("whole.mp4", [...clapper(3, 2), ...X264, "-g", "250", ...AAC]);
      return ["-ss", "0.52", "-i", whole, "-c", "copy"];
    },
    ...{ durationS: 2.48, width: 320, height: 180, audio: ["und"] },
    check: (made) => assertInStep(made, 1.48),
  },
  "a start offset and late sound": {
    file: "late.ts",
    args: [
      ...lavfi("color=black:size=320x180:rate=25:duration=2,drawbox=color=white:t=fill:enable='gte(t,0.6)'"),
      ...["-itsoffset", "0.6", ...lavfi("aevalsrc='0.5*sin(2*PI*500*t)':sample_rate=48000:duration=1.4")],
      ...[...X264, ...AAC, "-output_ts_offset", "7"],
    ],
    ...{ durationS: 2, width: 320, height: 180, audio: ["und"] },
    check: (made) => assertInStep(made, 0.6),
  },
  "two languages": {
    file: "languages.mp4",
    args: [
      ...[...picture(1.6), ...tone(1.6), ...tone(1.6, 550), "-map", "0", "-map", "1", "-map", "2", ...X264, ...AAC],
      ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger"],
    ],
    ...{ durationS: 1.6, width: 320, height: 180, audio: ["en", "de"] },
  },
  "subtitles inside": {
    file: "inside.mp4",
    args: async () => [
      ...[...picture(1.6), "-i", await subtitleFile(), ...X264, "-c:s", "mov_text"],
      ...["-metadata:s:s:0", "language=fra"],
    ],
    ...{ durationS: 1.6, width: 320, height: 180, audio: [], text: ["fr"] },
    check: assertText,
  },
  "subtitles beside": {
    file: "beside.mp4",
    args: [...picture(1.6), ...X264],
    ...{ durationS: 1.6, width: 320, height: 180, audio: [], text: ["pt-BR"] },
    subtitles: async () => [{ path: await subtitleFile(), language: "pt-br" }],
    check: assertText,
  },
  "subtitles that are pictures": {
    file: "pictures.mkv",
    args: async () => {
      // One empty composition and its end: the least that is a presentation graphic stream.
      const segment = (type: number, data: readonly number[]): Buffer =>
        Buffer.from([0x50, 0x47, 0, 1, 0x5f, 0x90, 0, 0, 0, 0, type, 0, data.length, ...data]);
      const composition = segment(0x16, [1, 0x40, 0, 0xb4, 0x10, 0, 0, 0x80, 0, 0, 0]);
      await writeFile(at("graphics.sup"), Buffer.concat([composition, segment(0x80, [])]));
      const inputs = [...picture(1.2), "-f", "sup", "-i", at("graphics.sup"), "-map", "0", "-map", "1"];
      return [...inputs, ...X264, "-c:s", "copy"];
    },
    ...{ durationS: 1.2, width: 320, height: 180, audio: [], text: [] },
  },
  MXF: {
    file: "camera.mxf",
    needs: "mpeg2video",
    args: [...picture(1.6), ...tone(1.6), "-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "pcm_s16le"],
    ...{ durationS: 1.6, width: 320, height: 180, audio: ["und"] },
  },
  ProRes: {
    file: "master.mov",
    needs: "prores_ks",
    args: [...picture(1.2), ...tone(1.2), "-c:v", "prores_ks", "-profile:v", "3", "-c:a", "pcm_s24le"],
    ...{ durationS: 1.2, width: 320, height: 180, audio: ["und"] },
  },
  "a cover picture": {
    file: "covered.mp4",
    args: async () => {
      const cover = await draw("cover.jpg", [...picture(0.04, "600x600"), "-frames:v", "1", "-update", "1"]);
      const inputs = ["-i", cover, ...picture(1.2), ...tone(1.2), "-map", "0", "-map", "1", "-map", "2"];
      return [...inputs, "-c:v:0", "copy", "-disposition:v:0", "attached_pic", "-c:v:1", "libx264", ...AAC];
    },
    ...{ durationS: 1.2, width: 320, height: 180, audio: ["und"] },
  },
  "a variable frame rate": {
    file: "variable.mp4",
    args: [...picture(2), "-vf", "select='not(between(n\\,10\\,24))'", "-fps_mode", "vfr", ...X264],
    ...{ durationS: 2, width: 320, height: 180, audio: [] },
  },
  "odd sizes": {
    file: "odd.mkv",
    // The generator itself makes even sizes only.
    args: [...picture(1.2), "-vf", "format=yuv444p,scale=321:181,setsar=1", "-c:v", "ffv1"],
    ...{ durationS: 1.2, width: 321, height: 181, audio: [] },
    check: async ({ lead }) => assert.deepEqual([lead.width, lead.height], [320, 180]),
  },
  "no sound": {
    file: "mute.mp4",
    args: [...picture(1.2), ...X264],
    ...{ durationS: 1.2, width: 320, height: 180, audio: [] },
  },
  "VP8 in WebM": {
    file: "vp8.webm",
    needs: "libvpx ",
    args: [
      ...[...picture(1.6), ...tone(1.6), "-c:v", "libvpx", "-deadline", "realtime", "-b:v", "300k"],
      ...["-c:a", encoders.includes("libopus") ? "libopus" : "vorbis", "-ac", "2", "-strict", "-2"],
    ],
    ...{ durationS: 1.6, width: 320, height: 180, audio: ["und"] },
  },
  "10-bit 4:2:2": {
    file: "deep.mp4",
    args: [...picture(1.2), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p10le"],
    ...{ durationS: 1.2, width: 320, height: 180, audio: [] },
  },
  "ten frames": {
    file: "ten.mp4",
    args: [...picture(0.4), ...tone(0.4), ...X264, ...AAC],
    ...{ durationS: 0.4, width: 320, height: 180, audio: ["und"] },
  },
  "a single frame": {
    file: "single.mp4",
    args: [...picture(0.04), "-frames:v", "1", ...X264],
    ...{ durationS: 0.04, width: 320, height: 180, audio: [] },
  },
  portrait: {
    file: "portrait.mp4",
    args: [...picture(1.2, "270x480", "30000/1001"), ...X264],
    ...{ durationS: 1.2, width: 270, height: 480, frameRate: [30_000, 1_001], audio: [] },
    check: async ({ index }) => {
      assert.deepEqual(
        index.video.map(({ profile }) => profile),
        ["240p-h264"],
      );
      assert.deepEqual([index.video[0]?.width, index.video[0]?.height], [240, 426]);
    },
  },
};

before(async () => {
  host = await startContent({ env: { MARQUEE_ENCODE_CONCURRENCY: "2" } });
  await mkdir(join(host.folder, "clips"));
  // Clips are drawn one after the other while the pipeline works on those before.
  let last: Promise<unknown> = Promise.resolve();
  for (const [name, of] of Object.entries(CASES)) {
    if (of.needs !== undefined && !encoders.includes(of.needs)) continue;
    const taken = last.then(() => takeIn(of));
    last = taken.catch(() => undefined);
    // A case that fails does so in its own test.
    taken.catch(() => undefined);
    imports.set(name, taken);
  }
});
after(() => host?.stop());

async function takeIn(of: Case): Promise<string> {
  const path = await draw(of.file, typeof of.args === "function" ? await of.args() : of.args);
  const subtitles = (await of.subtitles?.()) ?? [];
  const asked = { path, subtitles, preset: "quick", publish: true, allowDuplicate: true };
  return (await host.imports.import(asked, host.context())).contentId;
}

async function finished(contentId: string): Promise<void> {
  for (;;) {
    const { ingest } = await host.imports.get({ contentId }, host.context());
    assert.notEqual(ingest?.state, "failed", ingest?.failure);
    const [encoding] = (await host.encodings.getMany({ contentIds: [contentId] }, host.context())).encodings;
    assert.notEqual(encoding?.state, "failed", encoding?.failure);
    if (encoding?.state === "complete") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function indexOf(contentId: string): Promise<Presentation> {
  const bytes = await host.adapters.objects.get(`vod/${contentId}/r1/index-1.json`);
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as Presentation;
}

const lastsS = (track: VideoTrack | AudioTrack): number =>
  track.segments.reduce((sum, { durationTicks }) => sum + durationTicks, 0) / track.timescale;
const languages = (tracks: readonly (AudioTrack | TextTrack)[]): string[] => tracks.map(({ language }) => language);

for (const [name, of] of Object.entries(CASES)) {
  const skip = of.needs !== undefined && !encoders.includes(of.needs) && `this ffmpeg has no encoder ${of.needs}`;
  test(`${name} becomes playable`, { skip, timeout: TIMEOUT_MS }, async () => {
    const contentId = (await imports.get(name)) ?? "";
    await finished(contentId);
    await host.until(`${name} in the catalogue`, async () => {
      const { title } = await host.catalog.get({ id: contentId }, host.context());
      return title?.state === "playable" && title.failure === "" && title.backdrop !== undefined;
    });
    const index = await indexOf(contentId);
    const [lead] = index.video;
    assert.ok(lead);
    const frameS = lead.frameRate[1] / lead.frameRate[0];
    assert.ok(Math.abs(index.durationS - of.durationS) <= 2 * frameS + 0.001, `${index.durationS} s`);
    assert.deepEqual(lead.frameRate, of.frameRate ?? [25, 1]);
    for (const track of index.video) {
      assert.deepEqual([track.width % 2, track.height % 2], [0, 0], `${track.width}x${track.height}`);
      assert.ok(track.width <= of.width && track.height <= of.height, `${track.width}x${track.height}`);
      assert.ok(Math.abs(track.width / track.height / (of.width / of.height) - 1) < 0.02, "the shape is kept");
      assert.ok(Math.abs(lastsS(track) - index.durationS) < 0.001, `${track.profile} lasts ${lastsS(track)} s`);
    }
    for (const track of index.audio) {
      const driftS = Math.abs(lastsS(track) - index.durationS);
      assert.ok(driftS <= AUDIO_DRIFT_S_MAX, `${track.profile} is ${driftS} s off`);
    }
    assert.deepEqual(languages(index.audio), of.audio);
    assert.deepEqual(languages(index.text), of.text ?? []);
    assert.equal(index.audio.filter(({ isDefault }) => isDefault).length, Math.min(1, of.audio.length));
    await of.check?.({ contentId, index, lead });
  });
}

/** FFmpeg from 2023 on decrypts cbcs; distributions may have an older one, so the oracle is a package of its own. */
function findOracle(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve("@ffprobe-installer/linux-x64/package.json");
    const path = join(dirname(manifest), "ffprobe");
    return existsSync(path) && spawnSync(path, ["-version"]).status === 0 ? path : null;
  } catch {
    return null;
  }
}

async function packetsOf(path: string, ...args: readonly string[]): Promise<string[]> {
  const asked = ["-show_packets", "-show_data_hash", "md5", "-of", "json", path];
  const { stdout } = await run(oracle ?? "", ["-v", "quiet", ...args, ...asked], { maxBuffer: 1 << 26 });
  return (JSON.parse(stdout) as { packets: { data_hash: string }[] }).packets.map(({ data_hash: hash }) => hash);
}

const oracle = findOracle();

for (const name of ["interlaced", "two languages"]) {
  const skip = oracle === null && "@ffprobe-installer/linux-x64 is not here or does not run";
  test(`${name}: another program decrypts what was packaged to what was encoded`, {
    skip,
    timeout: TIMEOUT_MS,
  }, async () => {
    const contentId = (await imports.get(name)) ?? "";
    await finished(contentId);
    const { keys } = await host.keys.getSet({ contentId, packageRevision: 1 }, host.context());
    const { video, audio } = await indexOf(contentId);
    for (const { profile, kid, segments } of [...video, ...audio]) {
      const names = ["init.mp4", ...segments.map((_, i) => segmentName(i + 1))];
      const parts = await Promise.all(
        names.map((part) => host.adapters.objects.get(`vod/${contentId}/r1/${profile}/${part}`)),
      );
      const path = at(`${contentId}-${profile}.mp4`);
      await writeFile(path, Buffer.concat(parts));
      // The key that a licence would carry.
      const key = keys.find((candidate) => candidate.kid === kid)?.key ?? new Uint8Array();
      const decrypted = await packetsOf(path, "-decryption_key", Buffer.from(key).toString("hex"));
      const encoded = await packetsOf(await clearPath(contentId, profile));
      assert.ok(encoded.length > 10);
      assert.deepEqual(decrypted, encoded, profile);
      const encrypted = await packetsOf(path);
      assert.equal(encrypted.filter((hash, i) => hash === encoded[i]).length, 0, "nothing is in the clear");
    }
  });
}

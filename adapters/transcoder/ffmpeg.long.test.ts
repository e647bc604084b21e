import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Problem } from "#kernel/errors";
import type { SourceInfo, VideoEncode } from "#kernel/ports/transcoder";
import { detectSpawnGuard } from "./children.ts";
import { openTranscoder } from "./ffmpeg.ts";
import { similarity } from "#media/fingerprint";

const call = promisify(execFile);
const transcoder = openTranscoder();
const quiet = (): void => undefined;
let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "marquee-transcoder-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** Makes a tiny clip with ffmpeg's own generators. */
async function clip(name: string, args: readonly string[]): Promise<string> {
  await call("ffmpeg", ["-nostdin", "-v", "error", "-y", ...args, `file:${at(name)}`]);
  return at(name);
}

const source = (filter: string): string[] => ["-f", "lavfi", "-i", filter];
const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
/** Every frame has its own gray, 25 of them in a circle, far enough apart to survive encoding. */
const counted = (seconds: number): string[] =>
  source(`nullsrc=s=64x64:r=25:d=${seconds},format=gray,geq=lum='mod(N\\,25)*8+24'`);
const grayOf = (frame: number): number => (frame % 25) * 8 + 24;

async function graysOf(file: string): Promise<number[]> {
  const { stdout } = await call(
    "ffmpeg",
    ["-v", "error", "-i", file, "-vf", "format=gray,scale=1:1:flags=area", "-f", "rawvideo", "pipe:1"],
    { encoding: "buffer" },
  );
  return [...stdout];
}

const chunk = (path: string, info: SourceInfo, firstFrame: number, frameCount: number): VideoEncode => ({
  ...{ path, source: info, codec: "h264", width: 64, height: 64, bitrateKbps: 400, preset: "quick" },
  ...{ firstFrame, frameCount, gopFrames: 10 },
});

/** Movie fragments of an fMP4: decode time and the first sample's composition offset, straight from the boxes. */
function fragmentsOf(bytes: Buffer): { decodeTime: bigint; samples: number; firstOffset: number }[] {
  const found = [];
  for (let at = bytes.indexOf("tfdt"); at > 0; at = bytes.indexOf("tfdt", at + 4)) {
    const run = bytes.indexOf("trun", at);
    const flags = bytes.readUInt32BE(run + 4) & 0xffffff;
    const fields = [0x100, 0x200, 0x400].filter((bit) => flags & bit).length * 4;
    const first = run + 12 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
    const firstOffset = flags & 0x800 ? bytes.readInt32BE(first + fields) : 0;
    found.push({ decodeTime: bytes.readBigUInt64BE(at + 8), samples: bytes.readUInt32BE(run + 8), firstOffset });
  }
  return found;
}

/** The parameter sets with their box: what must be the same in every chunk of a rung. */
function configurationOf(bytes: Buffer, box: "avcC" | "hvcC"): string {
  const start = bytes.indexOf(box);
  return bytes.toString("hex", start - 4, start - 4 + bytes.readUInt32BE(start - 4));
}

const problemOf = async (work: Promise<unknown>): Promise<Problem> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Problem, "a Problem is thrown");
  return error;
};

describe("chunks", () => {
  for (const [container, args] of Object.entries({
    "long-gop.mp4": ["-g", "250", "-bf", "2"],
    "long-gop.ts": ["-g", "250", "-bf", "2", "-muxdelay", "0.7"],
    "short-gop.mkv": ["-g", "12", "-bf", "2"],
  })) {
    test(`joints are exact for ${container}`, async () => {
      const path = await clip(container, [...counted(3), ...X264, ...args]);
      const info = await transcoder.probe(path);
      assert.deepEqual(info.video.frameRate, [25, 1]);
      const seen: number[] = [];
      for (const firstFrame of [0, 30, 60]) {
        const frameCount = firstFrame === 60 ? 15 : 30;
        await transcoder.encodeVideo(chunk(path, info, firstFrame, frameCount), at("chunk.mp4"), quiet);
        seen.push(...(await graysOf(at("chunk.mp4"))));
      }
      assert.equal(seen.length, 75);
      for (const [frame, gray] of seen.entries()) {
        assert.ok(Math.abs(gray - grayOf(frame)) <= 3, `frame ${frame} is ${gray}, not ${grayOf(frame)}`);
      }
    });
  }

  test("each is CMAF: a fragment a GOP, decode and presentation begin at 0, no edit list, equal parameter sets", async () => {
    const path = await clip("cmaf.mp4", [...counted(2), ...X264, "-bf", "2"]);
    const info = await transcoder.probe(path);
    for (const [codec, box] of [
      ["h264", "avcC"],
      ["hevc", "hvcC"],
    ] as const) {
      const configurations = new Set<string>();
      for (const firstFrame of [0, 20]) {
        const ratios: number[] = [];
        await transcoder.encodeVideo({ ...chunk(path, info, firstFrame, 20), codec }, at("c.mp4"), (ratio) =>
          ratios.push(ratio),
        );
        const bytes = await readFile(at("c.mp4"));
        configurations.add(configurationOf(bytes, box));
        const fragments = fragmentsOf(bytes);
        assert.deepEqual(
          fragments.map((each) => [each.samples, each.firstOffset]),
          [
            [10, 0],
            [10, 0],
          ],
        );
        assert.equal(fragments[0]?.decodeTime, 0n);
        assert.equal(bytes.indexOf("elst"), -1);
        assert.equal(bytes.indexOf("x264 - core"), -1);
        assert.equal(ratios.at(-1), 1);
      }
      assert.equal(configurations.size, 1, codec);
    }
  });

  test("an easy one and a hard one have equal parameter sets, though one was searched less", async () => {
    const halves =
      "color=gray:s=64x64:r=25:d=10,format=yuv420p[a];nullsrc=s=64x64:r=25:d=10,geq=random(1)*255:128:128[b]";
    const path = await clip("halves.mp4", ["-filter_complex", `${halves};[a][b]concat`, ...X264, "-qp", "4"]);
    const info = await transcoder.probe(path);
    const found = new Set<string>();
    for (const firstFrame of [0, 250]) {
      await transcoder.encodeVideo({ ...chunk(path, info, firstFrame, 250), bitrateKbps: 150 }, at("half.mp4"), quiet);
      found.add(configurationOf(await readFile(at("half.mp4")), "avcC"));
    }
    assert.equal(found.size, 1);
  });

  test("a picture that ends before the file says is refused, and nothing is left behind", async () => {
    const path = await clip("short.mp4", [...counted(1), ...X264]);
    const info = { ...(await transcoder.probe(path)), durationS: 20 };
    const failure = await problemOf(transcoder.encodeVideo(chunk(path, info, 20, 100), at("never.mp4"), quiet));
    assert.equal(failure.reason, "media_truncated");
    assert.equal(existsSync(at("never.mp4")), false);
  });
});

describe("pictures as they come", () => {
  test("rotated by 90 degrees", async () => {
    await clip("upright.mp4", [...source("testsrc2=s=128x64:r=25:d=0.4"), ...X264]);
    const path = await clip("rotated.mov", ["-i", at("upright.mp4"), "-c", "copy", "-metadata:s:v:0", "rotate=90"]);
    const info = await transcoder.probe(path);
    assert.deepEqual([info.video.displayWidth, info.video.displayHeight], [64, 128]);
  });

  test("anamorphic and odd sizes become square and even", async () => {
    const wide = await clip("wide.mp4", [...source("testsrc2=s=72x64:r=25:d=0.2,setsar=64/45"), ...X264]);
    const odd = await clip("odd.mkv", [
      ...source("testsrc2=s=75x51:r=25:d=0.2"),
      "-c:v",
      "ffv1",
      "-pix_fmt",
      "yuv444p",
    ]);
    const { video } = await transcoder.probe(wide);
    assert.deepEqual([video.displayWidth, video.displayHeight], [102, 64]);
    const second = (await transcoder.probe(odd)).video;
    assert.deepEqual([second.displayWidth % 2, second.displayHeight % 2], [0, 0]);
  });

  test("interlaced is seen and made progressive at the frame rate", async () => {
    const fields = "testsrc2=s=64x64:r=50:d=0.6,tinterlace=interleave_top";
    const path = await clip("fields.ts", [
      ...source(fields),
      "-c:v",
      "mpeg2video",
      "-flags",
      "+ilme+ildct",
      "-top",
      "1",
    ]);
    const info = await transcoder.probe(path);
    assert.equal(info.video.isInterlaced, true);
    assert.deepEqual(info.video.frameRate, [25, 1]);
    await transcoder.encodeVideo(chunk(path, info, 5, 10), at("progressive.mp4"), quiet);
    assert.equal((await graysOf(at("progressive.mp4"))).length, 10);
  });

  test("a variable rate keeps its timing on a constant grid", async () => {
    // Frames 10 to 19 are dropped: the tenth picture stands still for eleven places.
    const holes = "select='not(between(n\\,10\\,19))'";
    const path = await clip("holes.mp4", [...counted(1.6), "-vf", holes, "-fps_mode", "vfr", ...X264]);
    const info = await transcoder.probe(path);
    assert.deepEqual(info.video.frameRate, [25, 1]);
    await transcoder.encodeVideo(chunk(path, info, 0, 40), at("grid.mp4"), quiet);
    const grays = await graysOf(at("grid.mp4"));
    assert.equal(grays.length, 40);
    for (const frame of [0, 5, 9, 20, 30, 39])
      assert.ok(Math.abs((grays[frame] ?? 0) - grayOf(frame)) <= 3, `frame ${frame}`);
    assert.ok(Math.abs((grays[14] ?? 0) - grayOf(9)) <= 3);
  });

  test("HDR is tone-mapped to pictures that are neither black nor white", async () => {
    const tags = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"];
    const path = await clip("hdr.mkv", [
      ...source("testsrc2=s=64x64:r=25:d=0.2"),
      "-pix_fmt",
      "yuv420p10le",
      "-c:v",
      "libx265",
      "-x265-params",
      "log-level=error",
      ...tags,
    ]);
    const info = await transcoder.probe(path);
    assert.equal(info.video.isHdr, true);
    await transcoder.encodeVideo(chunk(path, info, 0, 5), at("sdr.mp4"), quiet);
    const [gray = 0] = await graysOf(at("sdr.mp4"));
    assert.ok(gray > 30 && gray < 225, String(gray));
  });
});

describe("sound", () => {
  test("5.1 becomes stereo at -23 LUFS, exactly as long as the picture, in step with it", async () => {
    // The sound begins half a second after the picture on the file's clock, with a burst at its very start.
    const six =
      "aevalsrc=exprs='0.05*sin(880*2*PI*t)|0.05*sin(880*2*PI*t)|0.05*sin(440*2*PI*t)|0|0|0':c=5.1:s=44100:d=1.5";
    const path = await clip("six.mkv", [...counted(2), "-itsoffset", "0.5", ...source(six), ...X264, "-c:a", "ac3"]);
    const info = await transcoder.probe(path);
    const [track] = info.audio;
    assert.equal(track?.channels, 6);
    const loudness = await transcoder.measureLoudness(path, track?.index ?? 1);
    await transcoder.encodeAudio(
      { path, source: info, streamIndex: track?.index ?? 1, bitrateKbps: 128, loudness },
      at("stereo.mp4"),
      quiet,
    );
    const encoded = await call("ffprobe", [
      "-v",
      "error",
      "-show_entries",
      "stream=codec_name,profile,channels,sample_rate,duration",
      "-of",
      "csv=p=0",
      at("stereo.mp4"),
    ]);
    assert.match(encoded.stdout, /^aac,LC,48000,2,2\.0/);
    const pcm = await call("ffmpeg", ["-v", "error", "-i", at("stereo.mp4"), "-ac", "1", "-f", "s16le", "pipe:1"], {
      encoding: "buffer",
    });
    const onset = firstLoudSample(pcm.stdout) / 48000;
    assert.ok(Math.abs(onset - 0.5) < 0.012, `sound begins at ${onset} s`);
    const { stderr } = await call("ffmpeg", [
      "-nostats",
      "-i",
      at("stereo.mp4"),
      "-af",
      "ebur128=framelog=verbose",
      "-f",
      "null",
      "-",
    ]);
    const measured = Number(/I:\s+(\S+) LUFS/.exec(stderr)?.[1]);
    assert.ok(Math.abs(measured + 23) < 0.8, `${measured} LUFS`);
  });

  test("silence is measured as silence and left alone; no sound is no track", async () => {
    const path = await clip("silent.mp4", [...counted(0.6), ...source("anullsrc=d=0.6"), ...X264, "-c:a", "aac"]);
    const info = await transcoder.probe(path);
    const loudness = await transcoder.measureLoudness(path, 1);
    assert.equal(loudness.integratedLufs, -70);
    await transcoder.encodeAudio(
      { path, source: info, streamIndex: 1, bitrateKbps: 96, loudness },
      at("silent-out.mp4"),
      quiet,
    );
    const mute = await transcoder.probe(await clip("mute.mp4", [...counted(0.4), ...X264]));
    assert.deepEqual(mute.audio, []);
    const failure = await problemOf(
      transcoder.encodeAudio(
        { path, source: info, streamIndex: 0, bitrateKbps: 96, loudness: null },
        at("x.mp4"),
        quiet,
      ),
    );
    assert.equal(failure.code, "invalid_argument");
  });
});

function firstLoudSample(pcm: Buffer): number {
  for (let offset = 0; offset + 1 < pcm.length; offset += 2)
    if (Math.abs(pcm.readInt16LE(offset)) > 400) return offset / 2;
  return -1;
}

describe("text", () => {
  test("a sidecar in an old encoding, and a track inside the film", async () => {
    await writeFile(at("alt.srt"), Buffer.from("1\r\n00:00:00,100 --> 00:00:00,900\r\nGr\u00fc\u00dfe\r\n", "latin1"));
    const path = await clip("subtitled.mkv", [
      ...counted(1),
      "-sub_charenc",
      "CP1252",
      "-i",
      at("alt.srt"),
      ...X264,
      "-c:s",
      "ass",
      "-metadata:s:s:0",
      "language=deu",
    ]);
    const info = await transcoder.probe(path);
    assert.equal(info.text[0]?.language, "deu");
    for (const what of [{ file: at("alt.srt") }, { streamIndex: info.text[0]?.index ?? 1 }]) {
      const webVtt = await transcoder.extractText(path, info, what);
      assert.match(webVtt, /^WEBVTT\n\n00:00\.100 --> 00:00\.900\nGr\u00fc\u00dfe/, JSON.stringify(what));
    }
    assert.equal(await transcoder.extractText(path, info, { closedCaptions: true }), "");
  });
});

describe("for people", () => {
  test("fingerprints match across re-encodes and tell films apart; thumbnails and posters are written", async () => {
    const film = await clip("film.mp4", [
      ...source("mandelbrot=s=160x90:r=25:end_scale=0.1:end_pts=50"),
      "-t",
      "2",
      ...X264,
    ]);
    const smaller = await clip("smaller.webm", [
      "-i",
      film,
      "-vf",
      "scale=96:54",
      "-c:v",
      "libvpx",
      "-b:v",
      "300k",
      "-deadline",
      "realtime",
    ]);
    const other = await clip("other.mp4", [...source("testsrc2=s=160x90:r=25:d=2"), ...X264]);
    const prints = [];
    for (const path of [film, smaller, other])
      prints.push(await transcoder.fingerprint(path, await transcoder.probe(path)));
    const [first, second, third] = prints;
    assert.ok(first && second && third);
    assert.equal(first.frames.length, 32);
    assert.ok(similarity(first, second) > 0.85, String(similarity(first, second)));
    assert.ok(similarity(first, third) < 0.5, String(similarity(first, third)));
    const out = at("tiles 100% d");
    await mkdir(out);
    const info = await transcoder.probe(film);
    assert.equal(
      await transcoder.thumbnails(film, info, { columns: 2, rows: 2, width: 32, height: 18, intervalS: 0.25 }, out),
      2,
    );
    const candidates = await transcoder.posters(film, info, 2, out);
    assert.equal(candidates.length, 2);
    assert.deepEqual((await readdir(out)).sort(), [
      "poster-1.jpg",
      "poster-2.jpg",
      "tile-0000001.jpg",
      "tile-0000002.jpg",
    ]);
  });
});

describe("hostile input", () => {
  test("names with spaces, quotes, colons, percent and emoji are only names", async () => {
    const path = await clip(`it's a "film": 100%d [x],; 🎬.mp4`, [...counted(0.4), ...X264]);
    assert.equal((await transcoder.probe(path)).video.codec, "h264");
  });

  test("playlists, scripts and images under a film's name are not opened", async () => {
    const target = await clip("target.mp4", [...counted(0.4), ...X264]);
    const scripts = {
      "concat.mp4": `ffconcat version 1.0\nfile '${target}'\n`,
      "list.mp4": `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${target}\n#EXT-X-ENDLIST\n`,
      "dash.mp4": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>${target}</BaseURL></MPD>`,
      "sdp.mp4":
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
      "text.mp4": "hello",
    };
    for (const [name, content] of Object.entries(scripts)) {
      await writeFile(at(name), content);
      const { code, reason } = await problemOf(transcoder.probe(at(name)));
      assert.equal(code, "unsupported_media", name);
      assert.match(reason, /^media_(not_a_video|truncated)$/, name);
    }
  });

  test("empty, absent, a folder, cut short, sound only", async () => {
    await writeFile(at("empty.mp4"), "");
    const whole = await readFile(await clip("whole.mp4", [...counted(0.4), ...X264, "-movflags", "+faststart"]));
    await writeFile(at("cut.mp4"), whole.subarray(0, whole.length - 500));
    const sound = await clip("sound.m4a", [...source("sine=d=0.2"), "-c:a", "aac"]);
    const reasons = [];
    for (const path of [at("empty.mp4"), at("absent.mp4"), folder, at("cut.mp4"), sound])
      reasons.push((await problemOf(transcoder.probe(path))).reason);
    assert.deepEqual(reasons, [
      "media_empty",
      "media_not_found",
      "media_not_a_video",
      "media_truncated",
      "media_no_video",
    ]);
  });
});

describe("the child process", () => {
  test("a missing program says what to install", async () => {
    const guards = [[], detectSpawnGuard({ isIdle: false }), detectSpawnGuard({ isIdle: true })];
    for (const spawnGuard of guards) {
      const none = openTranscoder({ ffmpegPath: "no-such-ffmpeg", spawnGuard });
      const failure = await problemOf(none.capabilities());
      assert.equal(failure.reason, "ffmpeg_missing");
      assert.match(failure.message, /apt-get|brew|winget/);
    }
    assert.equal((await transcoder.capabilities()).h264, true);
  });

  test("a full disk is named", { skip: existsSync("/dev/full") ? false : "this system has no /dev/full" }, async () => {
    const path = await clip("disk.mp4", [...counted(0.4), ...X264]);
    const info = await transcoder.probe(path);
    const { encodeVideo } = await import("./video.ts");
    const { openChildren } = await import("./children.ts");
    const run = openChildren({ niceness: 0, stallMsMax: 10_000, spawnGuard: [] });
    const failure = await problemOf(encodeVideo(run, "ffmpeg", chunk(path, info, 0, 10), "/dev/full", quiet));
    assert.equal(failure.reason, "disk_full");
  });

  test("when the process that starts them ends, their work fails, and the next has another one", {
    skip: process.platform === "win32" ? "needs a shell" : false,
  }, async () => {
    const { openChildren } = await import("./children.ts");
    const run = openChildren({ niceness: 0, stallMsMax: 10_000, spawnGuard: [] });
    const starterOf = async (): Promise<number> => {
      const said = await run({ program: "/bin/sh", args: ["-c", "echo $PPID"], subject: "it", output: "keep" });
      return Number(said.stdout.toString());
    };
    const starter = await starterOf();
    assert.notEqual(starter, process.pid);
    const work = run({ program: "/bin/sleep", args: ["30"], subject: "it", output: "keep" });
    process.kill(starter, "SIGKILL");
    assert.equal((await problemOf(work)).code, "unavailable");
    assert.notEqual(await starterOf(), starter);
  });

  test("an abort and a stall kill it", {
    skip: process.platform === "win32" ? "needs a shell script" : false,
  }, async () => {
    await writeFile(at("sleeper"), "#!/bin/sh\nexec sleep 30\n", { mode: 0o755 });
    const path = await clip("kill.mp4", [...counted(0.4), ...X264]);
    const info = await transcoder.probe(path);
    const sleeper = openTranscoder({ ffmpegPath: at("sleeper"), stallMsMax: 100 });
    assert.equal(
      (await problemOf(sleeper.encodeVideo(chunk(path, info, 0, 5), at("k.mp4"), quiet))).reason,
      "media_stalled",
    );
    const patient = openTranscoder({ ffmpegPath: at("sleeper") });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    const failure = await problemOf(
      patient.encodeVideo(chunk(path, info, 0, 5), at("k.mp4"), quiet, controller.signal),
    );
    assert.equal(failure.code, "canceled");
  });
});

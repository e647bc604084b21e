import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { connect } from "node:net";
import { freePort } from "#kernel/testing/ports";
import { after, before, describe, test } from "node:test";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Live, type LiveHealthChanged, type LiveSpliceDetected } from "#contracts/live";
import { topics } from "#contracts/topics";
import { systemClock } from "#kernel";
import { openEvents } from "#kernel/events";
import { parseMediaPlaylist } from "#media/hls";
import { encodeSplice, type SpliceDescriptor } from "#media/scte35";
import { graysOf } from "./films.ts";
import { openLiveStage } from "./live-stage.ts";
import { createSplicer } from "./splicer.ts";

const RUNG = "240p-h264-300k";
const KEY = "a-stream-key-of-this-test";
const PASSPHRASE = "a passphrase of this test";

let stage: Awaited<ReturnType<typeof openLiveStage>>;
const children = new Set<ChildProcess>();

before(async () => {
  stage = await openLiveStage();
});
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  await stage.stop();
});

/** Whether somebody answers there. */
const answers = (port: number) => (): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    }).once("error", () => resolve(false));
  });

const PICTURE = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"];
const TONE = ["-re", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-c:a", "aac"];
const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"];
const HEVC = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25", "-s", "480x272"];

/** Somebody who sends something in real time. */
function send(...args: string[]): ChildProcess {
  const child = spawn("ffmpeg", ["-nostdin", "-v", "error", ...args], { stdio: "ignore" });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}
/** A small picture and a tone. */
const push = (...to: string[]): ChildProcess => send(...PICTURE, ...TONE, ...H264, ...to);

const exited = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once("exit", resolve));

async function add(id: string, ...inputs: { readonly kind: string; readonly url: string; readonly secret: string }[]) {
  await stage.live.add({ channel: { id, name: id, ladder: [RUNG] }, inputs }, stage.host.context());
}

const stateOf = async (channelId: string): Promise<{ readonly state: string; readonly input: string }> =>
  stage.live.health({ channelId }, stage.host.context());

async function until(what: string, isSo: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error(`${what} did not come about`);
    await sleep(100);
  }
}

/** The newest segment of a track that is whole, or 0. */
async function newestOf(id: string, track = RUNG): Promise<number> {
  const answer = await stage.get(`/live/${id}/${track}/index.m3u8`);
  if (!answer.ok) return 0;
  const last = parseMediaPlaylist(await answer.text()).segments.findLast(({ gap }) => !gap);
  return Number(/seg-(\d+)/.exec(last?.uri ?? "")?.[1] ?? 0);
}

/** A segment comes that begins after this moment. */
async function untilFresh(id: string, track = RUNG): Promise<void> {
  const number = Math.ceil(Date.now() / 2_000);
  await until(`segment ${number} of ${id}`, async () => (await newestOf(id, track)) >= number, 30_000);
}

const isLive = (id: string) => async (): Promise<boolean> => (await stateOf(id)).state === "live";

async function playlistOf(id: string) {
  const answer = await stage.get(`/live/${id}/${RUNG}/index.m3u8`);
  assert.equal(answer.status, 200);
  return parseMediaPlaylist(await answer.text());
}

const info = { sapType: 3, ptsAdjustment: 0, cwIndex: 0, tier: 0xfff, legacyLength: false, stuffingHex: "" } as const;

function insert(eventId: number, outOfNetwork: boolean, ptsTime: number): Uint8Array {
  const more = {
    compliant: true,
    immediate: false,
    components: null,
    uniqueProgramId: 1,
    availNum: 0,
    availsExpected: 0,
  };
  const breakDuration = outOfNetwork ? { autoReturn: false, duration: 180_000 } : null;
  const command = { kind: "insert", eventId, cancel: false, outOfNetwork, ptsTime, breakDuration, ...more } as const;
  return encodeSplice({ ...info, command, descriptors: [] });
}

/** A programme begins; somebody restamped the stream on its way here. */
function signal(pts: number): Uint8Array {
  const ptsAdjustment = 2 ** 33 - 900_000;
  const segmentation: SpliceDescriptor = {
    ...({
      kind: "segmentation",
      eventId: 9,
      compliant: true,
      cancel: false,
      components: null,
      restrictions: null,
    } as const),
    ...{ duration: null, upid: { type: 0, bytesHex: "" }, typeId: 0x10, segmentNum: 1, segmentsExpected: 1, sub: null },
  };
  const command = { kind: "timeSignal", ptsTime: (pts + 900_000) % 2 ** 33 } as const;
  return encodeSplice({ ...info, ptsAdjustment, command, descriptors: [segmentation] });
}

/** Whether the picture of a moment is bright; null where there is none yet. */
async function brightAt(id: string, atMs: number): Promise<boolean | null> {
  const number = Math.floor(atMs / 2_000);
  const segment = (await playlistOf(id)).segments.find(({ uri }) => uri === `seg-${number}.m4s`);
  if (!segment) return null;
  const get = async (name = "") => Buffer.from(await (await stage.get(`/live/${id}/${RUNG}/${name}`)).arrayBuffer());
  const dayIndex = Number(/init-(\d+)/.exec(segment.map?.uri ?? "")?.[1]);
  const { keys } = await stage.keys.getSet({ contentId: id, packageRevision: dayIndex }, stage.host.context());
  const key = keys.find(({ keyClass }) => keyClass === "SD")?.key ?? new Uint8Array();
  const grays = await graysOf(await get(segment.map?.uri), await get(segment.uri), key);
  assert.equal(grays.length, 48, "two seconds of 24 frames");
  return (grays[Math.floor(((atMs % 2_000) * 24) / 1_000)] ?? 0) > 128;
}

const BREAKS: readonly string[] = ["time_jumped", "input_changed"];

/** What events of a name say of a channel from now on, in order. */
async function toldOf<T>(id: string, name: string): Promise<() => Promise<T[]>> {
  const { log, registry } = stage.host.adapters;
  const topic = topics.routes[name]?.topic ?? "";
  const reader = await openEvents([Live], topics, registry, systemClock);
  const starts = await log.offsets(topic);
  return async () => {
    const records = await log.read(topic, starts, 10_000);
    const mine = records.filter((record) => record.key === id && reader.nameOf(record) === name);
    return (await Promise.all(mine.map((record) => reader.decode(record)))).map((event) => event?.data as T);
  };
}

// They take their time, and so do encoders: more of them at once than this are more than two cores keep up with.
describe("inputs", { concurrency: 3 }, () => {
  test("by RTMP are let in with the stream key, and with no other", async () => {
    const port = await freePort();
    await add("ch-rtmp", { kind: "rtmp", url: String(port), secret: KEY });
    const at = (key: string): string[] => ["-f", "flv", `rtmp://127.0.0.1:${port}/live/${key}`];
    await until("the door", answers(port));
    const stranger = push(...at("another-stream-key-12345"));
    assert.notEqual(await exited(stranger), 0);
    assert.equal((await stateOf("ch-rtmp")).state === "live", false);
    const friend = push(...at(KEY));
    await until("the channel", isLive("ch-rtmp"));
    // Who comes second stays outside, with the key as well.
    assert.notEqual(await exited(push(...at(KEY))), 0);
    const before = await playlistOf("ch-rtmp");
    // The encoder goes and comes back: players find a hole that is marked, and go on.
    friend.kill("SIGKILL");
    await until("the silence", async () => (await stateOf("ch-rtmp")).state !== "live");
    const back = push(...at(KEY));
    await until("the return", isLive("ch-rtmp"));
    await until("its first segment", async () =>
      (await playlistOf("ch-rtmp")).segments.some(({ discontinuity }) => discontinuity),
    );
    const after = await playlistOf("ch-rtmp");
    assert.equal(after.mediaSequence, before.mediaSequence);
    assert.ok(after.segments.some(({ gap }) => gap));
    const { channel, inputUrls } = await stage.live.get({ channelId: "ch-rtmp" }, stage.host.context());
    assert.deepEqual([channel?.inputs, inputUrls], [["rtmp"], [String(port)]], "and no key");
    // Back before anybody noticed that it was away: other times, and nothing that gets stuck.
    const runs = async (): Promise<number> =>
      (await playlistOf("ch-rtmp")).segments.filter(({ discontinuity }) => discontinuity).length;
    const count = await runs();
    back.kill("SIGKILL");
    await exited(back);
    push(...at(KEY));
    await until("another run", async () => (await runs()) > count);
    await untilFresh("ch-rtmp");
    await stage.live.remove({ channelId: "ch-rtmp" }, stage.host.context());
  });

  test("by UDP may change their codec and their size, and their times may jump, back and over their end", async () => {
    const port = await freePort();
    const to = (...more: string[]): string[] => [
      ...more,
      ...["-muxdelay", "0", "-f", "mpegts", `udp://127.0.0.1:${port}?pkt_size=1316`],
    ];
    await add("ch-changes", { kind: "mpegts", url: `udp://127.0.0.1:${port}`, secret: "" });
    const told = await toldOf<LiveHealthChanged>("ch-changes", "live.health.changed");
    await stage.live.hold(
      { channelId: "ch-changes", holder: "test", untilMs: BigInt(Date.now() + 120_000) },
      stage.host.context(),
    );
    let sender = push(...to());
    await until("the channel", isLive("ch-changes"));
    let breaks = 0;
    /** The channel says that it begins anew, and does. */
    const untilBroken = async (what: string): Promise<void> => {
      breaks += 1;
      await until(what, async () => (await told()).filter(({ reason }) => BREAKS.includes(reason)).length >= breaks);
      await untilFresh("ch-changes");
    };
    const next = async (what: string, ...args: string[]): Promise<void> => {
      sender.kill("SIGKILL");
      await exited(sender);
      sender = send(...args);
      await untilBroken(what);
    };
    await next("another codec and size, later", ...PICTURE, ...TONE, ...HEVC, ...to("-output_ts_offset", "500"));
    // The clock of a transport stream begins anew at 95,443.7 s: this one does so in mid-stream.
    await next("a codec, much later", ...PICTURE, ...TONE, ...H264, ...to("-output_ts_offset", "95432"));
    await untilBroken("the end of the clock");
    await next("earlier times", ...PICTURE, ...TONE, ...H264, ...to("-output_ts_offset", "0"));
    const reasons = (await told()).map(({ reason }) => reason);
    // A machine that is busy otherwise may make it wait, and then it says so.
    assert.ok(!reasons.includes("failed"), String(reasons));
    await stage.live.remove({ channelId: "ch-changes" }, stage.host.context());
  });

  test("by HTTP without a picture are channels of sound, until there is one", async () => {
    let feed = ["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000", "-c:a", "aac"];
    const server = createHttpServer((_, response) => {
      const child = spawn("ffmpeg", ["-nostdin", "-v", "error", "-re", ...feed, "-f", "mpegts", "pipe:1"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      children.add(child);
      child.stdout.pipe(response.on("error", () => {}));
      response.once("close", () => child.kill("SIGKILL"));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await add("ch-sound", { kind: "mpegts", url: `http://127.0.0.1:${port}/radio.ts`, secret: "" });
    const main = await (await stage.get("/live/ch-sound/main.m3u8")).text();
    assert.match(main, /CODECS="mp4a\.40\.2"/);
    assert.doesNotMatch(main, /avc1|RESOLUTION/);
    const mpd = await (await stage.get("/live/ch-sound/main.mpd")).text();
    assert.match(mpd, /contentType="audio"/);
    assert.doesNotMatch(mpd, /contentType="video"/);
    await untilFresh("ch-sound", "audio-en");
    assert.match((await stage.live.health({ channelId: "ch-sound" }, stage.host.context())).message, /no picture/);
    const span = { channelId: "ch-sound", fromMs: BigInt(Date.now() - 10_000), toMs: BigInt(Date.now()) };
    const { tracks } = await stage.live.listSegments(span, stage.host.context());
    assert.deepEqual(
      tracks.map(({ kind }) => kind),
      ["audio"],
      "what records it knows what it records",
    );
    feed = [...PICTURE, ...TONE, ...H264];
    server.closeAllConnections();
    await untilFresh("ch-sound");
    assert.match(await (await stage.get("/live/ch-sound/main.m3u8")).text(), /RESOLUTION=426x240/);
    server.close();
    await stage.live.remove({ channelId: "ch-sound" }, stage.host.context());
  });

  test("of HLS are pulled, and come at the speed of time", async () => {
    const folder = join(stage.host.folder, "hls");
    await mkdir(folder);
    const to = ["-f", "hls", "-hls_time", "4", "-hls_list_size", "6", join(folder, "main.m3u8")];
    send(...PICTURE, ...TONE, ...H264, ...to);
    const server = createHttpServer((request, response) => {
      createReadStream(join(folder, basename(request.url ?? "")))
        .once("error", () => response.writeHead(404).end())
        .pipe(response);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await until("two segments", async () => (await readdir(folder)).length > 2);
    await add("ch-pull", { kind: "hls", url: `http://127.0.0.1:${port}/main.m3u8`, secret: "" });
    assert.equal((await stage.get("/live/ch-pull/main.m3u8")).status, 200);
    // Segments of four seconds come in one go each: neither are they played as fast as they come nor is there silence in between.
    await until("five segments", async () => (await playlistOf("ch-pull")).segments.length >= 5);
    const { segments } = await playlistOf("ch-pull");
    assert.ok(segments.every(({ gap, discontinuity }) => !gap && !discontinuity));
    server.closeAllConnections();
    server.close();
    await stage.live.remove({ channelId: "ch-pull" }, stage.host.context());
  });

  test("by SRT are let in with the passphrase; a backup steps in and steps back", async () => {
    const [port, backupPort] = [await freePort(), await freePort()];
    await add(
      "ch-srt",
      { kind: "srt", url: String(port), secret: PASSPHRASE },
      { kind: "mpegts", url: `udp://127.0.0.1:${backupPort}`, secret: "" },
    );
    const at = (passphrase: string): string[] => [
      ...["-f", "mpegts"],
      `srt://127.0.0.1:${port}?mode=caller&passphrase=${encodeURIComponent(passphrase)}&pbkeylen=16`,
    ];
    await sleep(500);
    assert.notEqual(await exited(push(...at("not the passphrase"))), 0);
    push("-f", "mpegts", `udp://127.0.0.1:${backupPort}?pkt_size=1316`);
    await until("the backup", isLive("ch-srt"));
    assert.equal((await stateOf("ch-srt")).input, "backup");
    const primary = push(...at(PASSPHRASE));
    await until("the primary", async () => (await stateOf("ch-srt")).input === "primary", 45_000);
    primary.kill("SIGKILL");
    await until("the backup again", async () => (await stateOf("ch-srt")).input === "backup");
    await stage.live.remove({ channelId: "ch-srt" }, stage.host.context());
  });

  test("by SRT bring splices, which stand where the picture has them", async () => {
    const port = await freePort();
    await add("ch-splice", { kind: "srt", url: String(port), secret: PASSPHRASE });
    await sleep(500);
    // White between 8 and 10 seconds, where the break is, and from 11 seconds on, where a programme begins.
    const white = "drawbox=c=white:t=fill:enable='between(t,8,9.99)+gte(t,10.99)'";
    const film = spawn("ffmpeg", [
      ...["-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", `color=black:size=320x180:rate=24,${white}`],
      ...["-f", "lavfi", "-i", "sine=sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"],
      ...["-g", "24", "-pix_fmt", "yuv420p", "-c:a", "aac", "-muxdelay", "0", "-flush_packets", "1"],
      ...["-f", "mpegts", "-mpegts_flags", "+resend_headers", "pipe:1"],
    ]);
    const caller = spawn("ffmpeg", [
      ...["-nostdin", "-v", "error", "-f", "data", "-i", "pipe:0", "-map", "0", "-c", "copy", "-flush_packets", "1"],
      ...["-f", "data", `srt://127.0.0.1:${port}?mode=caller&passphrase=${encodeURIComponent(PASSPHRASE)}&pbkeylen=16`],
    ]);
    const told = await toldOf<LiveSpliceDetected>("ch-splice", "live.splice.detected");
    for (const child of [film, caller]) children.add(child);
    caller.stdin.on("error", () => {});
    const splicer = createSplicer([
      { afterS: 5, section: (ptsOf) => insert(7, true, ptsOf(8)) },
      { afterS: 6, section: (ptsOf) => signal(ptsOf(11)) },
      { afterS: 9, section: (ptsOf) => insert(7, false, ptsOf(10)) },
    ]);
    film.stdout.on("data", (chunk: Buffer) => caller.stdin.write(splicer(chunk)));
    await until("the channel", isLive("ch-splice"));
    // What the break is filled with for players that ask for it is another thing.
    const rangesOf = async () => (await playlistOf("ch-splice")).dateRanges.filter((range) => !("CLASS" in range));
    await until("the splices", async () => (await rangesOf()).some((range) => "SCTE35-IN" in range), 30_000);
    const [broken, begun] = (await rangesOf()).toSorted((a, b) => (a["ID"] ?? "").localeCompare(b["ID"] ?? ""));
    assert.deepEqual([broken?.["ID"], begun?.["ID"]], ["insert-7", "segment-9-16"]);
    assert.deepEqual([broken?.["PLANNED-DURATION"], broken?.["DURATION"]], ["2.000", "2.000"]);
    assert.ok(broken?.["SCTE35-OUT"]?.startsWith("0xFC") && begun?.["SCTE35-CMD"]?.startsWith("0xFC"));
    const [outMs, beginMs] = [broken, begun].map((range) => Date.parse(range?.["START-DATE"] ?? ""));
    assert.ok(outMs !== undefined && beginMs !== undefined);
    await until("the picture", async () => (await brightAt("ch-splice", beginMs + 1_500)) !== null, 30_000);
    // Within a frame, where a part of half a second would do.
    for (const [atMs, isBright] of [
      [outMs, true],
      [outMs + 2_000, false],
      [beginMs, true],
    ] as const) {
      const seen = await Promise.all([-60, 60].map((offsetMs) => brightAt("ch-splice", atMs + offsetMs)));
      assert.deepEqual(seen, [!isBright, isBright], `${atMs}`);
    }
    const mpd = await (await stage.get("/live/ch-splice/main.mpd")).text();
    assert.match(mpd, /<EventStream schemeIdUri="urn:scte:scte35:2014:xml\+bin" timescale="1000">/);
    const [, periodS] = /<Period id="[^"]*" start="PT([\d.]+)S"/.exec(mpd) ?? [];
    const events = [...mpd.matchAll(/<Event id="\d+" presentationTime="(\d+)"/g)];
    assert.deepEqual(
      events.map(([, atMs]) => Number(periodS) * 1_000 + Number(atMs)),
      [outMs, outMs + 2_000, beginMs],
    );
    await until("the events", async () => (await told()).length >= 3);
    assert.deepEqual(
      (await told()).map(({ spliceId, action, startMs, endMs }) => [spliceId, action, startMs, endMs]),
      [
        ["insert-7", "out", outMs, 0],
        ["segment-9-16", "mark", beginMs, 0],
        ["insert-7", "in", outMs, outMs + 2_000],
      ],
    );
    // Another process finds them as well.
    for (const child of [film, caller]) child.kill("SIGKILL");
    for (const onAir of [false, true])
      await stage.live.setOnAir({ channelId: "ch-splice", onAir }, stage.host.context());
    const span = `${Math.floor(outMs / 2_000) * 2}-${Math.ceil((outMs + 4_000) / 2_000) * 2}`;
    const past = await (await stage.get(`/live/ch-splice/${RUNG}/index-${span}.m3u8`)).text();
    assert.deepEqual(parseMediaPlaylist(past).dateRanges, [broken, begun]);
    await stage.live.remove({ channelId: "ch-splice" }, stage.host.context());
  });

  test("of files are shown over and over, whatever they are called", async () => {
    const path = join(stage.host.folder, "it's a film.mp4");
    const made = spawn("ffmpeg", [
      ...["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3", "-f", "lavfi"],
      ...["-i", "sine=duration=3:sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25"],
      ...["-pix_fmt", "yuv420p", "-c:a", "aac", path],
    ]);
    assert.equal(await exited(made), 0);
    await add("ch-files", { kind: "files", url: path, secret: "" });
    assert.equal((await stage.get("/live/ch-files/main.m3u8")).status, 200);
    // Twice the file's length later it still goes on, in one run.
    await until("three segments", async () => (await playlistOf("ch-files")).segments.length >= 3);
    assert.ok((await playlistOf("ch-files")).segments.every(({ gap, discontinuity }) => !gap && !discontinuity));
  });

  test("are refused where they are none", async () => {
    const bad: readonly [kind: string, url: string, secret: string][] = [
      ["rtmp", "80", KEY],
      ["rtmp", "9000", "short"],
      ["srt", "9000", "too short"],
      ["mpegts", "udp://192.0.2.1:9000", ""],
      ["mpegts", "file:///etc/passwd", ""],
      ["hls", "http://user:password@example.test/a.m3u8", ""],
      ["files", "film.mp4", ""],
      ["satellite", "", ""],
    ];
    for (const [kind, url, secret] of bad)
      await assert.rejects(add("ch-bad", { kind, url, secret }), { code: "invalid_argument" }, `${kind} ${url}`);
    await assert.rejects(
      add("ch-bad", { kind: "srt", url: "9000", secret: PASSPHRASE }, { kind: "rtmp", url: "9000", secret: KEY }),
      /meant for two inputs/,
    );
  });
});

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseMediaPlaylist } from "#media/hls";
import { openLiveStage } from "./live-stage.ts";

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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether somebody answers there. */
const answers = (port: number) => (): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    }).once("error", () => resolve(false));
  });

/** Somebody who pushes a small picture and a tone in real time. */
function push(...to: string[]): ChildProcess {
  const child = spawn(
    "ffmpeg",
    [
      ...["-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"],
      ...["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast"],
      ...["-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac", ...to],
    ],
    { stdio: "ignore" },
  );
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

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

const isLive = (id: string) => async (): Promise<boolean> => (await stateOf(id)).state === "live";

async function playlistOf(id: string) {
  const answer = await stage.get(`/live/${id}/${RUNG}/index.m3u8`);
  assert.equal(answer.status, 200);
  return parseMediaPlaylist(await answer.text());
}

describe("inputs", { concurrency: true }, () => {
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
    push(...at(KEY));
    await until("the return", isLive("ch-rtmp"));
    await until("its first segment", async () =>
      (await playlistOf("ch-rtmp")).segments.some(({ discontinuity }) => discontinuity),
    );
    const after = await playlistOf("ch-rtmp");
    assert.equal(after.mediaSequence, before.mediaSequence);
    assert.ok(after.segments.some(({ gap }) => gap));
    const { channel, inputUrls } = await stage.live.get({ channelId: "ch-rtmp" }, stage.host.context());
    assert.deepEqual([channel?.inputs, inputUrls], [["rtmp"], [String(port)]], "and no key");
    await stage.live.remove({ channelId: "ch-rtmp" }, stage.host.context());
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

// What is no film, or goes wrong on its way: a reason in words, nothing half-published, nothing left behind, and a retry where one can help.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, statfs, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { Ingest } from "#contracts/ingest";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import { type ContentHost, drawClip, startContent } from "./setup.ts";

const run = promisify(execFile);
const data = process.env["MARQUEE_TESTDATA"];
const TIMEOUT_MS = 240_000;
const DISK_BYTES = 64 * 1024 * 1024;

let host: ContentHost;
/** The system's temporary folder for this process and its children, so that what they leave is seen. */
let temporary = "";
let clips = "";
let film = "";
let hasSmallDisk = false;

before(async () => {
  temporary = await mkdtemp(join(tmpdir(), "mq-"));
  process.env["TMPDIR"] = temporary;
  clips = join(temporary, "clips");
  const folder = join(temporary, "host");
  const objects = join(folder, "objects");
  await mkdir(clips);
  await mkdir(objects, { recursive: true });
  hasSmallDisk = await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", objects]).then(
    () => true,
    () => false,
  );
  host = await startContent({ folder, env: { MARQUEE_ENCODE_CONCURRENCY: "2" } });
  film = await drawClip(join(clips, "film.mp4"), { pattern: "testsrc2=size=320x180:rate=25", seconds: 1.2 });
});

after(async () => {
  await host?.stop();
  if (hasSmallDisk) await run("umount", [join(temporary, "host", "objects")]);
  await rm(temporary, { recursive: true, force: true });
});

const at = (name: string): string => join(clips, name);

async function give(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(at(name), content);
  return at(name);
}

const importFile = async (path: string, more: object = {}): Promise<string> =>
  (await host.imports.import({ path, preset: "quick", publish: true, allowDuplicate: true, ...more }, host.context()))
    .contentId;

async function wait<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const verdict = (contentId: string): Promise<Ingest> =>
  wait(async () => {
    const { ingest } = await host.imports.get({ contentId }, host.context());
    return ingest && (ingest.state === "failed" || ingest.state === "accepted") && ingest;
  });

const encodingOf = async (contentId: string) =>
  (await host.encodings.getMany({ contentIds: [contentId] }, host.context())).encodings[0];
const failedEncoding = (contentId: string) =>
  wait(async () => {
    const found = await encodingOf(contentId);
    return found?.state === "failed" && found;
  });
const titleOf = async (contentId: string) => (await host.catalog.get({ id: contentId }, host.context())).title;
const finished = (contentId: string) =>
  wait(async () => {
    const encoding = await encodingOf(contentId);
    assert.notEqual(encoding?.state, "failed", encoding?.failure);
    return encoding?.state === "complete" && (await titleOf(contentId))?.state === "playable";
  });
/** Takes an accepted film away again, so that its encoding costs no time. */
async function accepted(contentId: string): Promise<void> {
  const found = await verdict(contentId);
  assert.equal(found.state, "accepted", found.failure);
  await wait(() => encodingOf(contentId));
  await host.catalog.delete({ id: contentId }, host.context());
  await wait(async () => (await encodingOf(contentId)) === undefined);
}

const keysOf = async (prefix: string): Promise<string[]> =>
  (await host.adapters.objects.list(prefix, { keysMax: 100 })).map(({ key }) => key);
const filesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** An error for people: no folder of ours, no object of ours. */
function assertSpeaksPlainly(message: string): void {
  assert.ok(message.length > 20, message);
  assert.ok(!message.includes(temporary), message);
  assert.doesNotMatch(message, /'source'|sources\/|intermediate\/|scratch|marquee-|\bvod\/|text-\d|stack/, message);
}

async function assertNothingPublished(contentId: string, failure: string): Promise<void> {
  assertSpeaksPlainly(failure);
  const title = await wait(async () => {
    const found = await titleOf(contentId);
    return found?.state === "failed" && found;
  });
  assert.equal(title.failure, failure);
  assert.equal(title.packageRevision, 0);
  assert.deepEqual(await keysOf(`vod/${contentId}/`), []);
  await assert.rejects(host.catalog.publish({ id: contentId }, host.context()), { code: "failed_precondition" });
}

async function assertNothingLeft(): Promise<void> {
  assert.deepEqual((await filesIn(temporary)).toSorted(), ["clips", "host"]);
  // What an earlier test had taken in may still be encoded.
  for (const place of [join("objects", "drafts"), "scratch"])
    await wait(async () => (await filesIn(join(host.folder, place))).length === 0);
}

/** What refuses a file says so the same way in all places. */
async function assertRefused(contentId: string, reason: string | RegExp, words: RegExp): Promise<Ingest> {
  const found = await verdict(contentId);
  assert.equal(found.state, "failed");
  if (typeof reason === "string") assert.equal(found.failureReason, reason, found.failure);
  else assert.match(found.failureReason, reason, found.failure);
  assert.match(found.failure, words);
  await assertNothingPublished(contentId, found.failure);
  assert.equal(await encodingOf(contentId), undefined);
  assert.deepEqual(await keysOf(`intermediate/demo/${contentId}/`), []);
  assert.deepEqual(await keysOf(`sources/demo/${contentId}/`), [], "the copy of what was refused takes room");
  await assertNothingLeft();
  return found;
}

const names = (path: string): RegExp => new RegExp(`'${basename(path).replaceAll(/[^\w ]/g, "\\$&")}'`);

test("no film at all is refused; the same import succeeds once the file is one", { timeout: TIMEOUT_MS }, async () => {
  const path = await give("notes.mp4", "These are notes and no film.\n".repeat(200));
  const contentId = await importFile(path);
  await assertRefused(contentId, /^media_(not_a_video|truncated)$/, names(path));
  await host.imports.retry({ contentId }, host.context());
  await assertRefused(contentId, /^media_(not_a_video|truncated)$/, names(path));
  await copyFile(film, path);
  await host.imports.retry({ contentId }, host.context());
  await accepted(contentId);
});

test("a film that is cut short is refused", { timeout: TIMEOUT_MS }, async () => {
  const whole = await readFile(film);
  const front = at("front.mp4");
  await run("ffmpeg", ["-v", "error", "-i", film, "-c", "copy", "-movflags", "+faststart", front]);
  const indexed = await readFile(front);
  for (const [name, bytes] of Object.entries({
    "no index.mp4": whole.subarray(0, whole.length / 2),
    "index first.mp4": indexed.subarray(0, indexed.length - 500),
    "head only.mp4": whole.subarray(0, 100),
  })) {
    const path = await give(name, bytes);
    await assertRefused(await importFile(path), /^media_(truncated|not_a_video)$/, names(path));
  }
});

test("garbage under a film's name is refused", { timeout: TIMEOUT_MS }, async () => {
  const noise = Buffer.concat(Array.from({ length: 4_000 }, (_, i) => createHash("sha256").update(`${i}`).digest()));
  const box = (type: string, size: number, content: Uint8Array): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(size);
    head.write(type, 4, "latin1");
    return Buffer.concat([head, content]);
  };
  const ftyp = box("ftyp", 24, Buffer.from("isom\0\0\x02\0isomiso2avc1"));
  const nested = Array.from({ length: 2_000 }, (_, i) => box("moov", 16_000 - i * 8, new Uint8Array()));
  const files = {
    "noise.mp4": noise,
    "header and noise.mp4": Buffer.concat([ftyp, noise]),
    "boundless index.mp4": Buffer.concat([ftyp, box("moov", 0xffffffff, noise)]),
    "index in index.mp4": Buffer.concat([ftyp, ...nested]),
    "nothing but zeros.mkv": new Uint8Array(100_000),
    "matroska and noise.mkv": Buffer.concat([Buffer.from("1a45dfa3934282886d6174726f736b61", "hex"), noise]),
    "a picture.mp4": Buffer.from("89504e470d0a1a0a0000000d49484452000000100000001008060000001ff3ff61", "hex"),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const path = await give(name, bytes);
    await assertRefused(await importFile(path), /^media_/, names(path));
  }
});

test("hostile files are taken in or refused with words", {
  skip: data ? false : "set MARQUEE_TESTDATA to the folder with the test data",
  timeout: TIMEOUT_MS,
}, async () => {
  const root = join(data ?? "", "hostile");
  const chosen = [
    "truncated-half",
    "moov-missing",
    "timescale-zero",
    "huge-box-size",
    "largesize-overflow",
    "bitflip-moov-1",
  ];
  const paths = chosen.map((name) => join(root, "mp4-synthetic", `${name}.mp4`));
  paths.push(join(root, "mediabunny", "oversized-id3.wav"), join(root, "cml-isobmff", "hvc1_init.mp4"));
  for (const path of paths) {
    const contentId = await importFile(path);
    const found = await verdict(contentId);
    if (found.state === "accepted") await accepted(contentId);
    else await assertRefused(contentId, /^media_/, names(path));
  }
});

test("sound without a picture is refused; what is empty, absent or a folder is not even begun", {
  timeout: TIMEOUT_MS,
}, async () => {
  await run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", at("song.m4a")]);
  const contentId = await importFile(at("song.m4a"));
  await assertRefused(contentId, "media_no_video", /'song\.m4a' holds sound but no picture/);
  const before = (await host.imports.list({ limit: 500 }, host.context())).ingests.length;
  const empty = await give("empty.mp4", "");
  await assert.rejects(importFile(empty), { code: "unsupported_media", reason: "empty_file", message: /0 bytes/ });
  await assert.rejects(importFile(at("absent.mp4")), { code: "not_found" });
  await assert.rejects(importFile(clips), { code: "invalid_argument", message: /marquee watch/ });
  // An id that takes a title for one of a simulation.
  await assert.rejects(importFile(film, { contentId: "sim_mine" }), { code: "invalid_argument" });
  for (const language of ["english", "e", "en_US", "de--AT", "", "de:", "../x", "en-u"]) {
    const subtitles = [{ path: film, language }];
    await assert.rejects(importFile(film, { subtitles }), { code: "invalid_argument", message: /not a language tag/ });
  }
  assert.equal((await host.imports.list({ limit: 500 }, host.context())).ingests.length, before);
  await assertNothingLeft();
});

test("playlists and scripts under a film's name open neither files nor addresses", {
  timeout: TIMEOUT_MS,
}, async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secret = await give("secret.txt", "the-launch-code-is-4711\n".repeat(20));
  try {
    const scripts = {
      "concat.mp4": `ffconcat version 1.0\nfile '${film}'\nfile '${secret}'\nfile '${address}/a.mp4'\n`,
      "list.mp4": `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="${address}/m"\n#EXTINF:1,\n${address}/b.ts\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
      "dash.mp4": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>${address}/c.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>`,
      "session.mp4": `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:${address}/d\n`,
      "drawing.mp4": `<svg xmlns="http://www.w3.org/2000/svg"><image href="${address}/e.png"/><image href="file://${secret}"/></svg>`,
      "scene.mp4": `<smil><body><video src="${address}/f.mp4"/></body></smil>`,
    };
    for (const [name, content] of Object.entries(scripts)) {
      const path = await give(name, content);
      const found = await assertRefused(await importFile(path), /^media_/, names(path));
      assert.doesNotMatch(found.failure, /4711|127\.0\.0\.1/, name);
    }
    // The same through the door for subtitles.
    const sidecar = await give("list.srt", scripts["list.mp4"]);
    const contentId = await importFile(film, { subtitles: [{ path: sidecar, language: "en" }] });
    await assertRefused(contentId, /^subtitles_/, /'list\.srt'/);
    assert.deepEqual(asked, []);
  } finally {
    server.close();
  }
});

test("a name is only a name, and the same film twice is offered as a twin", { timeout: TIMEOUT_MS }, async () => {
  const odd = `it's a "film": 100%d $& [x],; \u{1F3AC}.mp4`;
  const picture = { pattern: "mandelbrot=size=320x180:rate=25", seconds: 1.2 };
  await rename(await drawClip(at("plain.mp4"), picture), at(odd));
  const contentId = await importFile(at(odd), { allowDuplicate: false });
  await finished(contentId);
  assert.equal((await verdict(contentId)).fileName, odd);
  assert.equal((await titleOf(contentId))?.title, odd.slice(0, -4));

  const twinName = `$& 'twin' ${odd}`;
  await copyFile(at(odd), at(twinName));
  const twin = await assertRefused(
    await importFile(at(twinName), { allowDuplicate: false }),
    "duplicate",
    /--allow-duplicate/,
  );
  assert.equal(twin.duplicateOf, contentId);
  assert.ok(twin.failure.includes(`'${twinName}'`) && twin.failure.includes(contentId), twin.failure);
  await accepted(await importFile(at(twinName), { allowDuplicate: true }));

  const bad = await give(`bad ${odd}`, "no film\n".repeat(50));
  const refused = await verdict(await importFile(bad));
  assert.ok(refused.failure.includes(`'bad ${odd}'`), refused.failure);
  await symlink(at(odd), at("link.mp4"));
  await accepted(await importFile(at("link.mp4")));
});

test("a source that goes away before it is copied, comes back, and is taken in", { timeout: TIMEOUT_MS }, async () => {
  const path = at("fleeting.mp4");
  await copyFile(film, path);
  const { objects } = host.adapters;
  const { putFile } = objects;
  Object.assign(objects, {
    putFile: async (...args: Parameters<typeof putFile>) => {
      await rename(path, at("elsewhere.mp4"));
      return putFile(...args);
    },
  });
  let contentId: string;
  try {
    contentId = await importFile(path);
    await assertRefused(contentId, "source_gone", /'fleeting\.mp4' is not there any more/);
  } finally {
    Object.assign(objects, { putFile });
  }
  await rename(at("elsewhere.mp4"), path);
  await host.imports.retry({ contentId }, host.context());
  await accepted(contentId);
});

test("subtitles that cannot be used are named before anything is encoded", { timeout: TIMEOUT_MS }, async () => {
  const cue = (second: number): string => `00:00:${String(second % 60).padStart(2, "0")}.000 --> 00:01:00.000\nx\n\n`;
  const files: Readonly<Record<string, readonly [string | Uint8Array, string]>> = {
    "noise.srt": [createHash("sha512").update("noise").digest(), "subtitles_empty"],
    "prose.srt": ["Once upon a time there was no time line.\n".repeat(50), "subtitles_empty"],
    "headless.vtt": [cue(1), "subtitles_unknown"],
    "wordless.vtt": ["WEBVTT\n\nNOTE nothing is said in this film\n", "subtitles_empty"],
    "leaflet.pdf": ["%PDF-1.4\n", "subtitles_unknown"],
    "endless.srt": ["x".repeat(5 * 1024 * 1024), "subtitles_too_large"],
    "crowded.vtt": [`WEBVTT\n\n${Array.from({ length: 60_000 }, (_, i) => cue(i)).join("")}`, "subtitles_unusable"],
  };
  for (const [name, [content, reason]] of Object.entries(files)) {
    const path = await give(name, content);
    const contentId = await importFile(film, { subtitles: [{ path, language: "en" }] });
    await assertRefused(contentId, reason, names(path));
  }
  const path = await give("mended.srt", "nothing yet");
  const contentId = await importFile(film, { subtitles: [{ path, language: "en" }] });
  await assertRefused(contentId, "subtitles_empty", names(path));
  await give("mended.srt", "1\n00:00:00,100 --> 00:00:01,000\nHello\n");
  await host.imports.retry({ contentId }, host.context());
  await accepted(contentId);
});

test("a missing ffmpeg says what to type, and a retry goes on once it is there", { timeout: TIMEOUT_MS }, async () => {
  const { transcoder } = host.adapters;
  const here = { ...transcoder };
  const none = openTranscoder({ ffmpegPath: "/nowhere/ffmpeg" });
  const remedy = /'\/nowhere\/ff\w+' was not found. Type: (sudo apt-get|brew|winget) .*FFMPEG_PATH/;
  try {
    Object.assign(transcoder, openTranscoder({ ffprobePath: "/nowhere/ffprobe" }));
    await assertRefused(await importFile(film), "ffmpeg_missing", remedy);
    Object.assign(transcoder, none);
    const contentId = await importFile(film);
    await assertRefused(contentId, "ffmpeg_missing", remedy);
    // It is there for as long as the file is checked, and gone when the encoding begins.
    const { probe, fingerprint, capabilities } = here;
    Object.assign(transcoder, { probe, fingerprint, capabilities });
    await host.imports.retry({ contentId }, host.context());
    const encoding = await failedEncoding(contentId);
    assert.match(encoding.failure, remedy);
    await assertNothingPublished(contentId, encoding.failure);
    Object.assign(transcoder, here);
    await host.encodings.retry({ contentId }, host.context());
    await finished(contentId);
  } finally {
    Object.assign(transcoder, here);
  }
});

test("a full disk is named at the copy and at the encoding, and a retry goes on when there is room", {
  timeout: TIMEOUT_MS,
}, async (t) => {
  if (!hasSmallDisk) return t.skip("a small disk cannot be mounted here; it takes root on Linux");
  const disk = join(host.folder, "objects");
  const filler = join(disk, "filler");
  const leave = async (bytes: number): Promise<void> => {
    const { bavail, bsize } = await statfs(disk);
    await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
  };
  const size = (await readFile(film)).length;
  await leave(size / 2);
  const contentId = await importFile(film);
  await assertRefused(contentId, "disk_full", /the disk is full: 'film\.mp4'.*try again/);
  // Now the copy fits, and what is made of it does not.
  await rm(filler);
  await leave(size + 16 * 1024);
  await host.imports.retry({ contentId }, host.context());
  const encoding = await failedEncoding(contentId);
  assert.match(encoding.failure, /the disk is full/);
  await rm(filler);
  await assertNothingPublished(contentId, encoding.failure);
  await assertNothingLeft();
  await host.encodings.retry({ contentId }, host.context());
  await finished(contentId);
});

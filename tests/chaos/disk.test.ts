/**
 * The disk of the product runs full while somebody watches, stays full for a while and becomes free again: the film plays on, who asks is told, and
 * afterwards everything works without a hand and what was answered is there.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { User } from "#contracts/user";
import { makeAccount } from "./accounts.ts";
import { importClip, makeClip, untilComplete } from "./clips.ts";
import { assertGoesOn } from "./goes-on.ts";
import { openStage, type Stage } from "./product.ts";
import { openViewer } from "./viewer.ts";

const run = promisify(execFile);
const DISK = "size=1500m";
const FULL_MS = 20_000;
const FILM = "playing";

let disk = "";
let hasDisk = false;
let stage: Stage | undefined;
before(async () => {
  disk = await mkdtemp(path.join(tmpdir(), "marquee-disk-"));
  hasDisk = await run("mount", ["-t", "tmpfs", "-o", `${DISK},mode=755`, "tmpfs", disk]).then(
    () => true,
    () => false,
  );
  if (hasDisk) stage = await openStage({}, disk);
});
after(async () => {
  await stage?.close();
  if (hasDisk) await run("umount", [disk]);
  await rm(disk, { recursive: true, force: true });
});

/** Writes until there is no more room. */
async function fill(file: string): Promise<void> {
  const chunk = Buffer.alloc(1024 * 1024);
  const { bavail, bsize } = await statfs(disk);
  async function* zeros() {
    for (let left = bavail * bsize + chunk.length; left > 0; left -= chunk.length) yield chunk;
  }
  await pipeline(zeros, createWriteStream(file)).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== "ENOSPC") throw error;
  });
}

test("a disk that runs full stops no film, and what was answered is there when it is free again", {
  timeout: 400_000,
}, async (t) => {
  if (!stage) return t.skip("a small disk cannot be mounted here; it takes root on Linux");
  const { admin, folder } = stage;
  const product = stage.start();
  const url = await product.ready();
  const clip = path.join(folder, "clip.mp4");
  await makeClip(clip, { width: 320, height: 180, rate: 12, durationS: 60, grain: 0 });
  const account = await makeAccount(admin, "viewer@chaos.test");
  await importClip(admin, clip, FILM);
  await untilComplete(admin, [FILM], 90_000);
  const viewer = openViewer(admin, url, account, FILM);
  t.after(() => viewer.pause());
  await viewer.signIn();
  viewer.play();

  const of = { stage, product, viewer, account, contentId: FILM, tell: (text: string) => t.diagnostic(text) };
  await assertGoesOn({ what: "before", ...of });
  const filler = path.join(folder, "filler");
  await fill(filler);
  const { segments, beats } = viewer.acknowledged;
  const untilMs = performance.now() + FULL_MS;
  while (performance.now() < untilMs) {
    // Whatever grows, grows into the room that something else gave back.
    await fill(path.join(folder, "more"));
    await viewer.mediaOnly();
    await pause(500);
  }
  const played = viewer.acknowledged.segments - segments;
  t.diagnostic(`full: ${played} segments, ${viewer.acknowledged.beats - beats} beats; last: ${viewer.fault()}`);
  assert.ok(played >= FULL_MS / 1_000, `only ${played} segments came while the disk was full: ${viewer.fault()}`);
  assert.equal(
    (await product.processes()).some(({ pid }) => pid === product.pid),
    true,
    product.output(),
  );

  await rm(filler);
  await rm(path.join(folder, "more"), { force: true });
  await assertGoesOn({ what: "free again", ...of });
  await viewer.pause();
  for (const userId of viewer.acknowledged.users) assert.equal((await admin.of(User).get({ userId })).user?.id, userId);
  assert.equal(await product.stop(), 0, product.output());
});

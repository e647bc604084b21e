/**
 * The clock of the product's machine jumps by an hour, there and back, while somebody watches: the film goes on, what is answered is kept, and
 * the place where one stopped follows.
 */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { User } from "#contracts/user";
import { makeAccount } from "./accounts.ts";
import { importClip, makeClip, untilComplete } from "./clips.ts";
import { assertGoesOn } from "./goes-on.ts";
import { openStage, type Stage } from "./product.ts";
import { openViewer } from "./viewer.ts";

const HOUR_MS = 3_600_000;
const FILM = "playing";

let stage: Stage;
before(async () => {
  stage = await openStage();
});
after(() => stage?.close());

test("a clock that jumps by an hour, there and back, stops nobody and loses nothing", {
  timeout: 300_000,
}, async (t) => {
  const file = path.join(stage.folder, "clock");
  const set = async (offsetMs: number): Promise<void> => {
    await writeFile(`${file}.new`, String(offsetMs));
    await rename(`${file}.new`, file);
  };
  await set(0);
  const preload = new URL("./shifted-clock.mjs", import.meta.url).href;
  const product = stage.start({ NODE_OPTIONS: `--import=${preload}`, MARQUEE_CHAOS_CLOCK: file });
  const url = await product.ready();
  const clip = path.join(stage.folder, "clip.mp4");
  await makeClip(clip, { width: 320, height: 180, rate: 12, durationS: 60, grain: 0 });
  const account = await makeAccount(stage.admin, "viewer@chaos.test");
  await importClip(stage.admin, clip, FILM);
  await untilComplete(stage.admin, [FILM], 90_000);
  const viewer = openViewer(stage.admin, url, account, FILM);
  t.after(() => viewer.pause());
  await viewer.signIn();
  viewer.play();

  const goesOn = (what: string): Promise<void> =>
    assertGoesOn({ what, stage, product, viewer, account, contentId: FILM, tell: (text) => t.diagnostic(text) });
  await goesOn("before");
  await set(HOUR_MS);
  await pause(1_000);
  await goesOn("an hour ahead");
  await set(0);
  await pause(1_000);
  await goesOn("back again");
  await viewer.pause();
  for (const userId of viewer.acknowledged.users)
    assert.equal((await stage.admin.of(User).get({ userId })).user?.id, userId);
  assert.equal(await product.stop(), 0, product.output());
});

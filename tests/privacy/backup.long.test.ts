// A product that is in use is backed up, and what comes out of the file is the same product: with its people, its film and where they stopped.
import assert from "node:assert/strict";
import { access, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { topics } from "#contracts/topics";
import type { Viewer } from "#kernel";
import { backup } from "../../apps/backup/backup.ts";
import { restore } from "../../apps/backup/restore.ts";
import { seal, unseal } from "../../apps/backup/seal.ts";
import { openBrowser, PASSWORD } from "../identity/setup.ts";
import { calm } from "../playback/setup.ts";
import { type Person, startWhole, type WholeHost } from "./setup.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

const KEY = "a key of some length, for tests";
const root = await makeTestFolder("backup");
after(() => rm(root, { recursive: true, force: true }));

const person = (n: number): Person => ({
  email: `viewer-${n}@mail.example`,
  name: `Viewer ${n}`,
  device: { id: `device-${n}`, type: "web", name: `Browser ${n}` },
});

/** Plays a part of the film; the position is acknowledged when this resolves. */
async function watch(host: WholeHost, viewer: Viewer, positionS: number): Promise<void> {
  const context = host.context({ viewer });
  const device = { id: viewer.deviceId, type: "web", name: "A browser" };
  const started = await host.sessions.start({ contentId: "film", device }, context);
  const sessionId = started.session?.id ?? "";
  await host.sessions.beat(calm(sessionId, 0, positionS), context);
  await host.sessions.stop({ sessionId, sequence: 1, positionS, durationS: 600, reason: "asked" }, context);
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

test("a product is backed up in use, restored elsewhere, signs its people in and plays on where they were", async () => {
  const before = await startWhole();
  const services = before.services;
  const scratchFolder = join(root, "scratch");
  await mkdir(scratchFolder);
  let file: Buffer;
  const viewers: Viewer[] = [];
  try {
    await before.addFilm("film");
    await before.adapters.objects.put("vod/film/r1/index-1.json", Buffer.from('{"segments":[]}'));
    await before.adapters.objects.put("artwork/film/one.jpg", Buffer.alloc(200_000, 7));
    for (let n = 0; n < 4; n += 1) viewers.push(await before.signUp(person(n)));
    for (const [n, viewer] of viewers.entries()) {
      await before.bookmarks.save({ profileId: viewer.profileId, contentId: "film" }, before.context({ viewer }));
      await watch(before, viewer, 100 + n);
    }
    // Others go on meanwhile; of these nothing is promised but that they do no harm.
    const stopping = new AbortController();
    const load = (async () => {
      for (let n = 0; !stopping.signal.aborted; n += 1)
        for (const viewer of viewers.slice(2)) await watch(before, viewer, 200 + n);
    })();
    const parts = { adapters: before.adapters, services, topics, scratchFolder, clock: before.clock };
    file = await collect(seal(backup(parts, { withMedia: true }), KEY)).finally(() => stopping.abort());
    await load;
    assert.deepEqual(await readdir(scratchFolder), []);
  } finally {
    await before.stop();
  }
  assert.ok(!file.includes("viewer-0@mail.example"), "nothing can be read without the key");

  const folder = join(root, "elsewhere");
  const manifest = await restore({ open: () => unseal(inPieces(file), KEY), folder, services, say: () => undefined });
  for (const table of ["user/users", "jobs/queue", "flags/document", "fulltext/documents"])
    assert.ok(
      manifest.entries.some(({ name }) => name === `rows/${table}`),
      table,
    );
  const again = await startWhole({ folder });
  try {
    await again.settled();
    for (const [n, viewer] of viewers.entries()) {
      const browser = openBrowser(again.publicUrl);
      const begun = await browser.authorize({ deviceId: viewer.deviceId, prompt: "login" });
      const signedIn = await again.auth.signIn(
        { interaction: begun.interaction, email: person(n).email, password: PASSWORD, ip: "192.0.2.9" },
        again.context(),
      );
      assert.ok(await browser.resume(signedIn.continueUrl, begun.state));
      const context = again.context({ viewer });
      const { contentIds } = await again.bookmarks.saved({ profileId: viewer.profileId }, context);
      assert.deepEqual(contentIds, ["film"]);
      const device = { id: viewer.deviceId, type: "web", name: "A browser" };
      const started = await again.sessions.start({ contentId: "film", device }, context);
      const { bookmark } = await again.bookmarks.get({ profileId: viewer.profileId, contentId: "film" }, context);
      if (n < 2) assert.equal(bookmark?.positionS, 100 + n);
      else assert.ok((bookmark?.positionS ?? 0) >= 100 + n);
      assert.ok(started.resumePositionS > 0);
    }
    // What it does from here on is new: events come after the old ones, and everybody hears them.
    const [viewer] = viewers;
    assert.ok(viewer);
    await watch(again, viewer, 300);
    await again.settled();
    const context = again.context({ viewer });
    const { bookmark } = await again.bookmarks.get({ profileId: viewer.profileId, contentId: "film" }, context);
    assert.equal(bookmark?.positionS, 300);
    const { titles } = await again.catalog.search({ query: "film", limit: 5, ageRatingMax: 18 }, again.context());
    assert.deepEqual(
      titles.map(({ id }) => id),
      ["film"],
    );
    assert.equal((await again.adapters.objects.get("artwork/film/one.jpg")).length, 200_000);
    const newcomer = await again.signUp(person(9));
    await watch(again, newcomer, 50);
    await again.users.delete({ userId: newcomer.userId }, again.context());
    await again.settled();
  } finally {
    await again.stop();
  }
  await assert.rejects(restore({ open: () => unseal(inPieces(file), KEY), folder, services, say: () => undefined }), {
    reason: "not_empty",
  });

  // A file that is not whole changes nothing anywhere.
  const untouched = join(root, "untouched");
  const flipped = Buffer.from(file);
  flipped[Math.floor(file.length / 2)] = (file[Math.floor(file.length / 2)] ?? 0) ^ 1;
  for (const [bytes, key, reason] of [
    [flipped, KEY, "damaged_backup"],
    [file.subarray(0, file.length - 1), KEY, "damaged_backup"],
    [file, "another key of some length", "wrong_key"],
  ] as const)
    await assert.rejects(
      restore({ open: () => unseal(inPieces(bytes), key), folder: untouched, services, say: () => undefined }),
      { reason },
    );
  await assert.rejects(access(untouched));
  assert.deepEqual(
    (await readdir(root)).filter((name) => name.includes("restoring")),
    [],
  );
});

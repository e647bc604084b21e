/**
 * Real films through the whole product: `./marquee import FILE --wait=complete` takes each clip in, it plays in a browser through DASH
 * and HLS, and every frame of every rung comes out of the encryption as it went in. Needs MARQUEE_TESTDATA, a folder with `video/`.
 *
 * MARQUEE_TEST_PRESET=full makes both whole ladders of each clip; MARQUEE_TEST_CLIP=flower takes the clips alone whose names hold
 * that word.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Keys } from "#contracts/keys";
import type { Session } from "#contracts/web";
import type { Presentation } from "#media/presentation";
import { signIn, watchFor, withVisit } from "../e2e/browser.ts";
import { type Account, device, newAccount, type Person, signUp, startSession } from "../e2e/person.ts";
import { openProduct, type RunningProduct } from "../e2e/product.ts";
import { type Imported, importByCommand } from "./command.ts";
import { findOracle, type Packet, packetsOf } from "./oracle.ts";
import { readMaster, readMedia, readMpd } from "./parsers.ts";

const testdata = process.env["MARQUEE_TESTDATA"];
const oracle = findOracle();
const skip =
  testdata === undefined || testdata === ""
    ? "MARQUEE_TESTDATA is not set: it names a folder whose video/ has the clips"
    : oracle === null
      ? "@ffprobe-installer/linux-x64 is not here: nobody else can decrypt the rungs"
      : false;
const isFullRun = process.env["MARQUEE_TEST_PRESET"] === "full";
/** One has everything in every run; it is five seconds long, so that HEVC costs seconds and not minutes. */
const FULL = "flower.mp4";
const isFull = (clip: string): boolean => isFullRun || clip === FULL;
/** Names are only names: a command that takes this one takes any. */
const ODD_NAME = `Grandma's "garden" — spring & summer 🌻.mp4`;
const IMPORT_MS_MAX = isFullRun ? 3_600_000 : 900_000;
const PLAY_S = 3;
/** CBCS leaves a slice header and what fills no block of 16 bytes as they are. */
const SURELY_PROTECTED_BYTES = 256;
/** AAC begins with a packet or two that prime the decoder; the packager takes them out. */
const PRIMING_PACKETS_MAX = 4;

const clips =
  skip === false
    ? readdirSync(join(testdata ?? "", "video")).filter(
        (name) => /\.(mp4|webm|ts)$/.test(name) && name.includes(process.env["MARQUEE_TEST_CLIP"] ?? ""),
      )
    : [];

describe("real films", { concurrency: false, skip }, () => {
  let product: RunningProduct | undefined;
  let viewer: { readonly account: Account; readonly person: Person } | undefined;
  let folder = "";
  const leaving = new AbortController();
  const imports = new Map<string, Promise<Imported>>();
  const ids = new Map<string, string>();
  const present = () => {
    if (!product || !viewer || oracle === null) throw new Error("the product is not there");
    return { product, viewer, oracle, folder };
  };
  const idOf = (clip: string): string => {
    const id = ids.get(clip);
    assert.ok(id, `${clip} was not taken in`);
    return id;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "marquee-clips-"));
    product = await openProduct({ demo: false });
    const account = newAccount("Ren");
    viewer = { account, person: await signUp(product.url, account) };
    const signal = AbortSignal.any([leaving.signal, AbortSignal.timeout(IMPORT_MS_MAX)]);
    // All at once, as a person would drop a folder: the encoder works through them while the first ones are looked at.
    for (const clip of clips) {
      const taken = importClip(product, clip, folder, signal);
      // Whoever waits for it hears of a failure.
      taken.catch(() => {});
      imports.set(clip, taken);
    }
  });
  after(async () => {
    leaving.abort();
    await product?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const clip of clips) {
    describe(clip, { concurrency: false }, () => {
      it("is taken in and encoded", async (t) => {
        const imported = await imports.get(clip);
        assert.ok(imported);
        ids.set(clip, imported.contentId);
        t.diagnostic(`every rung was there after ${imported.elapsedS.toFixed(0)} s`);
      });
      it("plays through DASH and HLS", async () => {
        const { product, viewer, folder } = present();
        const stage = { product, film: { id: idOf(clip), title: clip, durationS: 0 }, shots: folder };
        await withVisit(stage, {}, async ({ page }) => {
          await signIn(page, viewer.account);
          for (const format of ["dash", "hls"] as const) {
            await page.goto(`/watch/${idOf(clip)}?t=0&format=${format}`);
            const { isEncrypted } = await watchFor(page, PLAY_S);
            assert.ok(isEncrypted, `${format} came without a key`);
          }
          // Leaving the player ends the stream; the next clip needs its place.
          await page.goto("/");
        });
      });
      it("decrypts packet by packet to what was encoded", async (t) => {
        const { product, oracle, folder } = present();
        const { rungs, frames, packets } = await assertDecrypts(product, oracle, folder, idOf(clip));
        t.diagnostic(`${rungs.join(", ")}: ${frames} frames, ${packets} packets with sound, all as they were encoded`);
      });
      it("has manifests that other people's parsers read", async () => {
        const { product, viewer } = present();
        const session = await startSession(viewer.person, idOf(clip), device("A reader of manifests"));
        await assertReadable(session, await presentationOf(product, idOf(clip)), isFull(clip));
        await viewer.person.api("DELETE", `/playback/sessions/${session.sessionId}`);
      });
    });
  }
});

/** With the command's own preset, which is the full one, or the quick one. */
async function importClip(
  product: RunningProduct,
  clip: string,
  folder: string,
  signal: AbortSignal,
): Promise<Imported> {
  const video = join(testdata ?? "", "video");
  const stem = clip.replace(/\.\w+$/, "");
  // `sintel-trailer.de.vtt` belongs to `sintel-trailer-52s.mp4`.
  const sidecars = readdirSync(video).flatMap((name) => {
    const [, base, language] = /^(.+)\.([a-z]{2})\.(?:vtt|srt)$/.exec(name) ?? [];
    return base !== undefined && (stem === base || stem.startsWith(`${base}-`))
      ? [`${join(video, name)}:${language}`]
      : [];
  });
  const file = clip === FULL ? join(folder, ODD_NAME) : join(video, clip);
  if (clip === FULL) await copyFile(join(video, clip), file);
  const words = [
    ...(isFull(clip) ? [] : ["--preset", "quick"]),
    ...(sidecars.length > 0 ? ["--subtitles", ...sidecars] : []),
  ];
  return importByCommand(product.folder, file, words, signal);
}

/** The file store gives each folder of an object's name a `~`, so that a file and a folder may have the same name. */
const objectPath = (product: RunningProduct, key: string): string => {
  const parts = key.split("/");
  return join(product.folder, "objects/objects", ...parts.slice(0, -1).map((part) => `${part}~`), parts.at(-1) ?? "");
};

async function presentationOf(product: RunningProduct, contentId: string): Promise<Presentation> {
  const names = await readdir(objectPath(product, `vod/${contentId}/r1/x`).slice(0, -2));
  const newest = Math.max(...names.flatMap((name) => Number(/^index-(\d+)\.json$/.exec(name)?.[1] ?? 0)));
  return JSON.parse(
    readFileSync(objectPath(product, `vod/${contentId}/r1/index-${newest}.json`), "utf8"),
  ) as Presentation;
}

async function assertDecrypts(
  product: RunningProduct,
  oracle: string,
  folder: string,
  contentId: string,
): Promise<{ readonly rungs: readonly string[]; readonly frames: number; readonly packets: number }> {
  const { video, audio } = await presentationOf(product, contentId);
  let frames = 0;
  let packets = 0;
  const { keys } = await product.admin.of(Keys).getSet({ contentId, packageRevision: 1 });
  for (const { kind, profile, kid, segments } of [...video, ...audio]) {
    const key = keys.find((candidate) => candidate.kid === kid)?.key;
    assert.ok(key, `${profile} has no key`);
    const base = `vod/${contentId}/r1/${profile}`;
    const names = ["init.mp4", ...segments.map((_, i) => `seg-${String(i + 1).padStart(7, "0")}.m4s`)];
    const parts = await Promise.all(names.map((name) => readFile(objectPath(product, `${base}/${name}`))));
    const path = join(folder, `${contentId}-${profile}.mp4`);
    await writeFile(path, Buffer.concat(parts));
    const clear = await clearPackets(product, oracle, contentId, profile);
    const decrypted = await packetsOf(oracle, path, Buffer.from(key).toString("hex"));
    if (kind === "video") assert.deepEqual(decrypted, clear, `${profile} of ${contentId}`);
    else assertSameSound(decrypted, clear, `${profile} of ${contentId}`);
    assertProtected(await packetsOf(oracle, path), decrypted, `${profile} of ${contentId}`);
    packets += decrypted.length;
    if (kind === "video") frames += decrypted.length;
    await rm(path);
  }
  return { rungs: video.map(({ profile }) => profile), frames, packets };
}

async function clearPackets(
  product: RunningProduct,
  oracle: string,
  contentId: string,
  profile: string,
): Promise<Packet[]> {
  const chunks = objectPath(product, `intermediate/demo/${contentId}/${profile}/x`).slice(0, -2);
  const files = (await readdir(chunks)).filter((name) => name.endsWith(".mp4"));
  files.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  const packets: Packet[] = [];
  for (const file of files) packets.push(...(await packetsOf(oracle, join(chunks, file))));
  return packets;
}

/** Without the key nothing may come out as it went in, or the test would prove nothing. Silence is shorter than one block, and clear. */
function assertProtected(undecrypted: readonly Packet[], decrypted: readonly Packet[], what: string): void {
  const clear = undecrypted.filter(
    ({ md5, sizeBytes }, i) => sizeBytes >= SURELY_PROTECTED_BYTES && md5 === decrypted[i]?.md5,
  );
  assert.equal(clear.length, 0, `${clear.length} of ${decrypted.length} packets of ${what} are not encrypted`);
}

function assertSameSound(decrypted: readonly Packet[], clear: readonly Packet[], what: string): void {
  const dropped = clear.length - decrypted.length;
  assert.ok(dropped >= 0 && dropped <= PRIMING_PACKETS_MAX, `${what}: ${dropped} packets are missing`);
  assert.deepEqual(decrypted, clear.slice(dropped), what);
}

async function textOf(url: string, token: string): Promise<string> {
  const target = new URL(url);
  target.searchParams.set("CAT", token);
  const answer = await fetch(target, { signal: AbortSignal.timeout(20_000) });
  assert.equal(answer.status, 200, url);
  return answer.text();
}

async function assertReadable({ manifests, cdns }: Session, expected: Presentation, hasHevc: boolean): Promise<void> {
  const tokenFor = (url: string): string => cdns.find(({ baseUrl }) => url.startsWith(baseUrl))?.token ?? "";
  const master = await textOf(manifests.hls, tokenFor(manifests.hls));
  const renditions = new Set<string>();
  for (const address of readMaster(master)) {
    const url = new URL(address, manifests.hls).href;
    renditions.add(new URL(url).pathname);
    const durationS = readMedia(await textOf(url, tokenFor(url)));
    assert.ok(Math.abs(durationS - expected.durationS) < 0.5, `${address} lasts ${durationS} s`);
  }
  assert.equal(renditions.size, expected.video.length, "every rung is a rendition");
  const mpd = readMpd(await textOf(manifests.dash, tokenFor(manifests.dash)), manifests.dash);
  assert.ok(Math.abs(mpd.durationS - expected.durationS) < 0.5, `the MPD lasts ${mpd.durationS} s`);
  assert.ok(mpd.renditions >= expected.video.length, `the MPD has ${mpd.renditions} renditions`);
  const hevc = expected.video.filter(({ codec }) => /^h(vc|ev)1/.test(codec)).length;
  assert.equal(hevc > 0, hasHevc, `${hevc} rungs are HEVC`);
}

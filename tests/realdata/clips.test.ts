/**
 * Real films through the whole product: each clip is imported, plays in a browser through DASH and HLS, and every frame of
 * every rung comes out of the encryption as it went in. Needs MARQUEE_TESTDATA, a folder with `video/`.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { Keys } from "#contracts/keys";
import type { Session } from "#contracts/web";
import type { Presentation } from "#media/presentation";
import { signIn, watchFor, withVisit } from "../e2e/browser.ts";
import { type Account, device, newAccount, type Person, signUp, startSession } from "../e2e/person.ts";
import { openProduct, type RunningProduct } from "../e2e/product.ts";
import { until } from "../e2e/until.ts";
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
/** One with everything; it is five seconds long, so that HEVC costs seconds and not minutes. */
const FULL = "flower.mp4";
const PLAYABLE_MS_MAX = 240_000;
const PLAY_S = 3;
/** CBCS leaves a slice header and what fills no block of 16 bytes as they are. */
const SURELY_PROTECTED_BYTES = 256;
/** AAC begins with a packet or two that prime the decoder; the packager takes them out. */
const PRIMING_PACKETS_MAX = 4;

const clips =
  skip === false ? readdirSync(join(testdata ?? "", "video")).filter((name) => /\.(mp4|webm|ts)$/.test(name)) : [];
const idOf = (clip: string): string => clip.replace(/\W+/g, "-").toLowerCase();

describe("real films", { concurrency: false, skip }, () => {
  let product: RunningProduct | undefined;
  let viewer: { readonly account: Account; readonly person: Person } | undefined;
  let folder = "";
  const present = () => {
    if (!product || !viewer || oracle === null) throw new Error("the product is not there");
    return { product, viewer, oracle, folder };
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "marquee-clips-"));
    product = await openProduct({ demo: false });
    const account = newAccount("Ren");
    viewer = { account, person: await signUp(product.url, account) };
    // All at once, as a person would drop a folder: the encoder works through them while the first ones are looked at.
    for (const clip of clips) await importClip(product, clip);
  });
  after(async () => {
    await product?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const clip of clips) {
    describe(clip, { concurrency: false }, () => {
      it("is taken in and encoded", async () => {
        await encoded(present().product, idOf(clip), clip === FULL ? "complete" : "playable");
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
      it("decrypts packet by packet to what was encoded", async () => {
        const { product, oracle, folder } = present();
        await assertDecrypts(product, oracle, folder, idOf(clip));
      });
      it("has manifests that other people's parsers read", async () => {
        const { product, viewer } = present();
        const session = await startSession(viewer.person, idOf(clip), device("A reader of manifests"));
        await assertReadable(session, await presentationOf(product, idOf(clip)), clip === FULL);
        await viewer.person.api("DELETE", `/playback/sessions/${session.sessionId}`);
      });
    });
  }
});

async function importClip({ admin }: RunningProduct, clip: string): Promise<void> {
  const video = join(testdata ?? "", "video");
  const stem = clip.replace(/\.\w+$/, "");
  const sidecars = readdirSync(video).filter(
    (name) => name.startsWith(`${stem}.`) && /\.[a-z]{2}\.(vtt|srt)$/.test(name),
  );
  await admin.of(Ingest).import({
    path: join(video, clip),
    preset: clip === FULL ? "full" : "quick",
    title: clip,
    contentId: idOf(clip),
    publish: true,
    subtitles: sidecars.map((name) => ({ path: join(video, name), language: name.split(".").at(-2) ?? "en" })),
  });
}

async function encoded({ admin }: RunningProduct, contentId: string, wanted: "playable" | "complete"): Promise<void> {
  await until(`${contentId} is ${wanted}`, PLAYABLE_MS_MAX, async () => {
    const { ingest } = await admin.of(Ingest).get({ contentId });
    assert.notEqual(ingest?.state, "failed", `ingest refused it: ${ingest?.failure}`);
    const [encoding] = (await admin.of(Encoding).getMany({ contentIds: [contentId] })).encodings;
    assert.notEqual(encoding?.state, "failed", `encoding failed: ${encoding?.failure}`);
    const isThere = encoding?.state === "complete" || (wanted === "playable" && encoding?.state === "playable");
    return isThere ? true : null;
  });
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
): Promise<void> {
  const { video, audio } = await presentationOf(product, contentId);
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
    await rm(path);
  }
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

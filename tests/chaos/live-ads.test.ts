/**
 * A channel that is sent as a transport stream over SRT, with a break of 30 seconds in it (SCTE 35), watched as DASH and as HLS side by side
 * by people whose plan has ads: two ads of another server's and a slate take the place of the programme without a stall, the programme
 * comes back, and the other server hears of each quartile once.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Ads } from "#contracts/ads";
import { Live } from "#contracts/live";
import { encodeSplice } from "#media/scte35";
import { createSplicer } from "../delivery/splicer.ts";
import { type AdServer, openAdServer, QUARTILES } from "../e2e/ad-server.ts";
import { device, newAccount, signUp, startSession } from "../e2e/person.ts";
import { until } from "../e2e/until.ts";
import { accessToken, makeAccount } from "./accounts.ts";
import { type Cinema, openCinema } from "./cinema.ts";
import { importClip, makeClip, untilComplete } from "./clips.ts";
import { freePort } from "#kernel/testing/ports";
import { openStage, type Stage } from "./product.ts";

const CHANNEL = "ch-breaks";
const FILM = "film";
const RUNG = "240p-h264-300k";
const PASSPHRASE = "a passphrase of this test";
const ADS_S = [10, 15];
const SLATE_S = 5;
const BREAK_S = 30;
/** After the stream began: until then both viewers have come. */
const BREAK_AT_S = 75;
const HEARD_BEFORE_S = 6;
/** A channel that is younger than the distance which viewers with ads keep from the world has them too near for an ad's first segment. */
const CHANNEL_AGE_S = 24;
const READY_MS_MAX = 120_000;
const BEACONS_MS_MAX = 90_000;

let stage: Stage;
let adServer: AdServer | undefined;
const children: ChildProcess[] = [];
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  adServer?.close();
  await stage?.close();
});

/** The ads of the other server are encoded, because somebody was to see them, and so is the slate. */
async function learnAds(url: string): Promise<void> {
  const clip = { width: 320, height: 180, rate: 24, grain: 0 };
  for (const durationS of [...ADS_S, SLATE_S])
    await makeClip(path.join(stage.folder, `${durationS}.mp4`), { ...clip, durationS });
  const film = path.join(stage.folder, "film.mp4");
  await makeClip(film, { ...clip, durationS: 12 });
  await importClip(stage.admin, film, FILM);
  await untilComplete(stage.admin, [FILM], READY_MS_MAX);
  adServer = await openAdServer(stage.folder, ADS_S);
  const calls = stage.admin.of(Ads);
  const slate = { campaignId: "", title: "Back soon", clickThrough: "", preset: "quick" };
  await calls.addCreative({ ...slate, path: path.join(stage.folder, `${SLATE_S}.mp4`) });
  const network = { id: "network", name: "A network", advertiser: "Many", priority: 5 };
  await calls.saveCampaign({ campaign: { ...network, vastUrl: adServer.vastUrl } });
  await calls.setBreaks({ contentId: FILM, breaks: [{ atS: 6, durationS: BREAK_S }] });
  await startSession(await signUp(url, newAccount("First")), FILM, device("First"));
  await until("the ads are encoded", READY_MS_MAX, async () => {
    const { creatives } = await calls.listCreatives({ campaignId: "" });
    assert.ok(!creatives.some(({ state }) => state === "failed"), JSON.stringify(creatives));
    const isReady = creatives.length === ADS_S.length + 1 && creatives.every(({ state }) => state === "ready");
    return isReady ? true : null;
  });
  await calls.setBreaks({ contentId: FILM, breaks: [] });
}

/** Out of the network at a time of the input's, and back by itself. */
function breakAt(ptsTime: number): Uint8Array {
  return encodeSplice({
    ...{ sapType: 3, ptsAdjustment: 0, cwIndex: 0, tier: 0xfff, legacyLength: false, descriptors: [], stuffingHex: "" },
    command: {
      ...{ kind: "insert", eventId: 7, cancel: false, outOfNetwork: true, ptsTime, immediate: false, compliant: true },
      ...{ breakDuration: { autoReturn: true, duration: BREAK_S * 90_000 }, components: null },
      ...{ uniqueProgramId: 1, availNum: 0, availsExpected: 0 },
    },
  });
}

/** Sends a picture, a tone and the splice, in real time; answers when it began. */
function send(port: number): number {
  const film = spawn("ffmpeg", [
    ...["-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=24"],
    ...["-f", "lavfi", "-i", "sine=sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"],
    ...["-g", "24", "-pix_fmt", "yuv420p", "-c:a", "aac", "-muxdelay", "0", "-flush_packets", "1"],
    ...["-f", "mpegts", "-mpegts_flags", "+resend_headers", "pipe:1"],
  ]);
  const caller = spawn("ffmpeg", [
    ...["-nostdin", "-v", "error", "-f", "data", "-i", "pipe:0", "-map", "0", "-c", "copy", "-flush_packets", "1"],
    ...["-f", "data", `srt://127.0.0.1:${port}?mode=caller&passphrase=${encodeURIComponent(PASSPHRASE)}&pbkeylen=16`],
  ]);
  children.push(film, caller);
  caller.stdin.on("error", () => {});
  const splicer = createSplicer([
    { afterS: BREAK_AT_S - HEARD_BEFORE_S, section: (ptsOf) => breakAt(ptsOf(BREAK_AT_S)) },
  ]);
  film.stdout.on("data", (chunk: Buffer) => caller.stdin.write(splicer(chunk)));
  return performance.now();
}

const adsOf = ({ transfers }: Cinema): Set<string> =>
  new Set(
    transfers.flatMap(({ path, status }) => (status < 400 ? (/^\/vod\/(ad-[^/]+)\//.exec(path)?.[1] ?? []) : [])),
  );
/** What the product wrote down of ads that did not come. */
async function warnings(): Promise<string> {
  const lines = (await readFile(path.join(stage.folder, "logs/marquee.log"), "utf8")).split("\n");
  return lines.filter((line) => /"level":"(WARN|ERROR)"/.test(line)).join("\n");
}
const failedOf = ({ transfers }: Cinema) => transfers.filter(({ status }) => status >= 400);
const byName = (a: string, b: string): number => a.localeCompare(b);

test("a channel's break is filled without a stall, and its beacons are sent once", {
  timeout: 10 * 60_000,
}, async (t) => {
  // Two browsers start meanwhile: a start that does not wait for ads has none for as long as it lasts.
  stage = await openStage({ MARQUEE_AD_PRIVATE_HOSTS: "127.0.0.1", MARQUEE_AD_DEADLINE_MS: "5000" });
  const product = stage.start();
  const url = await product.ready();
  await learnAds(url);
  const { beacons = [] } = adServer ?? {};
  const live = stage.admin.of(Live);
  const port = await freePort();
  await live.add({
    channel: { id: CHANNEL, name: "Breaks", ladder: [RUNG], latency: "standard" },
    inputs: [{ kind: "srt", url: String(port), secret: PASSPHRASE }],
  });
  await pause(500);
  const beganMs = send(port);
  await until("the channel", READY_MS_MAX, async () =>
    (await live.health({ channelId: CHANNEL })).state === "live" ? true : null,
  );
  const shows: { readonly format: "dash" | "hls"; readonly cinema: Cinema }[] = [];
  try {
    for (const format of ["dash", "hls"] as const) {
      const { email } = await makeAccount(stage.admin, `${format}@chaos.test`, { tier: "basic" });
      shows.push({ format, cinema: await openCinema({ url, token: await accessToken(stage.admin, email) }) });
    }
    await pause(Math.max(0, CHANNEL_AGE_S * 1_000 - (performance.now() - beganMs)));
    await Promise.all(shows.map(({ cinema, format }) => cinema.tune(CHANNEL, format)));
    const cameS = (performance.now() - beganMs) / 1_000;
    t.diagnostic(`both watch ${Math.round(cameS)} s after the stream began`);
    assert.ok(cameS < BREAK_AT_S - HEARD_BEFORE_S, `the viewers came after ${cameS} s, when the break was known`);
    beacons.length = 0;
    // Viewers are some segments behind what is sent.
    const shown = BREAK_AT_S + BREAK_S + 25 - cameS;
    await Promise.all(shows.map(({ cinema }) => cinema.advance(shown)));
    for (const { cinema, format } of shows)
      t.diagnostic(`${format}: ${adsOf(cinema).size} ads and slates; stalls ${JSON.stringify(await cinema.stalls())}`);
    for (const { cinema, format } of shows) {
      const ads = [...adsOf(cinema)];
      assert.equal(ads.length, ADS_S.length + 1, `${format}: ${ads.join(", ")}\n${await warnings()}`);
      assert.deepEqual(await cinema.stalls(), [], format);
      assert.deepEqual(failedOf(cinema), [], format);
      assert.deepEqual(cinema.complaints, [], format);
    }
    const expected = ADS_S.flatMap((durationS) => [...QUARTILES, "impression"].map((event) => `${durationS}/${event}`));
    await until("every beacon", BEACONS_MS_MAX, async () => (beacons.length >= 2 * expected.length ? true : null));
    // One too many would come with the next round.
    await pause(5_000);
    const bySession = Map.groupBy(beacons, (beacon) => beacon.split("?")[1]);
    assert.equal(bySession.size, shows.length);
    for (const told of bySession.values())
      assert.deepEqual(told.map((beacon) => beacon.split("?")[0] ?? "").toSorted(byName), expected.toSorted(byName));
    t.diagnostic(`${beacons.length} beacons of ${bySession.size} sessions, each once`);
  } finally {
    for (const { cinema } of shows) await cinema.close();
  }
  assert.equal(await product.stop(), 0, product.output());
});

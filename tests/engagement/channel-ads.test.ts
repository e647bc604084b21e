/** Ads in a channel's breaks, from the splice to the beacon: real services, real manifests, real pictures; time is moved by the test. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { after, before, describe, test } from "node:test";
import { Ads, type AdCompleted, type AdImpression } from "#contracts/ads";
import { Keys } from "#contracts/keys";
import { Live } from "#contracts/live";
import { Client } from "pg";
import type { Viewer } from "#kernel";
import { decryptSegment } from "#media/cenc";
import { type HlsSegment, parseMediaPlaylist, parseMultivariantPlaylist } from "#media/hls";
import { parseTrackInit, totalDurationTicks } from "#media/isobmff";
import { encodeSplice } from "#media/scte35";
import live from "../../services/delivery/live/service.ts";
import ads from "../../services/engagement/ads/service.ts";
import { graysOf, packageFilm, type Studio } from "../delivery/films.ts";
import { calm, openServer, type PlaybackHost, startPlayback } from "../playback/setup.ts";

const CHANNEL = "ch-films";
const LOW = "ch-low";
const RUNG = "240p-h264-300k";
/** Not where segments meet. */
const AHEAD_MS = 9_300;

let host: PlaybackHost;
let tracker: Awaited<ReturnType<typeof openServer>>;
let serve: RequestListener = (_, response) => response.end();
const told: string[] = [];
const creatives = new Map<string, string>();
let viewer: Viewer;
const call = () => host.client(Ads, "test");

before(async () => {
  tracker = await openServer((request, response) => {
    told.push(request.url ?? "");
    serve(request, response);
  });
  host = await startPlayback({
    ...{ more: [ads], live },
    env: { MARQUEE_AD_PRIVATE_HOSTS: "127.0.0.1", MARQUEE_AD_DEADLINE_MS: "1000" },
  });
  const { objects } = host.adapters;
  const studio: Studio = { objects, keys: host.client(Keys, "live"), context: host.context(), folder: host.folder };
  const film = { rate: 24, picture: "color=0x303030:size=426x240" };
  await packageFilm(studio, { ...film, contentId: "film", durationS: 60 });
  await host.addFilm("film", { durationS: 60 });
  for (const [name, durationS, color, url] of [
    ["tea", 10, "0x606060", ""],
    ["shoes", 15, "0xa0a0a0", `${tracker.baseUrl}/vast`],
    ["", 5, "0xe0e0e0", ""],
  ] as const) {
    if (name !== "") await addCampaign(name, url);
    const id = url === "" ? await addCreative(name, durationS) : await learnCreative(name);
    creatives.set(name, id);
    await packageFilm(studio, { ...film, contentId: id, durationS, picture: `color=${color}:size=426x240` });
    await host.complete(id, durationS);
  }
  for (const [id, kind] of [
    [CHANNEL, "schedule"],
    [LOW, "demo"],
  ] as const)
    await host
      .client(Live, "test")
      .add({ channel: { id, name: "Films", ladder: [RUNG] }, inputs: [{ kind }] }, host.context());
  await host.settled();
  viewer = await host.newViewer();
});
after(async () => {
  await host?.stop();
  tracker?.close();
});

const start = (contentId: string, who = viewer) =>
  host.sessions.start(
    { contentId, device: { id: contentId, type: "web", name: "A browser" } },
    host.context({ viewer: who }),
  );

/** A break of 30 s that a channel has heard of in another process; answers when it is. */
async function interrupt(channelId: string): Promise<number> {
  const startMs = Math.ceil(host.clock.nowMs() / 2_000) * 2_000 + AHEAD_MS;
  const section = encodeSplice({
    ...{ sapType: 3, ptsAdjustment: 0, cwIndex: 0, tier: 0xfff, legacyLength: false, descriptors: [], stuffingHex: "" },
    command: { kind: "timeSignal", ptsTime: 0 },
  });
  const client = new Client({ connectionString: host.adapters.postgres.adminUrl });
  await client.connect();
  await client.query(
    `INSERT INTO live.splices (tenant, channel_id, splice_id, start_ms, planned_duration_s, out_hex)
     VALUES ('demo', $1, 'insert-7', $2, 30, $3)`,
    [channelId, startMs, Buffer.from(section).toString("hex")],
  );
  await client.end();
  return startMs;
}

async function addCampaign(id: string, vastUrl: string): Promise<void> {
  const campaign = { id, name: id, advertiser: id, priority: 5, paused: false, flights: [], caps: [], vastUrl };
  await call().saveCampaign({ campaign }, host.context());
}

/** Its film is made by this test; the one that is handed in is refused, which nobody waits for. */
async function addCreative(campaignId: string, durationS: number): Promise<string> {
  const title = `${campaignId || "slate"} of ${durationS} s`;
  const request = { campaignId, title, path: import.meta.filename, clickThrough: "", preset: "quick" };
  return (await call().addCreative(request, host.context())).creative?.id ?? "";
}

/** An ad of another server's, which tells that server by its own beacons. It is learned of when somebody is asked for. */
async function learnCreative(campaignId: string): Promise<string> {
  const events = ["start", "firstQuartile", "midpoint", "thirdQuartile", "complete"];
  const tracking = events.map((event) => `<Tracking event="${event}">${tracker.baseUrl}/told/${event}</Tracking>`);
  const vast = `<VAST version="3.0"><Ad id="1"><InLine><AdSystem>s</AdSystem><AdTitle>Shoes</AdTitle><Impression>${tracker.baseUrl}/told/impression</Impression>
    <Creatives><Creative><Linear><Duration>00:00:15</Duration><TrackingEvents>${tracking.join("")}</TrackingEvents><MediaFiles>
    <MediaFile delivery="progressive" type="video/mp4" width="426" height="240">${tracker.baseUrl}/shoes.mp4</MediaFile></MediaFiles></Linear></Creative></Creatives></InLine></Ad></VAST>`;
  serve = (request, response) => response.end(request.url === "/vast" ? vast : "no film");
  const first = await host.newViewer();
  const who = { sessionId: "ses_first", contentId: CHANNEL, market: "", tier: "basic", deviceType: "web" };
  await call().tune(who, host.context({ viewer: first }));
  await call().fillBreak(
    { sessionId: "ses_first", contentId: CHANNEL, breakId: "a", startMs: 0n, durationS: 30 },
    host.context(),
  );
  const found = await call().listCreatives({ campaignId }, host.context());
  return found.creatives[0]?.id ?? assert.fail("the ad was not learned of");
}

const text = async (path: string): Promise<string> => {
  const answer = await host.http(`http://origin.test${path}`);
  const body = await answer.text();
  assert.equal(answer.status, 200, `${path}: ${body}`);
  return body;
};
const bytes = async (path: string): Promise<Uint8Array> => {
  const answer = await host.http(`http://origin.test${path}`);
  assert.equal(answer.status, 200, path);
  return new Uint8Array(await answer.arrayBuffer());
};

/** A segment of a playlist, with what it takes to read it. */
async function clearAt(folder: string, { uri, map }: HlsSegment) {
  const at = (name = ""): string => new URL(name, `http://origin.test${folder}`).pathname;
  const [, contentId = "", revision] = /\/vod\/([^/]+)\/r(\d+)\//.exec(at(uri)) ?? [];
  const day = Number(/init-(\d+)/.exec(map?.uri ?? "")?.[1]);
  const set =
    contentId === "" ? { contentId: CHANNEL, packageRevision: day } : { contentId, packageRevision: Number(revision) };
  const { keys } = await host.client(Keys, "live").getSet(set, host.context());
  const key = keys.find(({ keyClass }) => keyClass === "SD")?.key ?? new Uint8Array();
  return [await bytes(at(map?.uri)), await bytes(at(uri)), key] as const;
}

/** Its pictures, by how bright they are. */
const graysAt = async (folder: string, segment: HlsSegment): Promise<number[]> =>
  graysOf(...(await clearAt(folder, segment)));

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return assert.fail(`${what} did not come`);
}

let lowNumber = 0;
const assetsOf = async (sessionId: string): Promise<{ URI: string; DURATION: number }[]> =>
  (JSON.parse(await text(`/live/${LOW}/ads-${sessionId}-${lowNumber}.json`)) as { ASSETS: never[] }).ASSETS;

test("a channel of low latency keeps one playlist for all, and each asks for its own ads", async () => {
  const outMs = await interrupt(LOW);
  const low = await start(LOW);
  assert.equal(new URL(low.hlsUrl).pathname, `/live/${LOW}/main.m3u8`);
  await text(`/live/${LOW}/main.m3u8`);
  const { dateRanges } = parseMediaPlaylist(await text(`/live/${LOW}/${RUNG}/index.m3u8`));
  const interstitial = dateRanges.find((range) => range["CLASS"] === "com.apple.hls.interstitial");
  lowNumber = Math.round(outMs / 2_000);
  assert.equal(interstitial?.["X-ASSET-LIST"], `../ads-$sid$-${lowNumber}.json?CAT=$cat$`);
  assert.equal(Date.parse(interstitial?.["START-DATE"] ?? ""), outMs);
  assert.equal(Number(interstitial?.["X-PLAYOUT-LIMIT"]), 30);
  const own = await assetsOf(low.session?.id ?? "");
  assert.equal(
    own.reduce((sum, { DURATION }) => sum + DURATION, 0),
    30,
  );
  assert.ok(own.every(({ URI }) => /^\$base\$\/vod\/ad-[^/]+\/r1\/main-1\.m3u8\?CAT=\$cat\$$/.test(URI)));
  assert.deepEqual(await assetsOf(low.session?.id ?? ""), own, "the same however often it is asked");
  assert.deepEqual(await assetsOf(`ses_${"0".repeat(26)}`), [], "and none for who watches nothing");
});

describe("a channel with a break of 30 s", () => {
  let folder = "";
  let playlist = "";
  /** The break is where segments meet that are nearest. */
  let fromMs = 0;
  let started: Awaited<ReturnType<typeof start>>;
  before(async () => {
    fromMs = Math.round((await interrupt(CHANNEL)) / 2_000) * 2_000;
    started = await start(CHANNEL);
  });

  test("has manifests of their own for sessions with ads", async () => {
    const sessionId = started.session?.id ?? "";
    const hlsPath = new URL(started.hlsUrl).pathname;
    assert.equal(hlsPath, `/live/${CHANNEL}/main-${sessionId}.m3u8`);
    const main = parseMultivariantPlaylist(await text(hlsPath));
    folder = `/live/${CHANNEL}/${RUNG}/`;
    playlist = `/live/${CHANNEL}/${main.variants[0]?.uri}`;
    assert.equal(playlist, `${folder}index-${sessionId}.m3u8`);
    await text(playlist);
    const mpd = await text(new URL(started.dashUrl).pathname);
    assert.match(mpd, / maxSegmentDuration="PT6S"/, "as long as segments of ads may be: the edge stays where it is");
    assert.doesNotMatch(mpd, /\/vod\//, "what is not there yet of the programme would be skipped for them");
  });

  test("has licences for its ads before they come", async () => {
    const keysOf = async (contentId: string): Promise<string[]> =>
      (await host.client(Keys, "live").getSet({ contentId, packageRevision: 1 }, host.context())).keys.flatMap(
        ({ kid, keyClass }) => (keyClass === "SD" || keyClass === "AUDIO" ? [kid] : []),
      );
    const answer = await host.http(started.licenseClearkey, { method: "POST", body: '{"kids":[],"type":"temporary"}' });
    const { keys } = (await answer.json()) as { keys: { kid: string }[] };
    const granted = keys.map(({ kid }) => Buffer.from(kid, "base64url").toString("hex"));
    for (const id of creatives.values()) for (const kid of await keysOf(id)) assert.ok(granted.includes(kid), id);
    for (const kid of await keysOf("film")) assert.ok(!granted.includes(kid), "and for no film");
  });

  /** The names of campaigns, as their creatives come. */
  const creativesInOrder = (manifest: string): string[] =>
    [...creatives].toSorted(([, a], [, b]) => manifest.indexOf(a) - manifest.indexOf(b)).map(([name]) => name);

  test("shows its ads, a slate and then the programme, in pictures without one too many", async () => {
    const seen = new Map<number, { segment: HlsSegment; discontinuities: number }>();
    let sequence = 0;
    for (let shownMs = 0; shownMs < fromMs + 38_000; host.clock.offsetMs += 2_000) {
      const { segments, mediaSequence, discontinuitySequence } = parseMediaPlaylist(await text(playlist));
      assert.ok(mediaSequence >= sequence, "numbers go on");
      sequence = mediaSequence;
      let discontinuities = discontinuitySequence;
      let atMs = 0;
      for (const [index, segment] of segments.entries()) {
        if (segment.discontinuity && index > 0) discontinuities++;
        if (segment.programDateTime !== null) {
          const saidMs = Date.parse(segment.programDateTime);
          if (atMs > 0) assert.ok(Math.abs(saidMs - atMs) < 50, `${saidMs - atMs} ms off`);
          atMs = saidMs;
        }
        atMs += segment.durationS * 1_000;
        const before = seen.get(mediaSequence + index);
        if (before) assert.deepEqual([before.segment.uri, before.discontinuities], [segment.uri, discontinuities]);
        seen.set(mediaSequence + index, { segment, discontinuities });
      }
      assert.ok(atMs <= host.clock.nowMs() + 50, "nothing is shown before its time");
      shownMs = atMs;
      await new Promise((resolve) => setTimeout(resolve, 120));
    }
    const all = [...seen].toSorted(([a], [b]) => a - b).map(([, { segment }]) => segment);
    const first = all.findIndex(({ uri }) => uri.includes("/vod/"));
    const last = all.findLastIndex(({ uri }) => uri.includes("/vod/"));
    assert.ok(first > 0);
    assert.equal(all[first - 1]?.uri, `seg-${fromMs / 2_000 - 1}.m4s`);
    assert.equal(all[last + 1]?.uri, `seg-${fromMs / 2_000 + 15}.m4s`);
    const shown: number[] = [];
    for (const segment of all.slice(first - 1, last + 2)) shown.push(...(await graysAt(folder, segment)));
    const spans: [gray: number, frames: number][] = [];
    for (const gray of shown) {
      const before = spans.at(-1);
      if (before && Math.abs(before[0] - gray) < 8) before[1]++;
      else spans.push([gray, 1]);
    }
    const lengths = spans.map(([, frames]) => frames / 24);
    assert.equal(
      lengths.slice(1, -1).reduce((sum, each) => sum + each, 0),
      30,
      "as many pictures as the break has",
    );
    assert.deepEqual(
      lengths.toSorted((a, b) => a - b),
      [2, 2, 5, 10, 15],
    );
    assert.equal(lengths.at(-2), 5, "the slate comes last");
    assert.ok(Math.abs((spans[0]?.[0] ?? 0) - (spans.at(-1)?.[0] ?? 255)) < 8, "the same programme as before");
  });

  test("has periods for them in DASH, which say where the programme goes on", async () => {
    const mpd = await text(new URL(started.dashUrl).pathname);
    const periods = [...mpd.matchAll(/<Period id="([^"]+)" start="PT([\d.]+)S"(?: duration="PT([\d.]+)S")?>/g)].map(
      ([, id, startS, durationS]) => ({ id, startS: Number(startS), durationS: Number(durationS) }),
    );
    const [before, ...rest] = periods.slice(periods.findIndex(({ id }) => id?.startsWith("insert-7")) - 1);
    const fromS = fromMs / 1_000;
    assert.equal((before?.startS ?? 0) + (before?.durationS ?? 0), fromS);
    assert.deepEqual(
      rest.slice(0, 3).map(({ startS, durationS }) => [startS - fromS, durationS]),
      creativesInOrder(mpd)
        .map((name) => ({ tea: 10, shoes: 15, "": 5 })[name] ?? 0)
        .map((durationS, index, all) => [all.slice(0, index).reduce((sum, each) => sum + each, 0), durationS]),
    );
    assert.equal(rest[3]?.startS, fromS + 30, "the programme is back on time");
    for (const id of creatives.values()) assert.ok(mpd.includes(`media="../../vod/${id}/r1/$RepresentationID$/`), id);
  });

  test("tells each quartile once, however often a player says where it is", async () => {
    // Its player follows at some distance, and is heard of now for all that it showed meanwhile.
    const sessionId = started.session?.id ?? "";
    const endMs = fromMs + 34_000;
    let sequence = 0;
    for (let shownMs = fromMs - 4_000; shownMs <= endMs; shownMs += 4_000) {
      host.clock.offsetMs += 4_000;
      for (let twice = 0; twice < 2; twice++) {
        const liveLatencyMs = Math.round(host.clock.nowMs() - shownMs);
        await host.sessions.beat(
          { ...calm(sessionId, sequence++, 100), durationS: 7_200, liveLatencyMs },
          host.context({ viewer }),
        );
      }
    }
    await host.settled();
    const campaigns = async (name: string): Promise<string[]> =>
      (await host.heard<AdImpression | AdCompleted>(name)).map(({ data }) => data.campaignId).toSorted();
    assert.deepEqual(await campaigns("ad.impression"), ["shoes", "tea"]);
    assert.deepEqual(await campaigns("ad.completed"), ["shoes", "tea"]);
    const events = ["complete", "firstQuartile", "impression", "midpoint", "start", "thirdQuartile"];
    const beacons = () => told.filter((url) => url.startsWith("/told/")).toSorted();
    await until("the beacons", async () => (beacons().length >= events.length ? true : undefined));
    // A beacon too many would come with the next round.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.deepEqual(
      beacons(),
      events.map((event) => `/told/${event}`),
    );
  });
});

test("a viewer without ads, and one who comes when the break has begun, see the programme", async () => {
  const late = await start(CHANNEL);
  assert.deepEqual(await assetsOf(late.session?.id ?? ""), [], "another channel's ads are not theirs");
  const path = new URL(late.hlsUrl).pathname;
  const { variants } = parseMultivariantPlaylist(await text(path));
  assert.doesNotMatch(await text(`/live/${CHANNEL}/${variants[0]?.uri}`), /\/vod\//);
  await host.subscriptions.change({ userId: viewer.userId, tier: "premium" }, host.context());
  await host.settled();
  assert.equal(new URL((await start(CHANNEL)).hlsUrl).pathname, `/live/${CHANNEL}/main.m3u8`);
  await host.subscriptions.change({ userId: viewer.userId, tier: "basic" }, host.context());
  await host.settled();
});

test("a film goes on behind its break with the frame that follows the last one before it", async () => {
  await call().setBreaks({ contentId: "film", breaks: [{ atS: 12, durationS: 30 }] }, host.context());
  const { hlsUrl, adBreaks } = await start("film", await host.newViewer());
  assert.deepEqual(
    adBreaks.map(({ atS, durationS }) => [atS, durationS]),
    [[12, 30]],
  );
  const path = new URL(hlsUrl).pathname;
  const { variants } = parseMultivariantPlaylist(await text(path));
  const playlist = new URL(variants[0]?.uri ?? "", `http://origin.test${path}`).pathname;
  const folder = playlist.slice(0, playlist.lastIndexOf("/") + 1);
  const { segments } = parseMediaPlaylist(await text(playlist));
  const [first, last] = [false, true].map((isLast) => {
    const isAd = ({ uri }: HlsSegment): boolean => uri.includes("/ad-");
    return isLast ? segments.findLastIndex(isAd) : segments.findIndex(isAd);
  });
  assert.ok(first !== undefined && last !== undefined && first > 0);
  let pictures = 0;
  for (const segment of segments.slice(first, last + 1)) pictures += (await graysAt(folder, segment)).length;
  assert.equal(pictures / 24, 30, "as many pictures as the player's clock counts");
  const spanOf = async (segment: HlsSegment | undefined): Promise<{ startS: number; endS: number }> => {
    assert.ok(segment);
    const [init, bytesOf, key] = await clearAt(folder, segment);
    const fragments = decryptSegment(init, bytesOf, key);
    const { timescale } = parseTrackInit(init);
    const [begin, end] = [fragments[0], fragments.at(-1)];
    assert.ok(begin && end);
    const endTicks = end.baseDecodeTimeTicks + totalDurationTicks(end.samples);
    return { startS: begin.baseDecodeTimeTicks / timescale, endS: endTicks / timescale };
  };
  const [before, after] = [await spanOf(segments[first - 1]), await spanOf(segments[last + 1])];
  assert.equal(before.endS, 12);
  assert.equal(after.startS, 12);
});

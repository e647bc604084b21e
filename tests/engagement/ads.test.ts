/** Ads from the campaign to the beacon, on real services; the encoder's word is given by the test. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { after, before, describe, test } from "node:test";
import { Ads, type AdCompleted, type AdDecisionMade, type AdImpression } from "#contracts/ads";
import { Client } from "pg";
import type { Viewer } from "#kernel";
import { validate } from "#media/cat";
import { parseMediaPlaylist, parseMultivariantPlaylist } from "#media/hls";
import type { Presentation } from "#media/presentation";
import { parseVast } from "#media/vast";
import ads from "../../services/engagement/ads/service.ts";
import { calm, openServer, type PlaybackHost, startPlayback } from "../playback/setup.ts";

const DAY_MS = 86_400_000;

let host: PlaybackHost;
let tracker: Awaited<ReturnType<typeof openServer>>;
const fetched: string[] = [];
let serve: RequestListener = (_, response) => response.end();
const call = () => host.client(Ads, "test");

before(async () => {
  tracker = await openServer((request, response) => {
    fetched.push(request.url ?? "");
    serve(request, response);
  });
  host = await startPlayback({
    more: [ads],
    env: { MARQUEE_AD_PRIVATE_HOSTS: "127.0.0.1", MARQUEE_AD_DEADLINE_MS: "1000" },
  });
  await addPackaged("film", 600);
});
after(async () => {
  await host?.stop();
  tracker?.close();
});

/** The index of a package as the packager writes it, with clear tracks of 6-second segments. */
function indexOf(contentId: string, durationS: number): Presentation {
  const segments = Array.from({ length: Math.ceil(durationS / 6) }, (_, i) => ({
    ...{ durationTicks: Math.min(6, durationS - i * 6) * 1_000, sizeBytes: 1_000 },
  }));
  const track = { timescale: 1_000, bandwidthAverageBps: 900_000, bandwidthPeakBps: 1_000_000, kid: null, segments };
  return {
    ...{ contentId, revision: 1, indexVersion: 1, durationS, keys: [], thumbnails: null },
    video: [
      {
        ...track,
        kind: "video",
        profile: "360p-h264",
        codec: "avc1.64001e",
        width: 640,
        height: 360,
        frameRate: [25, 1],
      },
    ],
    audio: [
      {
        ...{ ...track, kind: "audio", profile: "audio-en", codec: "mp4a.40.2", language: "en", label: "English" },
        ...{ channels: 2, sampleRateHz: 48_000, isDefault: true },
      },
    ],
    text: [
      {
        ...{ kind: "text", profile: "text-en", language: "en", label: "English", role: "subtitles" },
        segmentDurationsS: segments.map(({ durationTicks }) => durationTicks / 1_000),
      },
    ],
  };
}

async function addPackaged(contentId: string, durationS: number): Promise<void> {
  const index = Buffer.from(JSON.stringify(indexOf(contentId, durationS)));
  await host.adapters.objects.put(`vod/${contentId}/r1/index-1.json`, index);
  await host.addFilm(contentId, { durationS });
}

interface Wanted {
  readonly advertiser?: string;
  readonly caps?: { impressions: number; windowS: number }[];
  readonly vastUrl?: string;
}
async function addCampaign(id: string, { advertiser = id, caps = [], vastUrl = "" }: Wanted = {}): Promise<void> {
  const campaign = { ...{ id, name: id, advertiser, priority: 5, paused: false, flights: [], caps, vastUrl } };
  await call().saveCampaign({ campaign }, host.context());
}

/** A creative that is ready. Its film is no film, so that ingest refuses it; the encoder's word is what counts. */
async function addCreative(campaignId: string, title: string, durationS: number): Promise<string> {
  const request = { campaignId, title, path: import.meta.filename, clickThrough: "", preset: "quick" };
  const { creative } = await call().addCreative(request, host.context());
  const id = creative?.id ?? "";
  await host.adapters.objects.put(`vod/${id}/r1/index-1.json`, Buffer.from(JSON.stringify(indexOf(id, durationS))));
  await host.complete(id, durationS);
  return id;
}

const setBreaks = (...breaks: readonly (readonly [atS: number, durationS: number])[]) =>
  call().setBreaks(
    { contentId: "film", breaks: breaks.map(([atS, durationS]) => ({ atS, durationS })) },
    host.context(),
  );
const start = (viewer: Viewer, contentId = "film") =>
  host.sessions.start(
    { contentId, device: { id: viewer.deviceId, type: "web", name: "A browser" } },
    host.context({ viewer }),
  );
const clear = async (): Promise<void> => {
  const { campaigns } = await call().listCampaigns({}, host.context());
  for (const { id } of campaigns) await call().removeCampaign({ id }, host.context());
  const { creatives } = await call().listCreatives({ campaignId: "" }, host.context());
  for (const { id } of creatives) await call().removeCreative({ id }, host.context());
};

describe("a film with a break of 30 s", () => {
  let viewer: Viewer;
  let started: Awaited<ReturnType<typeof start>>;
  const ids: string[] = [];
  before(async () => {
    for (const [campaign, durationS] of [
      ["tea", 10],
      ["bikes", 15],
    ] as const) {
      await addCampaign(campaign);
      ids.push(await addCreative(campaign, campaign, durationS));
    }
    ids.push(await addCreative("", "slate", 5));
    await setBreaks([121, 30]);
    viewer = await host.newViewer();
    started = await start(viewer);
  });
  after(clear);

  test("is interrupted at the edge of a segment, and its manifests are those of the plan", async () => {
    assert.deepEqual(
      started.adBreaks.map(({ atS, durationS }) => [atS, durationS]),
      [[120, 30]],
    );
    assert.match(started.dashUrl, /\/vod\/film\/r1\/main-1-[0-9a-f]{16}\.mpd\?steer=1&CAT=/);
    const path = new URL(started.hlsUrl).pathname;
    const main = parseMultivariantPlaylist(await origin(path));
    const [variant] = main.variants;
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    const { segments } = parseMediaPlaylist(await origin(`${folder}${variant?.uri}`));
    assert.equal(segments.filter(({ discontinuity }) => discontinuity).length, 4);
    const totalS = segments.reduce((sum, { durationS }) => sum + durationS, 0);
    assert.equal(totalS, 630);
    const inBreak = segments.slice(20, 20 + 2 + 3 + 1).map(({ uri }) => uri);
    assert.deepEqual([...new Set(inBreak.map((uri) => uri.split("/")[3]))], ids);
    assert.equal(segments[26]?.uri, "seg-0000021.m4s");
    const text = parseMediaPlaylist(await origin(`${folder}text-en/${variant?.uri.split("/")[1]}`));
    assert.equal(
      text.segments.reduce((sum, { durationS }) => sum + durationS, 0),
      630,
    );
    assert.deepEqual(
      text.segments.filter(({ gap }) => gap).map(({ durationS }) => durationS),
      [10, 15, 5],
    );
  });

  test("has five periods in DASH, the last of which goes on in the middle of the film", async () => {
    const mpd = await origin(new URL(started.dashUrl).pathname);
    const periods = [...mpd.matchAll(/<Period id="\d" start="PT(\d+)S" duration="PT(\d+)S">/g)].map(([, at, s]) => [
      Number(at),
      Number(s),
    ]);
    assert.equal(periods.length, 5);
    assert.deepEqual(
      [periods[0], periods[4]],
      [
        [0, 120],
        [150, 480],
      ],
    );
    assert.match(
      mpd,
      /presentationTimeOffset="120000"[^>]* media="\$RepresentationID\$\/seg-\$Number%07d\$\.m4s" startNumber="21"/,
    );
    for (const id of ids) assert.ok(mpd.includes(`media="../../${id}/r1/$RepresentationID$/`), id);
  });

  test("gives its viewer a token for the film and for ads, and for nothing else", async () => {
    const { token, baseUrl } = started.cdns[0] ?? assert.fail("no network");
    const port = Number(new URL(baseUrl).port);
    const isAllowed = async (path: string): Promise<boolean> => {
      const url = { scheme: "http", host: "127.0.0.1", port, path };
      const options = { nowS: Math.floor(host.clock.nowMs() / 1_000), issuer: "marquee", verify: () => true };
      return (await validate(token, { method: "GET", url }, options)).ok;
    };
    assert.equal(await isAllowed("/vod/film/r1/360p-h264/seg-0000001.m4s"), true);
    assert.equal(await isAllowed(`/vod/${ids[0]}/r1/360p-h264/seg-0000001.m4s`), true);
    for (const path of ["/vod/other/r1/a.mpd", "/vod/film/r2/a.mpd", "/vod/adverts/r1/a.mpd", "/x/vod/film/r1/a.mpd"])
      assert.equal(await isAllowed(path), false, path);
  });

  test("tells of each ad once, and of positions without them", async () => {
    const id = started.session?.id ?? "";
    const beat = async (sequence: number, positionS: number, afterMs: number): Promise<void> => {
      host.clock.offsetMs += afterMs;
      await host.sessions.beat({ ...calm(id, sequence, positionS), durationS: 630 }, host.context({ viewer }));
    };
    await beat(0, 0, 0);
    // Somebody jumps to a minute before the break and lets it run.
    for (const [i, positionS] of [115, 124, 133, 142, 149].entries())
      await beat(i + 1, positionS, i === 0 ? 1_000 : 9_000);
    await host.settled();
    const bookmark = await host.bookmarks.get(
      { profileId: viewer.profileId, contentId: "film" },
      host.context({ viewer }),
    );
    assert.deepEqual([bookmark.bookmark?.positionS, bookmark.bookmark?.durationS], [120, 600]);
    await beat(6, 160, 9_000);
    await host.sessions.stop(
      { sessionId: id, sequence: 7, positionS: 161, durationS: 630, reason: "asked" },
      host.context({ viewer }),
    );
    await host.settled();
    const after = await host.bookmarks.get(
      { profileId: viewer.profileId, contentId: "film" },
      host.context({ viewer }),
    );
    assert.deepEqual([after.bookmark?.positionS, after.bookmark?.durationS], [131, 600]);
    const told = async (name: string): Promise<string[]> =>
      (await host.heard<AdImpression | AdCompleted>(name)).map(({ data }) => data.campaignId).toSorted();
    assert.deepEqual(await told("ad.impression"), ["bikes", "tea"]);
    assert.deepEqual(await told("ad.completed"), ["bikes", "tea"]);
    const [decision] = await host.heard<AdDecisionMade>("ad.decision.made");
    assert.deepEqual([decision?.data.reason, decision?.data.wantedS, decision?.data.filledS], ["filled", 30, 30]);
    const { lines } = await call().report({ campaignId: "" }, host.context());
    assert.deepEqual(
      lines.map(({ campaignId, impressions, completes }) => [campaignId, impressions, completes]),
      [
        ["bikes", 1, 1],
        ["tea", 1, 1],
      ],
    );
    // Who goes on where the bookmark stands is on the player's clock behind the break.
    assert.equal((await start(viewer)).resumePositionS, 161);
  });

  test("has none for children and for plans without ads", async () => {
    const parent = await host.newViewer();
    const { profile } = await host.profiles.create(
      { userId: parent.userId, name: "Kim", isKids: true, language: "en", avatarColor: "" },
      host.context(),
    );
    const child = { ...parent, profileId: profile?.id ?? "" };
    assert.deepEqual((await start(child)).adBreaks, []);
    await host.subscriptions.change({ userId: parent.userId, tier: "premium" }, host.context());
    await host.settled();
    const paid = await start(parent);
    assert.deepEqual(paid.adBreaks, []);
    assert.match(paid.hlsUrl, /main-1\.m3u8/);
  });

  test("shows a campaign no more often than its cap allows", async () => {
    // A cap's windows begin at multiples of their length, days at midnight in UTC: none may end meanwhile.
    const leftMs = DAY_MS - (host.clock.nowMs() % DAY_MS);
    if (leftMs < 600_000) host.clock.offsetMs += leftMs;
    await addCampaign("tea", { caps: [{ impressions: 1, windowS: DAY_MS / 1_000 }] });
    await setBreaks([0, 12], [120, 12]);
    const capped = await host.newViewer();
    const first = await start(capped);
    assert.equal(first.adBreaks.length, 1, "one of two breaks has the only impression");
    const sessionId = first.session?.id ?? "";
    for (const [sequence, positionS] of [0, 5, 11].entries()) {
      host.clock.offsetMs += 6_000;
      await host.sessions.beat(calm(sessionId, sequence, positionS), host.context({ viewer: capped }));
    }
    await host.settled();
    assert.deepEqual((await start(capped)).adBreaks, []);
  });

  test("forgets who is deleted", async () => {
    await host.users.delete({ userId: viewer.userId }, host.context());
    await host.settled();
    const { rows } = await query("SELECT count(*)::int AS n FROM ads.decisions WHERE user_id = $1", [viewer.userId]);
    assert.deepEqual(rows, [{ n: 0 }]);
  });
});

describe("another ad server", () => {
  const VAST = (body: string): string => `<VAST version="3.0">${body}</VAST>`;
  const inline = (film: string): string =>
    VAST(`<Ad id="1"><InLine><AdSystem>s</AdSystem><AdTitle>Shoes</AdTitle><Impression>${tracker.baseUrl}/i?c=[CACHEBUSTING]</Impression>
      <Creatives><Creative><Linear><Duration>00:00:10</Duration><TrackingEvents><Tracking event="midpoint">${tracker.baseUrl}/mid</Tracking></TrackingEvents>
      <MediaFiles><MediaFile delivery="progressive" type="video/mp4" width="640" height="360">${tracker.baseUrl}/${film}</MediaFile></MediaFiles></Linear></Creative></Creatives></InLine></Ad>`);
  before(async () => {
    await setBreaks([120, 30]);
    await addCampaign("shoes", { vastUrl: `${tracker.baseUrl}/wrapper` });
  });
  after(clear);

  test("that is dead, slow, endless or wrong costs its ads and nothing else", async () => {
    const viewer = await host.newViewer();
    for (const answer of [
      (_, response) => response.destroy(),
      (_, response) => response.writeHead(500).end(),
      (_, response) => response.end("<VAST"),
      (_, response) => void setTimeout(() => response.end(VAST("")), 5_000).unref(),
      (_, response) => response.end(VAST("x".repeat(400_000))),
      // Each wrapper leads to the next one.
      (request, response) =>
        response.end(
          VAST(
            `<Ad><Wrapper><VASTAdTagURI>${tracker.baseUrl}/n${Math.random()}${request.url}</VASTAdTagURI></Wrapper></Ad>`,
          ),
        ),
    ] satisfies RequestListener[]) {
      serve = answer;
      const { adBreaks, hlsUrl } = await start(viewer);
      assert.deepEqual(adBreaks, []);
      assert.match(hlsUrl, /main-1\.m3u8/);
    }
  });

  test("names a film that is fetched, shown to the next viewer, and told of once", async () => {
    serve = (request, response) => {
      if (request.url === "/wrapper")
        response.end(
          VAST(
            `<Ad><Wrapper><VASTAdTagURI>${tracker.baseUrl}/inline</VASTAdTagURI><Impression>${tracker.baseUrl}/outer</Impression></Wrapper></Ad>`,
          ),
        );
      else if (request.url === "/inline") response.end(inline("shoes.mp4"));
      else response.end("no film, which ingest will say");
    };
    assert.deepEqual((await start(await host.newViewer())).adBreaks, []);
    const [creative] = await eventually(async () => {
      const { creatives } = await call().listCreatives({ campaignId: "shoes" }, host.context());
      return creatives.every(({ state }) => state === "failed" || state === "processing") ? creatives : undefined;
    });
    const id = creative?.id ?? "";
    await host.adapters.objects.put(`vod/${id}/r1/index-1.json`, Buffer.from(JSON.stringify(indexOf(id, 10))));
    await host.complete(id, 10);
    const viewer = await host.newViewer();
    const { session, adBreaks } = await start(viewer);
    assert.deepEqual(
      adBreaks.map(({ durationS }) => durationS),
      [10],
    );
    fetched.length = 0;
    for (const [sequence, positionS] of [112, 118, 124, 131, 131].entries()) {
      host.clock.offsetMs += 6_000;
      await host.sessions.beat(calm(session?.id ?? "", sequence, positionS), host.context({ viewer }));
    }
    await host.settled();
    await eventually(async () => (fetched.length >= 3 ? true : undefined));
    assert.deepEqual(fetched.map((url) => url.replace(/\d+/, "n")).toSorted(), ["/i?c=n", "/mid", "/outer"]);
  });

  test("that sends an empty film has no creative", async () => {
    await clear();
    await addCampaign("empty", { vastUrl: `${tracker.baseUrl}/inline` });
    serve = (request, response) => response.end(request.url === "/inline" ? inline("nothing.mp4") : "");
    await start(await host.newViewer());
    const [creative] = await eventually(async () => {
      const { creatives } = await call().listCreatives({ campaignId: "empty" }, host.context());
      return creatives[0]?.state === "failed" ? creatives : undefined;
    });
    assert.match(creative?.failure ?? "", /empty file/);
  });
});

test("our own server answers by VAST, and counts what it is told once", async () => {
  await addCampaign("own");
  const creativeId = await addCreative("own", "Own & only", 10);
  const response = await host.http("http://localhost/ads/vast?duration=30&market=DE");
  const { ads: served } = parseVast(await response.text());
  assert.deepEqual(
    served.map(({ title, creatives }) => [title, creatives[0]?.universalAdIds[0]?.value]),
    [["Own & only", creativeId]],
  );
  const [impression = ""] = served[0]?.impressions ?? [];
  for (let i = 0; i < 2; i++) assert.equal((await host.http(impression)).status, 200);
  assert.equal((await host.http(impression.replace("e=impression", "e=complete"))).status, 403);
  const { lines } = await call().report({ campaignId: "own" }, host.context());
  assert.deepEqual(
    lines.map(({ impressions, completes }) => [impressions, completes]),
    [[1, 0]],
  );
  await clear();
});

/** What the origin answers to an edge. */
async function origin(path: string): Promise<string> {
  const response = await host.http(`http://origin${path}`);
  assert.equal(response.status, 200, path);
  return response.text();
}

async function query(text: string, values: readonly unknown[]) {
  const client = new Client({ connectionString: host.adapters.postgres.adminUrl });
  await client.connect();
  try {
    return await client.query<Record<string, unknown>>(text, [...values]);
  } finally {
    await client.end();
  }
}

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return assert.fail("it did not come");
}
